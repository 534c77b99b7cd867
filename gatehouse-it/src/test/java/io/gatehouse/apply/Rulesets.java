package io.gatehouse.apply;

import io.gatehouse.model.Address;
import io.gatehouse.model.Family;
import io.gatehouse.model.Numbers;
import io.gatehouse.model.Origin;
import io.gatehouse.model.Prefix;
import io.gatehouse.ruleset.Chain;
import io.gatehouse.ruleset.Expression;
import io.gatehouse.ruleset.NftSet;
import io.gatehouse.ruleset.Routing;
import io.gatehouse.ruleset.Rule;
import io.gatehouse.ruleset.Ruleset;
import io.gatehouse.ruleset.Statement;
import io.gatehouse.ruleset.Sysctl;
import io.gatehouse.ruleset.Table;
import io.gatehouse.ruleset.XfrmPolicy;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** Rulesets with something of every kind in them, small enough to look at. */
final class Rulesets {
  private static final Expression.Selector SADDR = new Expression.Payload("ip", "saddr");
  private static final Expression.Selector DADDR = new Expression.Payload("ip", "daddr");
  private static final Statement.Verdict ACCEPT = new Statement.Verdict.Accept();
  private static final Statement.Verdict DROP = new Statement.Verdict.Drop();

  private Rulesets() {}

  /** The first one: LAN to one pool. */
  static Ruleset office() {
    return ruleset("10.0.3.0/24", List.of(22), "10.0.1.60");
  }

  /** Another: the pool has moved, another service, another neighbour; the table's chains differ. */
  static Ruleset moved() {
    return ruleset("10.0.4.0/24", List.of(22, 53), "10.0.1.61");
  }

  /** The first one with another service and another neighbour: its live map is the same. */
  static Ruleset grown() {
    return ruleset("10.0.3.0/24", List.of(22, 53), "10.0.1.61");
  }

  private static Ruleset ruleset(String pool, List<Integer> services, String neighbour) {
    Prefix far = Prefix.of(pool);
    return new Ruleset(
        "office",
        List.of(table(far, services)),
        List.of(
            policy(XfrmPolicy.Direction.OUT, Prefix.ALL_V4, far),
            policy(XfrmPolicy.Direction.IN, far, Prefix.ALL_V4),
            policy(XfrmPolicy.Direction.FWD, far, Prefix.ALL_V4),
            // Somebody else has the same one already.
            policy(XfrmPolicy.Direction.IN, Prefix.of("10.77.0.0/16"), Prefix.ALL_V4)),
        List.of(
            new Routing.Policy(
                Family.V4,
                5000,
                Optional.of(Prefix.of("10.8.0.2/32")),
                Optional.empty(),
                Optional.empty(),
                7100,
                at(30)),
            new Routing.Policy(
                Family.V6,
                5001,
                Optional.of(Prefix.of("2001:db8:8::2/128")),
                Optional.empty(),
                Optional.of(new Routing.Mark(0x1000000, 0xff000000L)),
                7101,
                at(31))),
        List.of(
            new Routing.Route(
                Prefix.ALL_V4,
                7100,
                new Routing.Kind.Via(Optional.of(Address.of("10.0.1.9")), "eth1", Optional.empty()),
                Optional.empty(),
                at(30)),
            new Routing.Route(
                Prefix.ALL_V4,
                7100,
                new Routing.Kind.Unreachable(),
                Optional.of(4278198272L),
                at(30)),
            new Routing.Route(
                Prefix.ALL_V6,
                7101,
                new Routing.Kind.Unreachable(),
                Optional.of(4278198272L),
                at(31)),
            new Routing.Route(
                far,
                254,
                new Routing.Kind.Via(Optional.empty(), "eth0", Optional.empty()),
                Optional.empty(),
                at(12))),
        List.of(
            new Routing.ProxyNeighbour(Address.of(neighbour), "eth1", at(14)),
            new Routing.ProxyNeighbour(Address.of("10.0.1.50"), "eth1", at(14)),
            new Routing.ProxyNeighbour(Address.of("2001:db8:1::60"), "eth1", at(14))),
        List.of(
            new Sysctl("net/ipv6/conf/eth0/accept_ra", "2", at(3)),
            new Sysctl("net/ipv4/conf/all/send_redirects", "0", at(3)),
            new Sysctl("net/ipv4/conf/default/send_redirects", "0", at(3)),
            new Sysctl("net/ipv4/conf/eth0/send_redirects", "0", at(3)),
            new Sysctl("net/ipv4/conf/eth1/send_redirects", "0", at(4)),
            new Sysctl("net/ipv4/ip_forward", "1", at(1)),
            new Sysctl("net/ipv6/conf/all/forwarding", "1", at(1)),
            new Sysctl("net/ipv6/conf/eth1/proxy_ndp", "1", at(14))),
        Numbers.DEFAULT);
  }

  private static XfrmPolicy policy(
      XfrmPolicy.Direction direction, Prefix source, Prefix destination) {
    return new XfrmPolicy(
        direction, source, destination, Numbers.DEFAULT.backstopPriority(), true, at(12));
  }

  private static Table table(Prefix far, List<Integer> services) {
    String groupChain = "group_finance";
    NftSet far4 =
        set(
            "far4",
            SADDR,
            Set.of(NftSet.Flag.INTERVAL),
            List.of(NftSet.Element.of(new Expression.Net(far), at(12))));
    NftSet groups =
        new NftSet(
            "groups4",
            SADDR,
            Optional.of(new NftSet.Holds.Verdicts()),
            Set.of(NftSet.Flag.TIMEOUT),
            List.of(),
            Optional.of(
                new NftSet.Contract(
                    List.of(new Expression.Net(far)),
                    List.of(new Statement.Verdict.Goto(groupChain)),
                    List.of())),
            at(20));
    NftSet from4 =
        new NftSet(
            "from4",
            SADDR,
            Optional.of(new NftSet.Holds.Verdicts()),
            Set.of(NftSet.Flag.INTERVAL),
            List.of(
                new NftSet.Element(
                    new Expression.Net(far),
                    Optional.of(new Statement.Verdict.Goto("from_staff")),
                    Optional.empty(),
                    at(12))),
            Optional.empty(),
            at(12));
    List<Rule> input = new ArrayList<>();
    input.add(
        rule(
            "loopback",
            is(new Expression.Meta(Expression.Meta.Key.IIFNAME), new Expression.Text("lo")),
            ACCEPT));
    input.add(
        rule(
            "established",
            is(
                new Expression.Ct("state", Optional.empty()),
                new Expression.AnyOf(List.of(new Expression.Symbol("established")))),
            ACCEPT));
    services.forEach(port ->
        input.add(
            rule(
                "service",
                is(new Expression.Meta(Expression.Meta.Key.IIFNAME), new Expression.Text("eth1")),
                is(new Expression.Payload("tcp", "dport"), new Expression.Number(port)),
                ACCEPT)));
    List<Chain> chains =
        List.of(
            chain("input", "filter", Chain.Hook.INPUT, 0, true, input),
            chain(
                "forward",
                "filter",
                Chain.Hook.FORWARD,
                0,
                services.size() > 1,
                List.of(
                    rule(
                        "far source without a tunnel",
                        is(SADDR, new Expression.SetRef("far4")),
                        is(
                            new Expression.Meta(Expression.Meta.Key.IPSEC),
                            new Expression.Symbol("missing")),
                        DROP),
                    rule(
                        "groups",
                        new Statement.VerdictMap(
                            SADDR, new Statement.VerdictSource.Named("groups4"))),
                    rule(
                        "classes",
                        new Statement.VerdictMap(
                            SADDR, new Statement.VerdictSource.Named("from4"))))),
            new Chain(
                "from_staff",
                Optional.empty(),
                List.of(
                    rule("reach", is(DADDR, new Expression.Net(Prefix.of("10.0.1.0/24"))), ACCEPT),
                    rule("no", DROP))),
            new Chain(groupChain, Optional.empty(), List.of(rule("group", ACCEPT))),
            chain(
                "nat_out",
                "nat",
                Chain.Hook.POSTROUTING,
                99,
                false,
                List.of(
                    rule(
                        "exempt",
                        is(new Expression.Rt("ipsec"), new Expression.Symbol("exists")),
                        ACCEPT),
                    rule(
                        "internet",
                        is(SADDR, new Expression.Net(Prefix.of("10.0.1.0/24"))),
                        is(
                            new Expression.Meta(Expression.Meta.Key.OIFNAME),
                            new Expression.Text("eth0")),
                        new Statement.Nat.Masquerade(Optional.empty(), List.of())))));
    return new Table("inet", "gatehouse", List.of(far4, groups, from4), chains);
  }

  private static NftSet set(
      String name, Expression.Selector key, Set<NftSet.Flag> flags, List<NftSet.Element> elements) {
    return new NftSet(name, key, Optional.empty(), flags, elements, Optional.empty(), at(12));
  }

  private static Chain chain(
      String name, String type, Chain.Hook hook, int priority, boolean drop, List<Rule> rules) {
    return new Chain(
        name, Optional.of(new Chain.Base(type, hook, priority, drop, Optional.empty())), rules);
  }

  private static Rule rule(String why, Statement... statements) {
    List<Statement> all = new ArrayList<>(List.of(statements));
    all.add(all.size() - 1, new Statement.Counter());
    return new Rule(all, why, at(12));
  }

  private static Statement is(Expression left, Expression right) {
    return new Statement.Match(left, Statement.Relation.IS, right);
  }

  private static Origin at(int line) {
    return new Origin("office.yaml", line, 3, "");
  }
}
