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
    return FALSE;
  }

  @Override
  int beforeForwarding(State through, int packets, Journey journey) {
    // ip6_forward: a source that means nothing elsewhere stays on its link; what goes back by
    // the device that it came by is not looked at, unless it was decrypted. Of what a tunnel
    // takes, the device is its ESP's.
    int bound =
        bdd.and(
            packets,
            space.in(
                through.source,
                Prefix.LINK_LOCAL,
                Prefix.of("::/128"),
                Prefix.of("::1/128"),
                Prefix.of("ff00::/8")));
    if (bound == FALSE) {
      return packets;
    }
    int wrapped = bdd.and(bound, through.bundled);
    int back = bdd.difference(hairpin(through), through.bundled);
    if (wrapped != FALSE) {
      Unknown device =
          new Unknown(
              Unknown.Kind.ENVIRONMENT, "whether its ESP leaves by the device it came by", "route");
      back = bdd.or(back, bdd.and(wrapped, space.open(device)));
    }
    int refused = bdd.difference(bound, bdd.and(back, space.inClear()));
    Decisions decisions = new Decisions();
    decisions.byKernel("source of one link", Effect.DROPPED, refused);
    journey.add(decisions.at("route", packets));
    return bdd.difference(packets, refused);
  }
}
