package io.gatehouse.slowpath;

import io.gatehouse.compile.LiveMaps;
import io.gatehouse.netlink.Answer;
import io.gatehouse.netlink.Failure;
import io.gatehouse.netlink.SetElement;
import io.gatehouse.ruleset.NftSet;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/** What the kernel lists of the maps that the slow path writes: of all of them, or of none. */
record Standing(
    List<SetElement> zones,
    List<SetElement> hosts,
    List<SetElement> spis,
    List<SetElement> cookies,
    List<SetElement> direct,
    List<SetElement> watched,
    List<SetElement> own,
    ControlConnections.Listed calls) {

  Standing {
    zones = List.copyOf(zones);
    hosts = List.copyOf(hosts);
    spis = List.copyOf(spis);
    cookies = List.copyOf(cookies);
    direct = List.copyOf(direct);
    watched = List.copyOf(watched);
    own = List.copyOf(own);
  }

  /**
   * Reads them.
   *
   * @return the first failure where one cannot be read: an empty list would look like an empty map
   */
  static Answer<Standing> read(
      LiveMaps.OfMasquerade maps, Function<NftSet, Answer<List<SetElement>>> kernel) {
    Map<String, List<SetElement>> all = new HashMap<>();
    Optional<Failure> failure = Optional.empty();
    List<NftSet> wanted =
        new ArrayList<>(
            List.of(maps.zones(), maps.hosts(), maps.spis(), maps.cookies(), maps.watched()));
    maps.direct().ifPresent(wanted::add);
    maps.own().ifPresent(wanted::add);
    maps.calls().ifPresent(of -> wanted.addAll(List.of(of.hosts(), of.ids(), of.allowed())));
    for (NftSet map : wanted) {
      switch (kernel.apply(map)) {
        case Answer.Told<List<SetElement>>(List<SetElement> told) -> all.put(map.name(), told);
        case Answer.Failed<List<SetElement>>(Failure why) ->
            failure = failure.or(() -> Optional.of(why));
      }
    }
    return failure.isPresent()
        ? new Answer.Failed<>(failure.get())
        : new Answer.Told<>(
            new Standing(
                /* zones= */ of(Optional.of(maps.zones()), all),
                /* hosts= */ of(Optional.of(maps.hosts()), all),
                /* spis= */ of(Optional.of(maps.spis()), all),
                /* cookies= */ of(Optional.of(maps.cookies()), all),
                /* direct= */ of(maps.direct(), all),
                /* watched= */ of(Optional.of(maps.watched()), all),
                /* own= */ of(maps.own(), all),
                /* calls= */ new ControlConnections.Listed(
                    of(maps.calls().map(LiveMaps.OfCalls::hosts), all),
                    of(maps.calls().map(LiveMaps.OfCalls::ids), all),
                    of(maps.calls().map(LiveMaps.OfCalls::allowed), all))));
  }

  private static List<SetElement> of(Optional<NftSet> map, Map<String, List<SetElement>> all) {
    return map.map(set -> all.getOrDefault(set.name(), List.of())).orElse(List.of());
  }
}
