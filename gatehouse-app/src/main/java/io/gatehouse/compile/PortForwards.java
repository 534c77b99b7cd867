package io.gatehouse.compile;

import io.gatehouse.model.Family;
import io.gatehouse.model.Host.PortForward;
import io.gatehouse.model.PortRange;
import io.gatehouse.model.Service;
import io.gatehouse.ruleset.Statement;
import java.util.List;
import java.util.Optional;

/** What a port forward looks like on both sides of the rewriting of its destination. */
final class PortForwards {
  private PortForwards() {}

  /** Who may use it; nothing where anybody may. */
  static Optional<Statement> from(PortForward forward, Family family) {
    return forward.from().isEmpty()
        ? Optional.empty()
        : Optional.of(
            Nft.is(
                Nft.saddr(family),
                Nft.anyOf(
                    forward.from().stream()
                        .filter(prefix -> prefix.family() == family)
                        .map(Nft::net)
                        .toList())));
  }

  /** Whether anybody of its family may use it at all. */
  static boolean isUsable(PortForward forward) {
    Family family = forward.to().value().family();
    return forward.from().isEmpty()
        || forward.from().stream().anyMatch(prefix -> prefix.family() == family);
  }

  /** The service as the host inside sees it. */
  static Service arriving(PortForward forward) {
    return new Service(
        forward.service().protocol(),
        forward.toPort().map(PortRange::of).or(() -> forward.service().ports()));
  }

  static List<List<Statement>> asked(PortForward forward, Family family) {
    return Nft.services(List.of(forward.service()), List.of(family));
  }
}
