package io.gatehouse.it.path;

import io.gatehouse.path.Journey;
import io.gatehouse.path.Journey.Decider;
import io.gatehouse.path.Journey.Effect;
import io.gatehouse.ruleset.Expression;
import io.gatehouse.ruleset.Statement;
import io.gatehouse.ruleset.Statement.VerdictSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** The kinds of things that packets meet on their way, by name. */
final class Kinds {
  private Kinds() {}

  static List<String> of(Journey.Hop hop, Journey.Decision decision) {
    List<String> kinds = new ArrayList<>();
    String point = hop.name().split(" (inet|ip|ip6|netdev) ", 2)[0];
    switch (decision.by()) {
      case Decider.ByRule rule -> {
        rule.rule().statements().forEach(s -> statement(s, kinds));
        if (decision.effect() == Effect.DROPPED) {
          kinds.add("drop in " + point);
        }
      }
      case Decider.ByChainPolicy policy ->
          kinds.add("policy " + decision.effect().name().toLowerCase(Locale.ROOT) + " in " + point);
      case Decider.ByXfrmPolicy policy ->
          kinds.add(
              point
                  + " "
                  + policy.policy().action()
                  + " "
                  + decision.effect().name().toLowerCase(Locale.ROOT));
      case Decider.ByKernel kernel -> kinds.add(point + ": " + kernel.reason());
    }
    return kinds;
  }

  private static String name(Object what) {
    return what.getClass().getSimpleName();
  }

  private static void statement(Statement statement, List<String> kinds) {
    switch (statement) {
      case Statement.Match match -> {
        expression(match.left(), kinds);
        expression(match.right(), kinds);
        kinds.add("relation " + match.relation());
      }
      case Statement.Assign assign -> {
        kinds.add("set " + spelled(assign.target()));
        expression(assign.value(), kinds);
      }
      case Statement.VerdictMap map -> {
        kinds.add(map.verdicts() instanceof VerdictSource.Named ? "vmap @" : "vmap {}");
        expression(map.key(), kinds);
      }
      case Statement.Verdict verdict -> kinds.add("verdict " + name(verdict));
      case Statement.Nat nat -> kinds.add("nat " + name(nat));
      default -> kinds.add("statement " + name(statement));
    }
  }

  private static String spelled(Expression expression) {
    return switch (expression) {
      case Expression.Meta meta -> "meta " + meta.key().name().toLowerCase(Locale.ROOT);
      case Expression.Payload payload -> payload.header() + " " + payload.field();
      case Expression.Ct ct -> "ct " + ct.key();
      case Expression.Rt rt -> "rt " + rt.key();
      case Expression.Fib fib -> "fib " + fib.result();
      case Expression.Ipsec ipsec -> ipsec.in() ? "ipsec in" : "ipsec out";
      default -> name(expression);
    };
  }

  private static void expression(Expression expression, List<String> kinds) {
    kinds.add(spelled(expression));
    switch (expression) {
      case Expression.Concat concat -> concat.parts().forEach(p -> expression(p, kinds));
      case Expression.Binary binary -> expression(binary.left(), kinds);
      case Expression.Mapped mapped -> expression(mapped.key(), kinds);
      default -> {}
    }
  }
}
