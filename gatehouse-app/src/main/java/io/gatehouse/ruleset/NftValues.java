package io.gatehouse.ruleset;

import io.gatehouse.model.Address;
import io.gatehouse.model.Family;
import io.gatehouse.model.Prefix;
import io.gatehouse.ruleset.Expression.Addr;
import io.gatehouse.ruleset.Expression.AnyOf;
import io.gatehouse.ruleset.Expression.Concat;
import io.gatehouse.ruleset.Expression.Net;
import io.gatehouse.ruleset.Expression.Number;
import io.gatehouse.ruleset.Expression.Range;
import io.gatehouse.ruleset.Expression.Symbol;
import io.gatehouse.ruleset.Expression.Text;
import io.gatehouse.ruleset.Expression.Tuple;
import io.gatehouse.ruleset.Expression.Value;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/** Values in nft's spelling and order. */
final class NftValues {
  private NftValues() {}

  /**
   * A value as nft prints it.
   *
   * @param like what it is compared with or assigned to
   */
  static String spell(Value value, Expression like) {
    return switch (value) {
      case Number number -> NftType.of(like).spell(number.value());
      case Symbol symbol -> symbol.name();
      case Text text -> quoted(text.text());
      case Addr addr -> spell(addr.address());
      case Net net -> spell(net.prefix());
      case Range range -> range(range, like);
      case AnyOf any -> anyOf(any, like);
      case Tuple tuple -> tuple(tuple, like);
      case Expression.SetRef set -> "@" + set.name();
      case Expression.Opaque opaque -> opaque.text();
    };
  }

  /**
   * Quoted; a name with a quote in it cannot be told to nft, and another name would match others.
   */
  static String quoted(String text) {
    if (text.chars().anyMatch(c -> c == '"' || c < ' ')) {
      throw new IllegalArgumentException("nft has no spelling for " + NftComment.harmless(text));
    }
    return '"' + text + '"';
  }

  private static String spell(Prefix prefix) {
    String first = spell(prefix.first());
    return prefix.length() == prefix.family().bits() ? first : first + "/" + prefix.length();
  }

  /** As inet_ntop(3) of the C library, which writes the last 32 bits of some addresses in quads. */
  private static String spell(Address address) {
    if (address.family() == Family.V6 && address.high() == 0) {
      long upper = address.low() >>> 32;
      if (upper == 0xffff || (upper == 0 && address.low() >>> 16 != 0)) {
        return (upper == 0 ? "::" : "::ffff:") + Address.v4((int) address.low());
      }
    }
    return address.toString();
  }

  private static String range(Range range, Expression like) {
    if (range.first() instanceof Addr first && range.last() instanceof Addr last) {
      Optional<Prefix> whole = prefix(first.address(), last.address());
      if (whole.isPresent()) {
        return spell(whole.get());
      }
    }
    if (NftType.of(like) == NftType.MARK
        && range.first() instanceof Number first
        && range.last() instanceof Number last) {
      int length = prefixLength(first.value(), last.value());
      if (length > 0 && length < 32) {
        return NftType.MARK.spell(first.value()) + "/" + length;
      }
    }
    return spell(range.first(), like) + "-" + spell(range.last(), like);
  }

  /** The prefix that goes from one address to the other, where there is one. */
  private static Optional<Prefix> prefix(Address first, Address last) {
    for (int length = first.family().bits(); length >= 0; length--) {
      Prefix prefix = Prefix.masked(first, length);
      if (!prefix.first().equals(first) || prefix.last().compareTo(last) > 0) {
        return Optional.empty();
      }
      if (prefix.last().equals(last)) {
        return Optional.of(prefix);
      }
    }
    return Optional.empty();
  }

  /** Bits that all 32-bit numbers of the range share, where the range is all that share them. */
  private static int prefixLength(long first, long last) {
    long differs = first ^ last;
    boolean whole = Long.bitCount(differs + 1) == 1 && (first & differs) == 0;
    return whole ? 32 - Long.bitCount(differs) : -1;
  }

  private static String tuple(Tuple tuple, Expression like) {
    List<Expression> keys =
        like instanceof Concat concat && concat.parts().size() == tuple.parts().size()
            ? concat.parts()
            : List.of();
    List<String> parts = new ArrayList<>();
    for (int i = 0; i < tuple.parts().size(); i++) {
      parts.add(spell(tuple.parts().get(i), keys.isEmpty() ? like : keys.get(i)));
    }
    return String.join(" . ", parts);
  }

  private static String anyOf(AnyOf any, Expression like) {
    List<Value> values = inOrder(merged(any.values(), like), like);
    return values.size() == 1
        ? spell(values.getFirst(), like)
        : values.stream().map(v -> spell(v, like)).collect(Collectors.joining(", ", "{ ", " }"));
  }

  /** {@code established,related}: values that are bits of one number. */
  static String bits(List<Value> values, Expression like) {
    return inOrder(values, like).stream()
        .map(v -> spell(v, like))
        .distinct()
        .collect(Collectors.joining(","));
  }

  /** Values in the order in which nft lists them, the same text for the same set. */
  static List<Value> inOrder(List<Value> values, Expression like) {
    return values.stream().distinct().sorted(order(values, like)).toList();
  }

  /** The order of nft's listings for these keys. */
  static Comparator<Value> order(List<Value> keys, Expression like) {
    boolean wildcards = keys.stream().anyMatch(NftValues::isWildcard);
    return (a, b) -> compare(a, b, like, wildcards);
  }

  private static boolean isWildcard(Value value) {
    return value instanceof Text text && text.text().endsWith("*");
  }

  private static int compare(Value a, Value b, Expression like, boolean wildcards) {
    if (a instanceof Text x && b instanceof Text y) {
      return wildcards ? x.text().compareTo(y.text()) : compareNames(x.text(), y.text());
    }
    if (a instanceof Tuple x && b instanceof Tuple y) {
      return compareTuples(x, y, like);
    }
    Optional<Address> left = address(a);
    Optional<Address> right = address(b);
    if (left.isPresent() && right.isPresent()) {
      return left.get().compareTo(right.get());
    }
    NftType type = NftType.of(like);
    return Long.compare(number(a, type), number(b, type));
  }

  private static int compareTuples(Tuple a, Tuple b, Expression like) {
    for (int i = 0; i < Math.min(a.parts().size(), b.parts().size()); i++) {
      Expression key = like instanceof Concat c && i < c.parts().size() ? c.parts().get(i) : like;
      int order = compare(a.parts().get(i), b.parts().get(i), key, false);
      if (order != 0) {
        return order;
      }
    }
    return Integer.compare(a.parts().size(), b.parts().size());
  }

  /**
   * nft reads a name's bytes as one number of the machine's byte order: the last letter counts
   * most.
   */
  private static int compareNames(String a, String b) {
    int byLength = Integer.compare(a.length(), b.length());
    return byLength != 0
        ? byLength
        : new StringBuilder(a).reverse().compareTo(new StringBuilder(b).reverse());
  }

  private static Optional<Address> address(Value value) {
    return switch (value) {
      case Addr addr -> Optional.of(addr.address());
      case Net net -> Optional.of(net.prefix().first());
      case Range range -> address(range.first());
      default -> Optional.empty();
    };
  }

  private static long number(Value value, NftType type) {
    return switch (value) {
      case Number number -> number.value();
      case Symbol symbol -> type.number(symbol.name());
      case Range range -> number(range.first(), type);
      default -> Long.MAX_VALUE;
    };
  }

  /** In an anonymous set with a range in it, nft joins what touches. */
  private static List<Value> merged(List<Value> values, Expression like) {
    if (values.stream().noneMatch(v -> v instanceof Net || v instanceof Range)) {
      return values;
    }
    List<Value> sorted = inOrder(values, like);
    List<Value> merged = new ArrayList<>();
    for (Value value : sorted) {
      Optional<Value> joined =
          merged.isEmpty() ? Optional.empty() : joined(merged.getLast(), value);
      if (joined.isPresent()) {
        merged.set(merged.size() - 1, joined.get());
      } else {
        merged.add(value);
      }
    }
    return merged;
  }

  /** One range in place of two that overlap or touch; {@code a} begins first. */
  private static Optional<Value> joined(Value a, Value b) {
    Optional<Range> left = span(a);
    Optional<Range> right = span(b);
    if (left.isEmpty() || right.isEmpty()) {
      return Optional.empty();
    }
    return switch (left.get().last()) {
      case Addr end
          when right.get().first() instanceof Addr begin
              && right.get().last() instanceof Addr other -> {
        Address next = end.address().plus(1);
        boolean touches =
            begin.address().compareTo(end.address()) <= 0 || begin.address().equals(next);
        Addr last = end.address().compareTo(other.address()) >= 0 ? end : other;
        yield touches ? Optional.of(range(left.get().first(), last)) : Optional.empty();
      }
      case Number end
          when right.get().first() instanceof Number begin
              && right.get().last() instanceof Number other -> {
        Number last = end.value() >= other.value() ? end : other;
        yield begin.value() <= end.value() + 1
            ? Optional.of(range(left.get().first(), last))
            : Optional.empty();
      }
      default -> Optional.empty();
    };
  }

  private static Value range(Value first, Value last) {
    return first.equals(last) ? first : new Range(first, last);
  }

  private static Optional<Range> span(Value value) {
    return switch (value) {
      case Addr addr -> Optional.of(new Range(addr, addr));
      case Net net ->
          Optional.of(new Range(new Addr(net.prefix().first()), new Addr(net.prefix().last())));
      case Number number -> Optional.of(new Range(number, number));
      case Range range -> Optional.of(range);
      default -> Optional.empty();
    };
  }
}
