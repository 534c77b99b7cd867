package io.gatehouse.vici;

import io.gatehouse.model.Address;
import io.gatehouse.model.Family;
import io.gatehouse.model.Prefix;
import io.gatehouse.vici.ChildSa.Mark;
import io.gatehouse.vici.IkeSa.Endpoint;
import io.gatehouse.vici.Section.Item;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;

/**
 * SAs and events out of charon's messages. SPIs, marks and interface ids are hexadecimal there,
 * everything else is decimal. An SA without the number that tells it apart is none.
 */
final class SaReader {
  /** All events that we ask for. */
  static final List<String> EVENTS =
      List.of("ike-updown", "ike-rekey", "ike-update", "child-updown", "child-rekey");

  private static final long ALL_ONES = 0xffffffffL;

  private SaReader() {}

  /** What an event says; several where charon tells of several children at once. */
  static List<TunnelEvent> events(String name, Section message) {
    return events(name, message, UnaryOperator.identity());
  }

  /**
   * The same.
   *
   * @param complete what every IKE SA becomes
   */
  static List<TunnelEvent> events(String name, Section message, UnaryOperator<IkeSa> complete) {
    boolean up = message.isYes("up");
    List<TunnelEvent> events = new ArrayList<>();
    message
        .sections()
        .forEach((connection, body) -> {
          Optional<IkeSa> ike = ike(connection, body).map(complete);
          switch (name) {
            case "ike-updown" ->
                ike.map(sa -> up ? new TunnelEvent.IkeUp(sa) : new TunnelEvent.IkeDown(sa))
                    .ifPresent(events::add);
            case "ike-rekey" -> ikeRekeyed(connection, body, complete).ifPresent(events::add);
            case "ike-update" -> ike.flatMap(sa -> moved(sa, message)).ifPresent(events::add);
            case "child-updown" ->
                ike.ifPresent(sa ->
                    sa.children().stream()
                        .map(child ->
                            up
                                ? new TunnelEvent.ChildUp(sa, child)
                                : new TunnelEvent.ChildDown(sa, child))
                        .forEach(events::add));
            case "child-rekey" ->
                ike.ifPresent(sa -> childRekeyed(sa.with(List.of()), body, events));
            default -> {}
          }
        });
    return events;
  }

  private static Optional<TunnelEvent> ikeRekeyed(
      String connection, Section body, UnaryOperator<IkeSa> complete) {
    Optional<IkeSa> old =
        body.section("old").flatMap(section -> ike(connection, section)).map(complete);
    Optional<IkeSa> fresh =
        body.section("new").flatMap(section -> ike(connection, section)).map(complete);
    return old.isPresent() && fresh.isPresent()
        ? Optional.of(new TunnelEvent.IkeRekeyed(old.get(), fresh.get()))
        : Optional.empty();
  }

  /**
   * Charon tells it before it does it: the IKE SA still has the old ends, and the new ones stand
   * beside it.
   */
  private static Optional<TunnelEvent> moved(IkeSa sa, Section message) {
    Optional<Endpoint> to = endpoint(message, "remote-");
    return sa.remote()
        .map(from ->
            new TunnelEvent.Moved(
                new IkeSa(
                    sa.connection(),
                    sa.id(),
                    endpoint(message, "local-").or(sa::local),
                    to.or(sa::remote),
                    sa.remoteId(),
                    sa.eapId(),
                    sa.xauthId(),
                    sa.virtual(),
                    sa.since(),
                    sa.children(),
                    sa.cookie()),
                from));
  }

  /** Here the children's sections bear the plain name, and hold the old and the new. */
  private static void childRekeyed(IkeSa sa, Section body, List<TunnelEvent> events) {
    body.section("child-sas")
        .ifPresent(children ->
            children
                .sections()
                .forEach((name, both) -> {
                  Optional<ChildSa> old = both.section("old").flatMap(s -> child(name, s));
                  Optional<ChildSa> fresh = both.section("new").flatMap(s -> child(name, s));
                  if (old.isPresent() && fresh.isPresent()) {
                    events.add(new TunnelEvent.ChildRekeyed(sa, old.get(), fresh.get()));
                  }
                }));
  }

  /** The classes of authentication that a connection asks of its peers, in charon's words. */
  static Set<String> authentication(Section connection) {
    return connection.sections().entrySet().stream()
        .filter(section -> section.getKey().startsWith("remote"))
        .flatMap(section -> section.getValue().text("class").stream())
        .collect(Collectors.toUnmodifiableSet());
  }

  /** The IKE SAs of a {@code list-sa} event. */
  static List<IkeSa> listed(Section message) {
    return message.sections().entrySet().stream()
        .flatMap(entry -> ike(entry.getKey(), entry.getValue()).stream())
        .toList();
  }

  private static Optional<IkeSa> ike(String connection, Section body) {
    OptionalLong id = decimal(body, "uniqueid");
    if (id.isEmpty()) {
      return Optional.empty();
    }
    List<ChildSa> children = new ArrayList<>();
    body.section("child-sas")
        .ifPresent(section ->
            section
                .sections()
                .forEach((name, child) -> child(name, child).ifPresent(children::add)));
    return Optional.of(
        new IkeSa(
            connection,
            id.getAsLong(),
            endpoint(body, "local-"),
            endpoint(body, "remote-"),
            body.text("remote-id"),
            body.text("remote-eap-id"),
            body.text("remote-xauth-id"),
            body.texts("remote-vips").stream()
                .flatMap(text -> Address.parse(text).stream())
                .toList(),
            duration(body, "established"),
            children,
            cookie(body)));
  }

  /** Hexadecimal, of 64 bits without a sign; one that is 0 is not known yet. */
  private static OptionalLong cookie(Section body) {
    try {
      long cookie = Long.parseUnsignedLong(body.text("initiator-spi").orElse(""), 16);
      return cookie == 0 ? OptionalLong.empty() : OptionalLong.of(cookie);
    } catch (NumberFormatException e) {
      return OptionalLong.empty();
    }
  }

  private static Optional<Endpoint> endpoint(Section body, String prefix) {
    OptionalLong port = decimal(body, prefix + "port");
    return body.text(prefix + "host")
        .flatMap(Address::parse)
        .map(address -> new Endpoint(address, (int) port.orElse(500)));
  }

  /** The section's name is the child's with its number behind it, or the child's alone. */
  private static Optional<ChildSa> child(String section, Section body) {
    OptionalLong id = decimal(body, "uniqueid");
    if (id.isEmpty()) {
      return Optional.empty();
    }
    String suffix = "-" + id.getAsLong();
    String plain =
        section.endsWith(suffix)
            ? section.substring(0, section.length() - suffix.length())
            : section;
    return Optional.of(
        new ChildSa(
            body.text("name").orElse(plain),
            id.getAsLong(),
            decimal(body, "reqid").orElse(0),
            body.text("mode").filter(mode -> mode.equals("TRANSPORT")).isPresent(),
            body.text("state").map(SaReader::isInstalled).orElse(true),
            hexadecimal(body, "spi-in").orElse(0),
            hexadecimal(body, "spi-out").orElse(0),
            mark(body, "in"),
            mark(body, "out"),
            body.texts("local-ts").stream().flatMap(text -> prefix(text).stream()).toList(),
            body.texts("remote-ts").stream().flatMap(text -> prefix(text).stream()).toList(),
            duration(body, "rekey-time"),
            decimal(body, "bytes-in").orElse(0),
            decimal(body, "bytes-out").orElse(0)));
  }

  private static boolean isInstalled(String state) {
    return switch (state) {
      case "INSTALLED", "UPDATING", "REKEYING", "REKEYED" -> true;
      default -> false;
    };
  }

  private static Optional<Mark> mark(Section body, String direction) {
    OptionalLong value = hexadecimal(body, "mark-" + direction);
    return value.isEmpty()
        ? Optional.empty()
        : Optional.of(
            new Mark(
                value.getAsLong(),
                // Left out where all its bits are ones.
                hexadecimal(body, "mark-mask-" + direction).orElse(ALL_ONES)));
  }

  /** {@code 10.0.3.1/32}, perhaps with {@code [udp/1701]} behind it, or {@code first..last}. */
  private static Optional<Prefix> prefix(String selector) {
    int bracket = selector.indexOf('[');
    String addresses = bracket < 0 ? selector : selector.substring(0, bracket);
    int dots = addresses.indexOf("..");
    return dots < 0
        ? Prefix.parse(addresses)
        : around(
            Address.parse(addresses.substring(0, dots)),
            Address.parse(addresses.substring(dots + 2)));
  }

  private static Optional<Prefix> around(Optional<Address> first, Optional<Address> last) {
    if (first.isEmpty() || last.isEmpty()) {
      return Optional.empty();
    }
    Family family = first.get().family();
    if (family != last.get().family()) {
      return Optional.empty();
    }
    int same = 0;
    while (same < family.bits() && first.get().bit(same) == last.get().bit(same)) {
      same++;
    }
    return Optional.of(Prefix.masked(first.get(), same));
  }

  private static Optional<Duration> duration(Section body, String name) {
    OptionalLong seconds = decimal(body, name);
    return seconds.isEmpty()
        ? Optional.empty()
        : Optional.of(Duration.ofSeconds(seconds.getAsLong()));
  }

  private static OptionalLong decimal(Section body, String name) {
    return number(body, name, 10);
  }

  private static OptionalLong hexadecimal(Section body, String name) {
    return number(body, name, 16);
  }

  private static OptionalLong number(Section body, String name, int radix) {
    try {
      return body.items().get(name) instanceof Item.Text(String value)
          ? OptionalLong.of(Long.parseLong(value, radix))
          : OptionalLong.empty();
    } catch (NumberFormatException e) {
      return OptionalLong.empty();
    }
  }
}
