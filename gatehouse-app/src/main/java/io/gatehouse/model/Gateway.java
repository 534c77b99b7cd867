package io.gatehouse.model;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * A description that was read and understood: every name is resolved, every value keeps its place.
 * Lists keep the order of the description.
 */
public record Gateway(
    String name,
    List<Interface> interfaces,
    List<Network> networks,
    Host host,
    List<Tunnel> tunnels,
    List<Identity> identities,
    Optional<Masquerade> masquerade,
    Numbers numbers,
    Origin origin) {
  public Gateway {
    interfaces = List.copyOf(interfaces);
    networks = List.copyOf(networks);
    tunnels = List.copyOf(tunnels);
    identities = List.copyOf(identities);
  }

  public Optional<Tunnel> tunnel(String name) {
    return tunnels.stream().filter(t -> t.name().equals(name)).findFirst();
  }

  public List<Interface> outside() {
    return interfaces.stream().filter(Interface::isOutside).toList();
  }

  public List<Interface> inside() {
    return interfaces.stream().filter(Interface::isInside).toList();
  }

  /** The ways by which the world may begin connections with hosts behind this one. */
  public List<Uplink> uplinks() {
    List<Uplink> uplinks = new ArrayList<>();
    for (int place : Uplink.among(identities, interfaces, host, masquerade)) {
      uplinks.add(new Uplink(identities.get(place), place, numbers.uplinkMark(uplinks.size() + 1)));
    }
    return List.copyOf(uplinks);
  }

  /** The prefixes of a place that has some; the internet has none of its own. */
  public Stream<Prefix> prefixes(Place place) {
    return switch (place) {
      case Network network -> network.prefixes().stream().map(Located::value);
      case Place.OfTunnel of ->
          tunnel(of.name()).stream().flatMap(t -> t.farPrefixes().stream()).map(Located::value);
      case Place.Internet internet -> Stream.empty();
    };
  }
}
