package io.gatehouse.masquerade;

import io.gatehouse.model.Address;
import io.gatehouse.packet.Body;
import io.gatehouse.packet.Bytes;
import io.gatehouse.packet.Esp;
import io.gatehouse.packet.Ike;
import io.gatehouse.packet.Ip;
import io.gatehouse.packet.Udp;
import java.util.Optional;

/** Packets as the parser gives them. */
public final class Wire {
  /** Bytes of a message that brings SAs. */
  public static final long LONG = 300;

  /** Bytes of a message that only notifies, or of Quick Mode's third. */
  public static final long SHORT = 80;

  private static final int ANSWER = 0x20;
  private static final int FROM_INITIATOR = 0x08;

  private Wire() {}

  /** ESP. */
  public static Ip esp(Address from, Address to, int spi, int sequence) {
    return ip(from, to, Ip.ESP, new Esp(spi, sequence, 100));
  }

  /** IKE on port 500. */
  public static Ip ike(Address from, Address to, Ike message) {
    return ip(
        from, to, Ip.UDP, new Udp(500, 500, (int) (8 + message.length()), Bytes.EMPTY, message));
  }

  /** Any packet. */
  public static Ip ip(Address from, Address to, int protocol, Body body) {
    return new Ip(from, to, protocol, 64, Optional.empty(), 20, 120, body);
  }

  /** Version 2. */
  public static Ike v2(
      long initiator,
      long responder,
      int exchange,
      int message,
      boolean answers,
      int inner,
      long length) {
    return new Ike(
        initiator,
        responder,
        inner == 0 ? Ike.SA_PAYLOAD : Ike.ENCRYPTED_PAYLOAD,
        2,
        0,
        exchange,
        answers ? ANSWER : FROM_INITIATOR,
        message,
        length,
        inner,
        0);
  }

  /** Version 1. */
  public static Ike v1(long initiator, long responder, int exchange, int message, long length) {
    return new Ike(initiator, responder, 8, 1, 0, exchange, 1, message, length, 0, 0);
  }
}
