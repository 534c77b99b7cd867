package io.gatehouse.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** {@code gatehouse trace} on a snapshot, on a file of rules, and on the host itself. */
class TraceStandingTest {
  @TempDir private Path directory;
  private Session session = new Session(Path.of(""), new BareHost(true));

  @BeforeEach
  void somebodysGateway() throws IOException {
    Somebodys.write(Somebodys.files(), directory.resolve("gw"));
    Files.writeString(directory.resolve("fw.save"), Somebodys.RULES);
    session = new Session(directory, new BareHost(true));
  }

  @ParameterizedTest
  @CsvSource({
    "from-tunnel, gw, tcp 10.0.3.5 -> 10.0.1.20:445 in reqid 1",
    "into-tunnel, gw, tcp 10.0.1.20 -> 10.0.3.5:443",
    "internet, gw, udp 10.0.1.20 -> 192.0.2.77:53",
    "spoofed, gw, tcp 10.0.3.5 -> 10.0.1.20:445",
    "to-host, gw, tcp 192.0.2.9 -> 203.0.113.1:22",
    "own, gw, tcp 203.0.113.1 -> 192.0.2.77:443",
    "file, fw.save, udp 10.0.1.20 -> 192.0.2.77:53 from eth1",
    "file-unknown-way, fw.save, udp 10.0.1.20 -> 192.0.2.77:53",
    "no-tunnel, gw, tcp 10.0.3.5 -> 10.0.1.20:445 in reqid 2",
    "no-device, gw, tcp 10.0.3.5 -> 10.0.1.20:445 from eth7",
  })
  void followsAPacketByTheRulesOwnText(String name, String on, String words) throws IOException {
    Session.Answer answer = session.run("trace", words, "--on", on);

    assertThat(answer.out().lines()).allMatch(line -> line.length() <= 80);
    Golden.same("trace-on-" + name, answer.text("trace", '"' + words + '"', "--on", on));
  }

  @Test
  void whatIsNotUnderstoodIsSaidToBeOpen() throws IOException {
    Map<String, String> files = Somebodys.files();
    files.compute(
        "iptables-save.txt",
        (name, text) ->
            text.replace("-A FORWARD -i eth1 -s 10.0.1.0/24", "-A FORWARD -i eth1 -m physdev"));
    Somebodys.write(files, directory.resolve("gw"));

    Session.Answer answer = session.run("trace", "udp 10.0.1.20 -> 192.0.2.77:53", "--on", "gw");

    assertThat(answer.status()).isEqualTo(ExitStatus.NO);
    assertThat(answer.out()).contains("it may also stop", "physdev");
  }

  @Test
  void answersInJson() {
    JsonNode answer =
        new JsonMapper()
            .readTree(
                session
                    .run("trace", "--json", "tcp 10.0.1.20 -> 10.0.3.5:443", "--on", "gw")
                    .out());

    assertThat(answer.path("fine").asBoolean()).isTrue();
    assertThat(answer.path("path").toString()).contains("-A FORWARD -i eth1 -s 10.0.1.0/24");
    assertThat(answer.path("path").toString()).contains("iptables-save.txt:19");
  }

  @Test
  void thisHostIsReadAsASnapshotReadsIt() {
    Map<String, String> host = new HashMap<>();
    host.put("nft -j list ruleset", "{\"nftables\": []}");
    host.put("iptables-save", Somebodys.RULES);
    host.put("ip -j addr show", Somebodys.files().get("ip-addr.json"));
    host.put("ip -N -j -4 route show table all", Somebodys.files().get("ip-route.json"));
    host.put("/proc/sys/net/ipv4/ip_forward", "1");
    Session live = new Session(directory, new Saying(host));

    Session.Answer answer = live.run("trace", "udp 10.0.1.20 -> 192.0.2.77:53", "--on", "live");

    assertThat(answer.out()).contains("MASQUERADE", "eth0 out", "as 203.0.113.1:");
    Session.Answer lacking =
        new Session(directory, new Saying(Map.of()))
            .run("trace", "udp 10.0.1.20 -> 192.0.2.77:53", "--on", "live");
    assertThat(lacking.status()).isEqualTo(ExitStatus.LACKING);
    assertThat(lacking.err()).contains("cannot be read", "nft: not found");
  }

  @Test
  void whatIsNoGatewayIsRefused() throws IOException {
    Files.createDirectory(directory.resolve("empty"));
    Files.createDirectory(directory.resolve("other"));
    Files.writeString(directory.resolve("other/letter.txt"), "Dear all,\n");
    Files.write(directory.resolve("binary"), new byte[] {0x7f, 'E', 'L', 'F', 0, 1});
    Files.writeString(directory.resolve("cut.save"), "*filter\n:FORWARD ACCEPT [0:0]\n-A FORW");
    StringBuilder text = new StringBuilder();
    for (String on : List.of("empty", "other", "binary", "absent", "cut.save", "a\0b")) {
      Session.Answer answer = session.run("trace", "udp 10.0.1.20 -> 192.0.2.77:53", "--on", on);
      assertThat(answer.status()).as(on).isEqualTo(ExitStatus.NO);
      assertThat(answer.out() + answer.err()).doesNotContain("Exception", "✓ arrives. ");
      text.append(answer.text("trace", "…", "--on", on.replace("\0", "NUL")));
    }

    Golden.same("trace-on-no-gateway", text.toString());
  }
}
