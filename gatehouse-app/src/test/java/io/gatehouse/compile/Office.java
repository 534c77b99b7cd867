package io.gatehouse.compile;

import io.gatehouse.model.Address;
import io.gatehouse.model.Esp;
import io.gatehouse.model.Gateway;
import io.gatehouse.model.Host;
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
import io.gatehouse.model.Prefix;
import io.gatehouse.model.Protocol;
import io.gatehouse.model.Reach;
import io.gatehouse.model.Service;
import io.gatehouse.model.Tunnel;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** Parts of descriptions for the tests of what is written beside the ruleset. */
final class Office {
  static final Interface WAN = outside("wan", 1500, "203.0.113.9/24");
  static final Interface LAN = inside("10.0.1.1/24", "2001:db8:1::1/64");
  static final Network NET = network("office", LAN, List.of(), "10.0.1.0/24", "2001:db8:1::/64");
  static final Located<Service> DNS = at(Service.of(Protocol.UDP, 53));

  private Office() {}

  static Origin origin(int line) {
    return new Origin("office.yaml", line, 3, "");
  }

  static <T> Located<T> at(T value) {
    return new Located<>(value, origin(1));
  }

  static Interface outside(String name, int mtu, String... addresses) {
    return device(name, Role.OUTSIDE, mtu, addresses);
  }

  static Interface inside(String... addresses) {
    return device("lan", Role.INSIDE, 1500, addresses);
  }

  private static Interface device(String name, Role role, int mtu, String... addresses) {
    return new Interface(
        name,
        name + "0",
        Set.of(role),
        Arrays.stream(addresses).map(Office::interfaceAddress).toList(),
        List.of(),
        mtu,
        false,
        false,
        List.of(),
        origin(2));
  }

  private static Located<InterfaceAddress> interfaceAddress(String text) {
    int slash = text.indexOf('/');
    return at(
        new InterfaceAddress(
            Address.of(text.substring(0, slash)), Integer.parseInt(text.substring(slash + 1))));
  }

  static Network network(String name, Interface on, List<String> routers, String... prefixes) {
    return new Network(
        name, on, true, prefixes(prefixes), List.of(), addresses(routers), origin(4));
  }

  static Network behind(String name, Interface via, List<String> routers, String... prefixes) {
    return new Network(
        name, via, false, prefixes(prefixes), List.of(), addresses(routers), origin(5));
  }

  static List<Located<Prefix>> prefixes(String... texts) {
    return Arrays.stream(texts).map(text -> at(Prefix.of(text))).toList();
  }

  static List<Located<Address>> addresses(List<String> texts) {
    return texts.stream().map(text -> at(Address.of(text))).toList();
  }

  static Reach reach(Place place) {
    return new Reach(place, List.of(), origin(6));
  }

  static Located<Peer> peer(String prefix) {
    return at(new Peer.At(Prefix.of(prefix)));
  }

  static Esp esp(Esp.Encapsulation encapsulation, String... proposals) {
    return new Esp(Arrays.stream(proposals).map(Office::at).toList(), encapsulation);
  }

  /** A site-to-site tunnel of which only the bytes on the wire matter. */
  static Tunnel.SiteToSite site(List<Interface> on, Peer peer, Esp esp, String... remote) {
    return new Tunnel.SiteToSite(
        "branch",
        on,
        List.of(at(peer)),
        Optional.empty(),
        esp,
        new Mss.Reckoned(),
        List.of(NET),
        List.of(),
        prefixes(remote),
        List.of(reach(NET)),
        List.of(),
        List.of(),
        origin(30));
  }

  static Tunnel.L2tp l2tp(Esp esp) {
    return l2tp(WAN, esp);
  }

  static Tunnel.L2tp l2tp(Interface on, Esp esp) {
    return new Tunnel.L2tp(
        "legacy",
        List.of(on),
        List.of(at(new Peer.Anybody())),
        Optional.empty(),
        esp,
        new Mss.Reckoned(),
        List.of(),
        origin(40));
  }

  static Tunnel.RemoteAccess staff(
      List<Located<Prefix>> pools,
      Tunnel.Return wayBack,
      List<Reach> reach,
      List<Located<Service>> services,
      List<String> dns,
      List<Tunnel.Group> groups) {
    return new Tunnel.RemoteAccess(
        "staff",
        List.of(WAN),
        List.of(at(new Peer.Anybody())),
        Optional.of(new Tunnel.Ike("rw", Optional.of("net"))),
        esp(Esp.Encapsulation.AUTO, "aes256gcm16-x25519"),
        new Mss.Reckoned(),
        pools,
        /* leased= */ false,
        wayBack,
        reach,
        services,
        addresses(dns),
        groups,
        origin(12));
  }

  static Gateway gateway(Interface lan, List<Network> networks, Tunnel... tunnels) {
    return new Gateway(
        "office",
        List.of(WAN, lan),
        networks,
        new Host(
            true,
            false,
            Host.Forward.OURS,
            List.of(),
            List.of(),
            List.of(),
            List.of(),
            List.of(),
            Host.Ping.INSIDE,
            Optional.empty(),
            origin(8)),
        List.of(tunnels),
        List.of(),
        Optional.empty(),
        Numbers.DEFAULT,
        origin(1));
  }
}
