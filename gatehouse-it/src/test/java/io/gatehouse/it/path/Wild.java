package io.gatehouse.it.path;

import io.gatehouse.model.Address;
import io.gatehouse.model.Family;
import io.gatehouse.model.Interface.InterfaceAddress;
import io.gatehouse.model.PortRange;
import io.gatehouse.model.Prefix;
import io.gatehouse.path.HostState;
import io.gatehouse.path.HostState.Device;
import io.gatehouse.path.HostState.Policy;
import io.gatehouse.path.HostState.PolicyAction;
import io.gatehouse.path.HostState.Route;
import io.gatehouse.path.HostState.RouteKind;
import io.gatehouse.path.HostState.RoutingRule;
import io.gatehouse.path.HostState.RuleAction;
import io.gatehouse.path.HostState.SpdState;
import io.gatehouse.path.HostState.Tunnel;
import io.gatehouse.ruleset.Routing;
import io.gatehouse.ruleset.Table;
import io.gatehouse.ruleset.XfrmPolicy.Direction;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;

/** Hosts and packets by lot. The same seed gives the same. */
final class Wild {
  static final List<Integer> PORTS = List.of(22, 53, 80, 443, 5000);
  private static final List<String> DEVICES = List.of("eth0", "eth1", "eth2");
  private static final List<String> OWN4 = List.of("203.0.113.1", "10.0.1.1", "10.0.2.1");
  private static final List<String> OWN6 = List.of("2001:db8::1", "2001:db8:1::1", "2001:db8:2::1");
  private static final List<String> OTHERS4 =
      List.of(
          "203.0.113.9", "10.0.1.5", "10.0.1.6", "10.0.2.7", "10.0.3.8", "198.51.100.7", "8.8.8.8");
  private static final List<String> OTHERS6 =
      List.of(
          "2001:db8::9",
          "2001:db8:1::5",
          "2001:db8:1::6",
          "2001:db8:2::7",
          "2001:db8:3::8",
          "2001:db8:100::7",
          "2600::8");

  /** What few honest hosts send. */
  private static final List<String> ODD4 =
      List.of("127.0.0.5", "0.0.0.0", "240.0.0.1", "255.255.255.255", "10.0.1.255", "10.0.2.0");

  private static final List<String> ODD6 =
      List.of("::1", "2001:db8:1::", "::", "fe80::5", "fd00::1", "2001:db8:2::");

  private static final List<String> NETS4 =
      List.of(
          "10.0.1.0/24",
          "10.0.2.0/24",
          "10.0.3.0/24",
          "10.0.0.0/16",
          "203.0.113.0/24",
          "198.51.100.0/24",
          "8.0.0.0/8",
          "10.0.1.5/32",
          "10.0.1.4/30",
          "0.0.0.0/1",
          "128.0.0.0/1");
  private static final List<String> NETS6 =
      List.of(
          "2001:db8:1::/64",
          "2001:db8:2::/64",
          "2001:db8:3::/64",
          "2001:db8::/32",
          "2001:db8::/64",
          "2600::/16",
          "2001:db8:1::5/128",
          "2000::/4",
          "8000::/1");

  private final Random random;

  private Wild(Random random) {
    this.random = random;
  }

  // ---- what others draw from

  static Prefix prefix(Random random, boolean six) {
    List<String> from = six ? NETS6 : NETS4;
    return Prefix.of(from.get(random.nextInt(from.size())));
  }

  /** An address of the host or of somebody near it. */
  static Address somebody(Random random, boolean six) {
    List<String> from = random.nextInt(4) == 0 ? six ? OWN6 : OWN4 : six ? OTHERS6 : OTHERS4;
    return Address.of(from.get(random.nextInt(from.size())));
  }

  /** Ends of the tunnels, ours first. */
  static Map.Entry<Address, Address> ends(Family family) {
    return family == Family.V4
        ? Map.entry(Address.of("203.0.113.1"), Address.of("198.51.100.7"))
        : Map.entry(Address.of("2001:db8::1"), Address.of("2001:db8:100::7"));
  }

  // ---- hosts

  static HostState host(long seed) {
    return new Wild(new Random(seed)).host();
  }

  private HostState host() {
    List<Table> tables = new ArrayList<>();
    int count = random.nextInt(4);
    for (int i = 0; i < count; i++) {
      tables.add(WildRules.table(random, pick(List.of("inet", "inet", "ip", "ip6")), "t" + i));
    }
    List<Tunnel> tunnels =
        List.of(
            new Tunnel("a", Set.of(SpdState.NO_SA), true, OptionalInt.of(11), false),
            new Tunnel("b", Set.of(SpdState.NO_SA), false, OptionalInt.of(12), false));
    Set<Direction> closed = EnumSet.noneOf(Direction.class);
    if (random.nextInt(12) == 0) {
      closed.add(pick(List.of(Direction.IN, Direction.FWD, Direction.OUT)));
    }
    return new HostState(
        tables, devices(), rules(), routes(), policies(tunnels), tunnels, closed, sysctls());
  }

  private static List<Device> devices() {
    List<Device> devices = new ArrayList<>();
    for (int i = 0; i < DEVICES.size(); i++) {
      devices.add(
          new Device(
              DEVICES.get(i),
              List.of(
                  new InterfaceAddress(Address.of(OWN4.get(i)), 24),
                  new InterfaceAddress(Address.of(OWN6.get(i)), 64)),
              true));
    }
    return devices;
  }

  private Map<String, String> sysctls() {
    Map<String, String> sysctls = new TreeMap<>();
    sysctls.put("net/ipv4/ip_forward", random.nextInt(12) == 0 ? "0" : "1");
    sysctls.put("net/ipv6/conf/all/forwarding", random.nextInt(12) == 0 ? "0" : "1");
    int strict = random.nextInt(6);
    sysctls.put("net/ipv4/conf/all/rp_filter", strict == 0 ? "1" : strict == 1 ? "2" : "0");
    for (String device : DEVICES) {
      String base = "net/ipv4/conf/" + device + "/";
      int own = random.nextInt(8);
      sysctls.put(base + "rp_filter", own == 0 ? "1" : own == 1 ? "2" : "0");
      sysctls.put(base + "src_valid_mark", random.nextInt(4) == 0 ? "1" : "0");
      sysctls.put(base + "route_localnet", random.nextInt(8) == 0 ? "1" : "0");
      sysctls.put(base + "accept_local", random.nextInt(6) == 0 ? "1" : "0");
      if (random.nextInt(12) == 0) {
        sysctls.put(base + "forwarding", "0");
      }
    }
    return sysctls;
  }

  private List<Route> routes() {
    List<Route> routes = new ArrayList<>();
    for (int i = 0; i < DEVICES.size(); i++) {
      RouteKind by = new RouteKind.Via(List.of(DEVICES.get(i)));
      routes.add(new Route(Prefix.masked(Address.of(OWN4.get(i)), 24), Route.MAIN, 0, by));
      routes.add(new Route(Prefix.masked(Address.of(OWN6.get(i)), 64), Route.MAIN, 1024, by));
    }
    RouteKind outside = new RouteKind.Via(List.of("eth0"));
    routes.add(new Route(Prefix.ALL_V4, Route.MAIN, 0, outside));
    routes.add(new Route(Prefix.ALL_V6, Route.MAIN, 1024, outside));
    Set<String> there = new HashSet<>();
    routes.forEach(r -> there.add(r.table() + " " + r.destination()));
    for (boolean six : List.of(false, true)) {
      int count = random.nextInt(5);
      for (int i = 0; i < count; i++) {
        int table = pick(List.of(Route.MAIN, 100, 101));
        Prefix to =
            table != Route.MAIN && random.nextInt(3) == 0
                ? six ? Prefix.ALL_V6 : Prefix.ALL_V4
                : prefix(random, six);
        if (there.add(table + " " + to)) {
          routes.add(new Route(to, table, six ? 1024 : random.nextInt(3), kind(six)));
        }
      }
    }
    return routes;
  }

  private RouteKind kind(boolean six) {
    return switch (random.nextInt(8)) {
      case 0 -> new RouteKind.Refuse(pick(List.of("unreachable", "prohibit", "blackhole")));
      case 1 -> new RouteKind.Throw();
      case 2 ->
          six ? new RouteKind.Via(List.of("eth1")) : new RouteKind.Via(List.of("eth0", "eth2"));
      default -> new RouteKind.Via(List.of(pick(DEVICES)));
    };
  }

  private List<RoutingRule> rules() {
    List<RoutingRule> rules = new ArrayList<>();
    for (Family family : Family.values()) {
      rules.addAll(RoutingRule.kernelsOwn(family));
      boolean six = family == Family.V6;
      int count = random.nextInt(4);
      for (int i = 0; i < count; i++) {
        rules.add(rule(family, six, 1000 + 10 * i));
      }
    }
    return rules;
  }

  private RoutingRule rule(Family family, boolean six, int priority) {
    int selector = random.nextInt(7);
    OptionalInt none = OptionalInt.empty();
    return new RoutingRule(
        family,
        priority,
        random.nextInt(5) == 0,
        when(selector == 0, prefix(random, six)),
        when(selector == 1, prefix(random, six)),
        when(selector == 2, pick(DEVICES)),
        Optional.empty(),
        when(selector == 3 || selector == 4, new Routing.Mark(random.nextInt(3) + 1, 3)),
        selector == 5 ? OptionalInt.of(pick(List.of(6, 17))) : none,
        Optional.empty(),
        when(selector == 6, PortRange.of(pick(PORTS))),
        switch (random.nextInt(8)) {
          case 0 -> new RuleAction.Goto(32766);
          case 1 -> new RuleAction.Refuse(pick(List.of("unreachable", "prohibit", "blackhole")));
          case 2 -> new RuleAction.Lookup(Route.MAIN, OptionalInt.of(pick(List.of(0, 16, 24))));
          case 3 -> new RuleAction.Nothing();
          default -> new RuleAction.Lookup(pick(List.of(100, 101)), none);
        },
        Optional.empty());
  }

  private static <T> Optional<T> when(boolean holds, T value) {
    return holds ? Optional.of(value) : Optional.empty();
  }

  private List<Policy> policies(List<Tunnel> tunnels) {
    List<Policy> policies = new ArrayList<>();
    int count = random.nextInt(3) == 0 ? 1 + random.nextInt(5) : 0;
    Set<String> there = new HashSet<>();
    for (int i = 0; i < count; i++) {
      boolean six = random.nextInt(3) == 0;
      PolicyAction action =
          pick(List.of(PolicyAction.BLOCK, PolicyAction.BYPASS, PolicyAction.PROTECT));
      Prefix all = six ? Prefix.ALL_V6 : Prefix.ALL_V4;
      Prefix source = random.nextInt(3) == 0 ? all : prefix(random, six);
      Prefix destination = random.nextInt(3) == 0 ? all : prefix(random, six);
      Direction direction = pick(List.of(Direction.OUT, Direction.IN, Direction.FWD));
      int narrow = random.nextInt(4);
      if (!there.add(direction + " " + source + " " + destination)) {
        continue;
      }
      policies.add(
          new Policy(
              direction,
              source,
              destination,
              narrow == 0 || narrow == 1 ? OptionalInt.of(17) : OptionalInt.empty(),
              Optional.empty(),
              when(narrow == 1, PortRange.of(pick(PORTS))),
              100L + i,
              when(narrow == 2, new Routing.Mark(random.nextInt(3), 3)),
              0,
              action,
              when(action == PolicyAction.PROTECT, pick(tunnels).name()),
              WildRules.HERE));
    }
    return policies;
  }

  // ---- packets

  static List<Sent> packets(long seed, int count) {
    return new Wild(new Random(~seed)).packets(count);
  }

  private List<Sent> packets(int count) {
    List<Sent> packets = new ArrayList<>();
    Set<String> pairs = new HashSet<>();
    while (packets.size() < count) {
      int id = packets.size();
      boolean six = random.nextInt(3) == 0;
      boolean made = random.nextInt(5) == 0;
      Address source =
          made ? Address.of(pick(six ? OWN6 : OWN4)) : address(six, random.nextInt(12) == 0);
      Address destination = address(six, !made && random.nextInt(12) == 0);
      int protocol =
          pick(made ? List.of(17, 17, six ? 58 : 1, 47) : List.of(17, 17, 6, six ? 58 : 1, 47));
      boolean ports = protocol == 17 || protocol == 6;
      if (!ports
          && !(pairs.add(protocol + " " + source + " " + destination)
              && pairs.add(protocol + " " + destination + " " + source))) {
        continue;
      }
      int type = protocol == 1 ? 8 : protocol == 58 ? 128 : 0;
      packets.add(
          new Sent(
              id,
              when(!made, pick(DEVICES)),
              protocol,
              source,
              destination,
              // Each has one of its own, so that each is the first of a connection.
              ports ? 20000 + id : 0,
              ports ? pick(PORTS) : 0,
              type,
              0,
              protocol == 6 ? random.nextInt(8) == 0 ? 3 : 2 : 0,
              Optional.empty()));
    }
    return packets;
  }

  private Address address(boolean six, boolean odd) {
    return odd ? Address.of(pick(six ? ODD6 : ODD4)) : somebody(random, six);
  }

  private <T> T pick(List<? extends T> of) {
    return of.get(random.nextInt(of.size()));
  }
}
