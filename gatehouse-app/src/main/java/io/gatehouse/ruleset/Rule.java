package io.gatehouse.ruleset;

import io.gatehouse.model.Origin;
import java.util.List;

/**
 * A rule of a chain.
 *
 * @param statements in order; a rule whose condition does not hold is left there
 * @param why what it is for, in a few words, for its comment and for `explain`
 */
public record Rule(List<Statement> statements, String why, Origin origin) {
  public Rule {
    statements = List.copyOf(statements);
  }
}
