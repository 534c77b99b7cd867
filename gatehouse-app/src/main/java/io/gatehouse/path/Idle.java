package io.gatehouse.path;

import io.gatehouse.ruleset.Chain;
import io.gatehouse.ruleset.Expression;
import io.gatehouse.ruleset.NftSet;
import io.gatehouse.ruleset.Rule;
import io.gatehouse.ruleset.Statement;
import io.gatehouse.ruleset.Statement.Verdict;
import io.gatehouse.ruleset.Table;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Which rules change nothing about where a packet ends and with which addresses: they count, log,
 * or lower the MSS. Whoever asks for ends alone need not follow them.
 */
final class Idle {
  private final boolean optionsDecide;
  private final Map<Chain, Boolean> chains = new HashMap<>();

  Idle(List<Table> tables) {
    optionsDecide =
        tables.stream()
            .flatMap(table -> table.chains().stream())
            .flatMap(chain -> chain.rules().stream())
            .anyMatch(rule ->
                rule.statements().stream().anyMatch(Idle::readsOptions)
                    && !rule.statements().stream().allMatch(Idle::isIdleByItself));
  }

  /** Whether the rule does nothing but that, and leads nowhere. */
  boolean is(Rule rule) {
    return !writesWhatDecides(rule) && rule.statements().stream().allMatch(Idle::isIdleByItself);
  }

  /** Whether every rule of a base chain, and wherever it leads, comes to the end of its hook. */
  boolean is(Table table, Chain chain) {
    return chain.base().map(base -> !base.dropByDefault()).orElse(false) && accepts(table, chain);
  }

  private boolean accepts(Table table, Chain chain) {
    Boolean known = chains.get(chain);
    if (known != null) {
      return known;
    }
    // A ring of jumps is none: the kernel refuses it.
    chains.put(chain, false);
    boolean accepts =
        chain.rules().stream()
            .allMatch(rule ->
                !writesWhatDecides(rule)
                    && rule.statements().stream().allMatch(s -> accepts(table, s)));
    chains.put(chain, accepts);
    return accepts;
  }

  private boolean accepts(Table table, Statement statement) {
    return switch (statement) {
      case Statement.VerdictMap map -> accepts(table, map);
      case Verdict verdict -> accepts(table, verdict);
      default -> isIdleByItself(statement);
    };
  }

  private boolean accepts(Table table, Statement.VerdictMap map) {
    return switch (map.verdicts()) {
      case Statement.VerdictSource.Inline inline ->
          inline.entries().stream().allMatch(entry -> accepts(table, entry.verdict()));
      case Statement.VerdictSource.Named named ->
          LookUps.set(table, named.map())
              .filter(set -> !LookUps.isLive(set))
              .map(set ->
                  set.elements().stream()
                      .map(NftSet.Element::verdict)
                      .allMatch(verdict -> verdict.map(v -> accepts(table, v)).orElse(false)))
              .orElse(false);
    };
  }

  private boolean accepts(Table table, Verdict verdict) {
    return switch (verdict) {
      case Verdict.Accept accept -> true;
      case Verdict.Continue goOn -> true;
      case Verdict.Return back -> true;
      case Verdict.Jump jump -> accepts(table, jump.chain());
      case Verdict.Goto jump -> accepts(table, jump.chain());
      case Verdict.Drop drop -> false;
      case Verdict.Reject reject -> false;
    };
  }

  private boolean accepts(Table table, String chain) {
    return table.chains().stream()
        .filter(c -> c.name().equals(chain))
        .findFirst()
        .map(c -> accepts(table, c))
        .orElse(false);
  }

  private boolean writesWhatDecides(Rule rule) {
    return optionsDecide && rule.statements().stream().anyMatch(s -> s instanceof Statement.Assign);
  }

  private static boolean readsOptions(Statement statement) {
    return statement instanceof Statement.Match match && reads(match.left());
  }

  private static boolean reads(Expression expression) {
    return switch (expression) {
      case Expression.TcpOption option -> true;
      case Expression.Concat concat -> concat.parts().stream().anyMatch(Idle::reads);
      case Expression.Binary binary -> reads(binary.left()) || reads(binary.right());
      default -> false;
    };
  }

  private static boolean isIdleByItself(Statement statement) {
    return switch (statement) {
      case Statement.Match match -> true;
      case Statement.Counter counter -> true;
      case Statement.Log log -> true;
      case Statement.Limit limit -> true;
      // What a live set holds is open at every look.
      case Statement.Update update -> true;
      case Statement.Assign assign -> assign.target() instanceof Expression.TcpOption;
      default -> false;
    };
  }
}
