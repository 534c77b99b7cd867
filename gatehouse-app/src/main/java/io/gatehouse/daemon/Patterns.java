package io.gatehouse.daemon;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;

/**
 * Patterns in an order, and the first of them that an identity matches. Those with one star or none
 * are looked up, not tried one by one: a thousand groups cost a client no more than ten.
 */
final class Patterns {
  /**
   * Where the only star of a pattern is.
   *
   * @param before characters in front of it
   * @param behind characters behind it
   */
  private record Shape(int before, int behind) {}

  private record Numbered(int number, Glob glob) {}

  private final Map<String, Integer> literal = new HashMap<>();

  /** By shape, then by the pattern itself. */
  private final Map<Shape, Map<String, Integer>> around = new HashMap<>();

  private final List<Numbered> others = new ArrayList<>();

  /**
   * One more, behind those that are there.
   *
   * @param number larger than theirs
   */
  void add(int number, String pattern) {
    int star = pattern.indexOf('*');
    if (star < 0) {
      literal.putIfAbsent(pattern, number);
    } else if (star == pattern.lastIndexOf('*')) {
      around
          .computeIfAbsent(new Shape(star, pattern.length() - star - 1), s -> new HashMap<>())
          .putIfAbsent(pattern, number);
    } else {
      others.add(new Numbered(number, new Glob(pattern)));
    }
  }

  /** The number of the first that matches. */
  OptionalInt first(String identity) {
    if (identity.length() > Glob.LONGEST) {
      return OptionalInt.empty();
    }
    int first = literal.getOrDefault(identity, Integer.MAX_VALUE);
    for (Map.Entry<Shape, Map<String, Integer>> each : around.entrySet()) {
      Shape shape = each.getKey();
      if (identity.length() >= shape.before() + shape.behind()) {
        String pattern =
            identity.substring(0, shape.before())
                + "*"
                + identity.substring(identity.length() - shape.behind());
        first = Math.min(first, each.getValue().getOrDefault(pattern, Integer.MAX_VALUE));
      }
    }
    for (Numbered one : others) {
      if (one.number() > first) {
        break;
      }
      if (one.glob().matches(identity)) {
        first = one.number();
      }
    }
    return first == Integer.MAX_VALUE ? OptionalInt.empty() : OptionalInt.of(first);
  }

  /** Look-ups and tries that an identity costs at most. */
  int looks() {
    return 1 + around.size() + others.size();
  }
}
