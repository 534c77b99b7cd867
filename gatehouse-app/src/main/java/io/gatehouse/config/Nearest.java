package io.gatehouse.config;

import java.util.Arrays;
import java.util.Collection;
import java.util.Locale;
import java.util.Optional;

/** The known word that somebody probably meant. */
final class Nearest {
  /** Longer words are not compared: they are not typing mistakes. */
  private static final int LONGEST = 64;

  /** Candidates that are looked at. */
  private static final int CANDIDATES = 5_000;

  private Nearest() {}

  /**
   * The nearest of the known words, if it is near enough: a third of its letters may differ. The
   * first of equals.
   */
  static Optional<String> to(String word, Collection<String> known) {
    if (word.isEmpty() || word.length() > LONGEST) {
      return Optional.empty();
    }
    String folded = fold(word);
    String best = "";
    int least = Math.max(1, word.length() / 3) + 1;
    int looked = 0;
    for (String candidate : known) {
      if (candidate.length() > LONGEST || looked++ > CANDIDATES) {
        continue;
      }
      if (Math.abs(candidate.length() - word.length()) >= least) {
        continue;
      }
      int distance = distance(folded, fold(candidate));
      if (distance < least) {
        least = distance;
        best = candidate;
      }
    }
    return best.isEmpty() || best.equals(word) ? Optional.empty() : Optional.of(best);
  }

  private static String fold(String word) {
    return word.toLowerCase(Locale.ROOT).replace('_', '-');
  }

  /** Letters to insert, delete, replace or swap with their neighbour (optimal string alignment). */
  static int distance(String a, String b) {
    int[] before = new int[b.length() + 1];
    int[] last = new int[b.length() + 1];
    int[] row = new int[b.length() + 1];
    Arrays.setAll(last, i -> i);
    for (int i = 1; i <= a.length(); i++) {
      row[0] = i;
      for (int j = 1; j <= b.length(); j++) {
        int replaced = last[j - 1] + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
        row[j] = Math.min(replaced, Math.min(last[j], row[j - 1]) + 1);
        boolean swapped =
            i > 1
                && j > 1
                && a.charAt(i - 1) == b.charAt(j - 2)
                && a.charAt(i - 2) == b.charAt(j - 1);
        if (swapped) {
          row[j] = Math.min(row[j], before[j - 2] + 1);
        }
      }
      int[] free = before;
      before = last;
      last = row;
      row = free;
    }
    return last[b.length()];
  }
}
