package io.gatehouse.daemon;

import io.gatehouse.model.Address;
import io.gatehouse.model.Tunnel;
import io.gatehouse.netlink.Answer;
import io.gatehouse.netlink.Failure;
import io.gatehouse.netlink.RouteMessage;
import io.gatehouse.vici.CharonNews;
import io.gatehouse.vici.TunnelEvent;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * What the conductor knows, and what it does about a handful of news. No thread, no queue, and no
 * clock of its own.
 */
final class Deeds {
  /** What nobody tells is found at the latest after this. */
  static final Duration PERIOD = Duration.ofSeconds(10);

  /** Rules that are missing are put back after this. */
  static final Duration PATIENCE = Duration.ofSeconds(1);

  /** Elements that end by themselves are renewed so often that two times may be missed. */
  private static final Duration RENEWAL = Keeper.LIFE.dividedBy(3);

  /** What it is told. */
  sealed interface News {
    /** The IKE daemon told something. */
    record Heard(CharonNews news) implements News {}

    /** Somebody else changed nftables, or events about that were lost. */
    record KernelChanged() implements News {}

    /** Devices or their addresses changed. */
    record DevicesChanged(List<RouteMessage> messages) implements News {
      public DevicesChanged {
        messages = List.copyOf(messages);
      }
    }

    /** Something happened to devices, and nobody knows what. */
    record DevicesUnknown() implements News {}

    /** There was more than could be told. */
    record Missed() implements News {}
  }

  private final Store store;
  private final Surroundings surroundings;
  private final Keeper keeper;
  private final Devices devices;
  private final Presences presences;
  private final HeldBack heldBack;
  private final Instant since;

  /** Addresses that this host has no more, whose connections are not all ended yet. */
  private final Set<Address> gone = new LinkedHashSet<>();

  /** Addresses of uplinks that went down, under which hosts behind this one still appear. */
  private final Set<Address> down = new LinkedHashSet<>();

  /** What {@link Surroundings#outsideNow} was told last; nothing before the first listing. */
  private Optional<Set<Address>> told = Optional.empty();

  private Optional<String> unreachable = Optional.of("not asked yet");
  private Optional<Instant> lastEvent = Optional.empty();
  private Optional<String> lastWords = Optional.empty();
  private long events;
  private boolean heard;
  private Instant compareAt;
  private Instant renewAt;
  private Optional<Instant> repairAt = Optional.empty();
  private Optional<String> blind = Optional.empty();
  private Optional<String> unended = Optional.empty();
  private Optional<String> stuck = Optional.empty();

  /** Begins: devices are known then, and L2TP in clear is held back. */
  Deeds(Store store, Surroundings surroundings, Instant now) {
    this.store = store;
    this.surroundings = surroundings;
    since = now;
    compareAt = now;
    renewAt = now;
    Model model = surroundings.model();
    keeper = new Keeper(store, model);
    devices = new Devices(model.gateway());
    presences = new Presences(store, devices);
    heldBack = new HeldBack(store);
    listDevices();
    devices.came();
    holdBack();
  }

  /** When it wants to look by itself, though nobody tells anything. */
  Instant looksAt() {
    return compareAt;
  }

  /** Acts on some news, or on none where it is time to look. */
  void step(List<News> news, Instant now) {
    boolean look = false;
    for (News one : news) {
      switch (one) {
        case News.Heard(CharonNews of) -> hear(of, now);
        case News.KernelChanged changed -> look = true;
        case News.DevicesChanged(List<RouteMessage> messages) -> messages.forEach(devices::hear);
        case News.DevicesUnknown unknown -> look = true;
        case News.Missed missed -> {
          surroundings.listAgain();
          look = true;
        }
      }
    }
    if (keeper.tunnels().wantsList()) {
      surroundings.listAgain();
    }
    if (look || !now.isBefore(compareAt)) {
      look(now);
    }
    settleDevices();
    // Before anybody has told who is there, nothing is known to be wrong.
    if (heard) {
      keeper.settle();
      presences.settle(keeper.tunnels().presences(), protocol());
      renew(now);
      if (keeper.isDoubtful() && !keeper.rulesAreMissing()) {
        // A refusal may pass; until then somebody may be in a group that he has left.
        compareAt = earlier(compareAt, now.plus(PATIENCE));
      }
      repair(now);
    }
  }

  private void look(Instant now) {
    compareAt = now.plus(PERIOD);
    Model model = surroundings.model();
    if (model.generation() != keeper.model().generation()) {
      keeper.follow(model);
      devices.follow(model.gateway());
    }
    keeper.doubt();
    presences.doubt();
    listDevices();
    holdBack();
  }

  private static Instant earlier(Instant one, Instant other) {
    return one.isBefore(other) ? one : other;
  }

  /** Where there is L2TP; before any rule may go, and whether or not an IKE daemon is there. */
  private void holdBack() {
    heldBack.settle(keeper.model().maps().zones().isPresent());
  }

  private int protocol() {
    return keeper.model().gateway().numbers().routeProtocol();
  }

  private void listDevices() {
    switch (store.devices()) {
      case Answer.Told<List<RouteMessage>>(List<RouteMessage> all) -> {
        devices.listed(all);
        blind = Optional.empty();
        if (told.isEmpty()) {
          // An address may have gone while nobody looked.
          Set<Address> before = surroundings.outsideBefore();
          devices.were(before);
          told = Optional.of(before);
        }
      }
      case Answer.Failed<List<RouteMessage>>(Failure why) ->
          blind = Optional.of("cannot read devices: " + why);
    }
  }

  /** Acts on what happened to devices. */
  private void settleDevices() {
    gone.addAll(devices.left());
    down.addAll(devices.down());
    boolean came = devices.came();
    if (keeper.model().generation() == 0) {
      gone.clear();
      down.clear();
      return;
    }
    if (came) {
      presences.doubt();
      surroundings.devicesCame();
    }
    if (!gone.isEmpty()) {
      unended = Forgetting.ofGone(store, gone);
      if (unended.isEmpty()) {
        gone.clear();
      }
    }
    if (!down.isEmpty()) {
      stuck = Forgetting.ofDown(store, down);
      if (stuck.isEmpty()) {
        down.clear();
      }
    }
    Set<Address> outside = new HashSet<>(devices.outside());
    outside.addAll(gone);
    if (told.filter(before -> !before.equals(outside)).isPresent()) {
      surroundings.outsideNow(outside);
      told = Optional.of(outside);
    }
  }

  private void renew(Instant now) {
    if (!now.isBefore(renewAt)) {
      renewAt = now.plus(RENEWAL);
      keeper.renew();
    }
  }

  /** Missing rules may come by themselves, where somebody is just putting in others. */
  private void repair(Instant now) {
    if (!keeper.rulesAreMissing()) {
      repairAt = Optional.empty();
    } else if (repairAt.isEmpty()) {
      repairAt = Optional.of(now.plus(PATIENCE));
      compareAt = now.plus(PATIENCE);
    } else if (!now.isBefore(repairAt.get())) {
      surroundings.repair(keeper.model().generation());
      repairAt = Optional.of(now.plus(PERIOD));
    }
  }

  private void hear(CharonNews news, Instant now) {
    heard = true;
    switch (news) {
      case CharonNews.Unreachable(String why) -> unreachable = Optional.of(why);
      case CharonNews.Listed listed -> unreachable = Optional.empty();
      case CharonNews.Stands stands -> {}
      case CharonNews.Happened(TunnelEvent event) -> note(event, now);
      case CharonNews.Hooked(TunnelEvent event) -> note(event, now);
    }
    keeper.tunnels().at(now);
    keeper.hear(news);
  }

  private void note(TunnelEvent event, Instant now) {
    events++;
    lastEvent = Optional.of(now);
    lastWords = Optional.of(Words.of(event));
  }

  /** Takes away what tunnels brought. */
  void clear() {
    keeper.clear();
    presences.doubt();
    presences.settle(Set.of(), protocol());
  }

  /** How things are. */
  Report report() {
    List<String> troubles = new ArrayList<>(keeper.tunnels().refusals());
    keeper.failure().ifPresent(troubles::add);
    presences.failure().ifPresent(troubles::add);
    heldBack.failure().ifPresent(troubles::add);
    blind.ifPresent(troubles::add);
    unended.ifPresent(troubles::add);
    stuck.ifPresent(troubles::add);
    troubles.addAll(surroundings.troubles());
    if (keeper.rulesAreMissing()) {
      troubles.add("our rules are not in the kernel");
    }
    return new Report(
        keeper.model().generation(),
        since,
        unreachable,
        lastEvent,
        lastWords,
        events,
        keeper.standing(),
        presences.standing(),
        keeper.corrections(),
        troubles,
        keeper.model().gateway().tunnels().stream().map(Tunnel::name).toList(),
        keeper.tunnels().sessions());
  }
}
