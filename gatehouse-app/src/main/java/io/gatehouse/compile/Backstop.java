package io.gatehouse.compile;

import io.gatehouse.model.Address;
import io.gatehouse.model.Family;
import io.gatehouse.model.Gateway;
import io.gatehouse.model.Interface;
import io.gatehouse.model.Located;
import io.gatehouse.model.Network;
import io.gatehouse.model.Prefix;
import io.gatehouse.model.Tunnel;
import io.gatehouse.ruleset.Routing;
import io.gatehouse.ruleset.XfrmPolicy;
import io.gatehouse.ruleset.XfrmPolicy.Direction;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * xfrm policies of the lowest precedence: they hold when the tunnel is down and when somebody has
 * flushed every nftables rule.
 */
final class Backstop {
  private Backstop() {}

  static List<XfrmPolicy> of(Gateway gateway) {
    long priority = gateway.numbers().backstopPriority();
    Map<Prefix, Boolean> far = new LinkedHashMap<>();
    Map<Boolean, List<Located<Prefix>>> blocked = new LinkedHashMap<>();
    for (Tunnel tunnel : gateway.tunnels()) {
      for (Located<Prefix> prefix : blocked(tunnel)) {
        boolean selector = isSelector(tunnel, prefix.value());
        if (far.putIfAbsent(prefix.value(), selector) == null) {
          blocked.computeIfAbsent(selector, s -> new ArrayList<>()).add(prefix);
        }
      }
    }
    List<XfrmPolicy> policies = new ArrayList<>();
    blocked.forEach((selector, prefixes) ->
        joined(prefixes).forEach(prefix -> policies.addAll(blocks(selector, prefix, priority))));
    List<Address> own =
        gateway.interfaces().stream()
            .flatMap(at -> at.addresses().stream())
            .map(address -> address.value().address())
            .toList();
    gateway
        .tunnels()
        .forEach(tunnel -> policies.addAll(Images.policies(tunnel, own, gateway.numbers())));
    for (Tunnel tunnel : gateway.tunnels()) {
      if (tunnel instanceof Tunnel.Client client) {
        policies.addAll(virtual(client, priority));
        policies.addAll(untranslated(gateway, client));
        if (client.full()) {
          policies.addAll(own(gateway, priority - 1));
        }
      }
    }
    for (Network network : gateway.networks()) {
      for (Located<Prefix> near : network.prefixes()) {
        // A LAN inside a remote network, such as one that is everything, is not behind the tunnel.
        if (far.keySet().stream()
            .anyMatch(p -> p.contains(near.value()) && !p.equals(near.value()))) {
          policies.addAll(policies(near, all(near.value().family()), priority - 1, false));
        }
      }
    }
    return policies;
  }

  /** Whole networks, though a virtual IP out of them is this host: few policies. */
  private static List<Located<Prefix>> blocked(Tunnel tunnel) {
    return tunnel instanceof Tunnel.Client client ? whole(client) : tunnel.farPrefixes();
  }

  private static List<Located<Prefix>> whole(Tunnel.Client client) {
    return client.full()
        ? Tunnel.Client.EVERYTHING.stream()
            .map(all -> new Located<>(all, client.remote().getFirst().origin()))
            .toList()
        : client.remote();
  }

  /** This host's own fixed addresses and the links inside, where a tunnel takes everything else. */
  private static List<XfrmPolicy> own(Gateway gateway, long priority) {
    List<XfrmPolicy> policies = new ArrayList<>();
    for (Interface at : gateway.interfaces()) {
      for (Located<Interface.InterfaceAddress> address : at.addresses()) {
        Prefix own =
            at.isInside() && !at.isOutside()
                ? address.value().link()
                : Prefix.host(address.value().address());
        boolean network =
            gateway.networks().stream().flatMap(gateway::prefixes).anyMatch(own::equals);
        if (!network) {
          policies.addAll(
              policies(new Located<>(own, address.origin()), all(own.family()), priority, false));
        }
      }
    }
    return policies;
  }

  /**
   * A fixed virtual IP is this host while the tunnel is up, and nobody out there while it is down:
   * what is for it never leaves. IPv4 spares what this host sends to itself (DST_NOXFRM of the
   * loopback device); in IPv6 nothing but the addresses tells that from what leaves, and this host
   * speaks to itself under the virtual IP from it alone. One that changes has no policies of its
   * own: its whole prefix is blocked.
   */
  private static List<XfrmPolicy> virtual(Tunnel.Client client, long priority) {
    List<XfrmPolicy> policies = new ArrayList<>();
    for (Located<Prefix> own : client.addresses()) {
      Prefix it = own.value();
      if (!it.isHost()) {
        continue;
      }
      Prefix all = all(it.family());
      boolean six = it.family() == Family.V6;
      boolean blocked = whole(client).stream().anyMatch(there -> there.value().contains(it));
      if (!blocked) {
        policies.add(policy(Direction.OUT, all, it, priority, true, own));
      }
      if (six) {
        policies.add(policy(Direction.OUT, it, it, priority - 1, false, own));
        policies.add(
            blocked
                ? policy(Direction.IN, it, it, priority - 1, false, own)
                : policy(Direction.FWD, it, all, priority, true, own));
      }
    }
    return policies;
  }

  private static XfrmPolicy policy(
      Direction direction,
      Prefix from,
      Prefix to,
      long priority,
      boolean block,
      Located<Prefix> by) {
    return new XfrmPolicy(direction, from, to, priority, block, by.origin());
  }

  /**
   * What is to get a virtual IP passes the first look-up, where our rules stand and have marked it;
   * after NAT it is looked up again.
   */
  private static List<XfrmPolicy> untranslated(Gateway gateway, Tunnel.Client client) {
    long bit = gateway.numbers().clientMark();
    List<XfrmPolicy> policies = new ArrayList<>();
    for (Network network : client.local()) {
      for (Located<Prefix> near : network.prefixes()) {
        for (Located<Prefix> far : whole(client)) {
          if (far.value().family() == near.value().family()
              && client.address(far.value().family()).isPresent()) {
            policies.add(
                new XfrmPolicy(
                    Direction.OUT,
                    near.value(),
                    far.value(),
                    gateway.numbers().backstopPriority() - 1,
                    /* block= */ false,
                    Optional.of(new Routing.Mark(bit, bit)),
                    client.origin()));
          }
        }
      }
    }
    return policies;
  }

  /**
   * The same addresses in fewer prefixes: two halves of one become that one, with the place of the
   * first. Branches are often numbered in a row, and the kernel keeps and searches each policy.
   */
  static List<Located<Prefix>> joined(List<Located<Prefix>> prefixes) {
    Deque<Located<Prefix>> joined = new ArrayDeque<>();
    for (Located<Prefix> next :
        prefixes.stream().sorted(Comparator.comparing(Located::value)).toList()) {
      if (!joined.isEmpty() && joined.getLast().value().contains(next.value())) {
        continue;
      }
      Located<Prefix> whole = next;
      while (!joined.isEmpty() && joined.getLast().value().isOtherHalf(whole.value())) {
        Located<Prefix> half = joined.removeLast();
        whole =
            new Located<>(
                new Prefix(half.value().first(), half.value().length() - 1), half.origin());
      }
      joined.add(whole);
    }
    return List.copyOf(joined);
  }

  /**
   * The kernel holds one policy to a selector. An IKE daemon's own between everything and a prefix
   * that may be its selector would take the place of ours, and go with the tunnel: then ours stand
   * for the two halves of everything.
   */
  private static List<XfrmPolicy> blocks(boolean selector, Located<Prefix> far, long priority) {
    Prefix all = all(far.value().family());
    List<Prefix> others = selector ? halves(all) : List.of(all);
    return others.stream().flatMap(other -> policies(far, other, priority, true).stream()).toList();
  }

  private static boolean isSelector(Tunnel tunnel, Prefix far) {
    return tunnel instanceof Tunnel.SiteToSite || far.length() == far.family().bits();
  }

  private static List<XfrmPolicy> policies(
      Located<Prefix> here, Prefix other, long priority, boolean block) {
    Prefix prefix = here.value();
    return List.of(
        new XfrmPolicy(Direction.OUT, other, prefix, priority, block, here.origin()),
        new XfrmPolicy(Direction.IN, prefix, other, priority, block, here.origin()),
        new XfrmPolicy(Direction.FWD, prefix, other, priority, block, here.origin()));
  }

  private static Prefix all(Family family) {
    return family == Family.V4 ? Prefix.ALL_V4 : Prefix.ALL_V6;
  }

  private static List<Prefix> halves(Prefix all) {
    return List.of(new Prefix(all.first(), 1), Prefix.masked(all.last(), 1));
  }
}
