package io.gatehouse.config;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;

/** Everything that is found wrong, collected while reading goes on. */
final class Problems {
  /** A file of another kind, given by mistake, would yield millions. */
  private static final int LIMIT = 1000;

  /** Looking for the nearest of many names takes time, and nobody reads that many suggestions. */
  private static final int SUGGESTIONS = 50;

  private static final Comparator<Found> ORDER =
      Comparator.<Found>comparingInt(f -> f.spot.text().order())
          .thenComparingInt(f -> f.spot.line())
          .thenComparingInt(f -> f.spot.column());

  private record Found(
      Spot spot, Problem.Severity severity, String message, Optional<String> wayOut) {}

  private final List<Found> found = new ArrayList<>();
  private int suggestions;
  private int errors;

  void error(Spot spot, String message) {
    add(spot, Problem.Severity.ERROR, message, Optional.empty());
  }

  void error(Spot spot, String message, String wayOut) {
    add(spot, Problem.Severity.ERROR, message, Optional.of(wayOut));
  }

  void error(Spot spot, String message, Optional<String> wayOut) {
    add(spot, Problem.Severity.ERROR, message, wayOut);
  }

  void warning(Spot spot, String message, String wayOut) {
    add(spot, Problem.Severity.WARNING, message, Optional.of(wayOut));
  }

  void warning(Spot spot, String message, Optional<String> wayOut) {
    add(spot, Problem.Severity.WARNING, message, wayOut);
  }

  private void add(Spot spot, Problem.Severity severity, String message, Optional<String> wayOut) {
    if (severity == Problem.Severity.ERROR) {
      errors++;
    }
    if (found.size() < LIMIT) {
      found.add(new Found(spot, severity, message, wayOut));
    } else if (found.size() == LIMIT) {
      found.add(
          new Found(
              new Spot(spot.text(), Integer.MAX_VALUE, 0, 0, Path.TOP),
              Problem.Severity.ERROR,
              "more than " + LIMIT + " problems; those found later are not shown",
              Optional.empty()));
    }
  }

  /** Errors so far. */
  int errors() {
    return errors;
  }

  /** "did you mean …?", where one of the known words is near. */
  Optional<String> didYouMean(String word, Collection<String> known) {
    return didYouMean(word, () -> known);
  }

  /** The same, where the known words have to be put together first. */
  Optional<String> didYouMean(String word, Supplier<Collection<String>> known) {
    return suggestions++ < SUGGESTIONS
        ? Nearest.to(word, known.get()).map(near -> "did you mean `" + near + "`?")
        : Optional.empty();
  }

  /** All of them, by file and place. */
  List<Problem> sorted() {
    return found.stream().sorted(ORDER).map(Problems::problem).toList();
  }

  private static Problem problem(Found found) {
    Spot spot = found.spot;
    if (spot.line() == Integer.MAX_VALUE) {
      spot = spot.text().whole();
    }
    Optional<Problem.Excerpt> excerpt =
        spot.line() == 0 ? Optional.empty() : spot.text().excerpt(spot.line(), spot.column());
    return new Problem(
        spot.origin(), spot.length(), found.severity, found.message, found.wayOut, excerpt);
  }
}
