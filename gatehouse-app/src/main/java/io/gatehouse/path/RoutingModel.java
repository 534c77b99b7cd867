package io.gatehouse.path;

import static io.gatehouse.bdd.Bdd.FALSE;
import static io.gatehouse.bdd.Bdd.TRUE;

import io.gatehouse.bdd.Bdd;
import io.gatehouse.model.Address;
import io.gatehouse.model.Family;
import io.gatehouse.model.Interface.InterfaceAddress;
import io.gatehouse.model.Prefix;
import io.gatehouse.path.HostState.Route;
import io.gatehouse.path.HostState.RouteKind;
import io.gatehouse.path.HostState.RoutingRule;
import io.gatehouse.path.HostState.RuleAction;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/** Where the kernel's routing sends a packet: the rules in order, the tables by longest prefix. */
final class RoutingModel {
  private final HeaderSpace space;
  private final Bdd bdd;
  private final Family family;
  private final List<RoutingRule> rules;
  private final Map<Integer, List<Route>> tables = new HashMap<>();
  private final Map<TableKey, Map<RouteKind, IntervalSet>> winners = new HashMap<>();

  private record TableKey(int table, OptionalInt suppress) {}

  /**
   * A packet's selectors for a look-up.
   *
   * @param iif the device that it counts as having come by; that of the loopback device for locally
   *     made packets
   */
  record Query(
      Field destination,
      Field source,
      Field mark,
      Field iif,
      Field sourcePort,
      Field destinationPort) {
    static Query of(State state, Field iif) {
      return new Query(
          state.destination,
          state.source,
          state.mark,
          iif,
          state.sourcePort,
          state.destinationPort);
    }
  }

  /** What look-ups came to: for each kind of route the packets that took it. */
  record Routes(Map<RouteKind, Integer> taken, int unreachable) {}

  RoutingModel(HeaderSpace space, HostState host) {
    this.space = space;
    this.bdd = space.bdd();
    this.family = space.family();
    rules =
        host.rules().stream().anyMatch(r -> r.family() == family)
            ? host.rules().stream()
                .filter(r -> r.family() == family)
                .sorted(Comparator.comparingInt(RoutingRule::priority))
                .toList()
            : RoutingRule.kernelsOwn(family);
    host.routes().stream()
        .filter(r -> r.destination().family() == family)
        .forEach(r -> tables.computeIfAbsent(r.table(), t -> new ArrayList<>()).add(r));
    if (!tables.containsKey(Route.LOCAL)) {
      tables.put(Route.LOCAL, localRoutes(host));
    }
  }

  /** What the kernel puts into table local for each address (fib_add_ifaddr, addrconf). */
  private List<Route> localRoutes(HostState host) {
    List<Route> routes = new ArrayList<>();
    for (HostState.Device device : host.devices()) {
      for (InterfaceAddress one : device.addresses()) {
        if (one.address().family() != family) {
          continue;
        }
        RouteKind local = new RouteKind.Local(device.name());
        routes.add(new Route(Prefix.host(one.address()), Route.LOCAL, 0, local));
        if (family == Family.V4 && one.length() < 31) {
          routes.add(
              new Route(
                  Prefix.host(one.link().last()),
                  Route.LOCAL,
                  0,
                  new RouteKind.Broadcast(device.name())));
        }
        if (family == Family.V6 && one.length() < 127 && forwards(host, device.name())) {
          // addrconf_join_anycast: every router answers to its prefix itself.
          RouteKind all = new RouteKind.Anycast(device.name());
          routes.add(new Route(Prefix.host(one.link().first()), Route.LOCAL, 0, all));
        }
      }
    }
    RouteKind loopback = new RouteKind.Local("lo");
    routes.add(
        new Route(
            family == Family.V4 ? Prefix.of("127.0.0.0/8") : Prefix.of("::1/128"),
            Route.LOCAL,
            0,
            loopback));
    return routes;
  }

  private boolean reachesAll() {
    List<Route> main = tables.getOrDefault(Route.MAIN, List.of());
    return hasOnlyTheKernelsRules()
        && main.stream().allMatch(r -> r.kind() instanceof RouteKind.Via)
        && main.stream().anyMatch(r -> r.destination().isAll());
  }

  boolean asksForPorts() {
    return rules.stream()
        .anyMatch(r -> r.sourcePorts().isPresent() || r.destinationPorts().isPresent());
  }

  boolean hasOnlyTheKernelsRules() {
    return rules.equals(RoutingRule.kernelsOwn(family));
  }

  private static boolean forwards(HostState host, String device) {
    String all = host.sysctls().getOrDefault("net/ipv6/conf/all/forwarding", "0");
    String own = host.sysctls().getOrDefault("net/ipv6/conf/" + device + "/forwarding", all);
    return !own.strip().equals("0");
  }

  /** The way of what this host itself sends, which comes by the loopback device for a look-up. */
  Routes lookUpOwn(State state, int packets) {
    int loopback = Math.max(space.devices().indexOf("lo"), 0);
    return lookUp(Query.of(state, Field.constant(space.iif.length, loopback)), packets);
  }

  Routes lookUp(Query query, int packets) {
    Map<RouteKind, Integer> taken = new LinkedHashMap<>();
    int left = packets;
    int refused = FALSE;
    // Packets that a goto sends to a later priority, by that priority.
    Map<Integer, Integer> waiting = new HashMap<>();
    for (RoutingRule rule : rules) {
      for (Map.Entry<Integer, Integer> jump : waiting.entrySet()) {
        if (jump.getKey() <= rule.priority()) {
          left = bdd.or(left, jump.getValue());
          jump.setValue(FALSE);
        }
      }
      int here = bdd.and(left, selects(rule, query));
      if (here == FALSE) {
        continue;
      }
      switch (rule.action()) {
        case RuleAction.Lookup lookup -> {
          for (Map.Entry<RouteKind, IntervalSet> winner :
              winners(lookup.table(), lookup.suppress()).entrySet()) {
            if (winner.getKey() instanceof RouteKind.Throw) {
              continue;
            }
            int by = bdd.and(here, query.destination.in(bdd, winner.getValue()));
            if (by != FALSE) {
              taken.merge(winner.getKey(), by, bdd::or);
              left = bdd.difference(left, by);
            }
          }
        }
        case RuleAction.Goto jump -> {
          left = bdd.difference(left, here);
          waiting.merge(jump.priority(), here, bdd::or);
        }
        case RuleAction.Refuse refuse -> {
          taken.merge(new RouteKind.Refuse(refuse.how()), here, bdd::or);
          left = bdd.difference(left, here);
          refused = bdd.or(refused, here);
        }
        case RuleAction.Nothing nothing -> {}
      }
    }
    for (int never : waiting.values()) {
      left = bdd.or(left, never);
    }
    return new Routes(taken, left);
  }

  private int selects(RoutingRule rule, Query query) {
    if (rule.opaque().isPresent()) {
      return space.open(
          new Unknown(
              Unknown.Kind.NOT_UNDERSTOOD, rule.opaque().get(), "ip rule " + rule.priority()));
    }
    int all = TRUE;
    if (rule.from().isPresent()) {
      all = bdd.and(all, space.in(query.source, rule.from().get()));
    }
    if (rule.to().isPresent()) {
      all = bdd.and(all, space.in(query.destination, rule.to().get()));
    }
    if (rule.iif().isPresent()) {
      all = bdd.and(all, query.iif.in(bdd, device(rule.iif().get())));
    }
    if (rule.oif().isPresent()) {
      // Only sockets that are bound to a device ask with one.
      all =
          bdd.and(
              all,
              space.open(
                  new Unknown(
                      Unknown.Kind.ENVIRONMENT,
                      "a socket bound to " + rule.oif().get(),
                      "ip rule " + rule.priority())));
    }
    if (rule.mark().isPresent()) {
      Field masked =
          query.mark.combine(bdd, Field.constant(32, rule.mark().get().mask()), bdd::and);
      all = bdd.and(all, masked.in(bdd, IntervalSet.of(rule.mark().get().value())));
    }
    if (rule.protocol().isPresent()) {
      all = bdd.and(all, space.protocol(rule.protocol().getAsInt()));
    }
    if (rule.sourcePorts().isPresent()) {
      all = bdd.and(all, query.sourcePort.in(bdd, ports(rule.sourcePorts().get())));
    }
    if (rule.destinationPorts().isPresent()) {
      all = bdd.and(all, query.destinationPort.in(bdd, ports(rule.destinationPorts().get())));
    }
    return rule.inverted() ? bdd.not(all) : all;
  }

  private static IntervalSet ports(io.gatehouse.model.PortRange range) {
    return IntervalSet.of(range.first(), range.last());
  }

  private IntervalSet device(String name) {
    int index = space.devices().indexOf(name);
    return index < 0 ? IntervalSet.EMPTY : IntervalSet.of(index);
  }

  /** For each kind of route in a table the destinations that it wins by its prefix's length. */
  private Map<RouteKind, IntervalSet> winners(int table, OptionalInt suppress) {
    return winners.computeIfAbsent(
        new TableKey(table, suppress),
        key -> {
          List<Route> routes = new ArrayList<>(tables.getOrDefault(table, List.of()));
          routes.sort(
              Comparator.comparing(Route::destination)
                  .thenComparing(Comparator.comparingLong(Route::metric)));
          Map<RouteKind, List<IntervalSet.Interval>> pieces = new LinkedHashMap<>();
          List<Route> best = new ArrayList<>();
          for (Route route : routes) {
            if (best.isEmpty() || !best.getLast().destination().equals(route.destination())) {
              best.add(route);
            }
          }
          flatten(best, pieces, suppress);
          Map<RouteKind, IntervalSet> sets = new LinkedHashMap<>();
          pieces.forEach(
              (kind, list) -> sets.put(kind, space.addresses().of(IntervalSet.union(list))));
          return sets;
        });
  }

  /** A route whose prefix is being cut into pieces. */
  private static final class Open {
    final Route route;

    /** The first address that belongs to nobody yet; nothing where the prefix is used up. */
    Optional<Address> next;

    Open(Route route) {
      this.route = route;
      next = Optional.of(route.destination().first());
    }
  }

  /**
   * Cuts nested prefixes, sorted by first address and then length, into pieces that each belong to
   * the longest one.
   */
  private static void flatten(
      List<Route> sorted, Map<RouteKind, List<IntervalSet.Interval>> pieces, OptionalInt suppress) {
    List<Open> open = new ArrayList<>();
    for (Route route : sorted) {
      while (!open.isEmpty() && !open.getLast().route.destination().contains(route.destination())) {
        close(open, pieces, suppress);
      }
      if (!open.isEmpty()) {
        Open outer = open.getLast();
        Address until = route.destination().first();
        if (outer.next.isPresent() && outer.next.get().compareTo(until) < 0) {
          piece(outer.route, outer.next.get(), until.plus(-1), pieces, suppress);
        }
      }
      open.add(new Open(route));
    }
    while (!open.isEmpty()) {
      close(open, pieces, suppress);
    }
  }

  private static void close(
      List<Open> open, Map<RouteKind, List<IntervalSet.Interval>> pieces, OptionalInt suppress) {
    Open inner = open.removeLast();
    Address last = inner.route.destination().last();
    inner.next.ifPresent(from -> piece(inner.route, from, last, pieces, suppress));
    if (!open.isEmpty()) {
      Open outer = open.getLast();
      outer.next =
          last.equals(outer.route.destination().last())
              ? Optional.empty()
              : Optional.of(last.plus(1));
    }
  }

  private static void piece(
      Route route,
      Address first,
      Address last,
      Map<RouteKind, List<IntervalSet.Interval>> pieces,
      OptionalInt suppress) {
    // fib_rules_lookup: a route that refuses has the last word, however short its prefix.
    if (!(route.kind() instanceof RouteKind.Refuse)
        && suppress.isPresent()
        && route.destination().length() <= suppress.getAsInt()) {
      return;
    }
    pieces
        .computeIfAbsent(route.kind(), k -> new ArrayList<>())
        .add(IntervalSet.Interval.of(first, last));
  }

  /**
   * {@code fib … type}: what table local says about an address, whatever the rules are
   * (inet_dev_addr_type).
   *
   * @param onItsDevice whether only routes of the device count that the packet came by
   */
  Field addressType(Field address, boolean onItsDevice) {
    Field type = Field.constant(8, 1);
    if (family == Family.V6) {
      // nft_fib6_eval_type routes the address, by all rules: where these may refuse, it is open.
      int[] bits =
          space.open(
              8, new Unknown(Unknown.Kind.ENVIRONMENT, "what the address routes to", "fib type"));
      int odd = reachesAll() ? space.in(address, Prefix.of("::/128")) : TRUE;
      type = type.assign(bdd, odd, bits);
    }
    for (Map.Entry<RouteKind, IntervalSet> winner :
        winners(Route.LOCAL, OptionalInt.empty()).entrySet()) {
      int number =
          switch (winner.getKey()) {
            case RouteKind.Local local -> 2;
            case RouteKind.Broadcast broadcast -> 3;
            case RouteKind.Anycast anycast -> 4;
            case RouteKind.Via via -> 1;
            case RouteKind.Refuse refuse -> 7;
            case RouteKind.Throw nothing -> 1;
          };
      int device =
          !onItsDevice
              ? TRUE
              : switch (winner.getKey()) {
                case RouteKind.Local local -> space.arrivesOn(local.device());
                case RouteKind.Broadcast broadcast -> space.arrivesOn(broadcast.device());
                case RouteKind.Anycast anycast -> space.arrivesOn(anycast.device());
                default -> TRUE;
              };
      type =
          type.assign(
              bdd,
              bdd.and(device, address.in(bdd, winner.getValue())),
              Field.constantBits(8, 0, number));
    }
    if (family == Family.V4) {
      IntervalSet everybody =
          space.addresses().of(List.of(Prefix.of("255.255.255.255/32"), Prefix.of("0.0.0.0/8")));
      type = type.assign(bdd, address.in(bdd, everybody), Field.constantBits(8, 0, 3));
    }
    return type.assign(bdd, space.in(address, multicast(family)), Field.constantBits(8, 0, 5));
  }

  static final Prefix LIMITED_BROADCAST = Prefix.of("255.255.255.255/32");

  static Prefix multicast(Family family) {
    return Prefix.of(family == Family.V4 ? "224.0.0.0/4" : "ff00::/8");
  }

  /**
   * {@code fib saddr . iif oif}: whether there is a route back, and by the device that it came by
   * if that is asked.
   */
  int findsDevice(Field towards, Field from, Field mark, boolean sameDevice) {
    Routes routes =
        lookUp(
            new Query(
                towards,
                from,
                mark,
                Field.constant(space.iif.length, Math.max(space.devices().indexOf("lo"), 0)),
                Field.of(space.sourcePort),
                Field.of(space.destinationPort)),
            TRUE);
    int found = FALSE;
    for (Map.Entry<RouteKind, Integer> taken : routes.taken().entrySet()) {
      List<String> devices =
          switch (taken.getKey()) {
            case RouteKind.Via via -> via.devices();
            // nft_fib4_eval and nft_fib6_eval: an address of this host has no device.
            default -> List.of();
          };
      int ok = sameDevice ? FALSE : devices.isEmpty() ? FALSE : TRUE;
      if (sameDevice) {
        for (String device : devices) {
          ok = bdd.or(ok, space.arrivesOn(device));
        }
      }
      found = bdd.or(found, bdd.and(taken.getValue(), ok));
    }
    return found;
  }
}
