package io.gatehouse.compile;

import io.gatehouse.model.Address;
import io.gatehouse.model.Esp;
import io.gatehouse.model.Gateway;
import io.gatehouse.model.Host;
import io.gatehouse.model.Host.Flow;
import io.gatehouse.model.Host.Forward;
import io.gatehouse.model.Host.InternetAccess;
import io.gatehouse.model.Host.Offer;
import io.gatehouse.model.Host.Ping;
import io.gatehouse.model.Host.PortForward;
import io.gatehouse.model.Host.SourceNat;
import io.gatehouse.model.Identity;
import io.gatehouse.model.Interface;
import io.gatehouse.model.Interface.InterfaceAddress;
import io.gatehouse.model.Interface.Role;
import io.gatehouse.model.Located;
import io.gatehouse.model.Mss;
import io.gatehouse.model.Network;
import io.gatehouse.model.Numbers;
import io.gatehouse.model.Origin;
import io.gatehouse.model.Peer;
import io.gatehouse.model.Place;
import io.gatehouse.model.PortRange;
import io.gatehouse.model.Prefix;
import io.gatehouse.model.Protocol;
import io.gatehouse.model.Reach;
import io.gatehouse.model.Service;
import io.gatehouse.model.Tunnel;
import io.gatehouse.model.Tunnel.Group;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Stream;

/** Builds descriptions without a file; every value's origin is a line of its own. */
final class Describe {
  private int line;
  private final List<Interface> interfaces = new ArrayList<>();
  private final List<Network> networks = new ArrayList<>();
  private final List<Tunnel> tunnels = new ArrayList<>();
  private final List<Identity> identities = new ArrayList<>();
  private final List<Offer> offers = new ArrayList<>();
  private final List<InternetAccess> internet = new ArrayList<>();
  private final List<Flow> flows = new ArrayList<>();
  private final List<PortForward> portForwards = new ArrayList<>();
  boolean inputClosed = true;
  boolean outputClosed;
  Forward forward = Forward.OURS;
  Ping ping = Ping.INSIDE;
  Optional<Host.DropLog> dropLog = Optional.empty();
  List<Service> outgoing = List.of();

  static final Esp ESP = new Esp(List.of(), Esp.Encapsulation.AUTO);
  static final Mss MSS = new Mss.Reckoned();

  Origin here(String path) {
    return new Origin("test.yaml", ++line, 1, path);
  }

  <T> Located<T> at(T value) {
    return new Located<>(value, here(""));
  }

  Interface device(String name, String device, Role... roles) {
    return device(name, device, List.of(), roles);
  }

  Interface device(String name, String device, List<String> addresses, Role... roles) {
    Interface made =
        new Interface(
            name,
            device,
            EnumSet.copyOf(List.of(roles)),
            addresses.stream().map(text -> at(interfaceAddress(text))).toList(),
            List.of(),
            1500,
            addresses.isEmpty(),
            false,
            List.of(),
            here("interfaces." + name));
    interfaces.add(made);
    return made;
  }

  private static InterfaceAddress interfaceAddress(String text) {
    String[] parts = text.split("/", 2);
    return new InterfaceAddress(Address.of(parts[0]), Integer.parseInt(parts[1]));
  }

  Network network(String name, Interface on, String... prefixes) {
    Network made =
        new Network(
            name, on, true, prefixes(prefixes), List.of(), List.of(), here("networks." + name));
    networks.add(made);
    return made;
  }

  List<Located<Prefix>> prefixes(String... prefixes) {
    return Stream.of(prefixes).map(Prefix::of).map(this::at).toList();
  }

  Reach reach(Place place, String... services) {
    return new Reach(place, services(services), here("reach"));
  }

  static final Place INTERNET = new Place.Internet();

  static Service service(String text) {
    String[] parts = text.split("/", 2);
    Protocol protocol = Protocol.valueOf(parts[0].toUpperCase(Locale.ROOT));
    if (parts.length == 1) {
      return new Service(protocol, Optional.empty());
    }
    String[] ports = parts[1].split("-", 2);
    return new Service(
        protocol,
        Optional.of(
            new PortRange(Integer.parseInt(ports[0]), Integer.parseInt(ports[ports.length - 1]))));
  }

  static List<Service> services(String... services) {
    return Stream.of(services).map(Describe::service).toList();
  }

  List<Located<Service>> offered(String... services) {
    return services(services).stream().map(this::at).toList();
  }

  Tunnel.RemoteAccess remoteAccess(
      String name, Interface on, List<String> pools, List<Reach> reach, String... services) {
    return remoteAccess(name, on, pools, Tunnel.Return.ROUTED, reach, List.of(), services);
  }

  Tunnel.RemoteAccess remoteAccess(
      String name,
      Interface on,
      List<String> pools,
      Tunnel.Return wayBack,
      List<Reach> reach,
      List<Group> groups,
      String... services) {
    Tunnel.RemoteAccess made =
        new Tunnel.RemoteAccess(
            name,
            List.of(on),
            List.of(at(new Peer.Anybody())),
            Optional.empty(),
            ESP,
            MSS,
            prefixes(pools.toArray(String[]::new)),
            /* leased= */ false,
            wayBack,
            reach,
            offered(services),
            List.of(),
            groups,
            here("tunnels." + name));
    tunnels.add(made);
    return made;
  }

  Group group(String name, List<Reach> reach, String... services) {
    return new Group(
        name,
        new Tunnel.Match(Tunnel.Match.Kind.EAP_ID, "*@" + name),
        reach,
        offered(services),
        here("groups." + name));
  }

  Tunnel.SiteToSite siteToSite(
      String name, Interface on, String peer, List<Network> local, String... remote) {
    Tunnel.SiteToSite made =
        new Tunnel.SiteToSite(
            name,
            List.of(on),
            List.of(at(peer.equals("any") ? new Peer.Anybody() : new Peer.At(Prefix.of(peer)))),
            Optional.empty(),
            ESP,
            MSS,
            local,
            List.of(),
            prefixes(remote),
            local.stream().map(l -> reach(l)).toList(),
            List.of(),
            List.of(),
            here("tunnels." + name));
    tunnels.add(made);
    return made;
  }

  Tunnel.L2tp l2tp(String name, Interface on) {
    Tunnel.L2tp made =
        new Tunnel.L2tp(
            name,
            List.of(on),
            List.of(at(new Peer.Anybody())),
            Optional.empty(),
            ESP,
            MSS,
            List.of(),
            here("tunnels." + name));
    tunnels.add(made);
    return made;
  }

  Describe offer(Place from, boolean admin, String... services) {
    offers.add(new Offer(from, services(services), admin, here("host.services")));
    return this;
  }

  Describe internet(Network from, SourceNat nat) {
    internet.add(new InternetAccess(from, nat, List.of(), here("host.internet")));
    return this;
  }

  Describe flow(Place from, Reach to) {
    flows.add(new Flow(from, to));
    return this;
  }

  Describe portForward(Interface on, String service, String to, Integer toPort, String... from) {
    portForwards.add(
        new PortForward(
            on,
            service(service),
            at(Address.of(to)),
            Optional.ofNullable(toPort),
            Stream.of(from).map(Prefix::of).toList(),
            here("host.port-forwards")));
    return this;
  }

  Describe identity(String name, String device, List<String> addresses, String... nextHops) {
    identities.add(
        new Identity(
            name,
            addresses.stream().map(Address::of).map(this::at).toList(),
            device,
            Stream.of(nextHops).map(Address::of).map(this::at).toList(),
            here("identities." + name)));
    return this;
  }

  Gateway gateway() {
    Host host =
        new Host(
            inputClosed,
            outputClosed,
            forward,
            offers,
            outgoing.stream().map(this::at).toList(),
            internet,
            flows,
            portForwards,
            ping,
            dropLog,
            here("host"));
    return new Gateway(
        "test",
        interfaces,
        networks,
        host,
        tunnels,
        identities,
        Optional.empty(),
        Numbers.DEFAULT,
        new Origin("test.yaml", 1, 1, ""));
  }

  /** The office of the demo. */
  static Describe office() {
    Describe d = new Describe();
    Interface wan = d.device("wan", "eth0", List.of("203.0.113.1/24"), Role.OUTSIDE);
    Interface lan =
        d.device("lan", "eth1", List.of("10.0.1.1/24", "2001:db8:1::1/64"), Role.INSIDE);
    Network office = d.network("office", lan, "10.0.1.0/24", "2001:db8:1::/64");
    d.offer(office, true, "tcp/22");
    d.internet(office, new SourceNat.Masquerade());
    d.remoteAccess(
        "staff",
        wan,
        List.of("10.0.3.0/24", "2001:db8:3::/64"),
        Tunnel.Return.ROUTED,
        List.of(d.reach(office)),
        List.of(
            d.group("finance", List.of(d.reach(office, "tcp/445"), d.reach(INTERNET)), "udp/53")),
        "udp/53",
        "tcp/53");
    d.remoteAccess(
        "roaming", wan, List.of("10.0.4.0/24"), List.of(d.reach(office), d.reach(INTERNET)));
    d.siteToSite("branch", wan, "198.51.100.7/32", List.of(office), "10.20.0.0/16");
    d.l2tp("legacy", wan);
    d.portForward(wan, "tcp/443", "10.0.1.9", 8443, "192.0.2.0/24");
    d.identity("inside", "tun0", List.of("10.8.0.2"));
    d.identity("outside", "eth0", List.of("203.0.113.1"), "203.0.113.254");
    return d;
  }
}
