package io.gatehouse.config;

import java.util.List;
import java.util.Optional;

/**
 * The keys that may stand together.
 *
 * @param path where, with placeholders: {@code tunnels.NAME.ike}; empty for the top
 * @param label what has these keys, in a message: {@code tunnel} where it has a name of its own,
 *     otherwise the key it stands behind
 */
public record Section(String path, String label, List<Key> keys) {
  public Section {
    keys = List.copyOf(keys);
  }

  public Optional<Key> key(String name) {
    for (Key key : keys) {
      if (key.name().equals(name)) {
        return Optional.of(key);
      }
    }
    return Optional.empty();
  }
}
