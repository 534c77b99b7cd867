package io.gatehouse.path;

import static io.gatehouse.bdd.Bdd.FALSE;

import io.gatehouse.bdd.Bdd;
import io.gatehouse.model.Family;
import io.gatehouse.path.HostState.RouteKind;
import io.gatehouse.path.Journey.Effect;
import java.util.Map;

/** The route of what came in; the families differ in which packets they refuse there. */
abstract sealed class Arrival permits Arrival4, Arrival6 {
  final HeaderSpace space;
  final Bdd bdd;
  final RoutingModel routing;
  final Sysctls sysctls;

  Arrival(HeaderSpace space, RoutingModel routing, Sysctls sysctls) {
    this.space = space;
    this.routing = routing;
    this.sysctls = sysctls;
    bdd = space.bdd();
  }

  static Arrival of(HeaderSpace space, RoutingModel routing, Sysctls sysctls) {
    return space.family() == Family.V4
        ? new Arrival4(space, routing, sysctls)
        : new Arrival6(space, routing, sysctls);
  }

  /**
   * Where packets go.
   *
   * @param here those to this host
   * @param through those that are passed on
   * @param local which are to this host
   * @param toEverybody which of these are to everybody
   * @param forward which are passed on
   */
  record Routed(State here, State through, int local, int toEverybody, int forward) {}

  /** What is looked at before the first hook that sees the packet as IP's; returns what goes on. */
  abstract int beforeHooks(State state, int packets, Journey journey);

  /** Addresses that nobody may send, where the route asks for them. */
  abstract int martians(State state);

  /** What is to everybody whatever the routes say. */
  abstract int broadcasts(State state);

  /** What only routes by the device that it came by count for. */
  abstract int toTheirLink(State state);

  /** Whether packets that came by the device are passed on. */
  abstract boolean forwards(String device);

  /** Refuses what its source forbids, and returns that. */
  abstract int wrongSource(Routed routed, Decisions decisions);

  /** What is looked at once the bundle of what is passed on is known; returns what goes on. */
  abstract int beforeForwarding(State through, int packets, Journey journey);

  /** Finds out which packets are for this host, and which are passed on by which device. */
  final Routed route(State state, int packets, Journey journey) {
    Decisions decisions = new Decisions();
    int left = packets;
    int martian = bdd.and(left, martians(state));
    decisions.byKernel("martian address", Effect.DROPPED, martian);
    left = bdd.difference(left, martian);

    int multicast =
        bdd.and(left, space.in(state.destination, RoutingModel.multicast(space.family())));
    left = bdd.difference(left, multicast);
    int joined =
        space.open(
            new Unknown(Unknown.Kind.ENVIRONMENT, "whether this host joined the group", "route"));
    decisions.byKernel("multicast", Effect.DROPPED, bdd.difference(multicast, joined));
    int local = bdd.and(multicast, joined);
    int broadcast = bdd.and(left, broadcasts(state));
    left = bdd.difference(left, broadcast);
    local = bdd.or(local, broadcast);

    RoutingModel.Routes routes =
        routing.lookUp(RoutingModel.Query.of(state, Field.of(space.iif)), left);
    int forward = FALSE;
    int toEverybody = local;
    State through = new State(state);
    // Whether there is a route by the device that it came by is left open.
    int strict = toTheirLink(state);
    int otherRoute =
        strict == FALSE
            ? FALSE
            : space.open(
                new Unknown(Unknown.Kind.ENVIRONMENT, "a route back by the same link", "route"));
    for (Map.Entry<RouteKind, Integer> taken : routes.taken().entrySet()) {
      switch (taken.getKey()) {
        case RouteKind.Local to -> local = bdd.or(local, taken.getValue());
        case RouteKind.Broadcast to -> {
          local = bdd.or(local, taken.getValue());
          toEverybody = bdd.or(toEverybody, taken.getValue());
        }
        case RouteKind.Anycast to -> local = bdd.or(local, taken.getValue());
        case RouteKind.Via via -> {
          forward = bdd.or(forward, bdd.difference(taken.getValue(), strict));
          through.goesBy(space, via, taken.getValue());
        }
        case RouteKind.Refuse refuse ->
            decisions.byKernel(
                "route: " + refuse.how(), Effect.DROPPED, bdd.difference(taken.getValue(), strict));
        case RouteKind.Throw nothing -> {}
      }
    }
    int onLink = bdd.and(bdd.difference(bdd.and(left, strict), local), otherRoute);
    through.oif = through.oif.assign(bdd, onLink, Field.of(space.iif));
    forward = bdd.or(forward, onLink);
    decisions.byKernel(
        "no route",
        Effect.DROPPED,
        bdd.or(
            bdd.difference(routes.unreachable(), strict),
            bdd.difference(bdd.and(left, strict), bdd.or(local, onLink))));

    int off = bdd.difference(forward, space.cameBy(this::forwards));
    decisions.byKernel("forwarding is off", Effect.DROPPED, off);
    forward = bdd.difference(forward, off);
    int wrong = wrongSource(new Routed(state, through, local, toEverybody, forward), decisions);
    local = bdd.difference(local, wrong);
    forward = bdd.difference(forward, wrong);
    state.routed = local;
    through.routed = forward;
    decisions.byKernel("to this host", Effect.ROUTED, local);
    for (String device : space.devices()) {
      decisions.byKernel(
          "by " + device,
          Effect.ROUTED,
          bdd.and(forward, through.oif.in(bdd, space.device(device))));
    }
    journey.add(decisions.at("route", packets));
    return new Routed(state, through, local, toEverybody, forward);
  }

  /** What leaves by the device that it came by. */
  final int hairpin(State through) {
    int all = FALSE;
    for (String device : space.devices()) {
      all =
          bdd.or(all, bdd.and(space.arrivesOn(device), through.oif.in(bdd, space.device(device))));
    }
    return all;
  }
}
