package io.gatehouse.path;

import static io.gatehouse.bdd.Bdd.FALSE;
import static io.gatehouse.bdd.Bdd.TRUE;

import io.gatehouse.bdd.Bdd;
import io.gatehouse.model.Prefix;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * What a field of the packet holds at one point of its way: cases, each a guard over the arrived
 * packet and the field's bits there. The guards are apart from each other and together cover
 * everything. Most packets keep what they arrived with, so that there is mostly one case whose bits
 * are plain variables; a rewrite to a constant adds one case and no relation between two copies of
 * the header.
 */
final class Field {
  // Beyond this many cases the bits are folded into one case of functions: correct as well, but
  // slower to compare.
  private static final int MOST_CASES = 40;

  /** The field's bits, most significant first, where the guard holds. */
  static final class Case {
    private final int guard;
    private final int[] bits;

    Case(int guard, int[] bits) {
      this.guard = guard;
      this.bits = bits;
    }

    int guard() {
      return guard;
    }

    int[] bits() {
      return bits;
    }
  }

  private final int width;
  private final List<Case> cases;

  private Field(int width, List<Case> cases) {
    this.width = width;
    this.cases = cases;
  }

  static Field of(int[] bits) {
    return new Field(bits.length, List.of(new Case(TRUE, bits)));
  }

  static Field constant(int width, long high, long low) {
    return of(constantBits(width, high, low));
  }

  static Field constant(int width, long value) {
    return constant(width, 0, value);
  }

  static int[] constantBits(int width, long high, long low) {
    int[] bits = new int[width];
    for (int i = 0; i < width; i++) {
      int fromLow = width - 1 - i;
      long word = fromLow >= 64 ? high >>> (fromLow - 64) : low >>> fromLow;
      bits[i] = (word & 1) == 1 ? TRUE : FALSE;
    }
    return bits;
  }

  int width() {
    return width;
  }

  List<Case> cases() {
    return cases;
  }

  /** The field after these bits were put in wherever the guard holds. */
  Field assign(Bdd bdd, int where, int[] bits) {
    if (where == FALSE) {
      return this;
    }
    List<Case> result = new ArrayList<>();
    int guard = where;
    for (Case old : cases) {
      if (Arrays.equals(old.bits, bits)) {
        guard = bdd.or(guard, old.guard);
      } else {
        int kept = bdd.difference(old.guard, where);
        if (kept != FALSE) {
          result.add(new Case(kept, old.bits));
        }
      }
    }
    result.add(new Case(guard, bits));
    Field field = new Field(width, List.copyOf(result));
    return result.size() > MOST_CASES ? field.folded(bdd) : field;
  }

  /** The field after another field's content was put in wherever the guard holds. */
  Field assign(Bdd bdd, int where, Field value) {
    Field field = this;
    Field fitted = value.resized(width);
    for (Case other : fitted.cases) {
      field = field.assign(bdd, bdd.and(where, other.guard), other.bits);
    }
    return field;
  }

  private Field folded(Bdd bdd) {
    return of(functions(bdd));
  }

  /** Each bit as one function. */
  int[] functions(Bdd bdd) {
    int[] bits = new int[width];
    for (Case one : cases) {
      for (int i = 0; i < width; i++) {
        bits[i] = bdd.or(bits[i], bdd.and(one.guard, one.bits[i]));
      }
    }
    return bits;
  }

  /** The same number in another width: zeros in front, or the front cut off. */
  Field resized(int to) {
    if (to == width) {
      return this;
    }
    List<Case> result = new ArrayList<>();
    for (Case one : cases) {
      int[] bits = new int[to];
      for (int i = 0; i < to; i++) {
        int from = i + width - to;
        bits[i] = from < 0 ? FALSE : one.bits[from];
      }
      result.add(new Case(one.guard, bits));
    }
    return new Field(to, List.copyOf(result));
  }

  /** How two bits make one. */
  interface BitOperation {
    int apply(int left, int right);
  }

  /** Both fields bit by bit. */
  Field combine(Bdd bdd, Field other, BitOperation operation) {
    Field fitted = other.resized(width);
    List<Case> result = new ArrayList<>();
    for (Case left : cases) {
      for (Case right : fitted.cases) {
        int guard = bdd.and(left.guard, right.guard);
        if (guard != FALSE) {
          int[] bits = new int[width];
          for (int i = 0; i < width; i++) {
            bits[i] = operation.apply(left.bits[i], right.bits[i]);
          }
          result.add(new Case(guard, bits));
        }
      }
    }
    Field field = new Field(width, List.copyOf(result));
    return result.size() > MOST_CASES ? field.folded(bdd) : field;
  }

  /** The same with these bits in front, as many as there are. */
  Field fronted(int[] front) {
    List<Case> result = new ArrayList<>();
    for (Case one : cases) {
      int[] bits = one.bits.clone();
      System.arraycopy(front, 0, bits, 0, front.length);
      result.add(new Case(one.guard, bits));
    }
    return new Field(width, List.copyOf(result));
  }

  /** A prefix's own bits. */
  static int[] bits(Prefix prefix) {
    int[] all = constantBits(prefix.family().bits(), prefix.first().high(), prefix.first().low());
    return Arrays.copyOf(all, prefix.length());
  }

  /** Shifted to the left; to the right where negative. */
  Field shifted(int by) {
    List<Case> result = new ArrayList<>();
    for (Case one : cases) {
      int[] bits = new int[width];
      for (int i = 0; i < width; i++) {
        int from = i + by;
        bits[i] = from < 0 || from >= width ? FALSE : one.bits[from];
      }
      result.add(new Case(one.guard, bits));
    }
    return new Field(width, List.copyOf(result));
  }

  /** This field where the condition holds, the other elsewhere. */
  Field where(Bdd bdd, int condition, Field otherwise) {
    return otherwise.assign(bdd, condition, this);
  }

  /** Where the field's number is in the set. */
  int in(Bdd bdd, IntervalSet set) {
    int result = FALSE;
    for (Case one : cases) {
      result = bdd.or(result, bdd.and(one.guard, member(bdd, one.bits, set)));
    }
    return result;
  }

  /** Where both fields hold the same number. */
  int same(Bdd bdd, Field other) {
    int result = FALSE;
    for (Case left : cases) {
      for (Case right : other.resized(width).cases) {
        int guard = bdd.and(left.guard, right.guard);
        for (int i = width - 1; i >= 0 && guard != FALSE; i--) {
          guard = bdd.difference(guard, bdd.xor(left.bits[i], right.bits[i]));
        }
        result = bdd.or(result, guard);
      }
    }
    return result;
  }

  /** Where the number that these bits spell is in the set: the trie of the set, walked once. */
  static int member(Bdd bdd, int[] bits, IntervalSet set) {
    List<IntervalSet.Interval> intervals = set.intervals();
    return member(bdd, bits, intervals, 0, 0, 0, 0, intervals.size());
  }

  /**
   * Below a prefix of {@code depth} bits, of which the intervals from {@code from} to before {@code
   * to} have some part.
   */
  private static int member(
      Bdd bdd,
      int[] bits,
      List<IntervalSet.Interval> intervals,
      int depth,
      long high,
      long low,
      int from,
      int to) {
    if (from == to) {
      return FALSE;
    }
    int rest = bits.length - depth;
    long lastHigh = rest <= 64 ? high : high | (rest == 128 ? -1L : (1L << (rest - 64)) - 1);
    long lastLow = rest >= 64 ? -1L : low | ((1L << rest) - 1);
    IntervalSet.Interval first = intervals.get(from);
    if (IntervalSet.compare(first.firstHigh(), first.firstLow(), high, low) <= 0
        && IntervalSet.compare(first.lastHigh(), first.lastLow(), lastHigh, lastLow) >= 0) {
      return TRUE;
    }
    if (rest == 0) {
      return FALSE;
    }
    int fromLow = rest - 1;
    long upperHigh = fromLow >= 64 ? high | (1L << (fromLow - 64)) : high;
    long upperLow = fromLow >= 64 ? low : low | (1L << fromLow);
    // The first interval that begins in the upper half; the one before it may reach over.
    int a = from;
    int b = to;
    while (a < b) {
      int middle = (a + b) >>> 1;
      IntervalSet.Interval i = intervals.get(middle);
      if (IntervalSet.compare(i.firstHigh(), i.firstLow(), upperHigh, upperLow) < 0) {
        a = middle + 1;
      } else {
        b = middle;
      }
    }
    int lowerTo = a;
    int upperFrom = a;
    if (a > from) {
      IntervalSet.Interval before = intervals.get(a - 1);
      if (IntervalSet.compare(before.lastHigh(), before.lastLow(), upperHigh, upperLow) >= 0) {
        upperFrom = a - 1;
      }
    }
    int bit = bits[depth];
    int lower =
        bit == TRUE ? FALSE : member(bdd, bits, intervals, depth + 1, high, low, from, lowerTo);
    int upper =
        bit == FALSE
            ? FALSE
            : member(bdd, bits, intervals, depth + 1, upperHigh, upperLow, upperFrom, to);
    if (bit <= TRUE) {
      return bit == TRUE ? upper : lower;
    }
    boolean plain = bdd.low(bit) == FALSE && bdd.high(bit) == TRUE;
    return plain && bdd.top(bit) < bdd.top(lower) && bdd.top(bit) < bdd.top(upper)
        ? bdd.node(bdd.top(bit), lower, upper)
        : bdd.ifThenElse(bit, upper, lower);
  }
}
