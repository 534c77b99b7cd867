package io.gatehouse.generated;

import io.gatehouse.ruleset.Chain;
import io.gatehouse.ruleset.NftText;
import io.gatehouse.ruleset.Routing;
import io.gatehouse.ruleset.Rule;
import io.gatehouse.ruleset.Ruleset;
import io.gatehouse.ruleset.Statement;
import io.gatehouse.ruleset.Table;
import io.gatehouse.ruleset.XfrmPolicy;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;

/**
 * A ruleset with one thing missing: a rule, one condition of a rule, a policy, a routing rule.
 *
 * @param what is missing, the same from run to run
 */
public record Mutation(String what, Ruleset ruleset) {

  /** Every mutation of a ruleset, in its order. */
  public static List<Mutation> of(Ruleset whole) {
    List<Mutation> all = new ArrayList<>();
    for (Table table : whole.tables()) {
      for (Chain chain : table.chains()) {
        for (int i = 0; i < chain.rules().size(); i++) {
          ofRule(whole, table, chain, i, all);
        }
      }
    }
    for (XfrmPolicy policy : whole.backstop()) {
      all.add(new Mutation("policy " + policy, withBackstop(whole, policy)));
    }
    for (Routing.Policy rule : whole.rules()) {
      all.add(new Mutation("ip rule " + rule.priority(), withRules(whole, rule)));
    }
    return List.copyOf(all);
  }

  private static void ofRule(
      Ruleset whole, Table table, Chain chain, int index, List<Mutation> all) {
    Rule rule = chain.rules().get(index);
    String name = chain.name() + " " + (index + 1) + ", " + rule.why();
    all.add(
        new Mutation(
            name + ": gone", withChain(whole, table, chain, rules -> without(rules, index))));
    for (int m = 0; m < rule.statements().size(); m++) {
      if (rule.statements().get(m) instanceof Statement.Match match) {
        List<Statement> rest = without(rule.statements(), m);
        Rule weaker = new Rule(rest, rule.why(), rule.origin());
        all.add(
            new Mutation(
                name + ": without " + NftText.statement(match),
                withChain(whole, table, chain, rules -> with(rules, index, weaker))));
      }
    }
  }

  private static <T> List<T> without(List<T> list, int index) {
    List<T> rest = new ArrayList<>(list);
    rest.remove(index);
    return rest;
  }

  private static <T> List<T> with(List<T> list, int index, T other) {
    List<T> changed = new ArrayList<>(list);
    changed.set(index, other);
    return changed;
  }

  private static Ruleset withChain(
      Ruleset whole, Table table, Chain chain, UnaryOperator<List<Rule>> change) {
    List<Chain> chains =
        table.chains().stream()
            .map(c -> c.equals(chain) ? new Chain(c.name(), c.base(), change.apply(c.rules())) : c)
            .toList();
    return whole.withTables(
        whole.tables().stream().map(t -> t.equals(table) ? t.with(t.sets(), chains) : t).toList());
  }

  private static Ruleset withBackstop(Ruleset whole, XfrmPolicy gone) {
    return new Ruleset(
        whole.gateway(),
        whole.tables(),
        whole.backstop().stream().filter(policy -> !policy.equals(gone)).toList(),
        whole.rules(),
        whole.routes(),
        whole.neighbours(),
        whole.sysctls(),
        whole.numbers());
  }

  private static Ruleset withRules(Ruleset whole, Routing.Policy gone) {
    return new Ruleset(
        whole.gateway(),
        whole.tables(),
        whole.backstop(),
        whole.rules().stream().filter(rule -> !rule.equals(gone)).toList(),
        whole.routes(),
        whole.neighbours(),
        whole.sysctls(),
        whole.numbers());
  }
}
