package io.gatehouse.compile;

import io.gatehouse.model.Numbers;
import io.gatehouse.model.Tunnel;
import io.gatehouse.ruleset.Chain.Hook;
import io.gatehouse.ruleset.Expression.Binary;
import io.gatehouse.ruleset.Expression.Ct;
import io.gatehouse.ruleset.Expression.Direction;
import io.gatehouse.ruleset.Expression.Mapped;
import io.gatehouse.ruleset.Expression.Meta;
import io.gatehouse.ruleset.Expression.Operator;
import io.gatehouse.ruleset.Expression.Range;
import io.gatehouse.ruleset.Expression.Selector;
import io.gatehouse.ruleset.Expression.Value;
import io.gatehouse.ruleset.NftSet;
import io.gatehouse.ruleset.Rule;
import io.gatehouse.ruleset.Statement;
import io.gatehouse.ruleset.Statement.Match;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Keeps L2TP clients behind one NAT apart. Windows sends from port 1701 to port 1701: decrypted,
 * the packets of two such clients are the same to conntrack and to the L2TP daemon. Each SA has a
 * mark of its own, which the kernel puts on what it decrypts. By that mark each client gets a
 * conntrack zone, and a source port towards the L2TP daemon; answers get the mark back, and with it
 * their SA. A marked client without a zone is refused: its answers could reach another.
 */
final class L2tp {
  /** RFC 2661, 8.1. */
  static final int PORT = 1701;

  /** The live map from the marks of SAs to zones. */
  static final String ZONES = "l2tp.zones";

  /** Above what services on this host use, below what it takes for its own connections. */
  private static final Value PORTS = new Range(Nft.number(20000), Nft.number(32767));

  private static final int RAW = -300;
  private static final int MANGLE = -150;
  private static final int SOURCE_NAT = 100;

  private static final Selector MARK = new Meta(Meta.Key.MARK);
  private static final Selector CONNECTION_MARK = new Ct("mark", Optional.empty());

  /** Answers are in no zone: there the source port tells clients apart. */
  private static final Selector ZONE = new Ct("zone", Optional.of(Direction.ORIGINAL));

  private L2tp() {}

  static void write(Draft draft) {
    draft.gateway.tunnels().stream()
        .filter(tunnel -> tunnel instanceof Tunnel.L2tp)
        .findFirst()
        .ifPresent(tunnel -> write(draft, tunnel));
  }

  private static void write(Draft draft, Tunnel tunnel) {
    Numbers numbers = draft.gateway.numbers();
    Value zones =
        new Range(
            Nft.number(numbers.transportZones().first()),
            Nft.number(numbers.transportZones().last()));
    Match comes = Nft.udpDport(PORT);
    draft.sets.live(
        ZONES,
        MARK,
        new NftSet.Holds.Values(new Ct("zone", Optional.empty())),
        Set.of(), // SAs and their marks stay in the kernel, whoever follows them
        new NftSet.Contract(
            List.of(new Range(Nft.number(1), Nft.number(numbers.saMarkMask()))),
            List.of(),
            List.of(zones)),
        tunnel.origin());
    draft.base(
        "l2tp_zone",
        "filter",
        Hook.PREROUTING,
        RAW,
        false,
        List.of(
            Nft.rule(
                "a client's zone, by the mark of its SA",
                tunnel.origin(),
                Nft.DECRYPTED,
                comes,
                new Statement.Assign(ZONE, new Mapped(MARK, ZONES)))));
    List<Rule> known = new ArrayList<>();
    known.add(
        Nft.rule(
            "a client that nobody can tell from another",
            tunnel.origin(),
            Nft.DECRYPTED,
            comes,
            Nft.isNot(
                new Binary(MARK, Operator.AND, Nft.number(numbers.saMarkMask())), Nft.number(0)),
            Nft.isNot(ZONE, zones),
            draft.drop("l2tp")));
    known.add(
        Nft.rule(
            "its connection remembers the SA",
            tunnel.origin(),
            Nft.DECRYPTED,
            comes,
            Nft.is(ZONE, zones),
            new Statement.Assign(CONNECTION_MARK, MARK)));
    draft.base("l2tp_in", "filter", Hook.INPUT, MANGLE, false, known);
    draft.base(
        "l2tp_port",
        "nat",
        Hook.INPUT,
        SOURCE_NAT,
        false,
        List.of(
            Nft.rule(
                "a port of its own",
                tunnel.origin(),
                Nft.DECRYPTED,
                comes,
                Nft.is(ZONE, zones),
                new Statement.Nat.Source(Optional.empty(), Optional.of(PORTS), List.of()))));
    draft.base(
        "l2tp_back",
        "route",
        Hook.OUTPUT,
        MANGLE,
        false,
        List.of(
            Nft.rule(
                "back through the SA that it came by",
                tunnel.origin(),
                Nft.udpSport(PORT),
                Nft.is(ZONE, zones),
                new Statement.Assign(MARK, CONNECTION_MARK))));
  }
}
