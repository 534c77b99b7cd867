package io.gatehouse.compile;

import io.gatehouse.model.Family;
import io.gatehouse.model.Host;
import io.gatehouse.model.Host.Offer;
import io.gatehouse.model.Host.Ping;
import io.gatehouse.model.Interface;
import io.gatehouse.model.Located;
import io.gatehouse.model.Network;
import io.gatehouse.model.Origin;
import io.gatehouse.model.Place;
import io.gatehouse.model.Protocol;
import io.gatehouse.model.Service;
import io.gatehouse.model.Tunnel;
import io.gatehouse.model.Tunnel.Group;
import io.gatehouse.ruleset.Chain.Hook;
import io.gatehouse.ruleset.Expression.SetRef;
import io.gatehouse.ruleset.Rule;
import io.gatehouse.ruleset.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** What reaches this host itself. */
final class Input {
  private static final int L2TP = 1701;

  private final Draft draft;
  private final Host host;

  private Input(Draft draft) {
    this.draft = draft;
    host = draft.gateway.host();
  }

  static void write(Draft draft) {
    Input input = new Input(draft);
    draft.base("input", "filter", Hook.INPUT, 0, draft.gateway.host().inputClosed(), input.rules());
  }

  // The order is the safety: what is wrong goes first, or it would ride on an established
  // connection.
  private List<Rule> rules() {
    List<Rule> rules = new ArrayList<>();
    rules.add(
        Nft.rule(
            "this host to itself",
            Origin.builtIn("loopback"),
            Nft.is(Nft.IIFNAME, Nft.device("lo")),
            Nft.ACCEPT));
    rules.addAll(new Ike(draft).inFromAmidst());
    rules.addAll(Evidence.spoofed(draft));
    rules.addAll(Evidence.strayed(draft));
    l2tp().ifPresent(tunnel -> rules.add(plaintextL2tp(tunnel)));
    rules.addAll(Icmp.connections(draft));
    rules.addAll(fromTunnels());
    rules.addAll(new Ike(draft).in());
    rules.addAll(neighbours());
    rules.addAll(ping());
    rules.addAll(Dhcp.answersToUs(draft.gateway));
    rules.addAll(Dhcp.answersForClients(draft.gateway));
    for (Offer offer : host.services()) {
      rules.addAll(offer(offer));
    }
    if (host.inputClosed()) {
      rules.add(draft.end("input", "nothing allows it", host.origin()));
    }
    return rules;
  }

  private Optional<Tunnel> l2tp() {
    return draft.gateway.tunnels().stream().filter(t -> t instanceof Tunnel.L2tp).findFirst();
  }

  /** Policies with a mark do not stop what comes in clear: seen on a stock 6.1 kernel. */
  private Rule plaintextL2tp(Tunnel tunnel) {
    return Nft.rule(
        "L2TP in clear",
        tunnel.origin(),
        Nft.NOT_DECRYPTED,
        Nft.udpDport(L2TP),
        draft.drop("l2tp"));
  }

  /**
   * What came through a tunnel: its class decides by source, and what has no class has no place
   * here.
   */
  private List<Rule> fromTunnels() {
    List<TunnelClass<Key>> classes =
        TunnelClass.of(
            draft.gateway.tunnels().stream().filter(t -> !t.farPrefixes().isEmpty()).toList(),
            tunnel ->
                new Key(
                    Set.copyOf(draft.access.services(tunnel)),
                    tunnel.groups().isEmpty() ? "" : tunnel.name()));
    List<Rule> rules = new ArrayList<>();
    rules.addAll(
        ByClass.rules(
            draft, "in", classes, Nft.DECRYPTED, Nft::saddr, "through a tunnel, to this host"));
    classes.forEach(this::writeClass);
    for (Tunnel tunnel : draft.gateway.tunnels()) {
      if (tunnel instanceof Tunnel.L2tp) {
        rules.addAll(transport(tunnel));
      }
    }
    if (host.inputClosed() && !draft.gateway.tunnels().isEmpty()) {
      rules.add(
          Nft.rule(
              "decrypted, but from no tunnel of ours",
              Origin.builtIn("tunnel-evidence"),
              Nft.DECRYPTED,
              draft.drop("input")));
    }
    return rules;
  }

  /** All that the rules of a class depend on. */
  private record Key(Set<Service> services, String withGroups) {}

  private void writeClass(TunnelClass<Key> members) {
    Tunnel tunnel = members.first();
    List<Rule> rules = new ArrayList<>();
    rules.addAll(ByClass.groups(draft, "in", tunnel));
    rules.addAll(
        services(draft.access.services(tunnel), tunnel.services(), tunnel.name(), tunnel.origin()));
    draft.chain("in_" + members.name(), rules);
    for (Group group : tunnel.groups()) {
      draft.chain(
          ByClass.chain("in", tunnel, group),
          services(
              draft.access.services(tunnel, group),
              group.services(),
              group.name(),
              group.origin()));
    }
  }

  private List<Rule> services(
      List<Service> services, List<Located<Service>> own, String who, Origin origin) {
    List<Rule> rules = new ArrayList<>();
    Origin written = own.isEmpty() ? origin : own.getFirst().origin();
    if (!services.isEmpty()) {
      for (List<Statement> which : Nft.services(services, List.of(Family.values()))) {
        rules.add(Nft.rule("services for " + who, written, Nft.all(which, List.of(Nft.ACCEPT))));
      }
    }
    if (host.ping() != Ping.NOBODY) {
      for (Family family : Family.values()) {
        rules.add(Nft.rule("ping", host.origin(), echo(family), Nft.ACCEPT));
      }
    }
    rules.add(draft.end("tunnel", "nothing else here for " + who, origin));
    return rules;
  }

  /** L2TP's clients have no address of ours yet: the SA and the port are the evidence. */
  private List<Rule> transport(Tunnel tunnel) {
    List<Service> services = new ArrayList<>(List.of(Service.of(Protocol.UDP, L2TP)));
    services.addAll(draft.access.services(tunnel));
    List<Rule> rules = new ArrayList<>();
    List<Statement> devices =
        List.of(
            Nft.DECRYPTED,
            Nft.is(
                Nft.IIFNAME,
                Nft.anyOf(tunnel.on().stream().map(at -> Nft.device(at.device())).toList())));
    for (List<Statement> which : Nft.services(services, List.of(Family.values()))) {
      rules.add(
          Nft.rule(
              "L2TP through " + tunnel.name(),
              tunnel.origin(),
              Nft.all(devices, which, List.of(Nft.ACCEPT))));
    }
    return rules;
  }

  private List<Rule> neighbours() {
    List<Rule> rules = new ArrayList<>();
    if (!draft.space.speaks(Family.V6)) {
      return rules;
    }
    rules.add(Icmp.neighbours());
    rules.add(
        Nft.rule(
            "routers ask who listens to what",
            Origin.builtIn("multicast-listener-discovery"),
            Icmp.type(Family.V6, "mld-listener-query"),
            Icmp.fromLinkLocal(),
            Icmp.hopLimit(1),
            Nft.ACCEPT));
    for (Interface at : draft.gateway.interfaces()) {
      if (at.routerAdvertisements()) {
        rules.add(
            Nft.rule(
                "router advertisements",
                at.origin(),
                Nft.is(Nft.IIFNAME, Nft.device(at.device())),
                Icmp.type(Family.V6, "nd-router-advert"),
                Icmp.fromLinkLocal(),
                Icmp.hopLimit(255),
                Nft.ACCEPT));
      }
    }
    draft
        .places
        .inside()
        .ifPresent(inside ->
            rules.add(
                Nft.rule(
                    "hosts look for a router",
                    Origin.builtIn("router-solicitation"),
                    Nft.is(Nft.IIFNAME, inside),
                    Icmp.type(Family.V6, "nd-router-solicit"),
                    Icmp.hopLimit(255),
                    Nft.ACCEPT)));
    return rules;
  }

  private static Statement echo(Family family) {
    return Icmp.type(family, "echo-request");
  }

  private List<Rule> ping() {
    List<Rule> rules = new ArrayList<>();
    for (Family family : Family.values()) {
      switch (host.ping()) {
        case NOBODY -> {}
        case ANYBODY ->
            rules.add(Nft.rule("ping, by anybody", host.origin(), echo(family), Nft.ACCEPT));
        case INSIDE -> {
          Optional<SetRef> inside = draft.places.inside();
          Optional<SetRef> networks = draft.places.networks(family);
          if (inside.isPresent() && networks.isPresent()) {
            rules.add(
                Nft.rule(
                    "ping, from inside",
                    host.origin(),
                    Nft.is(Nft.IIFNAME, inside.get()),
                    Nft.is(Nft.saddr(family), networks.get()),
                    echo(family),
                    Nft.ACCEPT));
          }
        }
      }
    }
    return rules;
  }

  private List<Rule> offer(Offer offer) {
    if (offer.from() instanceof Place.OfTunnel) {
      return List.of(); // stands in the tunnel's class
    }
    List<Rule> rules = new ArrayList<>();
    String why = (offer.admin() ? "administration from " : "services for ") + offer.from().name();
    if (offer.from() instanceof Network network) {
      rules.addAll(Dhcp.questions(network, offer));
      rules.addAll(linkLocal(network, offer, why));
    }
    for (Family family : Family.values()) {
      draft
          .places
          .from(draft.places.target(offer.from()), family)
          .ifPresent(from ->
              Nft.services(offer.services(), List.of(family))
                  .forEach(which ->
                      rules.add(
                          Nft.rule(
                              why, offer.origin(), Nft.all(from, which, List.of(Nft.ACCEPT))))));
    }
    return rules;
  }

  /**
   * Hosts of a link speak IPv6 from link-local addresses too, to a name server that an
   * advertisement told them.
   */
  private static List<Rule> linkLocal(Network network, Offer offer, String why) {
    List<Rule> rules = new ArrayList<>();
    boolean six = network.prefixes().stream().anyMatch(p -> p.value().family() == Family.V6);
    if (six && network.connected() && !network.on().isOutside()) {
      for (List<Statement> which : Nft.services(offer.services(), List.of(Family.V6))) {
        rules.add(
            Nft.rule(
                why,
                offer.origin(),
                Nft.all(
                    List.of(
                        Nft.is(Nft.IIFNAME, Nft.device(network.on().device())),
                        Icmp.fromLinkLocal()),
                    which,
                    List.of(Nft.ACCEPT))));
      }
    }
    return rules;
  }
}
