package io.gatehouse.slowpath;

import io.gatehouse.compile.LiveMaps;
import io.gatehouse.netlink.Answer;
import io.gatehouse.netlink.Failure;
import io.gatehouse.netlink.SetElement;
import io.gatehouse.ruleset.NftSet;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/** What the kernel lists of the maps that the slow path writes: of all of them, or of none. */
record Standing(
    List<SetElement> zones,
    List<SetElement> hosts,
    List<SetElement> spis,
    List<SetElement> cookies,
    List<SetElement> direct) {

  Standing {
    zones = List.copyOf(zones);
    hosts = List.copyOf(hosts);
    spis = List.copyOf(spis);
    cookies = List.copyOf(cookies);
    direct = List.copyOf(direct);
  }

  /**
   * Reads them.
   *
   * @return the first failure where one cannot be read: an empty list would look like an empty map
   */
  static Answer<Standing> read(
      LiveMaps.OfMasquerade maps, Function<NftSet, Answer<List<SetElement>>> kernel) {
    List<List<SetElement>> all = new ArrayList<>();
    Optional<Failure> failure = Optional.empty();
    List<NftSet> wanted =
        new ArrayList<>(List.of(maps.zones(), maps.hosts(), maps.spis(), maps.cookies()));
    maps.direct().ifPresent(wanted::add);
    for (NftSet map : wanted) {
      switch (kernel.apply(map)) {
        case Answer.Told<List<SetElement>>(List<SetElement> told) -> all.add(told);
        case Answer.Failed<List<SetElement>>(Failure why) ->
            failure = failure.or(() -> Optional.of(why));
      }
    }
    return failure.isPresent()
        ? new Answer.Failed<>(failure.get())
        : new Answer.Told<>(
            new Standing(
                all.get(0),
                all.get(1),
                all.get(2),
                all.get(3),
                maps.direct().isPresent() ? all.get(4) : List.of()));
  }
}
