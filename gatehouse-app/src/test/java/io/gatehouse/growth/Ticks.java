package io.gatehouse.growth;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** What {@link Counting} counts. Two threads may lose a few of each other's. */
public final class Ticks {
  private static final List<String> METHODS = new ArrayList<>();
  private static volatile long[] counts = new long[1 << 15];

  private Ticks() {}

  /** A number for a method; those of one name share it only by chance of being counted alike. */
  static synchronized int of(String method) {
    METHODS.add(method);
    return METHODS.size() - 1;
  }

  /** Counts one more; the code that {@link Counting} loads calls it. */
  public static void tick(int method) {
    counts[method]++;
  }

  /** Begins anew. */
  static synchronized void reset() {
    counts = new long[1 << 15];
  }

  /** What was counted since, by method; overloads together. */
  static synchronized Map<String, Long> byMethod() {
    Map<String, Long> all = new LinkedHashMap<>();
    for (int i = 0; i < METHODS.size(); i++) {
      if (counts[i] > 0) {
        all.merge(METHODS.get(i), counts[i], Long::sum);
      }
    }
    return all;
  }
}
