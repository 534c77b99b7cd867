package io.gatehouse.path;

import static io.gatehouse.bdd.Bdd.FALSE;

import io.gatehouse.model.Address;
import io.gatehouse.model.Family;
import io.gatehouse.model.Prefix;
import io.gatehouse.path.HostState.RouteKind;
import io.gatehouse.path.Journey.Effect;
import java.util.List;
import java.util.Map;

/** What IPv4 refuses of what came in (ip_route_input_slow). */
final class Arrival4 extends Arrival {
  /** Who has no address yet. */
  private static final Prefix NOBODY = Prefix.of("0.0.0.0/32");

  Arrival4(HeaderSpace space, RoutingModel routing, Sysctls sysctls) {
    super(space, routing, sysctls);
  }

  @Override
  int beforeHooks(State state, int packets, Journey journey) {
    return packets;
  }

  @Override
  int martians(State state) {
    int source = space.in(state.source, Prefix.of("224.0.0.0/4"), Prefix.of("255.255.255.255/32"));
    int zero = space.in(state.source, Prefix.of("0.0.0.0/8"));
    int nobody = space.in(state.source, NOBODY);
    int toNobody = space.in(state.destination, NOBODY);
    int broadcast =
        bdd.or(
            space.in(state.destination, RoutingModel.LIMITED_BROADCAST), bdd.and(nobody, toNobody));
    int group = space.in(state.destination, RoutingModel.multicast(Family.V4));
    int zeroDestination = space.in(state.destination, Prefix.of("0.0.0.0/8"));
    int loopback =
        bdd.or(
            space.in(state.source, Prefix.of("127.0.0.0/8")),
            space.in(state.destination, Prefix.of("127.0.0.0/8")));
    int localnet = space.cameBy(d -> sysctls.either(d, "route_localnet", 0));
    int wrong = bdd.or(bdd.or(zero, zeroDestination), bdd.difference(loopback, localnet));
    return bdd.or(source, bdd.difference(wrong, bdd.or(broadcast, group)));
  }

  @Override
  int broadcasts(State state) {
    return bdd.or(
        space.in(state.destination, RoutingModel.LIMITED_BROADCAST),
        bdd.and(space.in(state.source, NOBODY), space.in(state.destination, NOBODY)));
  }

  @Override
  int toTheirLink(State state) {
    return FALSE;
  }

  @Override
  boolean forwards(String device) {
    // ip_forward is conf.all.forwarding, and setting it sets every device's.
    int all = sysctls.number("net/ipv4/ip_forward", sysctls.ofAll("forwarding", 0));
    return sysctls.ofDevice(device, "forwarding", all) != 0;
  }

  @Override
  int beforeForwarding(State through, int packets, Journey journey) {
    return packets;
  }

  /**
   * fib_validate_source: sources that this host itself has, and, where rp_filter is on, sources
   * whose way back is another. Decrypted packets are spared the second.
   */
  @Override
  int wrongSource(Routed routed, Decisions decisions) {
    State state = routed.here();
    int packets = bdd.or(routed.local(), routed.forward());
    if (packets == FALSE) {
      return FALSE;
    }
    // Broadcasts from the zero network, which is how DHCP begins, are not looked at; nor are
    // groups.
    int group = space.in(state.destination, RoutingModel.multicast(Family.V4));
    int spared = bdd.or(group, space.in(state.source, Prefix.of("0.0.0.0/8")));
    int valid = space.cameBy(d -> sysctls.most(d, "src_valid_mark") != 0);
    Field mark = Field.constant(32, 0).assign(bdd, valid, state.mark);
    int loopback = Math.max(space.devices().indexOf("lo"), 0);
    Field iif =
        Field.constant(space.iif.length, loopback)
            .assign(bdd, routed.forward(), routed.through().oif);
    // Newer kernels look the way back up with the ports turned round too (seen: 6.18), older ones
    // with those of the packet.
    int turned =
        routing.asksForPorts()
            ? space.open(
                new Unknown(Unknown.Kind.ENVIRONMENT, "rp_filter turns the ports round", "route"))
            : FALSE;
    // ip_route_input_slow: for what goes to everybody the way back has no source.
    Field from =
        state.destination.assign(
            bdd, routed.toEverybody(), space.addresses().bits(Address.of("0.0.0.0")));
    RoutingModel.Routes back =
        routing.lookUp(
            new RoutingModel.Query(
                /* destination= */ state.source,
                /* source= */ from,
                mark,
                iif,
                state.destinationPort.where(bdd, turned, state.sourcePort),
                state.sourcePort.where(bdd, turned, state.destinationPort)),
            packets);
    int own = FALSE;
    int nobody = FALSE;
    int any = FALSE;
    int same = FALSE;
    for (Map.Entry<RouteKind, Integer> taken : back.taken().entrySet()) {
      switch (taken.getKey()) {
        case RouteKind.Local to -> {
          own = bdd.or(own, taken.getValue());
          same = bdd.or(same, bdd.and(taken.getValue(), space.arrivesOn(to.device())));
        }
        case RouteKind.Broadcast to -> nobody = bdd.or(nobody, taken.getValue());
        case RouteKind.Anycast to -> nobody = bdd.or(nobody, taken.getValue());
        case RouteKind.Via via -> {
          any = bdd.or(any, taken.getValue());
          for (String device : via.devices()) {
            same = bdd.or(same, bdd.and(taken.getValue(), space.arrivesOn(device)));
          }
        }
        default -> {}
      }
    }
    int accepts = space.cameBy(d -> sysctls.either(d, "accept_local", 0));
    int plain = space.inClear();
    int strict = bdd.and(plain, space.cameBy(d -> rpFilter(d) == 1));
    int loose = bdd.and(plain, space.cameBy(d -> rpFilter(d) == 2));
    // fib_validate_source looks the way back up where the filter is on, where other rules than the
    // kernel's own stand, and where it might send a redirect; elsewhere own addresses do.
    int redirects = space.cameBy(d -> sysctls.either(d, "send_redirects", 1));
    int looked =
        bdd.or(
            bdd.or(strict, loose),
            bdd.and(redirects, bdd.and(routed.forward(), hairpin(routed.through()))));
    if (!routing.hasOnlyTheKernelsRules()) {
      looked = bdd.or(looked, bdd.not(accepts));
    }
    // Where nobody looks, only the addresses themselves are own (inet_lookup_ifaddr_rcu).
    IntervalSet unassigned =
        IntervalSet.union(
            List.of(
                IntervalSet.Interval.of(Address.of("127.0.0.0"), Address.of("127.0.0.0")),
                IntervalSet.Interval.of(Address.of("127.0.0.2"), Address.of("127.255.255.255"))));
    int passes = bdd.difference(state.source.in(bdd, space.addresses().of(unassigned)), looked);
    int wrong = bdd.difference(own, bdd.or(accepts, passes));
    wrong = bdd.or(wrong, bdd.and(looked, nobody));
    wrong = bdd.or(wrong, bdd.difference(strict, same));
    wrong = bdd.or(wrong, bdd.difference(loose, bdd.or(any, own)));
    int refused = bdd.difference(bdd.and(packets, wrong), spared);
    decisions.byKernel("rp_filter", Effect.DROPPED, refused);
    return refused;
  }

  private int rpFilter(String device) {
    return sysctls.most(device, "rp_filter");
  }
}
