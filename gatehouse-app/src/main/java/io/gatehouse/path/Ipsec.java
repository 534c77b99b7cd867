package io.gatehouse.path;

import static io.gatehouse.bdd.Bdd.FALSE;

import io.gatehouse.bdd.Bdd;
import io.gatehouse.model.Address;
import io.gatehouse.model.Family;
import io.gatehouse.path.Journey.Effect;
import io.gatehouse.ruleset.XfrmPolicy.Direction;
import java.util.List;
import java.util.Optional;

/** The places of the packet's way at which the kernel asks the IPsec policies. */
final class Ipsec {
  private final HostState host;
  private final HeaderSpace space;
  private final Bdd bdd;
  private final Family family;
  private final Sysctls sysctls;
  private final RoutingModel routing;
  private final SpdModel spd;

  Ipsec(HeaderSpace space, HostState host, RoutingModel routing, Sysctls sysctls) {
    this.host = host;
    this.routing = routing;
    this.space = space;
    this.sysctls = sysctls;
    bdd = space.bdd();
    family = space.family();
    spd = new SpdModel(space, host);
  }

  /** What may be handed to this host of what came for it. */
  void deliver(State state, int packets, Journey journey) {
    // ESP and AH have no_policy. IKE's sockets have a bypass of their own, for what comes in clear:
    // what a tunnel brought is no match for it (secpath_has_nontransport).
    int spared = bdd.or(space.protocol(50), space.protocol(51));
    IntervalSet ike =
        IntervalSet.union(
            List.of(IntervalSet.Interval.of(500, 500), IntervalSet.Interval.of(4500, 4500)));
    int toIke = bdd.and(space.protocol(17), state.destinationPort.in(bdd, ike));
    spared = bdd.or(spared, bdd.difference(toIke, tunnelled()));
    int passed = checked(Direction.IN, state, bdd.difference(packets, spared), journey);
    journey.deliver(bdd.or(passed, bdd.and(packets, spared)), state);
  }

  /**
   * __xfrm_policy_check: what came must have come as its policy wants, and what came through a
   * tunnel must have a policy.
   */
  int checked(Direction direction, State state, int arrived, Journey journey) {
    int spared = bdd.and(arrived, space.cameBy(d -> sysctls.either(d, "disable_policy", 0)));
    int packets = bdd.difference(arrived, spared);
    if (packets == FALSE) {
      return spared;
    }
    String name = direction == Direction.IN ? "xfrm in" : "xfrm fwd";
    State came = asItCame(state);
    SpdModel.Result result = spd.lookUp(direction, came, packets, name);
    Decisions decisions = new Decisions();
    int tunnelled = tunnelled();
    int noPolicy = bdd.and(result.none(), tunnelled);
    decisions.byKernel("XfrmInNoPols", Effect.DROPPED, bdd.or(noPolicy, result.byDefault()));
    int blocked = bdd.difference(result.blocked(), result.byDefault());
    result
        .deciders()
        .forEach((run, set) -> {
          if (run.action() == HostState.PolicyAction.BLOCK) {
            decisions.by(run.decider(), Effect.DROPPED, bdd.and(set, blocked));
          }
        });
    int throughOwn = FALSE;
    for (int i = 0; i < space.secpath.length; i++) {
      // Whether the number of the tunnel that it came through is that of the policy's, bit by bit.
      int differs = bdd.xor(space.secpath[i], result.tunnel().cases().getFirst().bits()[i]);
      throughOwn = i == 0 ? bdd.not(differs) : bdd.difference(throughOwn, differs);
    }
    throughOwn = bdd.difference(throughOwn, space.throughAnotherOfItsClass());
    int mismatch = bdd.difference(result.asked(), throughOwn);
    mismatch = bdd.or(mismatch, bdd.and(result.bypassed(), tunnelled));
    decisions.byKernel("XfrmInTmplMismatch", Effect.DROPPED, mismatch);
    int passed = bdd.difference(packets, bdd.or(bdd.or(noPolicy, result.blocked()), mismatch));
    decisions.byKernel("as the policies want", Effect.ACCEPTED, passed);
    journey.add(decisions.at(name, packets), came, result.deciders().keySet());
    return bdd.or(passed, spared);
  }

  /** What an SA in tunnel mode has decrypted. */
  private int tunnelled() {
    int tunnelled = bdd.difference(bdd.not(space.inClear()), space.throughAnotherInTransportMode());
    for (HostState.Tunnel tunnel : host.tunnels()) {
      if (!tunnel.tunnelMode()) {
        tunnelled = bdd.difference(tunnelled, space.through(tunnel.name()));
      }
    }
    return tunnelled;
  }

  /** nf_nat_decode_session: policies for what came are asked with the addresses from before NAT. */
  private State asItCame(State state) {
    State came = new State(state);
    came.source = state.trackedSource.where(bdd, state.sourceChanged, state.source);
    came.sourcePort = state.trackedSourcePort.where(bdd, state.sourceChanged, state.sourcePort);
    came.destination =
        state.trackedDestination.where(bdd, state.destinationChanged, state.destination);
    came.destinationPort =
        state.trackedDestinationPort.where(bdd, state.destinationChanged, state.destinationPort);
    return came;
  }

  /**
   * The look-up of policies on the way out (xfrm_lookup), for those of the packets that are to be
   * looked at; their bundle is the new one afterwards. Returns what of all packets goes on.
   */
  int secure(State state, int packets, int asked, String name, Journey journey) {
    return secure(state, packets, asked, name, /* discardsLater= */ false, journey);
  }

  /**
   * The same for what this host makes, before any hook: what lacks an SA gets a route that discards
   * it, and only behind the hook (xfrm_lookup_route, ipv4_blackhole_route).
   */
  int secureOwn(State state, int packets, String name, Journey journey) {
    return secure(state, packets, packets, name, /* discardsLater= */ true, journey);
  }

  /**
   * nf_xfrm_me_harder: policies once more, with the route that is below a bundle, for what NAT gave
   * another source.
   */
  int secureAfterNat(State state, int packets, int asked, Journey journey) {
    int wrapped = bdd.and(asked, state.bundled);
    state.oif = state.oif.assign(bdd, wrapped, state.oifWithoutBundle);
    return secure(state, packets, asked, "xfrm out after SNAT", journey);
  }

  private int secure(
      State state, int packets, int asked, String name, boolean discardsLater, Journey journey) {
    int looked = bdd.difference(asked, withoutXfrm(state));
    if (looked == FALSE) {
      return packets;
    }
    int byLoopback = state.oif.in(bdd, space.device("lo"));
    SpdModel.Result result = spd.lookUp(Direction.OUT, state, looked, name);
    Decisions decisions = new Decisions();
    // xfrm_lookup_with_ifid: the default is not for the loopback device.
    int byDefault = bdd.difference(result.byDefault(), byLoopback);
    decisions.byKernel("XfrmOutPolBlock, by default", Effect.DROPPED, byDefault);
    result
        .deciders()
        .forEach((run, set) -> {
          int stopped =
              run.action() == HostState.PolicyAction.BLOCK
                  ? set
                  : discardsLater ? FALSE : bdd.and(set, result.withoutSa());
          if (stopped != FALSE) {
            decisions.by(run.decider(), Effect.DROPPED, stopped);
          }
          int goesOn = bdd.difference(set, stopped);
          if (goesOn != FALSE) {
            decisions.by(run.decider(), Effect.ROUTED, goesOn);
          }
        });
    int blocked = bdd.or(bdd.difference(result.blocked(), result.byDefault()), byDefault);
    int stopped = discardsLater ? blocked : bdd.or(blocked, result.withoutSa());
    int bundled = bdd.difference(result.asked(), result.withoutSa());
    state.bundled = bdd.or(bdd.difference(state.bundled, looked), bundled);
    state.bundle = state.bundle.assign(bdd, looked, result.tunnel());
    state.bundleDestination = state.bundleDestination.assign(bdd, looked, state.destination);
    state.oifWithoutBundle = state.oifWithoutBundle.assign(bdd, bundled, state.oif);
    int astray = bundled == FALSE ? FALSE : goByEsp(state, bundled, result.tunnel());
    decisions.byKernel("no route for its ESP", Effect.DROPPED, astray);
    stopped = bdd.or(stopped, astray);
    int clear = bdd.difference(looked, bdd.or(blocked, result.asked()));
    decisions.byKernel("in clear", Effect.ROUTED, clear);
    if (discardsLater) {
      state.discarded = result.withoutSa();
    }
    journey.add(decisions.at(name, looked), new State(state), result.deciders().keySet());
    return bdd.difference(packets, stopped);
  }

  /**
   * From here on what a tunnel takes has the device of its ESP's route (xfrm_bundle_create), where
   * both ends of the tunnel are known; else it keeps its own. Returns what has no such route.
   */
  private int goByEsp(State state, int bundled, Field tunnel) {
    int astray = FALSE;
    for (HostState.Tunnel one : host.tunnels()) {
      Optional<Address> near = one.local().filter(end -> end.family() == family);
      Optional<Address> far = one.remote().filter(end -> end.family() == family);
      if (!one.tunnelMode() || near.isEmpty() || far.isEmpty()) {
        continue;
      }
      int number = space.classes().number(one.name());
      int own = bdd.and(bundled, tunnel.in(bdd, IntervalSet.of(number)));
      if (number == 0 || own == FALSE || space.classes().numbered(number).isMany()) {
        continue;
      }
      State esp = new State(state);
      esp.source = Field.of(space.addresses().bits(near.get()));
      esp.destination = Field.of(space.addresses().bits(far.get()));
      int routed = state.goesBy(space, routing.lookUpOwn(esp, own));
      astray = bdd.or(astray, bdd.difference(own, routed));
    }
    return astray;
  }

  /** What leaves by a device whose IPv4 routes have DST_NOXFRM; the loopback device's have. */
  private int withoutXfrm(State state) {
    int all = FALSE;
    if (family == Family.V4) {
      for (String device : space.devices()) {
        // With a default of blocking, they meet that one.
        boolean spared =
            sysctls.either(device, "disable_xfrm", 0)
                && !host.blockedByDefault().contains(Direction.OUT);
        if (spared || device.equals("lo")) {
          all = bdd.or(all, state.oif.in(bdd, space.device(device)));
        }
      }
    }
    return all;
  }
}
