package io.gatehouse.snapshot;

import io.gatehouse.ruleset.Expression;
import io.gatehouse.ruleset.Rule;
import io.gatehouse.ruleset.Statement;
import io.gatehouse.ruleset.Statement.Nat;
import java.util.ArrayList;
import java.util.List;

/** What of a rule is carried as text only. */
final class Unclear {
  private final List<String> texts = new ArrayList<>();

  private Unclear() {}

  static List<String> texts(Rule rule) {
    Unclear unclear = new Unclear();
    rule.statements().forEach(unclear::statement);
    return List.copyOf(unclear.texts);
  }

  private void statement(Statement statement) {
    switch (statement) {
      case Statement.Opaque opaque -> texts.add(opaque.text());
      case Statement.Match match -> {
        expression(match.left());
        expression(match.right());
      }
      case Statement.Assign assign -> {
        expression(assign.target());
        expression(assign.value());
      }
      case Statement.VerdictMap map -> {
        expression(map.key());
        if (map.verdicts() instanceof Statement.VerdictSource.Inline inline) {
          inline.entries().forEach(entry -> expression(entry.key()));
        }
      }
      case Nat.Source to -> {
        to.address().ifPresent(this::expression);
        to.ports().ifPresent(this::expression);
      }
      case Nat.Destination to -> {
        to.address().ifPresent(this::expression);
        to.ports().ifPresent(this::expression);
      }
      case Nat.Masquerade to -> to.ports().ifPresent(this::expression);
      case Nat.Redirect to -> to.ports().ifPresent(this::expression);
      default -> {}
    }
  }

  private void expression(Expression expression) {
    switch (expression) {
      case Expression.Opaque opaque -> texts.add(opaque.text());
      case Expression.Concat concat -> concat.parts().forEach(this::expression);
      case Expression.Binary binary -> {
        expression(binary.left());
        expression(binary.right());
      }
      case Expression.Mapped mapped -> expression(mapped.key());
      case Expression.AnyOf any -> any.values().forEach(this::expression);
      case Expression.Tuple tuple -> tuple.parts().forEach(this::expression);
      case Expression.Range range -> {
        expression(range.first());
        expression(range.last());
      }
      default -> {}
    }
  }
}
