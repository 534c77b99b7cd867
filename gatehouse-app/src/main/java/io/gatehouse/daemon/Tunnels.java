package io.gatehouse.daemon;

import io.gatehouse.model.Numbers;
import io.gatehouse.netlink.SetElement.Data;
import io.gatehouse.vici.CharonNews;
import io.gatehouse.vici.ChildSa;
import io.gatehouse.vici.IkeSa;
import io.gatehouse.vici.TunnelEvent;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

/**
 * Who is there, by what the IKE daemon told, and what is to stand in the live maps because of it.
 * No I/O and no clock: a function of the news. What two IKE SAs want differently at one place is
 * wanted by neither, so that the least class is left.
 */
final class Tunnels {
  /** IKE SAs of which only children were told, by an updown hook: they end with the last. */
  private final Set<Long> implied = new HashSet<>();

  private final Map<Long, IkeSa> ikes = new LinkedHashMap<>();
  private final Map<Long, Map<Long, ChildSa>> children = new HashMap<>();
  private final Map<Long, Long> ikeOfChild = new HashMap<>();

  /** By place, then by the IKE SA that wants it. */
  private final Map<Slot, Map<Long, Data>> wanted = new HashMap<>();

  private final Map<Long, List<Slot>> placesOf = new HashMap<>();
  private final Map<Long, Set<Long>> marksOf = new HashMap<>();

  /** How many IKE SAs have an SA with that mark. */
  private final Map<Long, Integer> holders = new HashMap<>();

  private final Map<Long, List<String>> refusals = new LinkedHashMap<>();

  /** Where clients are to be answered for, by their IKE SA; those that have none are not in it. */
  private final Map<Long, Set<Presence>> presences = new HashMap<>();

  /** IKE SAs whose wishes have to be made anew. */
  private final Set<Long> stale = new LinkedHashSet<>();

  private final Set<Slot> touched = new LinkedHashSet<>();

  private final Map<Long, Instant> since = new HashMap<>();
  private final Map<Long, Instant> rekeys = new HashMap<>();

  private Instant now = Instant.EPOCH;
  private Derivation derivation;
  private Zones zones;
  private Numbers.Span span;
  private boolean listAgain;
  private boolean reachable;

  Tunnels(Model model) {
    derivation = new Derivation(model);
    span = model.gateway().numbers().transportZones();
    zones = new Zones(span.first(), span.last());
  }

  /** Another description stands: the same SAs, other wishes. */
  void follow(Model model) {
    derivation = new Derivation(model);
    if (!span.equals(model.gateway().numbers().transportZones())) {
      span = model.gateway().numbers().transportZones();
      zones = new Zones(span.first(), span.last());
    }
    stale.addAll(ikes.keySet());
    deriveStale();
  }

  Zones zones() {
    return zones;
  }

  /** When that happens which is told next. */
  void at(Instant time) {
    now = time;
  }

  /** What was told. */
  void hear(CharonNews news) {
    switch (news) {
      case CharonNews.Listed(List<IkeSa> all) -> listed(all);
      case CharonNews.Stands(IkeSa ike) -> stands(ike);
      case CharonNews.Happened(TunnelEvent event) -> happened(event, false);
      case CharonNews.Hooked(TunnelEvent event) -> happened(event, true);
      // Nobody says any more who is behind an address: whoever it is gets the least. The marks of
      // SAs stand in the kernel, and stay.
      case CharonNews.Unreachable unreachable -> {
        reachable = false;
        stale.addAll(ikes.keySet());
      }
    }
    deriveStale();
    if (news instanceof CharonNews.Listed) {
      zones.keepOnly(holders.keySet());
    }
  }

  private void deriveStale() {
    stale.forEach(this::derive);
    stale.clear();
  }

  private void listed(List<IkeSa> all) {
    reachable = true;
    Set<Long> gone = new LinkedHashSet<>(ikes.keySet());
    all.forEach(ike -> gone.remove(ike.id()));
    gone.forEach(this::forget);
    all.forEach(this::stands);
    listAgain = false;
  }

  /** All that is known of one IKE SA; children that another had are its own from now on. */
  private void stands(IkeSa ike) {
    implied.remove(ike.id());
    Map<Long, ChildSa> mine = children.computeIfAbsent(ike.id(), id -> new LinkedHashMap<>());
    mine.keySet()
        .forEach(child -> {
          ikeOfChild.remove(child);
          rekeys.remove(child);
        });
    mine.clear();
    begun(ike);
    ikes.put(ike.id(), ike.with(List.of()));
    for (ChildSa child : ike.children()) {
      put(ike.id(), child);
    }
    stale.add(ike.id());
  }

  private void happened(TunnelEvent event, boolean hooked) {
    long id = event.ike().id();
    switch (event) {
      case TunnelEvent.IkeUp up -> {
        know(up.ike());
        implied.remove(id);
        stale.add(id);
      }
      case TunnelEvent.IkeDown down -> {
        // Its children are told first. Those that are left may have gone over to another IKE SA.
        listAgain |= !children.getOrDefault(id, Map.of()).isEmpty();
        forget(id);
      }
      case TunnelEvent.IkeRekeyed(IkeSa old, IkeSa ike) -> {
        know(ike);
        List.copyOf(children.getOrDefault(old.id(), Map.of()).values())
            .forEach(child -> put(ike.id(), child));
        forget(old.id());
        stale.add(ike.id());
      }
      case TunnelEvent.Moved moved -> know(moved.ike());
      case TunnelEvent.ChildUp(IkeSa ike, ChildSa child) -> {
        if (hooked && !ikes.containsKey(id)) {
          implied.add(id);
        }
        know(ike);
        put(id, child);
        stale.add(id);
      }
      case TunnelEvent.ChildRekeyed(IkeSa ike, ChildSa old, ChildSa child) -> {
        know(ike);
        drop(old.id());
        put(id, child);
        stale.add(id);
      }
      case TunnelEvent.ChildDown(IkeSa ike, ChildSa child) -> {
        Long owner = ikeOfChild.get(child.id());
        drop(child.id());
        if (owner != null
            && implied.contains(owner)
            && children.getOrDefault(owner, Map.of()).isEmpty()) {
          forget(owner);
        }
      }
    }
  }

  /** What an event says of an IKE SA is newer than what is known, where it says it. */
  private void know(IkeSa told) {
    begun(told);
    IkeSa known = ikes.getOrDefault(told.id(), told);
    ikes.put(
        told.id(),
        new IkeSa(
            told.connection(),
            told.id(),
            told.local().or(known::local),
            told.remote().or(known::remote),
            told.remoteId().or(known::remoteId),
            told.eapId().or(known::eapId),
            told.xauthId().or(known::xauthId),
            told.virtual().isEmpty() ? known.virtual() : told.virtual(),
            told.since().or(known::since),
            List.of(),
            told.cookie().isPresent() ? told.cookie() : known.cookie()));
    children.computeIfAbsent(told.id(), id -> new LinkedHashMap<>());
  }

  /** It says how long it stands as of now; where it does not, it has just come. */
  private void begun(IkeSa ike) {
    if (ike.since().isPresent()) {
      since.put(ike.id(), now.minus(ike.since().get()));
    } else {
      since.putIfAbsent(ike.id(), now);
    }
  }

  private void put(long ike, ChildSa child) {
    drop(child.id());
    child.rekeyIn().ifPresent(time -> rekeys.put(child.id(), now.plus(time)));
    children.computeIfAbsent(ike, id -> new LinkedHashMap<>()).put(child.id(), child);
    ikeOfChild.put(child.id(), ike);
  }

  private void drop(long child) {
    rekeys.remove(child);
    Long owner = ikeOfChild.remove(child);
    if (owner != null) {
      children.getOrDefault(owner, new HashMap<>()).remove(child);
      stale.add(owner);
    }
  }

  private void forget(long ike) {
    ikes.remove(ike);
    implied.remove(ike);
    since.remove(ike);
    Map<Long, ChildSa> left = children.remove(ike);
    if (left != null) {
      left.keySet().stream().filter(child -> ikeOfChild.remove(child, ike)).forEach(rekeys::remove);
    }
    stale.add(ike);
  }

  /** Wishes anew what an IKE SA wants. */
  private void derive(long id) {
    for (Slot slot : placesOf.getOrDefault(id, List.of())) {
      Map<Long, Data> here = wanted.getOrDefault(slot, new HashMap<>());
      here.remove(id);
      if (here.isEmpty()) {
        wanted.remove(slot);
      }
      touched.add(slot);
    }
    placesOf.remove(id);
    refusals.remove(id);
    presences.remove(id);
    Optional<IkeSa> ike = Optional.ofNullable(ikes.get(id));
    Collection<ChildSa> below = children.getOrDefault(id, Map.of()).values();
    marks(id, below);
    if (ike.isEmpty()) {
      return;
    }
    List<String> refused = new ArrayList<>();
    List<Slot> places = new ArrayList<>();
    boolean known = reachable || implied.contains(id);
    for (Wish wish : derivation.wishes(ike.get(), below, known, zones, refused::add)) {
      wanted.computeIfAbsent(wish.slot(), slot -> new HashMap<>()).put(id, wish.data());
      places.add(wish.slot());
      touched.add(wish.slot());
    }
    Set<Presence> present = derivation.presences(ike.get(), below);
    if (!present.isEmpty()) {
      presences.put(id, present);
    }
    if (!places.isEmpty()) {
      placesOf.put(id, places);
    }
    if (!refused.isEmpty()) {
      refusals.put(id, refused);
    }
  }

  /** Gives back the zones of marks that no SA has any more. */
  private void marks(long id, Collection<ChildSa> below) {
    Set<Long> now = new HashSet<>();
    below.forEach(child -> child.markIn().ifPresent(mark -> now.add(mark.value())));
    Set<Long> before =
        Optional.ofNullable(now.isEmpty() ? marksOf.remove(id) : marksOf.put(id, now))
            .orElse(Set.of());
    now.stream()
        .filter(mark -> !before.contains(mark))
        .forEach(mark -> holders.merge(mark, 1, Integer::sum));
    for (long mark : before) {
      // While an IKE SA is renewed, both have it.
      if (!now.contains(mark) && holders.merge(mark, -1, Integer::sum) <= 0) {
        holders.remove(mark);
        zones.release(mark);
      }
    }
  }

  // ---- what is to stand ----

  /** What is to stand there; nothing where nobody wants it, or two want different things. */
  Optional<Data> wanted(Slot slot) {
    Map<Long, Data> here = wanted.getOrDefault(slot, Map.of());
    Set<Data> different = new HashSet<>(here.values());
    return different.size() == 1 ? Optional.of(different.iterator().next()) : Optional.empty();
  }

  /** Everything that is to stand. */
  Map<Slot, Data> wanted() {
    Map<Slot, Data> all = new HashMap<>();
    wanted.keySet().forEach(slot -> wanted(slot).ifPresent(data -> all.put(slot, data)));
    return all;
  }

  /** The clients that this host is to answer for. */
  Set<Presence> presences() {
    Set<Presence> all = new HashSet<>();
    presences.values().forEach(all::addAll);
    return all;
  }

  /** The places where something changed since this was last asked. */
  Set<Slot> touched() {
    Set<Slot> all = new LinkedHashSet<>(touched);
    touched.clear();
    return all;
  }

  /** Whether something is not known for sure, since this was last asked. */
  boolean wantsList() {
    boolean wants = listAgain;
    listAgain = false;
    return wants;
  }

  // ---- for people ----

  /** Who is there. */
  List<Session> sessions() {
    List<Session> sessions = new ArrayList<>();
    ikes.forEach((id, ike) -> {
      List<ChildSa> below = List.copyOf(children.getOrDefault(id, Map.of()).values());
      Optional<String> tunnel =
          below.stream()
              .flatMap(child -> derivation.tunnel(ike, child).stream())
              .map(t -> t.name())
              .findFirst();
      Optional<String> group =
          below.stream()
              .flatMap(child -> derivation.tunnel(ike, child).stream())
              .flatMap(t -> derivation.group(t, ike).stream())
              .map(g -> g.name())
              .findFirst();
      OptionalInt zone =
          below.stream()
              .flatMap(child -> child.markIn().stream())
              .flatMapToInt(mark -> zones.given(mark.value()).stream())
              .findFirst();
      sessions.add(
          new Session(
              ike.with(below),
              tunnel,
              group,
              zone.isPresent() ? Optional.of(zone.getAsInt()) : Optional.empty(),
              since.getOrDefault(id, now),
              below.stream()
                  .flatMap(child -> Optional.ofNullable(rekeys.get(child.id())).stream())
                  .min(Instant::compareTo)));
    });
    return sessions;
  }

  /**
   * An IKE SA with its children.
   *
   * @param tunnel of the description; nothing where it is of none
   * @param group that its identity makes it a member of
   * @param zone of conntrack, of an L2TP client
   * @param since when it began
   * @param rekey when the first of its children is to be renewed
   */
  record Session(
      IkeSa ike,
      Optional<String> tunnel,
      Optional<String> group,
      Optional<Integer> zone,
      Instant since,
      Optional<Instant> rekey) {}

  /** What could not be wished, in words. */
  List<String> refusals() {
    return refusals.values().stream().flatMap(List::stream).distinct().toList();
  }
}
