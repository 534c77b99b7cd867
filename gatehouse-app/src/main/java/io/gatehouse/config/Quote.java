package io.gatehouse.config;

/** Text of the description inside a message. */
final class Quote {
  /** Code points that are quoted of one text. */
  private static final int LONGEST = 60;

  private Quote() {}

  /** The text between backticks, shortened, on one line, without control characters. */
  static String of(String text) {
    return "`" + bare(text) + "`";
  }

  /** Almost every text; each key of a description passes here. */
  private static boolean isPlain(String text) {
    if (text.length() > LONGEST) {
      return false;
    }
    for (int i = 0; i < text.length(); i++) {
      if (text.charAt(i) < ' ' || text.charAt(i) > '~') {
        return false;
      }
    }
    return true;
  }

  /** The same without backticks, for what has a form of its own, such as an address. */
  static String bare(String text) {
    if (isPlain(text)) {
      return text;
    }
    StringBuilder out = new StringBuilder();
    int count = 0;
    for (int i = 0; i < text.length(); count++) {
      int codePoint = text.codePointAt(i);
      if (count == LONGEST) {
        out.append('…');
        break;
      }
      out.append(Cells.shown(codePoint));
      i += Character.charCount(codePoint);
    }
    return out.toString();
  }
}
