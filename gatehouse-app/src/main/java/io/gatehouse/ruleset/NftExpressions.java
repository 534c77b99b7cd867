package io.gatehouse.ruleset;

import io.gatehouse.ruleset.Expression.AnyOf;
import io.gatehouse.ruleset.Expression.Binary;
import io.gatehouse.ruleset.Expression.Number;
import io.gatehouse.ruleset.Expression.Operator;
import io.gatehouse.ruleset.Expression.Symbol;
import io.gatehouse.ruleset.Expression.Value;
import io.gatehouse.ruleset.Statement.Match;
import io.gatehouse.ruleset.Statement.Relation;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Selectors and comparisons in nft's spelling. */
final class NftExpressions {
  private static final long ALL_BITS = 0xffffffffL;

  /** The order in which nft names what a routing look-up goes by. */
  private static final List<String> FIB_FLAGS = List.of("saddr", "daddr", "mark", "iif", "oif");

  private NftExpressions() {}

  /**
   * An expression as nft prints it.
   *
   * @param like for a value: what it is compared with or assigned to
   */
  static String spell(Expression expression, Expression like) {
    return switch (expression) {
      case Expression.Opaque opaque -> opaque.text();
      case Expression.Selector selector -> spell(selector);
      case Value value -> NftValues.spell(value, like);
    };
  }

  static String spell(Expression.Selector selector) {
    return switch (selector) {
      case Expression.Meta meta -> meta(meta.key());
      case Expression.Payload payload -> payload.header() + " " + payload.field();
      case Expression.RawPayload raw -> "@" + raw.base() + "," + raw.offset() + "," + raw.length();
      case Expression.Ct ct ->
          "ct "
              + ct.direction().map(d -> d.name().toLowerCase(Locale.ROOT) + " ").orElse("")
              + ct.key();
      case Expression.Rt rt -> "rt " + rt.key();
      case Expression.Ipsec ipsec ->
          "ipsec "
              + (ipsec.in() ? "in" : "out")
              + (ipsec.index() == 0 ? "" : " spnum " + ipsec.index())
              + " "
              + ipsec.key();
      case Expression.Fib fib -> "fib " + fibFlags(fib) + " " + fib.result();
      case Expression.TcpOption option ->
          "tcp option " + option.kind() + (option.field().isEmpty() ? "" : " " + option.field());
      case Expression.ExtensionHeader header ->
          header.field().isEmpty()
              ? "exthdr " + header.header()
              : header.header() + " " + header.field();
      case Expression.Concat concat ->
          concat.parts().stream().map(p -> spell(p, concat)).collect(Collectors.joining(" . "));
      case Binary binary -> binary(binary);
      case Expression.Mapped mapped -> spell(mapped.key(), mapped.key()) + " map @" + mapped.map();
      case Expression.Opaque opaque -> opaque.text();
    };
  }

  private static String meta(Expression.Meta.Key key) {
    String word = key.name().toLowerCase(Locale.ROOT);
    return switch (key) {
      case IIFNAME, OIFNAME, IIF, OIF -> word;
      default -> "meta " + word;
    };
  }

  private static String fibFlags(Expression.Fib fib) {
    return fib.flags().stream()
        .sorted(Comparator.comparingInt(FIB_FLAGS::indexOf))
        .collect(Collectors.joining(" . "));
  }

  private static String binary(Binary binary) {
    Binary folded = folded(binary);
    return operand(folded.left(), folded.operator())
        + " "
        + folded.operator().text()
        + " "
        + (folded.right() instanceof Binary
            ? "(" + spell(folded.right(), folded.left()) + ")"
            : spell(folded.right(), folded.left()));
  }

  /** nft binds shifts closest, then {@code &}, {@code ^}, {@code |}. */
  private static String operand(Expression left, Operator outer) {
    String text = spell(left, left);
    return left instanceof Binary inner && closeness(inner.operator()) < closeness(outer)
        ? "(" + text + ")"
        : text;
  }

  private static int closeness(Operator operator) {
    return switch (operator) {
      case OR -> 0;
      case XOR -> 1;
      case AND -> 2;
      case LEFT, RIGHT -> 3;
    };
  }

  /**
   * The kernel has one instruction for {@code x & a | b}, whose mask keeps the bits of b too: nft
   * prints it so, and no mask that keeps them all.
   */
  private static Binary folded(Binary binary) {
    if (binary.operator() == Operator.OR
        && binary.right() instanceof Number set
        && binary.left() instanceof Binary inner
        && inner.operator() == Operator.AND
        && inner.right() instanceof Number mask) {
      long kept = mask.value() | set.value();
      Expression left =
          kept == ALL_BITS && NftType.of(inner.left()) == NftType.MARK
              ? inner.left()
              : new Binary(inner.left(), Operator.AND, new Number(kept));
      return new Binary(left, Operator.OR, set);
    }
    return binary;
  }

  /** A comparison as nft prints it; the shortest of its ways. */
  static String match(Match match) {
    if (match.left() instanceof Binary binary && binary.operator() == Operator.AND) {
      if (NftType.of(binary.left()) == NftType.MARK
          && binary.right() instanceof Number mask
          && match.right() instanceof Number value) {
        return mark(match, binary.left(), mask.value(), value.value());
      }
      if (NftType.of(binary.left()).isBits()) {
        return bits(match, binary);
      }
    }
    if (NftType.of(match.left()).isBits() && match.right() instanceof AnyOf any) {
      return bits(match, any);
    }
    return compared(match.left(), match.relation(), spell(match.right(), match.left()));
  }

  private static String compared(Expression left, Relation relation, String right) {
    // nft prints `==` only behind calculated values and those that are bits.
    boolean plain = !(left instanceof Binary) && !NftType.of(left).isBits();
    String sign = plain && relation == Relation.EQUAL ? "" : relation.text();
    String between = left instanceof Binary && relation == Relation.IS ? "==" : sign;
    return spell(left, left) + (between.isEmpty() ? " " : " " + between + " ") + right;
  }

  private static String mark(Match match, Expression left, long mask, long value) {
    int length = Long.bitCount(mask);
    boolean equal = match.relation() == Relation.IS || match.relation() == Relation.EQUAL;
    boolean prefix = length > 0 && mask == (ALL_BITS << (32 - length) & ALL_BITS);
    if (!prefix || (value & ~mask) != 0 || !(equal || match.relation() == Relation.NOT)) {
      return compared(match.left(), match.relation(), NftType.MARK.spell(value));
    }
    return spell(left, left)
        + (equal ? " " : " != ")
        + NftType.MARK.spell(value)
        + (mask == ALL_BITS ? "" : "/" + length);
  }

  /** {@code tcp flags syn / fin,syn,rst,ack}: of these bits exactly those. */
  private static String bits(Match match, Binary masked) {
    Expression selector = masked.left();
    List<Value> mask = flags(masked.right());
    String text = spell(selector, selector);
    String not = match.relation() == Relation.NOT ? " != " : " ";
    if (mask.isEmpty()) {
      return compared(match.left(), match.relation(), spell(match.right(), selector));
    }
    String all = NftValues.bits(mask, selector);
    if (match.right() instanceof Number none && none.value() == 0) {
      return text + (match.relation() == Relation.NOT ? " " : " ! ") + all;
    }
    String set = NftValues.bits(flags(match.right()), selector);
    if (mask.size() == 1 && set.equals(all)) {
      return text + " & " + all + (match.relation() == Relation.NOT ? " != " : " == ") + set;
    }
    return text + not + set + " / " + all;
  }

  /** Any of the bits, or with {@code !=} a state that is none of these. */
  private static String bits(Match match, AnyOf any) {
    return match.relation() == Relation.NOT
        ? compared(match.left(), match.relation(), NftValues.spell(any, match.left()))
        : compared(match.left(), match.relation(), NftValues.bits(any.values(), match.left()));
  }

  private static List<Value> flags(Expression expression) {
    return switch (expression) {
      case AnyOf any -> any.values();
      case Symbol symbol -> List.of(symbol);
      case Binary binary when binary.operator() == Operator.OR ->
          Stream.concat(flags(binary.left()).stream(), flags(binary.right()).stream()).toList();
      default -> List.of();
    };
  }
}
