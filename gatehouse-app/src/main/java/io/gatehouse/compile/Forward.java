package io.gatehouse.compile;

import io.gatehouse.compile.Access.Caller;
import io.gatehouse.compile.Grant.Target;
import io.gatehouse.model.Family;
import io.gatehouse.model.Host;
import io.gatehouse.model.Host.Flow;
import io.gatehouse.model.Host.InternetAccess;
import io.gatehouse.model.Host.PortForward;
import io.gatehouse.model.Network;
import io.gatehouse.model.Origin;
import io.gatehouse.model.Place;
import io.gatehouse.model.Prefix;
import io.gatehouse.model.Protocol;
import io.gatehouse.model.Service;
import io.gatehouse.model.Tunnel;
import io.gatehouse.model.Tunnel.Group;
import io.gatehouse.ruleset.Chain.Hook;
import io.gatehouse.ruleset.Expression.Ct;
import io.gatehouse.ruleset.Expression.Selector;
import io.gatehouse.ruleset.Expression.SetRef;
import io.gatehouse.ruleset.Expression.Symbol;
import io.gatehouse.ruleset.Expression.Value;
import io.gatehouse.ruleset.Rule;
import io.gatehouse.ruleset.Statement;
import io.gatehouse.ruleset.Statement.Match;
import io.gatehouse.ruleset.Statement.Verdict;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.BiPredicate;
import java.util.stream.Collectors;

/** What goes through this host. */
final class Forward {
  private final Draft draft;
  private final Host host;
  private final boolean closed;

  private Forward(Draft draft) {
    this.draft = draft;
    host = draft.gateway.host();
    closed = host.forward() == Host.Forward.ALL;
  }

  static void write(Draft draft) {
    Forward forward = new Forward(draft);
    draft.base("forward", "filter", Hook.FORWARD, 0, forward.closed, forward.rules());
  }

  // The order is the safety: what is wrong goes first, or it would ride on an established
  // connection.
  private List<Rule> rules() {
    List<Rule> rules = new ArrayList<>();
    rules.addAll(Evidence.spoofed(draft));
    rules.addAll(Evidence.strayed(draft));
    rules.addAll(Evidence.towardsFarUntranslated(draft));
    host.flows().stream()
        .filter(Forward::staysOnItsLink)
        .forEach(flow -> rules.addAll(oneWay(flow)));
    rules.addAll(PastConntrack.forward(draft));
    // NAT would not see it, and it would leave with the address that it has here.
    rules.add(
        Nft.rule(
            "conntrack can make nothing of it",
            Origin.builtIn("invalid"),
            Nft.state("invalid"),
            unallowed()));
    rules.addAll(VpnHosts.learning(draft));
    rules.addAll(Icmp.connections(draft));
    rules.addAll(fromTunnels());
    rules.addAll(towardsTunnels());
    host.flows().forEach(flow -> rules.addAll(flow(flow)));
    host.internet().forEach(access -> rules.addAll(internet(access)));
    host.portForwards().stream()
        .filter(PortForwards::isUsable)
        .forEach(forward -> rules.addAll(portForward(forward)));
    rules.addAll(VpnHosts.forward(draft));
    rules.add(end());
    return rules;
  }

  /** All that the rules of a class depend on. */
  private record FromKey(Set<Granted> granted, String withGroups) {}

  /** A grant without its place in the description. */
  private record Granted(Target target, Set<Service> services) {}

  /** What came through a tunnel: its class decides by source. */
  private List<Rule> fromTunnels() {
    List<TunnelClass<FromKey>> classes =
        TunnelClass.of(
            reachable(),
            tunnel ->
                new FromKey(
                    draft.access.reach(tunnel).stream()
                        .map(g -> new Granted(g.target(), Set.copyOf(g.services())))
                        .collect(Collectors.toSet()),
                    tunnel.groups().isEmpty() ? "" : tunnel.name()));
    List<Rule> rules = new ArrayList<>();
    rules.addAll(
        ByClass.rules(draft, "from", classes, Nft.DECRYPTED, Nft::saddr, "came through a tunnel"));
    for (TunnelClass<FromKey> members : classes) {
      Tunnel tunnel = members.first();
      List<Family> families = families(members.tunnels());
      List<Rule> chain = new ArrayList<>(ByClass.groups(draft, "from", tunnel));
      chain.addAll(granted(tunnel.name(), draft.access.reach(tunnel), families, tunnel.origin()));
      draft.chain("from_" + members.name(), chain);
      for (Group group : tunnel.groups()) {
        draft.chain(
            ByClass.chain("from", tunnel, group),
            granted(group.name(), draft.access.reach(tunnel, group), families, group.origin()));
      }
    }
    return rules;
  }

  private List<Tunnel> reachable() {
    return draft.gateway.tunnels().stream().filter(t -> !t.farPrefixes().isEmpty()).toList();
  }

  private static List<Family> families(Collection<Tunnel> tunnels) {
    return families(tunnels, (tunnel, family) -> true);
  }

  private static List<Family> families(
      Collection<Tunnel> tunnels, BiPredicate<Tunnel, Family> which) {
    return tunnels.stream()
        .flatMap(tunnel ->
            tunnel.farPrefixes().stream()
                .map(prefix -> prefix.value().family())
                .filter(family -> which.test(tunnel, family)))
        .distinct()
        .sorted()
        .toList();
  }

  private List<Rule> granted(String who, List<Grant> grants, List<Family> families, Origin origin) {
    List<Rule> rules = new ArrayList<>();
    for (Grant grant : grants) {
      for (Family family : families) {
        draft
            .places
            .towards(grant.target(), family)
            .ifPresent(there ->
                rules.addAll(
                    accept(
                        who + " may reach " + grant.target().name(),
                        grant.origin(),
                        there,
                        grant.services(),
                        family)));
      }
    }
    rules.add(draft.end("tunnel", who + " may reach nothing else", origin));
    return rules;
  }

  private static List<Rule> accept(
      String why, Origin origin, List<Statement> where, List<Service> services, Family family) {
    return Nft.services(services, List.of(family)).stream()
        .map(which -> Nft.rule(why, origin, Nft.all(where, which, List.of(Nft.ACCEPT))))
        .toList();
  }

  /** What is on its way into a tunnel without having come through one. */
  private List<Rule> towardsTunnels() {
    List<TunnelClass<Set<Caller>>> classes =
        TunnelClass.of(reachable(), tunnel -> Set.copyOf(draft.access.callers(tunnel))).stream()
            .filter(members -> !members.key().isEmpty())
            .toList();
    List<Rule> rules = new ArrayList<>();
    if (!draft.gateway.tunnels().isEmpty()) {
      // Else somebody else's tunnel could speak for our LAN.
      rules.add(
          Nft.rule(
              "decrypted, but from no tunnel of ours",
              Origin.builtIn("tunnel-evidence"),
              Nft.DECRYPTED,
              unallowed()));
    }
    rules.addAll(
        towards(
            "to", classes, Nft.PROTECTED, (t, family) -> !t.maps(family), "goes into a tunnel"));
    // These find it only when their source has changed; the guard looks whether they did.
    rules.addAll(
        towards(
            "image_to",
            classes,
            Nft.IN_CLEAR,
            Tunnel::maps,
            "will go into a tunnel, under another address"));
    rules.addAll(SharedClient.forward(draft));
    for (Family family : Family.values()) {
      draft
          .places
          .far(family)
          .ifPresent(far ->
              rules.add(
                  Nft.rule(
                      "nobody may begin towards this tunnel",
                      Origin.builtIn("tunnel-evidence"),
                      Nft.is(Nft.daddr(family), far),
                      draft.drop("tunnel"))));
    }
    return rules;
  }

  /** The rules that lead to the chains of classes, and these. */
  private List<Rule> towards(
      String prefix,
      List<TunnelClass<Set<Caller>>> all,
      Match evidence,
      BiPredicate<Tunnel, Family> which,
      String why) {
    List<TunnelClass<Set<Caller>>> classes =
        all.stream().filter(members -> !families(members.tunnels(), which).isEmpty()).toList();
    List<Rule> rules = ByClass.rules(draft, prefix, classes, evidence, Nft::daddr, which, why);
    for (TunnelClass<Set<Caller>> members : classes) {
      Tunnel tunnel = members.first();
      List<Rule> chain = new ArrayList<>();
      for (Caller caller : draft.access.callers(tunnel)) {
        for (Family family : families(members.tunnels(), which)) {
          draft
              .places
              .from(caller.from(), family)
              .ifPresent(from ->
                  chain.addAll(
                      accept(
                          caller.from().name() + " may reach " + tunnel.name(),
                          tunnel.origin(),
                          from,
                          caller.services(),
                          family)));
        }
      }
      chain.add(draft.end("tunnel", "nobody else may begin here", tunnel.origin()));
      draft.chain(prefix + "_" + members.name(), chain);
    }
    return rules;
  }

  /**
   * What one network may begin towards another; flows from and to tunnels stand in their classes.
   */
  private List<Rule> flow(Flow flow) {
    return flow(flow, flow.to().services(), List.of());
  }

  /**
   * A host of a network that leads on to another answers past us, by the link that all are on: of
   * such a TCP connection we see one direction only, and conntrack calls that invalid.
   */
  private List<Rule> oneWay(Flow flow) {
    List<Service> services = flow.to().services();
    List<Service> tcp =
        services.isEmpty()
            ? List.of(new Service(Protocol.TCP, Optional.empty()))
            : services.stream().filter(s -> s.protocol() == Protocol.TCP).toList();
    return tcp.isEmpty()
        ? List.of()
        : flow(flow, tcp, List.of(Nft.NOT_DECRYPTED, Nft.state("invalid")));
  }

  private static boolean staysOnItsLink(Flow flow) {
    return flow.from() instanceof Network from
        && flow.to().place() instanceof Network to
        && !from.equals(to)
        && from.on().equals(to.on());
  }

  private List<Rule> flow(Flow flow, List<Service> services, List<Statement> more) {
    List<Rule> rules = new ArrayList<>();
    if (flow.from() instanceof Place.OfTunnel || flow.to().place() instanceof Place.OfTunnel) {
      return rules;
    }
    String why = flow.from().name() + " may reach " + flow.to().place().name();
    for (Family family : Family.values()) {
      Optional<List<Statement>> from = draft.places.from(draft.places.target(flow.from()), family);
      Optional<List<Statement>> to =
          draft.places.towards(draft.places.target(flow.to().place()), family);
      if (from.isPresent() && to.isPresent() && flow.has(family)) {
        List<Statement> which = new ArrayList<>(Nft.all(from.get(), to.get(), more));
        some(Nft.saddr(family), flow.sources(), family).ifPresent(which::add);
        some(Nft.daddr(family), flow.destinations(), family).ifPresent(which::add);
        rules.addAll(accept(why, flow.to().origin(), which, services, family));
      }
    }
    return rules;
  }

  /** One of these, where they are not all. */
  private static Optional<Statement> some(Selector address, List<Prefix> some, Family family) {
    List<Value> values = some.stream().filter(one -> one.family() == family).map(Nft::net).toList();
    return values.isEmpty() ? Optional.empty() : Optional.of(Nft.is(address, Nft.anyOf(values)));
  }

  private List<Rule> internet(InternetAccess access) {
    List<Rule> rules = new ArrayList<>();
    for (Family family : Family.values()) {
      Optional<List<Statement>> from =
          draft.places.from(draft.places.target(access.from()), family);
      Optional<List<Statement>> to = draft.places.towards(new Target.World(), family);
      if (from.isPresent() && to.isPresent()) {
        rules.addAll(
            accept(
                access.from().name() + " may reach the internet",
                access.origin(),
                Nft.all(from.get(), to.get()),
                access.services(),
                family));
      }
    }
    return rules;
  }

  /** What was sent to an outside address of ours, after its destination was rewritten. */
  private List<Rule> portForward(PortForward forward) {
    Family family = forward.to().value().family();
    List<Statement> where = new ArrayList<>();
    where.add(Nft.is(Nft.IIFNAME, Nft.device(forward.on().device())));
    PortForwards.from(forward, family).ifPresent(where::add);
    where.add(Nft.is(new Ct("status", Optional.empty()), new Symbol("dnat")));
    where.add(Nft.is(Nft.daddr(family), Nft.address(forward.to().value())));
    return accept(
        "port forward to " + forward.to().value(),
        forward.origin(),
        where,
        List.of(PortForwards.arriving(forward)),
        family);
  }

  private Rule end() {
    return Nft.rule("nothing allows it", host.origin(), unallowed());
  }

  /** What becomes of what nothing allows: everything is dropped, or what is ours. */
  private Verdict unallowed() {
    if (closed) {
      return draft.drop("forward");
    }
    draft.chain("ours", ours());
    return Nft.goTo("ours");
  }

  /**
   * Drops what touches anything of ours. What is between foreign interfaces, or between them and
   * the world, goes on.
   */
  private List<Rule> ours() {
    List<Rule> rules = new ArrayList<>();
    Origin origin = host.origin();
    Statement drop = draft.drop("forward");
    Optional<SetRef> inside = draft.places.inside();
    inside.ifPresent(devices -> {
      rules.add(Nft.rule("from inside, not allowed", origin, Nft.is(Nft.IIFNAME, devices), drop));
      rules.add(Nft.rule("to the inside, not allowed", origin, Nft.is(Nft.OIFNAME, devices), drop));
    });
    for (Family family : Family.values()) {
      draft
          .places
          .ours(family)
          .ifPresent(ours -> {
            rules.add(
                Nft.rule(
                    "from an address of ours, not allowed",
                    origin,
                    Nft.is(Nft.saddr(family), ours),
                    drop));
            rules.add(
                Nft.rule(
                    "to an address of ours, not allowed",
                    origin,
                    Nft.is(Nft.daddr(family), ours),
                    drop));
          });
    }
    draft
        .places
        .outside()
        .ifPresent(devices ->
            rules.add(
                Nft.rule(
                    "from the world to the world",
                    origin,
                    Nft.is(Nft.IIFNAME, devices),
                    Nft.is(Nft.OIFNAME, devices),
                    drop)));
    return rules;
  }
}
