package io.gatehouse.path;

import io.gatehouse.model.Address;
import io.gatehouse.model.Family;
import io.gatehouse.model.Interface.InterfaceAddress;
import io.gatehouse.model.Origin;
import io.gatehouse.model.PortRange;
import io.gatehouse.model.Prefix;
import io.gatehouse.ruleset.Routing;
import io.gatehouse.ruleset.Table;
import io.gatehouse.ruleset.XfrmPolicy;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.function.Function;

/**
 * All that decides where a packet goes in one host, whoever put it there.
 *
 * @param tables of nftables in the order in which they were made, ours and others'
 * @param devices the network devices; names that rules mention come in by themselves
 * @param rules of policy routing; the kernel's own three where the list is empty for a family
 * @param routes of all tables; those of table local that follow from the devices' addresses come in
 *     by themselves
 * @param policies of xfrm
 * @param tunnels whose policies and SAs may come and go
 * @param blockedByDefault where a packet without a policy is blocked ({@code ip xfrm policy
 *     setdefault})
 * @param sysctls by key below /proc/sys with slashes; the kernel's defaults for what is missing
 */
public record HostState(
    List<Table> tables,
    List<Device> devices,
    List<RoutingRule> rules,
    List<Route> routes,
    List<Policy> policies,
    List<Tunnel> tunnels,
    Set<XfrmPolicy.Direction> blockedByDefault,
    Map<String, String> sysctls) {
  public HostState {
    tables = List.copyOf(tables);
    devices = List.copyOf(devices);
    rules = List.copyOf(rules);
    routes = List.copyOf(routes);
    policies = List.copyOf(policies);
    tunnels = List.copyOf(tunnels);
    blockedByDefault = Set.copyOf(blockedByDefault);
    sysctls = Map.copyOf(sysctls);
  }

  /**
   * A network device.
   *
   * @param addressesKnown whether it has no other addresses than these
   */
  public record Device(String name, List<InterfaceAddress> addresses, boolean addressesKnown) {
    public Device {
      addresses = List.copyOf(addresses);
    }
  }

  /**
   * An entry of {@code ip rule}.
   *
   * @param inverted whether it applies to what its selector does not match
   * @param mark compared under its mask
   * @param opaque a selector that we do not understand, as it was printed
   */
  public record RoutingRule(
      Family family,
      int priority,
      boolean inverted,
      Optional<Prefix> from,
      Optional<Prefix> to,
      Optional<String> iif,
      Optional<String> oif,
      Optional<Routing.Mark> mark,
      OptionalInt protocol,
      Optional<PortRange> sourcePorts,
      Optional<PortRange> destinationPorts,
      RuleAction action,
      Optional<String> opaque) {

    /** The rules that a kernel starts with. */
    public static List<RoutingRule> kernelsOwn(Family family) {
      RoutingRule local = lookup(family, 0, Route.LOCAL);
      RoutingRule main = lookup(family, 32766, Route.MAIN);
      return family == Family.V4
          ? List.of(local, main, lookup(family, 32767, 253))
          : List.of(local, main);
    }

    private static RoutingRule lookup(Family family, int priority, int table) {
      return new RoutingRule(
          family,
          priority,
          false,
          Optional.empty(),
          Optional.empty(),
          Optional.empty(),
          Optional.empty(),
          Optional.empty(),
          OptionalInt.empty(),
          Optional.empty(),
          Optional.empty(),
          new RuleAction.Lookup(table, OptionalInt.empty()),
          Optional.empty());
    }

    /** A rule that sends what it matches to a table. */
    public static RoutingRule of(Routing.Policy policy) {
      return new RoutingRule(
          policy.family(),
          policy.priority(),
          false,
          policy.from(),
          policy.to(),
          Optional.empty(),
          Optional.empty(),
          policy.mark(),
          OptionalInt.empty(),
          Optional.empty(),
          Optional.empty(),
          new RuleAction.Lookup(policy.table(), OptionalInt.empty()),
          Optional.empty());
    }
  }

  /** What a routing rule does with what it matches. */
  public sealed interface RuleAction {
    /**
     * Looks into a table; goes on with the next rule where the table has no route.
     *
     * @param suppress routes of this prefix length or shorter do not count
     */
    record Lookup(int table, OptionalInt suppress) implements RuleAction {}

    /** Goes on at the rule with this priority. */
    record Goto(int priority) implements RuleAction {}

    /** Ends the look-up: {@code unreachable}, {@code prohibit} or {@code blackhole}. */
    record Refuse(String how) implements RuleAction {}

    /** Does nothing. */
    record Nothing() implements RuleAction {}
  }

  /**
   * A route.
   *
   * @param metric the lower wins among equal prefixes
   */
  public record Route(Prefix destination, int table, long metric, RouteKind kind) {
    public static final int MAIN = 254;
    public static final int LOCAL = 255;

    /** The route of a ruleset. */
    public static Route of(Routing.Route route) {
      return new Route(
          route.destination(),
          route.table(),
          // IPv6 reads a missing metric as 1024, IPv4 as 0.
          route.metric().orElse(route.destination().family() == Family.V6 ? 1024L : 0L),
          switch (route.kind()) {
            case Routing.Kind.Via via -> new RouteKind.Via(List.of(via.device()));
            case Routing.Kind.Unreachable unreachable -> new RouteKind.Refuse("unreachable");
          });
    }
  }

  /** What a route does. */
  public sealed interface RouteKind {
    /** Out of one of the devices; several for a multipath route. */
    record Via(List<String> devices) implements RouteKind {
      public Via {
        devices = List.copyOf(devices);
      }
    }

    /** To this host. */
    record Local(String device) implements RouteKind {}

    /** To everybody on a link, and so to this host too. */
    record Broadcast(String device) implements RouteKind {}

    /** To this host as well: the address of all routers on a link (RFC 4291, 2.6.1). */
    record Anycast(String device) implements RouteKind {}

    /** Ends the look-up: {@code unreachable}, {@code prohibit} or {@code blackhole}. */
    record Refuse(String how) implements RouteKind {}

    /** Goes on with the next rule, as if the table were empty. */
    record Throw() implements RouteKind {}
  }

  /**
   * An entry of the SPD.
   *
   * @param priority the lower wins
   * @param mark the packet's mark under the mask has to be this
   * @param interfaceId 0 for ordinary policies; others belong to an xfrm interface
   * @param tunnel whose policy it is and whose SA it asks for; only policies that protect have one
   */
  public record Policy(
      XfrmPolicy.Direction direction,
      Prefix source,
      Prefix destination,
      OptionalInt protocol,
      Optional<PortRange> sourcePorts,
      Optional<PortRange> destinationPorts,
      long priority,
      Optional<Routing.Mark> mark,
      long interfaceId,
      PolicyAction action,
      Optional<String> tunnel,
      Origin origin) {
    public Policy {
      if (tunnel.isPresent() != (action == PolicyAction.PROTECT)) {
        throw new IllegalArgumentException("a tunnel's policy protects, and others have no tunnel");
      }
    }

    /** Whether its selector asks for nothing but addresses. */
    boolean isAboutAddresses() {
      return protocol.isEmpty()
          && sourcePorts.isEmpty()
          && destinationPorts.isEmpty()
          && mark.isEmpty()
          && interfaceId == 0;
    }

    /** A policy that a ruleset brings by itself. */
    public static Policy of(XfrmPolicy policy) {
      return new Policy(
          policy.direction(),
          policy.source(),
          policy.destination(),
          OptionalInt.empty(),
          Optional.empty(),
          Optional.empty(),
          policy.priority(),
          policy.mark(),
          0,
          policy.block() ? PolicyAction.BLOCK : PolicyAction.BYPASS,
          Optional.empty(),
          policy.origin());
    }

    /** A tunnel's policy between two prefixes, whatever is spoken there. */
    public static Policy protecting(
        String tunnel,
        XfrmPolicy.Direction direction,
        Prefix source,
        Prefix destination,
        long priority,
        Origin origin) {
      return new Policy(
          direction,
          source,
          destination,
          OptionalInt.empty(),
          Optional.empty(),
          Optional.empty(),
          priority,
          Optional.empty(),
          0,
          PolicyAction.PROTECT,
          Optional.of(tunnel),
          origin);
    }
  }

  /** What a policy does with what its selector matches. */
  public enum PolicyAction {
    /** Nothing passes. */
    BLOCK,
    /** It passes in clear. */
    BYPASS,
    /** It has to go through, or to have come through, the SA of the policy's templates. */
    PROTECT
  }

  /**
   * A tunnel, as far as the kernel sees it: policies that share templates, and the SA that these
   * ask for.
   *
   * @param name by which policies refer to it
   * @param states in which it may be found
   * @param tunnelMode whether its SAs are in tunnel mode; transport mode otherwise
   * @param reqid of its SAs, where it is known
   * @param setsMark whether its SAs set a mark on what they decrypt
   * @param local this host's end of its SAs, where it is known
   * @param remote the other end, where it is known
   * @param protocol of its SAs, ESP (50) or AH (51), where it is known
   */
  public record Tunnel(
      String name,
      Set<SpdState> states,
      boolean tunnelMode,
      OptionalInt reqid,
      boolean setsMark,
      Optional<Address> local,
      Optional<Address> remote,
      OptionalInt protocol) {
    /** Without what is known of its SAs' ends. */
    public Tunnel(
        String name,
        Set<SpdState> states,
        boolean tunnelMode,
        OptionalInt reqid,
        boolean setsMark) {
      this(
          name,
          states,
          tunnelMode,
          reqid,
          setsMark,
          Optional.empty(),
          Optional.empty(),
          OptionalInt.empty());
    }

    /** The same tunnel in other states. */
    public Tunnel in(Set<SpdState> others) {
      return new Tunnel(name, others, tunnelMode, reqid, setsMark, local, remote, protocol);
    }

    public Tunnel {
      states = Set.copyOf(states);
      if (states.isEmpty()) {
        throw new IllegalArgumentException("a tunnel is in some state");
      }
    }

    /** A tunnel that may be in any state. */
    public static Tunnel anyState(String name) {
      return new Tunnel(name, EnumSet.allOf(SpdState.class), true, OptionalInt.empty(), false);
    }
  }

  /** How far a tunnel has come. */
  public enum SpdState {
    /** Nothing of it is in the kernel. */
    NO_POLICY,
    /** The policy stands, and the SA does not. */
    NO_SA,
    /** Up. */
    UP
  }

  /** Addresses of this host, of all devices. */
  public List<Address> addresses(Family family) {
    return devices.stream()
        .flatMap(d -> d.addresses().stream())
        .map(InterfaceAddress::address)
        .filter(a -> a.family() == family)
        .toList();
  }

  /** The same host with other tables. */
  public HostState withTables(List<Table> other) {
    return new HostState(
        other, devices, rules, routes, policies, tunnels, blockedByDefault, sysctls);
  }

  /** The same host with its tunnels in other states. */
  public HostState withTunnels(Function<? super Tunnel, Set<SpdState>> states) {
    List<Tunnel> others = tunnels.stream().map(tunnel -> tunnel.in(states.apply(tunnel))).toList();
    return new HostState(
        tables, devices, rules, routes, policies, others, blockedByDefault, sysctls);
  }
}
