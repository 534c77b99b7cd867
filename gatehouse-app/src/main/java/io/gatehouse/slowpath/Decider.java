package io.gatehouse.slowpath;

import io.gatehouse.masquerade.Change;
import io.gatehouse.masquerade.Masquerade;
import io.gatehouse.masquerade.Reason;
import io.gatehouse.masquerade.Status;
import io.gatehouse.masquerade.Verdict;
import io.gatehouse.model.Address;
import io.gatehouse.netlink.Bytes;
import io.gatehouse.netlink.ElementChange;
import io.gatehouse.netlink.PacketQueue.Ruling;
import io.gatehouse.netlink.SetElement;
import io.gatehouse.netlink.SetId;
import io.gatehouse.packet.Ike;
import io.gatehouse.packet.Ip;
import io.gatehouse.packet.Udp;
import io.gatehouse.ruleset.NftSet;
import io.gatehouse.slowpath.Elements.Cookie;
import io.gatehouse.slowpath.Elements.Spi;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.function.Predicate;

/**
 * Makes of packets what is to be done: asks the engine, keeps what stands in the maps, and packets
 * that have to wait. A function of what it is told; times are milliseconds that never go back.
 */
final class Decider {
  /** Packets that may wait. Beyond, they go on at once, and the engine is told. */
  static final int ROOM = 1024;

  /** Of one host: no host takes the room from the others. */
  static final int ROOM_OF_HOST = 16;

  /**
   * So many hosts that are refused because another one has the session are named within {@link
   * #AGAIN}, each once for a remote: addresses inside may be forged.
   */
  static final int NAMED = 256;

  private static final long AGAIN = 60 * 60_000;

  /**
   * A host keeps its zone so many milliseconds longer than it holds something in it: stock
   * conntrack forgets its connections meanwhile (nf_conntrack_generic_timeout, 600 s for ESP).
   */
  private static final long REST = 15 * 60_000;

  /** Elements for which the kernel had no room, tried again in a second. */
  private static final int RETRIES = 16;

  private final Plan plan;
  private final Masquerade engine;
  private final Elements elements;
  private final HostZones zones;
  private final Map<Spi, Address> bound = new HashMap<>();
  private final Map<Cookie, Address> sessions = new HashMap<>();
  private final Map<Spi, Long> used = new HashMap<>();
  private final Set<Pair> watched = new HashSet<>();
  private final Set<Spi> own = new HashSet<>();
  private Set<SlowPath.OwnIke> ownIke = Set.of();
  private final Map<Message, Held> held = new LinkedHashMap<>();

  /** When a refusal was said, the oldest first. */
  private final Map<Pair, Long> said = new LinkedHashMap<>();

  /** Since the last listing began: hosts with a new zone, and SPIs that were let go. */
  private final Set<Address> newlyZoned = new HashSet<>();

  private final Set<Spi> unbound = new HashSet<>();

  /** What is bound, and stands in no map of the kernel's because that is full. */
  private final Set<Place> unplaced = new LinkedHashSet<>();

  private long withoutZone;
  private long withoutRoom;
  private long latest;

  /** Where an element stands. */
  private record Place(SetId set, Bytes key) {}

  private record Pair(Address host, Address remote) {}

  /**
   * The message of an exchange that a host sends, however often it does.
   *
   * @param answers where the remote asked: both ends count their requests from zero
   */
  private record Message(
      Address host, Address remote, long cookie, int exchange, int number, boolean answers) {
    static Message of(Ip packet, Ike ike) {
      return new Message(
          packet.source(),
          packet.destination(),
          ike.initiator(),
          ike.exchange(),
          ike.messageId(),
          ike.answers());
    }
  }

  private record Held(Asked asked, long until) {}

  Decider(Plan plan, long salt) {
    this.plan = plan;
    engine = new Masquerade(plan.settings(), salt);
    zones = new HostZones(plan.zones());
    elements = new Elements(plan.maps(), plan.lifetime());
  }

  // ---- what stands since before

  /** Takes over what a predecessor left in the maps; of hosts, those whose pair is whole. */
  void recall(Standing listed, long now) {
    latest = now;
    Map<Integer, Address> back = new HashMap<>();
    for (SetElement element : listed.hosts()) {
      Optional<Address> host = Elements.hostBack(element);
      OptionalInt zone = Elements.zoneBack(element);
      if (host.isPresent() && zone.isPresent()) {
        back.put(zone.getAsInt(), host.get());
      }
    }
    Map<Integer, Address> hosts = new HashMap<>();
    for (SetElement element : listed.zones()) {
      Optional<Address> host = Elements.address(element).filter(elements::isClient);
      OptionalInt zone = Elements.zone(element);
      if (host.isPresent() && zone.isPresent() && host.get().equals(back.get(zone.getAsInt()))) {
        zones.recall(host.get(), zone.getAsInt(), now);
      }
      if (host.isPresent() && zone.isPresent() && zones.of(host.get()).equals(zone)) {
        hosts.put(zone.getAsInt(), host.get());
      }
    }
    // Where only one host may have a session, who has used his last is taken for it.
    List<SetElement> lastUsedFirst =
        listed.spis().stream().sorted(Comparator.comparingLong(elements::idle)).toList();
    for (SetElement element : lastUsedFirst) {
      Optional<Address> host = host(element, hosts);
      Elements.spi(element)
          .ifPresent(spi -> host.ifPresent(h -> engine.recall(spi.remote(), spi.spi(), h, now)));
    }
    for (SetElement element : listed.cookies()) {
      Optional<Address> host = host(element, hosts);
      Elements.cookie(element)
          .ifPresent(cookie ->
              host.ifPresent(h -> engine.recallCookie(cookie.remote(), cookie.cookie(), h, now)));
    }
    take(new Step());
  }

  private static Optional<Address> host(SetElement element, Map<Integer, Address> hosts) {
    OptionalInt zone = Elements.zone(element);
    return zone.isPresent() ? Optional.ofNullable(hosts.get(zone.getAsInt())) : Optional.empty();
  }

  /**
   * What makes the maps hold all that is to stand, and nothing else: an SPI that leads to a zone
   * whose host has changed would lead to the wrong one.
   */
  Step everything(Standing listed) {
    Step step = new Step();
    Set<Place> right = new HashSet<>();
    for (SetElement element : listed.zones()) {
      keep(element, Elements.address(element), Elements.zone(element), plan.maps().zones(), step)
          .ifPresent(right::add);
    }
    for (SetElement element : listed.hosts()) {
      keep(
              element,
              Elements.hostBack(element),
              Elements.zoneBack(element),
              plan.maps().hosts(),
              step)
          .ifPresent(right::add);
    }
    for (SetElement element : listed.spis()) {
      keep(element, owner(element), Elements.zone(element), plan.maps().spis(), step)
          .ifPresent(right::add);
    }
    plan.maps().direct().ifPresent(map -> direct(listed.direct(), map, right, step));
    for (SetElement element : listed.cookies()) {
      Optional<Address> host =
          Elements.cookie(element).flatMap(cookie -> Optional.ofNullable(sessions.get(cookie)));
      keep(element, host, Elements.zone(element), plan.maps().cookies(), step)
          .ifPresent(right::add);
    }
    // Without a time-out of their own, they would stay as long as the table does.
    watched(listed.watched(), right, step);
    own(listed.own(), right, step);
    missing(step, right);
    return step;
  }

  private Optional<Address> owner(SetElement element) {
    return Elements.spi(element).flatMap(spi -> Optional.ofNullable(bound.get(spi)));
  }

  /** The place of an element that leads to its host's zone or back; another is removed. */
  private Optional<Place> keep(
      SetElement element, Optional<Address> host, OptionalInt zone, NftSet map, Step step) {
    return keep(
        element,
        zone.isPresent() && host.filter(h -> zones.of(h).equals(zone)).isPresent(),
        map,
        step);
  }

  private static Optional<Place> keep(SetElement element, boolean right, NftSet map, Step step) {
    SetId set = Elements.id(map);
    if (right) {
      return Optional.of(new Place(set, element.key()));
    }
    step.change(new ElementChange.Remove(set, element));
    return Optional.empty();
  }

  /** Those that lead to whom their SPI is bound stay. */
  private void direct(List<SetElement> listed, NftSet map, Set<Place> right, Step step) {
    for (SetElement element : listed) {
      Optional<Address> host = owner(element);
      boolean rightly = host.isPresent() && host.equals(Elements.hostBack(element));
      keep(element, rightly, map, step).ifPresent(right::add);
    }
  }

  /**
   * Adds what is to stand.
   *
   * @param right what stands
   */
  private void missing(Step step, Set<Place> right) {
    Predicate<ElementChange> lacks =
        change -> !right.contains(new Place(change.set(), change.element().key()));
    zones.forEach(
        (host, zone) -> step.change(elements.zone(host, zone).stream().filter(lacks).toList()));
    bound.forEach((spi, host) -> bind(spi, host).filter(lacks).ifPresent(step::change));
    bound.forEach((spi, host) -> elements.direct(spi, host).filter(lacks).ifPresent(step::change));
    sessions.forEach((cookie, host) -> bind(cookie, host).filter(lacks).ifPresent(step::change));
    watched.stream()
        .map(pair -> elements.watch(pair.host, pair.remote, true))
        .filter(lacks)
        .forEach(step::change);
    own.forEach(spi -> elements.own(spi, true).filter(lacks).ifPresent(step::change));
  }

  private void watched(List<SetElement> listed, Set<Place> right, Step step) {
    Set<Bytes> wanted = new HashSet<>();
    watched.forEach(
        pair -> wanted.add(elements.watch(pair.host, pair.remote, true).element().key()));
    only(wanted, plan.maps().watched(), listed, right, step);
  }

  private void own(List<SetElement> listed, Set<Place> right, Step step) {
    Set<Bytes> wanted = new HashSet<>();
    own.forEach(spi -> elements.own(spi, true).ifPresent(add -> wanted.add(add.element().key())));
    plan.maps().own().ifPresent(set -> only(wanted, set, listed, right, step));
  }

  /** Of a set: what is wanted stays, another goes. */
  private static void only(
      Set<Bytes> wanted, NftSet set, List<SetElement> listed, Set<Place> right, Step step) {
    SetId id = Elements.id(set);
    for (SetElement element : listed) {
      if (wanted.contains(element.key())) {
        right.add(new Place(id, element.key()));
      } else {
        step.change(new ElementChange.Remove(id, SetElement.of(element.key())));
      }
    }
  }

  private Optional<ElementChange> bind(Spi spi, Address host) {
    OptionalInt zone = zones.of(host);
    return zone.isPresent() ? elements.bind(spi, zone.getAsInt()) : Optional.empty();
  }

  private Optional<ElementChange> bind(Cookie cookie, Address host) {
    OptionalInt zone = zones.of(host);
    return zone.isPresent() ? elements.bind(cookie, zone.getAsInt()) : Optional.empty();
  }

  /** The SPIs under which this host itself receives, all of them. */
  Step own(Set<Spi> all) {
    Step step = new Step();
    for (Spi spi : all) {
      if (own.add(spi)) {
        engine.own(spi.remote(), spi.spi());
        elements.own(spi, true).ifPresent(step::change);
      }
    }
    for (Spi spi : Set.copyOf(own)) {
      if (!all.contains(spi)) {
        own.remove(spi);
        engine.disown(spi.remote(), spi.spi());
        elements.own(spi, false).ifPresent(step::change);
      }
    }
    take(step);
    return step;
  }

  /**
   * This host's own IKE SAs, all that are known. The kernel learns their cookies when this host
   * sends under them; until then only this tells that they are nobody's inside.
   */
  void ownIke(Set<SlowPath.OwnIke> all) {
    ownIke = all;
  }

  // ---- packets

  /** What to do about packets that came. */
  Step asked(List<Asked> packets, long now) {
    Step step = new Step();
    packets.forEach(packet -> decide(packet, step, now));
    return step;
  }

  private void decide(Asked asked, Step step, long now) {
    latest = now;
    if (asked.inbound()) {
      inbound(asked, step, now);
    } else {
      outbound(asked, step, now);
    }
  }

  private void outbound(Asked asked, Step step, long now) {
    Ip packet = asked.packet();
    Address host = packet.source();
    boolean zoned = zones.of(host).isPresent();
    if (!zoned && !mayHaveZone(host)) {
      step.rule(asked, Ruling.DROP);
      return;
    }
    // Asked before it gets a zone: what is refused takes none.
    Verdict verdict = engine.outbound(packet, now);
    Set<Address> decided = take(step);
    zones.seen(host, now);
    switch (verdict) {
      case Verdict.Drop(Reason reason) -> {
        step.rule(asked, Ruling.DROP);
        say(reason, host, packet.destination(), step, now);
      }
      case Verdict.NotOurs other -> step.rule(asked, Ruling.ACCEPT);
      // It comes again, in its zone: the engine takes it for sent again.
      case Verdict accepted when !zoned ->
          step.rule(asked, zone(host, step) ? Ruling.REPEAT : Ruling.DROP);
      case Verdict.Hold(long until) -> hold(asked, until, step, now);
      default -> step.rule(asked, Ruling.ACCEPT);
    }
    again(decided, step, now);
  }

  private void inbound(Asked asked, Step step, long now) {
    Ip packet = asked.packet();
    if (isForThisHost(packet)) {
      step.rule(asked, Ruling.ACCEPT);
      return;
    }
    Optional<Cookie> cookie = Headers.cookie(packet).map(c -> new Cookie(packet.source(), c));
    boolean standing = cookie.filter(sessions::containsKey).isPresent();
    Verdict verdict = engine.inbound(packet, now);
    Set<Address> decided = take(step);
    switch (verdict) {
      // This host's own rules say what becomes of what nobody inside began.
      case Verdict.Drop(Reason reason) when reason == Reason.NO_HOST ->
          step.rule(asked, Ruling.ACCEPT);
      case Verdict.Drop drop -> step.rule(asked, Ruling.DROP);
      case Verdict.To(Address host) -> to(asked, host, standing, step);
      case Verdict.Copies(List<Address> hosts) -> {
        hosts.forEach(host -> {
          copy(asked, host, step);
          watch(host, packet.source(), step);
        });
        step.rule(asked, unclaimed(packet));
      }
      default -> step.rule(asked, Ruling.ACCEPT);
    }
    again(decided, step, now);
  }

  private void to(Asked asked, Address host, boolean standing, Step step) {
    Ip packet = asked.packet();
    Optional<Spi> spi = Headers.spi(packet).map(s -> new Spi(packet.source(), s));
    if (spi.isPresent() && host.equals(bound.get(spi.get())) && isPlaced(bind(spi.get(), host))) {
      // Put in once more, because it may just have gone: a packet comes again for what is not
      // there.
      bind(spi.get(), host).ifPresent(step::change);
      step.rule(asked, Ruling.REPEAT);
    } else if (standing && isPlaced(bindOf(packet))) {
      step.rule(asked, Ruling.ACCEPT);
    } else {
      copy(asked, host, step);
      step.rule(asked, unclaimed(packet));
    }
  }

  private Optional<ElementChange> bindOf(Ip packet) {
    Optional<Cookie> cookie = Headers.cookie(packet).map(c -> new Cookie(packet.source(), c));
    return cookie.flatMap(c -> Optional.ofNullable(sessions.get(c)).flatMap(host -> bind(c, host)));
  }

  /** Whether the kernel leads there: where it had no room, copies go, from this host. */
  private boolean isPlaced(Optional<ElementChange> change) {
    return change.map(Decider::place).filter(unplaced::contains).isEmpty();
  }

  private static Place place(ElementChange change) {
    return new Place(change.set(), change.element().key());
  }

  /**
   * Where this host speaks IPsec itself, who begins a session begins it with this host, but for
   * those whose sessions a server inside gets. What it is known to have begun is its own.
   */
  private boolean isForThisHost(Ip packet) {
    Optional<Long> cookie = Headers.cookie(packet);
    if (cookie.isPresent() && ownIke.contains(new SlowPath.OwnIke(packet.source(), cookie.get()))) {
      return true;
    }
    boolean begins =
        packet.body() instanceof Udp udp
            && udp.content() instanceof Ike ike
            && ike.responder() == 0
            && !sessions.containsKey(new Cookie(packet.source(), ike.initiator()));
    return begins && plan.maps().own().isPresent() && !isOfServer(packet);
  }

  /** What became copies: IKE that nobody has claimed may be this host's own, of before. */
  private Ruling unclaimed(Ip packet) {
    boolean mayBeOwn = packet.protocol() == Ip.UDP && plan.maps().own().isPresent();
    return mayBeOwn && !isOfServer(packet) ? Ruling.ACCEPT : Ruling.DROP;
  }

  private boolean isOfServer(Ip packet) {
    return plan.settings().servers().stream()
        .anyMatch(server -> server.remotes().contains(packet.source()));
  }

  private void copy(Asked asked, Address host, Step step) {
    if (elements.isClient(host)) {
      step.copy(asked.raw(), host);
    }
  }

  /** Keeps one packet of each exchange: a host that sends it again would fill the room. */
  private void hold(Asked asked, long until, Step step, long now) {
    Ip packet = asked.packet();
    Optional<Message> message = Headers.ike(packet).map(ike -> Message.of(packet, ike));
    if (message.filter(held::containsKey).isPresent()) {
      step.rule(asked, Ruling.DROP);
    } else if (message.isPresent() && hasRoomFor(packet.source())) {
      held.put(message.get(), new Held(asked, until));
    } else {
      engine.goesOn(packet, now);
      take(step);
      step.rule(asked, Ruling.ACCEPT);
    }
  }

  private boolean hasRoomFor(Address host) {
    return held.size() < ROOM
        && held.keySet().stream().filter(one -> one.host.equals(host)).count() < ROOM_OF_HOST;
  }

  /** Tells whoever runs this of a host that gets no session because another one has it. */
  private void say(Reason reason, Address host, Address remote, Step step, long now) {
    Pair pair = new Pair(host, remote);
    if (reason != Reason.PARALLEL || said.containsKey(pair)) {
      return;
    }
    if (said.size() < NAMED) {
      Address first = engine.first(remote, now).orElse(host);
      step.say(
          ("%s gets no session with %s: %s has one, and `parallel-sessions` is off; if that is"
                  + " dead: gatehouse masquerade release %s %s")
              .formatted(host, remote, first, first, remote));
    } else if (said.size() == NAMED) {
      step.say(
          "more hosts get no session because `parallel-sessions` is off; they are counted by"
              + " gatehouse masquerade status, and named again in an hour");
    } else {
      return;
    }
    said.put(pair, now);
  }

  /** Where something was bound, what waited for that remote is asked again. */
  private void again(Set<Address> remotes, Step step, long now) {
    if (!remotes.isEmpty()) {
      wake(one -> remotes.contains(one.asked.packet().destination()), step, now);
    }
  }

  private void wake(Predicate<Held> which, Step step, long now) {
    List<Held> awake = held.values().stream().filter(which).toList();
    held.values().removeIf(which);
    awake.forEach(one -> decide(one.asked, step, now));
  }

  // ---- maps

  /** Whether a host can get a zone where it has none. */
  private boolean mayHaveZone(Address host) {
    boolean client = elements.isClient(host);
    if (client && zones.isFull() && zones.longestIdle().isEmpty()) {
      withoutZone++;
      return false;
    }
    return client;
  }

  /**
   * A zone for a host that has none; whether there is one. Where all are taken, whoever has held
   * nothing for the longest time gives his.
   */
  private boolean zone(Address host, Step step) {
    if (zones.of(host).isPresent()) {
      return true;
    }
    if (!mayHaveZone(host)) {
      return false;
    }
    List<ElementChange> together = new ArrayList<>();
    if (zones.isFull()) {
      zones.longestIdle().ifPresent(idle -> together.addAll(takeBack(idle)));
    }
    together.addAll(elements.zone(host, zones.give(host, latest)));
    newlyZoned.add(host);
    step.change(together);
    return true;
  }

  private List<ElementChange> takeBack(Address host) {
    OptionalInt zone = zones.takeBack(host);
    return zone.isPresent() ? elements.zoneGone(host, zone.getAsInt()) : List.of();
  }

  /** Takes the engine's changes over, and tells for which remotes something was bound. */
  private Set<Address> take(Step step) {
    Set<Address> remotes = new HashSet<>();
    for (Change change : engine.changes()) {
      switch (change) {
        case Change.Bind(Address remote, int number, Address host) -> {
          Spi spi = new Spi(remote, number);
          if (zone(host, step)) {
            bound.put(spi, host);
            zones.holds(host);
            bind(spi, host).ifPresent(step::change);
            elements.direct(spi, host).ifPresent(step::change);
            remotes.add(remote);
          }
        }
        case Change.Unbind(Address remote, int number) -> {
          Spi spi = new Spi(remote, number);
          used.remove(spi);
          unbound.add(spi);
          Address host = bound.remove(spi);
          if (host != null) {
            zones.lets(host, latest);
            step.change(elements.unbind(spi));
            elements.directGone(spi).ifPresent(step::change);
          }
        }
        case Change.BindCookie(Address remote, long number, Address host) -> {
          Cookie cookie = new Cookie(remote, number);
          if (zone(host, step)) {
            sessions.put(cookie, host);
            zones.holds(host);
            bind(cookie, host).ifPresent(step::change);
          }
        }
        case Change.UnbindCookie(Address remote, long number) -> {
          Cookie cookie = new Cookie(remote, number);
          Address host = sessions.remove(cookie);
          if (host != null) {
            zones.lets(host, latest);
            step.change(elements.unbind(cookie));
          }
        }
      }
    }
    return remotes;
  }

  private void watch(Address host, Address remote, Step step) {
    Pair pair = new Pair(host, remote);
    boolean wanted = engine.watches(host, remote);
    if (wanted ? watched.add(pair) : watched.remove(pair)) {
      step.change(elements.watch(host, remote, wanted));
    }
  }

  /** The kernel had no room for these: they are tried again as time goes on, some at a time. */
  void refused(List<ElementChange> full) {
    withoutRoom += full.size();
    full.forEach(change -> unplaced.add(place(change)));
  }

  /** Tries again, a few: each that is refused costs the kernel's answer. */
  private void tryAgain(Step step) {
    if (unplaced.isEmpty()) {
      return;
    }
    Predicate<ElementChange> waits = change -> unplaced.contains(place(change));
    Step all = new Step();
    bound.forEach((spi, host) -> {
      bind(spi, host).filter(waits).ifPresent(all::change);
      elements.direct(spi, host).filter(waits).ifPresent(all::change);
    });
    sessions.forEach((cookie, host) -> bind(cookie, host).filter(waits).ifPresent(all::change));
    Set<Place> still = new HashSet<>();
    all.changes().forEach(change -> still.add(place(change)));
    unplaced.retainAll(still);
    all.changes().stream()
        .limit(RETRIES)
        .forEach(change -> {
          unplaced.remove(place(change));
          step.change(change);
        });
  }

  // ---- time

  /** A listing of zones and SPIs begins, and goes on while packets are decided. */
  void note() {
    newlyZoned.clear();
    unbound.clear();
  }

  /**
   * The kernel has listed zones and SPIs, and how long ago these were used.
   *
   * @param ofSpis of both maps that have some
   * @param now when the listing began
   * @return whether all zones are there, and no SPI that we do not know, but for what has changed
   *     since {@link #note}
   */
  boolean seen(List<SetElement> ofZones, List<SetElement> ofSpis, long now) {
    Set<Address> listed = new HashSet<>(newlyZoned);
    ofZones.forEach(element -> Elements.address(element).ifPresent(listed::add));
    boolean stands = listed.containsAll(zones.hosts());
    for (SetElement element : ofSpis) {
      Optional<Spi> spi = Elements.spi(element);
      spi.filter(bound::containsKey).ifPresent(known -> used(known, now - elements.idle(element)));
      stands &= spi.filter(s -> bound.containsKey(s) || unbound.contains(s)).isPresent();
    }
    return stands;
  }

  private void used(Spi spi, long at) {
    long when = Math.max(0, at);
    Long before = used.put(spi, when);
    // The kernel tells of the last refreshing only.
    if (before == null || when > before) {
      engine.used(spi.remote(), spi.spi(), when);
    }
  }

  /** Lets go what has waited long enough. */
  Step wake(long now) {
    Step step = new Step();
    wake(one -> one.until <= now, step, now);
    return step;
  }

  /** Forgets what is over; every second or so. */
  Step tick(long now) {
    Step step = new Step();
    latest = now;
    engine.tick(now);
    said.values().removeIf(at -> now - at >= AGAIN);
    take(step);
    List.copyOf(watched).forEach(pair -> watch(pair.host, pair.remote, step));
    tryAgain(step);
    return step;
  }

  /** Whether there are hosts whose zone can be given back, unless the kernel has seen them. */
  boolean someAreIdle(long now) {
    return !zones.idleSince(now - rest()).isEmpty();
  }

  /**
   * Gives back the zones of hosts that hold nothing any more.
   *
   * @param sent what the kernel has seen sent within the lifetime, of which nobody tells us: these
   *     hosts keep theirs
   */
  Step giveBack(List<SetElement> sent, long now) {
    Step step = new Step();
    latest = now;
    sent.forEach(element -> Elements.sender(element).ifPresent(host -> zones.seen(host, now)));
    zones.idleSince(now - rest()).forEach(host -> step.change(takeBack(host)));
    return step;
  }

  private long rest() {
    return Math.max(plan.lifetime().toMillis(), REST);
  }

  /** When something that waits is due; nothing where nothing waits. */
  Optional<Long> due() {
    return held.values().stream().map(Held::until).min(Long::compare);
  }

  // ---- people

  Status status() {
    return engine.status();
  }

  int waiting() {
    return held.size();
  }

  int hosts() {
    return zones.size();
  }

  int sessions() {
    return sessions.size();
  }

  /** What stands in no map because that is full, now. */
  int unplaced() {
    return unplaced.size();
  }

  /** How often the kernel had no room for an element. */
  long withoutRoom() {
    return withoutRoom;
  }

  /** Packets of hosts for which no zone was left. */
  long withoutZone() {
    return withoutZone;
  }

  /**
   * Frees what a host holds with a remote.
   *
   * @param learned what the kernel has learned of hosts that sent ESP, and IKE: what stood would go
   *     on out, and nobody would be asked
   */
  Step release(Address host, Address remote, Learned learned, long now) {
    Step step = new Step();
    latest = now;
    engine.release(host, remote, now);
    take(step);
    learned.sent().stream()
        .filter(element -> Elements.isOf(element, host, remote))
        .forEach(element -> step.change(elements.unsent(element)));
    learned.known().stream()
        .filter(element -> Elements.isOf(element, host, remote))
        .forEach(element -> step.change(elements.unknown(element)));
    said.keySet().removeIf(pair -> pair.remote.equals(remote));
    return step;
  }

  /**
   * What the kernel has written itself.
   *
   * @param sent hosts, remotes and outbound SPIs
   * @param known hosts, remotes and cookies
   */
  record Learned(List<SetElement> sent, List<SetElement> known) {
    Learned {
      sent = List.copyOf(sent);
      known = List.copyOf(known);
    }
  }

  /**
   * A host says under which SPI it receives.
   *
   * @param told gets why that cannot be
   */
  Step register(
      Address host, Address remote, int spi, long now, java.util.function.Consumer<Reason> told) {
    Step step = new Step();
    latest = now;
    if (elements.isClient(host)) {
      Optional<Reason> refused = engine.register(host, remote, spi, now);
      refused.ifPresent(told);
      refused.ifPresent(why -> say(why, host, remote, step, now));
      again(take(step), step, now);
    } else {
      told.accept(Reason.NO_HOST);
    }
    return step;
  }
}
