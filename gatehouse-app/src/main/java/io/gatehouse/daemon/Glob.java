package io.gatehouse.daemon;

/**
 * A pattern of an identity, in which each {@code *} stands for any characters, none among them.
 * Whoever authenticates chooses the identity: the work is bounded by its length times the
 * pattern's, whatever stands in either.
 */
record Glob(String pattern) {
  /** Characters; mail and distinguished names are shorter, and longer ones match nothing. */
  static final int LONGEST = 512;

  boolean matches(CharSequence identity) {
    int length = identity.length();
    if (length > LONGEST) {
      return false;
    }
    int p = 0;
    int i = 0;
    int star = -1;
    int taken = 0; // where what the last star stands for ends
    while (i < length) {
      if (p < pattern.length() && pattern.charAt(p) == '*') {
        star = p++;
        taken = i;
      } else if (p < pattern.length() && pattern.charAt(p) == identity.charAt(i)) {
        p++;
        i++;
      } else if (star >= 0) {
        // Only the last star can take more: what stands before it has its earliest place.
        p = star + 1;
        i = ++taken;
      } else {
        return false;
      }
    }
    while (p < pattern.length() && pattern.charAt(p) == '*') {
      p++;
    }
    return p == pattern.length();
  }
}
