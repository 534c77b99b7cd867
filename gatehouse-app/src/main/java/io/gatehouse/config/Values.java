package io.gatehouse.config;

import io.gatehouse.model.Address;
import io.gatehouse.model.Family;
import io.gatehouse.model.Interface.InterfaceAddress;
import io.gatehouse.model.Located;
import io.gatehouse.model.Prefix;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;

/** Addresses and prefixes, and what can be wrong with them. */
final class Values {
  /** What no host or network of anybody can have (RFC 6890), and why. */
  private static final List<Special> SPECIAL =
      List.of(
          new Special(Prefix.of("0.0.0.0/8"), "\"this network\""),
          new Special(Prefix.of("127.0.0.0/8"), "loopback"),
          new Special(Prefix.of("224.0.0.0/4"), "multicast"),
          new Special(Prefix.of("240.0.0.0/4"), "reserved"),
          new Special(Prefix.of("::/128"), "the unspecified address"),
          new Special(Prefix.of("::1/128"), "loopback"),
          new Special(Prefix.of("::ffff:0:0/96"), "IPv4-mapped, which no packet carries"),
          new Special(Prefix.of("ff00::/8"), "multicast"));

  private record Special(Prefix prefix, String text) {}

  private static final Pattern LEADING_ZEROS = Pattern.compile("(?<![0-9])0+(?=[0-9])");
  private static final Pattern QUAD = Pattern.compile("[0-9]{1,4}(\\.[0-9]{1,4}){3}");

  private final Problems problems;

  Values(Problems problems) {
    this.problems = problems;
  }

  static boolean isLinkLocal(Address address) {
    return Prefix.LINK_LOCAL.contains(address);
  }

  /** The address of a host. */
  Optional<Located<Address>> address(Node.Scalar scalar) {
    String text = scalar.text();
    Optional<Address> parsed = Address.parse(text);
    if (parsed.isEmpty()) {
      int slash = text.indexOf('/');
      boolean length = slash > 0 && Address.parse(text.substring(0, slash)).isPresent();
      problems.error(
          scalar.spot(),
          Quote.of(text) + " is not an address",
          length
              ? Optional.of("without the length: " + Quote.bare(text.substring(0, slash)))
              : repair(text));
      return Optional.empty();
    }
    return usable(parsed.get(), scalar)
        ? Optional.of(new Located<>(parsed.get(), scalar.spot().origin()))
        : Optional.empty();
  }

  private boolean usable(Address address, Node.Scalar scalar) {
    return usable(Prefix.host(address), scalar);
  }

  private boolean usable(Prefix prefix, Node.Scalar scalar) {
    for (Special special : SPECIAL) {
      if (special.prefix.family() == prefix.family()
          && special.prefix.overlaps(prefix)
          && !prefix.isAll()) {
        boolean wider = prefix.length() < special.prefix.length();
        problems.error(
            scalar.spot(),
            Quote.bare(scalar.text())
                + (wider ? " holds " + special.prefix + ", " : " is ")
                + special.text
                + " (RFC 6890)");
        return false;
      }
    }
    return true;
  }

  private static Optional<String> repair(String text) {
    if (text.length() < 32 && QUAD.matcher(text).matches()) {
      String shorter = LEADING_ZEROS.matcher(text).replaceAll("");
      if (Address.parse(shorter).isPresent()) {
        return Optional.of("without leading zeros: " + shorter);
      }
      return Optional.of("each of the four numbers is 255 at most");
    }
    if (text.contains("%")) {
      return Optional.of("addresses have no zone here");
    }
    return Optional.empty();
  }

  /** One address of each family at most. */
  List<Located<Address>> onePerFamily(String what, List<Node.Scalar> scalars) {
    Map<Family, Located<Address>> all = new EnumMap<>(Family.class);
    for (Node.Scalar scalar : scalars) {
      address(scalar)
          .ifPresent(address -> {
            if (all.putIfAbsent(address.value().family(), address) != null) {
              problems.error(scalar.spot(), "a second " + what + " of the same family");
            }
          });
    }
    return List.copyOf(all.values());
  }

  List<Located<Address>> addresses(List<Node.Scalar> scalars) {
    return scalars.stream().map(this::address).flatMap(Optional::stream).toList();
  }

  /** {@code address/length} of an interface. */
  Optional<Located<InterfaceAddress>> interfaceAddress(Node.Scalar scalar) {
    String text = scalar.text();
    int slash = text.indexOf('/');
    if (slash < 0) {
      Optional<Address> bare = Address.parse(text);
      if (bare.isPresent()) {
        problems.error(
            scalar.spot(),
            Quote.bare(text) + " lacks the length of its link's prefix",
            "such as " + text + "/" + (bare.get().family() == Family.V4 ? 24 : 64));
        return Optional.empty();
      }
    }
    Optional<Split> split = split(scalar);
    if (split.isEmpty() || !usable(split.get().address, scalar)) {
      return Optional.empty();
    }
    Address address = split.get().address;
    Prefix link = Prefix.masked(address, split.get().length);
    boolean edge = address.equals(link.first()) || address.equals(link.last());
    if (address.family() == Family.V4 && link.length() < 31 && edge) {
      problems.error(
          scalar.spot(),
          Quote.bare(text)
              + (address.equals(link.first())
                  ? " is the network itself"
                  : " is its network's broadcast address"),
          "write this host's address there, such as " + link.first().plus(1) + "/" + link.length());
      return Optional.empty();
    }
    return Optional.of(
        new Located<>(new InterfaceAddress(address, link.length()), scalar.spot().origin()));
  }

  private record Split(Address address, int length) {}

  /** Address and length, told where they are not. */
  private Optional<Split> split(Node.Scalar scalar) {
    return split(scalar, "not a prefix");
  }

  private Optional<Split> split(Node.Scalar scalar, String wrong) {
    String text = scalar.text();
    int slash = text.indexOf('/');
    Optional<Address> address = Address.parse(slash < 0 ? text : text.substring(0, slash));
    if (address.isEmpty()) {
      boolean range =
          text.indexOf('-') > 0 && Address.parse(text.substring(0, text.indexOf('-'))).isPresent();
      problems.error(
          scalar.spot(),
          Quote.of(text) + " is " + wrong,
          range
              ? Optional.of("ranges are written as prefixes here")
              : repair(slash < 0 ? text : text.substring(0, slash))
                  .or(() -> Optional.of("such as 10.0.1.0/24")));
      return Optional.empty();
    }
    int bits = address.get().family().bits();
    if (slash < 0) {
      return Optional.of(new Split(address.get(), bits));
    }
    String length = text.substring(slash + 1);
    if (length.matches("0|[1-9][0-9]{0,2}") && Integer.parseInt(length) <= bits) {
      return Optional.of(new Split(address.get(), Integer.parseInt(length)));
    }
    problems.error(
        scalar.spot(),
        Quote.of("/" + length) + " is not the length of a prefix",
        netmask(length)
            .map(n -> "did you mean " + address.get() + "/" + n + "?")
            .or(() -> Optional.of("it is 0 to " + bits)));
    return Optional.empty();
  }

  private static Optional<Integer> netmask(String text) {
    return Address.parse(text)
        .filter(a -> a.family() == Family.V4)
        .map(a -> (int) a.low())
        .filter(mask -> (~mask & (~mask + 1)) == 0)
        .map(Integer::bitCount);
  }

  /** A network: address and length, no host bits. */
  Optional<Located<Prefix>> prefix(Node.Scalar scalar) {
    return prefix(scalar, "not a prefix");
  }

  private Optional<Located<Prefix>> prefix(Node.Scalar scalar, String wrong) {
    Optional<Prefix> quick =
        scalar.text().indexOf('/') < 0 ? Optional.empty() : Prefix.parse(scalar.text());
    if (quick.isPresent()) {
      return usable(quick.get(), scalar)
          ? Optional.of(new Located<>(quick.get(), scalar.spot().origin()))
          : Optional.empty();
    }
    Optional<Split> split = split(scalar, wrong);
    if (split.isEmpty()) {
      return Optional.empty();
    }
    Address address = split.get().address;
    if (scalar.text().indexOf('/') < 0) {
      problems.error(
          scalar.spot(),
          Quote.bare(scalar.text()) + " is an address, not a prefix",
          "for this one host, write " + address + "/" + address.family().bits());
    } else {
      problems.error(
          scalar.spot(),
          Quote.bare(scalar.text()) + " has host bits set",
          "did you mean " + Prefix.masked(address, split.get().length) + "?");
    }
    return Optional.empty();
  }

  List<Located<Prefix>> prefixes(List<Node.Scalar> scalars) {
    return scalars.stream().map(this::prefix).flatMap(Optional::stream).toList();
  }

  /**
   * An address or a prefix, as a prefix.
   *
   * @param wrong what the text is where it is neither
   */
  Optional<Located<Prefix>> source(Node.Scalar scalar, String wrong) {
    Optional<Address> address = Address.parse(scalar.text());
    if (address.isPresent()) {
      return usable(address.get(), scalar)
          ? Optional.of(new Located<>(Prefix.host(address.get()), scalar.spot().origin()))
          : Optional.empty();
    }
    return prefix(scalar, wrong);
  }

  /** The same, one of each family at most. */
  List<Located<Prefix>> sourcePerFamily(String what, List<Node.Scalar> scalars) {
    Map<Family, Located<Prefix>> all = new EnumMap<>(Family.class);
    for (Node.Scalar scalar : scalars) {
      source(scalar, "neither an address nor a prefix")
          .ifPresent(prefix -> {
            if (all.putIfAbsent(prefix.value().family(), prefix) != null) {
              problems.error(scalar.spot(), "a second " + what + " of the same family");
            }
          });
    }
    return List.copyOf(all.values());
  }

  List<Prefix> sources(List<Node.Scalar> scalars) {
    List<Prefix> all = new ArrayList<>();
    scalars.forEach(scalar ->
        source(scalar, "neither an address nor a prefix").ifPresent(p -> all.add(p.value())));
    return all;
  }
}
