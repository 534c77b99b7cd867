package io.gatehouse.snapshot;

import io.gatehouse.ruleset.Expression;
import io.gatehouse.ruleset.Expression.Selector;
import io.gatehouse.ruleset.Statement;
import io.gatehouse.ruleset.Statement.Match;
import io.gatehouse.ruleset.Statement.Nat;
import io.gatehouse.ruleset.Statement.Relation;
import io.gatehouse.ruleset.Statement.Verdict;
import io.gatehouse.ruleset.Statement.VerdictSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.regex.Pattern;
import tools.jackson.databind.JsonNode;

/** Statements of rules as libnftables-json(5) has them; nothing is left out. */
final class NftSteps {
  private static final long BURST_BY_DEFAULT = 5;

  /** For what puts an element into a map, nft 1.0.6 has no JSON and prints its own words. */
  private static final Pattern MAP_UPDATE =
      Pattern.compile("(add|update|delete) @[^{}\\s]+ \\{[^{}]*\\}");

  private NftSteps() {}

  static Statement statement(JsonNode node) {
    Optional<Map.Entry<String, JsonNode>> only = NftTerms.only(node);
    if (only.isEmpty()) {
      boolean remembers = node.isString() && MAP_UPDATE.matcher(node.stringValue()).matches();
      return remembers ? condition(node) : anything(node);
    }
    JsonNode of = only.get().getValue();
    return switch (only.get().getKey()) {
      case "match" -> match(of).orElseGet(() -> condition(node));
      case "counter" -> new Statement.Counter();
      case "limit" -> limit(of).orElseGet(() -> condition(node));
      case "log" -> log(of).orElseGet(() -> condition(node));
      case "mangle" -> mangle(of, node);
      case "notrack" -> new Statement.NoTrack();
      case "ct helper" -> of.isString() ? new Statement.CtHelper(of.stringValue()) : anything(node);
      case "queue" -> queue(of).orElseGet(() -> anything(node));
      case "vmap" -> verdictMap(of).orElseGet(() -> anything(node));
      case "snat", "dnat", "masquerade", "redirect" ->
          nat(only.get().getKey(), of).orElseGet(() -> anything(node));
      // They remember the packet, count it or fail: the rule goes on or is left, and no more.
      case "set", "map", "quota", "ct count", "last" -> condition(node);
      case "xt" ->
          Json.text(of, "type").filter("match"::equals).isPresent()
              ? condition(node)
              : anything(node);
      default -> verdict(node).<Statement>map(verdict -> verdict).orElseGet(() -> anything(node));
    };
  }

  private static Statement anything(JsonNode node) {
    return Opaque.anything(node.toString());
  }

  private static Statement condition(JsonNode node) {
    return Opaque.condition(node.toString());
  }

  // ---- conditions
  // ---------------------------------------------------------------------------------------------------------------------

  private static Optional<Statement> match(JsonNode of) {
    Selector left = NftTerms.selector(of.path("left"));
    JsonNode right = of.path("right");
    Optional<Relation> relation =
        Json.text(of, "op")
            .flatMap(op ->
                switch (op) {
                  case "in" -> Optional.of(Relation.IS);
                  // Of bits, all; of anything else it is what nft does not even print.
                  case "==" -> Optional.of(isBits(left) ? Relation.EQUAL : Relation.IS);
                  case "!=" -> Optional.of(Relation.NOT);
                  case "<" -> Optional.of(Relation.LESS);
                  case ">" -> Optional.of(Relation.GREATER);
                  case "<=" -> Optional.of(Relation.LESS_OR_EQUAL);
                  case ">=" -> Optional.of(Relation.GREATER_OR_EQUAL);
                  default -> Optional.empty();
                });
    boolean none = Json.text(of, "op").filter("!"::equals).isPresent();
    if (none) {
      // `tcp flags ! syn,rst`: none of these bits.
      return Optional.of(
          new Match(
              new Expression.Binary(left, Expression.Operator.AND, bits(right, left)),
              Relation.EQUAL,
              new Expression.Number(0)));
    }
    if (relation.isEmpty() || unclear(left, right)) {
      return Optional.empty();
    }
    boolean flags = right.isArray() && isBits(left);
    boolean oneBit = left instanceof Expression.Ct ct && ct.key().equals("state");
    return Optional.of(
        new Match(
            left,
            relation.get(),
            flags && !(oneBit && relation.get() == Relation.IS)
                ? bits(right, left)
                : NftTerms.operand(right, left)));
  }

  /** Flags side by side as one number, by `or`. */
  private static Expression bits(JsonNode node, Selector like) {
    if (!node.isArray() || node.isEmpty()) {
      return NftTerms.operand(node, like);
    }
    List<JsonNode> all = Json.elements(node);
    Expression sum = NftTerms.operand(all.getFirst(), like);
    for (JsonNode more : all.subList(1, all.size())) {
      sum = new Expression.Binary(sum, Expression.Operator.OR, NftTerms.operand(more, like));
    }
    return sum;
  }

  private static boolean isBits(Selector left) {
    return switch (left) {
      case Expression.Ct ct -> ct.key().equals("state") || ct.key().equals("status");
      case Expression.Payload payload ->
          payload.header().equals("tcp") && payload.field().equals("flags");
      default -> false;
    };
  }

  /** A set of whole values of flags, for which the vocabulary of rules has no word of its own. */
  private static boolean unclear(Selector left, JsonNode right) {
    return right.has("set") && left instanceof Expression.Ct ct && ct.key().equals("status");
  }

  private static Optional<Statement> limit(JsonNode of) {
    if (of.has("rate_unit") || of.has("burst_unit") || !of.isObject()) {
      return Optional.empty(); // bytes
    }
    return Json.number(of, "rate")
        .flatMap(rate ->
            Json.text(of, "per")
                .map(unit ->
                    new Statement.Limit(
                        rate,
                        unit,
                        Json.number(of, "burst").orElse(BURST_BY_DEFAULT),
                        of.path("inv").isBoolean() && of.path("inv").booleanValue())));
  }

  private static Optional<Statement> log(JsonNode of) {
    Optional<Long> group = Json.number(of, "group");
    if (group.isPresent() && (group.get() < 0 || group.get() > 0xffff)) {
      return Optional.empty();
    }
    return Optional.of(
        new Statement.Log(
            Json.text(of, "prefix").orElse(""),
            group.map(g -> OptionalInt.of(g.intValue())).orElse(OptionalInt.empty())));
  }

  // ---- changes
  // ------------------------------------------------------------------------------------------------------------------------

  private static Statement mangle(JsonNode of, JsonNode whole) {
    Selector target = NftTerms.selector(of.path("key"));
    return target instanceof Expression.Opaque
        ? anything(whole)
        : new Statement.Assign(target, NftTerms.operand(of.path("value"), target));
  }

  private static Optional<Statement> queue(JsonNode of) {
    boolean bypass = NftTerms.words(of.path("flags")).contains("bypass");
    JsonNode number = of.path("num");
    List<JsonNode> ends = Json.elements(number.path("range"));
    Optional<Integer> first = port(ends.size() == 2 ? ends.get(0) : number);
    Optional<Integer> last = port(ends.size() == 2 ? ends.get(1) : number);
    if (number.isMissingNode()) {
      return Optional.of(new Statement.Queue(0, 0, bypass));
    }
    return first.flatMap(f -> last.map(l -> new Statement.Queue(f, l, bypass)));
  }

  private static Optional<Integer> port(JsonNode node) {
    return node.isIntegralNumber()
            && node.canConvertToInt()
            && node.intValue() >= 0
            && node.intValue() <= 0xffff
        ? Optional.of(node.intValue())
        : Optional.empty();
  }

  private static Optional<Statement> nat(String word, JsonNode of) {
    if (NftTerms.words(of.path("type_flags")).equals(List.of("prefix"))) {
      return prefixed(word, of);
    }
    // `interval` translates by offset, `concat` takes address and port from one map.
    if (!NftTerms.words(of.path("type_flags")).isEmpty()) {
      return Optional.empty();
    }
    List<String> flags = NftTerms.words(of.path("flags"));
    Optional<Expression> address =
        of.has("addr")
            ? Optional.of(NftTerms.operand(of.path("addr"), new Expression.Payload("ip", "saddr")))
            : Optional.empty();
    Optional<Expression> ports =
        of.has("port")
            ? Optional.of(NftTerms.operand(of.path("port"), new Expression.Payload("th", "dport")))
            : Optional.empty();
    return Optional.of(
        switch (word) {
          case "snat" -> new Nat.Source(address, ports, flags);
          case "dnat" -> new Nat.Destination(address, ports, flags);
          case "masquerade" -> new Nat.Masquerade(ports, flags);
          default -> new Nat.Redirect(ports, flags);
        });
  }

  /** One to one between prefixes; from a map, it is not understood. */
  private static Optional<Statement> prefixed(String word, JsonNode of) {
    Expression to =
        NftTerms.operand(
            of.path("addr"), new Expression.Payload(of.path("family").asString(""), "saddr"));
    boolean plain = NftTerms.words(of.path("flags")).equals(List.of("netmap")) && !of.has("port");
    return plain && (word.equals("snat") || word.equals("dnat")) && to instanceof Expression.Net net
        ? Optional.of(new Nat.Prefixed(word.equals("snat"), net.prefix()))
        : Optional.empty();
  }

  // ---- verdicts
  // -----------------------------------------------------------------------------------------------------------------------

  private static Optional<Statement> verdictMap(JsonNode of) {
    Selector key = NftTerms.selector(of.path("key"));
    JsonNode data = of.path("data");
    if (data.isString() && data.stringValue().startsWith("@")) {
      return Optional.of(
          new Statement.VerdictMap(key, new VerdictSource.Named(data.stringValue().substring(1))));
    }
    List<VerdictSource.Entry> entries = new ArrayList<>();
    for (JsonNode pair : Json.elements(data.path("set"))) {
      List<JsonNode> parts = Json.elements(pair);
      Optional<Verdict> verdict = parts.size() == 2 ? verdict(parts.get(1)) : Optional.empty();
      if (verdict.isEmpty()) {
        return Optional.empty();
      }
      entries.add(new VerdictSource.Entry(NftTerms.value(parts.getFirst(), key), verdict.get()));
    }
    return entries.isEmpty()
        ? Optional.empty()
        : Optional.of(new Statement.VerdictMap(key, new VerdictSource.Inline(entries)));
  }

  /** Also the data of a verdict map's element. */
  static Optional<Verdict> verdict(JsonNode node) {
    return NftTerms.only(node)
        .flatMap(only -> {
          JsonNode of = only.getValue();
          return switch (only.getKey()) {
            case "accept" -> Optional.of(new Verdict.Accept());
            case "drop" -> Optional.of(new Verdict.Drop());
            case "continue" -> Optional.of(new Verdict.Continue());
            case "return" -> Optional.of(new Verdict.Return());
            case "jump" -> Json.text(of, "target").map(Verdict.Jump::new);
            case "goto" -> Json.text(of, "target").map(Verdict.Goto::new);
            case "reject" -> Optional.of(new Verdict.Reject(reject(of)));
            default -> Optional.empty();
          };
        });
  }

  private static String reject(JsonNode of) {
    return Json.text(of, "type")
        .map(type -> Json.text(of, "expr").map(with -> type + " " + with).orElse(type))
        .map(Opaque::brief)
        .orElse("");
  }
}
