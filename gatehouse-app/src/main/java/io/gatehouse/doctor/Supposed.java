package io.gatehouse.doctor;

import io.gatehouse.model.Address;
import io.gatehouse.model.Origin;
import io.gatehouse.model.Prefix;
import java.util.Optional;

/**
 * A tunnel that is to be thought of as standing.
 *
 * @param name that messages call it by
 * @param near behind this host
 * @param far behind the other end
 * @param local this host's end, where it is known
 * @param remote the other end, where it is known
 * @param origin who says so
 */
public record Supposed(
    String name,
    Prefix near,
    Prefix far,
    Optional<Address> local,
    Optional<Address> remote,
    Origin origin) {
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
                    .map(far ->
                        new Supposed(
                            "supposed " + near + "=" + far,
                            near,
                            far,
                            Optional.empty(),
                            Optional.empty(),
                            new Origin("--tunnel", 0, 0, text))));
  }
}
