package io.gatehouse.config;

import io.gatehouse.model.Host;
import io.gatehouse.model.Interface;
import io.gatehouse.model.Located;
import io.gatehouse.model.Masquerade;
import io.gatehouse.model.Network;
import io.gatehouse.model.Origin;
import io.gatehouse.model.Peer;
import io.gatehouse.model.Place;
import io.gatehouse.model.Prefix;
import io.gatehouse.model.Reach;
import io.gatehouse.model.Tunnel;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** A tunnel that takes everything: what else the description may not say, and what it takes. */
final class FullTunnel {
  private final Problems problems;

  /** The tunnels, each with the place that says so. */
  private final Map<String, Spot> told;

  FullTunnel(Problems problems, Map<String, Spot> told) {
    this.problems = problems;
    this.told = told;
  }

  /** Nothing else leaves, and so nothing else may be described to. */
  void check(List<Tunnel> tunnels, Host host, Optional<Masquerade> masquerade) {
    if (told.isEmpty()) {
      return;
    }
    String name = told.keySet().iterator().next();
    Spot spot = told.values().iterator().next();
    told.forEach((other, there) -> {
      if (!other.equals(name)) {
        problems.error(
            there,
            "tunnel `" + name + "` takes everything already (" + spot.seenFrom(there) + ")",
            "name the networks there");
      }
    });
    host.internet().stream().findFirst().ifPresent(access -> clear(name, access.origin()));
    host.portForwards().stream().findFirst().ifPresent(forward -> clear(name, forward.origin()));
    host.services().stream()
        .filter(offer -> offer.from() instanceof Place.Internet)
        .findFirst()
        .ifPresent(offer -> clear(name, offer.origin()));
    host.flows().stream()
        .filter(flow ->
            flow.from() instanceof Place.Internet || flow.to().place() instanceof Place.Internet)
        .findFirst()
        .ifPresent(flow -> clear(name, flow.to().origin()));
    masquerade.ifPresent(hosts -> clear(name, hosts.origin()));
    for (Tunnel tunnel : tunnels) {
      tunnel
          .reachOfAnybody()
          .filter(reach -> reach.place() instanceof Place.Internet)
          .map(Reach::origin)
          .findFirst()
          .ifPresent(origin -> clear(name, origin));
      tunnel.peers().stream()
          .filter(peer -> !(peer.value() instanceof Peer.At))
          .findFirst()
          .ifPresent(peer -> unknown(name, peer.origin()));
    }
  }

  private void clear(String tunnel, Origin origin) {
    refuse(
        tunnel,
        "line " + origin.line() + " leads to the internet past it",
        "leave out that one, or name the networks there");
  }

  private void unknown(String tunnel, Origin origin) {
    refuse(
        tunnel,
        "nothing says where the peer in line " + origin.line() + " is",
        "its address: IKE and ESP to that alone leave in clear");
  }

  private void refuse(String tunnel, String why, String way) {
    told.values().stream()
        .findFirst()
        .ifPresent(spot ->
            problems.error(spot, "everything goes into tunnel `" + tunnel + "`, and " + why, way));
  }

  /** What it takes is all that is not ours, nor another tunnel's. */
  List<Tunnel> cut(List<Tunnel> tunnels, List<Interface> interfaces, List<Network> networks) {
    if (told.isEmpty()) {
      return tunnels;
    }
    List<Prefix> others = new ArrayList<>();
    networks.forEach(network -> network.prefixes().forEach(p -> others.add(p.value())));
    for (Interface at : interfaces) {
      at.addresses()
          .forEach(address ->
              others.add(
                  at.isInside() && !at.isOutside()
                      ? address.value().link()
                      : Prefix.host(address.value().address())));
    }
    for (Tunnel tunnel : tunnels) {
      if (!told.containsKey(tunnel.name())) {
        tunnel.farPrefixes().forEach(far -> others.add(far.value()));
      }
    }
    return tunnels.stream()
        .map(tunnel ->
            tunnel instanceof Tunnel.Client client && client.full()
                ? without(client, others)
                : tunnel)
        .toList();
  }

  private static Tunnel without(Tunnel.Client client, List<Prefix> others) {
    List<Located<Prefix>> rest =
        client.remote().stream()
            .flatMap(there ->
                there.value().without(others).stream()
                    .map(part -> new Located<>(part, there.origin())))
            .toList();
    return new Tunnel.Client(
        client.name(),
        client.on(),
        client.peers(),
        client.ike(),
        client.esp(),
        client.mss(),
        client.addresses(),
        client.local(),
        rest,
        /* full= */ true,
        client.outbound(),
        client.services(),
        client.origin());
  }
}
