package io.gatehouse.config;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CoderResult;
import java.nio.charset.CodingErrorAction;
import java.util.Arrays;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The characters of one file, and its lines for those who complain about them. */
final class Text {
  /** Characters of a line that an excerpt holds on each side of the offending place. */
  private static final int CONTEXT = 200;

  /** A secret must not come out again in a message, a terminal's history or a log. */
  private static final Pattern SECRET_VALUE =
      Pattern.compile(
          "(?i)(?:secret|psk|passw|passphrase|private-?_?key)[a-z0-9_-]*[\"']?\\s*:\\s*");

  private static final int BOM = 0xfeff;

  /**
   * The YAML reader copies its buffer for every 1024 characters of a token: time grows with the
   * square.
   */
  private static final int LONGEST_LINE = 100_000;

  private final String file;
  private final int order;
  private final String content;

  /** Offsets at which lines begin; empty until somebody complains. */
  private int[] starts = {};

  /** The line that was last complained about: the next complaint mostly is about the same. */
  private int lineNumber = -1;

  private String line = "";

  /** Where the value of that line's first secret begins. */
  private int secretEnd;

  private Text(String file, int order, String content) {
    this.file = file;
    this.order = order;
    this.content = content;
  }

  /** A file without characters, to complain about. */
  static Text empty(String file, int order) {
    return new Text(file, order, "");
  }

  /**
   * The text of these bytes. What no text can hold is told to {@code problems}; then there is none.
   *
   * @param order the file's place among all files of the description
   */
  static Optional<Text> decode(String file, int order, ByteBuffer bytes, Problems problems) {
    if (bytes.remaining() >= 2) {
      int mark = bytes.getShort(bytes.position()) & 0xffff;
      if (mark == 0xfeff || mark == 0xfffe) {
        problems.error(empty(file, order).whole(), "the file is in UTF-16", "save it as UTF-8");
        return Optional.empty();
      }
    }
    CharsetDecoder decoder =
        UTF_8
            .newDecoder()
            .onMalformedInput(CodingErrorAction.REPORT)
            .onUnmappableCharacter(CodingErrorAction.REPORT);
    ByteBuffer in = bytes.duplicate();
    CharBuffer out = CharBuffer.allocate(in.remaining()); // UTF-8 never has more chars than bytes
    CoderResult result = decoder.decode(in, out, true);
    out.flip();
    String content = out.toString();
    if (!content.isEmpty() && content.charAt(0) == BOM) {
      content = content.substring(1);
    }
    Text text = new Text(file, order, content);
    if (result.isError()) {
      int value = in.get(in.position()) & 0xff;
      problems.error(
          text.at(content.length(), 1),
          "byte 0x%02x is not UTF-8".formatted(value),
          "save the file as UTF-8");
      return Optional.empty();
    }
    int wrong = text.firstForbidden();
    if (wrong >= 0) {
      int codePoint = content.codePointAt(wrong);
      problems.error(
          text.at(wrong, 1),
          isDirection(codePoint)
              ? "U+%04X turns the direction of text: a reader would not see what stands here"
                  .formatted(codePoint)
              : "U+%04X is not allowed in a description".formatted(codePoint));
      return Optional.empty();
    }
    int line = text.firstTooLong();
    if (line > 0) {
      problems.error(
          new Spot(text, line, 1, 0, Path.TOP),
          "the line has more than " + LONGEST_LINE + " characters",
          "break it");
      return Optional.empty();
    }
    return Optional.of(text);
  }

  /** The first line that is too long; 0 where none is. */
  private int firstTooLong() {
    int[] all = content.length() > LONGEST_LINE ? starts() : new int[] {0};
    for (int i = 0; i < all.length; i++) {
      int end = i + 1 < all.length ? all[i + 1] : content.length();
      if (end - all[i] > LONGEST_LINE) {
        return i + 1;
      }
    }
    return 0;
  }

  /**
   * The first character that YAML calls not printable (YAML 1.2, 5.1) or that hides others; −1
   * where there is none.
   */
  private int firstForbidden() {
    for (int i = 0; i < content.length(); i++) {
      char c = content.charAt(i);
      if ((c >= ' ' && c < 0x7f) || c == '\n') {
        continue;
      }
      boolean printable =
          c == '\t' || c == '\r' || c == 0x85 || (c >= 0xa0 && c <= 0xfffd && c != BOM);
      if (!printable || isDirection(c)) {
        return i;
      }
    }
    return -1;
  }

  private static boolean isDirection(int codePoint) {
    return (codePoint >= 0x202a && codePoint <= 0x202e)
        || (codePoint >= 0x2066 && codePoint <= 0x2069);
  }

  String file() {
    return file;
  }

  int order() {
    return order;
  }

  String content() {
    return content;
  }

  /** The file as such. */
  Spot whole() {
    return new Spot(this, 0, 0, 0, Path.TOP);
  }

  /** The place of a character. */
  Spot at(int offset, int length) {
    int[] all = starts();
    int found = Arrays.binarySearch(all, offset);
    int line = found >= 0 ? found : -found - 2;
    return new Spot(
        this, line + 1, content.codePointCount(all[line], offset) + 1, length, Path.TOP);
  }

  /** What to show of a line around one of its columns. Nothing where that would show a secret. */
  Optional<Problem.Excerpt> excerpt(int number, int column) {
    if (number != lineNumber) {
      lineNumber = number;
      line = line(number);
      Matcher secret = SECRET_VALUE.matcher(line);
      secretEnd = secret.find() ? secret.end() : Integer.MAX_VALUE;
    }
    int points = line.codePointCount(0, line.length());
    if (column < 1 || column > points + 1) {
      return Optional.empty();
    }
    int offending = line.offsetByCodePoints(0, column - 1);
    int start = Math.max(0, offending - CONTEXT);
    int end = Math.min(line.length(), offending + CONTEXT);
    if (start > 0 && Character.isLowSurrogate(line.charAt(start))) {
      start--;
    }
    if (end < line.length() && Character.isLowSurrogate(line.charAt(end))) {
      end++;
    }
    int from = line.codePointCount(0, start) + 1;
    // The key may stand before the excerpt; what follows it must not be shown either.
    if (offending >= secretEnd) {
      return Optional.empty();
    }
    if (secretEnd < end) {
      return Optional.of(new Problem.Excerpt(line.substring(start, secretEnd) + "…", from));
    }
    return Optional.of(new Problem.Excerpt(line.substring(start, end), from));
  }

  /** The line, without its end; empty where the text has no such line. */
  String line(int number) {
    int[] all = starts();
    if (number < 1 || number > all.length) {
      return "";
    }
    int from = all[number - 1];
    int to = number < all.length ? all[number] : content.length();
    while (to > from && (content.charAt(to - 1) == '\n' || content.charAt(to - 1) == '\r')) {
      to--;
    }
    return content.substring(from, to);
  }

  /** Lines end where the YAML reader ends them: at LF, CR LF and CR. */
  private int[] starts() {
    if (starts.length == 0) {
      int[] found = new int[64];
      int count = 1;
      for (int i = 0; i < content.length(); i++) {
        char c = content.charAt(i);
        boolean ends =
            c == '\n'
                || (c == '\r' && (i + 1 == content.length() || content.charAt(i + 1) != '\n'));
        if (ends) {
          if (count == found.length) {
            found = Arrays.copyOf(found, 2 * count);
          }
          found[count++] = i + 1;
        }
      }
      starts = Arrays.copyOf(found, count);
    }
    return starts;
  }
}
