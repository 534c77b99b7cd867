package io.gatehouse.doctor;

import io.gatehouse.model.Prefix;
import java.util.Optional;

/**
 * A tunnel that is to be thought of as standing.
 *
 * @param near behind this host
 * @param far behind the other end
 */
public record Supposed(Prefix near, Prefix far) {
  public Supposed {
    if (near.family() != far.family()) {
      throw new IllegalArgumentException("two families");
    }
  }

  /** From {@code 10.0.1.0/24=10.0.3.0/24}; nothing where it is none. */
  public static Optional<Supposed> parse(String text) {
    int equals = text.indexOf('=');
    return equals < 0
        ? Optional.empty()
        : Prefix.parse(text.substring(0, equals))
            .flatMap(near ->
                Prefix.parse(text.substring(equals + 1))
                    .filter(far -> far.family() == near.family())
                    .map(far -> new Supposed(near, far)));
  }
}
