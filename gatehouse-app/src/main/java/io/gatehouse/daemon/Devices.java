package io.gatehouse.daemon;

import io.gatehouse.model.Address;
import io.gatehouse.model.Gateway;
import io.gatehouse.model.Identity;
import io.gatehouse.model.Interface;
import io.gatehouse.model.Located;
import io.gatehouse.model.Prefix;
import io.gatehouse.model.Tunnel;
import io.gatehouse.netlink.RouteMessage;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The host's devices and their addresses, as the kernel told of them: which of the description
 * came, which addresses of the outside, or of tunnels, this host has no more, and which are of an
 * outside device that went down. No I/O: a function of what was told.
 */
final class Devices {
  /** What is known of one, by its index. */
  private record Known(String name, boolean up) {}

  private final Map<Integer, Known> links = new HashMap<>();
  private final Map<Integer, Set<Address>> addresses = new HashMap<>();

  /** Devices that something of ours waits for, or leaves by. */
  private Set<String> named = Set.of();

  private Set<String> outside = Set.of();

  /** What virtual IPs are out of that the tunnels bring, on whatever device. */
  private Set<Prefix> virtual = Set.of();

  private boolean came;
  private final Set<Address> left = new LinkedHashSet<>();
  private final Set<Address> down = new LinkedHashSet<>();

  Devices(Gateway gateway) {
    follow(gateway);
  }

  /** Another description counts. */
  void follow(Gateway gateway) {
    Set<String> all =
        gateway.interfaces().stream().map(Interface::device).collect(Collectors.toSet());
    gateway.identities().stream().map(Identity::device).forEach(all::add);
    named = Set.copyOf(all);
    outside = gateway.outside().stream().map(Interface::device).collect(Collectors.toSet());
    virtual =
        gateway.tunnels().stream()
            .flatMap(tunnel ->
                tunnel instanceof Tunnel.Client client
                    ? client.followed().stream()
                    : Stream.<Located<Prefix>>empty())
            .map(Located::value)
            .collect(Collectors.toSet());
  }

  /** Something changed. */
  void hear(RouteMessage message) {
    switch (message) {
      case RouteMessage.Link link when link.gone() -> gone(link.index());
      case RouteMessage.Link link -> stands(link);
      case RouteMessage.OfLink of when of.gone() -> lost(of.index(), of.address());
      case RouteMessage.OfLink of -> has(of.index(), of.address());
      default -> {}
    }
  }

  /** All that there is: what is not among it has gone. */
  void listed(List<RouteMessage> all) {
    Map<Integer, Set<Address>> before = new HashMap<>();
    addresses.forEach((index, some) -> before.put(index, Set.copyOf(some)));
    Set<Integer> indexes = new HashSet<>(links.keySet());
    all.forEach(this::hear);
    for (RouteMessage message : all) {
      switch (message) {
        case RouteMessage.Link link -> indexes.remove(link.index());
        case RouteMessage.OfLink of ->
            before.computeIfPresent(
                of.index(),
                (index, some) ->
                    some.stream()
                        .filter(address -> !address.equals(of.address()))
                        .collect(Collectors.toSet()));
        default -> {}
      }
    }
    before.forEach((index, some) -> some.forEach(address -> lost(index, address)));
    indexes.forEach(this::gone);
  }

  private void stands(RouteMessage.Link link) {
    Known now = new Known(link.name(), link.up());
    Known before = links.put(link.index(), now);
    came |= link.up() && named.contains(link.name()) && !now.equals(before);
    if (outside.contains(link.name())) {
      Set<Address> its = addresses.getOrDefault(link.index(), Set.of());
      if (link.up()) {
        down.removeAll(its);
      } else if (before != null && before.up()) {
        down.addAll(its);
      }
    }
  }

  private void gone(int index) {
    Set.copyOf(addresses.getOrDefault(index, Set.of())).forEach(address -> lost(index, address));
    addresses.remove(index);
    links.remove(index);
  }

  private void has(int index, Address address) {
    boolean fresh = addresses.computeIfAbsent(index, i -> new HashSet<>()).add(address);
    left.remove(address);
    came |= fresh && isOf(named, index);
  }

  private void lost(int index, Address address) {
    boolean had = addresses.getOrDefault(index, new HashSet<>()).remove(address);
    if (had
        && isFollowed(index, address)
        && addresses.values().stream().noneMatch(a -> a.contains(address))) {
      left.add(address);
    }
  }

  private boolean isOf(Set<String> devices, int index) {
    return links.containsKey(index) && devices.contains(links.get(index).name());
  }

  /** A device's index, where it is there. */
  OptionalInt index(String device) {
    return links.entrySet().stream()
        .filter(entry -> entry.getValue().name().equals(device))
        .mapToInt(Map.Entry::getKey)
        .findFirst();
  }

  /** A device's name, where it is there. */
  Optional<String> name(int index) {
    return Optional.ofNullable(links.get(index)).map(Known::name);
  }

  /** Whether a device of the description came, or got an address, since this was last asked. */
  boolean came() {
    boolean answer = came;
    came = false;
    return answer;
  }

  /** Whether connections end with it: it is an outside device's, or a tunnel brought it. */
  private boolean isFollowed(int index, Address address) {
    return isOf(outside, index) || virtual.stream().anyMatch(prefix -> prefix.contains(address));
  }

  /** The addresses of outside devices that stand now, and those that tunnels brought. */
  Set<Address> outside() {
    return addresses.entrySet().stream()
        .flatMap(entry ->
            entry.getValue().stream().filter(address -> isFollowed(entry.getKey(), address)))
        .collect(Collectors.toSet());
  }

  /** Outside addresses that somebody saw before us: those that nobody has any more have gone. */
  void were(Set<Address> before) {
    before.stream()
        .filter(address -> addresses.values().stream().noneMatch(all -> all.contains(address)))
        .forEach(left::add);
  }

  /** Addresses of outside devices that went down and did not come back, since last asked. */
  Set<Address> down() {
    Set<Address> answer = Set.copyOf(down);
    down.clear();
    return answer;
  }

  /** Outside addresses that no device has any more, since this was last asked. */
  Set<Address> left() {
    Set<Address> answer = Set.copyOf(left);
    left.clear();
    return answer;
  }
}
