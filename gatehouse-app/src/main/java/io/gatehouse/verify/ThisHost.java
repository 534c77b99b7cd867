package io.gatehouse.verify;

import io.gatehouse.bdd.Bdd;
import io.gatehouse.model.Esp;
import io.gatehouse.model.Family;
import io.gatehouse.model.Gateway;
import io.gatehouse.model.Host;
import io.gatehouse.model.Interface;
import io.gatehouse.model.Located;
import io.gatehouse.model.Network;
import io.gatehouse.model.Place;
import io.gatehouse.model.PortRange;
import io.gatehouse.model.Prefix;
import io.gatehouse.model.Protocol;
import io.gatehouse.model.Service;
import io.gatehouse.model.Tunnel;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** What may come to this host in clear, and what it may begin itself. */
final class ThisHost {
  private static final Prefix ALL_NODES = Prefix.of("ff02::1/128");
  private static final Prefix ALL_ROUTERS = Prefix.of("ff02::2/128");

  /** RFC 8415, 7.1. */
  private static final Prefix DHCP_SERVERS = Prefix.of("ff02::1:2/128");

  /** Groups that a link's own protocols speak to. */
  static final List<Prefix> GROUPS = List.of(ALL_NODES, ALL_ROUTERS, DHCP_SERVERS);

  private final Gateway gateway;
  private final Host host;
  private final Walk walk;
  private final Meaning meaning;
  private final Family family;

  /**
   * Something that is allowed.
   *
   * @param who does what, as the beginning of a sentence
   * @param packets all of it
   * @param ordinary those of it that anybody would send, and that must get through
   */
  private record Allowed(String who, int packets, int ordinary) {}

  private ThisHost(Meaning meaning) {
    this.meaning = meaning;
    gateway = meaning.gateway();
    walk = meaning.walk();
    host = gateway.host();
    family = walk.space().family();
  }

  static List<Suspect> of(Meaning meaning) {
    ThisHost host = new ThisHost(meaning);
    Suspects suspects = Suspects.always(meaning.walk());
    host.entering(suspects);
    host.leaving(suspects);
    host.answers(suspects);
    host.asItself(suspects);
    host.redirects(suspects);
    return suspects.all();
  }

  // ---- towards this host

  private void entering(Suspects suspects) {
    List<Allowed> allowed = entering();
    int delivered = walk.received().delivered();
    if (host.inputClosed()) {
      int may = walk.space().arrivesOn("lo");
      for (Allowed one : allowed) {
        may = walk.or(may, one.packets());
      }
      int inClear =
          walk.and(delivered, walk.space().inClear(), meaning.begins(), walk.minus(Bdd.TRUE, may));
      suspects.much(
          "comes from inside in clear, is not described, and reaches this host",
          /* made= */ false,
          walk.minus(inClear, meaning.world()));
      suspects.add(
          Property.OUTSIDE,
          "comes from outside, is not described, and reaches this host",
          /* made= */ false,
          walk.and(inClear, meaning.world()));
    }
    for (Allowed one : allowed) {
      suspects.little(
          one.who() + " does not get to this host",
          /* made= */ false,
          walk.and(one.packets(), one.ordinary(), walk.ordinary(), walk.space().inClear()),
          delivered);
    }
  }

  private List<Allowed> entering() {
    List<Allowed> allowed = new ArrayList<>();
    int here = walk.minus(meaning.ownAddresses(), walk.space().destination(meaning.virtual()));
    for (Host.Offer offer : host.services()) {
      allowed.addAll(offered(offer, here));
    }
    if (host.ping() != Host.Ping.NOBODY) {
      boolean all = host.ping() == Host.Ping.ANYBODY;
      int near = walk.and(fromNetworks(), walk.cameBy(meaning.inside()));
      int from =
          all
              ? Bdd.TRUE
              : walk.and(walk.cameBy(meaning.inside()), walk.space().source(meaning.networks()));
      allowed.add(
          new Allowed(
              "ping",
              walk.and(from, meaning.echoRequest()),
              walk.and(walk.or(near, all ? fromTheWorld() : Bdd.FALSE), here)));
    }
    for (Interface at : gateway.outside()) {
      allowed.addAll(fromPeers(at));
    }
    for (Interface at : gateway.interfaces()) {
      int there = walk.space().arrivesOn(at.device());
      if (family == Family.V4 && at.dhcp()) {
        allowed.add(
            new Allowed(
                "a lease for " + at.name(),
                walk.and(there, udp(67, 68)),
                walk.minus(fromAnybody(here), walk.space().source(meaning.ours()))));
      }
      if (family == Family.V6 && at.routerAdvertisements()) {
        int link = walk.and(there, walk.space().source(Prefix.LINK_LOCAL));
        allowed.add(new Allowed("a lease for " + at.name(), walk.and(link, udp(547, 546)), here));
        allowed.add(
            new Allowed(
                "a router's advertisement",
                walk.and(link, icmp(134), hops(255)),
                walk.space().destination(ALL_NODES)));
      }
    }
    if (family == Family.V4) {
      for (Network lan : leasing()) {
        int there = walk.space().arrivesOn(lan.on().device());
        int answer = walk.or(udp(67, 68), udp(67, 67));
        allowed.add(
            new Allowed(
                "a lease of " + lan.name() + " for a client",
                walk.and(there, answer),
                walk.and(fromAnybody(here), meaning.from(lan))));
      }
    }
    if (family == Family.V6) {
      allowed.addAll(neighbours(here));
    }
    return allowed;
  }

  /** Networks of which the DHCP server leases addresses to clients. */
  private List<Network> leasing() {
    return gateway.networks().stream()
        .filter(lan ->
            gateway.tunnels().stream()
                .anyMatch(tunnel ->
                    tunnel instanceof Tunnel.RemoteAccess access
                        && access.leased()
                        && lan.houses(access.pools())))
        .toList();
  }

  private List<Allowed> offered(Host.Offer offer, int here) {
    if (offer.from() instanceof Place.OfTunnel) {
      return List.of(); // asked of the tunnel
    }
    List<Allowed> allowed = new ArrayList<>();
    int services = meaning.services(offer.services());
    allowed.add(
        new Allowed(
            offer.from().name() + ", for a service that it is offered,",
            walk.and(meaning.from(offer.from()), services),
            walk.and(fromAnybody(here), fromSomebody(offer.from()))));
    if (offer.from() instanceof Network network && network.connected()) {
      int there = walk.space().arrivesOn(network.on().device());
      boolean six = network.prefixes().stream().anyMatch(p -> p.value().family() == Family.V6);
      if (family == Family.V6 && six && !network.on().isOutside()) {
        allowed.add(
            new Allowed(
                offer.from().name() + ", from a link-local address,",
                walk.and(there, services, walk.space().source(Prefix.LINK_LOCAL)),
                here));
      }
      String asks = offer.from().name() + ", asking for a lease,";
      if (offer.offersUdp(67) && family == Family.V4) {
        int nobody = walk.space().source(Prefix.of("0.0.0.0/32"));
        int everybody = walk.space().destination(Prefix.of("255.255.255.255/32"));
        allowed.add(new Allowed(asks, walk.and(there, udp(68, 67)), walk.and(nobody, everybody)));
      }
      if (offer.offersUdp(547) && family == Family.V6) {
        int link = walk.space().source(Prefix.LINK_LOCAL);
        int servers = walk.space().destination(DHCP_SERVERS);
        allowed.add(new Allowed(asks, walk.and(there, link, udp(546, 547)), servers));
      }
    }
    return allowed;
  }

  private List<Allowed> fromPeers(Interface at) {
    int here = walk.space().destination(meaning.own(at));
    int may = meaning.ikeAndEspIn(at);
    int ike = walk.and(may, walk.space().protocol(Protocol.UDP.number()));
    int esp = walk.and(may, walk.space().protocol(Protocol.ESP.number()));
    boolean raw = sendsEsp(at);
    int ordinary = walk.and(here, walk.or(meaning.worldAsSource(), fromPeers()));
    return raw
        ? List.of(new Allowed("IKE", ike, ordinary), new Allowed("ESP", esp, ordinary))
        : List.of(new Allowed("IKE", ike, ordinary));
  }

  private boolean sendsEsp(Interface at) {
    return gateway.tunnels().stream()
        .anyMatch(tunnel ->
            tunnel.on().contains(at) && tunnel.esp().encapsulation() != Esp.Encapsulation.ALWAYS);
  }

  private int fromPeers() {
    return walk.space().source(meaning.peers());
  }

  /** RFC 4861, RFC 2710: what hosts of one link say to each other; 255 hops: no router between. */
  private List<Allowed> neighbours(int here) {
    int link = walk.space().source(Prefix.LINK_LOCAL);
    List<Allowed> allowed = new ArrayList<>();
    for (int type : new int[] {135, 136}) {
      allowed.add(
          new Allowed(
              "a neighbour of the link",
              walk.and(icmp(type), hops(255)),
              walk.and(link, here, walk.cameBy(meaning.devices()))));
    }
    int all = walk.space().destination(ALL_NODES);
    allowed.add(
        new Allowed(
            "a router that asks who listens",
            walk.and(icmp(130), hops(1), link),
            walk.and(all, walk.cameBy(meaning.devices()), meaning.speaks())));
    int routers = walk.space().destination(ALL_ROUTERS);
    allowed.add(
        new Allowed(
            "a host that looks for a router",
            walk.and(icmp(133), hops(255), walk.cameBy(meaning.inside())),
            walk.and(link, routers, meaning.speaks())));
    return allowed;
  }

  // ---- out of this host

  private void leaving(Suspects suspects) {
    if (!host.outputClosed()) {
      return;
    }
    List<Allowed> allowed = leaving();
    int left = walk.sent().left();
    int may = walk.sent().leftBy("lo");
    for (Allowed one : allowed) {
      may = walk.or(may, one.packets());
    }
    suspects.much(
        "is not described, and leaves this host",
        /* made= */ true,
        walk.and(left, meaning.begins(), walk.minus(Bdd.TRUE, may)));
    for (Allowed one : allowed) {
      // The device is the route's choice: that part of what is allowed is no wish.
      suspects.little(
          one.who() + " does not leave this host",
          /* made= */ true,
          walk.and(one.ordinary(), walk.ordinary()),
          walk.and(left, one.packets()));
    }
  }

  private List<Allowed> leaving() {
    List<Allowed> allowed = new ArrayList<>();
    int world =
        walk.minus(walk.and(meaning.someWorld(), meaning.outsideAsSource()), meaning.l2tpOut());
    for (Located<Service> service : host.outgoing()) {
      int what = meaning.service(service.value());
      allowed.add(new Allowed("what this host may begin", what, walk.and(what, world)));
    }
    allowed.add(
        new Allowed(
            "what this host sends to itself",
            walk.sent().leftBy("lo"),
            walk.and(meaning.ownAddresses(), meaning.routable())));
    int errors = meaning.icmpErrors();
    allowed.add(new Allowed("an error of this host", errors, walk.and(errors, world)));
    for (Interface at : gateway.outside()) {
      int by = walk.sent().leftBy(at.device());
      int may = walk.and(by, meaning.ikeAndEspOut(at));
      int there = walk.or(world, walk.and(meaning.outsideAsSource(), toPeers(at)));
      // Sockets of IKE have policies of their own, which are not modelled.
      there = walk.minus(there, walk.space().destination(meaning.far()));
      int named = meaning.isForAnybody(at) ? Bdd.TRUE : toPeers(at);
      int from = walk.and(there, named, walk.space().source(meaning.own(at)));
      int ike = walk.space().protocol(Protocol.UDP.number());
      int esp = walk.space().protocol(Protocol.ESP.number());
      if (!hasItsOwnWay(at)) {
        from = Bdd.FALSE;
      }
      if (gateway.tunnels().stream().anyMatch(tunnel -> tunnel.on().contains(at))) {
        int ports = walk.and(ike, walk.space().sourcePort(PortRange.of(500)));
        allowed.add(new Allowed("IKE", walk.and(may, ike), walk.and(from, ports)));
      }
      if (sendsEsp(at)) {
        allowed.add(new Allowed("ESP", walk.and(may, esp), walk.and(from, esp)));
      }
    }
    int l2tp = walk.and(meaning.l2tpOut(), walk.sent().leftProtected());
    allowed.add(new Allowed("L2TP", l2tp, Bdd.FALSE));
    allowed.addAll(leases());
    if (family == Family.V6) {
      int link = meaning.toNeighbours();
      for (int type : new int[] {135, 136}) {
        int packets = walk.and(icmp(type), hopsLeft());
        allowed.add(new Allowed("neighbour discovery", packets, walk.and(packets, link)));
      }
      for (int type : new int[] {131, 132, 133, 143}) {
        allowed.add(new Allowed("looking for routers", icmp(type), walk.and(icmp(type), link)));
      }
      int inside = walk.leftBy(walk.sent(), meaning.inside());
      int advertises = walk.and(icmp(134), hopsLeft());
      allowed.add(
          new Allowed(
              "an advertisement",
              walk.and(advertises, inside),
              walk.and(advertises, meaning.toNeighbours(meaning.inside()))));
    }
    return allowed;
  }

  /** Of several ways to the world an address has its own only as an identity. */
  private boolean hasItsOwnWay(Interface at) {
    return gateway.outside().size() == 1
        || gateway.identities().stream().anyMatch(one -> one.device().equals(at.device()));
  }

  // ---- connections

  /** Answers to what this host began, its own answers, and errors about either. */
  private void answers(Suspects suspects) {
    int answer = walk.and(walk.space().established(), walk.space().reply());
    int error = walk.and(walk.space().related(), walk.space().reply(), meaning.icmpErrors());
    int whole =
        walk.minus(
            walk.and(walk.space().whole(), walk.space().inClear(), meaning.routable()),
            walk.space().ofConnectionWith(meaning.far()),
            meaning.l2tpIn());
    int world =
        walk.and(
            walk.cameBy(meaning.outside()),
            meaning.worldAsSource(),
            walk.space().destination(meaning.outsideAddresses()));
    int near = walk.and(fromNetworks(), meaning.ownAddresses());
    // A router behind our networks has an address that none of them need have.
    int behind =
        walk.minus(
            walk.and(
                walk.cameBy(meaning.inside()),
                walk.space().inClear(),
                walk.space().whole(),
                meaning.worldAsSource(),
                meaning.ownAddresses(),
                error),
            walk.cameBy(meaning.outside()));
    suspects.missing(
        Property.ANSWERS,
        "an error from inside does not get to this host",
        /* made= */ false,
        behind,
        walk.received().delivered());
    suspects.missing(
        Property.ANSWERS,
        "an answer or an error does not come back to this host",
        /* made= */ false,
        walk.and(walk.or(world, near), whole, walk.or(answer, error)),
        walk.received().delivered());
    int there =
        walk.or(walk.and(meaning.someWorld(), meaning.outsideAsSource()), towardsNetworks());
    suspects.missing(
        Property.ANSWERS,
        "an answer of this host does not leave",
        /* made= */ true,
        walk.and(walk.minus(there, meaning.l2tpOut()), whole, answer),
        walk.sent().left());
  }

  private int towardsNetworks() {
    int all = Bdd.FALSE;
    for (Network network : gateway.networks()) {
      all =
          walk.or(all, walk.and(meaning.somewhere(network), meaning.insideAsSource(network.on())));
    }
    return all;
  }

  /** Somebody would be told to go round us, in clear (RFC 4861, 4.5). */
  private void redirects(Suspects suspects) {
    boolean forwards =
        Stream.concat(meaning.networks().stream(), meaning.far().stream())
            .anyMatch(prefix -> prefix.family() == Family.V6);
    if (family == Family.V6 && forwards) {
      suspects.much(
          "is a redirect, and leaves",
          /* made= */ true,
          walk.and(walk.sent().left(), icmp(137), walk.space().whole()));
    }
  }

  /** What this host sends as somebody that the world or its networks know, NAT leaves alone. */
  private void asItself(Suspects suspects) {
    int translated = walk.and(walk.sent().leftAsAnother(), meaning.begins());
    int inside =
        walk.or(
            walk.minus(
                walk.leftBy(walk.sent(), meaning.inside()),
                walk.leftBy(walk.sent(), meaning.outside())),
            walk.sent().leftBy("lo"));
    suspects.add(
        Property.APPEARS,
        "is of this host, and leaves as somebody else",
        /* made= */ true,
        walk.or(
            walk.and(translated, inside),
            walk.minus(translated, walk.space().source(meaning.networks()))));
  }

  private int toPeers(Interface at) {
    return walk.space().destination(meaning.peers(at));
  }

  private List<Allowed> leases() {
    List<Allowed> allowed = new ArrayList<>();
    int link = walk.space().source(Prefix.LINK_LOCAL);
    for (Interface at : gateway.interfaces()) {
      int by = walk.sent().leftBy(at.device());
      if (family == Family.V4 && at.dhcp()) {
        allowed.add(new Allowed("asking for a lease", walk.and(by, udp(68, 67)), Bdd.FALSE));
      }
      if (family == Family.V6 && at.routerAdvertisements()) {
        allowed.add(
            new Allowed("asking for a lease", walk.and(by, link, udp(546, 547)), Bdd.FALSE));
      }
    }
    if (family == Family.V4) {
      for (Network lan : leasing()) {
        int by = walk.sent().leftBy(lan.on().device());
        int asks = walk.or(udp(68, 67), udp(67, 67));
        allowed.add(
            new Allowed(
                "asking for a lease for a client",
                walk.and(by, asks),
                walk.and(asks, meaning.somewhere(lan), meaning.insideAsSource(lan.on()))));
      }
    }
    for (Host.Offer offer : host.services()) {
      if (offer.from() instanceof Network network && network.connected()) {
        int by = walk.sent().leftBy(network.on().device());
        if (offer.offersUdp(67) && family == Family.V4) {
          int answer = udp(67, 68);
          allowed.add(
              new Allowed(
                  "a lease for " + network.name(),
                  walk.and(by, answer),
                  walk.and(
                      answer, meaning.somewhere(network), meaning.insideAsSource(network.on()))));
        }
        if (offer.offersUdp(547) && family == Family.V6) {
          allowed.add(
              new Allowed(
                  "a lease for " + network.name(), walk.and(by, link, udp(547, 546)), Bdd.FALSE));
        }
      }
    }
    return allowed;
  }

  // ---- packets

  private int fromSomebody(Place place) {
    return place instanceof Network ? Bdd.TRUE : meaning.worldAsSource();
  }

  /** Sources that are nobody's name for all of a link, and not this host's. */
  private int fromAnybody(int here) {
    return walk.minus(
        here, meaning.edges(meaning.networks()), meaning.thisHostAsSource(), meaning.oddAsSource());
  }

  /** What comes from out there, by any outside interface, to the address that is there. */
  private int fromTheWorld() {
    int all = Bdd.FALSE;
    for (Interface at : gateway.outside()) {
      int here = walk.space().destination(meaning.own(at));
      int there = walk.space().arrivesOn(at.device());
      all = walk.or(all, walk.and(there, meaning.worldAsSource(), here));
    }
    return all;
  }

  /** One host of ours. */
  private int fromNetworks() {
    return walk.minus(
        meaning.fromNetworks(), meaning.edges(meaning.networks()), meaning.thisHostAsSource());
  }

  private int udp(int from, int to) {
    return walk.and(
        walk.space().protocol(Protocol.UDP.number()),
        walk.space().sourcePort(PortRange.of(from)),
        walk.space().destinationPort(PortRange.of(to)));
  }

  private int icmp(int type) {
    return walk.and(walk.space().protocol(Protocol.ICMPV6.number()), walk.space().icmpType(type));
  }

  private int hopsLeft() {
    return walk.space().leavingWith("ip6 hoplimit", 255);
  }

  private int hops(int hops) {
    return walk.space().having("ip6 hoplimit", hops);
  }
}
