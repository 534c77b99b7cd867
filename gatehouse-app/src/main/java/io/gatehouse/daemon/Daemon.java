package io.gatehouse.daemon;

import io.gatehouse.compile.LiveMaps;
import io.gatehouse.model.Address;
import io.gatehouse.model.Masquerade;
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
import io.gatehouse.vici.CharonNews;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import java.util.stream.Stream;

/**
 * Everything that runs while `gatehouse run` does: one conductor; one reader each of the IKE
 * daemon, of nftables' events and of devices'; the slow path; hosts that register; and whoever asks
 * over the control socket.
 */
public final class Daemon {
  /** Between two attempts to reach charon: it is quick to be back. */
  private static final Duration RETRY = Duration.ofMillis(250);

  private static final Duration WAIT = Duration.ofMillis(500);

  /** A device comes with a row of events: its link, its carrier, its addresses. */
  private static final Duration TOGETHER = Duration.ofMillis(150);

  private final Hands hands;
  private final Path vici;
  private final Path path;
  private final InstantSource clock;
  private final OutsideNote outside;
  private final AtomicReference<Runnable> listAgain = new AtomicReference<>(() -> {});
  private final Conductor conductor;

  /** What takes longer than the conductor may wait. */
  private final ExecutorService chores =
      Executors.newSingleThreadExecutor(Thread.ofPlatform().name("chores").daemon().factory());

  private final Chore late = new Chore(chores, this::late);
  private final AtomicInteger missing = new AtomicInteger();
  private final Chore repair = new Chore(chores, this::repair);

  private final CompletableFuture<Boolean> listening = new CompletableFuture<>();
  private final CompletableFuture<Boolean> watching = new CompletableFuture<>();
  private final Worker events =
      new Worker(
          "kernel-events",
          RETRY,
          worker -> hear(worker, KernelEvents.About.NFTABLES, listening, this::ofNftables));
  private final Worker devices =
      new Worker(
          "device-events",
          RETRY,
          worker -> hear(worker, KernelEvents.About.ADDRESSES, watching, this::ofDevices));

  private final SlowPath slowPath = new SlowPath(this::say);
  private final OwnIke ownIke = new OwnIke();
  private final Registrations registrations = new Registrations(slowPath);
  private volatile Optional<Control> answers = Optional.empty();
  private volatile boolean over;

  /** The kernel names the thread of a transaction, not its process. */
  private volatile long conductorsThread;

  /** Whether the transaction that is being told touches our table; the reader's alone. */
  private boolean ours;

  /** What the daemon needs done that is not its own. */
  public interface Hands {
    /** What is to stand now; asked whenever something may have changed. */
    Model model();

    /**
     * Puts back the rules of a generation, which somebody took away; nothing where another stands
     * by then. May take minutes.
     */
    void repair(int generation);

    /** Puts in what waited for devices that have come. */
    void late();

    /** Logs a line. May wait. */
    void say(String line);

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
    path = control;
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

  private final class Others implements Surroundings {
    @Override
    public Model model() {
      Model now = hands.model();
      slowPath.follow(Plan.of(now.gateway(), now.maps()));
      registrations.follow(now.gateway().masquerade().flatMap(Masquerade::register));
      return now;
    }

    @Override
    public void repair(int generation) {
      missing.set(generation);
      repair.soon();
    }

    @Override
    public void listAgain() {
      listAgain.get().run();
    }

    @Override
    public void devicesCame() {
      late.soon();
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

    @Override
    public List<String> troubles() {
      return Stream.of(
              events.trouble(),
              devices.trouble(),
              registrations.trouble(),
              answers.flatMap(Control::trouble))
          .flatMap(Optional::stream)
          .toList();
    }
  }

  /** Whoever reads the log may be slow; a packet is not to wait for that. */
  private void say(String line) {
    if (!over) {
      chores.execute(() -> hands.say(line));
    }
  }

  private void late() {
    LockSupport.parkNanos(TOGETHER.toNanos());
    hands.late();
  }

  private void repair() {
    hands.repair(missing.get());
    conductor.kernelChanged();
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
    Control control = Control.open(path, conductor, slowPath, clock);
    answers = Optional.of(control);
    try (control;
        slowPath;
        registrations) {
      slowPath.start();
      registrations.start();
      events.start();
      devices.start();
      listening.join();
      watching.join();
      try (Charon charon = Charon.follow(vici, RETRY, this::hear)) {
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
      events.end();
      devices.end();
      events.close();
      devices.close();
    }
  }

  /** In the thread that follows charon. */
  private void hear(CharonNews news) {
    ownIke.heard(news).ifPresent(slowPath::own);
    conductor.hear(news);
  }

  /**
   * What the kernel tells by itself. What it told while nobody listened is lost: it is looked up.
   *
   * @param begun completed by the first attempt
   * @return why there is nothing more to hear
   */
  private static String hear(
      Worker worker,
      KernelEvents.About about,
      CompletableFuture<Boolean> begun,
      Consumer<Heard> told) {
    switch (KernelEvents.about(about)) {
      case Answer.Failed<KernelEvents>(Failure why) -> {
        begun.complete(false);
        return "the kernel tells nothing: " + why;
      }
      case Answer.Told<KernelEvents>(KernelEvents heard) -> {
        try (heard) {
          begun.complete(true);
          worker.works();
          told.accept(new Heard.Missed());
          while (!worker.isOver()) {
            Heard next = heard.next(WAIT);
            if (next instanceof Heard.Ended) {
              break;
            }
            told.accept(next);
          }
        }
        return "the kernel's events ended";
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
   * Asks a daemon that runs, and waits for some seconds.
   *
   * @param told each line of its answer
   * @return whether there is one
   */
  public static boolean ask(Path control, String question, Consumer<String> told) {
    return ask(control, question, Control.ANSWERS_WITHIN, told);
  }

  /**
   * Asks a daemon that runs.
   *
   * @param limit for all of it: one that is stopped answers nobody
   * @param told each line of its answer, once all of it is there
   * @return whether there is one
   */
  public static boolean ask(Path control, String question, Duration limit, Consumer<String> told) {
    return Control.ask(control, question, limit, told);
  }
}
