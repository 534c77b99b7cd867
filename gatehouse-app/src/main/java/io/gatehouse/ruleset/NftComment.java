package io.gatehouse.ruleset;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.gatehouse.model.Origin;

/** Texts of ours in nft's quotes, which know no escapes. */
final class NftComment {
  /**
   * Bytes that a rule's comment may have: NFTNL_UDATA_COMMENT_MAXLEN, to which nft(8) compares
   * strlen().
   */
  static final int MOST_BYTES = 128;

  /** Bytes of a log prefix, without the closing zero: NF_LOG_PREFIXLEN. */
  static final int MOST_PREFIX_BYTES = 127;

  private static final String CUT = "...";

  private NftComment() {}

  /** What the rule is for and the line that asked for it; without quotes, and never too long. */
  static String of(Rule rule) {
    return of(rule.why(), rule.origin());
  }

  /** The place stands last and stays: a comment that is too long loses its middle. */
  static String of(String why, Origin origin) {
    String reason = harmless(why);
    String place = origin.isBuiltIn() ? "" : harmless(origin.place());
    String comment = reason + (reason.isEmpty() || place.isEmpty() ? "" : ", ") + place;
    if (bytes(comment) <= MOST_BYTES) {
      return comment;
    }
    String end = last(place, MOST_BYTES - CUT.length());
    return first(comment, MOST_BYTES - CUT.length() - bytes(end)) + CUT + end;
  }

  /** For a log line; nft would look for a variable behind a dollar sign. */
  static String logPrefix(String prefix) {
    return first(harmless(prefix).replace('$', '_'), MOST_PREFIX_BYTES);
  }

  /** Nothing that ends the string, starts a new line, or moves a terminal's cursor. */
  static String harmless(String text) {
    StringBuilder clean = new StringBuilder(text.length());
    text.codePoints().map(NftComment::harmless).forEach(clean::appendCodePoint);
    return clean.toString();
  }

  private static int harmless(int c) {
    return switch (Character.getType(c)) {
      case Character.CONTROL, Character.LINE_SEPARATOR, Character.PARAGRAPH_SEPARATOR -> ' ';
      // Direction marks and half characters.
      case Character.FORMAT, Character.SURROGATE, Character.UNASSIGNED -> '?';
      default -> c == '"' ? '\'' : c;
    };
  }

  /** The longest beginning that has no more bytes, whole characters only. */
  private static String first(String text, int most) {
    int end = text.length();
    while (bytes(text.substring(0, end)) > most) {
      end = text.offsetByCodePoints(end, -1);
    }
    return text.substring(0, end);
  }

  private static String last(String text, int most) {
    int begin = 0;
    while (bytes(text.substring(begin)) > most) {
      begin = text.offsetByCodePoints(begin, 1);
    }
    return text.substring(begin);
  }

  private static int bytes(String text) {
    return text.getBytes(UTF_8).length;
  }
}
