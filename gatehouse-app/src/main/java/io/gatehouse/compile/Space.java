package io.gatehouse.compile;

import io.gatehouse.compile.Partition.Claim;
import io.gatehouse.model.Family;
import io.gatehouse.model.Gateway;
import io.gatehouse.model.Located;
import io.gatehouse.model.Network;
import io.gatehouse.model.Prefix;
import io.gatehouse.model.PrefixIndex;
import io.gatehouse.model.Tunnel;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Whose the addresses of a description are. A pool inside a LAN belongs to the pool, a LAN inside a
 * remote network belongs to the LAN.
 */
final class Space {
  private final Gateway gateway;
  // Nobody as an owner stands for our own networks.
  private final List<Claim<Optional<Tunnel>>> parts;

  // Rules ask again and again, and there may be ten thousands of them.
  private final Map<Family, List<Claim<Tunnel>>> far = new EnumMap<>(Family.class);
  private final Map<Family, List<Located<Prefix>>> ours = new EnumMap<>(Family.class);
  private final Map<Family, PrefixIndex> index = new EnumMap<>(Family.class);

  Space(Gateway gateway) {
    this.gateway = gateway;
    List<Claim<Optional<Tunnel>>> claims = new ArrayList<>();
    for (Tunnel tunnel : gateway.tunnels()) {
      for (Located<Prefix> far : tunnel.farPrefixes()) {
        claims.add(new Claim<>(far.value(), Optional.of(tunnel), far.origin()));
      }
    }
    for (Network network : gateway.networks()) {
      for (Located<Prefix> near : network.prefixes()) {
        claims.add(new Claim<>(near.value(), Optional.empty(), near.origin()));
      }
    }
    parts = Partition.cut(claims);
  }

  /** The addresses on the other ends of tunnels, each part with its tunnel. */
  List<Claim<Tunnel>> far(Family family) {
    return far.computeIfAbsent(
        family,
        f ->
            parts.stream()
                .filter(part -> part.prefix().family() == f)
                .flatMap(part ->
                    part.owner().stream()
                        .map(tunnel -> new Claim<>(part.prefix(), tunnel, part.origin())))
                .toList());
  }

  /** The same to find those that meet a prefix. */
  PrefixIndex farByPrefix(Family family) {
    return index.computeIfAbsent(
        family, f -> new PrefixIndex(far(f).stream().map(Claim::prefix).toList()));
  }

  /** The addresses of our networks, together. */
  List<Located<Prefix>> networks(Family family) {
    return parts.stream()
        .filter(part -> part.prefix().family() == family && part.owner().isEmpty())
        .map(part -> new Located<>(part.prefix(), part.origin()))
        .toList();
  }

  /** A network's addresses, without the pools inside it. */
  List<Located<Prefix>> network(Network network, Family family) {
    List<Prefix> pools = far(family).stream().map(Claim::prefix).toList();
    return network.prefixes().stream()
        .filter(near -> near.value().family() == family)
        .flatMap(near -> {
          List<Prefix> holes = pools.stream().filter(near.value()::contains).toList();
          return near.value().without(holes).stream()
              .map(rest -> new Located<>(rest, near.origin()));
        })
        .toList();
  }

  /**
   * Everything that is not the internet: networks, far ends, the links of inside interfaces, and
   * virtual IPs of this host, which go with their tunnels.
   */
  List<Located<Prefix>> ours(Family family) {
    return ours.computeIfAbsent(family, this::together);
  }

  private List<Located<Prefix>> together(Family family) {
    List<Claim<Boolean>> claims = new ArrayList<>();
    parts.forEach(part -> claims.add(new Claim<>(part.prefix(), true, part.origin())));
    gateway.interfaces().stream()
        .filter(at -> at.isInside() && !at.isOutside())
        .flatMap(at -> at.addresses().stream())
        .forEach(
            address -> claims.add(new Claim<>(address.value().link(), true, address.origin())));
    for (Tunnel tunnel : gateway.tunnels()) {
      if (tunnel instanceof Tunnel.Client client) {
        client
            .addresses()
            .forEach(address -> claims.add(new Claim<>(address.value(), true, address.origin())));
      }
    }
    return Partition.cut(claims).stream()
        .filter(part -> part.prefix().family() == family)
        .map(part -> new Located<>(part.prefix(), part.origin()))
        .toList();
  }

  /** Whether anything of that family is to go through this host. */
  boolean forwards(Family family) {
    return parts.stream().anyMatch(part -> part.prefix().family() == family);
  }

  /** Whether this host speaks that family at all, as far as the description can tell. */
  boolean speaks(Family family) {
    return forwards(family) || gateway.interfaces().stream().anyMatch(at -> at.speaks(family));
  }
}
