package io.gatehouse.verify;

import io.gatehouse.model.Gateway;
import io.gatehouse.model.Interface;
import io.gatehouse.model.Located;
import io.gatehouse.model.Network;
import io.gatehouse.model.Place;
import io.gatehouse.model.Prefix;
import io.gatehouse.model.Reach;
import io.gatehouse.model.Service;
import io.gatehouse.model.Tunnel;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;

/**
 * Tunnels of which the description says the same but for their peers and far addresses: what holds
 * of ten thousand branches is asked once.
 *
 * @param tunnels never empty
 */
record Alike(List<Tunnel> tunnels) {

  /**
   * What the description says of sites that nothing else in it names: names are quick to compare.
   */
  private record Said(
      List<String> on,
      List<String> local,
      List<Prefix> known,
      List<What> reach,
      List<Service> outbound,
      List<Service> services) {
    private record What(String place, List<Service> services) {}

    static Said of(Tunnel.SiteToSite site) {
      return new Said(
          site.on().stream().map(Interface::name).toList(),
          site.local().stream().map(Network::name).toList(),
          site.images().stream().map(image -> image.as().value()).toList(),
          site.reach().stream().map(r -> new What(name(r.place()), r.services())).toList(),
          site.outbound(),
          site.services().stream().map(Located::value).toList());
    }

    private static String name(Place place) {
      return switch (place) {
        case Network network -> "network " + network.name();
        case Place.OfTunnel tunnel -> "tunnel " + tunnel.name();
        case Place.Internet internet -> "internet";
      };
    }
  }

  /** All tunnels of a gateway that have a far side. */
  static List<Alike> of(Gateway gateway) {
    Set<String> named = named(gateway);
    Map<Object, List<Tunnel>> alike = new LinkedHashMap<>();
    for (Tunnel tunnel : gateway.tunnels()) {
      if (!tunnel.farPrefixes().isEmpty()) {
        Object key =
            tunnel instanceof Tunnel.SiteToSite site && !named.contains(site.name())
                ? Said.of(site)
                : tunnel.name();
        alike.computeIfAbsent(key, k -> new ArrayList<>()).add(tunnel);
      }
    }
    return alike.values().stream().map(List::copyOf).map(Alike::new).toList();
  }

  private static Set<String> named(Gateway gateway) {
    Set<String> named = new HashSet<>();
    Stream<Place> places =
        Stream.of(
                gateway.tunnels().stream().flatMap(Tunnel::reachOfAnybody).map(Reach::place),
                gateway.host().flows().stream()
                    .flatMap(flow -> Stream.of(flow.from(), flow.to().place())),
                gateway.host().services().stream().map(offer -> offer.from()))
            .flatMap(some -> some);
    places.forEach(place -> {
      if (place instanceof Place.OfTunnel of) {
        named.add(of.name());
      }
    });
    return named;
  }

  /** One of them, for what is the same of all. */
  Tunnel first() {
    return tunnels.getFirst();
  }

  List<String> names() {
    return tunnels.stream().map(Tunnel::name).toList();
  }

  /** All addresses on their far ends. */
  List<Prefix> far() {
    return tunnels.stream()
        .flatMap(tunnel -> tunnel.farPrefixes().stream())
        .map(Located::value)
        .toList();
  }

  /** Their name in a sentence. */
  String who() {
    int others = tunnels.size() - 1;
    return others == 0 ? first().name() : first().name() + " or one of " + others + " like it";
  }
}
