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
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;

/**
 * The one thread that owns all state. Others tell it something and go on; who asks it for a report
 * gets a promise, and may wait for that.
 */
final class Conductor {
  /** What nobody tells is found at the latest after this. */
  static final Duration PERIOD = Duration.ofSeconds(10);

  /** Rules that are missing are put back after this. */
  private static final Duration PATIENCE = Duration.ofSeconds(1);

  /** Some minutes of a busy gateway; beyond, everything is listed anew instead. */
  private static final int ROOM = 50_000;

  private static final int TOGETHER = 2_000;

  /** Elements that end by themselves are renewed so often that two times may be missed. */
  private static final Duration RENEWAL = Keeper.LIFE.dividedBy(3);

  /** What it is told. */
  private sealed interface Told {
    record Heard(CharonNews news) implements Told {}

    record KernelChanged() implements Told {}

    record DevicesChanged(List<RouteMessage> messages) implements Told {}

    record DevicesUnknown() implements Told {}

    record Asked(CompletableFuture<Report> answer) implements Told {}

    record End() implements Told {}
  }

  /** What the conductor needs of others. */
  interface Surroundings {
    /** What is to stand now. */
    Model model();

    /**
     * Puts the rules of a generation back, which somebody took away. Returns at once; who does it
     * tells {@link #kernelChanged} when it is done.
     */
    void repair(int generation);

    /** Asks the IKE daemon for everything. */
    void listAgain();

    /** A device of the description came: what waited for it can stand now. Returns at once. */
    void devicesCame();

    /** The outside addresses that were told last, by us or by whoever ran before us. */
    Set<Address> outsideBefore();

    /** The outside addresses that this host has, and those whose connections are not ended yet. */
    void outsideNow(Set<Address> addresses);

    /** It still works. Returns at once. */
    void alive();

    /** What does not work around it, in words. */
    List<String> troubles();
  }

  private final Supplier<Store> kernel;
  private final Surroundings surroundings;
  private final InstantSource clock;
  private final Instant since;
  private final BlockingQueue<Told> queue = new LinkedBlockingQueue<>(ROOM);
  private final AtomicBoolean overrun = new AtomicBoolean();
  private final AtomicBoolean over = new AtomicBoolean();

  private Optional<String> unreachable = Optional.of("not asked yet");
  private Optional<Instant> lastEvent = Optional.empty();
  private Instant compareAt;
  private Optional<Instant> repairAt = Optional.empty();
  private Instant renewAt;
  private boolean heard;
  private long events;
  private Optional<String> lastWords = Optional.empty();
  private Optional<String> blind = Optional.empty();
  private Optional<String> unended = Optional.empty();
  private volatile boolean clear;

  /**
   * @param kernel opened in the thread that runs it
   */
  Conductor(Supplier<Store> kernel, Surroundings surroundings, InstantSource clock) {
    this.kernel = kernel;
    this.surroundings = surroundings;
    this.clock = clock;
    since = clock.instant();
    compareAt = since;
    renewAt = since;
  }

  // ---- told by other threads ----

  /** The IKE daemon told something. */
  void hear(CharonNews news) {
    tell(new Told.Heard(news));
  }

  /** Somebody else changed nftables, or events about that were lost. */
  void kernelChanged() {
    tell(new Told.KernelChanged());
  }

  /** Devices or their addresses changed. */
  void devicesChanged(List<RouteMessage> messages) {
    tell(new Told.DevicesChanged(List.copyOf(messages)));
  }

  /** Something happened to devices, and nobody knows what. */
  void devicesUnknown() {
    tell(new Told.DevicesUnknown());
  }

  private void tell(Told told) {
    if (!queue.offer(told)) {
      overrun.set(true);
    }
  }

  /** How things are, soon. */
  CompletableFuture<Report> report() {
    CompletableFuture<Report> answer = new CompletableFuture<>();
    if (!queue.offer(new Told.Asked(answer))) {
      answer.completeExceptionally(new IllegalStateException("too busy"));
    }
    return answer;
  }

  /**
   * Ends it.
   *
   * @param clears whether what tunnels brought is taken away; else the kernel stays as it is
   */
  void end(boolean clears) {
    clear = clears;
    over.set(true);
    queue.offer(new Told.End());
  }

  // ---- its own thread ----

  /**
   * Works until {@link #end}.
   *
   * @param listening called when devices are known: whatever comes from then on is not missed
   */
  void run(Runnable listening) throws InterruptedException {
    try (Store store = kernel.get()) {
      Hold mine = new Hold(store, surroundings.model());
      mine.listDevices();
      mine.devices.came();
      mine.holdBack();
      listening.run();
      while (!over.get()) {
        long wait = Math.max(1, Duration.between(clock.instant(), compareAt).toMillis());
        List<Told> all = new ArrayList<>();
        Told first = queue.poll(wait, TimeUnit.MILLISECONDS);
        if (first != null) {
          all.add(first);
          queue.drainTo(all, TOGETHER);
        }
        step(mine, all);
        surroundings.alive();
      }
      if (clear) {
        mine.keeper.clear();
        mine.presences.doubt();
        mine.presences.settle(Set.of(), mine.protocol());
      }
    }
  }

  /** What the thread owns. */
  private final class Hold {
    private final Store store;
    private final Keeper keeper;
    private final Devices devices;
    private final Presences presences;
    private final HeldBack heldBack;

    /** Addresses that this host has no more, whose connections are not all ended yet. */
    private final Set<Address> gone = new LinkedHashSet<>();

    /** What {@link Surroundings#outsideNow} was told last; nothing before the first listing. */
    private Optional<Set<Address>> told = Optional.empty();

    Hold(Store store, Model model) {
      this.store = store;
      keeper = new Keeper(store, model);
      devices = new Devices(model.gateway());
      presences = new Presences(store, devices);
      heldBack = new HeldBack(store);
    }

    /** Where there is L2TP; before any rule may go, and whether or not an IKE daemon is there. */
    void holdBack() {
      heldBack.settle(keeper.model().maps().zones().isPresent());
    }

    int protocol() {
      return keeper.model().gateway().numbers().routeProtocol();
    }

    void follow(Model model) {
      keeper.follow(model);
      devices.follow(model.gateway());
      presences.doubt();
    }

    void listDevices() {
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
    void settleDevices() {
      gone.addAll(devices.left());
      boolean came = devices.came();
      if (keeper.model().generation() == 0) {
        gone.clear();
        return;
      }
      if (came) {
        presences.doubt();
        surroundings.devicesCame();
      }
      if (!gone.isEmpty()) {
        unended = Forgetting.of(store, gone);
        if (unended.isEmpty()) {
          gone.clear();
        }
      }
      Set<Address> outside = new HashSet<>(devices.outside());
      outside.addAll(gone);
      if (told.filter(before -> !before.equals(outside)).isPresent()) {
        surroundings.outsideNow(outside);
        told = Optional.of(outside);
      }
    }

    void settle() {
      keeper.settle();
      presences.settle(keeper.tunnels().presences(), protocol());
    }
  }

  private void step(Hold hold, List<Told> all) {
    Keeper mine = hold.keeper;
    List<CompletableFuture<Report>> asked = new ArrayList<>();
    boolean look = false;
    for (Told told : all) {
      switch (told) {
        case Told.Heard(CharonNews news) -> hear(mine, news);
        case Told.KernelChanged changed -> look = true;
        case Told.DevicesChanged(List<RouteMessage> messages) ->
            messages.forEach(hold.devices::hear);
        case Told.DevicesUnknown unknown -> look = true;
        case Told.Asked(CompletableFuture<Report> answer) -> asked.add(answer);
        case Told.End end -> {}
      }
    }
    if (overrun.compareAndSet(true, false)) {
      surroundings.listAgain();
      look = true;
    }
    if (mine.tunnels().wantsList()) {
      surroundings.listAgain();
    }
    Instant now = clock.instant();
    if (look || !now.isBefore(compareAt)) {
      compareAt = now.plus(PERIOD);
      Model model = surroundings.model();
      if (model.generation() != mine.model().generation()) {
        hold.follow(model);
      }
      mine.doubt();
      hold.presences.doubt();
      hold.listDevices();
      hold.holdBack();
    }
    hold.settleDevices();
    // Before anybody has told who is there, nothing is known to be wrong.
    if (heard) {
      hold.settle();
      renew(mine, now);
      if (mine.isDoubtful() && !mine.rulesAreMissing()) {
        // A refusal may pass; until then somebody may be in a group that he has left.
        compareAt = earlier(compareAt, now.plus(PATIENCE));
      }
      repair(hold, now);
    }
    asked.forEach(answer -> answer.complete(report(hold)));
  }

  private static Instant earlier(Instant one, Instant other) {
    return one.isBefore(other) ? one : other;
  }

  private void renew(Keeper mine, Instant now) {
    if (!now.isBefore(renewAt)) {
      renewAt = now.plus(RENEWAL);
      mine.renew();
    }
  }

  /** Missing rules may come by themselves, where somebody is just putting in others. */
  private void repair(Hold hold, Instant now) {
    if (!hold.keeper.rulesAreMissing()) {
      repairAt = Optional.empty();
    } else if (repairAt.isEmpty()) {
      repairAt = Optional.of(now.plus(PATIENCE));
      compareAt = now.plus(PATIENCE);
    } else if (!now.isBefore(repairAt.get())) {
      surroundings.repair(hold.keeper.model().generation());
      repairAt = Optional.of(now.plus(PERIOD));
    }
  }

  private void hear(Keeper mine, CharonNews news) {
    heard = true;
    switch (news) {
      case CharonNews.Unreachable(String why) -> unreachable = Optional.of(why);
      case CharonNews.Listed listed -> unreachable = Optional.empty();
      case CharonNews.Stands stands -> {}
      case CharonNews.Happened(TunnelEvent event) -> note(event);
      case CharonNews.Hooked(TunnelEvent event) -> note(event);
    }
    mine.tunnels().at(clock.instant());
    mine.hear(news);
  }

  private void note(TunnelEvent event) {
    events++;
    lastEvent = Optional.of(clock.instant());
    lastWords = Optional.of(Words.of(event));
  }

  private Report report(Hold hold) {
    Keeper mine = hold.keeper;
    List<String> troubles = new ArrayList<>(mine.tunnels().refusals());
    mine.failure().ifPresent(troubles::add);
    hold.presences.failure().ifPresent(troubles::add);
    hold.heldBack.failure().ifPresent(troubles::add);
    blind.ifPresent(troubles::add);
    unended.ifPresent(troubles::add);
    troubles.addAll(surroundings.troubles());
    if (mine.rulesAreMissing()) {
      troubles.add("our rules are not in the kernel");
    }
    return new Report(
        mine.model().generation(),
        since,
        unreachable,
        lastEvent,
        lastWords,
        events,
        mine.standing(),
        hold.presences.standing(),
        mine.corrections(),
        troubles,
        mine.model().gateway().tunnels().stream().map(Tunnel::name).toList(),
        mine.tunnels().sessions());
  }
}
