package io.gatehouse.daemon;

import io.gatehouse.netlink.RouteMessage;
import io.gatehouse.vici.CharonNews;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;

/**
 * The one thread that owns all state, which is in its {@link Deeds}. Others tell it something and
 * go on; who asks it for a report gets a promise, and may wait for that.
 */
final class Conductor {
  /** Some minutes of a busy gateway; beyond, everything is listed anew instead. */
  private static final int ROOM = 50_000;

  private static final int TOGETHER = 2_000;

  /** What it is told. */
  private sealed interface Told {
    record Of(Deeds.News news) implements Told {}

    record Asked(CompletableFuture<Report> answer) implements Told {}

    record End() implements Told {}
  }

  private final Supplier<Store> kernel;
  private final Surroundings surroundings;
  private final InstantSource clock;
  private final BlockingQueue<Told> queue = new LinkedBlockingQueue<>(ROOM);
  private final AtomicBoolean overrun = new AtomicBoolean();
  private final AtomicBoolean over = new AtomicBoolean();
  private volatile boolean clear;

  /**
   * @param kernel opened in the thread that runs it
   */
  Conductor(Supplier<Store> kernel, Surroundings surroundings, InstantSource clock) {
    this.kernel = kernel;
    this.surroundings = surroundings;
    this.clock = clock;
  }

  // ---- told by other threads ----

  /** The IKE daemon told something. */
  void hear(CharonNews news) {
    tell(new Deeds.News.Heard(news));
  }

  /** Somebody else changed nftables, or events about that were lost. */
  void kernelChanged() {
    tell(new Deeds.News.KernelChanged());
  }

  /** Devices or their addresses changed. */
  void devicesChanged(List<RouteMessage> messages) {
    tell(new Deeds.News.DevicesChanged(messages));
  }

  /** Something happened to devices, and nobody knows what. */
  void devicesUnknown() {
    tell(new Deeds.News.DevicesUnknown());
  }

  private void tell(Deeds.News news) {
    if (!queue.offer(new Told.Of(news))) {
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
      Deeds deeds = new Deeds(store, surroundings, clock.instant());
      listening.run();
      while (!over.get()) {
        long wait = Math.max(1, Duration.between(clock.instant(), deeds.looksAt()).toMillis());
        List<Told> all = new ArrayList<>();
        Told first = queue.poll(wait, TimeUnit.MILLISECONDS);
        if (first != null) {
          all.add(first);
          queue.drainTo(all, TOGETHER);
        }
        step(deeds, all);
        surroundings.alive();
      }
      if (clear) {
        deeds.clear();
      }
    }
  }

  private void step(Deeds deeds, List<Told> all) {
    List<Deeds.News> news = new ArrayList<>();
    List<CompletableFuture<Report>> asked = new ArrayList<>();
    for (Told told : all) {
      switch (told) {
        case Told.Of(Deeds.News one) -> news.add(one);
        case Told.Asked(CompletableFuture<Report> answer) -> asked.add(answer);
        case Told.End end -> {}
      }
    }
    if (overrun.compareAndSet(true, false)) {
      news.add(new Deeds.News.Missed());
    }
    deeds.step(news, clock.instant());
    if (!asked.isEmpty()) {
      Report report = deeds.report();
      asked.forEach(answer -> answer.complete(report));
    }
  }
}
