package io.gatehouse.it.path;

import io.gatehouse.model.Address;
import io.gatehouse.path.HeaderSpace.Connection;
import io.gatehouse.path.HeaderSpace.Packet;
import java.util.Optional;

/**
 * A packet that is sent.
 *
 * @param device that it comes in by; nothing where the host makes it
 * @param flags of TCP
 * @param tunnel whose SA brings it
 */
record Sent(
    int id,
    Optional<String> device,
    int protocol,
    Address source,
    Address destination,
    int sourcePort,
    int destinationPort,
    int type,
    int code,
    int flags,
    Optional<String> tunnel) {

  /** The same packet, inside ESP. */
  Sent through(String one) {
    return new Sent(
        id,
        device,
        protocol,
        source,
        destination,
        sourcePort,
        destinationPort,
        type,
        code,
        flags,
        Optional.of(one));
  }

  /** As {@code judge.py} reads it. */
  String line() {
    return "packet %d %s %s %d %s %s %d %d %d %d %d %d"
        .formatted(
            id,
            device.isPresent() ? "in" : "out",
            device.orElse("-"),
            protocol,
            source,
            destination,
            sourcePort,
            destinationPort,
            type,
            code,
            flags,
            tunnel.map(Live::inbound).orElse(0));
  }

  boolean hasPorts() {
    return protocol == 6 || protocol == 17;
  }

  /** As the model's packet. */
  Packet as(Connection connection, boolean reply) {
    return new Packet(
        device.orElse("lo"),
        tunnel,
        connection,
        reply,
        protocol,
        source,
        destination,
        sourcePort,
        destinationPort,
        type,
        code);
  }

  /** Bytes of the packet, from its first header: {@code judge.py} puts 12 of its own behind. */
  int length() {
    int header = source.family() == io.gatehouse.model.Family.V4 ? 20 : 40;
    return header
        + 12
        + switch (protocol) {
          case 6 -> 20;
          case 17, 1, 58 -> 8;
          default -> 0;
        };
  }
}
