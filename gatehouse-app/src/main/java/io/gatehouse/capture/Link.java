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
  private static final int IPV6 = 229;
  private static final int COOKED_2 = 276;

  private static final int TYPE_IPV4 = 0x0800;
  private static final int TYPE_IPV6 = 0x86dd;
  private static final int TYPE_VLAN = 0x8100;
  private static final int TYPE_PROVIDER = 0x88a8;

  private Link() {}

  static Optional<Bytes> payload(int link, Bytes data) {
    return switch (link) {
      case ETHERNET -> behindType(data, 12);
      case COOKED -> behindType(data, 14);
      case COOKED_2 ->
          data.length() >= 20 && isIp(data.u16(0))
              ? Optional.of(data.part(20, data.length()))
              : Optional.empty();
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
      if (type != TYPE_VLAN && type != TYPE_PROVIDER) {
        return Optional.empty();
      }
      place += 4;
    }
    return Optional.empty();
  }

  private static boolean isIp(int type) {
    return type == TYPE_IPV4 || type == TYPE_IPV6;
  }
}
