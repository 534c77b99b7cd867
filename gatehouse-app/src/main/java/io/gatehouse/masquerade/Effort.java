package io.gatehouse.masquerade;

/**
 * How much is compared for one remote within a second. Whoever forges a remote's packets chooses
 * how many SPIs there are to compare; what is over the limit is left undecided until the second is
 * over, and its packets go to all that may own them meanwhile.
 */
final class Effort {
  /** Comparisons of a host, or of 64 with 64; some milliseconds of a processor. */
  static final int LIMIT = 1 << 18;

  private static final long SECOND = 1_000;

  private long began = Long.MIN_VALUE / 2;
  private long spent;
  private long all;

  /** Whether there may be more. */
  boolean allows(long now) {
    if (now - began >= SECOND) {
      began = now;
      spent = 0;
    }
    return spent < LIMIT;
  }

  void spend(int comparisons) {
    spent += comparisons;
    all += comparisons;
  }

  /** What was spent ever. */
  long all() {
    return all;
  }
}
