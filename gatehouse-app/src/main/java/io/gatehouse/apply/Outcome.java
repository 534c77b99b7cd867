package io.gatehouse.apply;

import java.util.List;
import java.util.stream.Stream;

/**
 * What a command came to.
 *
 * @param lines for people: what matters first, the way out last
 * @param passing whether it was not done for a reason that passes: somebody else is at work, or the
 *     kernel did not take it and has what it had before
 */
public record Outcome(Kind kind, List<String> lines, boolean passing) {

  /** Why it ended. */
  public enum Kind {
    /** Done, or nothing to do. */
    DONE,
    /** The answer is no, and nothing was changed. */
    REFUSED,
    /** The host lacks something, and nothing was changed. */
    LACKING,
    /** Our own fault, or the kernel's: the lines say what stands. */
    FAILED
  }

  public Outcome {
    lines = List.copyOf(lines);
  }

  /** What a command came to by its own right. */
  public Outcome(Kind kind, List<String> lines) {
    this(kind, lines, false);
  }

  /** The same with more to say. */
  public Outcome and(List<String> more) {
    return new Outcome(kind, Stream.concat(lines.stream(), more.stream()).toList(), passing);
  }

  /** The same, for a reason that passes. */
  Outcome forNow() {
    return new Outcome(kind, lines, true);
  }

  /**
   * Whether the same may come to something else a little later. Where the host lacks something, or
   * something failed, somebody may mend it.
   */
  public boolean isWorthAnotherTry() {
    return passing || kind == Kind.FAILED || kind == Kind.LACKING;
  }

  static Outcome refused(String... lines) {
    return new Outcome(Kind.REFUSED, List.of(lines));
  }
}
