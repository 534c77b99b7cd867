package io.gatehouse.config;

import java.util.List;
import java.util.Optional;

/** A YAML node as it was written: no types are guessed, `no`, `010` and `1:20` are text. */
sealed interface Node {
  Spot spot();

  /** What it is, for a message. */
  String kind();

  /**
   * A piece of text.
   *
   * @param plain whether it has no quotes and is no block
   */
  record Scalar(String text, boolean plain, Spot spot) implements Node {
    /** Whether a key has nothing behind its colon. */
    boolean isMissing() {
      return plain && text.isEmpty();
    }

    @Override
    public String kind() {
      return isMissing() ? "nothing" : "a single value";
    }
  }

  /** A list. */
  record Sequence(List<Node> items, Spot spot) implements Node {
    @Override
    public String kind() {
      return "a list";
    }
  }

  /** A map, in its order; keys may come twice. */
  record Mapping(List<Entry> entries, Spot spot) implements Node {
    @Override
    public String kind() {
      return "a map of keys";
    }

    /** The first entry of that key. */
    Optional<Entry> find(String key) {
      for (Entry entry : entries) {
        if (entry.key().text().equals(key)) {
          return Optional.of(entry);
        }
      }
      return Optional.empty();
    }
  }

  /** A key and its value. */
  record Entry(Scalar key, Node value) {}
}
