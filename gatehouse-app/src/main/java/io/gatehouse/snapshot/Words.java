package io.gatehouse.snapshot;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** A line's words, as iptables-restore(8) tells them apart. */
final class Words {
  private Words() {}

  /**
   * A word.
   *
   * @param quoted an option never is
   */
  record Word(String text, boolean quoted) {
    boolean isOption() {
      return !quoted && text.length() > 1 && text.startsWith("-") && !isNumber();
    }

    boolean isNot() {
      return !quoted && text.equals("!");
    }

    private boolean isNumber() {
      return Character.isDigit(text.charAt(1));
    }
  }

  /** Nothing where a quote does not end. */
  static Optional<List<Word>> of(String line) {
    List<Word> words = new ArrayList<>();
    StringBuilder word = new StringBuilder();
    boolean inside = false;
    boolean quoted = false;
    for (int i = 0; i < line.length(); i++) {
      char c = line.charAt(i);
      if (inside) {
        if (c == '\\' && i + 1 < line.length()) {
          word.append(line.charAt(++i));
        } else if (c == '"') {
          inside = false;
        } else {
          word.append(c);
        }
      } else if (c == '"') {
        inside = true;
        quoted = true;
      } else if (Character.isWhitespace(c)) {
        if (!word.isEmpty() || quoted) {
          words.add(new Word(word.toString(), quoted));
        }
        word.setLength(0);
        quoted = false;
      } else {
        word.append(c);
      }
    }
    if (!word.isEmpty() || quoted) {
      words.add(new Word(word.toString(), quoted));
    }
    return inside ? Optional.empty() : Optional.of(List.copyOf(words));
  }
}
