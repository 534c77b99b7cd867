package io.gatehouse.apply;

import io.gatehouse.model.Address;
import io.gatehouse.model.Prefix;
import io.gatehouse.ruleset.Expression;
import io.gatehouse.ruleset.NftSet;
import io.gatehouse.ruleset.Ruleset;
import io.gatehouse.snapshot.Seen;
import io.gatehouse.snapshot.Snapshot;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/** Where addresses lie, as far as the main table and our own sets tell. */
final class Ways {
  private static final int MAIN = 254;
  private static final int LOCAL = 255;
  private static final int UNICAST = 1;

  private Ways() {}

  /**
   * The device towards an address by the longest prefix of the main table; `lo` for an address of
   * this host.
   */
  static Optional<String> device(Snapshot snapshot, Address address) {
    boolean local =
        snapshot.routes().stream()
            .anyMatch(route ->
                route.table() == LOCAL
                    && route.type() == 2
                    && route.destination().contains(address));
    if (local) {
      return Optional.of("lo");
    }
    return snapshot.routes().stream()
        .filter(route -> route.table() == MAIN && route.type() == UNICAST)
        .filter(route -> route.destination().contains(address))
        .max(
            Comparator.<Seen.Route>comparingInt(route -> route.destination().length())
                .thenComparing(Comparator.comparingLong(Seen.Route::metric).reversed()))
        .flatMap(Seen.Route::device);
  }

  /** What is behind tunnels: pools and remote networks, of both families. */
  static List<Prefix> far(Ruleset ruleset) {
    return Stream.of("far4", "far6")
        .flatMap(name -> set(ruleset, name).stream())
        .flatMap(set -> set.elements().stream())
        .flatMap(element ->
            switch (element.key()) {
              case Expression.Net net -> Stream.of(net.prefix());
              case Expression.Addr addr -> Stream.of(Prefix.host(addr.address()));
              default -> Stream.of();
            })
        .toList();
  }

  static Optional<NftSet> set(Ruleset ruleset, String name) {
    return GenerationFiles.table(ruleset)
        .flatMap(table -> table.sets().stream().filter(set -> set.name().equals(name)).findFirst());
  }

  /** Device names in one of our sets. */
  static Set<String> devices(Ruleset ruleset, String name) {
    Set<String> devices = new LinkedHashSet<>();
    set(ruleset, name)
        .ifPresent(set ->
            set.elements()
                .forEach(element -> {
                  if (element.key() instanceof Expression.Text text) {
                    devices.add(text.text());
                  }
                }));
    return devices;
  }
}
