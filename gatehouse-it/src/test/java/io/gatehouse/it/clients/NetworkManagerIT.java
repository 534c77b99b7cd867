package io.gatehouse.it.clients;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatehouse.clients.Clients;
import io.gatehouse.clients.Known;
import io.gatehouse.clients.Known.Authentication;
import io.gatehouse.clients.Platform;
import io.gatehouse.compile.Compiler;
import io.gatehouse.generated.Descriptions;
import io.gatehouse.it.lab.Lab;
import io.gatehouse.model.Gateway;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.opentest4j.TestAbortedException;

/** NetworkManager's own library reads the key file that we write, by nmcli without its daemon. */
class NetworkManagerIT {
  private static final String DESCRIPTION =
      """
      version: 1
      gateway: office
      interfaces:
        wan: { device: eth0, role: outside, addresses: 203.0.113.9/24 }
        lan: { device: eth1, role: inside, addresses: [10.0.1.1/24, "2001:db8:1::1/64"] }
      networks:
        office: { on: lan, prefixes: [10.0.1.0/24, "2001:db8:1::/64"] }
        storage: { via: lan, prefixes: 192.168.88.0/24 }
      tunnels:
        staff:
          type: remote-access
          pools: [10.0.3.0/24, "2001:db8:3::/64"]
          reach: [office, storage]
          dns: 10.0.1.53
          esp: { proposals: [aes128gcm16, aes256gcm16] }
      """;

  /** The status of {@code lab/inside} where the host lacks something. */
  private static final int LACKING = 77;

  @TempDir Path directory;

  private record Answer(int status, String out, String err) {}

  /** What nmcli makes of a key file: it reads it, changes one value and writes it again. */
  private Answer read(String keyFile) throws IOException, InterruptedException {
    Path file = Files.writeString(directory.resolve("a.nmconnection"), keyFile);
    Path script =
        Files.writeString(
            directory.resolve("read"),
            "nmcli --offline connection modify connection.zone lab < " + file + "\n");
    Path out = directory.resolve("out");
    Path err = directory.resolve("err");
    Process process =
        new ProcessBuilder(
                Lab.HOME.resolve("lab/inside").toString(), "--layers", "nm", script.toString())
            .redirectInput(Path.of("/dev/null").toFile())
            .redirectOutput(out.toFile())
            .redirectError(err.toFile())
            .start();
    if (!process.waitFor(10, TimeUnit.MINUTES)) {
      process.destroyForcibly();
      throw new AssertionError("no end: " + Files.readString(err));
    }
    if (process.exitValue() == LACKING) {
      throw new TestAbortedException(Files.readString(err).strip());
    }
    return new Answer(process.exitValue(), Files.readString(out), Files.readString(err));
  }

  /** Values by section and key; a list's last separator is nobody's. */
  private static Map<String, String> values(String keyFile) {
    Map<String, String> values = new TreeMap<>();
    String section = "";
    for (String line : keyFile.lines().toList()) {
      int equals = line.indexOf('=');
      if (line.startsWith("[")) {
        section = line;
      } else if (equals > 0 && !line.startsWith("#")) {
        values.put(
            section + line.substring(0, equals), line.substring(equals + 1).replaceFirst(";$", ""));
      }
    }
    return values;
  }

  @Test
  void readsEveryValueOfTheKeyFile() throws IOException, InterruptedException {
    Gateway gateway = Descriptions.gateway("test.yaml", DESCRIPTION);
    for (Authentication authentication : Authentication.values()) {
      String written =
          Clients.of(
                  gateway,
                  Compiler.compile(gateway),
                  gateway.tunnel("staff").orElseThrow(),
                  Platform.LINUX,
                  new Known(
                      Optional.of("vpn.example.org"),
                      authentication,
                      List.of("example.org", "lan.example.org"),
                      Optional.empty()))
              .files()
              .stream()
              .filter(file -> file.name().endsWith(".nmconnection"))
              .findFirst()
              .orElseThrow()
              .text();

      Answer answer = read(written);

      assertThat(answer.status()).as(answer.err()).isZero();
      Map<String, String> expected = values(written);
      expected.put("[connection]zone", "lab");
      assertThat(values(answer.out())).isEqualTo(expected);
      assertThat(expected).hasSizeGreaterThan(15);
    }
    assertThat(read("[connection]\nid=x\ntype=vpn\n[vpn]\naddress=1\n").status())
        .as("a key file without a service")
        .isNotZero();
  }
}
