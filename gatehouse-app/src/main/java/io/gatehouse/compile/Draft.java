package io.gatehouse.compile;

import io.gatehouse.model.Gateway;
import io.gatehouse.model.Origin;
import io.gatehouse.ruleset.Chain;
import io.gatehouse.ruleset.Chain.Base;
import io.gatehouse.ruleset.Chain.Hook;
import io.gatehouse.ruleset.Rule;
import io.gatehouse.ruleset.Statement;
import io.gatehouse.ruleset.Statement.Verdict;
import io.gatehouse.ruleset.Table;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * The table while it is being made: what every chain's author needs, and where the chains are
 * handed in.
 */
final class Draft {
  /** The name of our only table. */
  static final String TABLE = "gatehouse";

  final Gateway gateway;
  final Space space;
  final Sets sets;
  final Places places;
  final Access access;
  private final List<Table.Helper> helpers = new ArrayList<>();
  private final Map<String, Chain> bases = new LinkedHashMap<>();
  private final Map<String, Chain> others = new LinkedHashMap<>();

  Draft(Gateway gateway) {
    this.gateway = gateway;
    space = new Space(gateway);
    sets = new Sets();
    places = new Places(gateway, space, sets);
    access = new Access(gateway, places);
  }

  /** Hands in a base chain. One that lets everything through is left out. */
  void base(String name, String type, Hook hook, int priority, boolean closed, List<Rule> rules) {
    if (closed || rules.stream().anyMatch(Draft::matters)) {
      Base base = new Base(type, hook, priority, closed, Optional.empty());
      bases.put(name, new Chain(name, Optional.of(base), rules));
    }
  }

  /** Whether anything would be different without the rule, in a chain whose end accepts. */
  private static boolean matters(Rule rule) {
    return rule.statements().stream()
        .anyMatch(s ->
            s instanceof Verdict.Drop
                || s instanceof Verdict.Goto
                || s instanceof Statement.VerdictMap
                || s instanceof Statement.Assign
                || s instanceof Statement.Update
                || s instanceof Statement.Queue
                || s instanceof Statement.CtHelper
                || s instanceof Statement.Nat);
  }

  /** Hands in a helper that rules assign. */
  void helper(Table.Helper helper) {
    helpers.add(helper);
  }

  /** Hands in a chain that others jump to. */
  void chain(String name, List<Rule> rules) {
    others.put(name, new Chain(name, Optional.empty(), rules));
  }

  /** Drops, or logs within limits and drops where the description wants that. */
  Verdict drop(String what) {
    if (gateway.host().dropLog().isEmpty()) {
      return Nft.DROP;
    }
    String chain = "drop." + what;
    if (!others.containsKey(chain)) {
      chain(chain, DropLogging.rules(gateway.host().dropLog().get(), what));
    }
    return Nft.goTo(chain);
  }

  /** A rule that ends a chain: nothing allowed it. */
  Rule end(String what, String why, Origin origin) {
    return Nft.rule(why, origin, drop(what));
  }

  Table table() {
    List<Chain> chains = Stream.concat(bases.values().stream(), others.values().stream()).toList();
    return new Table("inet", TABLE, helpers, sets.all(), chains);
  }
}
