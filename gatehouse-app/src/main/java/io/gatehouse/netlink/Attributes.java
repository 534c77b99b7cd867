package io.gatehouse.netlink;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The attributes of a message or of another attribute (struct nlattr), in their order.
 *
 * @param fault where they cannot be read on
 */
record Attributes(List<Attribute> all, Optional<Unreadable> fault) {
  private static final int HEADER = 4;

  // Without NLA_F_NESTED and NLA_F_NET_BYTEORDER.
  private static final int TYPE = 0x3fff;

  /** One attribute. */
  record Attribute(int type, Bytes value) {}

  Attributes {
    all = List.copyOf(all);
  }

  static Attributes of(Bytes bytes) {
    List<Attribute> all = new ArrayList<>();
    int at = 0;
    while (at < bytes.length()) {
      Bytes rest = bytes.from(at);
      if (rest.length() < HEADER) {
        return new Attributes(all, fault(rest, "an attribute's header is cut off"));
      }
      int length = rest.u16(0);
      if (length < HEADER || length > rest.length()) {
        return new Attributes(
            all, fault(rest, "an attribute of " + length + " bytes in " + rest.length()));
      }
      all.add(new Attribute(rest.u16(2) & TYPE, rest.part(HEADER, length - HEADER)));
      at += Wire.aligned(length);
    }
    return new Attributes(all, Optional.empty());
  }

  private static Optional<Unreadable> fault(Bytes where, String why) {
    return Optional.of(new Unreadable(where.position(), why));
  }

  /** The last of that type, as the kernel's own parser takes it. */
  Optional<Bytes> find(int type) {
    return all.reversed().stream()
        .filter(attribute -> attribute.type() == type)
        .map(Attribute::value)
        .findFirst();
  }

  /** Of that type and at least that long. */
  Optional<Bytes> find(int type, int length) {
    return find(type).filter(value -> value.length() >= length);
  }
}
