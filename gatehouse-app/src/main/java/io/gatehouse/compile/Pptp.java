package io.gatehouse.compile;

import io.gatehouse.model.Gateway;
import io.gatehouse.model.Host;
import io.gatehouse.model.Located;
import io.gatehouse.model.Masquerade;
import io.gatehouse.model.Origin;
import io.gatehouse.model.Place;
import io.gatehouse.model.PortRange;
import io.gatehouse.model.Protocol;
import io.gatehouse.model.Reach;
import io.gatehouse.model.Service;
import io.gatehouse.model.Tunnel;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** Where a description asks for PPTP: by its control connection, which has no other use. */
final class Pptp {
  /** RFC 2637, 3. */
  private static final PortRange CONTROL = PortRange.of(1723);

  private Pptp() {}

  /** The first place that does; what goes within a tunnel is protected by that. */
  static Optional<Origin> asked(Gateway gateway) {
    Host host = gateway.host();
    return Stream.of(
            gateway.masquerade().stream().filter(Masquerade::pptp).map(Masquerade::origin),
            host.portForwards().stream()
                .filter(forward -> asks(List.of(forward.service())))
                .map(Host.PortForward::origin),
            host.flows().stream()
                .filter(flow -> !(flow.from() instanceof Place.OfTunnel))
                .map(Host.Flow::to)
                .filter(Pptp::inClear)
                .map(Reach::origin),
            host.internet().stream()
                .filter(access -> asks(access.services()))
                .map(Host.InternetAccess::origin),
            host.services().stream()
                .filter(offer -> asks(offer.services()))
                .map(Host.Offer::origin),
            host.outgoing().stream()
                .filter(service -> asks(List.of(service.value())))
                .map(Located::origin),
            gateway.tunnels().stream()
                .flatMap(Tunnel::reachOfAnybody)
                .filter(reach -> reach.place() instanceof Place.Internet)
                .filter(Pptp::inClear)
                .map(Reach::origin))
        .flatMap(places -> places)
        .findFirst();
  }

  private static boolean inClear(Reach reach) {
    return !(reach.place() instanceof Place.OfTunnel) && asks(reach.services());
  }

  /** By name: who lets many ports through has not asked for this one. */
  private static boolean asks(List<Service> services) {
    return services.stream()
        .anyMatch(service ->
            service.protocol() == Protocol.TCP
                && service.ports().filter(CONTROL::equals).isPresent());
  }
}
