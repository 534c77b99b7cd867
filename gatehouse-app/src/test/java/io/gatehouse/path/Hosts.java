package io.gatehouse.path;

import io.gatehouse.bdd.Bounded;
import io.gatehouse.model.Address;
import io.gatehouse.model.Family;
import io.gatehouse.model.Interface.InterfaceAddress;
import io.gatehouse.model.Origin;
import io.gatehouse.model.Prefix;
import io.gatehouse.path.HostState.Device;
import io.gatehouse.path.HostState.Policy;
import io.gatehouse.path.HostState.Route;
import io.gatehouse.path.HostState.RouteKind;
import io.gatehouse.path.HostState.RoutingRule;
import io.gatehouse.path.HostState.SpdState;
import io.gatehouse.path.HostState.Tunnel;
import io.gatehouse.ruleset.Chain;
import io.gatehouse.ruleset.Chain.Hook;
import io.gatehouse.ruleset.Expression;
import io.gatehouse.ruleset.Expression.Meta;
import io.gatehouse.ruleset.NftSet;
import io.gatehouse.ruleset.Rule;
import io.gatehouse.ruleset.Statement;
import io.gatehouse.ruleset.Statement.Match;
import io.gatehouse.ruleset.Statement.Relation;
import io.gatehouse.ruleset.Statement.Verdict;
import io.gatehouse.ruleset.Table;
import io.gatehouse.ruleset.XfrmPolicy.Direction;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.function.Function;

/** Hosts for the tests of the path, and nftables in few words. */
final class Hosts {
  static final Origin HERE = new Origin("test", 1, 1, "");
  static final String WAN = "eth0";
  static final String LAN = "eth1";
  static final Prefix POOL = Prefix.of("10.0.3.0/24");
  static final Prefix OFFICE = Prefix.of("10.0.1.0/24");
  static final Verdict ACCEPT = new Verdict.Accept();
  static final Verdict DROP = new Verdict.Drop();

  final List<Table> tables = new ArrayList<>();
  final List<Device> devices = new ArrayList<>();
  final List<RoutingRule> rules = new ArrayList<>();
  final List<Route> routes = new ArrayList<>();
  final List<Policy> policies = new ArrayList<>();
  final List<Tunnel> tunnels = new ArrayList<>();
  final Set<Direction> closed = EnumSet.noneOf(Direction.class);
  final Map<String, String> sysctls = new HashMap<>(Map.of("net/ipv4/ip_forward", "1"));

  /** A gateway with the world on eth0 and an office on eth1, and nothing else. */
  static Hosts gateway() {
    Hosts hosts = new Hosts();
    hosts.device(WAN, "203.0.113.1/24", "2001:db8::1/64");
    hosts.device(LAN, "10.0.1.1/24", "2001:db8:1::1/64");
    hosts.route("0.0.0.0/0", WAN);
    hosts.route("::/0", WAN);
    hosts.sysctls.put("net/ipv6/conf/all/forwarding", "1");
    return hosts;
  }

  void device(String name, String... addresses) {
    List<InterfaceAddress> all =
        Arrays.stream(addresses)
            .map(a -> a.split("/"))
            .map(a -> new InterfaceAddress(Address.of(a[0]), Integer.parseInt(a[1])))
            .toList();
    devices.add(new Device(name, all, true));
    all.forEach(a -> route(a.link().toString(), name));
  }

  void route(String prefix, String... devices) {
    routes.add(new Route(Prefix.of(prefix), Route.MAIN, 0, new RouteKind.Via(List.of(devices))));
  }

  /** A tunnel between the office and the pool. */
  Hosts staff(SpdState... states) {
    return tunnel("staff", OFFICE, POOL, states);
  }

  Hosts tunnel(String name, Prefix near, Prefix far, SpdState... states) {
    tunnels.add(new Tunnel(name, Set.of(states), true, OptionalInt.empty(), false));
    long priority = 1000L - near.length() - far.length();
    policies.add(Policy.protecting(name, Direction.OUT, near, far, priority, HERE));
    policies.add(Policy.protecting(name, Direction.IN, far, near, priority, HERE));
    policies.add(Policy.protecting(name, Direction.FWD, far, near, priority, HERE));
    return this;
  }

  Hosts policy(
      Direction direction, String source, String destination, HostState.PolicyAction action) {
    policies.add(
        new Policy(
            direction,
            Prefix.of(source),
            Prefix.of(destination),
            OptionalInt.empty(),
            Optional.empty(),
            Optional.empty(),
            0xfffffff0L,
            Optional.empty(),
            0,
            action,
            Optional.empty(),
            HERE));
    return this;
  }

  Hosts table(String name, Chain... chains) {
    return table("inet", name, List.of(), chains);
  }

  Hosts table(String family, String name, List<NftSet> sets, Chain... chains) {
    tables.add(new Table(family, name, sets, List.of(chains)));
    return this;
  }

  HostState state() {
    return new HostState(tables, devices, rules, routes, policies, tunnels, closed, sysctls);
  }

  /** Asks about IPv4 packets, and fails where the question is too large. */
  <T> T ask(Function<PacketPath, T> question) {
    return ask(Family.V4, question);
  }

  <T> T ask(Family family, Function<PacketPath, T> question) {
    return switch (PacketPath.<T>ask(state(), family, 2_000_000, question)) {
      case Bounded.Answer<T> answer -> answer.value();
      case Bounded.GaveUp<T> gaveUp -> throw new AssertionError("gave up: " + gaveUp);
    };
  }

  // ---- nftables in few words
  // ----------------------------------------------------------------------------------------------------------

  static Chain chain(String name, Rule... rules) {
    return new Chain(name, Optional.empty(), List.of(rules));
  }

  static Chain base(String type, Hook hook, int priority, Rule... rules) {
    return base(type, hook, priority, false, rules);
  }

  static Chain base(String type, Hook hook, int priority, boolean drops, Rule... rules) {
    String name =
        type + "_" + hook.name().toLowerCase(java.util.Locale.ROOT) + "_" + Math.abs(priority);
    return new Chain(
        name,
        Optional.of(new Chain.Base(type, hook, priority, drops, Optional.empty())),
        List.of(rules));
  }

  static Chain forward(Rule... rules) {
    return base("filter", Hook.FORWARD, 0, rules);
  }

  static Rule rule(Statement... statements) {
    return new Rule(List.of(statements), "", HERE);
  }

  static Match is(Expression.Selector selector, Expression.Value... values) {
    return new Match(selector, Relation.IS, one(values));
  }

  static Match not(Expression.Selector selector, Expression.Value... values) {
    return new Match(selector, Relation.NOT, one(values));
  }

  private static Expression.Value one(Expression.Value... values) {
    return values.length == 1 ? values[0] : new Expression.AnyOf(List.of(values));
  }

  static Expression.Selector saddr() {
    return new Expression.Payload("ip", "saddr");
  }

  static Expression.Selector daddr() {
    return new Expression.Payload("ip", "daddr");
  }

  static Expression.Selector dport(String protocol) {
    return new Expression.Payload(protocol, "dport");
  }

  static Expression.Selector sport(String protocol) {
    return new Expression.Payload(protocol, "sport");
  }

  static Expression.Selector meta(Meta.Key key) {
    return new Meta(key);
  }

  static Expression.Selector ct(String key) {
    return new Expression.Ct(key, Optional.empty());
  }

  static Expression.Value net(String prefix) {
    return new Expression.Net(Prefix.of(prefix));
  }

  static Expression.Value net(Prefix prefix) {
    return new Expression.Net(prefix);
  }

  static Expression.Value name(String symbol) {
    return new Expression.Symbol(symbol);
  }

  static Expression.Value text(String text) {
    return new Expression.Text(text);
  }

  static Expression.Value number(long number) {
    return new Expression.Number(number);
  }

  static Match iif(String device) {
    return is(meta(Meta.Key.IIFNAME), text(device));
  }

  static Match oif(String device) {
    return is(meta(Meta.Key.OIFNAME), text(device));
  }

  static Match willBeProtected() {
    return is(new Expression.Rt("ipsec"), name("exists"));
  }

  static Match leavesInClear() {
    return is(new Expression.Rt("ipsec"), name("missing"));
  }

  static Match decrypted() {
    return is(meta(Meta.Key.IPSEC), name("exists"));
  }

  static Match state(String... states) {
    return is(ct("state"), Arrays.stream(states).map(Hosts::name).toArray(Expression.Value[]::new));
  }

  static Statement setMark(long mark) {
    return new Statement.Assign(meta(Meta.Key.MARK), number(mark));
  }

  static Statement masquerade() {
    return new Statement.Nat.Masquerade(Optional.empty(), List.of());
  }

  static Statement snat(String address) {
    return new Statement.Nat.Source(
        Optional.of(new Expression.Addr(Address.of(address))), Optional.empty(), List.of());
  }

  static Statement dnat(String address) {
    return new Statement.Nat.Destination(
        Optional.of(new Expression.Addr(Address.of(address))), Optional.empty(), List.of());
  }

  static Statement prefixed(boolean source, String to) {
    return new Statement.Nat.Prefixed(source, Prefix.of(to));
  }

  static Statement jump(String chain) {
    return new Verdict.Jump(chain);
  }

  static Statement go(String chain) {
    return new Verdict.Goto(chain);
  }

  /** A UDP packet. */
  static HeaderSpace.Packet udp(String device, String source, String destination, int port) {
    return packet(device, Optional.empty(), 17, source, destination, 40000, port);
  }

  /** A UDP packet that the tunnel brought. */
  static HeaderSpace.Packet udpIn(String tunnel, String source, String destination, int port) {
    return packet(WAN, Optional.of(tunnel), 17, source, destination, 40000, port);
  }

  static HeaderSpace.Packet packet(
      String device,
      Optional<String> tunnel,
      int protocol,
      String source,
      String destination,
      int sourcePort,
      int destinationPort) {
    return new HeaderSpace.Packet(
        device,
        tunnel,
        HeaderSpace.Connection.NEW,
        false,
        protocol,
        Address.of(source),
        Address.of(destination),
        sourcePort,
        destinationPort,
        0,
        0);
  }

  /**
   * What becomes of one packet, in words: {@code eth0 10.0.1.5 > 8.8.8.8}, {@code here …}, or
   * {@code dropped by …}.
   */
  Set<String> fates(HeaderSpace.Packet packet) {
    return ask(
        packet.source().family(),
        path -> {
          HeaderSpace space = path.space();
          Journey journey = path.received(space.only(packet));
          Set<String> fates = new java.util.TreeSet<>();
          int left = journey.left();
          int inClear = journey.leftInClear();
          for (String device : space.devices()) {
            int by = space.bdd().and(left, journey.leftBy(device));
            outcome(journey, space.bdd().and(by, inClear))
                .ifPresent(o -> fates.add(device + " " + o));
            outcome(journey, space.bdd().difference(by, inClear))
                .ifPresent(o -> fates.add(device + " protected " + o));
          }
          outcome(journey, journey.delivered()).ifPresent(o -> fates.add("here " + o));
          for (Journey.Hop hop : journey.hops()) {
            for (Journey.Decision decision : hop.decisions()) {
              if (decision.effect() == Journey.Effect.DROPPED && decision.packets() != 0) {
                fates.add("dropped by " + decider(decision.by()));
              }
            }
          }
          return fates;
        });
  }

  private static Optional<String> outcome(Journey journey, int set) {
    return set == 0
        ? Optional.empty()
        : journey.outcome(set).map(o -> o.source() + " > " + o.destination());
  }

  private static String decider(Journey.Decider decider) {
    return switch (decider) {
      case Journey.Decider.ByXfrmPolicy xfrm ->
          "xfrm " + xfrm.policy().direction() + " " + xfrm.policy().action();
      default -> decider.toString();
    };
  }
}
