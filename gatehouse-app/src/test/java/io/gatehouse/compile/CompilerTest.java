package io.gatehouse.compile;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatehouse.model.Family;
import io.gatehouse.model.Gateway;
import io.gatehouse.model.Host;
import io.gatehouse.model.Interface;
import io.gatehouse.model.Interface.Role;
import io.gatehouse.model.Located;
import io.gatehouse.model.Network;
import io.gatehouse.model.Origin;
import io.gatehouse.model.Prefix;
import io.gatehouse.model.Tunnel;
import io.gatehouse.ruleset.Chain;
import io.gatehouse.ruleset.Expression;
import io.gatehouse.ruleset.Expression.Net;
import io.gatehouse.ruleset.NftSet;
import io.gatehouse.ruleset.NftText;
import io.gatehouse.ruleset.Rule;
import io.gatehouse.ruleset.Ruleset;
import io.gatehouse.ruleset.Statement;
import io.gatehouse.ruleset.Statement.Verdict;
import io.gatehouse.ruleset.Table;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class CompilerTest {

  private static Ruleset compile(Describe description) {
    return Compiler.compile(description.gateway()).ruleset();
  }

  private static Table table(Describe description) {
    return compile(description).tables().getFirst();
  }

  private static List<String> chain(Table table, String name) {
    return table.chains().stream()
        .filter(chain -> chain.name().equals(name))
        .flatMap(chain -> chain.rules().stream())
        .map(rule ->
            rule.statements().stream()
                .map(NftText::statement)
                .reduce((a, b) -> a + " " + b)
                .orElse(""))
        .toList();
  }

  /** Descriptions that between them use everything. */
  private static Stream<Describe> all() {
    Describe closed = Describe.office();
    closed.outputClosed = true;
    closed.forward = Host.Forward.ALL;
    closed.ping = Host.Ping.ANYBODY;
    closed.outgoing = Describe.services("udp/53");
    closed.dropLog =
        Optional.of(
            new Host.DropLog(
                10, 5, Optional.of(Instant.parse("2030-01-01T00:00:00Z")), closed.here("log")));
    return Stream.of(Describe.office(), closed, branches(3));
  }

  private static Describe branches(int count) {
    Describe d = new Describe();
    Interface wan = d.device("wan", "eth0", List.of("203.0.113.1/24"), Role.OUTSIDE);
    Interface lan = d.device("lan", "eth1", List.of("10.0.1.1/24"), Role.INSIDE);
    Network office = d.network("office", lan, "10.0.1.0/24", "2001:db8:1::/64");
    for (int i = 0; i < count; i++) {
      d.siteToSite(
          "branch" + i,
          wan,
          "198.51." + i / 250 + "." + (i % 250 + 1) + "/32",
          List.of(office),
          "10." + (20 + i / 256) + "." + i % 256 + ".0/24",
          "2001:db8:1" + String.format("%03x", i) + "::/48");
    }
    return d;
  }

  @Test
  void theSameDescriptionGivesTheSameValue() {
    Compiled once = Compiler.compile(Describe.office().gateway());
    Compiled again = Compiler.compile(Describe.office().gateway());

    assertThat(again).isEqualTo(once);
    assertThat(NftText.of(again.ruleset().tables().getFirst()))
        .isEqualTo(NftText.of(once.ruleset().tables().getFirst()));
  }

  @Test
  void everyRuleCountsAndSaysWhyAndWhere() {
    all()
        .flatMap(d -> table(d).chains().stream())
        .flatMap(chain -> chain.rules().stream())
        .forEach(rule -> {
          assertThat(rule.statements()).as("%s", rule).contains(new Statement.Counter());
          assertThat(rule.why()).isNotBlank();
          assertThat(rule.origin().line() > 0 || rule.origin().isBuiltIn()).isTrue();
        });
  }

  @Test
  void rulesDependOnClassesNotOnTunnels() {
    Ruleset ten = compile(branches(10));
    Ruleset thousand = compile(branches(1000));

    assertThat(thousand.ruleCount()).isEqualTo(ten.ruleCount());
    assertThat(thousand.tables().getFirst().sets()).hasSameSizeAs(ten.tables().getFirst().sets());
    assertThat(thousand.backstop()).hasSizeLessThan(6 * 20);
  }

  @Test
  void noSetIsEmptyButLiveOnes() {
    all()
        .flatMap(d -> table(d).sets().stream())
        .forEach(set ->
            assertThat(set.elements().isEmpty()).as("%s", set.name()).isEqualTo(set.isLive()));
  }

  @Test
  void everyNameThatARuleUsesIsThere() {
    all()
        .map(CompilerTest::table)
        .forEach(table -> {
          String text = NftText.of(table);
          List<String> sets = table.sets().stream().map(NftSet::name).toList();
          List<String> chains = table.chains().stream().map(Chain::name).toList();
          assertThat(sets).doesNotHaveDuplicates();
          assertThat(chains).doesNotHaveDuplicates();
          assertThat(found("@([\\w.-]+)", text)).allMatch(sets::contains);
          assertThat(found("(?:goto|jump) ([\\w.-]+)", text)).allMatch(chains::contains);
        });
  }

  private static List<String> found(String pattern, String text) {
    return Pattern.compile(pattern).matcher(text).results().map(match -> match.group(1)).toList();
  }

  @Test
  void whatIsWrongIsDroppedBeforeAnyConnectionCounts() {
    for (String name : List.of("input", "forward")) {
      List<String> rules = chain(table(Describe.office()), name);
      int established = indexOf(rules, "ct state established");

      assertThat(indexOf(rules, "ip saddr @far4 meta ipsec missing")).isLessThan(established);
      assertThat(indexOf(rules, "ip6 saddr @far6 meta ipsec missing")).isLessThan(established);
      assertThat(rules.subList(0, established))
          .noneMatch(rule -> rule.endsWith("accept") && !rule.contains("\"lo\""));
    }
    List<String> forward = chain(table(Describe.office()), "forward");
    assertThat(indexOf(forward, "ip daddr @far4 rt ipsec missing"))
        .isLessThan(indexOf(forward, "ct state established"));
    List<String> input = chain(table(Describe.office()), "input");
    assertThat(indexOf(input, "meta ipsec missing udp dport 1701"))
        .isLessThan(indexOf(input, "ct state established"));
  }

  private static int indexOf(List<String> rules, String start) {
    int index =
        IntStream.range(0, rules.size())
            .filter(i -> rules.get(i).startsWith(start))
            .findFirst()
            .orElse(-1);
    assertThat(index).as("%s in %s", start, rules).isNotNegative();
    return index;
  }

  @Test
  void everyClassEndsInADrop() {
    all()
        .flatMap(d -> table(d).chains().stream())
        .filter(chain -> chain.name().matches("(in|from|to)_.*"))
        .forEach(chain -> {
          Rule last = chain.rules().getLast();
          assertThat(last.statements()).as(chain.name()).hasSize(2);
          assertThat(last.statements().getLast())
              .isIn(new Verdict.Drop(), new Verdict.Goto("drop.tunnel"));
        });
  }

  @Test
  void clientOfNoKnownGroupReachesOnlyWhatAllGroupsReach() {
    assertThat(chain(table(Describe.office()), "from_staff"))
        .containsExactly(
            "counter ip saddr vmap @from_staff.groups4",
            "counter ip6 saddr vmap @from_staff.groups6",
            "oifname \"eth1\" ip daddr @net_office4 tcp dport 445 counter accept",
            "oifname \"eth1\" ip6 daddr @net_office6 tcp dport 445 counter accept",
            "counter drop");
    assertThat(chain(table(Describe.office()), "in_staff"))
        .contains("udp dport 53 counter accept")
        .noneMatch(rule -> rule.contains("tcp"));
  }

  @Test
  void liveMapHoldsOnlyTheTunnelsOwnPoolAndGroups() {
    NftSet map =
        table(Describe.office()).sets().stream()
            .filter(set -> set.name().equals("from_staff.groups4"))
            .findFirst()
            .orElseThrow();

    assertThat(map.contract())
        .contains(
            new NftSet.Contract(
                List.of(new Net(Prefix.of("10.0.3.0/24"))),
                List.of(new Verdict.Goto("from_staff.finance")),
                List.of()));
  }

  @Test
  void internetIsNeverANetworkOrAFarEndOfOurs() {
    assertThat(chain(table(Describe.office()), "from_roaming"))
        .contains("oifname @outside ip daddr != @ours4 counter accept");
    assertThat(set(table(Describe.office()), "ours4"))
        .containsExactly("10.0.1.0/24", "10.0.3.0/24", "10.0.4.0/24", "10.20.0.0/16");
  }

  private static List<String> set(Table table, String name) {
    return table.sets().stream()
        .filter(set -> set.name().equals(name))
        .flatMap(set -> set.elements().stream())
        .map(NftSet.Element::key)
        .map(key ->
            switch (key) {
              case Net net -> net.prefix().toString();
              case Expression.Addr addr -> addr.address().toString();
              case Expression.Text text -> text.text();
              default -> key.toString();
            })
        .toList();
  }

  @Test
  void lanInsideARemoteNetworkIsNotBehindTheTunnel() {
    Describe d = new Describe();
    Interface wan = d.device("wan", "eth0", List.of("203.0.113.1/24"), Role.OUTSIDE);
    Interface lan = d.device("lan", "eth1", List.of("10.0.1.1/24"), Role.INSIDE);
    Network office = d.network("office", lan, "10.0.1.0/24");
    d.siteToSite("hub", wan, "198.51.100.7/32", List.of(office), "10.0.0.0/8");

    Table table = table(d);

    assertThat(set(table, "networks4")).containsExactly("10.0.1.0/24");
    assertThat(table.sets())
        .filteredOn(set -> set.name().equals("far4"))
        .singleElement()
        .satisfies(far -> assertThat(far.elements()).hasSize(2));
    assertThat(compile(d).backstop())
        .filteredOn(policy -> !policy.block())
        .hasSize(3)
        .allMatch(policy -> policy.priority() < d.gateway().numbers().backstopPriority());
  }

  @Test
  void tunnelsOfOneTunnelsOutsideAddressOnlyLetItsPeersIn() {
    Table named = table(branches(2));
    assertThat(chain(named, "input"))
        .contains(
            "iifname \"eth0\" ip saddr @peers_wan4 ip daddr 203.0.113.1 udp dport { 500, 4500 }"
                + " counter accept",
            "iifname \"eth0\" ip saddr @peers_wan4 ip daddr 203.0.113.1 meta l4proto esp counter"
                + " accept");

    Describe withAnybody = branches(2);
    withAnybody.remoteAccess(
        "staff",
        withAnybody.gateway().interfaces().getFirst(),
        List.of("10.99.0.0/24"),
        List.of(withAnybody.reach(Describe.INTERNET)));
    assertThat(chain(table(withAnybody), "input"))
        .contains("iifname \"eth0\" ip daddr 203.0.113.1 udp dport { 500, 4500 } counter accept");
  }

  @Test
  void oneClassOfLogChainsLimitsEveryDrop() {
    Describe d = Describe.office();
    d.dropLog = Optional.of(new Host.DropLog(10, 20, Optional.empty(), d.here("log")));
    Table table = table(d);

    assertThat(chain(table, "drop.spoofed"))
        .containsExactly(
            "limit rate 10/minute burst 20 packets counter log prefix \"gatehouse spoofed: \"",
            "counter drop");
    table.chains().stream()
        .filter(chain -> !chain.name().startsWith("drop."))
        .flatMap(chain -> chain.rules().stream())
        .forEach(rule -> assertThat(rule.statements()).doesNotContain(new Verdict.Drop()));
  }

  @Test
  void hostThatForwardsNothingDoesNotForward() {
    Describe d = new Describe();
    d.device("wan", "eth0", List.of("203.0.113.5/24"), Role.OUTSIDE);
    d.identity("inside", "tun0", List.of("192.0.2.77"));

    assertThat(compile(d).sysctls())
        .extracting(sysctl -> sysctl.key() + "=" + sysctl.value())
        .containsExactly("net/ipv4/conf/eth0/rp_filter=2", "net/ipv4/conf/tun0/rp_filter=2");
  }

  /** A network on an identity's own path, such as the company's behind its VPN, is no exception. */
  @Test
  void identityReachesOnlyNetworksBesideItsPathsDirectly() {
    Describe d = new Describe();
    d.device("wan", "eth0", List.of("203.0.113.5/24"), Role.OUTSIDE);
    Interface vpn = d.device("vpn", "tun0", List.of("192.0.2.77/27"), Role.INSIDE);
    Interface lan = d.device("lan", "eth1", List.of("10.0.1.1/24"), Role.INSIDE);
    d.network("company", vpn, "192.0.2.64/27");
    d.network("office", lan, "10.0.1.0/24");
    d.identity("outside", "eth0", List.of("203.0.113.5"));
    d.identity("inside", "tun0", List.of("192.0.2.77"));

    assertThat(compile(d).routes())
        .filteredOn(route -> route.table() == d.gateway().numbers().routeTables().first())
        .extracting(route -> route.destination().toString())
        .contains("10.0.1.0/24")
        .doesNotContain("192.0.2.64/27");
  }

  @Test
  void poolIsNeverAnsweredForWhereItIsTooLargeOrOnTheSameWire() {
    Describe large = new Describe();
    Interface wan = large.device("wan", "eth0", List.of("203.0.113.1/24"), Role.OUTSIDE);
    Interface lan = large.device("lan", "eth1", List.of("10.0.0.1/16"), Role.INSIDE);
    Network office = large.network("office", lan, "10.0.0.0/16");
    large.remoteAccess(
        "staff",
        wan,
        List.of("10.0.128.0/20"),
        Tunnel.Return.PROXY,
        List.of(large.reach(office)),
        List.of());
    Compiled compiled = Compiler.compile(large.gateway());

    assertThat(compiled.ruleset().neighbours()).isEmpty();
    assertThat(compiled.notes()).anyMatch(note -> note.text().contains("more than 1024 addresses"));
  }

  @Test
  void tenThousandBranchesAreNoMoreRules() {
    List<Ruleset> both = new ArrayList<>();
    for (int count : List.of(10, 10_000)) {
      Describe d = new Describe();
      Interface wan = d.device("wan", "eth0", List.of("203.0.113.1/24"), Role.OUTSIDE);
      Interface lan = d.device("lan", "eth1", List.of("10.0.1.1/24"), Role.INSIDE);
      Network office = d.network("office", lan, "10.0.1.0/24");
      for (int i = 0; i < count; i++) {
        d.siteToSite(
            "b" + i, wan, "any", List.of(office), "172." + (i >> 8) + "." + (i & 255) + ".0/24");
      }
      both.add(compile(d));
    }
    assertThat(both.getLast().ruleCount()).isEqualTo(both.getFirst().ruleCount());
  }

  @Test
  void originsOfElementsAreTheirOwnLines() {
    Gateway gateway = branches(3).gateway();
    List<Origin> written =
        gateway.tunnels().stream()
            .flatMap(tunnel -> tunnel.farPrefixes().stream())
            .filter(far -> far.value().family() == Family.V4)
            .map(Located::origin)
            .toList();

    assertThat(Compiler.compile(gateway).ruleset().tables().getFirst().sets())
        .filteredOn(set -> set.name().equals("from4"))
        .singleElement()
        .satisfies(map ->
            assertThat(map.elements())
                .extracting(NftSet.Element::origin)
                .containsExactlyElementsOf(written));
  }
}
