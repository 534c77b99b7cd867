package io.gatehouse.daemon;

import io.gatehouse.compile.LiveMaps;
import io.gatehouse.model.Address;
import io.gatehouse.model.Prefix;
import io.gatehouse.model.Tunnel;
import io.gatehouse.model.Tunnel.Group;
import io.gatehouse.model.Tunnel.Match;
import io.gatehouse.vici.ChildSa;
import io.gatehouse.vici.IkeSa;
import java.util.ArrayList;
import java.util.Collection;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.function.Consumer;

/** What is to stand because of an IKE SA and its children, by the description. */
final class Derivation {
  private final Model model;
  private final Map<String, List<Tunnel>> byConnection = new HashMap<>();

  /** By tunnel, then by what the identity is; the numbers are the groups' places there. */
  private final Map<String, Map<Match.Kind, Patterns>> patterns = new HashMap<>();

  /** By tunnel. */
  private final Map<String, List<LiveMaps.OfGroups>> maps = new HashMap<>();

  Derivation(Model model) {
    this.model = model;
    for (Tunnel tunnel : model.gateway().tunnels()) {
      byConnection.computeIfAbsent(LiveMaps.connection(tunnel), c -> new ArrayList<>()).add(tunnel);
      if (tunnel instanceof Tunnel.RemoteAccess access) {
        patterns.put(access.name(), patterns(access.groups()));
      }
    }
    for (LiveMaps.OfGroups of : model.maps().groups()) {
      maps.computeIfAbsent(of.tunnel(), tunnel -> new ArrayList<>()).add(of);
    }
  }

  private static Map<Match.Kind, Patterns> patterns(List<Group> groups) {
    Map<Match.Kind, Patterns> patterns = new EnumMap<>(Match.Kind.class);
    for (int i = 0; i < groups.size(); i++) {
      Match match = groups.get(i).match();
      patterns.computeIfAbsent(match.kind(), kind -> new Patterns()).add(i, match.pattern());
    }
    return patterns;
  }

  /** The tunnel that a child belongs to, of those of the description. */
  Optional<Tunnel> tunnel(IkeSa sa, ChildSa child) {
    List<Tunnel> candidates = byConnection.getOrDefault(sa.connection(), List.of());
    // One connection with one child in the description is that tunnel, whatever the child's name.
    return candidates.size() == 1
        ? Optional.of(candidates.getFirst())
        : candidates.stream()
            .filter(tunnel -> LiveMaps.child(tunnel).equals(child.name()))
            .findFirst();
  }

  /** The group of whoever is on the other end; the first in the description that takes it. */
  Optional<Group> group(Tunnel tunnel, IkeSa sa) {
    int first = Integer.MAX_VALUE;
    for (var of : patterns.getOrDefault(tunnel.name(), Map.of()).entrySet()) {
      OptionalInt number =
          identity(of.getKey(), sa).map(of.getValue()::first).orElse(OptionalInt.empty());
      first = Math.min(first, number.orElse(Integer.MAX_VALUE));
    }
    return first == Integer.MAX_VALUE ? Optional.empty() : Optional.of(tunnel.groups().get(first));
  }

  private static Optional<String> identity(Match.Kind kind, IkeSa sa) {
    return switch (kind) {
      case IKE_ID -> sa.remoteId();
      case EAP_ID -> sa.eapId();
      case XAUTH_ID -> sa.xauthId();
    };
  }

  /**
   * What is to stand.
   *
   * @param known whether somebody still says who it is: else it is in no group
   * @param zones where marks get theirs
   * @param refused told what a contract does not allow, or for what there is no room
   */
  List<Wish> wishes(
      IkeSa sa,
      Collection<ChildSa> children,
      boolean known,
      Zones zones,
      Consumer<String> refused) {
    List<Wish> wishes = new ArrayList<>();
    for (LiveMaps.OfClient of : model.maps().virtual()) {
      virtual(of, sa, children, refused, wishes);
    }
    for (ChildSa child : children) {
      Optional<Tunnel> tunnel = tunnel(sa, child);
      if (tunnel.isEmpty() || !child.installed()) {
        continue;
      }
      group(tunnel.get(), sa)
          .filter(group -> known)
          .ifPresent(group ->
              addresses(sa, child)
                  .forEach(address -> member(tunnel.get(), group, address, refused, wishes)));
      if (tunnel.get() instanceof Tunnel.RemoteAccess access && access.leased()) {
        addresses(sa, child).stream()
            .filter(address ->
                access.pools().stream().noneMatch(pool -> pool.value().contains(address)))
            .forEach(address ->
                refused.accept(
                    address
                        + " was leased to a client of "
                        + access.name()
                        + ", and lies in none of its pools: it reaches nothing"));
      }
      if (tunnel.get() instanceof Tunnel.L2tp && child.markIn().isPresent()) {
        zone(child.markIn().get().value(), zones, refused, wishes);
      }
    }
    return wishes;
  }

  /** Where this host is to answer for the client: in the LAN that its virtual address lies in. */
  Set<Presence> presences(IkeSa sa, Collection<ChildSa> children) {
    Set<Presence> presences = new LinkedHashSet<>();
    for (ChildSa child : children) {
      Optional<Tunnel> tunnel = tunnel(sa, child).filter(t -> child.installed());
      for (LiveMaps.Answering pool : model.maps().answering()) {
        if (tunnel.filter(t -> t.name().equals(pool.tunnel())).isPresent()) {
          addresses(sa, child).stream()
              .filter(pool::allows)
              .forEach(address -> presences.add(new Presence(address, pool.device())));
        }
      }
    }
    return presences;
  }

  /** What the client was given; where nobody says, the single hosts of its selectors. */
  private static Set<Address> addresses(IkeSa sa, ChildSa child) {
    Set<Address> addresses = new LinkedHashSet<>(sa.virtual());
    if (addresses.isEmpty()) {
      child.remote().stream()
          .filter(prefix -> prefix.length() == prefix.family().bits())
          .map(Prefix::first)
          .forEach(addresses::add);
    }
    return addresses;
  }

  private void member(
      Tunnel tunnel, Group group, Address address, Consumer<String> refused, List<Wish> wishes) {
    for (LiveMaps.OfGroups of : maps.getOrDefault(tunnel.name(), List.of())) {
      if (of.family() == address.family() && of.verdicts().containsKey(group.name())) {
        Wish.of(of, address, group.name())
            .ifPresentOrElse(
                wishes::add,
                () ->
                    refused.accept(
                        address + " is in no pool of " + tunnel.name() + ", though its IKE SA is"));
      }
    }
  }

  /**
   * The virtual IP that a server gave this host: our end of its children. Where that is not one
   * address, nobody appears under any.
   */
  private void virtual(
      LiveMaps.OfClient of,
      IkeSa sa,
      Collection<ChildSa> children,
      Consumer<String> refused,
      List<Wish> wishes) {
    Set<Address> given = new LinkedHashSet<>();
    for (ChildSa child : children) {
      if (child.installed()
          && tunnel(sa, child).filter(t -> t.name().equals(of.tunnel())).isPresent()) {
        child.local().stream()
            .filter(prefix -> prefix.isHost() && prefix.family() == of.family())
            .map(Prefix::first)
            .forEach(given::add);
      }
    }
    if (given.size() > 1) {
      refused.accept(
          of.tunnel() + " has several virtual IPs, " + given + ": nobody appears under any");
      return;
    }
    for (Address address : given) {
      List<Wish> all =
          of.devices().stream()
              .flatMap(device -> Wish.of(of.map(), device, address).stream())
              .toList();
      if (all.isEmpty()) {
        refused.accept(
            address
                + " was given to this host by "
                + of.tunnel()
                + ", and lies outside of its `address`: nobody appears under it");
      }
      wishes.addAll(all);
    }
  }

  private void zone(long mark, Zones zones, Consumer<String> refused, List<Wish> wishes) {
    if (model.maps().zones().isEmpty()) {
      return;
    }
    OptionalInt zone = zones.of(mark);
    Optional<Wish> wish =
        zone.isPresent()
            ? Wish.of(model.maps().zones().get(), mark, zone.getAsInt())
            : Optional.empty();
    wish.ifPresentOrElse(
        wishes::add,
        () ->
            refused.accept(
                zone.isEmpty()
                    ? "no conntrack zone is left for the SA with mark " + mark
                    : "the mark " + mark + " is none of ours"));
  }
}
