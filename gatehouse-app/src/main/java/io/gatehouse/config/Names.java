package io.gatehouse.config;

import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * What the description calls by a name. Names of what could not be understood are known too: using
 * them is no second mistake.
 */
final class Names<T> {
  private final String kind;
  private final Problems problems;
  private final Map<String, Spot> spots = new LinkedHashMap<>();
  private final Map<String, T> values = new HashMap<>();

  /**
   * @param kind for messages: {@code network}
   */
  Names(String kind, Problems problems) {
    this.kind = kind;
    this.problems = problems;
  }

  void declare(String name, Spot spot) {
    spots.putIfAbsent(name, spot);
  }

  void define(String name, T value) {
    values.putIfAbsent(name, value);
  }

  boolean knows(String name) {
    return spots.containsKey(name);
  }

  Optional<Spot> spot(String name) {
    return Optional.ofNullable(spots.get(name));
  }

  Collection<String> all() {
    return spots.keySet();
  }

  /** The thing of that name, where it was understood. */
  Optional<T> get(String name) {
    return Optional.ofNullable(values.get(name));
  }

  /** The thing of that name; tells where there is none. */
  Optional<T> find(Node.Scalar name) {
    if (!knows(name.text())) {
      problems.error(
          name.spot(),
          "no " + kind + " is called " + Quote.of(name.text()),
          problems.didYouMean(name.text(), all()).or(() -> among(all())));
    }
    return get(name.text());
  }

  /** "there are …", where there are few. */
  static Optional<String> among(Collection<String> names) {
    return names.isEmpty() || names.size() > 8
        ? Optional.empty()
        : Optional.of("known: " + String.join(", ", names));
  }
}
