package io.gatehouse.daemon;

import io.gatehouse.netlink.Answer;
import io.gatehouse.netlink.Bytes;
import io.gatehouse.netlink.ElementChange;
import io.gatehouse.netlink.Failure;
import io.gatehouse.netlink.SetElement;
import io.gatehouse.netlink.SetElement.Data;
import io.gatehouse.netlink.SetId;
import io.gatehouse.ruleset.NftSet;
import io.gatehouse.vici.CharonNews;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/** Holds what stands in the live maps against what is to stand, and changes the difference. */
final class Keeper {
  /**
   * Elements of maps that end by themselves end after this, where no daemon renews them: whoever
   * gets a virtual IP of somebody who left meanwhile is taken for him no longer.
   */
  static final Duration LIFE = Duration.ofSeconds(60);

  private final Store store;
  private final Tunnels tunnels;
  private final Map<Slot, Data> standing = new HashMap<>();
  private Model model;
  private Set<SetId> timed;
  private boolean doubtful = true;
  private boolean missing;
  private long corrections;
  private Optional<String> failure = Optional.empty();

  Keeper(Store store, Model model) {
    this.store = store;
    this.model = model;
    timed = timed(model);
    tunnels = new Tunnels(model);
    recallZones();
  }

  /** Who was in which zone before we came stays in it: his connections know no other. */
  private void recallZones() {
    model
        .maps()
        .zones()
        .map(Wish::id)
        .ifPresent(map -> {
          if (store.elements(map) instanceof Answer.Told<List<SetElement>>(var elements)) {
            for (SetElement element : elements) {
              if (element.key().length() == 4
                  && element.data().isPresent()
                  && element.data().get() instanceof Data.Value(Bytes zone)
                  && zone.length() >= 2) {
                tunnels.zones().found(element.key().u32(0), zone.u16(0));
              }
            }
          }
        });
  }

  /** Takes note of news; {@link #settle} acts on it. */
  void hear(CharonNews news) {
    tunnels.hear(news);
    // What was heard before, by us or by our predecessor, may be what stands.
    doubtful |= !(news instanceof CharonNews.Happened || news instanceof CharonNews.Hooked);
  }

  /** Another description stands, or the same anew. */
  void follow(Model next) {
    model = next;
    timed = timed(next);
    tunnels.follow(next);
    doubtful = true;
  }

  /** What stands may be another than we think. */
  void doubt() {
    doubtful = true;
  }

  /** Makes stand what is to stand: one batch. */
  void settle() {
    Set<Slot> touched = tunnels.touched();
    if (doubtful) {
      compare();
      return;
    }
    List<ElementChange> changes = new ArrayList<>();
    Map<Slot, Optional<Data>> after = new HashMap<>();
    for (Slot slot : touched) {
      Optional<Data> has = Optional.ofNullable(standing.get(slot));
      Optional<Data> wants = tunnels.wanted(slot);
      if (!has.equals(wants)) {
        has.ifPresent(data -> changes.add(remove(slot, data)));
        wants.ifPresent(data -> changes.add(add(slot, data)));
        after.put(slot, wants);
      }
    }
    switch (store.change(changes)) {
      case Answer.Told<Boolean> told ->
          after.forEach((slot, data) ->
              data.ifPresentOrElse(d -> standing.put(slot, d), () -> standing.remove(slot)));
      // Somebody changed what we thought we knew.
      case Answer.Failed<Boolean> failed -> compare();
    }
  }

  /**
   * Lets elements that end by themselves begin anew: one batch. A kernel before 6.12 leaves an
   * element's time as it is when it is only added again.
   */
  void renew() {
    List<ElementChange> changes = new ArrayList<>();
    List<ElementChange> anew = new ArrayList<>();
    standing.forEach((slot, data) -> {
      if (timed.contains(slot.map())) {
        changes.add(remove(slot, data));
        anew.add(add(slot, data));
      }
    });
    changes.addAll(anew);
    if (!doubtful && store.change(changes) instanceof Answer.Failed<Boolean>) {
      compare();
    }
  }

  private static Set<SetId> timed(Model model) {
    return model.maps().all().stream()
        .filter(map -> map.flags().contains(NftSet.Flag.TIMEOUT))
        .map(Wish::id)
        .collect(Collectors.toSet());
  }

  /** Takes everything away that tunnels brought: nobody is in a group, and no client has a zone. */
  void clear() {
    List<ElementChange> changes = new ArrayList<>();
    for (NftSet map : model.maps().all()) {
      SetId id = Wish.id(map);
      if (store.elements(id) instanceof Answer.Told<List<SetElement>>(var elements)) {
        elements.forEach(element -> changes.add(new ElementChange.Remove(id, element)));
      }
    }
    if (store.change(changes) instanceof Answer.Told<Boolean>) {
      standing.clear();
    }
    doubtful = true;
  }

  /** Reads every live map, and changes what is different: one batch. */
  private void compare() {
    // Until it has succeeded: what was touched is forgotten by now.
    doubtful = true;
    Map<Slot, Data> wanted = tunnels.wanted();
    Map<Slot, Data> found = new HashMap<>();
    List<ElementChange> changes = new ArrayList<>();
    missing = false;
    failure = Optional.empty();
    for (NftSet map : model.maps().all()) {
      SetId id = Wish.id(map);
      switch (store.elements(id)) {
        case Answer.Failed<List<SetElement>>(Failure why) -> {
          if (why.errno() == Failure.NO_SUCH) {
            missing = true;
          } else {
            failure = Optional.of("cannot read the map " + id.name() + ": " + why);
          }
          return;
        }
        case Answer.Told<List<SetElement>>(List<SetElement> elements) -> {
          for (SetElement element : elements) {
            Slot slot = new Slot(id, element.key());
            Optional<Data> has = element.data();
            if (has.isPresent() && has.equals(Optional.ofNullable(wanted.get(slot)))) {
              found.put(slot, has.get());
            } else {
              changes.add(new ElementChange.Remove(id, element));
            }
          }
        }
      }
    }
    Set<SetId> maps = Set.copyOf(model.maps().all().stream().map(Wish::id).toList());
    wanted.forEach((slot, data) -> {
      if (!found.containsKey(slot) && maps.contains(slot.map())) {
        changes.add(add(slot, data));
        found.put(slot, data);
      }
    });
    switch (store.change(changes)) {
      case Answer.Told<Boolean> told -> {
        corrections += changes.size();
        standing.clear();
        standing.putAll(found);
        doubtful = false;
      }
      case Answer.Failed<Boolean>(Failure why) ->
          failure = Optional.of("the kernel refuses " + changes.size() + " elements: " + why);
    }
  }

  private ElementChange add(Slot slot, Data data) {
    SetElement element = SetElement.of(slot.key(), data);
    return new ElementChange.Add(
        slot.map(), timed.contains(slot.map()) ? element.lasting(LIFE) : element);
  }

  private static ElementChange remove(Slot slot, Data data) {
    return new ElementChange.Remove(slot.map(), SetElement.of(slot.key(), data));
  }

  Tunnels tunnels() {
    return tunnels;
  }

  Model model() {
    return model;
  }

  /** Whether a live map is not there: somebody flushed our table, or it is not loaded yet. */
  boolean rulesAreMissing() {
    return missing;
  }

  /** Whether what stands is not known to be right: then {@link #settle} looks again. */
  boolean isDoubtful() {
    return doubtful;
  }

  /** Elements that comparisons changed. */
  long corrections() {
    return corrections;
  }

  /** Elements that stand, as far as we know. */
  int standing() {
    return standing.size();
  }

  /** Why it cannot be made right now. */
  Optional<String> failure() {
    return failure;
  }
}
