package io.gatehouse.packet;

import io.gatehouse.model.Address;
import io.gatehouse.model.Family;
import java.util.Optional;

/** Reads the headers of IPv4 and IPv6 up to the body. */
final class IpParser {
  private static final int IPV6_HEADER = 40;
  private static final int HOP_BY_HOP = 0;
  private static final int ROUTING = 43;
  private static final int FRAGMENT = 44;
  private static final int DESTINATION = 60;

  private final Bytes bytes;

  /** Whether the packet may go on behind the last byte. */
  private final boolean beginning;

  /** Whether this is what an ICMP error quotes. */
  private final boolean quoted;

  IpParser(Bytes bytes, boolean beginning, boolean quoted) {
    this.bytes = bytes;
    this.beginning = beginning;
    this.quoted = quoted;
  }

  /** The packet whose header stands at an offset. */
  Packet packet(int at) {
    if (at >= bytes.length()) {
      return new Malformed(at, "an IP header is lacking");
    }
    return switch (bytes.u8(at) >>> 4) {
      case 4 -> v4(at);
      case 6 -> v6(at);
      default -> new Malformed(at, "IP version " + (bytes.u8(at) >>> 4));
    };
  }

  private Packet v4(int at) {
    int present = bytes.length() - at;
    int header = (bytes.u8(at) & 15) * 4;
    if (header < 20) {
      return new Malformed(at, "an IPv4 header of " + header + " bytes");
    }
    if (present < header) {
      return new Malformed(bytes.length(), "the IPv4 header is cut off");
    }
    int length = bytes.u16(at + 2);
    if (length < header) {
      return new Malformed(at + 2, "a packet of " + length + " bytes, shorter than its header");
    }
    if (length > present && !beginning) {
      return new Malformed(bytes.length(), "a packet of " + length + " bytes is cut off");
    }
    int word = bytes.u16(at + 6);
    int offset = (word & 0x1fff) * 8;
    boolean more = (word & 0x2000) != 0;
    Optional<Ip.Fragment> fragment =
        offset == 0 && !more
            ? Optional.empty()
            : Optional.of(new Ip.Fragment(bytes.u16(at + 4), offset, more));
    int protocol = bytes.u8(at + 9);
    return new Ip(
        Address.v4(bytes.i32(at + 12)),
        Address.v4(bytes.i32(at + 16)),
        protocol,
        bytes.u8(at + 8),
        fragment,
        header,
        length,
        body(protocol, at + header, at + length, fragment));
  }

  private Packet v6(int at) {
    int present = bytes.length() - at;
    if (present < IPV6_HEADER) {
      return new Malformed(bytes.length(), "the IPv6 header is cut off");
    }
    int length = IPV6_HEADER + bytes.u16(at + 4);
    if (length > present && !beginning) {
      return new Malformed(bytes.length(), "a packet of " + length + " bytes is cut off");
    }
    int end = Math.min(at + length, bytes.length());
    int protocol = bytes.u8(at + 6);
    int next = at + IPV6_HEADER;
    Optional<Ip.Fragment> fragment = Optional.empty();
    Body wrong = null;
    while (wrong == null && isExtension(protocol) && !isLater(fragment)) {
      if (next + 8 > end) {
        wrong = new Malformed(end, "extension header " + protocol + " is cut off");
        break;
      }
      int size = protocol == FRAGMENT ? 8 : (bytes.u8(next + 1) + 1) * 8;
      if (next + size > end) {
        wrong = new Malformed(next + 1, "extension header " + protocol + " of " + size + " bytes");
        break;
      }
      if (protocol == FRAGMENT) {
        if (fragment.isPresent()) {
          wrong = new Malformed(next, "a second fragment header");
          break;
        }
        int word = bytes.u16(next + 2);
        fragment =
            Optional.of(new Ip.Fragment(bytes.u32(next + 4), word & 0xfff8, (word & 1) != 0));
      }
      protocol = bytes.u8(next);
      next += size;
    }
    return new Ip(
        new Address(Family.V6, bytes.i64(at + 8), bytes.i64(at + 16)),
        new Address(Family.V6, bytes.i64(at + 24), bytes.i64(at + 32)),
        protocol,
        bytes.u8(at + 7),
        fragment,
        next - at,
        length,
        wrong != null ? wrong : body(protocol, next, at + length, fragment));
  }

  private static boolean isExtension(int protocol) {
    return protocol == HOP_BY_HOP
        || protocol == ROUTING
        || protocol == FRAGMENT
        || protocol == DESTINATION;
  }

  private static boolean isLater(Optional<Ip.Fragment> fragment) {
    return fragment.isPresent() && fragment.get().offset() > 0;
  }

  private Body body(int protocol, int from, int to, Optional<Ip.Fragment> fragment) {
    int end = Math.min(to, bytes.length());
    if (isLater(fragment)) {
      return new LaterFragment(bytes.part(Math.min(from, end), end));
    }
    // Lengths within the body are those of the whole packet, which a first fragment is not.
    boolean cut = to > end || (fragment.isPresent() && fragment.get().more());
    return new BodyParser(bytes, Math.min(from, end), end, cut, quoted).body(protocol);
  }
}
