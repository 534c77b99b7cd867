package io.gatehouse.pptp;

import io.gatehouse.model.Address;
import io.gatehouse.packet.Tcp;

/**
 * A segment of a control connection, with the addresses that it has inside.
 *
 * @param outbound whether the host sends it
 */
public record Segment(Address host, Address remote, boolean outbound, Tcp tcp) {
  int hostPort() {
    return outbound ? tcp.sourcePort() : tcp.destinationPort();
  }

  int remotePort() {
    return outbound ? tcp.destinationPort() : tcp.sourcePort();
  }
}
