package io.gatehouse.apply;

import java.util.List;
import java.util.stream.Stream;

/**
 * What a command came to.
 *
 * @param lines for people: what matters first, the way out last
 */
public record Outcome(Kind kind, List<String> lines) {

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

  /** The same with more to say. */
  public Outcome and(List<String> more) {
    return new Outcome(kind, Stream.concat(lines.stream(), more.stream()).toList());
  }

  static Outcome refused(String... lines) {
    return new Outcome(Kind.REFUSED, List.of(lines));
  }
}
