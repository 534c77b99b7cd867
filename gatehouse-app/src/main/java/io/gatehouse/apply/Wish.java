package io.gatehouse.apply;

import java.util.Locale;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * One entry that a generation wants in the kernel beside its nftables, as `status` looks for it.
 *
 * @param body the entry's canonical text; for a setting its key and value
 * @param origin the line that asks for it
 */
record Wish(Kind kind, String body, String origin) {

  /** Where the kernel keeps it. */
  enum Kind {
    RULE,
    ROUTE,
    NEIGHBOUR,
    POLICY,
    SYSCTL
  }

  /** The body's first word: a setting's key. */
  String key() {
    int space = body.indexOf(' ');
    return space < 0 ? body : body.substring(0, space);
  }

  String line() {
    return kind.name().toLowerCase(Locale.ROOT) + "\t" + body + "\t" + origin + "\n";
  }

  static Optional<Wish> parse(String line) {
    String[] parts = line.split("\t", 3);
    return parts.length < 3
        ? Optional.empty()
        : Stream.of(Kind.values())
            .filter(kind -> kind.name().toLowerCase(Locale.ROOT).equals(parts[0]))
            .findFirst()
            .map(kind -> new Wish(kind, parts[1], parts[2]));
  }
}
