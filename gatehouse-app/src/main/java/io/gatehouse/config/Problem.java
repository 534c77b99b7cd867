package io.gatehouse.config;

import io.gatehouse.model.Origin;
import java.util.Optional;

/**
 * Something wrong with a description.
 *
 * @param origin where; line and column are 0 where a whole file is meant
 * @param length of the offending text in code points; 0 for a place between two characters
 * @param message one sentence without a full stop; control characters of the description are
 *     escaped in it
 * @param wayOut what to write instead, or where to look
 * @param excerpt of the line; absent where there is none to show
 */
public record Problem(
    Origin origin,
    int length,
    Severity severity,
    String message,
    Optional<String> wayOut,
    Optional<Excerpt> excerpt) {

  /** Whether a description can be used in spite of it. */
  public enum Severity {
    /** The description is refused. */
    ERROR,
    /** The description is understood, but perhaps not as meant. */
    WARNING
  }

  /**
   * Part of a line of the description. What stands behind a key that looks like a secret's is left
   * out.
   *
   * @param text as it stands there; it can hold anything that Unicode has
   * @param from the column of its first code point, 1-based
   */
  public record Excerpt(String text, int from) {}

  /**
   * The same in plain values, for JSON.
   *
   * @param severity {@code error} or {@code warning}
   * @param wayOut empty where none is known
   * @param source the excerpt's text, empty where there is none
   */
  public record Plain(
      String file,
      int line,
      int column,
      int length,
      String path,
      String severity,
      String message,
      String wayOut,
      String source) {}

  public boolean isError() {
    return severity == Severity.ERROR;
  }

  /** The same in plain values, for JSON. */
  public Plain plain() {
    return new Plain(
        origin.file(),
        origin.line(),
        origin.column(),
        length,
        origin.path(),
        isError() ? "error" : "warning",
        message,
        wayOut.orElse(""),
        excerpt.map(Excerpt::text).orElse(""));
  }
}
