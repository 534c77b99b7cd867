package io.gatehouse.capture;

import io.gatehouse.packet.Bytes;
import java.util.Optional;

/** Where IP begins, by kind of link (the list of LINKTYPE_ values at tcpdump.org). */
final class Link {
  private static final int LOOPBACK = 0;
  private static final int ETHERNET = 1;
  private static final int RAW = 101;
  private static final int RAW_OF_BSD = 12;
  private static final int LOOP = 108;
  private static final int COOKED = 113;
  private static final int IPV4 = 228;
  private static final int NFLOG = 239;
  private static final int IPV6 = 229;
  private static final int COOKED_2 = 276;

  private static final int TYPE_IPV4 = 0x0800;
  private static final int TYPE_IPV6 = 0x86dd;
  private static final int TYPE_VLAN = 0x8100;
  private static final int TYPE_PROVIDER = 0x88a8;
  private static final int TYPE_PPPOE = 0x8864;

  /** NFULA_PAYLOAD: the attribute that holds the packet. */
  private static final int NFLOG_PAYLOAD = 9;

  private Link() {}

  static Optional<Bytes> payload(int link, Bytes data) {
    return switch (link) {
      case ETHERNET -> behindType(data, 12);
      case COOKED -> behindType(data, 14);
      case COOKED_2 ->
          data.length() >= 20 && isIp(data.u16(0))
              ? Optional.of(data.part(20, data.length()))
              : Optional.empty();
      case NFLOG -> behindAttributes(data);
      case RAW, RAW_OF_BSD, IPV4, IPV6 -> Optional.of(data);
      // The family's number differs from system to system, and so does its order of bytes.
      case LOOPBACK, LOOP ->
          data.length() > 4 && (data.u8(4) >>> 4 == 4 || data.u8(4) >>> 4 == 6)
              ? Optional.of(data.part(4, data.length()))
              : Optional.empty();
      default -> Optional.empty();
    };
  }

  /** Behind an Ethernet type, and any VLAN tags in front of it. */
  private static Optional<Bytes> behindType(Bytes data, int at) {
    int place = at;
    while (place + 2 <= data.length()) {
      int type = data.u16(place);
      if (isIp(type)) {
        return Optional.of(data.part(place + 2, data.length()));
      }
      if (type == TYPE_PPPOE && place + 10 <= data.length()) {
        int inside = data.u16(place + 8); // behind six bytes of PPPoE, PPP's number (RFC 2516, 4)
        return inside == 0x0021 || inside == 0x0057
            ? Optional.of(data.part(place + 10, data.length()))
            : Optional.empty();
      }
      if (type != TYPE_VLAN && type != TYPE_PROVIDER) {
        return Optional.empty();
      }
      place += 4;
    }
    return Optional.empty();
  }

  /**
   * Netfilter's log: family, version, resource, then attributes whose length and type are in the
   * order of the machine that captured; a length beyond the frame tells that it is the other one.
   */
  private static Optional<Bytes> behindAttributes(Bytes data) {
    for (boolean little : new boolean[] {true, false}) {
      int at = 4;
      while (at + 4 <= data.length()) {
        int length = half(data, at, little);
        int type = half(data, at + 2, little) & 0x7fff;
        if (length < 4 || (at + length > data.length() && type != NFLOG_PAYLOAD)) {
          break;
        }
        if (type == NFLOG_PAYLOAD) {
          return Optional.of(data.part(at + 4, Math.min(at + length, data.length())));
        }
        at += (length + 3) / 4 * 4;
      }
    }
    return Optional.empty();
  }

  private static int half(Bytes data, int at, boolean little) {
    int value = data.u16(at);
    return little ? (value & 0xff) << 8 | value >>> 8 : value;
  }

  private static boolean isIp(int type) {
    return type == TYPE_IPV4 || type == TYPE_IPV6;
  }
}
