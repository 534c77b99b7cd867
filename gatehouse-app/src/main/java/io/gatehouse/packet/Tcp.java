package io.gatehouse.packet;

/**
 * A TCP segment (RFC 9293).
 *
 * @param sequence of the first byte of data
 * @param flags the low eight: CWR, ECE, URG, ACK, PSH, RST, SYN, FIN
 * @param data without header and options
 */
public record Tcp(
    int sourcePort,
    int destinationPort,
    int sequence,
    int acknowledgment,
    int flags,
    int window,
    Bytes data)
    implements Body {
  /** The sender has finished. */
  public static final int FIN = 0x01;

  /** A connection begins. */
  public static final int SYN = 0x02;

  /** A connection is refused or broken off. */
  public static final int RST = 0x04;

  /** The acknowledgment is valid. */
  public static final int ACK = 0x10;
}
