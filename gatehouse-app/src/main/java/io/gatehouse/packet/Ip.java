package io.gatehouse.packet;

import io.gatehouse.model.Address;
import io.gatehouse.model.Family;
import java.util.Optional;

/**
 * An IPv4 (RFC 791) or IPv6 (RFC 8200) packet.
 *
 * @param protocol what the body is, after IPv6's extension headers; in a later fragment what the
 *     reassembled packet's body begins with
 * @param hops time to live, or hop limit
 * @param fragment where this is one of several fragments
 * @param headerLength bytes before the body, extension headers included
 * @param length bytes of the whole packet, as its header says
 */
public record Ip(
    Address source,
    Address destination,
    int protocol,
    int hops,
    Optional<Fragment> fragment,
    int headerLength,
    int length,
    Body body)
    implements Packet {

  /** Protocol numbers (IANA) that are told apart. */
  public static final int ICMP = 1;

  /** Transmission control. */
  public static final int TCP = 6;

  /** User datagrams. */
  public static final int UDP = 17;

  /** Generic routing encapsulation. */
  public static final int GRE = 47;

  /** Encapsulating security payload. */
  public static final int ESP = 50;

  /** Authentication header. */
  public static final int AH = 51;

  /** ICMP of IPv6. */
  public static final int ICMP6 = 58;

  /** Of source and destination. */
  public Family family() {
    return source.family();
  }

  /**
   * A part of a packet.
   *
   * @param identification 16 bits in IPv4, 32 in IPv6
   * @param offset of this part's body in the whole one's, in bytes
   * @param more whether further parts follow
   */
  public record Fragment(long identification, int offset, boolean more) {}
}
