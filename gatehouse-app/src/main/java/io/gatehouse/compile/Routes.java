package io.gatehouse.compile;

import io.gatehouse.model.Address;
import io.gatehouse.model.Family;
import io.gatehouse.model.Gateway;
import io.gatehouse.model.Identity;
import io.gatehouse.model.Interface;
import io.gatehouse.model.Located;
import io.gatehouse.model.Network;
import io.gatehouse.model.Prefix;
import io.gatehouse.model.Tunnel;
import io.gatehouse.model.Uplink;
import io.gatehouse.ruleset.Routing.Kind;
import io.gatehouse.ruleset.Routing.Mark;
import io.gatehouse.ruleset.Routing.Policy;
import io.gatehouse.ruleset.Routing.Route;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Routes, ip rules, and where this host answers for its clients. */
final class Routes {
  private static final int MAIN = 254;

  /** The largest metric: whatever else the table has comes first. */
  private static final long WORST = 0xffffffffL;

  /** Thousands of proxy neighbours are slow: the kernel hashes them into 16 buckets. */
  static final long PROXY_LIMIT = 1024;

  private final Gateway gateway;
  private final List<Policy> rules = new ArrayList<>();
  private final List<Route> routes = new ArrayList<>();
  private final List<LiveMaps.Answering> answering = new ArrayList<>();
  private final List<Note> notes = new ArrayList<>();

  private Routes(Gateway gateway) {
    this.gateway = gateway;
  }

  static Routes of(Gateway gateway) {
    Routes made = new Routes(gateway);
    gateway.networks().forEach(made::network);
    for (int i = 0; i < gateway.identities().size(); i++) {
      made.identity(gateway.identities().get(i), i);
    }
    gateway.uplinks().forEach(made::answers);
    for (Tunnel tunnel : gateway.tunnels()) {
      if (tunnel instanceof Tunnel.RemoteAccess access && access.wayBack() == Tunnel.Return.PROXY) {
        access.pools().forEach(pool -> made.proxy(access, pool));
      }
    }
    return made;
  }

  List<Policy> rules() {
    return List.copyOf(rules);
  }

  List<Route> routes() {
    return List.copyOf(routes);
  }

  List<LiveMaps.Answering> answering() {
    return List.copyOf(answering);
  }

  List<Note> notes() {
    return List.copyOf(notes);
  }

  /** Networks behind a router of ours. */
  private void network(Network network) {
    for (Located<Prefix> prefix : network.prefixes()) {
      Optional<Address> router = ofFamily(network.nextHops(), prefix.value().family());
      if (router.isPresent()) {
        routes.add(
            new Route(
                prefix.value(),
                MAIN,
                new Kind.Via(router, network.on().device(), Optional.empty()),
                Optional.empty(),
                prefix.origin()));
      }
    }
  }

  /**
   * Whatever an identity sends leaves by its own path: a rule for each of its addresses, a table
   * with the way out, and behind that a refusal, because a table without an answer passes the
   * question on to main.
   */
  private void identity(Identity identity, int index) {
    int table = gateway.numbers().routeTables().first() + index;
    int priority = gateway.numbers().rulePriorities().first() + index;
    for (Family family : Family.values()) {
      List<Located<Address>> addresses =
          identity.addresses().stream().filter(a -> a.value().family() == family).toList();
      if (addresses.isEmpty()) {
        continue;
      }
      for (Located<Address> address : addresses) {
        rules.add(
            new Policy(
                family,
                priority,
                Optional.of(Prefix.host(address.value())),
                Optional.empty(),
                Optional.empty(),
                table,
                address.origin()));
      }
      Optional<Address> router = ofFamily(identity.nextHops(), family);
      if (router.isPresent()) {
        // With a router, hosts of the same link are still reached directly.
        links(identity, addresses).forEach(link -> add(link, table, Optional.empty(), identity));
      }
      gateway.networks().stream()
          .filter(network -> isBeside(gateway, network))
          .forEach(network -> near(network, family, table));
      add(all(family), table, router, identity);
      routes.add(
          new Route(
              all(family), table, new Kind.Unreachable(), Optional.of(WORST), identity.origin()));
    }
  }

  /** What answers a connection that came by an identity's path leaves by that. */
  private void answers(Uplink uplink) {
    for (Family family : Family.values()) {
      if (uplink.has(family)) {
        rules.add(
            new Policy(
                family,
                // Behind the identities' own: what this host sends never goes by a mark.
                gateway.numbers().rulePriorities().last(),
                Optional.empty(),
                Optional.empty(),
                Optional.of(new Mark(uplink.mark(), gateway.numbers().uplinkMask())),
                gateway.numbers().routeTables().first() + uplink.number(),
                uplink.identity().origin()));
      }
    }
  }

  /**
   * Whether a network of ours is on no identity's path: then each identity answers its hosts there,
   * and nowhere else.
   */
  static boolean isBeside(Gateway gateway, Network network) {
    return gateway.identities().stream()
        .noneMatch(identity -> identity.device().equals(network.on().device()));
  }

  /** A network behind a router that we were not told of is left to the identity's own path. */
  private void near(Network network, Family family, int table) {
    Optional<Address> router = ofFamily(network.nextHops(), family);
    if (network.connected() || router.isPresent()) {
      for (Located<Prefix> prefix : network.prefixes()) {
        if (prefix.value().family() == family) {
          routes.add(
              new Route(
                  prefix.value(),
                  table,
                  new Kind.Via(router, network.on().device(), Optional.empty()),
                  Optional.empty(),
                  prefix.origin()));
        }
      }
    }
  }

  private void add(Prefix to, int table, Optional<Address> router, Identity identity) {
    routes.add(
        new Route(
            to,
            table,
            new Kind.Via(router, identity.device(), Optional.empty()),
            Optional.empty(),
            identity.origin()));
  }

  /** The links, as far as they are written down, that the identity's addresses are on. */
  private List<Prefix> links(Identity identity, List<Located<Address>> addresses) {
    return gateway.interfaces().stream()
        .filter(at -> at.device().equals(identity.device()))
        .flatMap(at -> at.addresses().stream())
        .map(written -> written.value().link())
        .filter(link -> addresses.stream().anyMatch(address -> link.contains(address.value())))
        .distinct()
        .toList();
  }

  /**
   * A pool inside a LAN: this host answers there for each client while its tunnel is up. The kernel
   * answers ARP only for what it has a route to on another device (arp_process), so the pool gets
   * one; what is not protected never leaves by it.
   */
  private void proxy(Tunnel.RemoteAccess tunnel, Located<Prefix> pool) {
    List<Network> around =
        gateway.networks().stream()
            .filter(Network::connected)
            .filter(net -> net.prefixes().stream().anyMatch(p -> p.value().contains(pool.value())))
            .toList();
    for (Network lan : around) {
      Optional<Interface> out =
          tunnel.on().stream().filter(at -> !at.device().equals(lan.on().device())).findFirst();
      if (out.isEmpty()) {
        notes.add(
            new Note(
                "The pool "
                    + pool.value()
                    + " lies in "
                    + lan.name()
                    + ", and clients come in by the same device. The kernel does not answer ARP for"
                    + " them there: load strongSwan's farp plugin, or choose `return: nat`.",
                pool.origin()));
      } else if (pool.value().size().orElse(Long.MAX_VALUE) > PROXY_LIMIT) {
        notes.add(
            new Note(
                "The pool "
                    + pool.value()
                    + " has more than "
                    + PROXY_LIMIT
                    + " addresses, too many to answer for one by one. Choose a smaller pool, or"
                    + " `return: routed` or `nat`.",
                pool.origin()));
      } else {
        routes.add(
            new Route(
                pool.value(),
                MAIN,
                new Kind.Via(
                    ofFamily(out.get().nextHops(), pool.value().family()),
                    out.get().device(),
                    Optional.empty()),
                Optional.empty(),
                pool.origin()));
        answering.add(
            new LiveMaps.Answering(
                tunnel.name(), pool.value(), link(pool, lan), lan.on().device(), pool.origin()));
      }
    }
  }

  private static Prefix link(Located<Prefix> pool, Network lan) {
    return lan.prefixes().stream()
        .map(Located::value)
        .filter(prefix -> prefix.contains(pool.value()))
        .findFirst()
        .orElse(pool.value());
  }

  private static Optional<Address> ofFamily(List<Located<Address>> addresses, Family family) {
    return addresses.stream()
        .map(Located::value)
        .filter(address -> address.family() == family)
        .findFirst();
  }

  private static Prefix all(Family family) {
    return family == Family.V4 ? Prefix.ALL_V4 : Prefix.ALL_V6;
  }
}
