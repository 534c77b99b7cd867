package io.gatehouse.compile;

import io.gatehouse.compile.Companion.DhcpRoutes;
import io.gatehouse.compile.Companion.Route;
import io.gatehouse.compile.Companion.StaticRoutes;
import io.gatehouse.model.Address;
import io.gatehouse.model.Family;
import io.gatehouse.model.Gateway;
import io.gatehouse.model.Located;
import io.gatehouse.model.Network;
import io.gatehouse.model.Place;
import io.gatehouse.model.Prefix;
import io.gatehouse.model.Reach;
import io.gatehouse.model.Tunnel;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * The way back to pools and remote networks, for networks whose default gateway is not this host:
 * what their router or their DHCP server has to be told.
 */
final class WayBack {
  /**
   * A DHCP option's length is one octet (RFC 2132, 2); what is longer travels in pieces (RFC 3396)
   * that few clients put together.
   */
  private static final int LONGEST_OPTION = 255;

  private final Gateway gateway;
  private final List<Companion> companions = new ArrayList<>();
  private final List<Note> notes = new ArrayList<>();

  private WayBack(Gateway gateway) {
    this.gateway = gateway;
  }

  static Advice of(Gateway gateway) {
    WayBack wayBack = new WayBack(gateway);
    gateway.networks().stream().filter(n -> !n.routers().isEmpty()).forEach(wayBack::to);
    return new Advice(wayBack.companions, wayBack.notes);
  }

  private void to(Network network) {
    List<Prefix> far =
        gateway.tunnels().stream()
            .filter(WayBack::isRouted)
            .filter(tunnel -> touches(tunnel, network))
            .flatMap(tunnel -> tunnel.farPrefixes().stream().map(Located::value))
            .filter(prefix ->
                network.prefixes().stream()
                    .anyMatch(own -> own.value().family() == prefix.family()))
            .distinct()
            .sorted()
            .toList();
    List<Route> routes = new ArrayList<>();
    for (Family family : Family.values()) {
      List<Prefix> ofFamily = far.stream().filter(prefix -> prefix.family() == family).toList();
      Optional<Address> nextHop = insideAddress(network, family);
      if (!ofFamily.isEmpty() && nextHop.isEmpty()) {
        notes.add(noAddress(network, family));
      }
      nextHop.ifPresent(here -> ofFamily.forEach(prefix -> routes.add(new Route(prefix, here))));
    }
    if (!routes.isEmpty()) {
      List<Address> routers = network.routers().stream().map(Located::value).toList();
      companions.add(new StaticRoutes(network.name(), routers, routes, network.origin()));
      dhcp(
          network,
          routers,
          routes.stream().filter(route -> route.destination().family() == Family.V4).toList());
    }
  }

  /**
   * DHCP reaches only hosts of the link itself; for IPv6 there is no such option, the router's
   * route has to do.
   */
  private void dhcp(Network network, List<Address> routers, List<Route> routes) {
    boolean onLink =
        routes.stream()
            .allMatch(route ->
                network.prefixes().stream().anyMatch(own -> own.value().contains(route.nextHop())));
    if (routes.isEmpty() || !network.connected() || !onLink) {
      return;
    }
    Optional<Address> router =
        routers.stream().filter(address -> address.family() == Family.V4).findFirst();
    if (router.isEmpty()) {
      notes.add(
          new Note(
              "No DHCP options for "
                  + network.name()
                  + ": they have to hold the default route too (RFC 3442), and no IPv4 router is named."
                  + " Add it under `routers:`.",
              network.origin()));
      return;
    }
    // The default route last, as people read it; hosts look up the longest prefix whatever the
    // order.
    List<Route> all =
        Stream.concat(routes.stream(), Stream.of(new Route(Prefix.ALL_V4, router.get()))).toList();
    DhcpRoutes option = new DhcpRoutes(network.name(), all, network.origin());
    if (option.value().length > LONGEST_OPTION) {
      notes.add(
          new Note(
              "The routes of "
                  + network.name()
                  + " take "
                  + option.value().length
                  + " bytes, and a DHCP option has "
                  + LONGEST_OPTION
                  + ": give them to the router instead.",
              network.origin()));
      return;
    }
    companions.add(option);
  }

  /** Whether hosts see the far addresses themselves, and no proxy answers for them. */
  private static boolean isRouted(Tunnel tunnel) {
    return switch (tunnel) {
      case Tunnel.RemoteAccess access -> access.wayBack() == Tunnel.Return.ROUTED;
      case Tunnel.SiteToSite site -> true;
      case Tunnel.Client client -> false; // under the virtual IP, and by this host
      case Tunnel.L2tp l2tp -> false;
    };
  }

  /** Whether anything may pass between them, whoever begins. */
  private boolean touches(Tunnel tunnel, Network network) {
    Stream<Place> reached = tunnel.reachOfAnybody().map(Reach::place);
    if (tunnel instanceof Tunnel.SiteToSite site) {
      reached = Stream.concat(site.local().stream(), reached);
    }
    return reached.anyMatch(network::equals)
        || gateway.host().flows().stream()
            .anyMatch(flow ->
                flow.from().equals(network)
                    && flow.to().place() instanceof Place.OfTunnel of
                    && of.name().equals(tunnel.name()));
  }

  /** The fixed address by which the network, or the router before it, knows this host. */
  private static Optional<Address> insideAddress(Network network, Family family) {
    List<Address> addresses =
        network.on().addresses().stream()
            .map(address -> address.value().address())
            .filter(address -> address.family() == family)
            .toList();
    return addresses.stream()
        .filter(
            address -> network.prefixes().stream().anyMatch(own -> own.value().contains(address)))
        .findFirst()
        .or(() -> addresses.stream().findFirst());
  }

  private static Note noAddress(Network network, Family family) {
    return new Note(
        "Hosts of "
            + network.name()
            + " find no way back to the tunnels: "
            + network.on().name()
            + " has no fixed "
            + (family == Family.V4 ? "IPv4" : "IPv6")
            + " address that their router could send to. Write it under `interfaces:`, as `addresses:` of "
            + network.on().name()
            + ".",
        network.origin());
  }
}
