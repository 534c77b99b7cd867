package io.gatehouse.path;

import io.gatehouse.bdd.Bdd;
import io.gatehouse.model.Family;
import io.gatehouse.path.Names.Meaning;
import io.gatehouse.path.Reading.Content;
import io.gatehouse.path.Unknown.Kind;
import io.gatehouse.ruleset.Expression;
import java.util.Optional;
import java.util.OptionalInt;

/** What rules read of the SAs that a packet came through or is to go through. */
final class SaSelector {
  private final HostState host;
  private final HeaderSpace space;
  private final Bdd bdd;
  private final Family family;

  SaSelector(HeaderSpace space, HostState host) {
    this.host = host;
    this.space = space;
    bdd = space.bdd();
    family = space.family();
  }

  Reading read(Expression.Ipsec ipsec, Point at) {
    State state = at.state();
    boolean in = ipsec.in();
    // nft_xfrm_validate: `in` before and at the host, `out` on the way out, both in forward.
    Field tunnel = in ? Field.of(space.secpath) : state.bundle;
    int present = in ? bdd.not(space.inClear()) : bdd.and(state.routed, state.bundled);
    Optional<Meaning> type = ipsec.index() == 0 ? typeOfSa(ipsec.key()) : Optional.empty();
    if (type.isEmpty()) {
      return Reading.notUnderstood("ipsec " + (in ? "in " : "out ") + ipsec.key());
    }
    int width = type.get() == Meaning.ADDRESS ? space.addresses().width() : 32;
    Field value =
        Field.of(
            space.open(
                width, at.unknown(Kind.ENVIRONMENT, ipsec.key() + " of an SA that is not known")));
    for (HostState.Tunnel one : host.tunnels()) {
      Optional<int[]> known = ofSa(one, in, ipsec.key());
      if (known.isPresent()) {
        int there = tunnel.in(bdd, IntervalSet.of(space.classes().number(one.name())));
        value = value.assign(bdd, there, known.get());
      }
    }
    return new Content(present, value, type.get());
  }

  /** The route's bundle, which is all that we read of a route. */
  Reading read(Expression.Rt rt, Point at) {
    State state = at.state();
    return rt.key().equals("ipsec")
        ? new Content(state.routed, Field.of(new int[] {state.bundled}), Meaning.PRESENCE)
        : Reading.notUnderstood("rt " + rt.key());
  }

  /** What can be asked of an SA; mode and proto are those of xt_policy alone. */
  private Optional<Meaning> typeOfSa(String key) {
    return switch (key) {
      case "reqid", "mode", "proto" -> Optional.of(Meaning.NUMBER);
      case "ip saddr", "ip daddr" ->
          family == Family.V4 ? Optional.of(Meaning.ADDRESS) : Optional.empty();
      case "ip6 saddr", "ip6 daddr" ->
          family == Family.V6 ? Optional.of(Meaning.ADDRESS) : Optional.empty();
      default -> Optional.empty();
    };
  }

  private Optional<int[]> ofSa(HostState.Tunnel tunnel, boolean in, String key) {
    return switch (key) {
      case "reqid" -> number(tunnel.reqid());
      case "proto" -> number(tunnel.protocol());
      case "mode" -> number(OptionalInt.of(tunnel.tunnelMode() ? 1 : 0));
      default -> {
        // Of what came, the other end is the source.
        boolean remote = in == key.endsWith("saddr");
        yield (remote ? tunnel.remote() : tunnel.local())
            .filter(a -> a.family() == family)
            .map(a -> space.addresses().bits(a));
      }
    };
  }

  private static Optional<int[]> number(OptionalInt number) {
    return number.isPresent()
        ? Optional.of(Field.constantBits(32, 0, number.getAsInt()))
        : Optional.empty();
  }
}
