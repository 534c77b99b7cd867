package io.gatehouse.daemon;

import io.gatehouse.vici.CharonNews;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;

/** The one thread that owns all state. Others tell it something, and never wait for it. */
final class Conductor {
  /** What nobody tells is found at the latest after this. */
  static final Duration PERIOD = Duration.ofSeconds(10);

  /** Rules that are missing are put back after this. */
  private static final Duration PATIENCE = Duration.ofSeconds(1);

  /** Some minutes of a busy gateway; beyond, everything is listed anew instead. */
  private static final int ROOM = 50_000;

  private static final int TOGETHER = 2_000;

  /** What it is told. */
  private sealed interface Told {
    record Heard(CharonNews news) implements Told {}

    record KernelChanged() implements Told {}

    record Asked(CompletableFuture<Report> answer) implements Told {}

    record End() implements Told {}
  }

  /** What the conductor needs of others. */
  interface Surroundings {
    /** What is to stand now. */
    Model model();

    /** Puts the rules back, which somebody took away. */
    void repair();

    /** Asks the IKE daemon for everything. */
    void listAgain();
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
  private boolean heard;

  /**
   * @param kernel opened in the thread that runs it
   */
  Conductor(Supplier<Store> kernel, Surroundings surroundings, InstantSource clock) {
    this.kernel = kernel;
    this.surroundings = surroundings;
    this.clock = clock;
    since = clock.instant();
    compareAt = since;
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

  /** Ends it; the kernel stays as it is. */
  void end() {
    over.set(true);
    queue.offer(new Told.End());
  }

  // ---- its own thread ----

  /** Works until {@link #end}. */
  void run() throws InterruptedException {
    try (Store store = kernel.get()) {
      Keeper mine = new Keeper(store, surroundings.model());
      while (!over.get()) {
        long wait = Math.max(1, Duration.between(clock.instant(), compareAt).toMillis());
        List<Told> all = new ArrayList<>();
        Told first = queue.poll(wait, TimeUnit.MILLISECONDS);
        if (first != null) {
          all.add(first);
          queue.drainTo(all, TOGETHER);
        }
        step(mine, all);
      }
    }
  }

  private void step(Keeper mine, List<Told> all) {
    List<CompletableFuture<Report>> asked = new ArrayList<>();
    boolean look = false;
    for (Told told : all) {
      switch (told) {
        case Told.Heard(CharonNews news) -> hear(mine, news);
        case Told.KernelChanged changed -> look = true;
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
        mine.follow(model);
      }
      mine.doubt();
    }
    // Before anybody has told who is there, nothing is known to be wrong.
    if (heard) {
      mine.settle();
      repair(mine, now);
    }
    asked.forEach(answer -> answer.complete(report(mine)));
  }

  /** Missing rules may come by themselves, where somebody is just putting in others. */
  private void repair(Keeper mine, Instant now) {
    if (!mine.rulesAreMissing()) {
      repairAt = Optional.empty();
    } else if (repairAt.isEmpty()) {
      repairAt = Optional.of(now.plus(PATIENCE));
      compareAt = now.plus(PATIENCE);
    } else if (!now.isBefore(repairAt.get())) {
      surroundings.repair();
      mine.follow(surroundings.model());
      mine.settle();
      repairAt = Optional.of(now.plus(PERIOD));
    }
  }

  private void hear(Keeper mine, CharonNews news) {
    heard = true;
    switch (news) {
      case CharonNews.Unreachable(String why) -> unreachable = Optional.of(why);
      case CharonNews.Listed listed -> unreachable = Optional.empty();
      case CharonNews.Stands stands -> {}
      case CharonNews.Happened happened -> lastEvent = Optional.of(clock.instant());
      case CharonNews.Hooked hooked -> lastEvent = Optional.of(clock.instant());
    }
    mine.hear(news);
  }

  private Report report(Keeper mine) {
    List<String> troubles = new ArrayList<>(mine.tunnels().refusals());
    mine.failure().ifPresent(troubles::add);
    if (mine.rulesAreMissing()) {
      troubles.add("our rules are not in the kernel");
    }
    return new Report(
        mine.model().generation(),
        since,
        unreachable,
        lastEvent,
        mine.standing(),
        mine.corrections(),
        troubles,
        mine.tunnels().sessions());
  }
}
