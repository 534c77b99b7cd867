package io.gatehouse.path;

import static io.gatehouse.bdd.Bdd.FALSE;

import io.gatehouse.model.Prefix;
import io.gatehouse.path.Journey.Effect;

/** What IPv6 refuses of what came in. */
final class Arrival6 extends Arrival {
  Arrival6(HeaderSpace space, RoutingModel routing, Sysctls sysctls) {
    super(space, routing, sysctls);
  }

  @Override
  int beforeHooks(State state, int packets, Journey journey) {
    // ip6_rcv_core: what NAT makes of an address is not looked at.
    int martian =
        bdd.and(
            packets,
            bdd.or(
                space.in(state.source, Prefix.of("ff00::/8"), Prefix.of("::1/128")),
                space.in(state.destination, Prefix.of("::1/128"))));
    Decisions decisions = new Decisions();
    decisions.byKernel("martian address", Effect.DROPPED, martian);
    journey.add(decisions.at("arrival", packets));
    return bdd.difference(packets, martian);
  }

  @Override
  int martians(State state) {
    return FALSE;
  }

  @Override
  int broadcasts(State state) {
    return FALSE;
  }

  @Override
  int toTheirLink(State state) {
    // rt6_need_strict
    return space.in(state.destination, Prefix.LINK_LOCAL);
  }

  @Override
  boolean forwards(String device) {
    // ip6_forward asks `all` alone.
    return sysctls.ofAll("forwarding", 0) != 0;
  }

  @Override
  int wrongSource(Routed routed, Decisions decisions) {
    // ip6_forward: a source that means nothing elsewhere stays on its link; what goes back by
    // the device that it came by is not looked at, unless it was decrypted.
    int bound =
        space.in(
            routed.here().source,
            Prefix.LINK_LOCAL,
            Prefix.of("::/128"),
            Prefix.of("::1/128"),
            Prefix.of("ff00::/8"));
    int refused = bdd.and(routed.forward(), bound);
    refused = bdd.difference(refused, bdd.and(hairpin(routed.through()), space.inClear()));
    decisions.byKernel("source of one link", Effect.DROPPED, refused);
    return refused;
  }
}
