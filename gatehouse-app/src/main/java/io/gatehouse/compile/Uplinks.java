package io.gatehouse.compile;

import io.gatehouse.model.Family;
import io.gatehouse.model.Located;
import io.gatehouse.model.Uplink;
import io.gatehouse.ruleset.Chain.Hook;
import io.gatehouse.ruleset.Expression.Binary;
import io.gatehouse.ruleset.Expression.Ct;
import io.gatehouse.ruleset.Expression.Meta;
import io.gatehouse.ruleset.Expression.Operator;
import io.gatehouse.ruleset.Expression.Selector;
import io.gatehouse.ruleset.Expression.SetRef;
import io.gatehouse.ruleset.Expression.Symbol;
import io.gatehouse.ruleset.Rule;
import io.gatehouse.ruleset.Statement;
import io.gatehouse.ruleset.Statement.Match;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * What hosts behind this one answer leaves by the uplink that the connection came by. The answer is
 * routed while it still has the inside host's source, which tells no uplink: the connection
 * remembers it by a mark, and an ip rule leads by that mark into the identity's table.
 */
final class Uplinks {
  /** nft's mangle: conntrack knows the packet, nothing is translated or routed yet. */
  private static final int PRIORITY = -150;

  private static final Selector MARK = new Meta(Meta.Key.MARK);
  private static final Selector CONNECTION_MARK = new Ct("mark", Optional.empty());

  private final Draft draft;
  private final List<Uplink> uplinks;

  private Uplinks(Draft draft) {
    this.draft = draft;
    uplinks = draft.gateway.uplinks();
  }

  static void write(Draft draft) {
    Uplinks all = new Uplinks(draft);
    List<Rule> rules = new ArrayList<>();
    for (Uplink uplink : all.uplinks) {
      for (Family family : Family.values()) {
        if (uplink.has(family)) {
          rules.add(all.begins(uplink, family));
        }
      }
    }
    for (Uplink uplink : all.uplinks) {
      for (Family family : Family.values()) {
        if (uplink.has(family)) {
          all.draft.places.inside().ifPresent(i -> rules.add(all.answers(uplink, family, i)));
        }
      }
    }
    draft.base("uplinks", "filter", Hook.PREROUTING, PRIORITY, false, rules);
  }

  /** Whatever came through a tunnel has that tunnel for its way back. */
  private Rule begins(Uplink uplink, Family family) {
    List<Statement> statements = new ArrayList<>();
    statements.add(Nft.is(Nft.IIFNAME, Nft.device(uplink.identity().device())));
    statements.add(Nft.NOT_DECRYPTED);
    statements.add(Nft.state("new"));
    // Of several identities on one device the address tells which one was asked.
    if (sharesItsDevice(uplink)) {
      statements.add(
          Nft.is(
              Nft.daddr(family),
              Nft.anyOf(
                  uplink.identity().addresses().stream()
                      .map(Located::value)
                      .filter(address -> address.family() == family)
                      .map(Nft::address)
                      .toList())));
    } else {
      statements.add(Nft.family(family));
    }
    statements.add(marked(0));
    statements.add(set(CONNECTION_MARK, uplink));
    return Nft.rule(
        "began by the way of " + uplink.identity().name(), uplink.identity().origin(), statements);
  }

  private boolean sharesItsDevice(Uplink uplink) {
    return uplinks.stream()
            .filter(other -> other.identity().device().equals(uplink.identity().device()))
            .count()
        > 1;
  }

  private Rule answers(Uplink uplink, Family family, SetRef inside) {
    List<Statement> statements = new ArrayList<>();
    statements.add(Nft.is(Nft.IIFNAME, inside));
    statements.add(
        draft
            .places
            .ours(family)
            .map(ours -> Nft.isNot(Nft.daddr(family), ours))
            .orElse(Nft.family(family)));
    statements.add(Nft.is(new Ct("direction", Optional.empty()), new Symbol("reply")));
    statements.add(marked(uplink.mark()));
    statements.add(set(MARK, uplink));
    return Nft.rule(
        "answered by the way of " + uplink.identity().name(),
        uplink.identity().origin(),
        statements);
  }

  private Match marked(long mark) {
    return Nft.is(
        new Binary(CONNECTION_MARK, Operator.AND, Nft.number(draft.gateway.numbers().uplinkMask())),
        Nft.number(mark));
  }

  /** Leaves the bits alone that are somebody else's. */
  private static Statement set(Selector mark, Uplink uplink) {
    return new Statement.Assign(mark, new Binary(mark, Operator.OR, Nft.number(uplink.mark())));
  }
}
