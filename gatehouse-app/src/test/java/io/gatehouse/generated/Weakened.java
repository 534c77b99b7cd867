package io.gatehouse.generated;

import io.gatehouse.model.Origin;
import io.gatehouse.ruleset.Chain;
import io.gatehouse.ruleset.Rule;
import io.gatehouse.ruleset.Ruleset;
import io.gatehouse.ruleset.Statement;
import io.gatehouse.ruleset.Table;
import io.gatehouse.ruleset.XfrmPolicy;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import java.util.function.UnaryOperator;

/** A ruleset with something taken away, or put in. A change that changes nothing is an error. */
public record Weakened(Ruleset ruleset) {

  /** Without the rules whose comment begins so. */
  public Weakened without(String why) {
    return rules(chain -> chain.rules().stream().filter(r -> !r.why().startsWith(why)).toList());
  }

  /** With rules whose comment begins so reduced to their last statement. */
  public Weakened conditionless(String why) {
    return each(
        why, rule -> new Rule(List.of(rule.statements().getLast()), rule.why(), rule.origin()));
  }

  /** With other statements in rules whose comment begins so. */
  public Weakened instead(String why, Statement... statements) {
    return each(why, rule -> new Rule(List.of(statements), rule.why(), rule.origin()));
  }

  /** With a rule in front of a chain. */
  public Weakened first(String chain, Statement... statements) {
    Rule rule = new Rule(List.of(statements), "put in by the test", Origin.builtIn("test"));
    return rules(c -> {
      List<Rule> rules = new ArrayList<>(c.rules());
      if (c.name().equals(chain)) {
        rules.addFirst(rule);
      }
      return rules;
    });
  }

  public Weakened withoutBackstop() {
    return backstop(List.of());
  }

  public Weakened backstop(List<XfrmPolicy> policies) {
    return changed(
        new Ruleset(
            ruleset.gateway(),
            ruleset.tables(),
            policies,
            ruleset.rules(),
            ruleset.routes(),
            ruleset.neighbours(),
            ruleset.sysctls(),
            ruleset.numbers()));
  }

  public Weakened withoutRoutingRules() {
    return changed(
        new Ruleset(
            ruleset.gateway(),
            ruleset.tables(),
            ruleset.backstop(),
            List.of(),
            ruleset.routes(),
            ruleset.neighbours(),
            ruleset.sysctls(),
            ruleset.numbers()));
  }

  private Weakened each(String why, UnaryOperator<Rule> change) {
    return rules(chain ->
        chain.rules().stream()
            .map(rule -> rule.why().startsWith(why) ? change.apply(rule) : rule)
            .toList());
  }

  private Weakened rules(Function<Chain, List<Rule>> rules) {
    List<Table> tables = new ArrayList<>();
    for (Table table : ruleset.tables()) {
      List<Chain> chains =
          table.chains().stream()
              .map(chain -> new Chain(chain.name(), chain.base(), rules.apply(chain)))
              .toList();
      tables.add(table.with(table.sets(), chains));
    }
    return changed(ruleset.withTables(tables));
  }

  private Weakened changed(Ruleset other) {
    if (other.equals(ruleset)) {
      throw new AssertionError("nothing to weaken there");
    }
    return new Weakened(other);
  }
}
