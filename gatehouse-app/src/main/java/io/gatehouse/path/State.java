package io.gatehouse.path;

import static io.gatehouse.bdd.Bdd.FALSE;

import io.gatehouse.bdd.Bdd;
import io.gatehouse.path.HostState.RouteKind;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The packet at one point of its way. Only what can change on the way is here; the rest is in
 * {@link HeaderSpace}.
 *
 * <p>Each {@code int} is a set of arrived packets, of those for which it holds.
 */
final class State {
  /** The way to this host itself, and that of a route that discards. */
  static final RouteKind.Via LOOPBACK = new RouteKind.Via(List.of("lo"));

  Field source;
  Field destination;
  Field sourcePort;
  Field destinationPort;
  Field mark;
  Field connectionMark;
  Field zone;

  /** Where the packet leaves; only meaningful once it was routed. */
  Field oif;

  /**
   * What the hook that the packet is in was told of {@link #oif}: the chains of one hook see one
   * device, also where a chain or NAT amid them has the packet routed again (nf_hook_state.out).
   */
  Field hookOif;

  /** The packet's tuple as conntrack saw it, before any NAT. */
  Field trackedSource;

  Field trackedDestination;
  Field trackedSourcePort;
  Field trackedDestinationPort;

  /** Whether this host made the packet. */
  final boolean locallyMade;

  /** Whether conntrack has seen it, and not been told to leave it alone. */
  int tracked = FALSE;

  int untracked = FALSE;

  /** Whether source or destination are settled for this connection: no later NAT rule sees it. */
  int sourceBound = FALSE;

  int destinationBound = FALSE;

  /** Whether NAT changed them. */
  int sourceChanged = FALSE;

  int destinationChanged = FALSE;

  /** Whether the route was looked up: before that there is no {@code rt}. */
  int routed = FALSE;

  /** Whether the route holds a bundle of SAs. */
  int bundled = FALSE;

  /**
   * Whether a policy wanted an SA that is not there, so that the packet has a route that discards
   * it behind the hook that it is in, unless it gets another one there.
   */
  int discarded = FALSE;

  /** The tunnel whose SAs the bundle holds, where there is one. */
  Field bundle;

  /** The destination by which that tunnel was found. */
  Field bundleDestination;

  /** Where the packet would leave if it lost that bundle. */
  Field oifWithoutBundle;

  /** Properties that a rule has rewritten: no longer what they were when the packet arrived. */
  final Map<String, Field> rewritten = new LinkedHashMap<>();

  State(HeaderSpace space, boolean locallyMade) {
    this.locallyMade = locallyMade;
    source = Field.of(space.source);
    destination = Field.of(space.destination);
    sourcePort = Field.of(space.sourcePort);
    destinationPort = Field.of(space.destinationPort);
    trackedSource = source;
    trackedDestination = destination;
    trackedSourcePort = sourcePort;
    trackedDestinationPort = destinationPort;
    mark = Field.of(space.mark);
    connectionMark = Field.constant(32, 0);
    zone = Field.constant(16, 0);
    oif = Field.constant(space.iif.length, 0);
    hookOif = oif;
    bundle = Field.constant(space.secpath.length, 0);
    bundleDestination = destination;
    oifWithoutBundle = oif;
  }

  State(State other) {
    locallyMade = other.locallyMade;
    source = other.source;
    destination = other.destination;
    sourcePort = other.sourcePort;
    destinationPort = other.destinationPort;
    trackedSource = other.trackedSource;
    trackedDestination = other.trackedDestination;
    trackedSourcePort = other.trackedSourcePort;
    trackedDestinationPort = other.trackedDestinationPort;
    mark = other.mark;
    connectionMark = other.connectionMark;
    zone = other.zone;
    oif = other.oif;
    hookOif = other.hookOif;
    tracked = other.tracked;
    untracked = other.untracked;
    sourceBound = other.sourceBound;
    destinationBound = other.destinationBound;
    sourceChanged = other.sourceChanged;
    destinationChanged = other.destinationChanged;
    routed = other.routed;
    bundled = other.bundled;
    discarded = other.discarded;
    bundle = other.bundle;
    bundleDestination = other.bundleDestination;
    oifWithoutBundle = other.oifWithoutBundle;
    rewritten.putAll(other.rewritten);
  }

  /** What this host sends leaves by its routes; returns what has one. */
  int goesBy(HeaderSpace space, RoutingModel.Routes routes) {
    int routed = FALSE;
    for (Map.Entry<RouteKind, Integer> taken : routes.taken().entrySet()) {
      Optional<RouteKind.Via> way =
          switch (taken.getKey()) {
            case RouteKind.Via via -> Optional.of(via);
            case RouteKind.Local to -> Optional.of(LOOPBACK);
            case RouteKind.Anycast to -> Optional.of(LOOPBACK);
            case RouteKind.Broadcast to -> Optional.of(new RouteKind.Via(List.of(to.device())));
            case RouteKind.Refuse refuse -> Optional.empty();
            case RouteKind.Throw nothing -> Optional.empty();
          };
      if (way.isPresent()) {
        goesBy(space, way.get(), taken.getValue());
        routed = space.bdd().or(routed, taken.getValue());
      }
    }
    return routed;
  }

  /** Packets leave by the device of a route, or by one of its devices: which, is open. */
  void goesBy(HeaderSpace space, RouteKind.Via via, int packets) {
    Bdd bdd = space.bdd();
    int left = packets;
    for (int i = 0; i < via.devices().size(); i++) {
      String device = via.devices().get(i);
      boolean last = i == via.devices().size() - 1;
      int here =
          last
              ? left
              : bdd.and(
                  left,
                  space.open(
                      new Unknown(Unknown.Kind.ENVIRONMENT, "multipath takes " + device, "route")));
      left = bdd.difference(left, here);
      int number = Math.max(space.devices().indexOf(device), 0);
      oif = oif.assign(bdd, here, Field.constantBits(space.iif.length, 0, number));
    }
  }
}
