package io.gatehouse.config;

import io.gatehouse.model.Host;
import io.gatehouse.model.Interface;
import io.gatehouse.model.Masquerade;
import io.gatehouse.model.PortRange;
import io.gatehouse.model.Prefix;
import io.gatehouse.model.Protocol;
import io.gatehouse.model.Service;
import io.gatehouse.model.Tunnel;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * UDP 4500 for the VPN servers inside: a remote that sees the NAT between goes on there (RFC 7296,
 * 2.23), and conntrack knows its answers by itself.
 */
final class NatTraversal {
  private static final PortRange PORT = PortRange.of(4500);

  private NatTraversal() {}

  /** Nothing where this host has tunnels of its own: the port is theirs. */
  static List<Host.PortForward> forwards(Masquerade masquerade, Host host, List<Tunnel> tunnels) {
    List<Host.PortForward> all = new ArrayList<>();
    for (Interface at : masquerade.on()) {
      if (isOwn(at, tunnels)) {
        continue;
      }
      for (Masquerade.Server server : masquerade.servers()) {
        List<Prefix> from = from(server, masquerade, forwarded(at, host));
        if (!from.isEmpty()) {
          all.add(
              new Host.PortForward(
                  at,
                  new Service(Protocol.UDP, Optional.of(PORT)),
                  server.host(),
                  Optional.empty(),
                  from.equals(List.of(Prefix.ALL_V4)) ? List.of() : from,
                  server.origin()));
        }
      }
    }
    return all;
  }

  private static boolean isOwn(Interface at, List<Tunnel> tunnels) {
    return tunnels.stream().anyMatch(tunnel -> tunnel.on().contains(at));
  }

  /** The longest prefix wins, as with IKE on its other port; but before all what is written out. */
  private static List<Prefix> from(
      Masquerade.Server server, Masquerade masquerade, List<Prefix> written) {
    List<Prefix> from = new ArrayList<>();
    for (Prefix mine : sources(server, masquerade)) {
      List<Prefix> taken = new ArrayList<>(written);
      for (Masquerade.Server other : masquerade.servers()) {
        if (!other.equals(server)) {
          sources(other, masquerade).stream()
              .filter(prefix -> mine.contains(prefix) && !prefix.equals(mine))
              .forEach(taken::add);
        }
      }
      from.addAll(mine.without(taken));
    }
    return from;
  }

  private static List<Prefix> sources(Masquerade.Server server, Masquerade masquerade) {
    return server.from().isEmpty() ? masquerade.remotes() : server.from();
  }

  /** Who is led somewhere on that port by the description itself. */
  private static List<Prefix> forwarded(Interface at, Host host) {
    return host.portForwards().stream()
        .filter(forward -> forward.on().equals(at) && isThere(forward.service()))
        .flatMap(forward ->
            forward.from().isEmpty() ? Stream.of(Prefix.ALL_V4) : forward.from().stream())
        .toList();
  }

  private static boolean isThere(Service service) {
    return service.protocol() == Protocol.UDP
        && service.ports().map(ports -> ports.overlaps(PORT)).orElse(true);
  }
}
