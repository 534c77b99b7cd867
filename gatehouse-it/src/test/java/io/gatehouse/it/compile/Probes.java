package io.gatehouse.it.compile;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatehouse.it.lab.Fate;
import io.gatehouse.it.lab.Network;
import io.gatehouse.it.lab.Sightings;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;

/** Probes that say by their names what should become of them. */
final class Probes {
  private Probes() {}

  /** Probes whose names begin with {@code no-} must not arrive, all others must. */
  static Sightings sent(Network net, String... lines) {
    Sightings sightings = net.probe(lines);
    List<String> wrong =
        sightings.fates().values().stream()
            .filter(fate -> fate.arrived() == fate.probe().startsWith("no-") || !wasTried(fate))
            .map(Object::toString)
            .toList();
    assertThat(wrong).isEmpty();
    return sightings;
  }

  /** What two probes of one call cannot share, such as a port, shows nothing. */
  private static boolean wasTried(Fate fate) {
    return fate.error().filter(Set.of("eaddrinuse", "eaddrnotavail")::contains).isEmpty();
  }

  /** The same probes, none of which may arrive now. */
  static String[] none(String... lines) {
    return Stream.of(lines).map(line -> "no-" + line).toArray(String[]::new);
  }

  static String[] and(String[] some, String... more) {
    return Stream.of(some, more).flatMap(Stream::of).toArray(String[]::new);
  }

  static void assertFrom(Sightings sightings, String probe, String source) {
    assertThat(sightings.of(probe).from())
        .as(probe)
        .hasValueSatisfying(from ->
            assertThat(from).startsWith(source.contains(":") ? "[" + source + "]:" : source + ":"));
  }

  static void assertReplied(Sightings sightings, String... probes) {
    for (String probe : probes) {
      assertThat(sightings.of(probe).replied()).as(probe).isTrue();
    }
  }

  /** That nothing left a watched host by a device in clear, neither probes nor answers. */
  static void assertNothingLeft(Sightings sightings, String host, String device) {
    assertThat(
            sightings.fates().values().stream()
                .flatMap(fate -> Stream.concat(fate.seen().stream(), fate.back().stream()))
                .filter(place -> place.out() && place.host().equals(host))
                .filter(place -> place.device().equals(device)))
        .isEmpty();
  }
}
