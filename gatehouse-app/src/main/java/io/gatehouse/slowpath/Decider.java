package io.gatehouse.slowpath;

import io.gatehouse.masquerade.Change;
import io.gatehouse.masquerade.Masquerade;
import io.gatehouse.masquerade.Reason;
import io.gatehouse.masquerade.Status;
import io.gatehouse.masquerade.Verdict;
import io.gatehouse.model.Address;
import io.gatehouse.netlink.ElementChange;
import io.gatehouse.netlink.PacketQueue.Ruling;
import io.gatehouse.netlink.SetElement;
import io.gatehouse.packet.Ike;
import io.gatehouse.packet.Ip;
import io.gatehouse.packet.Udp;
import io.gatehouse.slowpath.Elements.Cookie;
import io.gatehouse.slowpath.Elements.Spi;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

/**
 * Makes of packets what is to be done: asks the engine, keeps what stands in the maps, and packets
 * that have to wait. A function of what it is told; times are milliseconds that never go back.
 */
final class Decider {
  /** Packets that may wait; beyond, they go on at once. */
  private static final int ROOM = 1024;

  private final Plan plan;
  private final Masquerade engine;
  private final Elements elements;
  private final Map<Address, Integer> zones = new HashMap<>();
  private final BitSet taken = new BitSet();
  private final Map<Spi, Address> bound = new HashMap<>();
  private final Map<Cookie, Address> sessions = new HashMap<>();
  private final Map<Spi, Long> used = new HashMap<>();
  private final Set<Pair> watched = new HashSet<>();
  private final Set<Spi> own = new HashSet<>();
  private final List<Held> held = new ArrayList<>();
  private long withoutZone;

  private record Pair(Address host, Address remote) {}

  private record Held(Asked asked, long until) {
    Address remote() {
      return asked.inbound() ? asked.packet().source() : asked.packet().destination();
    }
  }

  Decider(Plan plan, long salt) {
    this.plan = plan;
    engine = new Masquerade(plan.settings(), salt);
    elements = new Elements(plan.maps(), plan.lifetime());
  }

  // ---- what stands since before

  /** Takes over what a predecessor left in the maps. */
  void recall(
      List<SetElement> ofZones, List<SetElement> ofSpis, List<SetElement> ofCookies, long now) {
    Map<Integer, Address> hosts = new HashMap<>();
    for (SetElement element : ofZones) {
      Optional<Address> host = Elements.address(element).filter(elements::isClient);
      OptionalInt zone = Elements.zone(element);
      if (host.isPresent() && zone.isPresent() && isOurs(zone.getAsInt())) {
        take(host.get(), zone.getAsInt());
        hosts.put(zone.getAsInt(), host.get());
      }
    }
    for (SetElement element : ofSpis) {
      Optional<Address> host = host(element, hosts);
      Elements.spi(element)
          .ifPresent(spi -> host.ifPresent(h -> engine.recall(spi.remote(), spi.spi(), h, now)));
    }
    for (SetElement element : ofCookies) {
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

  private boolean isOurs(int zone) {
    return plan.zones().first() <= zone && zone <= plan.zones().last();
  }

  private void take(Address host, int zone) {
    zones.put(host, zone);
    taken.set(zone);
  }

  /** Everything that is to stand, for maps that somebody emptied. */
  Step everything() {
    Step step = new Step();
    zones.forEach((host, zone) -> elements.zone(host, zone).forEach(step::change));
    bound.forEach(
        (spi, host) -> zoneOf(host).flatMap(z -> elements.bind(spi, z)).ifPresent(step::change));
    sessions.forEach((cookie, host) ->
        zoneOf(host).flatMap(z -> elements.bind(cookie, z)).ifPresent(step::change));
    watched.forEach(pair -> step.change(elements.watch(pair.host, pair.remote, true)));
    own.forEach(spi -> elements.own(spi, true).ifPresent(step::change));
    return step;
  }

  private Optional<Integer> zoneOf(Address host) {
    return Optional.ofNullable(zones.get(host));
  }

  /** Whether all zones are among those that the kernel lists. */
  boolean stands(List<SetElement> ofZones) {
    Set<Address> listed = new HashSet<>();
    ofZones.forEach(element -> Elements.address(element).ifPresent(listed::add));
    return listed.containsAll(zones.keySet());
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

  // ---- packets

  /** What to do about packets that came. */
  Step asked(List<Asked> packets, long now) {
    Step step = new Step();
    packets.forEach(packet -> decide(packet, step, now));
    return step;
  }

  private void decide(Asked asked, Step step, long now) {
    if (asked.inbound()) {
      inbound(asked, step, now);
    } else {
      outbound(asked, step, now);
    }
  }

  private void outbound(Asked asked, Step step, long now) {
    Ip packet = asked.packet();
    if (!zones.containsKey(packet.source())) {
      // It comes again, in its zone.
      step.rule(asked, zone(packet.source(), step) ? Ruling.REPEAT : Ruling.DROP);
      return;
    }
    Verdict verdict = engine.outbound(packet, now);
    Set<Address> decided = take(step);
    switch (verdict) {
      case Verdict.Hold(long until) -> hold(asked, until, step);
      case Verdict.Drop drop -> step.rule(asked, Ruling.DROP);
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
      case Verdict.Hold(long until) -> hold(asked, until, step);
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
    if (spi.isPresent() && host.equals(bound.get(spi.get()))) {
      // Put in once more, because it may just have gone: a packet comes again for what is not
      // there.
      zoneOf(host).flatMap(zone -> elements.bind(spi.get(), zone)).ifPresent(step::change);
      step.rule(asked, Ruling.REPEAT);
    } else if (standing) {
      step.rule(asked, Ruling.ACCEPT);
    } else {
      copy(asked, host, step);
      step.rule(asked, unclaimed(packet));
    }
  }

  /**
   * Where this host speaks IPsec itself, who begins a session begins it with this host, but for
   * those whose sessions a server inside gets.
   */
  private boolean isForThisHost(Ip packet) {
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

  private void hold(Asked asked, long until, Step step) {
    if (held.size() < ROOM) {
      held.add(new Held(asked, until));
    } else {
      step.rule(asked, Ruling.ACCEPT);
    }
  }

  /** Where something was bound, what waited for that remote is asked again. */
  private void again(Set<Address> remotes, Step step, long now) {
    if (!remotes.isEmpty()) {
      wake(one -> remotes.contains(one.remote()), step, now);
    }
  }

  private void wake(java.util.function.Predicate<Held> which, Step step, long now) {
    List<Held> awake = held.stream().filter(which).toList();
    held.removeAll(awake);
    awake.forEach(one -> decide(one.asked, step, now));
  }

  // ---- maps

  /** A zone for a host that has none; whether there is one. */
  private boolean zone(Address host, Step step) {
    if (zones.containsKey(host)) {
      return true;
    }
    int zone = taken.nextClearBit(plan.zones().first());
    List<ElementChange> changes =
        zone <= plan.zones().last() ? elements.zone(host, zone) : List.of();
    if (changes.isEmpty()) {
      withoutZone++;
      return false;
    }
    take(host, zone);
    changes.forEach(step::change);
    return true;
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
            zoneOf(host).flatMap(z -> elements.bind(spi, z)).ifPresent(step::change);
            remotes.add(remote);
          }
        }
        case Change.Unbind(Address remote, int number) -> {
          Spi spi = new Spi(remote, number);
          used.remove(spi);
          if (bound.remove(spi) != null) {
            step.change(elements.unbind(spi));
          }
        }
        case Change.BindCookie(Address remote, long number, Address host) -> {
          Cookie cookie = new Cookie(remote, number);
          if (zone(host, step)) {
            sessions.put(cookie, host);
            zoneOf(host).flatMap(z -> elements.bind(cookie, z)).ifPresent(step::change);
          }
        }
        case Change.UnbindCookie(Address remote, long number) -> {
          Cookie cookie = new Cookie(remote, number);
          if (sessions.remove(cookie) != null) {
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

  // ---- time

  /** The kernel lists an SPI: how long ago it was used. */
  void seen(SetElement element, long now) {
    Optional<Spi> spi = Elements.spi(element).filter(bound::containsKey);
    if (spi.isPresent()) {
      long when = Math.max(0, now - elements.idle(element));
      Long before = used.put(spi.get(), when);
      // The kernel tells of the last refreshing only.
      if (before == null || when > before) {
        engine.used(spi.get().remote(), spi.get().spi(), when);
      }
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
    engine.tick(now);
    take(step);
    List.copyOf(watched).forEach(pair -> watch(pair.host, pair.remote, step));
    return step;
  }

  /** When something that waits is due; nothing where nothing waits. */
  Optional<Long> due() {
    return held.stream().map(Held::until).min(Long::compare);
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

  /** Packets of hosts for which no zone was left. */
  long withoutZone() {
    return withoutZone;
  }

  /** Frees what a host holds with a remote. */
  Step release(Address host, Address remote, long now) {
    Step step = new Step();
    engine.release(host, remote, now);
    take(step);
    return step;
  }

  /**
   * A host says under which SPI it receives.
   *
   * @param told gets why that cannot be
   */
  Step register(
      Address host, Address remote, int spi, long now, java.util.function.Consumer<Reason> told) {
    Step step = new Step();
    if (elements.isClient(host)) {
      engine.register(host, remote, spi, now).ifPresent(told);
      again(take(step), step, now);
    } else {
      told.accept(Reason.NO_HOST);
    }
    return step;
  }
}
