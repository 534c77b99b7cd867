package io.gatehouse.clients;

import io.gatehouse.model.Address;
import io.gatehouse.model.PortRange;
import io.gatehouse.model.Prefix;
import io.gatehouse.model.Protocol;
import java.util.Arrays;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A traffic selector (RFC 7296, 3.13.1): packets whose address, protocol and port lie in it.
 *
 * @param first of the addresses, in the same family as {@code last} and not above it
 * @param protocol its IP number; 0 for any
 */
public record TrafficSelector(Address first, Address last, int protocol, PortRange ports) {
  private static final PortRange ANY_PORT = new PortRange(0, 65535);
  private static final Pattern FORM =
      Pattern.compile(
          "([^\\[\\]-]+)(?:-([^\\[\\]-]+))?(?:\\[([a-z0-9-]+)(?:/([0-9]+)(?:-([0-9]+))?)?\\])?");

  public TrafficSelector {
    if (first.family() != last.family() || first.compareTo(last) > 0) {
      throw new IllegalArgumentException("no such addresses: " + first + "-" + last);
    }
  }

  /** Everything from and to a network. */
  public static TrafficSelector of(Prefix prefix) {
    return new TrafficSelector(prefix.first(), prefix.last(), 0, ANY_PORT);
  }

  /**
   * strongSwan's words: {@code 10.0.0.0/8}, {@code 10.0.0.1-10.0.0.9}, {@code
   * 10.0.1.0/24[tcp/443]}; nothing where the text is none.
   */
  public static Optional<TrafficSelector> parse(String text) {
    Matcher matcher = FORM.matcher(text);
    if (!matcher.matches()) {
      return Optional.empty();
    }
    int protocol = 0;
    PortRange ports = ANY_PORT;
    if (matcher.group(3) != null) {
      Optional<Integer> number = protocol(matcher.group(3));
      if (number.isEmpty()) {
        return Optional.empty();
      }
      protocol = number.get();
      if (matcher.group(4) != null) {
        String to = matcher.group(5) == null ? matcher.group(4) : matcher.group(5);
        if (matcher.group(4).length() > 5 || to.length() > 5) {
          return Optional.empty();
        }
        int from = Integer.parseInt(matcher.group(4));
        int until = Integer.parseInt(to);
        if (from > until || until > 65535) {
          return Optional.empty();
        }
        ports = new PortRange(from, until);
      }
    }
    if (matcher.group(2) == null) {
      Optional<Prefix> prefix = Prefix.parse(matcher.group(1));
      int number = protocol;
      PortRange range = ports;
      return prefix.map(p -> new TrafficSelector(p.first(), p.last(), number, range));
    }
    Optional<Address> first = Address.parse(matcher.group(1));
    Optional<Address> last = Address.parse(matcher.group(2));
    return first.isEmpty()
            || last.isEmpty()
            || first.get().family() != last.get().family()
            || first.get().compareTo(last.get()) > 0
        ? Optional.empty()
        : Optional.of(new TrafficSelector(first.get(), last.get(), protocol, ports));
  }

  private static Optional<Integer> protocol(String word) {
    if (word.matches("[0-9]{1,3}")) {
      int number = Integer.parseInt(word);
      return number < 256 ? Optional.of(number) : Optional.empty();
    }
    return Arrays.stream(Protocol.values())
        .filter(protocol -> protocol.text().equals(word))
        .map(Protocol::number)
        .findFirst();
  }

  /** What lies in both; nothing where no packet does. */
  public Optional<TrafficSelector> and(TrafficSelector other) {
    if (first.family() != other.first.family()
        || (protocol != 0 && other.protocol != 0 && protocol != other.protocol)
        || !ports.overlaps(other.ports)) {
      return Optional.empty();
    }
    Address from = first.compareTo(other.first) > 0 ? first : other.first;
    Address to = last.compareTo(other.last) < 0 ? last : other.last;
    return from.compareTo(to) > 0
        ? Optional.empty()
        : Optional.of(
            new TrafficSelector(
                from,
                to,
                Math.max(protocol, other.protocol),
                new PortRange(
                    Math.max(ports.first(), other.ports.first()),
                    Math.min(ports.last(), other.ports.last()))));
  }

  /** Whether each packet of the other lies in this one. */
  public boolean contains(TrafficSelector other) {
    return and(other).equals(Optional.of(other));
  }

  /** As strongSwan writes it; addresses that are no prefix as a range. */
  @Override
  public String toString() {
    int bits = first.family().bits();
    String addresses = first + "-" + last;
    for (int length = 0; length <= bits; length++) {
      Prefix prefix = Prefix.masked(first, length);
      if (prefix.first().equals(first) && prefix.last().equals(last)) {
        addresses = prefix.toString();
        break;
      }
    }
    if (protocol == 0 && ports.equals(ANY_PORT)) {
      return addresses;
    }
    String name =
        protocol == 0
            ? "any"
            : Protocol.byNumber(protocol).map(Protocol::text).orElse(Integer.toString(protocol));
    return addresses + "[" + name + (ports.equals(ANY_PORT) ? "" : "/" + ports) + "]";
  }
}
