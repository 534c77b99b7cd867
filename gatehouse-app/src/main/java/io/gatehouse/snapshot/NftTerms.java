package io.gatehouse.snapshot;

import io.gatehouse.model.Address;
import io.gatehouse.model.Prefix;
import io.gatehouse.ruleset.Expression;
import io.gatehouse.ruleset.Expression.Meta;
import io.gatehouse.ruleset.Expression.Operator;
import io.gatehouse.ruleset.Expression.Selector;
import io.gatehouse.ruleset.Expression.Value;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import tools.jackson.databind.JsonNode;

/**
 * Selectors and values as libnftables-json(5) has them. What we have no words for becomes {@link
 * Expression.Opaque} with its text.
 */
final class NftTerms {
  private static final long ALL_BITS = 0xffffffffL;

  private static final Map<String, Operator> OPERATORS =
      Map.of(
          "&",
          Operator.AND,
          "|",
          Operator.OR,
          "^",
          Operator.XOR,
          "<<",
          Operator.LEFT,
          ">>",
          Operator.RIGHT);

  private NftTerms() {}

  static Expression.Opaque opaque(JsonNode node) {
    return new Expression.Opaque(Opaque.brief(node.toString()));
  }

  // ---- selectors
  // ----------------------------------------------------------------------------------------------------------------------

  /** What stands left of a comparison, or is written to. */
  static Selector selector(JsonNode node) {
    Optional<Map.Entry<String, JsonNode>> only = only(node);
    if (only.isEmpty()) {
      return opaque(node);
    }
    JsonNode of = only.get().getValue();
    String word = only.get().getKey();
    return switch (word) {
      case "payload" -> payload(of).orElseGet(() -> opaque(node));
      case "meta" -> keyed(of, "key", NftTerms::meta).orElseGet(() -> opaque(node));
      case "ct" -> keyed(of, "key", key -> ct(of, key)).orElseGet(() -> opaque(node));
      case "rt" ->
          keyed(of, "key", key -> Optional.of(new Expression.Rt(family(of) + key)))
              .orElseGet(() -> opaque(node));
      case "ipsec" -> keyed(of, "key", key -> ipsec(of, key)).orElseGet(() -> opaque(node));
      case "fib" -> keyed(of, "result", r -> fib(of, r)).orElseGet(() -> opaque(node));
      case "tcp option" ->
          keyed(
                  of,
                  "name",
                  name ->
                      Optional.of(
                          new Expression.TcpOption(name, Json.text(of, "field").orElse(""))))
              .orElseGet(() -> opaque(node));
      case "exthdr" ->
          keyed(
                  of,
                  "name",
                  name ->
                      Optional.of(
                          new Expression.ExtensionHeader(name, Json.text(of, "field").orElse(""))))
              .orElseGet(() -> opaque(node));
      case "concat" ->
          Json.elements(of).isEmpty()
              ? opaque(node)
              : new Expression.Concat(
                  Json.elements(of).stream().<Expression>map(NftTerms::selector).toList());
      case "map" ->
          Json.text(of, "data")
              .filter(data -> data.startsWith("@"))
              .<Selector>map(
                  data -> new Expression.Mapped(selector(of.path("key")), data.substring(1)))
              .orElseGet(() -> opaque(node));
      default ->
          Optional.ofNullable(OPERATORS.get(word))
              .flatMap(operator -> binary(of, operator, Optional.empty()))
              .<Selector>map(b -> b)
              .orElseGet(() -> opaque(node));
    };
  }

  /** The one member of an object. */
  static Optional<Map.Entry<String, JsonNode>> only(JsonNode node) {
    return node.isObject() && node.size() == 1
        ? Optional.of(node.properties().iterator().next())
        : Optional.empty();
  }

  private static Optional<Selector> keyed(
      JsonNode of, String key, Function<String, Optional<? extends Selector>> make) {
    return Json.text(of, key).flatMap(make).map(selector -> selector);
  }

  private static Optional<Selector> payload(JsonNode of) {
    Optional<String> base = Json.text(of, "base");
    if (base.isPresent()) {
      return Json.number(of, "offset")
          .flatMap(offset ->
              Json.number(of, "len")
                  .filter(length -> fits(offset) && fits(length))
                  .map(length ->
                      new Expression.RawPayload(base.get(), offset.intValue(), length.intValue())));
    }
    return Json.text(of, "protocol")
        .flatMap(
            header -> Json.text(of, "field").map(field -> new Expression.Payload(header, field)));
  }

  private static boolean fits(long bits) {
    return bits >= 0 && bits <= Integer.MAX_VALUE;
  }

  private static Optional<Meta> meta(String key) {
    String name = key.equals("secpath") ? "ipsec" : key;
    return Arrays.stream(Meta.Key.values())
        .filter(k -> k.name().toLowerCase(Locale.ROOT).equals(name))
        .findFirst()
        .map(Meta::new);
  }

  private static Optional<Selector> ct(JsonNode of, String key) {
    Optional<Expression.Direction> direction =
        Json.text(of, "dir")
            .flatMap(dir ->
                Arrays.stream(Expression.Direction.values())
                    .filter(d -> d.name().toLowerCase(Locale.ROOT).equals(dir))
                    .findFirst());
    return of.has("dir") && direction.isEmpty()
        ? Optional.empty()
        : Optional.of(new Expression.Ct(family(of) + key, direction));
  }

  private static Optional<Selector> ipsec(JsonNode of, String key) {
    long index = Json.number(of, "spnum").orElse(0L);
    return Json.text(of, "dir")
        .filter(dir -> fits(index) && (dir.equals("in") || dir.equals("out")))
        .map(dir -> new Expression.Ipsec(dir.equals("in"), (int) index, family(of) + key));
  }

  private static String family(JsonNode of) {
    return Json.text(of, "family").map(family -> family + " ").orElse("");
  }

  private static Optional<Selector> fib(JsonNode of, String result) {
    List<String> flags = words(of.path("flags"));
    return flags.isEmpty() ? Optional.empty() : Optional.of(new Expression.Fib(flags, result));
  }

  /** A list of strings, or one that stands for itself. */
  static List<String> words(JsonNode node) {
    return node.isString()
        ? List.of(node.stringValue())
        : Json.elements(node).stream()
            .filter(JsonNode::isString)
            .map(JsonNode::stringValue)
            .toList();
  }

  /** Newer versions of nft put more than two operands side by side. */
  private static Optional<Expression.Binary> binary(
      JsonNode operands, Operator operator, Optional<Selector> like) {
    List<JsonNode> all = Json.elements(operands);
    if (all.size() < 2) {
      return Optional.empty();
    }
    Expression left =
        like.isPresent() ? operand(all.getFirst(), like.get()) : selector(all.getFirst());
    Selector same = like.orElse(left instanceof Selector s ? s : opaque(all.getFirst()));
    Expression.Binary binary = new Expression.Binary(left, operator, operand(all.get(1), same));
    for (JsonNode more : all.subList(2, all.size())) {
      binary = new Expression.Binary(binary, operator, operand(more, same));
    }
    return Optional.of(binary);
  }

  // ---- values
  // -------------------------------------------------------------------------------------------------------------------------

  /**
   * What stands right of a comparison or is assigned: a value, or another selector.
   *
   * @param like what it is compared with
   */
  static Expression operand(JsonNode node, Selector like) {
    Optional<Map.Entry<String, JsonNode>> only = only(node);
    if (only.isPresent()) {
      String word = only.get().getKey();
      Operator operator = OPERATORS.get(word);
      if (operator != null) {
        JsonNode of = only.get().getValue();
        boolean reads = Json.elements(of).stream().anyMatch(NftTerms::reads);
        return binary(of, operator, reads ? Optional.empty() : Optional.of(like))
            .<Expression>map(b -> b)
            .orElseGet(() -> opaque(node));
      }
      if (reads(node)) {
        return selector(node);
      }
    }
    return value(node, like);
  }

  /** Whether it reads something off the packet. */
  private static boolean reads(JsonNode node) {
    return only(node)
        .map(only ->
            switch (only.getKey()) {
              case "payload", "meta", "ct", "rt", "ipsec", "fib", "tcp option", "exthdr", "map" ->
                  true;
              case "concat", "&", "|", "^", "<<", ">>" ->
                  Json.elements(only.getValue()).stream().anyMatch(NftTerms::reads);
              default -> false;
            })
        .orElse(false);
  }

  /** A constant. */
  static Value value(JsonNode node, Selector like) {
    if (node.isString()) {
      return word(node.stringValue(), leaf(like));
    }
    if (node.isBoolean()) {
      return new Expression.Symbol(node.booleanValue() ? "exists" : "missing");
    }
    if (node.isIntegralNumber() && node.canConvertToLong()) {
      return new Expression.Number(node.longValue());
    }
    if (node.isArray()) {
      return list(node, like);
    }
    return only(node)
        .map(only -> made(only.getKey(), only.getValue(), node, like))
        .orElse(opaque(node));
  }

  private static Value made(String word, JsonNode of, JsonNode whole, Selector like) {
    return switch (word) {
      case "set" -> of.isArray() ? list(of, like) : value(of, like);
      case "elem" -> value(of.path("val"), like);
      case "prefix" -> prefix(of, whole);
      case "range" -> {
        List<JsonNode> ends = Json.elements(of);
        yield ends.size() == 2
            ? new Expression.Range(value(ends.get(0), like), value(ends.get(1), like))
            : opaque(whole);
      }
      case "concat" -> {
        List<JsonNode> parts = Json.elements(of);
        if (parts.isEmpty()) {
          yield opaque(whole);
        }
        List<Value> values = new ArrayList<>();
        for (int i = 0; i < parts.size(); i++) {
          values.add(value(parts.get(i), part(like, i, parts.size())));
        }
        yield new Expression.Tuple(values);
      }
      default -> opaque(whole);
    };
  }

  private static Selector part(Selector like, int index, int parts) {
    return like instanceof Expression.Concat concat
            && concat.parts().size() == parts
            && concat.parts().get(index) instanceof Selector selector
        ? selector
        : like;
  }

  private static Value list(JsonNode node, Selector like) {
    List<JsonNode> all = Json.elements(node);
    return all.isEmpty()
        ? opaque(node)
        : new Expression.AnyOf(all.stream().map(one -> value(one, like)).toList());
  }

  private static Value prefix(JsonNode of, JsonNode whole) {
    Optional<Long> length = Json.number(of, "len");
    JsonNode begin = of.path("addr");
    if (length.isEmpty() || length.get() < 0 || length.get() > 128) {
      return opaque(whole);
    }
    if (begin.isIntegralNumber() && length.get() <= 32) {
      long first = begin.longValue();
      long rest = ALL_BITS >>> length.get();
      return (first & rest) == 0 && (first & ~ALL_BITS) == 0
          ? new Expression.Range(new Expression.Number(first), new Expression.Number(first | rest))
          : opaque(whole);
    }
    return Json.text(of, "addr")
        .flatMap(text -> Prefix.parse(text + "/" + length.get()))
        .<Value>map(Expression.Net::new)
        .orElseGet(() -> opaque(whole));
  }

  /** The selector whose values these are, below operators. */
  private static Selector leaf(Selector like) {
    return like instanceof Expression.Binary binary && binary.left() instanceof Selector left
        ? leaf(left)
        : like;
  }

  private static Value word(String text, Selector like) {
    if (text.length() > 1 && text.startsWith("@")) {
      return new Expression.SetRef(text.substring(1));
    }
    if (isQuoted(like)) {
      return quoted(text);
    }
    if (like instanceof Expression.Payload payload
        && payload.header().equals("ether")
        && payload.field().endsWith("addr")) {
      return hardware(text);
    }
    return Address.parse(text)
        .<Value>map(Expression.Addr::new)
        .or(() -> Prefix.parse(text).map(Expression.Net::new))
        .orElseGet(() ->
            plain(text) ? new Expression.Symbol(text) : new Expression.Opaque(Opaque.brief(text)));
  }

  private static boolean plain(String text) {
    return text.length() <= 256 && text.chars().noneMatch(c -> c == '"' || c <= ' ');
  }

  /** A string in quotes; one that no quotes can hold is nothing that we can name. */
  static Value quoted(String text) {
    boolean holds = text.length() <= 256 && text.chars().noneMatch(c -> c == '"' || c < ' ');
    return holds ? new Expression.Text(text) : new Expression.Opaque(Opaque.brief(text));
  }

  /** An address of the link layer, as one number. */
  static Value hardware(String text) {
    return text.matches("[0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2}){5}")
        ? new Expression.Number(Long.parseLong(text.replace(":", ""), 16))
        : new Expression.Opaque(Opaque.brief(text));
  }

  private static boolean isQuoted(Selector like) {
    return switch (like) {
      case Meta meta ->
          switch (meta.key()) {
            case IIF, OIF, IIFNAME, OIFNAME, TIME -> true;
            default -> false;
          };
      case Expression.Ct ct -> ct.key().equals("helper");
      default -> false;
    };
  }
}
