package io.gatehouse.snapshot;

import io.gatehouse.model.Origin;
import io.gatehouse.ruleset.Chain;
import io.gatehouse.ruleset.Chain.Hook;
import io.gatehouse.ruleset.Expression;
import io.gatehouse.ruleset.Rule;
import io.gatehouse.ruleset.Statement;
import io.gatehouse.ruleset.Table;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** What is not understood, in the shapes in which the model of the path leaves it open. */
final class Opaque {
  /** Of a text of others that a message shows. */
  private static final int MOST = 300;

  private Opaque() {}

  /** On one line, and no longer than somebody reads. */
  static String brief(String text) {
    String line = text.replaceAll("\\p{Cntrl}+", " ").strip();
    return line.length() <= MOST ? line : line.substring(0, MOST) + "...";
  }

  /** Holds or does not; changes nothing. */
  static Statement condition(String text) {
    return new Statement.Match(
        new Expression.Opaque(brief(text)),
        Statement.Relation.IS,
        new Expression.Symbol("whatever-it-means"));
  }

  /** A condition, a change or a verdict. */
  static Statement anything(String text) {
    return new Statement.Opaque(brief(text));
  }

  /**
   * A table in place of one that could not be read: at both ends of the path, and where packets are
   * dropped, anything may happen.
   */
  static Table table(String family, Origin where, String why) {
    Rule rule = new Rule(List.of(anything(why)), "", where);
    List<Chain> chains = new ArrayList<>();
    for (Hook hook :
        List.of(Hook.PREROUTING, Hook.INPUT, Hook.FORWARD, Hook.OUTPUT, Hook.POSTROUTING)) {
      String type = hook == Hook.OUTPUT ? "route" : "filter";
      chains.add(chain(type, hook, -301, rule));
      chains.add(chain(type, hook, 301, rule));
    }
    return new Table(family, "not_read", List.of(), chains);
  }

  private static Chain chain(String type, Hook hook, int priority, Rule rule) {
    String name = hook.name().toLowerCase(Locale.ROOT) + (priority < 0 ? "_first" : "_last");
    return new Chain(
        name,
        Optional.of(new Chain.Base(type, hook, priority, false, Optional.empty())),
        List.of(rule));
  }
}
