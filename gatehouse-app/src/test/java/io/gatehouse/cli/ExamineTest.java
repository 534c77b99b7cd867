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
import org.junit.jupiter.params.provider.CsvSource;
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

  private void add(String file, String text) throws IOException {
    Path path = directory.resolve("gw").resolve(file);
    Files.writeString(path, Files.readString(path) + text);
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

  /** What keeps VPN hosts behind this one apart, or gone by, is not blamed. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          ike-masqueraded     | conntrack.txt | dst=203.0.113.1 sport=500 dport=500 | dst=203.0.113.1 sport=500 dport=10007
          ike-masqueraded     | conntrack.txt | mark=0                              | mark=0 zone=32768
          ike-masqueraded     | conntrack.txt | src=10.0.1.20                       | src=203.0.113.1
          ike-masqueraded     | conntrack.txt | 198.51.100.7                        | 198.51.100.8
          esp-forgotten       | sysctl.txt    | timeout = 600                       | timeout = 3900
          esp-forgotten       | conntrack.txt | unknown  50                         | unknown  51
          pptp-without-helper | conntrack.txt | mark=0                              | mark=0 helper=pptp
          pptp-without-helper | conntrack.txt | src=10.0.1.21                       | src=10.0.1.20
          pptp-without-helper | conntrack.txt | ESTABLISHED src=10.0.1.21           | TIME_WAIT src=10.0.1.21
          pptp-without-helper | iptables-save.txt | *mangle | *raw;-A PREROUTING -p tcp --dport 1723 -j CT --helper pptp;COMMIT;*mangle
          pptp-without-helper | sysctl.txt    | net/ipv4/ip_forward = 1 | net/ipv4/ip_forward = 1;net/netfilter/nf_conntrack_helper = 1
          """)
  void whatIsKeptApartIsNoFinding(String gateway, String file, String words, String others)
      throws IOException {
    lay(gateway);
    assertThat(kinds(doctor("--json", "gw"))).containsExactly(gateway);
    Path changed = directory.resolve("gw").resolve(file);
    String text = Files.readString(changed);
    assertThat(text).contains(words);
    Files.writeString(changed, text.replace(words, others.replace(';', '\n')));

    assertThat(kinds(doctor("--json", "gw"))).isEmpty();
  }

  /** ESP that a host inside took over is worse than its IKE: all of the tunnel goes there. */
  @Test
  void espOfThisHostsOwnPeerIsMissedToo() throws IOException {
    lay("ike-masqueraded");
    Files.writeString(
        directory.resolve("gw/conntrack.txt"),
        "unknown  50 412 src=10.0.1.20 dst=198.51.100.7 src=198.51.100.7 dst=203.0.113.1 use=1\n");

    Session.Answer answer = doctor("gw");
    assertThat(answer.out())
        .contains("ESP of 198.51.100.7, with which this host has a tunnel, goes to 10.0.1.20");
    Path state = directory.resolve("gw/xfrm-state.txt");
    Files.writeString(
        state,
        Files.readString(state)
            .replace(
                "flag af-unspec", "flag af-unspec\n\tencap type espinudp sport 4500 dport 4500"));
    assertThat(kinds(doctor("--json", "gw"))).isEmpty();
  }

  /** The families' rules are apart: what NAT does to IPv4 accounts for nothing of IPv6. */
  @Test
  void whatNatEatsOfOneFamilyHidesNothingOfTheOther() throws IOException {
    lay("nat-eats-tunnel");
    add(
        "xfrm-policy.txt",
        """
        src 2001:db8:1::/64 dst 2001:db8:3::5/128
        \tdir out priority 371327 ptype main
        \ttmpl src 203.0.113.1 dst 198.51.100.7
        \t\tproto esp reqid 1 mode tunnel
        src 2001:db8:3::5/128 dst 2001:db8:1::/64
        \tdir fwd priority 371327 ptype main
        \ttmpl src 198.51.100.7 dst 203.0.113.1
        \t\tproto esp reqid 1 mode tunnel
        """);
    add("ip6tables-save.txt", "*filter\n:FORWARD DROP [0:0]\n");
    add("ip6tables-save.txt", "-A FORWARD -m policy --dir in --pol ipsec -j ACCEPT\nCOMMIT\n");
    add("sysctl.txt", "net/ipv6/conf/all/forwarding = 1\n");
    Files.writeString(
        directory.resolve("gw/ip-route-6.json"),
        """
        [{"dst": "default", "dev": "eth0"}, {"dst": "2001:db8:1::/64", "dev": "eth1"}]
        """);
    add(
        "conntrack.txt",
        """
        udp      17 9 src=2001:db8:1::20 dst=2001:db8:3::5 sport=9 dport=53 src=2001:db8:3::5 dst=2001:db8::1 sport=53 dport=9
        udp      17 9 src=10.0.1.20 dst=10.0.3.5 sport=9 dport=53 src=10.0.3.5 dst=203.0.113.1 sport=53 dport=9
        """);

    Session.Answer answer = doctor("--json", "gw");
    assertThat(kinds(answer)).contains("nat-eats-tunnel", "replies-dropped", "stale-connection");
    assertThat(answer.out()).contains("udp 2001:db8:1::20:9").doesNotContain("udp 10.0.1.20:9");
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
