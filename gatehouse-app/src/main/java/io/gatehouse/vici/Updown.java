package io.gatehouse.vici;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.gatehouse.model.Address;
import io.gatehouse.model.Prefix;
import io.gatehouse.vici.ChildSa.Mark;
import io.gatehouse.vici.IkeSa.Endpoint;
import java.net.URLDecoder;
import java.net.URLEncoder;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * Events from an updown hook, which every Pluto-like IKE daemon calls: for libreswan, and wherever
 * VICI is missing. The hook's variables go to the daemon as one line. One call is about one pair of
 * selectors; a child is told by its reqid, because the hook knows no other number.
 */
public final class Updown {
  private static final String PREFIX = "PLUTO_";

  /** No hook needs more. */
  static final int LONGEST_LINE = 16 * 1024;

  private Updown() {}

  /** The hook's variables as one line, without its end. */
  public static String line(Map<String, String> environment) {
    return new TreeMap<>(environment)
        .entrySet().stream()
            .filter(variable -> variable.getKey().startsWith(PREFIX))
            .map(variable ->
                URLEncoder.encode(variable.getKey().substring(PREFIX.length()), UTF_8)
                    + "="
                    + URLEncoder.encode(variable.getValue(), UTF_8))
            .collect(Collectors.joining("&"));
  }

  /** What a line says; nothing where it is none, or about what does not concern us. */
  public static Optional<TunnelEvent> event(String line) {
    if (line.length() > LONGEST_LINE) {
      return Optional.empty();
    }
    Map<String, String> variables = new TreeMap<>();
    try {
      for (String pair : line.split("&", -1)) {
        int equals = pair.indexOf('=');
        if (equals > 0) {
          variables.put(
              URLDecoder.decode(pair.substring(0, equals), UTF_8),
              URLDecoder.decode(pair.substring(equals + 1), UTF_8));
        }
      }
    } catch (IllegalArgumentException e) {
      return Optional.empty();
    }
    return event(new Variables(variables));
  }

  private static Optional<TunnelEvent> event(Variables hook) {
    // strongSwan's name of it, and libreswan's.
    Optional<Long> reqid = hook.number("REQID").or(() -> hook.number("SA_REQID"));
    Optional<String> connection = hook.text("CONNECTION");
    String verb = hook.text("VERB").orElse("");
    if (reqid.isEmpty() || connection.isEmpty()) {
      return Optional.empty();
    }
    ChildSa child =
        new ChildSa(
            connection.get(),
            reqid.get(),
            reqid.get(),
            false, // the hook does not say
            true,
            0,
            0,
            hook.mark("MARK_IN"),
            hook.mark("MARK_OUT"),
            hook.local(),
            hook.text("PEER_CLIENT").flatMap(Prefix::parse).stream().toList(),
            Optional.empty(),
            0,
            0);
    IkeSa ike =
        new IkeSa(
            connection.get(),
            hook.number("UNIQUEID").orElse(reqid.get()),
            hook.address("ME").map(me -> new Endpoint(me, 500)),
            hook.address("PEER")
                .map(peer -> new Endpoint(peer, hook.number("UDP_ENC").orElse(500L).intValue())),
            hook.text("PEER_ID"),
            Optional.empty(),
            hook.text("XAUTH_ID").or(() -> hook.text("USERNAME")),
            hook.virtual("PEER"),
            Optional.empty(),
            List.of(child),
            OptionalLong.empty());
    return switch (verb) {
      case "up-host", "up-client", "up-host-v6", "up-client-v6" ->
          Optional.of(new TunnelEvent.ChildUp(ike, child));
      case "down-host", "down-client", "down-host-v6", "down-client-v6" ->
          Optional.of(new TunnelEvent.ChildDown(ike, child));
      default -> Optional.empty();
    };
  }

  /** What the hook was called with. */
  private record Variables(Map<String, String> all) {
    Optional<String> text(String name) {
      return Optional.ofNullable(all.get(name)).filter(value -> !value.isEmpty());
    }

    Optional<Long> number(String name) {
      return text(name).filter(value -> value.matches("[0-9]{1,10}")).map(Long::parseLong);
    }

    Optional<Address> address(String name) {
      return text(name).flatMap(Address::parse);
    }

    /** {@code 7/0xffffff}, each in whatever radix it says. */
    Optional<Mark> mark(String name) {
      return text(name)
          .filter(value ->
              value.matches("(0x[0-9a-fA-F]{1,8}|[0-9]{1,9})(/(0x[0-9a-fA-F]{1,8}|[0-9]{1,9}))?"))
          .map(value -> {
            int slash = value.indexOf('/');
            return slash < 0
                ? new Mark(Long.decode(value), 0xffffffffL)
                : new Mark(
                    Long.decode(value.substring(0, slash)),
                    Long.decode(value.substring(slash + 1)));
          });
    }

    /** Our selector; each family's is told by itself, the virtual IPs of both with either. */
    List<Prefix> local() {
      return Stream.concat(
              text("MY_CLIENT").flatMap(Prefix::parse).stream(),
              virtual("MY").stream().map(Prefix::host))
          .distinct()
          .toList();
    }

    /** An end's: PEER_SOURCEIP, and PEER_SOURCEIP4_1 and so on where it has several. */
    List<Address> virtual(String end) {
      return all.entrySet().stream()
          .filter(variable -> variable.getKey().matches(end + "_SOURCEIP([46]_[0-9]+)?"))
          .flatMap(variable -> Address.parse(variable.getValue()).stream())
          .distinct()
          .toList();
    }
  }
}
