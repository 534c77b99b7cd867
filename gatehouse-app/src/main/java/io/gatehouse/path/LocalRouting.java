package io.gatehouse.path;

import static io.gatehouse.bdd.Bdd.FALSE;

import io.gatehouse.bdd.Bdd;
import io.gatehouse.path.HostState.RouteKind;
import io.gatehouse.path.Journey.Effect;

/** The ways that a host's own packets take out of it. */
final class LocalRouting {
  private final HeaderSpace space;
  private final Bdd bdd;
  private final RoutingModel routing;
  private final Ipsec ipsec;

  LocalRouting(HeaderSpace space, RoutingModel routing, Ipsec ipsec) {
    this.space = space;
    this.routing = routing;
    this.ipsec = ipsec;
    bdd = space.bdd();
  }

  /**
   * Route and policies, as they are asked before any hook; returns what goes on.
   *
   * @param again whether something in the hook may have packets routed again
   */
  int first(State state, int packets, boolean again, Journey journey) {
    int routed = routed("route", state, packets, journey);
    if (!again) {
      return ipsec.secure(state, routed, routed, "xfrm out", journey);
    }
    int alive = ipsec.secureOwn(state, routed, "xfrm out", journey);
    // The device of the route that discards (ipv4_blackhole_route, ip6_blackhole_route).
    state.goesBy(space, State.LOOPBACK, state.discarded);
    return alive;
  }

  /**
   * ip_route_me_harder: route and policies once more for locally made packets that a hook changed.
   *
   * @param changed of the packets
   * @param ports those of which only ports are others: policies alone are asked for them, and a
   *     route that discards stays
   */
  int again(State state, int packets, int changed, int ports, Journey journey) {
    int moved = bdd.difference(changed, bdd.and(ports, state.discarded));
    if (moved == FALSE) {
      return packets;
    }
    int routed = routed("route again", state, moved, journey);
    int alive = bdd.or(bdd.difference(packets, moved), routed);
    state.discarded = bdd.difference(state.discarded, moved);
    return ipsec.secure(state, alive, routed, "xfrm out again", journey);
  }

  /** Discards what still has a route that does; returns what goes on. */
  int behindTheHook(State state, int packets, Journey journey) {
    int discarded = bdd.and(packets, state.discarded);
    if (discarded == FALSE) {
      return packets;
    }
    Decisions decisions = new Decisions();
    decisions.byKernel("XfrmOutNoStates", Effect.DROPPED, discarded);
    journey.add(decisions.at("xfrm out, behind the hook", packets));
    return bdd.difference(packets, discarded);
  }

  /** Looks their routes up; returns what has one. */
  private int routed(String name, State state, int packets, Journey journey) {
    Decisions decisions = new Decisions();
    RoutingModel.Routes routes = routing.lookUpOwn(state, packets);
    int routed = state.goesBy(space, routes);
    routes
        .taken()
        .forEach((kind, taken) -> {
          if (kind instanceof RouteKind.Refuse refuse) {
            decisions.byKernel("route: " + refuse.how(), Effect.DROPPED, taken);
          }
        });
    decisions.byKernel("no route", Effect.DROPPED, routes.unreachable());
    for (String device : space.devices()) {
      decisions.byKernel(
          "by " + device, Effect.ROUTED, bdd.and(routed, state.oif.in(bdd, space.device(device))));
    }
    state.routed = bdd.or(bdd.difference(state.routed, packets), routed);
    journey.add(decisions.at(name, packets));
    return routed;
  }
}
