package io.gatehouse.slowpath;

import io.gatehouse.masquerade.Reason;
import io.gatehouse.masquerade.Status;
import io.gatehouse.model.Address;
import io.gatehouse.pptp.CallStatus;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;

/**
 * Decides, while it runs, whose the packets are that the masquerade's maps do not know. One thread
 * owns everything; others tell it what to follow, and ask. What stands in the maps stays there when
 * it ends.
 */
public final class SlowPath implements AutoCloseable {
  /** Others' questions are answered within this. */
  private static final Duration TURN = Duration.ofMillis(100);

  private static final Duration RETRY = Duration.ofSeconds(1);

  private final AtomicReference<Optional<Plan>> plan = new AtomicReference<>(Optional.empty());
  private final AtomicReference<Set<OwnIke>> own = new AtomicReference<>(Set.of());
  private final BlockingQueue<Request> requests = new LinkedBlockingQueue<>(256);
  private final Consumer<String> say;
  private final long begun = System.nanoTime();
  private volatile Optional<String> trouble = Optional.empty();
  private final CompletableFuture<Boolean> working = new CompletableFuture<>();
  private volatile boolean over;
  private Optional<Thread> thread = Optional.empty();

  /**
   * How things are.
   *
   * @param hosts that have a zone
   * @param sessions of IKE that are told apart
   * @param waiting packets that are held just now
   * @param trouble what keeps it from working
   * @param status the engine's; empty where there is nothing to masquerade
   * @param calls of PPTP, where they are translated here
   * @param at now, in milliseconds of the engine's clock
   */
  public record Report(
      int hosts,
      int sessions,
      int waiting,
      Optional<String> trouble,
      Optional<Status> status,
      Optional<CallStatus> calls,
      long at) {}

  /** An IKE SA of this host itself: the other end, and the initiator's cookie. */
  public record OwnIke(Address remote, long cookie) {}

  /** What others want. */
  private sealed interface Request {
    record Look(CompletableFuture<Report> answer) implements Request {}

    record Release(Address host, Address remote, CompletableFuture<Boolean> answer)
        implements Request {}

    record Register(
        Address host, Address remote, int spi, CompletableFuture<Optional<Reason>> answer)
        implements Request {}

    /** There is another plan, or an end. */
    record Wake() implements Request {}
  }

  /**
   * @param say is handed a line now and then for whoever runs this; must not wait
   */
  public SlowPath(Consumer<String> say) {
    this.say = say;
  }

  /** Follows a plan from now on, or none. Packets that are held meanwhile are lost. */
  public void follow(Optional<Plan> next) {
    plan.set(next);
    wake();
  }

  /** Messages of these, all that are known, are for this host alone. */
  public void own(Set<OwnIke> all) {
    own.set(Set.copyOf(all));
  }

  /** Where there is no room for it, others will. */
  private void wake() {
    var _ = requests.offer(new Request.Wake());
  }

  /** Begins to work, in a thread of its own. */
  public void start() {
    thread = Optional.of(Thread.ofPlatform().name("slow-path").daemon().start(this::run));
  }

  /** Waits until it decides what it is to follow, or has found that it cannot. */
  public void untilItWorks() {
    if (plan.get().isPresent()) {
      working.join();
    }
  }

  // ---- asked by others

  /** How things are, soon. */
  public CompletableFuture<Report> report() {
    CompletableFuture<Report> answer = new CompletableFuture<>();
    return ask(new Request.Look(answer), answer);
  }

  /** Frees what a host, whose session is dead, holds with a remote; false without a masquerade. */
  public CompletableFuture<Boolean> release(Address host, Address remote) {
    CompletableFuture<Boolean> answer = new CompletableFuture<>();
    return ask(new Request.Release(host, remote, answer), answer);
  }

  /** A host says under which SPI it receives from a remote; why that cannot be, or empty. */
  public CompletableFuture<Optional<Reason>> register(Address host, Address remote, int spi) {
    CompletableFuture<Optional<Reason>> answer = new CompletableFuture<>();
    return ask(new Request.Register(host, remote, spi, answer), answer);
  }

  private <T> CompletableFuture<T> ask(Request request, CompletableFuture<T> answer) {
    if (!requests.offer(request)) {
      answer.completeExceptionally(new IllegalStateException("too busy"));
    }
    return answer;
  }

  // ---- its own thread

  private void run() {
    while (!over) {
      Optional<Plan> wanted = plan.get();
      try {
        if (wanted.isEmpty()) {
          without(requests.take());
        } else {
          work(wanted.get());
        }
      } catch (InterruptedException e) {
        return;
      } catch (RuntimeException e) {
        // Our own fault: begin anew. Meanwhile the kernel does what the description says.
        trouble = Optional.of("it began anew after " + e);
        working.complete(false);
        pause();
      }
    }
  }

  private static void pause() {
    try {
      Thread.sleep(RETRY);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** Answers that there is nothing. */
  private void without(Request request) {
    switch (request) {
      case Request.Look look ->
          look.answer.complete(
              new Report(0, 0, 0, trouble, Optional.empty(), Optional.empty(), millis()));
      case Request.Release release -> release.answer.complete(false);
      case Request.Register register -> register.answer.complete(Optional.of(Reason.NO_HOST));
      case Request.Wake wake -> {}
    }
  }

  private void work(Plan now) throws InterruptedException {
    try (Ends ends = Ends.open(now)) {
      trouble = ends.why();
      if (trouble.isEmpty()) {
        work(now, new Work(now, ends, own::get, this::millis, say));
      }
    }
    if (trouble.isPresent()) {
      working.complete(false);
      Request request = requests.poll(RETRY.toMillis(), TimeUnit.MILLISECONDS);
      if (request != null) {
        without(request);
      }
    }
  }

  private void work(Plan now, Work work) {
    trouble = work.begin();
    working.complete(trouble.isEmpty());
    while (trouble.isEmpty() && !over && plan.get().filter(now::equals).isPresent()) {
      trouble = work.once(TURN);
      List<Request> all = new ArrayList<>();
      requests.drainTo(all);
      all.forEach(request -> serve(request, work));
    }
  }

  private static void serve(Request request, Work work) {
    switch (request) {
      case Request.Look look -> look.answer.complete(work.report());
      case Request.Release(Address host, Address remote, CompletableFuture<Boolean> answer) -> {
        work.release(host, remote);
        answer.complete(true);
      }
      case Request.Register(
              Address host,
              Address remote,
              int spi,
              CompletableFuture<Optional<Reason>> answer) ->
          answer.complete(work.register(host, remote, spi));
      case Request.Wake wake -> {}
    }
  }

  private long millis() {
    return (System.nanoTime() - begun) / 1_000_000;
  }

  /** Ends it, and waits until it has. */
  @Override
  public void close() {
    over = true;
    wake();
    thread.ifPresent(t -> {
      try {
        t.join(RETRY.plus(RETRY));
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    });
  }
}
