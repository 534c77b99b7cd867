package io.gatehouse.model;

import java.net.Inet4Address;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.nio.ByteBuffer;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * An IPv4 or IPv6 address without a zone.
 *
 * @param high the upper 64 bits; 0 for IPv4
 * @param low the lower 64 bits; an IPv4 address stands in its low 32 bits
 */
public record Address(Family family, long high, long low) implements Comparable<Address> {
  // InetAddress.ofLiteral also takes "10.1" and "0x0a000001": only the dotted quad is an address to
  // us.
  private static final Pattern QUAD =
      Pattern.compile("(0|[1-9][0-9]{0,2})(\\.(0|[1-9][0-9]{0,2})){3}");
  private static final Pattern SIX = Pattern.compile("[0-9A-Fa-f:.]{2,45}");

  public Address {
    if (family == Family.V4 && (high != 0 || low >>> 32 != 0)) {
      throw new IllegalArgumentException("an IPv4 address has 32 bits");
    }
  }

  /** An IPv4 address from its 32 bits. */
  public static Address v4(int bits) {
    return new Address(Family.V4, 0, bits & 0xffffffffL);
  }

  /**
   * The address that the text spells, or nothing where it spells none. Never asks a name server.
   */
  public static Optional<Address> parse(String text) {
    try {
      if (QUAD.matcher(text).matches()) {
        return Optional.of(of(Inet4Address.ofLiteral(text)));
      }
      if (text.indexOf(':') >= 0 && SIX.matcher(text).matches()) {
        // Inet6Address.ofLiteral refuses what is not IPv6, but answers IPv4-mapped text with the
        // mapped form.
        return Optional.of(fromBytes(sixteen(Inet6Address.ofLiteral(text))));
      }
    } catch (IllegalArgumentException e) {
      return Optional.empty();
    }
    return Optional.empty();
  }

  /**
   * The address that the text spells, for constants. Throws {@link IllegalArgumentException} where
   * it spells none.
   */
  public static Address of(String text) {
    return parse(text).orElseThrow(() -> new IllegalArgumentException("not an address: " + text));
  }

  // Of ten thousands of prefixes in maps and sets, the generated ones take a good part of a start.
  @Override
  public boolean equals(Object other) {
    return other instanceof Address(Family theirs, long theirHigh, long theirLow)
        && low == theirLow
        && high == theirHigh
        && family == theirs;
  }

  @Override
  public int hashCode() {
    long both = (high * 31 + low) * 0x9e3779b97f4a7c15L;
    return (int) (both >>> 32) + (family == Family.V4 ? 4 : 6);
  }

  /** From 4 or 16 bytes in network order. */
  public static Address fromBytes(byte[] bytes) {
    ByteBuffer buffer = ByteBuffer.wrap(bytes);
    return switch (bytes.length) {
      case 4 -> v4(buffer.getInt());
      case 16 -> new Address(Family.V6, buffer.getLong(), buffer.getLong());
      default -> throw new IllegalArgumentException("an address has 4 or 16 bytes");
    };
  }

  private static Address of(InetAddress address) {
    return fromBytes(address.getAddress());
  }

  private static byte[] sixteen(InetAddress address) {
    byte[] bytes = address.getAddress();
    if (bytes.length == 16) {
      return bytes;
    }
    byte[] mapped = new byte[16];
    mapped[10] = mapped[11] = (byte) 0xff;
    System.arraycopy(bytes, 0, mapped, 12, 4);
    return mapped;
  }

  /** 4 or 16 bytes in network order. */
  public byte[] bytes() {
    return family == Family.V4
        ? ByteBuffer.allocate(4).putInt((int) low).array()
        : ByteBuffer.allocate(16).putLong(high).putLong(low).array();
  }

  /** Whether bit {@code index} is set, counted from the most significant. */
  public boolean bit(int index) {
    int fromLow = family.bits() - 1 - index;
    return ((fromLow >= 64 ? high >>> (fromLow - 64) : low >>> fromLow) & 1) == 1;
  }

  /** The address {@code count} after this one; wraps at the end of the family. */
  public Address plus(long count) {
    if (family == Family.V4) {
      return v4((int) (low + count));
    }
    long sum = low + count;
    boolean carry = count >= 0 && Long.compareUnsigned(sum, low) < 0;
    boolean borrow = count < 0 && Long.compareUnsigned(sum, low) > 0;
    return new Address(Family.V6, high + (carry ? 1 : 0) - (borrow ? 1 : 0), sum);
  }

  @Override
  public int compareTo(Address other) {
    int byFamily = family.compareTo(other.family);
    int byHigh = Long.compareUnsigned(high, other.high);
    return byFamily != 0 ? byFamily : byHigh != 0 ? byHigh : Long.compareUnsigned(low, other.low);
  }

  /**
   * IPv4 in dotted quads; IPv6 as RFC 5952 section 4 wants it: lower case, the longest run of zeros
   * shortened.
   */
  @Override
  public String toString() {
    if (family == Family.V4) {
      return (low >>> 24) + "." + (low >>> 16 & 255) + "." + (low >>> 8 & 255) + "." + (low & 255);
    }
    int[] words = new int[8];
    for (int i = 0; i < 8; i++) {
      words[i] = (int) ((i < 4 ? high : low) >>> (48 - 16 * (i & 3))) & 0xffff;
    }
    int start = -1;
    int length = 1; // a single zero word is not shortened (RFC 5952, 4.2.2)
    for (int i = 0; i < 8; i++) {
      int end = i;
      while (end < 8 && words[end] == 0) {
        end++;
      }
      if (end - i > length) {
        start = i;
        length = end - i;
      }
      i = Math.max(i, end - 1);
    }
    StringBuilder text = new StringBuilder(39);
    for (int i = 0; i < 8; i++) {
      if (i == start) {
        text.append("::");
        i += length - 1;
      } else {
        if (!text.isEmpty() && text.charAt(text.length() - 1) != ':') {
          text.append(':');
        }
        text.append(Integer.toHexString(words[i]));
      }
    }
    return text.toString();
  }
}
