package io.gatehouse.config;

/** How code points look on a terminal. */
final class Cells {
  private static final int TAB = 4;

  /** Ranges of two-column characters: East Asian Wide and Fullwidth (UAX 11), and emoji. */
  private static final int[] WIDE = {
    0x1100, 0x115f, 0x2e80, 0x303e, 0x3041, 0xa4cf, 0xa960, 0xa97f, 0xac00, 0xd7a3, 0xf900, 0xfaff,
    0xfe10, 0xfe19, 0xfe30, 0xfe6f, 0xff00, 0xff60, 0xffe0, 0xffe6, 0x1f300, 0x1f64f, 0x1f680,
        0x1f6ff,
    0x1f900, 0x1f9ff, 0x1fa70, 0x1faff, 0x20000, 0x3fffd
  };

  private Cells() {}

  /**
   * The code point itself, or an escape where it would not show, move the cursor or turn the text
   * around.
   */
  static String shown(int codePoint) {
    if (codePoint == '\t') {
      return " ".repeat(TAB);
    }
    return switch (Character.getType(codePoint)) {
      case Character.CONTROL -> "\\x%02x".formatted(codePoint);
      case Character.FORMAT,
          Character.LINE_SEPARATOR,
          Character.PARAGRAPH_SEPARATOR,
          Character.SURROGATE,
          Character.PRIVATE_USE,
          Character.UNASSIGNED ->
          "\\u{%x}".formatted(codePoint);
      default -> Character.toString(codePoint);
    };
  }

  /** Columns that the code point takes where {@link #shown} leaves it as it is. */
  private static int columns(int codePoint) {
    int type = Character.getType(codePoint);
    if (type == Character.NON_SPACING_MARK || type == Character.ENCLOSING_MARK) {
      return 0;
    }
    for (int i = 0; i < WIDE.length && codePoint >= WIDE[i]; i += 2) {
      if (codePoint <= WIDE[i + 1]) {
        return 2;
      }
    }
    return 1;
  }

  /** Columns of a text that is shown as it is. */
  static int width(String text) {
    return text.codePoints().map(Cells::columns).sum();
  }
}
