package io.gatehouse.apply;

import io.gatehouse.compile.Compiler;
import io.gatehouse.generated.Descriptions;
import io.gatehouse.model.Address;
import io.gatehouse.model.Family;
import io.gatehouse.model.Origin;
import io.gatehouse.model.Prefix;
import io.gatehouse.ruleset.Chain;
import io.gatehouse.ruleset.Expression;
import io.gatehouse.ruleset.NftSet;
import io.gatehouse.ruleset.Rule;
import io.gatehouse.ruleset.Ruleset;
import io.gatehouse.ruleset.Statement;
import io.gatehouse.ruleset.Table;
import io.gatehouse.snapshot.Link;
import io.gatehouse.snapshot.Seen;
import io.gatehouse.snapshot.Snapshot;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.UnaryOperator;

/**
 * The host of the examples as it is read: eth0 with 203.0.113.2 outside, eth1 with 10.0.1.1 inside.
 */
final class OfficeHost {
  private static final Origin HERE = Origin.builtIn("test");

  private OfficeHost() {}

  static Ruleset example(String name) {
    return Compiler.compile(Descriptions.example(name + ".yaml")).ruleset();
  }

  static Snapshot snapshot(Seen.Policy... policies) {
    return new Snapshot(
        "boot",
        "net:[1]",
        List.of(
            link("lo", "127.0.0.1", 8),
            link("eth0", "203.0.113.2", 24),
            link("eth1", "10.0.1.1", 24)),
        List.of(lookup(0, 255), lookup(32766, 254), lookup(32767, 253)),
        List.of(
            route("127.0.0.0/8", 255, 2, "lo"),
            route("127.0.0.1/32", 255, 2, "lo"),
            route("203.0.113.2/32", 255, 2, "eth0"),
            route("203.0.113.255/32", 255, 3, "eth0"),
            route("10.0.1.1/32", 255, 2, "eth1"),
            route("10.0.1.255/32", 255, 3, "eth1"),
            route("203.0.113.0/24", 254, 1, "eth0"),
            route("10.0.1.0/24", 254, 1, "eth1"),
            route("0.0.0.0/0", 254, 1, "eth0")),
        List.of(),
        List.of(policies),
        List.of(),
        List.of());
  }

  private static Link link(String name, String address, int length) {
    return new Link(name, true, List.of(new Link.At(Address.of(address), length)));
  }

  private static Seen.Rule lookup(int priority, int table) {
    return new Seen.Rule(
        Family.V4, priority, Optional.empty(), Optional.empty(), Optional.empty(), table, 2, true);
  }

  private static Seen.Route route(String destination, int table, int type, String device) {
    return new Seen.Route(
        Prefix.of(destination),
        table,
        type,
        Optional.empty(),
        Optional.of(device),
        Optional.empty(),
        0,
        2,
        true);
  }

  // ---- the ruleset, changed by hand ----

  static Rule rule(Statement... statements) {
    return new Rule(List.of(statements), "", HERE);
  }

  static Rule toPort(int port, Statement then) {
    return rule(
        new Statement.Match(
            new Expression.Payload("tcp", "dport"),
            Statement.Relation.IS,
            new Expression.Number(port)),
        then);
  }

  static Statement dnat(String address, int port) {
    return new Statement.Nat.Destination(
        Optional.of(new Expression.Addr(Address.of(address))),
        Optional.of(new Expression.Number(port)),
        List.of());
  }

  /** A chain in front of routing that translates. */
  static Chain natIn(Rule... rules) {
    return new Chain(
        "nat_in",
        Optional.of(new Chain.Base("nat", Chain.Hook.PREROUTING, -100, false, Optional.empty())),
        List.of(rules));
  }

  /** The ruleset with these rules in front of the chain's own. */
  static Ruleset before(Ruleset ruleset, String chain, Rule... rules) {
    return changed(
        ruleset,
        chains ->
            chains.stream()
                .map(c -> {
                  if (!c.name().equals(chain)) {
                    return c;
                  }
                  List<Rule> all = new ArrayList<>(List.of(rules));
                  all.addAll(c.rules());
                  return new Chain(c.name(), c.base(), all);
                })
                .toList());
  }

  static Ruleset with(Ruleset ruleset, Chain... more) {
    return changed(
        ruleset,
        chains -> {
          List<Chain> all = new ArrayList<>(chains);
          all.addAll(List.of(more));
          return all;
        });
  }

  static Ruleset without(Ruleset ruleset, String chain) {
    return changed(
        ruleset, chains -> chains.stream().filter(c -> !c.name().equals(chain)).toList());
  }

  private static Ruleset changed(Ruleset ruleset, UnaryOperator<List<Chain>> change) {
    Table table = ruleset.tables().getFirst();
    List<NftSet> sets = table.sets();
    return ruleset.withTables(List.of(table.with(sets, change.apply(table.chains()))));
  }
}
