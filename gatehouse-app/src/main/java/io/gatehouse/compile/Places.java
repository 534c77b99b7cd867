package io.gatehouse.compile;

import io.gatehouse.compile.Grant.Target;
import io.gatehouse.compile.Partition.Claim;
import io.gatehouse.model.Family;
import io.gatehouse.model.Gateway;
import io.gatehouse.model.Interface;
import io.gatehouse.model.Located;
import io.gatehouse.model.Network;
import io.gatehouse.model.Origin;
import io.gatehouse.model.Place;
import io.gatehouse.model.Prefix;
import io.gatehouse.model.Reach;
import io.gatehouse.model.Tunnel;
import io.gatehouse.ruleset.Expression.SetRef;
import io.gatehouse.ruleset.Statement;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;

/**
 * How packets from and to a place are told: by device and address, and by IPsec where the place is
 * behind a tunnel.
 */
final class Places {
  private final Gateway gateway;
  private final Space space;
  private final Sets sets;
  private final Map<String, Target> targets = new HashMap<>();

  /** The line that a part of somebody's addresses comes from. */
  private final Map<Prefix, Origin> written = new HashMap<>();

  Places(Gateway gateway, Space space, Sets sets) {
    this.gateway = gateway;
    this.space = space;
    this.sets = sets;
    Map<String, List<Prefix>> far = new HashMap<>();
    for (Family family : Family.values()) {
      for (Claim<Tunnel> part : space.far(family)) {
        far.computeIfAbsent(part.owner().name(), n -> new ArrayList<>()).add(part.prefix());
        written.put(part.prefix(), part.origin());
      }
    }
    far.forEach((name, prefixes) -> targets.put("far_" + name, new Target.Far(name, prefixes)));
    for (Network network : gateway.networks()) {
      List<Prefix> near = new ArrayList<>();
      for (Family family : Family.values()) {
        for (Located<Prefix> part : space.network(network, family)) {
          near.add(part.value());
          written.putIfAbsent(part.value(), part.origin());
        }
      }
      near.sort(Comparator.naturalOrder());
      targets.put(
          "net_" + network.name(), new Target.Near(network.name(), network.on().device(), near));
    }
  }

  /** Where a reach leads. */
  Grant grant(Reach reach) {
    return new Grant(target(reach.place()), reach.services(), reach.origin());
  }

  Target target(Place place) {
    return switch (place) {
      case Network network ->
          targets.getOrDefault(
              "net_" + network.name(),
              new Target.Near(network.name(), network.on().device(), List.of()));
      case Place.OfTunnel of ->
          targets.getOrDefault("far_" + of.name(), new Target.Far(of.name(), List.of()));
      case Place.Internet internet -> new Target.World();
    };
  }

  /** The conditions for packets from there; nothing where it has no address of that family. */
  Optional<List<Statement>> from(Target target, Family family) {
    return switch (target) {
      case Target.Near near ->
          set(near, family)
              .map(set ->
                  List.of(
                      Nft.is(Nft.IIFNAME, Nft.device(near.device())),
                      Nft.is(Nft.saddr(family), set)));
      case Target.Far far ->
          set(far, family).map(set -> List.of(Nft.DECRYPTED, Nft.is(Nft.saddr(family), set)));
      case Target.World world ->
          outside()
              .map(devices ->
                  List.of(
                      Nft.is(Nft.IIFNAME, devices),
                      ours(family)
                          .map(ours -> Nft.isNot(Nft.saddr(family), ours))
                          .orElse(Nft.family(family))));
    };
  }

  /** The conditions for packets that go there. */
  Optional<List<Statement>> towards(Target target, Family family) {
    return switch (target) {
      case Target.Near near ->
          set(near, family)
              .map(set ->
                  List.of(
                      Nft.is(Nft.OIFNAME, Nft.device(near.device())),
                      Nft.is(Nft.daddr(family), set)));
      case Target.Far far ->
          set(far, family).map(set -> List.of(Nft.PROTECTED, Nft.is(Nft.daddr(family), set)));
      case Target.World world ->
          outside()
              .map(devices ->
                  List.of(
                      Nft.is(Nft.OIFNAME, devices),
                      ours(family)
                          .map(ours -> Nft.isNot(Nft.daddr(family), ours))
                          .orElse(Nft.family(family))));
    };
  }

  /** The addresses of a place as a set; nothing where it has none of that family. */
  Optional<SetRef> addresses(Target target, Family family) {
    return switch (target) {
      case Target.Near near -> set(near, family);
      case Target.Far far -> set(far, family);
      case Target.World world -> Optional.empty();
    };
  }

  /** The far addresses of a tunnel. */
  Optional<SetRef> far(Tunnel tunnel, Family family) {
    return addresses(target(new Place.OfTunnel(tunnel.name())), family);
  }

  private Optional<SetRef> set(Target.Near near, Family family) {
    return addresses("net_" + near.name(), family, near.prefixes());
  }

  private Optional<SetRef> set(Target.Far far, Family family) {
    return addresses("far_" + far.name(), family, far.prefixes());
  }

  private Optional<SetRef> addresses(String name, Family family, List<Prefix> prefixes) {
    return sets.addresses(
        name,
        family,
        () ->
            prefixes.stream()
                .map(p -> new Located<>(p, written.getOrDefault(p, gateway.origin())))
                .toList());
  }

  /** The devices towards the world. */
  Optional<SetRef> outside() {
    return devices("outside", Interface::isOutside);
  }

  /** The devices towards our networks. */
  Optional<SetRef> inside() {
    return devices("inside", Interface::isInside);
  }

  private Optional<SetRef> devices(String name, Predicate<Interface> which) {
    return sets.devices(
        name,
        gateway.interfaces().stream()
            .filter(which)
            .map(at -> new Located<>(at.device(), at.origin()))
            .toList());
  }

  /** Everything that is not the internet. */
  Optional<SetRef> ours(Family family) {
    return sets.addresses("ours", family, () -> space.ours(family));
  }

  /** All of our networks. */
  Optional<SetRef> networks(Family family) {
    return sets.addresses("networks", family, () -> space.networks(family));
  }

  /** The networks on or behind one interface, where it has some. */
  Optional<SetRef> networksOn(Interface at, Family family) {
    return sets.addresses(
        "on_" + at.name(),
        family,
        gateway.networks().stream()
            .filter(network -> network.on().equals(at))
            .flatMap(network -> space.network(network, family).stream())
            .toList());
  }

  /** All pools and remote networks. */
  Optional<SetRef> far(Family family) {
    return sets.addresses("far", family, () -> far(family, tunnel -> true));
  }

  /** The far addresses of some tunnels. */
  List<Located<Prefix>> far(Family family, Predicate<Tunnel> which) {
    return space.far(family).stream()
        .filter(part -> which.test(part.owner()))
        .map(part -> new Located<>(part.prefix(), part.origin()))
        .toList();
  }

  /** Some of these as a set of that name; where none is missing, the set of all. */
  Optional<SetRef> ofFar(String name, Family family, List<Located<Prefix>> some) {
    return some.size() == space.far(family).size()
        ? far(family)
        : sets.addresses(name, family, some);
  }
}
