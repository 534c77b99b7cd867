package io.gatehouse.cli;

import io.gatehouse.model.Origin;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * An answer of 80 columns: rows with a name in front, and at the right edge the line of the
 * description that a row comes from.
 */
final class Page {
  private static final int WIDTH = 80;
  private static final int INDENT = 2;

  /** Columns of names; a longer one has a line of its own. */
  private static final int NARROWEST = 10;

  private static final int WIDEST = 18;

  private record Row(String name, String text, String place) {}

  private final String directory;
  private final List<Row> rows = new ArrayList<>();

  /**
   * @param directory what places leave out in front of their files
   */
  Page(String directory) {
    this.directory = directory;
  }

  /** A row with the place that it comes from. */
  void row(String name, String text, Origin origin) {
    String file =
        origin.file().startsWith(directory)
            ? origin.file().substring(directory.length())
            : origin.file();
    String place = origin.isBuiltIn() ? "" : file + ":" + origin.line();
    rows.add(new Row(harmless(name), harmless(text), harmless(place)));
  }

  /** A row that no single line asks for. */
  void row(String name, String text) {
    rows.add(new Row(harmless(name), harmless(text), ""));
  }

  /** More about the row before. */
  void more(String text) {
    rows.add(new Row("", harmless(text), ""));
  }

  /** Everything, each line ended. */
  String text() {
    int names =
        rows.stream()
            .mapToInt(row -> row.name.length())
            .filter(length -> length <= WIDEST)
            .max()
            .orElse(0);
    int column = INDENT + Math.max(NARROWEST, names) + 2;
    StringBuilder text = new StringBuilder();
    for (Row row : rows) {
      boolean fits = INDENT + row.name.length() + 2 <= column;
      if (!fits) {
        text.append(" ".repeat(INDENT)).append(row.name).append('\n');
      }
      String first = fits ? " ".repeat(INDENT) + row.name : "";
      append(text, first, column, row);
    }
    return text.toString();
  }

  private static void append(StringBuilder text, String first, int column, Row row) {
    int place = row.place.length();
    // A place that leaves too little room for the text stands below it.
    boolean beside = place > 0 && WIDTH - column - place - 2 >= 30;
    List<String> lines = wrapped(row.text, WIDTH - column, beside ? place + 2 : 0);
    for (int i = 0; i < lines.size(); i++) {
      StringBuilder line = new StringBuilder(i == 0 ? first : "");
      line.repeat(' ', column - line.length()).append(lines.get(i));
      if (i == 0 && beside) {
        line.repeat(' ', WIDTH - place - width(line)).append(row.place);
      }
      text.append(line.toString().stripTrailing()).append('\n');
    }
    if (place > 0 && !beside) {
      text.repeat(' ', Math.max(column, WIDTH - place)).append(row.place).append('\n');
    }
  }

  /** Lines of text, broken between words; of a word that is too long nothing is lost. */
  static List<String> wrapped(String text, int width, int lessInTheFirst) {
    List<String> lines = new ArrayList<>();
    StringBuilder line = new StringBuilder();
    for (String word : text.split(" ", -1)) {
      int room = width - (lines.isEmpty() ? lessInTheFirst : 0);
      if (!line.isEmpty() && width(line) + 1 + width(word) > room) {
        lines.add(line.toString());
        line.setLength(0);
      }
      line.append(line.isEmpty() ? "" : " ").append(word);
    }
    lines.add(line.toString());
    return lines;
  }

  /** {@code 1 rule}, {@code 2 rules}. */
  static String counted(int count, String what) {
    return count + " " + what + (count == 1 ? "" : "s");
  }

  private static int width(CharSequence text) {
    return Character.codePointCount(text, 0, text.length());
  }

  /** Nothing of a description moves the cursor. */
  static String harmless(String text) {
    Optional<String> clean =
        text.codePoints().anyMatch(Page::moves)
            ? Optional.of(
                text.codePoints()
                    .map(c -> moves(c) ? '?' : c)
                    .collect(
                        StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append)
                    .toString())
            : Optional.empty();
    return clean.orElse(text);
  }

  private static boolean moves(int c) {
    int type = Character.getType(c);
    return type == Character.CONTROL
        || type == Character.FORMAT
        || type == Character.LINE_SEPARATOR
        || type == Character.PARAGRAPH_SEPARATOR
        || type == Character.SURROGATE;
  }
}
