package io.gatehouse.ruleset;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.gatehouse.model.Address;
import io.gatehouse.model.Origin;
import io.gatehouse.model.Prefix;
import io.gatehouse.ruleset.Chain.Base;
import io.gatehouse.ruleset.Chain.Hook;
import io.gatehouse.ruleset.Expression.Addr;
import io.gatehouse.ruleset.Expression.Meta;
import io.gatehouse.ruleset.Expression.Net;
import io.gatehouse.ruleset.Expression.Payload;
import io.gatehouse.ruleset.Expression.SetRef;
import io.gatehouse.ruleset.Expression.Symbol;
import io.gatehouse.ruleset.Statement.Match;
import io.gatehouse.ruleset.Statement.Relation;
import io.gatehouse.ruleset.Statement.Verdict;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class NftTextTest {
  private static final Origin LINE = new Origin("office.yaml", 12, 5, "tunnels.staff");
  private static final Payload SADDR = new Payload("ip", "saddr");

  @Test
  void printsATableAsNftListsOne() {
    NftSet far =
        set(
            "far4",
            SADDR,
            Set.of(NftSet.Flag.INTERVAL),
            NftSet.Element.of(new Net(Prefix.of("10.20.0.1/32")), LINE),
            NftSet.Element.of(new Net(Prefix.of("10.0.3.0/24")), LINE));
    NftSet from =
        new NftSet(
            "from4",
            SADDR,
            Optional.of(new NftSet.Holds.Verdicts()),
            Set.of(NftSet.Flag.TIMEOUT, NftSet.Flag.DYNAMIC),
            List.of(
                new NftSet.Element(
                    new Addr(Address.of("10.0.3.7")),
                    Optional.of(new Verdict.Goto("from_staff")),
                    Optional.empty(),
                    LINE)),
            Optional.empty(),
            LINE);
    Rule spoof =
        new Rule(
            List.of(
                new Match(SADDR, Relation.IS, new SetRef("far4")),
                new Match(new Meta(Meta.Key.IPSEC), Relation.IS, new Symbol("missing")),
                new Statement.Counter(),
                new Verdict.Drop()),
            "far source without a tunnel",
            LINE);
    Chain forward =
        new Chain(
            "forward",
            Optional.of(new Base("filter", Hook.FORWARD, 0, true, Optional.empty())),
            List.of(spoof));
    Chain staff = new Chain("from_staff", Optional.empty(), List.of());
    Table table = new Table("inet", "gatehouse", List.of(far, from), List.of(forward, staff));

    assertThat(NftText.of(table))
        .isEqualTo(
            """
            table inet gatehouse {
            	set far4 {
            		typeof ip saddr
            		flags interval
            		elements = { 10.0.3.0/24, 10.20.0.1 }
            	}

            	map from4 {
            		typeof ip saddr : verdict
            		size 65535
            		flags dynamic,timeout
            		elements = { 10.0.3.7 : goto from_staff }
            	}

            	chain forward {
            		type filter hook forward priority filter; policy drop;
            		ip saddr @far4 meta ipsec missing counter drop comment "far source without a tunnel, office.yaml:12:5"
            	}

            	chain from_staff {
            	}
            }
            """);
    assertThat(NftText.delete(table))
        .isEqualTo("add table inet gatehouse\ndelete table inet gatehouse\n");
  }

  @Test
  void breaksLongListsOfElementsBetweenThem() {
    NftSet.Element[] elements = new NftSet.Element[20];
    for (int i = 0; i < elements.length; i++) {
      elements[i] = NftSet.Element.of(new Addr(Address.of("192.168.100." + (100 + i))), LINE);
    }

    String text = NftText.of(set("hosts", SADDR, Set.of(), elements));

    assertThat(text.lines()).hasSizeGreaterThan(5).allMatch(line -> line.length() <= 80);
    assertThat(text.replaceAll("\\s+", " "))
        .contains("{ 192.168.100.100, 192.168.100.101, ", ", 192.168.100.119 }");
  }

  @ParameterizedTest
  @CsvSource({
    "filter, PREROUTING, -300, raw",
    "filter, FORWARD, -150, mangle",
    "filter, FORWARD, -140, mangle + 10",
    "filter, FORWARD, -139, -139",
    "nat, PREROUTING, -100, dstnat",
    "nat, OUTPUT, -100, -100",
    "filter, INPUT, -10, filter - 10",
    "filter, INPUT, 5, filter + 5",
    "nat, POSTROUTING, 99, srcnat - 1",
    "nat, INPUT, 100, 100",
    "filter, POSTROUTING, 320, 320",
  })
  void namesThePrioritiesThatNftNames(String type, Hook hook, int priority, String text) {
    assertThat(NftText.base(new Base(type, hook, priority, false, Optional.empty())))
        .endsWith(" priority " + text + "; policy accept;")
        .startsWith("type " + type + " hook ");
  }

  @Test
  void namesTheDeviceOfAnIngressHook() {
    assertThat(NftText.base(new Base("filter", Hook.INGRESS, 0, false, Optional.of("eth0"))))
        .isEqualTo("type filter hook ingress device \"eth0\" priority filter; policy accept;");
  }

  @Test
  void refusesNamesThatWouldEndWhereNftStartsToRead() {
    Table table = new Table("inet", "a { } table inet b", List.of(), List.of());

    assertThatThrownBy(() -> NftText.of(table)).isInstanceOf(IllegalArgumentException.class);
  }

  private static NftSet set(
      String name, Expression.Selector key, Set<NftSet.Flag> flags, NftSet.Element... elements) {
    return new NftSet(
        name, key, Optional.empty(), flags, List.of(elements), Optional.empty(), LINE);
  }
}
