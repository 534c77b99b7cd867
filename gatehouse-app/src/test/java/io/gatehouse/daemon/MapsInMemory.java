package io.gatehouse.daemon;

import io.gatehouse.model.Address;
import io.gatehouse.netlink.Answer;
import io.gatehouse.netlink.Bytes;
import io.gatehouse.netlink.Connection;
import io.gatehouse.netlink.ElementChange;
import io.gatehouse.netlink.Failure;
import io.gatehouse.netlink.RouteMessage;
import io.gatehouse.netlink.RouteMessage.Neighbour;
import io.gatehouse.netlink.SetElement;
import io.gatehouse.netlink.SetElement.Data;
import io.gatehouse.netlink.SetId;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Live maps that behave as the kernel's: all of a batch or nothing, errors where it has them.
 * Beside them devices, proxy neighbours and connections.
 */
final class MapsInMemory implements Store {
  private Map<SetId, Map<Bytes, Data>> maps = new HashMap<>();
  private final Map<Bytes, Duration> lasting = new HashMap<>();
  private List<RouteMessage> devices = List.of();
  private final Map<Address, Neighbour> proxies = new HashMap<>();
  private final List<Connection> connections = new ArrayList<>();
  private boolean deaf;
  private boolean heldBack;
  private boolean old;
  private int refusals;
  private int batches;
  private int changes;

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

  /** Refuses so many of the next calls about maps, as a kernel without memory does. */
  void refuses(int calls) {
    refusals = calls;
  }

  private boolean refuses() {
    return refusals > 0 && refusals-- > 0;
  }

  private static <T> Answer<T> withoutMemory() {
    return new Answer.Failed<>(new Failure(12, Optional.empty()));
  }

  int batches() {
    return batches;
  }

  /** Elements that came or went. */
  int changes() {
    return changes;
  }

  @Override
  public synchronized Answer<List<SetElement>> elements(SetId map) {
    if (refuses()) {
      return withoutMemory();
    }
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
    if (refuses()) {
      return withoutMemory();
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
    for (ElementChange change : changes) {
      if (change instanceof ElementChange.Add) {
        lasting.remove(change.element().key());
        change.element().timeout().ifPresent(time -> lasting.put(change.element().key(), time));
      }
    }
    maps = after;
    this.changes += changes.size();
    return new Answer.Told<>(true);
  }

  /** How long the element with that key lasts in whatever map it was added to last. */
  Optional<Duration> lasting(Bytes key) {
    return Optional.ofNullable(lasting.get(key));
  }

  /** These are the host's from now on; nobody is told. */
  void has(List<RouteMessage> some) {
    devices = List.copyOf(some);
  }

  void connected(Connection connection) {
    connections.add(connection);
  }

  /** Whether lists of connections fail. */
  void deaf(boolean is) {
    deaf = is;
  }

  List<Connection> connected() {
    return List.copyOf(connections);
  }

  void answers(Neighbour neighbour) {
    proxies.put(neighbour.address(), neighbour);
  }

  Map<Address, Neighbour> answered() {
    return Map.copyOf(proxies);
  }

  @Override
  public Answer<List<RouteMessage>> devices() {
    return new Answer.Told<>(devices);
  }

  @Override
  public Answer<List<RouteMessage>> proxies() {
    return new Answer.Told<>(List.copyOf(proxies.values()));
  }

  @Override
  public Answer<Boolean> proxy(Address address, int device, int protocol, boolean answers) {
    if (answers) {
      proxies.put(address, new Neighbour(device, address, true, protocol, false));
    } else if (proxies.remove(address) == null) {
      return new Answer.Failed<>(new Failure(Failure.NO_SUCH, Optional.empty()));
    }
    return new Answer.Told<>(true);
  }

  @Override
  public Answer<List<Connection>> connections() {
    return deaf
        ? new Answer.Failed<>(new Failure(105, Optional.empty()))
        : new Answer.Told<>(List.copyOf(connections));
  }

  @Override
  public Answer<Boolean> forget(Connection connection) {
    return connections.remove(connection)
        ? new Answer.Told<>(true)
        : new Answer.Failed<>(new Failure(Failure.NO_SUCH, Optional.empty()));
  }

  /** Whether L2TP in clear is held back. */
  boolean heldBack() {
    return heldBack;
  }

  /** Whether the kernel is too old for a table of one's own. */
  void old(boolean is) {
    old = is;
  }

  @Override
  public Answer<Boolean> holdBack(boolean wanted) {
    if (old) {
      return new Answer.Failed<>(new Failure(95, Optional.empty()));
    }
    heldBack = wanted;
    return new Answer.Told<>(true);
  }

  @Override
  public void close() {}
}
