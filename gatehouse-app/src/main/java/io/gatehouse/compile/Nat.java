package io.gatehouse.compile;

import io.gatehouse.compile.Grant.Target;
import io.gatehouse.model.Address;
import io.gatehouse.model.Family;
import io.gatehouse.model.Gateway;
import io.gatehouse.model.Host.InternetAccess;
import io.gatehouse.model.Host.PortForward;
import io.gatehouse.model.Host.SourceNat;
import io.gatehouse.model.Located;
import io.gatehouse.model.Origin;
import io.gatehouse.model.Prefix;
import io.gatehouse.model.Tunnel;
import io.gatehouse.ruleset.Chain.Hook;
import io.gatehouse.ruleset.Expression.SetRef;
import io.gatehouse.ruleset.Expression.Value;
import io.gatehouse.ruleset.Rule;
import io.gatehouse.ruleset.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** Rewriting of addresses: port forwards on the way in, sources on the way out. */
final class Nat {
  /** Before routing; nft's dstnat. */
  private static final int IN_PRIORITY = -100;

  /** One before srcnat, so that ours are asked before everybody else's. */
  private static final int OUT_PRIORITY = 99;

  private final Draft draft;
  private final Gateway gateway;

  private Nat(Draft draft) {
    this.draft = draft;
    gateway = draft.gateway;
  }

  static void writeIn(Draft draft) {
    draft.base(
        "nat_in",
        "nat",
        Hook.PREROUTING,
        IN_PRIORITY,
        false,
        Stream.of(
                VpnHosts.natIn(draft).stream(),
                PptpCalls.natIn(draft).stream(),
                draft.gateway.host().portForwards().stream()
                    .filter(PortForwards::isUsable)
                    .flatMap(forward -> portForward(forward).stream()),
                Images.natIn(draft).stream())
            .flatMap(rules -> rules)
            .toList());
  }

  private static List<Rule> portForward(PortForward forward) {
    Family family = forward.to().value().family();
    List<Value> written =
        forward.on().addresses().stream()
            .map(a -> a.value().address())
            .filter(a -> a.family() == family)
            .map(Nft::address)
            .toList();
    List<Statement> where = new ArrayList<>();
    where.add(Nft.is(Nft.IIFNAME, Nft.device(forward.on().device())));
    PortForwards.from(forward, family).ifPresent(where::add);
    if (written.isEmpty()) {
      where.add(Nft.family(family));
      where.add(Nft.TO_THIS_HOST);
    } else {
      where.add(Nft.is(Nft.daddr(family), Nft.anyOf(written)));
    }
    Statement rewrite =
        new Statement.Nat.Destination(
            Optional.of(Nft.address(forward.to().value())),
            forward.toPort().map(Nft::number),
            List.of());
    return PortForwards.asked(forward, family).stream()
        .map(which ->
            Nft.rule(
                "port forward to " + forward.to().value(),
                forward.origin(),
                Nft.all(where, which, List.of(rewrite))))
        .toList();
  }

  static void writeOut(Draft draft) {
    Nat nat = new Nat(draft);
    List<Rule> rewriting = new ArrayList<>(Images.natOut(draft));
    for (Family family : Family.values()) {
      rewriting.addAll(nat.returns(family));
    }
    for (Family family : Family.values()) {
      rewriting.addAll(SharedClient.nat(draft, family));
      rewriting.addAll(nat.fixed(family));
      rewriting.addAll(nat.masqueraded(family));
    }
    if (!rewriting.isEmpty()) {
      // A rewritten source meets no IPsec policy any more, and the packet would leave in clear.
      rewriting.addFirst(
          Nft.rule(
              "IPsec will protect it: stays as it is",
              Origin.builtIn("nat-exemption"),
              Nft.PROTECTED,
              Nft.ACCEPT));
    }
    draft.base("nat_out", "nat", Hook.POSTROUTING, OUT_PRIORITY, false, rewriting);
  }

  /** Virtual IPs that the LAN does not know appear there as this host's inside address. */
  private List<Rule> returns(Family family) {
    List<Located<Prefix>> pools =
        draft.places.far(
            family,
            tunnel ->
                tunnel instanceof Tunnel.RemoteAccess access
                    && access.wayBack() == Tunnel.Return.NAT);
    Optional<SetRef> inside = draft.places.inside();
    Optional<SetRef> networks = draft.places.networks(family);
    if (inside.isEmpty() || networks.isEmpty()) {
      return List.of();
    }
    return draft.sets.addresses("return_nat", family, pools).stream()
        .map(set ->
            Nft.rule(
                "the LAN knows no way back to virtual IPs",
                pools.getFirst().origin(),
                Nft.is(Nft.OIFNAME, inside.get()),
                Nft.is(Nft.saddr(family), set),
                Nft.is(Nft.daddr(family), networks.get()),
                masquerade()))
        .toList();
  }

  /** Networks with a fixed address, on the interface that has it. */
  private List<Rule> fixed(Family family) {
    List<Rule> rules = new ArrayList<>();
    for (InternetAccess access : gateway.host().internet()) {
      if (access.nat() instanceof SourceNat.Fixed fixed
          && fixed.address().value().family() == family) {
        Address address = fixed.address().value();
        Target target = draft.places.target(access.from());
        Optional<List<Statement>> to = draft.places.towards(new Target.World(), family);
        draft
            .sets
            .addresses("net_" + access.from().name(), family, near(access, family))
            .ifPresent(set ->
                to.ifPresent(world ->
                    rules.add(
                        Nft.rule(
                            target.name() + " appears as " + address,
                            fixed.address().origin(),
                            Nft.all(
                                on(address, world),
                                List.of(
                                    Nft.is(Nft.saddr(family), set),
                                    new Statement.Nat.Source(
                                        Optional.of(Nft.address(address)),
                                        Optional.empty(),
                                        List.of())))))));
      }
    }
    return rules;
  }

  /**
   * Narrows a way to the world to the interface that the address is on, where that is written down.
   */
  private List<Statement> on(Address address, List<Statement> world) {
    return gateway.outside().stream()
        .filter(at -> at.addresses().stream().anyMatch(a -> a.value().address().equals(address)))
        .findFirst()
        .map(at ->
            Nft.all(
                List.of(Nft.is(Nft.OIFNAME, Nft.device(at.device()))),
                world.subList(1, world.size())))
        .orElse(world);
  }

  private List<Located<Prefix>> near(InternetAccess access, Family family) {
    return draft.space.network(access.from(), family);
  }

  /** Networks that only ever appear under another address in the world. */
  static List<Located<Prefix>> translated(Draft draft, Family family) {
    Nat nat = new Nat(draft);
    Stream<Located<Prefix>> networks =
        draft.gateway.host().internet().stream()
            .filter(access -> isTranslated(access.nat(), family))
            .flatMap(access -> nat.near(access, family).stream());
    return Stream.concat(networks, ofVpnHosts(draft, family))
        .filter(source -> !isRouted(source.value()))
        .distinct()
        .toList();
  }

  private static Stream<Located<Prefix>> ofVpnHosts(Draft draft, Family family) {
    return family == Family.V4 ? VpnHosts.translated(draft).stream() : Stream.empty();
  }

  private static boolean isTranslated(SourceNat nat, Family family) {
    return switch (nat) {
      case SourceNat.Masquerade masquerade -> true;
      case SourceNat.Fixed fixed -> fixed.address().value().family() == family;
      case SourceNat.None none -> false;
    };
  }

  /** One rule to a family for all that appears as the outside interface's address. */
  private List<Rule> masqueraded(Family family) {
    Stream<Located<Prefix>> pools = draft.places.far(family, draft.access::toInternet).stream();
    Stream<Located<Prefix>> networks =
        gateway.host().internet().stream()
            .filter(access -> !(access.nat() instanceof SourceNat.None))
            .flatMap(access -> near(access, family).stream());
    List<Located<Prefix>> sources =
        Stream.concat(Stream.concat(pools, networks), ofVpnHosts(draft, family))
            .filter(source -> family == Family.V4 || Prefix.UNIQUE_LOCAL.contains(source.value()))
            .toList();
    Optional<List<Statement>> world = draft.places.towards(new Target.World(), family);
    if (world.isEmpty()) {
      return List.of();
    }
    return draft.sets.addresses("masqueraded", family, sources).stream()
        .map(set ->
            Nft.rule(
                "appears as the outside interface's address",
                sources.getFirst().origin(),
                Nft.all(world.get(), List.of(Nft.is(Nft.saddr(family), set), masquerade()))))
        .toList();
  }

  private static Statement masquerade() {
    return new Statement.Nat.Masquerade(Optional.empty(), List.of());
  }

  /** Whether addresses go out into the world as they are. */
  static boolean isRouted(Prefix prefix) {
    return prefix.family() == Family.V6 && !Prefix.UNIQUE_LOCAL.contains(prefix);
  }
}
