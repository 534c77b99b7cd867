package io.gatehouse.apply;

import io.gatehouse.model.Family;
import io.gatehouse.model.Interface.InterfaceAddress;
import io.gatehouse.model.Origin;
import io.gatehouse.model.PortRange;
import io.gatehouse.model.Prefix;
import io.gatehouse.path.HostState;
import io.gatehouse.path.HostState.Device;
import io.gatehouse.path.HostState.Policy;
import io.gatehouse.path.HostState.Route;
import io.gatehouse.path.HostState.RouteKind;
import io.gatehouse.path.HostState.RoutingRule;
import io.gatehouse.path.HostState.RuleAction;
import io.gatehouse.ruleset.Ruleset;
import io.gatehouse.ruleset.Sysctl;
import io.gatehouse.ruleset.XfrmPolicy.Direction;
import io.gatehouse.snapshot.Link;
import io.gatehouse.snapshot.Seen;
import io.gatehouse.snapshot.Snapshot;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

/**
 * The host that was read, as it will be with a ruleset: its devices, addresses and routing, and our
 * tables. Others' tables are left out; what they do to a connection they do to it already.
 */
final class AppliedHost {
  /** All tunnels are one here: whether it is up is open, and so is who is behind it. */
  static final String TUNNEL = "a tunnel";

  // Before any backstop, which stands at the end of the SPD.
  private static final long TUNNEL_PRIORITY = 1;

  private AppliedHost() {}

  static HostState of(Ruleset ruleset, Snapshot snapshot) {
    List<Policy> policies = new ArrayList<>();
    List<Prefix> far = Ways.far(ruleset);
    far.forEach(prefix -> policies.addAll(tunnel(prefix)));
    // Tunnels beside ours, not of the description: they may protect what our rules then spare.
    snapshot.policies().stream()
        .filter(p -> p.direction() == Direction.OUT && !p.block() && !p.plain())
        .filter(p -> far.stream().noneMatch(prefix -> prefix.contains(p.destination())))
        .map(p -> protecting(Direction.OUT, p.source(), p.destination()))
        .distinct()
        .forEach(policies::add);
    ruleset.backstop().forEach(policy -> policies.add(Policy.of(policy)));
    return new HostState(
        ruleset.tables(),
        snapshot.links().stream().map(AppliedHost::device).toList(),
        rules(ruleset, snapshot),
        routes(ruleset, snapshot),
        policies,
        List.of(HostState.Tunnel.anyState(TUNNEL)),
        Set.of(),
        sysctls(ruleset));
  }

  private static Device device(Link link) {
    return new Device(
        link.name(),
        link.addresses().stream()
            .map(at -> new InterfaceAddress(at.address(), at.length()))
            .toList(),
        /* addressesKnown= */ true);
  }

  /** The narrower local selectors of the description count as well: then it is not up for them. */
  private static List<Policy> tunnel(Prefix far) {
    Prefix any = far.family() == Family.V4 ? Prefix.ALL_V4 : Prefix.ALL_V6;
    return List.of(
        protecting(Direction.OUT, any, far),
        protecting(Direction.IN, far, any),
        protecting(Direction.FWD, far, any));
  }

  private static Policy protecting(Direction direction, Prefix source, Prefix destination) {
    return Policy.protecting(
        TUNNEL, direction, source, destination, TUNNEL_PRIORITY, Origin.builtIn("a tunnel"));
  }

  private static Map<String, String> sysctls(Ruleset ruleset) {
    // A connection that stands was let through; what the ruleset says overrides this.
    Map<String, String> sysctls =
        new HashMap<>(Map.of("net/ipv4/ip_forward", "1", "net/ipv6/conf/all/forwarding", "1"));
    for (Sysctl sysctl : ruleset.sysctls()) {
      sysctls.put(sysctl.key(), sysctl.value());
    }
    return sysctls;
  }

  // ---- routing: others' entries, and ours as they will be ----

  private static boolean isOurs(Ruleset ruleset, int protocol) {
    return protocol == ruleset.numbers().routeProtocol();
  }

  private static List<RoutingRule> rules(Ruleset ruleset, Snapshot snapshot) {
    List<RoutingRule> rules = new ArrayList<>();
    for (Family family : Family.values()) {
      if (snapshot.rules().stream().noneMatch(rule -> rule.family() == family)) {
        rules.addAll(RoutingRule.kernelsOwn(family));
      }
    }
    for (Seen.Rule rule : snapshot.rules()) {
      if (!isOurs(ruleset, rule.protocol())) {
        rules.add(rule(rule));
      }
    }
    ruleset.rules().forEach(rule -> rules.add(RoutingRule.of(rule)));
    return rules;
  }

  private static RoutingRule rule(Seen.Rule rule) {
    return new RoutingRule(
        rule.family(),
        rule.priority(),
        /* inverted= */ false,
        rule.from(),
        rule.to(),
        Optional.empty(),
        Optional.empty(),
        rule.mark(),
        OptionalInt.empty(),
        Optional.<PortRange>empty(),
        Optional.<PortRange>empty(),
        new RuleAction.Lookup(rule.table(), OptionalInt.empty()),
        rule.plain() ? Optional.empty() : Optional.of("what ip rule shows there"));
  }

  private static List<Route> routes(Ruleset ruleset, Snapshot snapshot) {
    List<Route> routes = new ArrayList<>();
    List<String> devices =
        snapshot.links().stream().map(Link::name).filter(name -> !name.equals("lo")).toList();
    for (Seen.Route route : snapshot.routes()) {
      if (!isOurs(ruleset, route.protocol())) {
        kind(route, devices)
            .ifPresent(kind ->
                routes.add(new Route(route.destination(), route.table(), route.metric(), kind)));
      }
    }
    ruleset.routes().forEach(route -> routes.add(Route.of(route)));
    return routes;
  }

  /** By the kernel's numbers (rtm_type). */
  private static Optional<RouteKind> kind(Seen.Route route, List<String> devices) {
    return switch (route.type()) {
      // Without a device of its own it has several next hops: any of them.
      case 1 -> Optional.of(new RouteKind.Via(route.device().map(List::of).orElse(devices)));
      case 2, 4 -> route.device().map(RouteKind.Local::new);
      case 3 -> route.device().map(RouteKind.Broadcast::new);
      case 6 -> Optional.of(new RouteKind.Refuse("blackhole"));
      case 7 -> Optional.of(new RouteKind.Refuse("unreachable"));
      case 8 -> Optional.of(new RouteKind.Refuse("prohibit"));
      case 9 -> Optional.of(new RouteKind.Throw());
      default -> Optional.empty();
    };
  }
}
