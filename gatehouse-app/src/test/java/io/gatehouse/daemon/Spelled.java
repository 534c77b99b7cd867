package io.gatehouse.daemon;

import java.util.ArrayList;
import java.util.List;

/** All words of some letters, the shorter first. */
final class Spelled {
  private Spelled() {}

  /** All that have no more letters than {@code longest}, the empty one among them. */
  static List<String> of(String letters, int longest) {
    List<String> all = new ArrayList<>(List.of(""));
    int from = 0;
    for (int length = 0; length < longest; length++) {
      int to = all.size();
      for (; from < to; from++) {
        for (int letter = 0; letter < letters.length(); letter++) {
          all.add(all.get(from) + letters.charAt(letter));
        }
      }
    }
    return all;
  }
}
