package io.gatehouse.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatehouse.doctor.Kind;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * {@code gatehouse doctor}: for each finding the files of a gateway that has it, laid over those of
 * a healthy one.
 */
class ExamineTest {
  private static final Path HOME = Path.of(System.getProperty("gatehouse.home", ".."));
  private static final Path GATEWAYS =
      HOME.resolve("gatehouse-app/src/test/resources/io/gatehouse/doctor");

  @TempDir private Path directory;

  private void lay(String gateway) throws IOException {
    Files.createDirectories(directory.resolve("gw"));
    for (String layer : List.of("healthy", gateway)) {
      try (Stream<Path> files = Files.list(GATEWAYS.resolve(layer))) {
        for (Path file : files.toList()) {
          Files.writeString(
              directory.resolve("gw").resolve(file.getFileName()), Files.readString(file));
        }
      }
    }
  }

  private Session.Answer doctor(String... args) {
    return new Session(directory, new BareHost(true))
        .run(Stream.concat(Stream.of("doctor"), Stream.of(args)).toArray(String[]::new));
  }

  private static List<String> kinds(Session.Answer answer) {
    JsonNode json = new JsonMapper().readTree(answer.out());
    return json.path("findings").findValuesAsString("finding");
  }

  @Test
  void nothingIsRaisedOnAHealthyGateway() throws IOException {
    lay("healthy");

    assertThat(kinds(doctor("--json", "gw"))).isEmpty();
    Golden.same("doctor-healthy", doctor("gw").text("doctor", "gw"));
    assertThat(doctor("gw").status()).isEqualTo(ExitStatus.FINE);
  }

  @ParameterizedTest
  @EnumSource(Kind.class)
  void eachFindingHasAGatewayThatShowsItAndItAlone(Kind kind) throws IOException {
    lay(kind.word());

    assertThat(kinds(doctor("--json", "gw"))).containsOnly(kind.word());
    Session.Answer answer = doctor("gw");
    assertThat(answer.out().lines())
        .allMatch(line -> line.length() <= 80 || line.startsWith("  # "));
    Golden.same("doctor-" + kind.word(), answer.text("doctor", "gw"));
    JsonNode json = new JsonMapper().readTree(doctor("--json", "gw").out());
    boolean error = json.path("findings").findValuesAsString("severity").contains("error");
    assertThat(answer.status()).isEqualTo(error ? ExitStatus.NO : ExitStatus.FINE);
    assertThat(json.path("findings").findValues("evidence")).allMatch(e -> !e.isEmpty());
    assertThat(json.path("findings").findValues("remedy")).allMatch(r -> !r.isEmpty());
  }

  @Test
  void rulesWithoutAHostAreExaminedWithASupposedTunnel() throws IOException {
    Files.writeString(
        directory.resolve("fw.save"),
        """
        *nat
        :PREROUTING ACCEPT [0:0]
        :POSTROUTING ACCEPT [0:0]
        -A POSTROUTING -o eth0 -j MASQUERADE
        COMMIT
        """);

    assertThat(kinds(doctor("--json", "fw.save"))).isEmpty();
    assertThat(doctor("fw.save").out()).contains("no IPsec policy stands");
    assertThat(kinds(doctor("--json", "fw.save", "--tunnel", "10.0.1.0/24=10.0.3.0/24")))
        .contains("spoofed-source", "clear-when-down");
  }

  @Test
  void poolsOfSwanctlAreTunnelsThoughNobodyIsConnected() throws IOException {
    lay("healthy");
    Path configuration = directory.resolve("gw/swanctl.conf");
    Files.writeString(
        configuration,
        Files.readString(configuration)
                .replace("dpd_delay", "pools = visitors\n    dpd_delay")
                .replace("remote_ts = 10.0.3.5/32\n", "\n")
            + "pools {\n  visitors {\n    addrs = 10.0.8.0/24\n  }\n}\n");
    Files.writeString(directory.resolve("gw/xfrm-policy.txt"), "");

    Session.Answer answer = doctor("gw");
    assertThat(answer.out())
        .contains(
            "while the tunnel to 10.0.8.0/24 is down, its packets leave in clear",
            "10.0.8.0/24 dir out action block");
  }

  @Test
  void aConnectedClientKeepsItsPoliciesBesideItsPool() throws IOException {
    lay("healthy");
    Path configuration = directory.resolve("gw/swanctl.conf");
    Files.writeString(
        configuration,
        Files.readString(configuration)
                .replace("dpd_delay", "pools = visitors\n    dpd_delay")
                .replace("remote_ts = 10.0.3.5/32\n", "\n")
            + "pools {\n  visitors {\n    addrs = 10.0.3.0/24\n  }\n}\n");

    assertThat(doctor("gw").out()).doesNotContain("decrypted and vanish");
  }

  @Test
  void countersCountWhatTheyRose() throws IOException {
    lay("template-mismatch");
    Files.createDirectories(directory.resolve("before"));
    Path counters = directory.resolve("gw/xfrm_stat.txt");
    Files.copy(counters, directory.resolve("before/xfrm_stat.txt"));

    assertThat(kinds(doctor("--json", "gw", "--since", "before"))).isEmpty();
    Files.writeString(counters, Files.readString(counters).replace("12", "14"));
    Session.Answer answer = doctor("--json", "gw", "--since", "before");
    assertThat(kinds(answer)).containsExactly("template-mismatch");
    assertThat(answer.out()).contains("2 more than before", "certain");
  }

  @Test
  void whatIsNotUnderstoodMakesNoFindingAndIsSaid() throws IOException {
    lay("nat-eats-tunnel");
    Path rules = directory.resolve("gw/iptables-save.txt");
    Files.writeString(
        rules,
        Files.readString(rules)
            .replace("-s 10.0.1.0/24 -o eth0 -j MASQ", "-m physdev --physdev-in x -j MASQ"));

    Session.Answer answer = doctor("gw");
    assertThat(answer.out()).contains("not judged", "that we do not understand");
    assertThat(kinds(doctor("--json", "gw"))).isEmpty();
  }

  @Test
  void badInputIsRefused() throws IOException {
    Files.createDirectory(directory.resolve("empty"));
    Files.write(directory.resolve("binary"), new byte[] {0x7f, 'E', 'L', 'F', 0, 1});
    StringBuilder text = new StringBuilder();
    for (String name : List.of("empty", "absent", "binary")) {
      Session.Answer answer = doctor(name);
      assertThat(answer.status()).isEqualTo(ExitStatus.NO);
      text.append(answer.text("doctor", name));
    }
    for (String wrong : List.of("10.0.1.0/24", "10.0.1.0/24=2001:db8::/64", "=")) {
      Session.Answer answer = doctor("empty", "--tunnel", wrong);
      assertThat(answer.status()).isEqualTo(ExitStatus.USAGE);
      text.append(answer.text("doctor", "empty", "--tunnel", wrong));
    }
    Golden.same("doctor-refused", text.toString());
  }

  @Test
  void everyFileMayBeBroken() throws IOException {
    lay("healthy");
    try (Stream<Path> files = Files.list(directory.resolve("gw"))) {
      for (Path file : files.toList()) {
        String whole = Files.readString(file);
        Files.writeString(file, whole.substring(0, whole.length() / 2) + "\0{[\"");
        Session.Answer answer = doctor("gw");
        assertThat(answer.err()).as("%s", file).isEmpty();
        Files.writeString(file, whole);
      }
    }
  }

  @Test
  void thisHostIsWhatIsMeantWhereNothingIsSaid() {
    Map<String, String> words = new HashMap<>();
    words.put("nft -j list ruleset", "{\"nftables\": []}");
    words.put(
        "/etc/swanctl/swanctl.conf",
        """
        connections {
          rw {
            dpd_delay = 0
          }
        }
        secrets {
          ike { secret = "abracadabra" }
        }
        """);
    words.put(
        "ip xfrm state list",
        """
        src 203.0.113.1 dst 198.51.100.7
        \tproto esp spi 0xc0ffee01 reqid 1 mode tunnel
        \taead rfc4106(gcm(aes)) 0x0011223344556677 128
        \tencap type espinudp sport 4500 dport 4500 addr 0.0.0.0
        src 198.51.100.7 dst 203.0.113.1
        \tproto esp spi 0xc0ffee02 reqid 9 mode tunnel
        """);
    Session session = new Session(directory, new Saying(words));

    assertThat(kinds(session.run("doctor", "--json", "--watch", "0"))).containsExactly("dpd-off");
    Session.Answer lacking =
        new Session(directory, new Saying(Map.of())).run("doctor", "live", "--watch", "0");
    assertThat(lacking.status()).isEqualTo(ExitStatus.LACKING);
    session.run("snapshot", "made");
    assertThat(directory.resolve("made/swanctl.conf")).content().doesNotContain("abracadabra");
  }
}
