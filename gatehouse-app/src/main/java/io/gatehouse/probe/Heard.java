package io.gatehouse.probe;

import io.gatehouse.model.Address;
import io.gatehouse.model.Family;
import io.gatehouse.packet.Esp;
import io.gatehouse.packet.Icmp;
import io.gatehouse.packet.IcmpError;
import io.gatehouse.packet.Ip;
import io.gatehouse.packet.Packet;
import io.gatehouse.packet.Ports;
import io.gatehouse.packet.PptpGre;
import io.gatehouse.packet.Tcp;
import io.gatehouse.packet.Udp;
import java.util.Optional;

/** What came back. */
sealed interface Heard {
  Question question();

  /** The host itself answers in the protocol's own words. */
  record Answer(Question question, int number) implements Heard {}

  /** The host says that nothing is there: RST. */
  record Reset(Question question, int number) implements Heard {}

  /** A router or the host sends an error about a letter. */
  record Error(Question question, int number, Address who, int type, int code) implements Heard {
    /** Whether the letter had no hop left: RFC 792, and RFC 4443, 3.3. */
    boolean isExceeded() {
      return type == (who.family() == Family.V6 ? 3 : 11);
    }

    /** Whether it cannot be delivered, or may not: RFC 792, and RFC 4443, 3.1. */
    boolean isUnreachable() {
      return type == (who.family() == Family.V6 ? 1 : 3);
    }

    /** Its name, with type and code. */
    String title() {
      return (who.family() == Family.V6 ? "ICMPv6 " : "ICMP ") + type + "/" + code;
    }
  }

  /** What a packet means for us; nothing where it has to do with something else. */
  static Optional<Heard> of(Packet packet, Letters letters) {
    if (!(packet instanceof Ip ip) || !ip.destination().equals(letters.from())) {
      return Optional.empty();
    }
    if (ip.body() instanceof IcmpError error) {
      return error(ip.source(), error, letters);
    }
    if (!ip.source().equals(letters.to())) {
      return Optional.empty();
    }
    return switch (ip.body()) {
      case Icmp echo
          when (echo.type() == 0 || echo.type() == 129)
              && echo.data().length() >= 4
              && echo.data().u16(0) == letters.base() ->
          Optional.of(new Answer(Question.PING, echo.data().u16(2)));
      case Udp udp when udp.sourcePort() == 500 ->
          number(letters, udp.destinationPort()).map(n -> new Answer(Question.UDP_500, n));
      case Udp udp when udp.sourcePort() == 4500 ->
          number(letters, udp.destinationPort()).map(n -> new Answer(Question.UDP_4500, n));
      case Tcp tcp when tcp.sourcePort() == 1723 ->
          number(letters, tcp.destinationPort())
              .map(n ->
                  (tcp.flags() & Tcp.RST) != 0
                      ? new Reset(Question.TCP_1723, n)
                      : new Answer(Question.TCP_1723, n));
      default -> Optional.empty();
    };
  }

  private static Optional<Heard> error(Address who, IcmpError error, Letters letters) {
    if (!(error.quote() instanceof Ip ip) || !ip.destination().equals(letters.to())) {
      return Optional.empty();
    }
    Optional<Answer> about =
        switch (ip.body()) {
          case Icmp echo
              when (echo.type() == 8 || echo.type() == 128)
                  && echo.data().length() >= 4
                  && echo.data().u16(0) == letters.base() ->
              Optional.of(new Answer(Question.PING, echo.data().u16(2)));
          case Udp udp when udp.destinationPort() == 500 ->
              number(letters, udp.sourcePort()).map(n -> new Answer(Question.UDP_500, n));
          case Udp udp when udp.destinationPort() == 4500 ->
              number(letters, udp.sourcePort()).map(n -> new Answer(Question.UDP_4500, n));
          case Tcp tcp when tcp.destinationPort() == 1723 ->
              number(letters, tcp.sourcePort()).map(n -> new Answer(Question.TCP_1723, n));
          case Ports ports when ports.destination() == 1723 ->
              number(letters, ports.source()).map(n -> new Answer(Question.TCP_1723, n));
          case Esp esp when esp.spi() == letters.spi() ->
              Optional.of(new Answer(Question.ESP, (int) esp.sequenceNumber() - 1));
          case PptpGre gre -> number(letters, gre.callId()).map(n -> new Answer(Question.GRE, n));
          default -> Optional.empty();
        };
    return about.map(a -> new Error(a.question(), a.number(), who, error.type(), error.code()));
  }

  private static Optional<Integer> number(Letters letters, int port) {
    int number = port - letters.base();
    return number >= 0 && number <= Letters.FAR ? Optional.of(number) : Optional.empty();
  }
}
