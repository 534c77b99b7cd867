package io.gatehouse.model;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * A network: every address that begins with the same bits. The bits behind the prefix are zero.
 *
 * @param first its lowest address
 * @param length bits that count, 0–32 or 0–128
 */
public record Prefix(Address first, int length) implements Comparable<Prefix> {
  /** Every IPv4 address. */
  public static final Prefix ALL_V4 = masked(Address.v4(0), 0);

  /** Every IPv6 address. */
  public static final Prefix ALL_V6 = masked(new Address(Family.V6, 0, 0), 0);

  /** IPv6 addresses that mean nothing in the world (RFC 4193). */
  public static final Prefix UNIQUE_LOCAL = masked(new Address(Family.V6, 0xfc00L << 48, 0), 7);

  /** IPv6 addresses that mean something on one link (RFC 4291, 2.5.6). */
  public static final Prefix LINK_LOCAL = masked(new Address(Family.V6, 0xfe80L << 48, 0), 10);

  private static final Pattern LENGTH = Pattern.compile("0|[1-9][0-9]{0,2}");

  public Prefix {
    if (length < 0 || length > first.family().bits()) {
      throw new IllegalArgumentException("no such prefix length: " + length);
    }
    if (!mask(first, length).equals(first)) {
      throw new IllegalArgumentException(first + "/" + length + " has host bits set");
    }
  }

  /** The prefix of that length that holds the address. */
  public static Prefix masked(Address address, int length) {
    return new Prefix(mask(address, length), length);
  }

  /** The prefix that holds just this address. */
  public static Prefix host(Address address) {
    return new Prefix(address, address.family().bits());
  }

  /**
   * {@code address/length} or a bare address, without host bits; nothing where the text is neither.
   */
  public static Optional<Prefix> parse(String text) {
    int slash = text.indexOf('/');
    if (slash < 0) {
      return Address.parse(text).map(Prefix::host);
    }
    String bits = text.substring(slash + 1);
    if (!LENGTH.matcher(bits).matches()) {
      return Optional.empty();
    }
    int length = Integer.parseInt(bits);
    return Address.parse(text.substring(0, slash))
        .filter(
            address -> length <= address.family().bits() && mask(address, length).equals(address))
        .map(address -> new Prefix(address, length));
  }

  /** For constants. Throws {@link IllegalArgumentException} where the text is no prefix. */
  public static Prefix of(String text) {
    return parse(text).orElseThrow(() -> new IllegalArgumentException("not a prefix: " + text));
  }

  private static Address mask(Address address, int length) {
    int bits = address.family().bits();
    if (length < 0 || length > bits) {
      throw new IllegalArgumentException("no such prefix length: " + length);
    }
    if (bits == 32) {
      return new Address(
          Family.V4, 0, length == 0 ? 0 : address.low() & (-1L << (32 - length)) & 0xffffffffL);
    }
    long high =
        length >= 64 ? address.high() : length == 0 ? 0 : address.high() & (-1L << (64 - length));
    long low =
        length == 128 ? address.low() : length <= 64 ? 0 : address.low() & (-1L << (128 - length));
    return new Address(Family.V6, high, low);
  }

  public Family family() {
    return first.family();
  }

  /** Its highest address. */
  public Address last() {
    int bits = family().bits();
    if (bits == 32) {
      return new Address(Family.V4, 0, first.low() | (length == 32 ? 0 : 0xffffffffL >>> length));
    }
    long high = length >= 64 ? first.high() : first.high() | (-1L >>> length);
    long low =
        length == 128 ? first.low() : length <= 64 ? -1L : first.low() | (-1L >>> (length - 64));
    return new Address(Family.V6, high, low);
  }

  /** Whether it covers all of its family. */
  public boolean isAll() {
    return length == 0;
  }

  /** Whether it is one address. */
  public boolean isHost() {
    return length == family().bits();
  }

  public boolean contains(Address address) {
    return address.family() == family() && mask(address, length).equals(first);
  }

  public boolean contains(Prefix other) {
    return other.length >= length && contains(other.first);
  }

  /** What is left of it without some others, as few prefixes as possible. */
  public List<Prefix> without(Collection<Prefix> holes) {
    List<Prefix> inside = holes.stream().filter(this::overlaps).toList();
    if (inside.isEmpty()) {
      return List.of(this);
    }
    if (inside.stream().anyMatch(hole -> hole.contains(this))) {
      return List.of();
    }
    Prefix low = new Prefix(first, length + 1);
    List<Prefix> rest = new ArrayList<>(low.without(inside));
    rest.addAll(new Prefix(low.last().plus(1), length + 1).without(inside));
    return rest;
  }

  /** Two prefixes overlap exactly where one contains the other. */
  public boolean overlaps(Prefix other) {
    return contains(other) || other.contains(this);
  }

  /** Whether the two are the halves of one prefix. */
  public boolean isOtherHalf(Prefix other) {
    return length == other.length
        && length > 0
        && !first.equals(other.first)
        && mask(first, length - 1).equals(mask(other.first, length - 1));
  }

  /** Number of addresses, or nothing past 2^62. */
  public Optional<Long> size() {
    int free = family().bits() - length;
    return free > 62 ? Optional.empty() : Optional.of(1L << free);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Prefix(Address theirs, int theirLength)
        && length == theirLength
        && first.equals(theirs);
  }

  @Override
  public int hashCode() {
    return first.hashCode() * 31 + length;
  }

  @Override
  public int compareTo(Prefix other) {
    int byFirst = first.compareTo(other.first);
    return byFirst != 0 ? byFirst : Integer.compare(length, other.length);
  }

  /** {@code address/length}, also for a single host. */
  @Override
  public String toString() {
    return first + "/" + length;
  }
}
