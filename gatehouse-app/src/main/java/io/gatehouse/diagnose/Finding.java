package io.gatehouse.diagnose;

import java.util.List;
import java.util.Optional;

/**
 * Something that is wrong.
 *
 * @param from the point behind which it is, if it is between two
 * @param to the point that it does not reach
 * @param text what was seen and what that means, in whole sentences
 * @param next what to try, each a command or a sentence
 * @param suggestive whether other explanations remain that the captures cannot exclude
 */
public record Finding(
    Kind kind,
    Optional<Point> from,
    Optional<Point> to,
    Optional<Channel> channel,
    String text,
    List<String> next,
    boolean suggestive) {
  public Finding {
    next = List.copyOf(next);
  }

  static Finding of(Kind kind, String text, String... next) {
    return new Finding(
        kind, Optional.empty(), Optional.empty(), Optional.empty(), text, List.of(next), false);
  }

  Finding likely() {
    return new Finding(kind, from, to, channel, text, next, true);
  }

  Finding between(Point one, Point other) {
    return new Finding(kind, Optional.of(one), Optional.of(other), channel, text, next, suggestive);
  }

  Finding in(Channel of) {
    return new Finding(kind, from, to, Optional.of(of), text, next, suggestive);
  }
}
