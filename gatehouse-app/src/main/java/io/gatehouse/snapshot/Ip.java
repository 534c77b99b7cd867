package io.gatehouse.snapshot;

import io.gatehouse.model.Address;
import io.gatehouse.model.Family;
import io.gatehouse.model.Prefix;
import io.gatehouse.ruleset.Routing;
import io.gatehouse.ruleset.XfrmPolicy;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import tools.jackson.databind.JsonNode;

/**
 * Reads what ip(8) prints. Its {@code -N} gives protocols, tables and types as numbers, whatever
 * files name them.
 */
final class Ip {
  private static final Pattern BLANKS = Pattern.compile("\\s+");

  private static final Set<String> RULE_KEYS =
      Set.of("priority", "src", "srclen", "dst", "dstlen", "fwmark", "fwmask", "table", "protocol");
  private static final Set<String> ROUTE_KEYS =
      Set.of(
          "type",
          "dst",
          "gateway",
          "dev",
          "table",
          "protocol",
          "scope",
          "prefsrc",
          "metric",
          "flags",
          "pref");

  private Ip() {}

  /** From {@code ip -j addr show}. */
  static List<Link> links(String json) {
    return Json.list(json).stream().flatMap(node -> link(node).stream()).toList();
  }

  private static Optional<Link> link(JsonNode node) {
    boolean up =
        Json.elements(node.path("flags")).stream()
            .anyMatch(f -> f.isString() && f.stringValue().equals("UP"));
    List<Link.At> addresses =
        Json.elements(node.path("addr_info")).stream().flatMap(a -> address(a).stream()).toList();
    return Json.text(node, "ifname").map(name -> new Link(name, up, addresses));
  }

  private static Optional<Link.At> address(JsonNode node) {
    return Json.text(node, "local")
        .flatMap(Address::parse)
        .flatMap(address ->
            Json.number(node, "prefixlen")
                .filter(length -> length >= 0 && length <= address.family().bits())
                .map(length -> new Link.At(address, length.intValue())));
  }

  /** From {@code ip -N -j rule} of one family. */
  static List<Seen.Rule> rules(String json, Family family) {
    return Json.list(json).stream().flatMap(node -> rule(node, family).stream()).toList();
  }

  private static Optional<Seen.Rule> rule(JsonNode node, Family family) {
    Optional<Long> priority = Json.number(node, "priority");
    if (priority.isEmpty()) {
      return Optional.empty();
    }
    boolean plain = RULE_KEYS.containsAll(node.propertyNames());
    // "all" is no prefix and means no condition.
    Optional<Prefix> from = prefix(node, "src", "srclen");
    Optional<Prefix> to = prefix(node, "dst", "dstlen");
    Optional<Routing.Mark> mark =
        Json.number(node, "fwmark")
            .map(value -> new Routing.Mark(value, Json.number(node, "fwmask").orElse(0xffffffffL)));
    Optional<Long> table = table(node);
    return Optional.of(
        new Seen.Rule(
            family,
            priority.get().intValue(),
            from,
            to,
            mark,
            table.orElse(0L).intValue(),
            Json.number(node, "protocol").orElse(0L).intValue(),
            plain && table.isPresent()));
  }

  private static Optional<Prefix> prefix(JsonNode node, String key, String length) {
    return Json.text(node, key)
        .flatMap(
            text -> Prefix.parse(Json.number(node, length).map(l -> text + "/" + l).orElse(text)));
  }

  private static Optional<Long> table(JsonNode node) {
    return Json.text(node, "table")
        .flatMap(name ->
            switch (name) {
              // Older ip names these even where it is asked for numbers.
              case "main" -> Optional.of(254L);
              case "local" -> Optional.of(255L);
              case "default" -> Optional.of(253L);
              default -> Json.number(name);
            });
  }

  /** From {@code ip -N -j route show table all} of one family. */
  static List<Seen.Route> routes(String json, Family family) {
    return Json.list(json).stream().flatMap(node -> route(node, family).stream()).toList();
  }

  private static Optional<Seen.Route> route(JsonNode node, Family family) {
    Optional<Prefix> destination =
        Json.text(node, "dst")
            .flatMap(text ->
                text.equals("default")
                    ? Optional.of(family == Family.V4 ? Prefix.ALL_V4 : Prefix.ALL_V6)
                    : Prefix.parse(text));
    return destination
        .filter(d -> d.family() == family)
        .map(d ->
            new Seen.Route(
                d,
                node.has("table") ? table(node).orElse(-1L).intValue() : 254,
                type(node),
                Json.text(node, "gateway").flatMap(Address::parse),
                Json.text(node, "dev"),
                Json.text(node, "prefsrc").flatMap(Address::parse),
                Json.number(node, "metric").orElse(0L),
                Json.number(node, "protocol").orElse(0L).intValue(),
                ROUTE_KEYS.containsAll(node.propertyNames())));
  }

  private static int type(JsonNode node) {
    return Json.text(node, "type")
        .map(name ->
            switch (name) {
              case "unicast" -> 1;
              case "local" -> 2;
              case "broadcast" -> 3;
              case "blackhole" -> 6;
              case "unreachable" -> 7;
              case "prohibit" -> 8;
              default -> Json.number(name).orElse(0L).intValue();
            })
        .orElse(1);
  }

  /** From {@code ip -N -j neigh show proxy}. */
  static List<Seen.ProxyNeighbour> neighbours(String json) {
    return Json.list(json).stream().flatMap(node -> neighbour(node).stream()).distinct().toList();
  }

  private static Optional<Seen.ProxyNeighbour> neighbour(JsonNode node) {
    return Json.text(node, "dst")
        .flatMap(Address::parse)
        .flatMap(address ->
            Json.text(node, "dev")
                .map(device ->
                    new Seen.ProxyNeighbour(
                        address, device, Json.number(node, "protocol").orElse(0L).intValue())));
  }

  /**
   * From {@code ip xfrm policy list}, which has no JSON: a line with the selector, then indented
   * lines about it.
   *
   * <pre>
   * src 10.0.3.0/24 dst 0.0.0.0/0
   *         dir in action block priority 4294967280 ptype main
   *         tmpl …
   * </pre>
   */
  static List<Seen.Policy> policies(String text) {
    List<Seen.Policy> policies = new ArrayList<>();
    List<String> lines = new ArrayList<>();
    Stream.concat(text.lines(), Stream.of("src end"))
        .forEach(line -> {
          if (line.startsWith("src ")) {
            policy(lines).ifPresent(policies::add);
            lines.clear();
          }
          lines.add(line);
        });
    return List.copyOf(policies);
  }

  private static Optional<Seen.Policy> policy(List<String> lines) {
    if (lines.size() < 2) {
      return Optional.empty();
    }
    List<String> selector = words(lines.get(0));
    List<String> body = words(lines.get(1));
    Optional<Prefix> source = after(selector, "src").flatMap(Prefix::parse);
    Optional<Prefix> destination = after(selector, "dst").flatMap(Prefix::parse);
    Optional<XfrmPolicy.Direction> direction =
        after(body, "dir")
            .flatMap(dir ->
                Stream.of(XfrmPolicy.Direction.values())
                    .filter(d -> d.name().toLowerCase(Locale.ROOT).equals(dir))
                    .findFirst());
    if (source.isEmpty() || destination.isEmpty() || direction.isEmpty()) {
      // Socket policies, and whatever else has no selector of our kind.
      return Optional.empty();
    }
    Optional<String> marked =
        lines.stream().map(String::strip).filter(line -> line.startsWith("mark ")).findFirst();
    Optional<Routing.Mark> mark = marked.flatMap(line -> mark(words(line)));
    boolean byAddresses =
        selector.size() == 4
            && marked.isPresent() == mark.isPresent()
            && lines.stream().noneMatch(line -> words(line).contains("if_id"));
    boolean plain = byAddresses && lines.size() == (marked.isPresent() ? 3 : 2);
    return Optional.of(
        new Seen.Policy(
            direction.get(),
            source.get(),
            destination.get(),
            after(body, "priority").flatMap(Json::number).orElse(0L),
            after(body, "action").filter("block"::equals).isPresent(),
            mark,
            byAddresses,
            plain));
  }

  /** {@code mark 0x1/0xff}; nothing where more stands on the line. */
  private static Optional<Routing.Mark> mark(List<String> words) {
    if (words.size() != 2) {
      return Optional.empty();
    }
    int slash = words.get(1).indexOf('/');
    try {
      return slash < 0
          ? Optional.empty()
          : Optional.of(
              new Routing.Mark(
                  Long.decode(words.get(1).substring(0, slash)),
                  Long.decode(words.get(1).substring(slash + 1))));
    } catch (NumberFormatException e) {
      return Optional.empty();
    }
  }

  private static List<String> words(String line) {
    return BLANKS.splitAsStream(line.strip()).toList();
  }

  private static Optional<String> after(List<String> words, String word) {
    int at = words.indexOf(word);
    return at >= 0 && at + 1 < words.size() ? Optional.of(words.get(at + 1)) : Optional.empty();
  }
}
