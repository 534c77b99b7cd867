package io.gatehouse.model;

import java.util.Optional;

/**
 * One thing that can be spoken to: a protocol, and for those that have them, the server's ports.
 *
 * @param ports nothing means every port, or a protocol without ports
 */
public record Service(Protocol protocol, Optional<PortRange> ports) {
  public Service {
    if (ports.isPresent() && !protocol.hasPorts()) {
      throw new IllegalArgumentException(protocol.text() + " has no ports");
    }
  }

  public static Service of(Protocol protocol, int port) {
    return new Service(protocol, Optional.of(PortRange.of(port)));
  }

  /** {@code tcp/22}, {@code udp/1000-2000}, {@code esp}. */
  @Override
  public String toString() {
    return protocol.text() + ports.map(range -> "/" + range).orElse("");
  }
}
