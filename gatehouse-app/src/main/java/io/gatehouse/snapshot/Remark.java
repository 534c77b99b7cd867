package io.gatehouse.snapshot;

import io.gatehouse.model.Origin;

/**
 * Something that a reader of a host's state has to know about what was read.
 *
 * @param where the file, and where there is one the line
 */
public record Remark(Kind kind, Origin where, String text) {

  /** What it says about the answer. */
  public enum Kind {
    /** It is not there; what was taken instead hides no leak. */
    ASSUMED,
    /** It stands in the value as it was printed, and its meaning is open. */
    NOT_UNDERSTOOD,
    /** It is broken or too large: whatever it would have said is open. */
    UNREADABLE
  }

  static Remark assumed(String file, String text) {
    return new Remark(Kind.ASSUMED, new Origin(file, 0, 0, ""), text);
  }

  static Remark notUnderstood(Origin where, String text) {
    return new Remark(Kind.NOT_UNDERSTOOD, where, Opaque.brief(text));
  }

  static Remark unreadable(String file, int line, int column, String text) {
    return new Remark(Kind.UNREADABLE, new Origin(file, line, column, ""), Opaque.brief(text));
  }
}
