package io.gatehouse.it.path;

import io.gatehouse.model.Address;
import io.gatehouse.model.Family;
import io.gatehouse.model.PortRange;
import io.gatehouse.model.Prefix;
import io.gatehouse.path.HostState;
import io.gatehouse.path.HostState.Policy;
import io.gatehouse.path.HostState.PolicyAction;
import io.gatehouse.path.HostState.Route;
import io.gatehouse.path.HostState.RoutingRule;
import io.gatehouse.path.HostState.RuleAction;
import io.gatehouse.path.HostState.SpdState;
import io.gatehouse.path.HostState.Tunnel;
import io.gatehouse.ruleset.Chain;
import io.gatehouse.ruleset.Chain.Hook;
import io.gatehouse.ruleset.Expression.Ipsec;
import io.gatehouse.ruleset.Expression.Meta;
import io.gatehouse.ruleset.Expression.Number;
import io.gatehouse.ruleset.Expression.Symbol;
import io.gatehouse.ruleset.Rule;
import io.gatehouse.ruleset.Statement;
import io.gatehouse.ruleset.Table;
import io.gatehouse.ruleset.XfrmPolicy.Direction;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Random;
import java.util.Set;

/**
 * The hosts of {@link Wild}, with two tunnels that are up: their SAs stand, and packets use them.
 */
final class Live {
  /** Reqids by tunnel. */
  private static final Map<String, Integer> UP = Map.of("a", 11, "c", 13);

  /** The table of the ways to the other ends. */
  private static final int WAY_OF_ESP = 102;

  private static final int INBOUND = 0x100;
  private static final int OUTBOUND = 0x200;

  private final Random random;

  private Live(Random random) {
    this.random = random;
  }

  /** The SPI of what comes through a tunnel. */
  static int inbound(String tunnel) {
    return INBOUND + UP.getOrDefault(tunnel, 0);
  }

  /** The tunnel that an SPI belongs to, in either direction; nothing for 0. */
  static Optional<String> tunnel(int spi) {
    return UP.entrySet().stream()
        .filter(e -> e.getValue() == (spi & 0xff))
        .map(Map.Entry::getKey)
        .findFirst();
  }

  /** The SAs of a host, for {@code ip}: null encryption, so that the judge can read along. */
  static List<String> states(HostState host) {
    List<String> lines = new ArrayList<>();
    for (Tunnel tunnel : host.tunnels()) {
      if (tunnel.states().equals(Set.of(SpdState.UP))) {
        for (Family family : Family.values()) {
          Map.Entry<Address, Address> ends = Wild.ends(family);
          lines.add(state(ends.getValue(), ends.getKey(), INBOUND, tunnel));
          lines.add(state(ends.getKey(), ends.getValue(), OUTBOUND, tunnel));
        }
      }
    }
    return lines;
  }

  private static String state(Address from, Address to, int base, Tunnel tunnel) {
    int reqid = tunnel.reqid().orElseThrow();
    return ("%s xfrm state add src %s dst %s proto esp spi %d reqid %d mode tunnel"
            + " auth-trunc hmac(sha256) 0x%s 128 enc ecb(cipher_null) \"\"")
        .formatted(
            from.family() == Family.V4 ? "ip" : "ip6",
            from,
            to,
            base + reqid,
            reqid,
            "47".repeat(32));
  }

  // ---- hosts

  static HostState host(long seed) {
    HostState wild = Wild.host(seed);
    return new Live(new Random(seed * 31 + 7)).host(wild);
  }

  private HostState host(HostState wild) {
    List<Tunnel> tunnels = new ArrayList<>();
    UP.forEach((name, reqid) ->
        tunnels.add(new Tunnel(name, Set.of(SpdState.UP), true, OptionalInt.of(reqid), false)));
    tunnels.add(new Tunnel("b", Set.of(SpdState.NO_SA), false, OptionalInt.of(12), false));
    List<RoutingRule> rules = new ArrayList<>(wild.rules());
    List<Route> routes = new ArrayList<>(wild.routes());
    for (Family family : Family.values()) {
      // The other end is reached, whatever the host's other rules say.
      Prefix end = Prefix.host(Wild.ends(family).getValue());
      rules.add(
          new RoutingRule(
              family,
              1,
              false,
              Optional.empty(),
              Optional.of(end),
              Optional.empty(),
              Optional.empty(),
              Optional.empty(),
              OptionalInt.empty(),
              Optional.empty(),
              Optional.empty(),
              new RuleAction.Lookup(WAY_OF_ESP, OptionalInt.empty()),
              Optional.empty()));
      routes.add(
          new Route(
              end,
              WAY_OF_ESP,
              family == Family.V6 ? 1024 : 0,
              new HostState.RouteKind.Via(List.of("eth0"))));
    }
    return new HostState(
        wild.tables().stream().map(this::lettingEspPass).toList(),
        wild.devices(),
        rules,
        routes,
        policies(),
        tunnels,
        wild.blockedByDefault(),
        wild.sysctls());
  }

  /** The same host as packets of a family see it, whose SAs have ends of their own. */
  static HostState withEnds(HostState host, Family family) {
    Map.Entry<Address, Address> ends = Wild.ends(family);
    return new HostState(
        host.tables(),
        host.devices(),
        host.rules(),
        host.routes(),
        host.policies(),
        host.tunnels().stream()
            .map(tunnel ->
                new Tunnel(
                    tunnel.name(),
                    tunnel.states(),
                    tunnel.tunnelMode(),
                    tunnel.reqid(),
                    tunnel.setsMark(),
                    Optional.of(ends.getKey()),
                    Optional.of(ends.getValue()),
                    tunnel.protocol()))
            .toList(),
        host.blockedByDefault(),
        host.sysctls());
  }

  /** Whether a rule is there for ESP to leave at all, of which the model says nothing. */
  static boolean isWayOfEsp(RoutingRule rule) {
    return rule.action() instanceof RuleAction.Lookup lookup && lookup.table() == WAY_OF_ESP;
  }

  /** The same of a route. */
  static boolean isWayOfEsp(Route route) {
    return route.table() == WAY_OF_ESP;
  }

  /** ESP itself passes, so that there is something to see; some rules ask which SA it was. */
  private Table lettingEspPass(Table table) {
    List<Chain> chains = new ArrayList<>();
    for (Chain chain : table.chains()) {
      List<Rule> rules = new ArrayList<>(chain.rules());
      if (chain.base().isPresent()) {
        Chain.Base base = chain.base().get();
        if (!base.type().equals("nat") && random.nextInt(2) == 0) {
          aboutSa(base.hook()).ifPresent(rules::addFirst);
        }
        rules.addFirst(
            rule(
                new Statement.Match(
                    new Meta(Meta.Key.L4PROTO), Statement.Relation.IS, new Symbol("esp")),
                new Statement.Verdict.Accept()));
      }
      chains.add(new Chain(chain.name(), chain.base(), rules));
    }
    return new Table(table.family(), table.name(), table.sets(), chains);
  }

  /** Nothing where nft knows no SA: before a hook's routing or behind it. */
  private Optional<Rule> aboutSa(Hook hook) {
    boolean in = hook == Hook.PREROUTING || hook == Hook.INPUT || hook == Hook.FORWARD;
    boolean out = hook == Hook.OUTPUT || hook == Hook.POSTROUTING;
    if (!in && !out) {
      return Optional.empty();
    }
    return Optional.of(
        rule(
            new Statement.Match(
                new Ipsec(in, 0, "reqid"),
                Statement.Relation.IS,
                new Number(pick(List.copyOf(UP.values())))),
            random.nextInt(3) == 0
                ? new Statement.Verdict.Drop()
                : new Statement.Assign(new Meta(Meta.Key.MARK), new Number(random.nextInt(4)))));
  }

  private static Rule rule(Statement... statements) {
    return new Rule(List.of(statements), "", WildRules.HERE);
  }

  private List<Policy> policies() {
    List<Policy> policies = new ArrayList<>();
    Set<String> there = new HashSet<>();
    int count = 3 + random.nextInt(6);
    for (int i = 0; i < count; i++) {
      boolean six = random.nextInt(3) == 0;
      Prefix all = six ? Prefix.ALL_V6 : Prefix.ALL_V4;
      Prefix near = random.nextInt(3) == 0 ? all : Wild.prefix(random, six);
      Prefix far = random.nextInt(3) == 0 ? all : Wild.prefix(random, six);
      int lot = random.nextInt(8);
      PolicyAction action =
          lot == 0 ? PolicyAction.BLOCK : lot == 1 ? PolicyAction.BYPASS : PolicyAction.PROTECT;
      String tunnel = pick(List.of("a", "a", "c", "b"));
      int narrow = random.nextInt(6);
      // As charon lays them: three for a pair of networks; sometimes one is missing.
      for (Direction direction : Direction.values()) {
        boolean out = direction == Direction.OUT;
        Prefix source = out ? near : far;
        Prefix destination = out ? far : near;
        if (random.nextInt(8) == 0 || !there.add(direction + " " + source + " " + destination)) {
          continue;
        }
        Optional<PortRange> port =
            narrow == 0 ? Optional.of(PortRange.of(pick(Wild.PORTS))) : Optional.empty();
        policies.add(
            new Policy(
                direction,
                source,
                destination,
                narrow <= 1 ? OptionalInt.of(17) : OptionalInt.empty(),
                out ? Optional.empty() : port,
                out ? port : Optional.empty(),
                100L + i,
                Optional.empty(),
                0,
                action,
                action == PolicyAction.PROTECT ? Optional.of(tunnel) : Optional.empty(),
                WildRules.HERE));
      }
    }
    return policies;
  }

  // ---- packets

  static List<Sent> packets(long seed, int count) {
    Live live = new Live(new Random(~seed * 31));
    return Wild.packets(seed, count).stream().map(live::throughTunnel).toList();
  }

  private Sent throughTunnel(Sent sent) {
    return sent.device().isEmpty() || random.nextBoolean()
        ? sent
        : sent.through(pick(List.of("a", "c")));
  }

  private <T> T pick(List<? extends T> of) {
    return of.get(random.nextInt(of.size()));
  }
}
