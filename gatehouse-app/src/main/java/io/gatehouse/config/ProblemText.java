package io.gatehouse.config;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Problems for people: the place, what is wrong, the line itself with the spot marked, and the way
 * out. No line is wider than asked.
 */
public final class ProblemText {
  /** Columns before the line of a description begins: number, bar and spaces. */
  private static final int GUTTER = 8;

  /** Columns of a long line that are shown before the spot. */
  private static final int BEFORE = 20;

  private static final int INDENT = 3;

  private final int width;
  private final StringBuilder out = new StringBuilder();

  private ProblemText(int width) {
    this.width = width;
  }

  /**
   * All problems, one after the other, each ending with a line feed.
   *
   * @param width columns, 40 at least
   */
  public static String of(List<Problem> problems, int width) {
    if (width < 40) {
      throw new IllegalArgumentException("too narrow: " + width);
    }
    ProblemText text = new ProblemText(width);
    problems.forEach(text::one);
    return text.out.toString();
  }

  /** How many of what: {@code 2 errors, 1 warning}; empty where there are none. */
  public static String count(List<Problem> problems) {
    long errors = problems.stream().filter(Problem::isError).count();
    long warnings = problems.size() - errors;
    List<String> parts = new ArrayList<>();
    if (errors > 0) {
      parts.add(errors + (errors == 1 ? " error" : " errors"));
    }
    if (warnings > 0) {
      parts.add(warnings + (warnings == 1 ? " warning" : " warnings"));
    }
    return String.join(", ", parts);
  }

  private void one(Problem problem) {
    String place = shown(problem.origin().place());
    String kind = problem.isError() ? "" : "warning: ";
    String message = place + "  " + kind + shown(problem.message());
    Optional<String> wayOut = problem.wayOut().map(ProblemText::shown);
    if (problem.excerpt().isEmpty()) {
      wrap(message + wayOut.map(w -> "; " + w).orElse(""), 0);
      return;
    }
    wrap(message, 0);
    wayOut = line(problem, problem.excerpt().get(), wayOut);
    wayOut.ifPresent(w -> wrap(" ".repeat(GUTTER) + w, GUTTER));
  }

  /**
   * The line and the carets; the way out too where there is room behind them, otherwise it is given
   * back.
   */
  private Optional<String> line(Problem problem, Problem.Excerpt excerpt, Optional<String> wayOut) {
    Window window = window(excerpt, problem.origin().column(), problem.length(), width - GUTTER);
    String number = Integer.toString(problem.origin().line());
    String bar =
        number.length() > INDENT + 2
            ? number + "|"
            : " ".repeat(INDENT + 2 - number.length()) + number + " | ";
    out.append(bar.length() < GUTTER ? bar + " ".repeat(GUTTER - bar.length()) : bar);
    trimmed(window.line);
    String carets =
        " ".repeat(GUTTER - 3) + " | " + " ".repeat(window.before) + "^".repeat(window.carets);
    boolean room = wayOut.filter(w -> carets.length() + 2 + Cells.width(w) <= width).isPresent();
    out.append(carets).append(room ? "  " + wayOut.get() : "").append('\n');
    return room ? Optional.empty() : wayOut;
  }

  private void trimmed(String line) {
    out.append(line.stripTrailing()).append('\n');
  }

  /**
   * The part of a line that is shown.
   *
   * @param before columns before the carets
   */
  private record Window(String line, int before, int carets) {}

  private static Window window(Problem.Excerpt excerpt, int column, int length, int room) {
    List<String> cells = new ArrayList<>();
    excerpt.text().codePoints().forEach(c -> cells.add(Cells.shown(c)));
    int spot = Math.clamp(column - excerpt.from(), 0, cells.size());
    int first = 0;
    int total = cells.stream().mapToInt(Cells::width).sum();
    if (excerpt.from() > 1 || total > room) {
      int before = 0;
      first = spot;
      while (first > 0 && before + Cells.width(cells.get(first - 1)) <= BEFORE) {
        before += Cells.width(cells.get(--first));
      }
      // What would fit anyway is not cut off.
      while (first > 0 && sum(cells, first - 1, cells.size()) < room) {
        first--;
      }
    }
    StringBuilder line = new StringBuilder(first > 0 || excerpt.from() > 1 ? "…" : "");
    int used = line.length();
    int caretStart = used;
    int caretEnd = used;
    for (int i = first; i < cells.size(); i++) {
      int next = Cells.width(cells.get(i));
      if (used + next > room - 1 && (i + 1 < cells.size() || used + next > room)) {
        line.append('…');
        break;
      }
      line.append(cells.get(i));
      used += next;
      if (i < spot) {
        caretStart = used;
        caretEnd = used;
      } else if (i < spot + length) {
        caretEnd = used;
      }
    }
    return new Window(
        line.toString(), Math.min(caretStart, room - 1), Math.max(1, caretEnd - caretStart));
  }

  private static int sum(List<String> cells, int from, int to) {
    return cells.subList(from, to).stream().mapToInt(Cells::width).sum();
  }

  private static String shown(String text) {
    StringBuilder safe = new StringBuilder(text.length());
    text.codePoints().forEach(c -> safe.append(Cells.shown(c)));
    return safe.toString();
  }

  /** Words on as many lines as they need; those after the first are indented. */
  private void wrap(String text, int indent) {
    int room = width;
    StringBuilder line = new StringBuilder();
    int used = 0;
    for (String word : text.split("(?<=\\S) (?=\\S)", -1)) {
      int needed = Cells.width(word);
      if (used > 0 && used + 1 + needed > room) {
        trimmed(line.toString());
        line.setLength(0);
        line.append(" ".repeat(Math.max(indent, INDENT)));
        used = line.length();
      } else if (used > 0) {
        line.append(' ');
        used++;
      }
      for (int i = 0; i < word.length(); ) {
        String cell = Character.toString(word.codePointAt(i));
        if (used + Cells.width(cell) > room) {
          trimmed(line.toString());
          line.setLength(0);
          line.append(" ".repeat(Math.max(indent, INDENT)));
          used = line.length();
        }
        line.append(cell);
        used += Cells.width(cell);
        i += cell.length();
      }
    }
    trimmed(line.toString());
  }
}
