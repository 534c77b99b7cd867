package io.gatehouse.daemon;

import io.gatehouse.netlink.Answer;
import io.gatehouse.netlink.Bytes;
import io.gatehouse.netlink.ElementChange;
import io.gatehouse.netlink.Failure;
import io.gatehouse.netlink.SetElement;
import io.gatehouse.netlink.SetElement.Data;
import io.gatehouse.netlink.SetId;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Live maps that behave as the kernel's: all of a batch or nothing, errors where it has them. */
final class MapsInMemory implements Store {
  private Map<SetId, Map<Bytes, Data>> maps = new HashMap<>();
  private int batches;

  MapsInMemory(Model model) {
    load(model);
  }

  void load(Model model) {
    model.maps().all().forEach(map -> maps.putIfAbsent(Wish.id(map), new HashMap<>()));
  }

  void flush() {
    maps.clear();
  }

  Map<Bytes, Data> in(SetId map) {
    return maps.getOrDefault(map, Map.of());
  }

  void put(SetId map, Bytes key, Data data) {
    maps.getOrDefault(map, new HashMap<>()).put(key, data);
  }

  void take(SetId map, Bytes key) {
    maps.getOrDefault(map, new HashMap<>()).remove(key);
  }

  int batches() {
    return batches;
  }

  @Override
  public synchronized Answer<List<SetElement>> elements(SetId map) {
    if (!maps.containsKey(map)) {
      return new Answer.Failed<>(new Failure(Failure.NO_SUCH, Optional.empty()));
    }
    List<SetElement> all = new ArrayList<>();
    in(map).forEach((key, data) -> all.add(SetElement.of(key, data)));
    return new Answer.Told<>(all);
  }

  @Override
  public synchronized Answer<Boolean> change(List<ElementChange> changes) {
    if (changes.isEmpty()) {
      return new Answer.Told<>(true);
    }
    batches++;
    Map<SetId, Map<Bytes, Data>> after = new HashMap<>();
    maps.forEach((map, elements) -> after.put(map, new HashMap<>(elements)));
    for (ElementChange change : changes) {
      Map<Bytes, Data> map = after.get(change.set());
      Data data = change.element().data().orElseThrow();
      Bytes key = change.element().key();
      boolean done =
          map != null
              && switch (change) {
                case ElementChange.Add add -> data.equals(map.merge(key, data, (a, b) -> a));
                case ElementChange.Remove remove -> map.remove(key, data);
              };
      if (!done) {
        return new Answer.Failed<>(new Failure(Failure.NO_SUCH, Optional.empty()));
      }
    }
    maps = after;
    return new Answer.Told<>(true);
  }

  @Override
  public void close() {}
}
