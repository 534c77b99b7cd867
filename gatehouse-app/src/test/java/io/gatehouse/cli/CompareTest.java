package io.gatehouse.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** {@code gatehouse compare A B}. */
class CompareTest {
  private static final Path HOME = Path.of(System.getProperty("gatehouse.home", ".."));
  private static final Path EXAMPLES = HOME.resolve("examples").toAbsolutePath();

  @TempDir private Path directory;
  private Session session = new Session(Path.of(""), new BareHost(true));

  @BeforeEach
  void somewhere() {
    session = new Session(directory, new BareHost(true));
  }

  /** A file of the table filter with these lines. */
  private String file(String name, String... lines) throws IOException {
    StringBuilder text = new StringBuilder("*filter\n:INPUT DROP\n:FORWARD DROP\n:OUTPUT ACCEPT\n");
    for (String line : lines) {
      text.append(line).append('\n');
    }
    Files.writeString(directory.resolve(name), text + "COMMIT\n");
    return name;
  }

  private JsonNode compared(String a, String b) {
    Session.Answer answer = session.run("compare", "--json", a, b);
    JsonNode json = new JsonMapper().readTree(answer.out());
    String verdict = json.path("verdict").asString();
    assertThat(answer.status()).isEqualTo(verdict.equals("equal") ? 0 : 1);
    return json;
  }

  private String verdict(String a, String b) {
    return compared(a, b).path("verdict").asString();
  }

  @Test
  void whatSaysTheSameInOtherWordsIsEqual() throws IOException {
    String one =
        file(
            "a",
            "-A FORWARD -p tcp --dport 1:100 -j ACCEPT",
            "-A FORWARD -p udp --dport 53 -j ACCEPT",
            "-A INPUT -p icmp -j ACCEPT");
    String other =
        file(
            "b",
            "-A FORWARD -p udp --dport 53 -j ACCEPT",
            "-A FORWARD -p tcp --dport 51:100 -j ACCEPT",
            "-A FORWARD -p tcp --dport 1:50 -j ACCEPT",
            "-A INPUT ! -p icmp -j DROP",
            "-A INPUT -j ACCEPT");

    assertThat(compared(one, other).path("differences").toPrettyString()).isEqualTo("[ ]");
    assertThat(verdict(one, other)).isEqualTo("equal");
  }

  /** A directory with sets of ipset beside these lines of the table filter. */
  private String withSets(String name, String sets, String... lines) throws IOException {
    Files.createDirectory(directory.resolve(name));
    Files.writeString(directory.resolve(name).resolve("ipset-save.txt"), sets);
    file(name + "/iptables-save.txt", lines);
    file(name + "/ip6tables-save.txt");
    return name;
  }

  @Test
  void setsOfIpsetSayWhatRulesForTheirElementsSay() throws IOException {
    String sets =
        """
        create nets hash:net family inet
        add nets 10.9.0.0/16
        add nets 10.9.5.0/24 nomatch
        add nets 10.9.5.8
        create pairs hash:ip,port family inet
        add pairs 192.0.2.7,tcp:80
        add pairs 192.0.2.9,udp:53
        create six hash:net family inet6
        add six 2001:db8::/32
        """;
    // With that no rule sees a fragment, whose ports are open.
    String whole = "-A FORWARD -m conntrack --ctstate INVALID -j DROP";
    String one =
        withSets(
            "a",
            sets,
            whole,
            "-A FORWARD -m set --match-set nets src -j DROP",
            "-A FORWARD -m set --match-set pairs dst,dst -j ACCEPT",
            "-A FORWARD -m set --match-set six src -j ACCEPT",
            "-A INPUT -m set ! --match-set nets src -j ACCEPT");
    String other =
        withSets(
            "b",
            "",
            whole,
            "-A FORWARD -s 10.9.5.8 -j DROP",
            "-A FORWARD -s 10.9.5.0/24 -d 192.0.2.7 -p tcp --dport 80 -j ACCEPT",
            "-A FORWARD -s 10.9.5.0/24 -d 192.0.2.9 -p udp --dport 53 -j ACCEPT",
            "-A FORWARD -s 10.9.0.0/16 -j DROP",
            "-A FORWARD -d 192.0.2.7 -p tcp --dport 80 -j ACCEPT",
            "-A FORWARD -d 192.0.2.9 -p udp --dport 53 -j ACCEPT",
            "-A INPUT -s 10.9.5.8 -j DROP",
            "-A INPUT -s 10.9.5.0/24 -j ACCEPT",
            "-A INPUT ! -s 10.9.0.0/16 -j ACCEPT");

    assertThat(compared(one, other).path("differences").toPrettyString()).isEqualTo("[ ]");
    assertThat(verdict(one, other)).isEqualTo("equal");
    String wider = withSets("c", sets.replace("tcp:80", "tcp:81"), lines("a"));
    assertThat(verdict(one, wider)).isEqualTo("different");
    // Whatever a set holds that packets are put into, or one that is not there.
    String learns = "-A FORWARD -p icmp -j SET --add-set nets src";
    assertThat(verdict(withSets("d", sets, with(learns, lines("a"))), one)).isNotEqualTo("equal");
    assertThat(verdict(withSets("e", "", lines("a")), one)).isEqualTo("unknown");
  }

  private static String[] with(String first, String... others) {
    return Stream.concat(Stream.of(first), Stream.of(others)).toArray(String[]::new);
  }

  private String[] lines(String name) throws IOException {
    return Files.readString(directory.resolve(name).resolve("iptables-save.txt"))
        .lines()
        .filter(line -> line.startsWith("-A"))
        .toArray(String[]::new);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "-A FORWARD -p tcp -m limit --limit 3/min -j ACCEPT",
        "-A FORWARD -m physdev --physdev-in eth3 -j ACCEPT",
        "-A FORWARD -m statistic --mode random --probability 0.5 -j ACCEPT",
        "-A FORWARD -p tcp -j TARPIT",
      })
  void aRulesetIsEqualToItselfWhateverStandsInIt(String line) throws IOException {
    String one = file("a", line, "-A INPUT -p tcp --dport 22 -j ACCEPT");
    String moved = file("b", "-A FORWARD -s 192.0.2.1 -j DROP", line, "-A INPUT -p tcp -j ACCEPT");

    assertThat(verdict(one, one)).isEqualTo("equal");
    JsonNode json = compared(one, moved);
    assertThat(json.path("verdict").asString()).isEqualTo("different");
    // What the line itself lets through is no difference: it stands on both sides.
    assertThat(json.path("differences").findValuesAsString("kind"))
        .filteredOn(kind -> kind.equals("second-alone"))
        .hasSize(1);
  }

  @Test
  void eachDirectionOfMoreHasItsWitness() throws IOException {
    String one = file("a", "-A FORWARD -p tcp --dport 80 -j ACCEPT", "-A INPUT -p esp -j ACCEPT");
    String other = file("b", "-A FORWARD -p tcp --dport 443 -j ACCEPT", "-A INPUT -p ah -j DROP");

    JsonNode json = compared(one, other);
    assertThat(json.path("verdict").asString()).isEqualTo("different");
    assertThat(json.path("differences").findValuesAsString("packet"))
        .anyMatch(packet -> packet.matches("tcp .*:80 .*"))
        .anyMatch(packet -> packet.matches("tcp .*:443 .*"))
        .anyMatch(packet -> packet.startsWith("esp "))
        .hasSize(3);
  }

  @ParameterizedTest
  @CsvSource({
    "-A FORWARD -m physdev --physdev-in eth3 -j ACCEPT, -A INPUT -j DROP",
    "-A FORWARD -m recent --set, -A INPUT -j DROP",
    "-A FORWARD -j SOMETHING_ELSE, -A INPUT -j DROP",
  })
  void whatRestsOnOneSideOnWhatIsNotUnderstoodIsNeverEqual(String line, String other)
      throws IOException {
    assertThat(verdict(file("a", line), file("b", other))).isEqualTo("unknown");
    assertThat(verdict(file("a", other), file("b", line))).isEqualTo("unknown");
  }

  /** Everything is forwarded; what is translated differs. */
  private String translating(String name, String... lines) throws IOException {
    Files.writeString(
        directory.resolve(name),
        "*nat\n:PREROUTING ACCEPT\n:POSTROUTING ACCEPT\n"
            + String.join("\n", lines)
            + "\nCOMMIT\n*filter\n:INPUT ACCEPT\n:FORWARD ACCEPT\n:OUTPUT ACCEPT\nCOMMIT\n");
    return name;
  }

  @ParameterizedTest
  @CsvSource({
    "-A PREROUTING -p tcp --dport 443 -j DNAT --to-destination 10.0.1.9,"
        + " -A PREROUTING -p tcp --dport 443 -j DNAT --to-destination 10.0.1.8",
    "-A PREROUTING -p tcp --dport 443 -j DNAT --to-destination 10.0.1.9:443,"
        + " -A PREROUTING -p tcp --dport 443 -j DNAT --to-destination 10.0.1.9:444",
    "-A POSTROUTING -s 10.0.1.0/24 -j SNAT --to-source 203.0.113.2,"
        + " -A POSTROUTING -s 10.0.1.0/24 -j SNAT --to-source 203.0.113.3",
    "-A PREROUTING -p tcp --dport 80 -j REDIRECT --to-ports 3128,"
        + " -A PREROUTING -p tcp --dport 80 -j REDIRECT --to-ports 3129",
  })
  void anotherTargetOfATranslationIsADifference(String line, String other) throws IOException {
    String a = translating("a", line);
    String b = translating("b", other);

    JsonNode json = compared(a, b);
    assertThat(json.path("verdict").asString()).isEqualTo("different");
    assertThat(json.path("differences").findValuesAsString("kind")).contains("other-address");
    assertThat(verdict(a, a)).isEqualTo("equal");
    if (line.contains("NAT --to")) {
      // The same in other words; what REDIRECT does where a device has no address is open.
      String words = translating("c", line + " -m comment --comment x");
      assertThat(verdict(a, words)).isEqualTo("equal");
    }
  }

  @Test
  void anotherTunnelForTheSamePacketsIsADifference() throws IOException {
    for (String[] gateway :
        new String[][] {
          {"a", "10.20.0.0/16", "10.30.0.0/16"}, {"b", "10.30.0.0/16", "10.20.0.0/16"}
        }) {
      Files.writeString(
          directory.resolve(gateway[0] + ".yaml"),
          """
          version: 1
          gateway: g
          interfaces:
            wan: { device: eth0, role: outside, addresses: 203.0.113.2/24, gateway: 203.0.113.1 }
            lan: { device: eth1, role: inside, addresses: 10.0.1.1/24 }
          networks:
            office: { on: lan, prefixes: 10.0.1.0/24 }
          tunnels:
            north: { type: site-to-site, peer: 198.51.100.7, local: [office], remote: [%s] }
            south: { type: site-to-site, peer: 198.51.100.8, local: [office], remote: [%s] }
          """
              .formatted(gateway[1], gateway[2]));
    }

    assertThat(compared("a.yaml", "b.yaml").path("differences").findValuesAsString("kind"))
        .contains("other-tunnel");
  }

  @Test
  void aBrokenFileIsNeverEqual() throws IOException {
    Files.writeString(directory.resolve("cut"), "*filter\n:INPUT DROP\n:FORWARD DROP\n-A FOR");
    String whole = file("a");

    assertThat(verdict("cut", whole)).isNotEqualTo("equal");
    assertThat(session.run("compare", "absent", whole).status()).isEqualTo(ExitStatus.NO);
    assertThat(session.run("compare", whole).status()).isEqualTo(ExitStatus.USAGE);
  }

  @Test
  void filesOfDifferentFamiliesHaveNothingToCompare() throws IOException {
    Files.writeString(
        directory.resolve("six"), "# Generated by ip6tables-save v1.8.9\n*filter\nCOMMIT\n");

    Session.Answer answer = session.run("compare", file("four"), "six");
    assertThat(answer.status()).isEqualTo(ExitStatus.NO);
    assertThat(answer.err()).contains("IPv6");
  }

  @Test
  void aLineThatIsGoneIsNamedOnASnapshot() throws IOException {
    Map<String, String> files = Somebodys.files();
    Somebodys.write(files, directory.resolve("before"));
    files.compute(
        "iptables-save.txt",
        (name, text) ->
            text.replace("-A POSTROUTING -o eth0 -m policy --dir out --pol ipsec -j ACCEPT\n", ""));
    files.compute(
        "iptables-save.txt",
        (name, text) ->
            text.replace("-o eth0 -j MASQ", "-o eth0 -j SNAT --to-source 203.0.113.1\n#"));
    Somebodys.write(files, directory.resolve("after"));
    Session.Answer answer = session.run("compare", "before", "after");

    assertThat(answer.out().lines()).allMatch(line -> line.length() <= 80);
    assertThat(answer.out()).contains("in clear by B, protected by A");
    Golden.same("compare-snapshots", answer.text("compare", "before", "after"));
    assertThat(session.run("compare", "before", "before").text("compare before before"))
        .contains("✓ equal", "exit status 0");
  }

  @Test
  void largeDifferencesAreCountedAndNotListed() throws IOException {
    String[] lines = new String[100];
    for (int i = 0; i < lines.length; i++) {
      lines[i] = "-A FORWARD -p tcp --dport " + (1000 + i) + " -j ACCEPT";
    }
    JsonNode json = compared(file("a", lines), file("b"));

    assertThat(json.path("differences")).hasSize(8);
    assertThat(json.path("more").asInt()).isEqualTo(92);
  }

  /** The rules of the router in the document that asked for exact ones, and ours for it. */
  @Test
  void ourRulesForTheHomeRouterDifferAsTheDocumentSays() throws IOException {
    Session examples = new Session(EXAMPLES.resolve("iptables"), new BareHost(true));
    String[] args = {"compare", "home-router.rules", "home-router.yaml"};
    Session.Answer answer = examples.run(args);

    assertThat(answer.out().lines()).allMatch(line -> line.length() <= 80);
    Golden.same("compare-home-router", answer.text(args));
  }

  @ParameterizedTest
  @ValueSource(strings = {"office.yaml", "ipv6.yaml", "l2tp.yaml", "two-uplinks.yaml"})
  void aDescriptionIsEqualToItself(String file) {
    Session examples = new Session(EXAMPLES, new BareHost(true));
    Session.Answer answer = examples.run("compare", file, file);

    assertThat(List.of(answer.out().split("\n", -1))).anyMatch(line -> line.startsWith("✓ equal"));
  }
}
