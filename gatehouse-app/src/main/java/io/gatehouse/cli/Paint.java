package io.gatehouse.cli;

import java.util.stream.Collectors;

/** Colours for lines that were laid out without. */
enum Paint {
  /** Leaves every line as it is. */
  PLAIN,
  /** Marks what needs attention with ANSI's colours (ECMA-48, SGR). */
  COLOURED;

  private static final String BOLD = "\033[1m";
  private static final String RED = "\033[31m";
  private static final String YELLOW = "\033[33m";
  private static final String END = "\033[0m";

  /** Problems as {@code ProblemText} lays them out: the place bold, the carets red. */
  String problems(String text) {
    return this == PLAIN ? text : each(text, Paint::problem);
  }

  /** A page: what begins with `!` is yellow, what begins with `✗` or `?` red. */
  String page(String text) {
    return this == PLAIN ? text : each(text, Paint::remark);
  }

  private interface Line {
    String painted(String line);
  }

  private static String each(String text, Line painter) {
    return text.lines().map(line -> painter.painted(line) + "\n").collect(Collectors.joining());
  }

  private static String problem(String line) {
    int caret = line.indexOf('^');
    if (line.startsWith("      | ") && caret > 0 && line.substring(8, caret).isBlank()) {
      int end = caret;
      while (end < line.length() && line.charAt(end) == '^') {
        end++;
      }
      return line.substring(0, caret)
          + RED
          + line.substring(caret, end)
          + END
          + line.substring(end);
    }
    int gap = line.indexOf("  ");
    return gap > 0 && !line.startsWith(" ")
        ? BOLD + line.substring(0, gap) + END + line.substring(gap)
        : line;
  }

  private static String remark(String line) {
    String text = line.stripLeading();
    if (text.startsWith("! ")) {
      return YELLOW + line + END;
    }
    return text.startsWith("✗ ") || text.startsWith("? ") ? RED + line + END : line;
  }
}
