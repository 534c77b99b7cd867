package io.gatehouse.slowpath;

import io.gatehouse.model.Address;
import io.gatehouse.packet.Bytes;
import io.gatehouse.packet.Esp;
import io.gatehouse.packet.Ike;
import io.gatehouse.packet.Ip;
import io.gatehouse.packet.Udp;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Reads what tells IPsec packets apart, and gives IPv4 packets another destination. */
final class Headers {
  private static final int LENGTH = 2;
  private static final int IDENTIFICATION = 4;
  private static final int FRAGMENT = 6;
  private static final int HOPS = 8;
  private static final int DESTINATION = 16;
  private static final int UDP_CHECKSUM = 6;
  private static final int DO_NOT_FRAGMENT = 0x4000;
  private static final int MORE = 0x2000;

  private Headers() {}

  static Optional<Integer> spi(Ip packet) {
    return packet.body() instanceof Esp esp ? Optional.of(esp.spi()) : Optional.empty();
  }

  static Optional<Ike> ike(Ip packet) {
    return packet.body() instanceof Udp udp && udp.content() instanceof Ike ike
        ? Optional.of(ike)
        : Optional.empty();
  }

  static Optional<Long> cookie(Ip packet) {
    return ike(packet).map(Ike::initiator);
  }

  /**
   * The packet as this host forwards it to another destination: one hop less, UDP's checksum made
   * right (RFC 1624). The kernel fills in IP's own. Nothing where it has no hop left.
   */
  static Optional<Bytes> forwarded(Bytes raw, Address host) {
    byte[] bytes = raw.toArray();
    int header = (bytes[0] & 15) * 4;
    if (bytes.length < Math.max(20, header) || (bytes[HOPS] & 0xff) <= 1) {
      return Optional.empty();
    }
    bytes[HOPS]--;
    byte[] to = host.bytes();
    boolean first = (u16(bytes, FRAGMENT) & 0x1fff) == 0;
    int checksum = header + UDP_CHECKSUM;
    if (bytes[9] == Ip.UDP && first && bytes.length >= header + 8 && u16(bytes, checksum) != 0) {
      int sum = ~u16(bytes, checksum) & 0xffff;
      for (int i = 0; i < 4; i += 2) {
        sum += ~u16(bytes, DESTINATION + i) & 0xffff;
        sum += u16(to, i);
      }
      sum = (sum & 0xffff) + (sum >>> 16);
      sum = (sum & 0xffff) + (sum >>> 16);
      int made = ~sum & 0xffff;
      // Zero would say that there is none (RFC 768).
      put16(bytes, checksum, made == 0 ? 0xffff : made);
    }
    System.arraycopy(to, 0, bytes, DESTINATION, 4);
    return Optional.of(Bytes.copyOf(bytes));
  }

  /**
   * The parts of a packet that was too long as a whole (RFC 791, 3.2); none where it says that it
   * must not be parted.
   *
   * @param longest bytes of a part, its header counted
   */
  static List<Bytes> fragments(Bytes raw, int longest) {
    byte[] whole = raw.toArray();
    int header = (whole[0] & 15) * 4;
    int room = (longest - header) & ~7;
    List<Bytes> parts = new ArrayList<>();
    if ((u16(whole, FRAGMENT) & DO_NOT_FRAGMENT) != 0 || room <= 0) {
      return parts;
    }
    int offset = (u16(whole, FRAGMENT) & 0x1fff) * 8;
    boolean moreBehind = (u16(whole, FRAGMENT) & MORE) != 0;
    for (int from = header; from < whole.length; from += room) {
      int length = Math.min(room, whole.length - from);
      byte[] part = new byte[header + length];
      System.arraycopy(whole, 0, part, 0, header);
      System.arraycopy(whole, from, part, header, length);
      boolean more = moreBehind || from + length < whole.length;
      put16(part, LENGTH, part.length);
      put16(part, FRAGMENT, (more ? MORE : 0) | (offset + from - header) / 8);
      if (u16(part, IDENTIFICATION) == 0) {
        put16(part, IDENTIFICATION, 1); // zero has the kernel choose one for each
      }
      parts.add(Bytes.copyOf(part));
    }
    return parts;
  }

  private static int u16(byte[] bytes, int at) {
    return (bytes[at] & 0xff) << 8 | (bytes[at + 1] & 0xff);
  }

  private static void put16(byte[] bytes, int at, int value) {
    bytes[at] = (byte) (value >>> 8);
    bytes[at + 1] = (byte) value;
  }
}
