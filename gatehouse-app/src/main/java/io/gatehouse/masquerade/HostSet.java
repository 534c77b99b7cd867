package io.gatehouse.masquerade;

import java.util.Arrays;

/** A set of small numbers, of which another can be held against it word by word. */
final class HostSet {
  private long[] words = new long[1];

  void add(int number) {
    if (number >= words.length * Long.SIZE) {
      words = Arrays.copyOf(words, Math.max(words.length * 2, number / Long.SIZE + 1));
    }
    words[number / Long.SIZE] |= 1L << number;
  }

  void remove(int number) {
    if (number < words.length * Long.SIZE) {
      words[number / Long.SIZE] &= ~(1L << number);
    }
  }

  boolean contains(int number) {
    return number < words.length * Long.SIZE && (words[number / Long.SIZE] & 1L << number) != 0;
  }

  boolean isWithin(HostSet larger) {
    for (int i = 0; i < words.length; i++) {
      long others = i < larger.words.length ? larger.words[i] : 0;
      if ((words[i] & ~others) != 0) {
        return false;
      }
    }
    return true;
  }

  /** How much there is to compare. */
  int width() {
    return words.length;
  }
}
