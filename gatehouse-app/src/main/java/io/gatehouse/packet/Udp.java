package io.gatehouse.packet;

/**
 * A UDP datagram (RFC 768).
 *
 * @param length bytes, header included, as the header says
 * @param data without the header
 */
public record Udp(int sourcePort, int destinationPort, int length, Bytes data, Content content)
    implements Body {
  /** IKE's port, source and destination (RFC 7296, 2). */
  public static final int IKE = 500;

  /** Where IKE and ESP go once a translator has been seen on the path (RFC 3948). */
  public static final int IKE_NAT = 4500;

  /** What a datagram of port 500 or 4500 carries. */
  public sealed interface Content permits Esp, Ike, Keepalive, Malformed, Plain {}

  /** Keeps a translator's entry alive: the one byte 0xff (RFC 3948, 2.3). */
  public record Keepalive() implements Content {}

  /** Of another port, or too short a beginning to tell. */
  public record Plain() implements Content {}
}
