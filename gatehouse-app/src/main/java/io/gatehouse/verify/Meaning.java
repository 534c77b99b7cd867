package io.gatehouse.verify;

import io.gatehouse.bdd.Bdd;
import io.gatehouse.model.Address;
import io.gatehouse.model.Family;
import io.gatehouse.model.Gateway;
import io.gatehouse.model.Host;
import io.gatehouse.model.Identity;
import io.gatehouse.model.Interface;
import io.gatehouse.model.Interface.InterfaceAddress;
import io.gatehouse.model.Located;
import io.gatehouse.model.Network;
import io.gatehouse.model.Peer;
import io.gatehouse.model.Place;
import io.gatehouse.model.PortRange;
import io.gatehouse.model.Prefix;
import io.gatehouse.model.Protocol;
import io.gatehouse.model.Reach;
import io.gatehouse.model.Service;
import io.gatehouse.model.Tunnel;
import io.gatehouse.path.HeaderSpace;
import io.gatehouse.path.HostState;
import io.gatehouse.path.Journey;
import io.gatehouse.path.PacketPath;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import java.util.stream.Stream;

/** The words of a description as sets of packets, as they arrive. */
final class Meaning {
  private static final PortRange L2TP = PortRange.of(1701);
  private static final PortRange IKE = PortRange.of(500);
  private static final PortRange NAT_T = PortRange.of(4500);

  private final Gateway gateway;
  private final List<Alike> alike;
  private final Walk walk;
  private final HostState host;
  private final HeaderSpace space;
  private final Bdd bdd;
  private final List<Prefix> all;
  private final Map<List<Prefix>, Integer> edges = new HashMap<>();

  /**
   * @param alike the gateway's tunnels, which no walk changes
   */
  Meaning(Gateway gateway, List<Alike> alike, Walk walk) {
    this.gateway = gateway;
    this.alike = alike;
    this.walk = walk;
    host = walk.host();
    space = walk.space();
    bdd = space.bdd();
    all = far(tunnel -> true);
  }

  Gateway gateway() {
    return gateway;
  }

  /** Its tunnels, those together of which it says the same. */
  List<Alike> alike() {
    return alike;
  }

  Walk walk() {
    return walk;
  }

  // ---- addresses

  List<Prefix> far(Predicate<Tunnel> which) {
    return gateway.tunnels().stream().filter(which).flatMap(Meaning::far).toList();
  }

  List<Prefix> far() {
    return all;
  }

  private static Stream<Prefix> far(Tunnel tunnel) {
    return tunnel.farPrefixes().stream().map(Located::value);
  }

  List<Prefix> networks() {
    return gateway.networks().stream().flatMap(gateway::prefixes).toList();
  }

  /** Networks that are not on the device of an identity. */
  List<Prefix> networksBeside(Identity identity) {
    return gateway.networks().stream()
        .filter(network -> !network.on().device().equals(identity.device()))
        .flatMap(gateway::prefixes)
        .toList();
  }

  /** Everything that is not the internet: networks, far ends, links of inside interfaces. */
  List<Prefix> ours() {
    List<Prefix> ours = new ArrayList<>(far());
    ours.addAll(networks());
    gateway.interfaces().stream()
        .filter(at -> at.isInside() && !at.isOutside())
        .flatMap(at -> at.addresses().stream())
        .forEach(address -> ours.add(address.value().link()));
    return ours;
  }

  List<String> outside() {
    return gateway.outside().stream().map(Interface::device).distinct().toList();
  }

  List<String> inside() {
    return gateway.inside().stream().map(Interface::device).distinct().toList();
  }

  /** The devices of all interfaces. */
  List<String> devices() {
    return gateway.interfaces().stream().map(Interface::device).distinct().toList();
  }

  /** What leaves towards the world; by a device that a network shares, only for others. */
  int leftForTheWorld(Journey journey) {
    int shared = walk.minus(walk.leftBy(journey, outside()), journey.leftWithDestination(ours()));
    return bdd.or(walk.leftBy(journey, onlyOutside()), shared);
  }

  /** Devices that lead to the world alone, and to no network of ours. */
  List<String> onlyOutside() {
    return gateway.outside().stream()
        .filter(at -> gateway.networks().stream().noneMatch(net -> net.on().equals(at)))
        .map(Interface::device)
        .distinct()
        .toList();
  }

  // ---- who is where

  /** Packets that such a source may send, and that came as its packets come. */
  int from(Place place) {
    return switch (place) {
      case Network network ->
          bdd.and(
              bdd.and(space.arrivesOn(network.on().device()), space.inClear()),
              bdd.difference(
                  space.source(gateway.prefixes(network).toList()), space.source(far())));
      case Place.OfTunnel of ->
          bdd.and(space.through(of.name()), space.source(gateway.prefixes(of).toList()));
      case Place.Internet internet ->
          bdd.and(
              bdd.and(walk.cameBy(outside()), space.inClear()),
              bdd.difference(Bdd.TRUE, space.source(ours())));
    };
  }

  /**
   * What the networks may begin that use a tunnel of which this host is the client: nothing in a
   * family without a virtual IP.
   */
  int begunBy(Tunnel.Client client) {
    int all = Bdd.FALSE;
    if (virtual(client).isEmpty()) {
      return all;
    }
    for (Network local : client.local()) {
      all = bdd.or(all, bdd.and(from(local), services(client.outbound())));
    }
    return all;
  }

  /** The addresses that such a tunnel may bring. */
  List<Prefix> virtual(Tunnel.Client client) {
    return client.address(space.family()).stream().toList();
  }

  /** Those of all such tunnels. */
  List<Prefix> virtual() {
    return gateway.tunnels().stream()
        .flatMap(tunnel ->
            tunnel instanceof Tunnel.Client client
                ? virtual(client).stream()
                : Stream.<Prefix>empty())
        .toList();
  }

  /** The same of all networks. */
  int fromNetworks() {
    int all = Bdd.FALSE;
    for (Network network : gateway.networks()) {
      all = bdd.or(all, from(network));
    }
    return all;
  }

  /** Packets for a place by their destination, for these services; an empty list means all. */
  int towards(Reach reach) {
    return bdd.and(towards(reach.place()), services(reach.services()));
  }

  int towards(Place place) {
    return switch (place) {
      case Network network ->
          bdd.difference(
              space.destination(gateway.prefixes(network).toList()), space.destination(far()));
      case Place.OfTunnel of -> space.destination(gateway.prefixes(of).toList());
      case Place.Internet internet -> bdd.not(space.destination(ours()));
    };
  }

  /** Packets that came through a tunnel for places, which its other end may know otherwise. */
  int towards(Collection<Reach> reaches, Tunnel from) {
    int all = Bdd.FALSE;
    for (Reach reach : reaches) {
      all = bdd.or(all, towards(reach, from));
    }
    return all;
  }

  /** The same for one. */
  int towards(Reach reach, Tunnel from) {
    return bdd.and(towards(reach.place(), from), services(reach.services()));
  }

  /** The same for everything there. */
  int towards(Place place, Tunnel from) {
    return place instanceof Network network && from.maps(space.family())
        ? space.destination(gateway.prefixes(network).map(from::image).toList())
        : towards(place);
  }

  /** What left for a network in clear, from a tunnel: with the very address that was meant. */
  int leftFor(Network network, Tunnel from, Journey journey) {
    int left = bdd.and(journey.leftBy(network.on().device()), journey.leftInClear());
    if (!from.maps(space.family())) {
      return left;
    }
    int all = Bdd.FALSE;
    for (Prefix here : gateway.prefixes(network).toList()) {
      if (here.family() == space.family()) {
        all = bdd.or(all, journey.leftWithDestinationMoved(from.image(here), here));
      }
    }
    return bdd.and(left, all);
  }

  /** What left for a tunnel as the one whom its other end knows. */
  int leftAsKnown(Tunnel to, Journey journey) {
    int all = to.maps(space.family()) ? Bdd.FALSE : Bdd.TRUE;
    for (Tunnel.Image image : to.images()) {
      if (image.of().family() == space.family()) {
        all = bdd.or(all, journey.leftWithSourceMoved(image.of(), image.as().value()));
      }
    }
    return all;
  }

  /** The same for what comes through a tunnel, whose other end may know us otherwise. */
  int somewhere(Place place, Tunnel from) {
    return from.maps(space.family())
        ? walk.minus(towards(place, from), thisHost(from), special())
        : somewhere(place);
  }

  /** Destinations there that are one host's, and not this one's. */
  int somewhere(Place place) {
    return place instanceof Place.Internet
        ? someWorld()
        : walk.minus(towards(place), edges(networks()), thisHost(), special());
  }

  /** What of a flow's packets is meant, or of its answers. */
  int narrowed(Host.Flow flow, boolean back) {
    List<Prefix> here = back ? flow.destinations() : flow.sources();
    List<Prefix> there = back ? flow.sources() : flow.destinations();
    return bdd.and(
        here.isEmpty() ? Bdd.TRUE : space.source(here),
        there.isEmpty() ? Bdd.TRUE : space.destination(there));
  }

  // ---- services

  /** An empty list means everything. */
  int services(Collection<Service> services) {
    int all = services.isEmpty() ? Bdd.TRUE : Bdd.FALSE;
    for (Service service : services) {
      all = bdd.or(all, service(service));
    }
    return all;
  }

  int tcp() {
    return space.protocol(Protocol.TCP.number());
  }

  int service(Service service) {
    int set = space.protocol(service.protocol().number());
    return service.ports().isPresent()
        ? bdd.and(set, space.destinationPort(service.ports().get()))
        : set;
  }

  /**
   * What a tunnel is given on this host.
   *
   * @param own services that its part of the description names
   */
  int offers(Tunnel tunnel, Collection<Located<Service>> own) {
    int all = Bdd.FALSE;
    for (Located<Service> service : own) {
      all = bdd.or(all, service(service.value()));
    }
    for (Host.Offer offer : gateway.host().services()) {
      if (isOf(offer.from(), tunnel)) {
        all = bdd.or(all, services(offer.services()));
      }
    }
    return all;
  }

  static boolean isOf(Place place, Tunnel tunnel) {
    return place instanceof Place.OfTunnel of && of.name().equals(tunnel.name());
  }

  int echoRequest() {
    return space.family() == Family.V4
        ? bdd.and(space.protocol(Protocol.ICMP.number()), space.icmpType(8))
        : bdd.and(space.protocol(Protocol.ICMPV6.number()), space.icmpType(128));
  }

  /** ICMP's number in packets of the other family: nobody speaks it there. */
  private int icmpOfTheOtherFamily() {
    return space.protocol(
        space.family() == Family.V4 ? Protocol.ICMPV6.number() : Protocol.ICMP.number());
  }

  /**
   * ICMPv6 of the link itself, which no router passes on: 133 to 137 (RFC 4861), and listeners'
   * queries.
   */
  int linkLocalIcmp() {
    int types = Bdd.FALSE;
    if (space.family() == Family.V6) {
      for (int type : new int[] {130, 133, 134, 135, 136, 137}) {
        types = bdd.or(types, space.icmpType(type));
      }
    }
    return bdd.and(types, space.protocol(Protocol.ICMPV6.number()));
  }

  int ikeAndEspIn() {
    int udp = space.protocol(Protocol.UDP.number());
    int ports = bdd.or(space.destinationPort(IKE), space.destinationPort(NAT_T));
    return bdd.or(bdd.and(udp, ports), space.protocol(Protocol.ESP.number()));
  }

  int ikeAndEspOut() {
    int udp = space.protocol(Protocol.UDP.number());
    int ports = bdd.or(space.sourcePort(IKE), space.sourcePort(NAT_T));
    return bdd.or(bdd.and(udp, ports), space.protocol(Protocol.ESP.number()));
  }

  /** Peers' own addresses as far as they are written down; what is among far addresses counts. */
  List<Prefix> peers() {
    return peers(gateway.tunnels().stream());
  }

  /** What IKE and ESP of tunnels at this interface may look like: by peer and own address. */
  int ikeAndEspIn(Interface at) {
    int who = isForAnybody(at) ? Bdd.TRUE : space.source(peers(at));
    int here = space.destination(own(at));
    int packets = bdd.and(bdd.and(who, here), space.arrivesOn(at.device()));
    return bdd.and(bdd.and(packets, hasTunnels(at)), ikeAndEspIn());
  }

  /** The same as this host sends it; the device is another matter. */
  int ikeAndEspOut(Interface at) {
    int who = isForAnybody(at) ? Bdd.TRUE : space.destination(peers(at));
    int here = at.isFollowed(space.family()) ? Bdd.TRUE : space.source(own(at));
    return bdd.and(bdd.and(bdd.and(who, here), hasTunnels(at)), ikeAndEspOut());
  }

  private static List<Prefix> peers(Stream<Tunnel> tunnels) {
    return tunnels
        .flatMap(tunnel -> tunnel.peers().stream())
        .flatMap(peer -> peer.value() instanceof Peer.At at ? Stream.of(at.prefix()) : Stream.of())
        .toList();
  }

  private Stream<Tunnel> tunnels(Interface at) {
    return gateway.tunnels().stream().filter(tunnel -> tunnel.on().contains(at));
  }

  private int hasTunnels(Interface at) {
    return tunnels(at).findAny().isPresent() ? Bdd.TRUE : Bdd.FALSE;
  }

  /** Whether a tunnel there says of no peer where it is. */
  boolean isForAnybody(Interface at) {
    return tunnels(at)
        .flatMap(tunnel -> tunnel.peers().stream())
        .anyMatch(peer -> !(peer.value() instanceof Peer.At));
  }

  /** The peers of the tunnels there that are written down. */
  List<Prefix> peers(Interface at) {
    return peers(tunnels(at));
  }

  /**
   * What is between somebody else's devices, such as containers, and the world: where the
   * description closes all forwarding, nothing.
   */
  int notOurs() {
    if (gateway.host().forward() != Host.Forward.OURS) {
      return Bdd.FALSE;
    }
    Journey received = walk.received();
    int ours = bdd.or(received.leftWithDestination(ours()), received.leftWithSource(ours()));
    ours = bdd.or(ours, bdd.or(walk.cameBy(inside()), walk.leftBy(received, inside())));
    ours = bdd.or(ours, bdd.and(walk.cameBy(outside()), walk.leftBy(received, outside())));
    return bdd.difference(received.left(), ours);
  }

  // ---- who reaches the world

  boolean toInternet(Tunnel tunnel) {
    return tunnel.reachOfAnybody().anyMatch(reach -> reach.place() instanceof Place.Internet);
  }

  /** Own addresses of a family. */
  static List<Prefix> hosts(Collection<Located<Address>> addresses, Family family) {
    return addresses.stream()
        .map(Located::value)
        .filter(address -> address.family() == family)
        .map(Prefix::host)
        .toList();
  }

  /** Addresses that no router carries, or that mean everybody. */
  static final List<Prefix> ODD =
      Stream.of(
              "0.0.0.0/8",
              "127.0.0.0/8",
              "169.254.0.0/16",
              "224.0.0.0/3",
              "::/8",
              "fe80::/9",
              "ff00::/8")
          .map(Prefix::of)
          .toList();

  /** Somebody out there (RFC 5737, RFC 3849). */
  static final List<Prefix> SOMEBODY =
      List.of(Prefix.of("198.51.100.77/32"), Prefix.of("2001:db8:77::77/128"));

  /** What the questions tell from other addresses, besides what the rules do. */
  static List<Prefix> about(Gateway gateway) {
    List<Prefix> all = new ArrayList<>(ODD);
    all.add(Prefix.UNIQUE_LOCAL);
    all.addAll(ThisHost.GROUPS);
    gateway.masquerade().ifPresent(masquerade -> all.addAll(masquerade.remotes()));
    Stream.concat(
            gateway.tunnels().stream().flatMap(Meaning::far),
            gateway.networks().stream().flatMap(gateway::prefixes))
        .forEach(prefix -> {
          all.add(prefix);
          all.addAll(ends(prefix));
        });
    return all;
  }

  /** The same of the questions about this host without its tables. */
  static List<Prefix> aboutFlushed(Gateway gateway) {
    List<Prefix> all = new ArrayList<>(gateway.tunnels().stream().flatMap(Meaning::far).toList());
    // As few as possible: each that is told apart makes two blocks.
    all.addAll(joined(peers(gateway.tunnels().stream())));
    return all;
  }

  /** The same of the questions about this host before a tunnel brought it its virtual IPs. */
  static List<Prefix> aboutUnconnected(Gateway gateway) {
    List<Prefix> all = aboutFlushed(gateway);
    for (Tunnel tunnel : gateway.tunnels()) {
      if (tunnel instanceof Tunnel.Client client) {
        client.addresses().forEach(virtual -> all.add(virtual.value()));
      }
    }
    return all;
  }

  /** The same addresses, neighbours as one. */
  private static List<Prefix> joined(List<Prefix> prefixes) {
    List<Prefix> joined = new ArrayList<>();
    for (Prefix prefix : prefixes.stream().sorted().distinct().toList()) {
      Prefix next = prefix;
      while (!joined.isEmpty() && joined.getLast().isOtherHalf(next)) {
        next = Prefix.masked(joined.removeLast().first(), next.length() - 1);
      }
      joined.add(next);
    }
    return joined;
  }

  /** Packets to addresses that no router carries, or means everybody by. */
  int special() {
    return space.destination(ODD);
  }

  /** The links that this host is on, those of addresses that it follows among them. */
  private List<Prefix> links() {
    return host.devices().stream()
        .flatMap(device -> device.addresses().stream())
        .map(InterfaceAddress::link)
        .toList();
  }

  /** Ordinary addresses out there. */
  int someWorld() {
    int mine = Bdd.FALSE;
    for (var identity : gateway.identities()) {
      mine = bdd.or(mine, space.destination(hosts(identity.addresses(), space.family())));
    }
    int not = bdd.or(bdd.or(special(), space.destination(links())), bdd.or(mine, thisHost()));
    return bdd.difference(towards(new Place.Internet()), not);
  }

  /** Sources out there: nobody of ours, and none that means nothing as a source. */
  int worldAsSource() {
    int not = bdd.or(space.source(ours()), bdd.or(space.source(links()), thisHostAsSource()));
    return bdd.difference(bdd.not(oddAsSource()), not);
  }

  /** Sources that no router carries. */
  int oddAsSource() {
    return space.source(ODD);
  }

  // ---- this host

  /** Its addresses, as far as they are known. */
  int ownAddresses() {
    return space.destination(addresses());
  }

  /** The same, by what a tunnel's other end knows them by. */
  int ownAddresses(Tunnel from) {
    return from.maps(space.family()) ? space.destination(known(from, addresses())) : ownAddresses();
  }

  List<Prefix> addresses() {
    return host.addresses(space.family()).stream().map(Prefix::host).toList();
  }

  /** Its addresses towards the world. */
  int outsideAsSource() {
    return space.source(outsideAddresses());
  }

  /** The same, as addresses. */
  List<Prefix> outsideAddresses() {
    return on(outside());
  }

  /** Its addresses on an inside interface. */
  int insideAsSource(Interface at) {
    return space.source(on(List.of(at.device())));
  }

  private List<Prefix> on(Collection<String> devices) {
    return host.devices().stream()
        .filter(device -> devices.contains(device.name()))
        .flatMap(device -> device.addresses().stream())
        .map(address -> Prefix.host(address.address()))
        .filter(address -> address.family() == space.family())
        .toList();
  }

  /** Its addresses on an interface. */
  List<Prefix> own(Interface at) {
    return on(List.of(at.device()));
  }

  /** What this host sends from an address to somebody on the link of that. */
  int toNeighbours() {
    return toNeighbours(devices());
  }

  /** The same on some devices. */
  int toNeighbours(Collection<String> devices) {
    int all = Bdd.FALSE;
    for (HostState.Device device : host.devices()) {
      for (InterfaceAddress address : device.addresses()) {
        if (devices.contains(device.name()) && address.address().family() == space.family()) {
          List<Prefix> link = List.of(address.link());
          int there = bdd.difference(space.destination(link), edges(link));
          all = bdd.or(all, bdd.and(there, space.source(List.of(Prefix.host(address.address())))));
        }
      }
    }
    return bdd.difference(all, bdd.or(thisHost(), space.destination(far())));
  }

  /** Everything where this host has an address of the family, else nothing. */
  int speaks() {
    return addresses().isEmpty() ? Bdd.FALSE : Bdd.TRUE;
  }

  /** First packets that a host sends, and that no router keeps to its link. */
  int ordinary() {
    return bdd.and(walk.ordinary(), routable());
  }

  /** What a router passes on. */
  int routable() {
    return bdd.not(bdd.or(linkLocalIcmp(), icmpOfTheOtherFamily()));
  }

  // ---- connections

  /** ICMP that tells of an error (RFC 792; RFC 4443, 3; RFC 4890, 4.3.1). */
  int icmpErrors() {
    int types = Bdd.FALSE;
    int[] errors = space.family() == Family.V4 ? new int[] {3, 11, 12} : new int[] {1, 2, 3, 4};
    for (int type : errors) {
      types = bdd.or(types, space.icmpType(type));
    }
    Protocol icmp = space.family() == Family.V4 ? Protocol.ICMP : Protocol.ICMPV6;
    return bdd.and(types, space.protocol(icmp.number()));
  }

  /**
   * What belongs to no connection. Of what is said to be related only errors do; the rest counts as
   * it comes, without any translation that its connection may have.
   */
  int begins() {
    int other = bdd.and(bdd.difference(space.related(), icmpErrors()), untranslated());
    return bdd.or(bdd.not(bdd.or(space.established(), space.related())), other);
  }

  /** What meets no translation that its connection was given. */
  int untranslated() {
    return space.none(unknown -> unknown.text().equals(PacketPath.MAPPING));
  }

  /** What the world sends: in clear, by its devices, and not from a network that shares them. */
  int world() {
    return walk.minus(bdd.and(walk.cameBy(outside()), space.inClear()), fromNetworks());
  }

  /** What is for L2TP's daemon: through an SA, or not at all. */
  int l2tpIn() {
    return l2tp(space.destinationPort(L2TP));
  }

  /** What L2TP's daemon sends: under protection, or not at all. */
  int l2tpOut() {
    return l2tp(space.sourcePort(L2TP));
  }

  private int l2tp(int port) {
    boolean speaks = gateway.tunnels().stream().anyMatch(tunnel -> tunnel instanceof Tunnel.L2tp);
    return speaks ? bdd.and(space.protocol(Protocol.UDP.number()), port) : Bdd.FALSE;
  }

  boolean outputIsOpen() {
    return !gateway.host().outputClosed();
  }

  /** This host's own addresses, and those of its links that mean everybody there. */
  int thisHost() {
    return space.destination(ownAndBroadcast());
  }

  /** The same, also by what a tunnel's other end knows it by. */
  int thisHost(Tunnel from) {
    return bdd.or(thisHost(), space.destination(known(from, ownAndBroadcast())));
  }

  private static List<Prefix> known(Tunnel from, List<Prefix> own) {
    return own.stream()
        .flatMap(one ->
            from.images().stream()
                .filter(image -> image.of().contains(one))
                .map(image -> image.moved(one)))
        .toList();
  }

  int thisHostAsSource() {
    return space.source(ownAndBroadcast());
  }

  private List<Prefix> ownAndBroadcast() {
    List<Prefix> all = new ArrayList<>();
    host.devices().stream()
        .flatMap(device -> device.addresses().stream())
        .forEach(address -> {
          all.add(Prefix.host(address.address()));
          all.addAll(ends(address.link()));
        });
    gateway
        .identities()
        .forEach(identity ->
            identity.addresses().forEach(address -> all.add(Prefix.host(address.value()))));
    return all;
  }

  /** The first and last address of prefixes: names and broadcasts of their links. */
  int edges(Collection<Prefix> prefixes) {
    return edges.computeIfAbsent(List.copyOf(prefixes), this::edgesOf);
  }

  private int edgesOf(List<Prefix> prefixes) {
    List<Prefix> edges = prefixes.stream().flatMap(prefix -> ends(prefix).stream()).toList();
    return bdd.or(space.source(edges), space.destination(edges));
  }

  private static List<Prefix> ends(Prefix prefix) {
    return prefix.length() < prefix.family().bits() - 1
        ? List.of(Prefix.host(prefix.first()), Prefix.host(prefix.last()))
        : List.of();
  }

  /** What is for another tunnel: whether it gets there is that tunnel's matter too. */
  int betweenTunnels() {
    return space.destination(far());
  }
}
