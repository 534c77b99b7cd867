package io.gatehouse.masquerade;

/** Time as it is kept in tables: 32 bits of 256 ms each, which is 17 years. */
final class Ticks {
  private Ticks() {}

  static int of(long millis) {
    return (int) (millis >>> 8);
  }

  static long millis(int ticks) {
    return (long) ticks << 8;
  }
}
