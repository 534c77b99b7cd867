package io.gatehouse.doctor;

import io.gatehouse.doctor.Finding.Evidence;
import io.gatehouse.model.Address;
import io.gatehouse.model.Family;
import io.gatehouse.model.Protocol;
import io.gatehouse.path.HeaderSpace.Connection;
import io.gatehouse.path.HeaderSpace.Packet;
import io.gatehouse.path.Journey.Effect;
import io.gatehouse.path.Journey.Step;
import io.gatehouse.path.Journey.Trace;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** One packet that shows what was found. */
final class Witness {
  private Witness() {}

  /** In words that {@code gatehouse trace} reads. */
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

  /** A packet of the walk, as evidence. */
  static Evidence packet(Trace trace, String what) {
    return new Evidence(words(trace.packet()) + ": " + what, "witness");
  }

  /** Where it was dropped. */
  static Optional<Step> drop(Trace trace) {
    return trace.steps().reversed().stream().filter(s -> s.effect() == Effect.DROPPED).findFirst();
  }

  /** What let it pass at one of these hooks, the last one first. */
  static Optional<Step> accepting(Trace trace, String... hooks) {
    return trace.steps().reversed().stream()
        .filter(s -> s.effect() == Effect.ACCEPTED && !s.hop().contains(" nat "))
        .filter(s -> List.of(hooks).stream().anyMatch(h -> s.hop().startsWith(h + " ")))
        .findFirst();
  }
}
