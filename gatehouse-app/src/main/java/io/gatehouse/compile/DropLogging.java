package io.gatehouse.compile;

import io.gatehouse.model.Host.DropLog;
import io.gatehouse.ruleset.Expression.Meta;
import io.gatehouse.ruleset.Rule;
import io.gatehouse.ruleset.Statement;
import io.gatehouse.ruleset.Statement.Relation;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;

/** What becomes of a packet that is dropped where somebody wants to read about it. */
final class DropLogging {
  private DropLogging() {}

  static List<Rule> rules(DropLog wish, String what) {
    List<Statement> log = new ArrayList<>();
    wish.until()
        .ifPresent(end ->
            log.add(
                new Statement.Match(
                    new Meta(Meta.Key.TIME), Relation.LESS, Nft.number(end.getEpochSecond()))));
    log.add(new Statement.Limit(wish.perMinute(), "minute", wish.burst(), false));
    log.add(new Statement.Log("gatehouse " + what + ": ", OptionalInt.empty()));
    return List.of(
        Nft.rule("log, within limits", wish.origin(), log),
        Nft.rule("and drop", wish.origin(), Nft.DROP));
  }
}
