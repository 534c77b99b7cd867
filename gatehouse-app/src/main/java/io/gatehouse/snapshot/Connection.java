package io.gatehouse.snapshot;

import io.gatehouse.model.Address;
import io.gatehouse.model.Family;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * An entry of the kernel's connection tracking: the first packet's addresses, and those that an
 * answer has. Where they do not mirror each other, an address is translated.
 *
 * @param protocol its name or number as conntrack prints it
 * @param zone nothing is the default zone
 */
public record Connection(String protocol, Tuple original, Tuple reply, OptionalInt zone) {

  /** Ports stand only where the protocol has some. */
  public record Tuple(
      Address source, Address destination, OptionalInt sourcePort, OptionalInt destinationPort) {}

  public Family family() {
    return original.source().family();
  }

  /** Whether the answer goes to another address than the one the first packet came from. */
  public boolean sourceTranslated() {
    return !reply.destination().equals(original.source());
  }

  /** Whether the answer comes from another address than the one the first packet went to. */
  public boolean destinationTranslated() {
    return !reply.source().equals(original.destination());
  }

  /**
   * From {@code conntrack -L} or /proc/net/nf_conntrack: a line for each entry. Lines of other
   * kinds are left out.
   */
  public static List<Connection> parse(String text) {
    return text.lines().flatMap(line -> line(line).stream()).toList();
  }

  private static Optional<Connection> line(String line) {
    String[] words = line.strip().split("\\s+", -1);
    if (words.length < 4) {
      return Optional.empty();
    }
    // /proc begins with the family (`ipv4 2 tcp 6 …`), conntrack(8) with the protocol.
    int at = words[0].startsWith("ipv") ? 2 : 0;
    String name = words[at].toLowerCase(Locale.ROOT);
    // ESP and others: `unknown 50 599 src=…`.
    String protocol = name.equals("unknown") ? words[at + 1] : name;
    if (!protocol.matches("[a-z0-9-]+")) {
      return Optional.empty();
    }
    Map<String, String> first = new HashMap<>();
    Map<String, String> second = new HashMap<>();
    for (String word : words) {
      int equals = word.indexOf('=');
      if (equals > 0) {
        String key = word.substring(0, equals);
        (first.containsKey(key) ? second : first).putIfAbsent(key, word.substring(equals + 1));
      }
    }
    return tuple(first)
        .flatMap(original ->
            tuple(second)
                .map(reply -> new Connection(protocol, original, reply, integer(first, "zone"))));
  }

  private static Optional<Tuple> tuple(Map<String, String> words) {
    return Optional.ofNullable(words.get("src"))
        .flatMap(Address::parse)
        .flatMap(source ->
            Optional.ofNullable(words.get("dst"))
                .flatMap(Address::parse)
                .map(destination ->
                    new Tuple(
                        source, destination, integer(words, "sport"), integer(words, "dport"))));
  }

  private static OptionalInt integer(Map<String, String> words, String key) {
    String text = words.get(key);
    return text != null && text.matches("[0-9]{1,6}")
        ? OptionalInt.of(Integer.parseInt(text))
        : OptionalInt.empty();
  }
}
