package io.gatehouse.path;

import io.gatehouse.model.Address;
import io.gatehouse.model.Family;
import io.gatehouse.model.Gateway;
import io.gatehouse.model.Identity;
import io.gatehouse.model.Interface;
import io.gatehouse.model.Interface.InterfaceAddress;
import io.gatehouse.model.Located;
import io.gatehouse.model.Network;
import io.gatehouse.model.PortRange;
import io.gatehouse.model.Prefix;
import io.gatehouse.model.Selectors;
import io.gatehouse.model.Tunnel;
import io.gatehouse.path.HostState.Device;
import io.gatehouse.path.HostState.Policy;
import io.gatehouse.path.HostState.PolicyAction;
import io.gatehouse.path.HostState.Route;
import io.gatehouse.path.HostState.RouteKind;
import io.gatehouse.path.HostState.RoutingRule;
import io.gatehouse.path.HostState.SpdState;
import io.gatehouse.ruleset.Ruleset;
import io.gatehouse.ruleset.Sysctl;
import io.gatehouse.ruleset.XfrmPolicy.Direction;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Stream;

/**
 * The host that a description and its ruleset make, before either was applied: what the kernel and
 * an IKE daemon will add by themselves is added here.
 *
 * <p>An address that is dynamic is not known; one of the benchmarking networks (RFC 2544, RFC 5180)
 * stands for it. No rule can name it, so that any address would fare the same, unless it lay in a
 * network that the description names. Of a virtual IP that changes the prefix is known; one out of
 * it is this host's, and the others are not. Rules name that prefix only as a whole, and a packet
 * from an address that was this host's before fares like one while the tunnel is down.
 */
public final class DescribedHost {
  /** Smaller than the priority of any backstop, and larger than zero whatever is subtracted. */
  private static final long TUNNEL_PRIORITY = 300_000;

  private static final int ESP = 50;

  private final Gateway gateway;
  private final Selectors selectors;
  private final Ruleset ruleset;
  private final Function<Tunnel, Set<SpdState>> states;
  private final List<Device> devices = new ArrayList<>();
  private final List<Route> routes = new ArrayList<>();
  private final List<Policy> policies = new ArrayList<>();
  private final List<HostState.Tunnel> tunnels = new ArrayList<>();

  private DescribedHost(Gateway gateway, Ruleset ruleset, Function<Tunnel, Set<SpdState>> states) {
    this.gateway = gateway;
    selectors = new Selectors(gateway);
    this.ruleset = ruleset;
    this.states = states;
  }

  /**
   * The host of a gateway.
   *
   * @param states in which each tunnel may be found; all of them for a proof
   */
  public static HostState of(
      Gateway gateway, Ruleset ruleset, Function<Tunnel, Set<SpdState>> states) {
    return new DescribedHost(gateway, ruleset, states).build(/* connected= */ true);
  }

  /** The same while no tunnel has brought this host a virtual IP. */
  public static HostState withoutVirtualIps(
      Gateway gateway, Ruleset ruleset, Function<Tunnel, Set<SpdState>> states) {
    return new DescribedHost(gateway, ruleset, states).build(/* connected= */ false);
  }

  private HostState build(boolean connected) {
    int number = 0;
    for (Interface one : gateway.interfaces()) {
      device(one, number++);
    }
    gateway.identities().forEach(this::identity);
    if (connected) {
      virtual();
    }
    gateway.networks().forEach(this::network);
    defaultRoutes();
    ruleset.routes().forEach(r -> routes.add(Route.of(r)));
    gateway.tunnels().forEach(this::tunnel);
    ruleset.backstop().forEach(p -> policies.add(Policy.of(p)));
    Map<String, String> sysctls = new HashMap<>();
    for (Sysctl sysctl : ruleset.sysctls()) {
      sysctls.put(sysctl.key(), sysctl.value());
    }
    return new HostState(
        ruleset.tables(), devices, rules(), routes, policies, tunnels, Set.of(), sysctls);
  }

  private void device(Interface one, int number) {
    List<InterfaceAddress> addresses =
        new ArrayList<>(one.addresses().stream().map(Located::value).toList());
    for (Family family : Family.values()) {
      if (one.isFollowed(family)) {
        addresses.add(
            family == Family.V4
                ? new InterfaceAddress(Address.of("198.18.0.1").plus(256L * number), 24)
                : new InterfaceAddress(Address.of("2001:2:0:ff00::1").plus(65536L * number), 112));
      }
    }
    devices.add(new Device(one.device(), addresses, true));
    for (InterfaceAddress address : addresses) {
      routes.add(
          new Route(address.link(), Route.MAIN, 0, new RouteKind.Via(List.of(one.device()))));
    }
  }

  /** An identity's device that is no interface of the description has at least its addresses. */
  private void identity(Identity identity) {
    if (gateway.interfaces().stream().noneMatch(at -> at.device().equals(identity.device()))) {
      List<InterfaceAddress> addresses =
          identity.addresses().stream()
              .map(Located::value)
              .map(address -> new InterfaceAddress(address, address.family().bits()))
              .toList();
      devices.add(new Device(identity.device(), addresses, false));
    }
  }

  /** Virtual IPs are this host's own, whatever device the IKE daemon puts them on. */
  private void virtual() {
    List<InterfaceAddress> addresses =
        gateway.tunnels().stream()
            .flatMap(tunnel ->
                tunnel instanceof Tunnel.Client client
                    ? client.addresses().stream()
                    : Stream.empty())
            .map(Located::value)
            .map(DescribedHost::oneOf)
            .map(address -> new InterfaceAddress(address, address.family().bits()))
            .toList();
    if (!addresses.isEmpty()) {
      devices.add(new Device("lo", addresses, true));
    }
  }

  private static Address oneOf(Prefix virtual) {
    return virtual.isHost() ? virtual.first() : virtual.first().plus(1);
  }

  private void network(Network network) {
    RouteKind kind = new RouteKind.Via(List.of(network.on().device()));
    for (Located<Prefix> prefix : network.prefixes()) {
      // Those behind routers that we install come with the ruleset; others somebody else installs.
      routes.add(new Route(prefix.value(), Route.MAIN, 1, kind));
    }
  }

  private void defaultRoutes() {
    List<String> outside = gateway.outside().stream().map(Interface::device).distinct().toList();
    if (!outside.isEmpty()) {
      routes.add(new Route(Prefix.ALL_V4, Route.MAIN, 2, new RouteKind.Via(outside)));
      routes.add(new Route(Prefix.ALL_V6, Route.MAIN, 2048, new RouteKind.Via(outside)));
    }
  }

  private List<RoutingRule> rules() {
    List<RoutingRule> rules = new ArrayList<>();
    for (Family family : Family.values()) {
      if (ruleset.rules().stream().anyMatch(r -> r.family() == family)) {
        rules.addAll(RoutingRule.kernelsOwn(family));
      }
    }
    ruleset.rules().forEach(r -> rules.add(RoutingRule.of(r)));
    return rules;
  }

  // ---- tunnels
  // ------------------------------------------------------------------------------------------------------------------------

  private void tunnel(Tunnel tunnel) {
    boolean tunnelMode = !(tunnel instanceof Tunnel.L2tp);
    tunnels.add(
        new HostState.Tunnel(
            tunnel.name(),
            states.apply(tunnel),
            tunnelMode,
            OptionalInt.empty(),
            !tunnelMode,
            local(tunnel),
            Optional.empty(),
            OptionalInt.of(ESP)));
    if (!tunnelMode) {
      transport(tunnel);
      return;
    }
    for (Prefix near : selectors.local(tunnel)) {
      for (Prefix far : far(tunnel)) {
        if (near.family() == far.family()) {
          between(tunnel, near, far);
        }
      }
    }
  }

  /** The selectors on the other end. */
  private static List<Prefix> far(Tunnel tunnel) {
    return tunnel instanceof Tunnel.Client client && client.full()
        ? List.of(Prefix.ALL_V4, Prefix.ALL_V6)
        : tunnel.farPrefixes().stream().map(Located::value).toList();
  }

  /** This host's end, where there is one address that it can be. */
  private static Optional<Address> local(Tunnel tunnel) {
    boolean followed =
        tunnel.on().stream().anyMatch(at -> at.isFollowed(Family.V4) || at.isFollowed(Family.V6));
    List<Address> own =
        tunnel.on().stream()
            .flatMap(at -> at.addresses().stream())
            .map(address -> address.value().address())
            .toList();
    return followed || own.size() != 1 ? Optional.empty() : Optional.of(own.getFirst());
  }

  private void between(Tunnel tunnel, Prefix near, Prefix far) {
    // The narrower selector wins, as charon's priorities have it (get_priority).
    long priority = TUNNEL_PRIORITY - near.length() - far.length();
    policies.add(
        Policy.protecting(tunnel.name(), Direction.OUT, near, far, priority, tunnel.origin()));
    policies.add(
        Policy.protecting(tunnel.name(), Direction.IN, far, near, priority, tunnel.origin()));
    policies.add(
        Policy.protecting(tunnel.name(), Direction.FWD, far, near, priority, tunnel.origin()));
  }

  /** UDP 1701 of this host where the tunnel may end, towards anybody (RFC 3193). */
  private void transport(Tunnel tunnel) {
    List<String> ends = tunnel.on().stream().map(Interface::device).toList();
    for (Device device : devices.stream().filter(d -> ends.contains(d.name())).toList()) {
      for (InterfaceAddress address : device.addresses()) {
        Prefix own = Prefix.host(address.address());
        Prefix anybody = own.family() == Family.V4 ? Prefix.ALL_V4 : Prefix.ALL_V6;
        Optional<PortRange> l2tp = Optional.of(PortRange.of(1701));
        policies.add(udp(tunnel, Direction.OUT, own, anybody, l2tp, Optional.empty()));
        policies.add(udp(tunnel, Direction.IN, anybody, own, Optional.empty(), l2tp));
      }
    }
  }

  private static Policy udp(
      Tunnel tunnel,
      Direction direction,
      Prefix source,
      Prefix destination,
      Optional<PortRange> sourcePorts,
      Optional<PortRange> destinationPorts) {
    return new Policy(
        direction,
        source,
        destination,
        OptionalInt.of(17),
        sourcePorts,
        destinationPorts,
        TUNNEL_PRIORITY,
        Optional.empty(),
        0,
        PolicyAction.PROTECT,
        Optional.of(tunnel.name()),
        tunnel.origin());
  }
}
