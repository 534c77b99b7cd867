package io.gatehouse.doctor;

import io.gatehouse.model.Address;
import io.gatehouse.model.Family;
import io.gatehouse.model.Protocol;
import io.gatehouse.path.HeaderSpace.Connection;
import io.gatehouse.path.HeaderSpace.Packet;
import java.util.Locale;

/** A packet in words that {@code gatehouse trace} reads. */
final class Witness {
  private Witness() {}

  static String words(Packet packet) {
    StringBuilder text = new StringBuilder(protocol(packet.protocol()));
    text.append(' ').append(end(packet.protocol(), packet.source(), packet.sourcePort()));
    text.append(" -> ");
    text.append(end(packet.protocol(), packet.destination(), packet.destinationPort()));
    if (packet.connection() != Connection.NEW) {
      text.append(' ').append(packet.connection().name().toLowerCase(Locale.ROOT));
    }
    text.append(packet.reply() ? " reply" : "");
    packet.tunnel().ifPresent(name -> text.append(" in ").append(name));
    // What this host makes has no device that it came by.
    return packet.device().equals("lo") ? text.toString() : text + " from " + packet.device();
  }

  private static String protocol(int number) {
    return number == Protocol.ICMPV6.number()
        ? "icmpv6"
        : Protocol.byNumber(number).map(Protocol::text).orElse(Integer.toString(number));
  }

  private static String end(int protocol, Address address, int port) {
    if (!Protocol.byNumber(protocol).map(Protocol::hasPorts).orElse(false)) {
      return address.toString();
    }
    return (address.family() == Family.V6 ? "[" + address + "]" : address) + ":" + port;
  }
}
