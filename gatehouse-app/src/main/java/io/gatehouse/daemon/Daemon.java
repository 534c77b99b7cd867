package io.gatehouse.daemon;

import io.gatehouse.compile.LiveMaps;
import io.gatehouse.model.Address;
import io.gatehouse.netlink.Answer;
import io.gatehouse.netlink.Failure;
import io.gatehouse.netlink.Frame;
import io.gatehouse.netlink.Kernel;
import io.gatehouse.netlink.KernelEvents;
import io.gatehouse.netlink.KernelEvents.Heard;
import io.gatehouse.netlink.NftCodec;
import io.gatehouse.netlink.NftMessage;
import io.gatehouse.netlink.RouteCodec;
import io.gatehouse.netlink.RouteMessage;
import io.gatehouse.netlink.Unknown;
import io.gatehouse.netlink.Unreadable;
import io.gatehouse.slowpath.Plan;
import io.gatehouse.slowpath.SlowPath;
import io.gatehouse.vici.Charon;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;

/**
 * Everything that runs while `gatehouse run` does: one conductor; one reader each of the IKE
 * daemon, of nftables' events and of devices'; the slow path; and whoever asks over the control
 * socket.
 */
public final class Daemon {
  /** Between two attempts to reach charon: it is quick to be back. */
  private static final Duration RETRY = Duration.ofMillis(250);

  private static final Duration WAIT = Duration.ofMillis(500);

  /** A device comes with a row of events: its link, its carrier, its addresses. */
  private static final Duration TOGETHER = Duration.ofMillis(150);

  private final Hands hands;
  private final Path vici;
  private final Path control;
  private final InstantSource clock;
  private final OutsideNote outside;
  private final AtomicReference<Runnable> listAgain = new AtomicReference<>(() -> {});
  private final Conductor conductor;
  private final AtomicBoolean lateWaits = new AtomicBoolean();

  /** What takes longer than the conductor may wait. */
  private final ExecutorService chores =
      Executors.newSingleThreadExecutor(Thread.ofPlatform().name("chores").daemon().factory());

  private final SlowPath slowPath = new SlowPath();
  private volatile boolean over;

  /** The kernel names the thread of a transaction, not its process. */
  private volatile long conductorsThread;

  /** Whether the transaction that is being told touches our table; the reader's alone. */
  private boolean ours;

  /** What the daemon needs done that is not its own. */
  public interface Hands {
    /** What is to stand now; asked whenever something may have changed. */
    Model model();

    /** Puts back rules that somebody took away. */
    void repair();

    /** Puts in what waited for devices that have come. */
    void late();

    /** Told now and then: it still works. Must not take long. */
    void alive();
  }

  /**
   * @param vici charon's socket
   * @param control where our own socket will be
   */
  public Daemon(Hands hands, Path vici, Path control, InstantSource clock) {
    this.hands = hands;
    this.vici = vici;
    this.control = control;
    this.clock = clock;
    outside = new OutsideNote(control.resolveSibling("outside"));
    conductor = new Conductor(this::kernel, new Others(), clock);
  }

  /** Opened in the conductor's thread. */
  private Store kernel() {
    conductorsThread = thread();
    return switch (Kernel.open()) {
      case Answer.Told<Kernel>(Kernel kernel) -> Store.of(kernel);
      case Answer.Failed<Kernel>(Failure why) ->
          throw new IllegalStateException("no netlink socket: " + why);
    };
  }

  /**
   * The number of this thread; 0 where /proc does not tell, and then our own changes look foreign.
   */
  private static long thread() {
    try {
      return Long.parseLong(Path.of("/proc/thread-self").toRealPath().getFileName().toString());
    } catch (IOException | NumberFormatException e) {
      return 0;
    }
  }

  private final class Others implements Conductor.Surroundings {
    @Override
    public Model model() {
      Model now = hands.model();
      slowPath.follow(Plan.of(now.gateway(), now.maps()));
      return now;
    }

    @Override
    public void repair() {
      hands.repair();
    }

    @Override
    public void listAgain() {
      listAgain.get().run();
    }

    @Override
    public void devicesCame() {
      if (lateWaits.compareAndSet(false, true)) {
        chores.execute(Daemon.this::late);
      }
    }

    @Override
    public Set<Address> outsideBefore() {
      return outside.told();
    }

    @Override
    public void outsideNow(Set<Address> addresses) {
      outside.tell(addresses);
    }

    @Override
    public void alive() {
      hands.alive();
    }
  }

  private void late() {
    LockSupport.parkNanos(TOGETHER.toNanos());
    lateWaits.set(false);
    hands.late();
  }

  /**
   * Does something after a while, in the thread for what takes long, one thing at a time; nothing
   * once it has ended.
   */
  public void afterwards(Duration wait, Runnable chore) {
    if (!over) {
      CompletableFuture.delayedExecutor(wait.toMillis(), TimeUnit.MILLISECONDS, chores)
          .execute(chore);
    }
  }

  /**
   * Works until {@link #end}.
   *
   * @param ready called when everything listens
   * @throws IOException where the control socket cannot be made
   */
  public void run(Runnable ready) throws IOException, InterruptedException {
    CompletableFuture<Boolean> listening = new CompletableFuture<>();
    CompletableFuture<Boolean> watching = new CompletableFuture<>();
    Thread events =
        Thread.ofPlatform()
            .name("kernel-events")
            .daemon()
            .start(() -> hear(KernelEvents.About.NFTABLES, listening, this::ofNftables));
    Thread devices =
        Thread.ofPlatform()
            .name("device-events")
            .daemon()
            .start(() -> hear(KernelEvents.About.ADDRESSES, watching, this::ofDevices));
    Control answers = Control.open(control, conductor, slowPath, clock);
    try (answers;
        slowPath) {
      slowPath.start();
      listening.join();
      watching.join();
      try (Charon charon = Charon.follow(vici, RETRY, conductor::hear)) {
        listAgain.set(charon::listAgain);
        conductor.run(() -> {
          // What came after the rules did, and before we listened.
          hands.late();
          slowPath.untilItWorks();
          ready.run();
        });
      }
    } finally {
      over = true;
      chores.shutdown();
      events.join(Duration.ofSeconds(5));
      devices.join(Duration.ofSeconds(5));
    }
  }

  /** What the kernel tells by itself; the periodic comparison finds what we do not hear. */
  private void hear(
      KernelEvents.About about, CompletableFuture<Boolean> listening, Consumer<Heard> told) {
    switch (KernelEvents.about(about)) {
      case Answer.Failed<KernelEvents> failed -> listening.complete(false);
      case Answer.Told<KernelEvents>(KernelEvents events) -> {
        listening.complete(true);
        try (events) {
          while (!over) {
            Heard heard = events.next(WAIT);
            if (heard instanceof Heard.Ended) {
              return;
            }
            told.accept(heard);
          }
        }
      }
    }
  }

  /** Somebody else's changes of our table make the conductor look; those of other tables do not. */
  private void ofNftables(Heard heard) {
    switch (heard) {
      case Heard.Missed missed -> conductor.kernelChanged();
      case Heard.Ended ended -> {}
      case Heard.Messages messages -> {
        for (Frame.Content message : messages.messages()) {
          switch (NftCodec.read(message)) {
            case NftMessage.Elements elements -> ours |= isOurs(elements.set().table());
            case NftMessage.OfTable of -> ours |= isOurs(of.name());
            case NftMessage.InTable in -> ours |= isOurs(in.table());
            // It ends a transaction, whose parts came before it.
            case NftMessage.Generation generation -> {
              if (ours && generation.process() != conductorsThread) {
                conductor.kernelChanged();
              }
              ours = false;
            }
            case Unreadable unreadable -> ours = true;
            case Unknown unknown -> {}
          }
        }
      }
    }
  }

  private static boolean isOurs(String table) {
    return table.equals(LiveMaps.TABLE);
  }

  private void ofDevices(Heard heard) {
    switch (heard) {
      case Heard.Missed missed -> conductor.devicesUnknown();
      case Heard.Ended ended -> {}
      case Heard.Messages messages -> {
        List<RouteMessage> read = messages.messages().stream().map(RouteCodec::read).toList();
        if (!read.isEmpty()) {
          conductor.devicesChanged(read);
        }
      }
    }
  }

  /**
   * Ends it, from whatever thread.
   *
   * @param clears whether what tunnels brought is taken away: members of groups, zones of clients,
   *     answers in a LAN; rules stay in any case. Else the kernel stays as it is
   */
  public void end(boolean clears) {
    conductor.end(clears);
  }

  /**
   * Asks a daemon that runs.
   *
   * @param told each line of its answer
   * @return whether there is one
   */
  public static boolean ask(Path control, String question, Consumer<String> told) {
    return Control.ask(control, question, told);
  }
}
