package io.gatehouse.slowpath;

import io.gatehouse.masquerade.Reason;
import io.gatehouse.masquerade.Status;
import io.gatehouse.model.Address;
import io.gatehouse.netlink.Answer;
import io.gatehouse.netlink.Bytes;
import io.gatehouse.netlink.Failure;
import io.gatehouse.netlink.Kernel;
import io.gatehouse.netlink.PacketQueue;
import io.gatehouse.netlink.PacketQueue.Ruling;
import io.gatehouse.netlink.PacketSender;
import io.gatehouse.netlink.QueuedPacket;
import io.gatehouse.netlink.SetElement;
import io.gatehouse.packet.Ip;
import io.gatehouse.packet.Packet;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;

/**
 * Decides, while it runs, whose the packets are that the masquerade's maps do not know. One thread
 * owns everything; others tell it what to follow, and ask. What stands in the maps stays there when
 * it ends.
 */
public final class SlowPath implements AutoCloseable {
  /** Others' questions are answered within this. */
  private static final Duration TURN = Duration.ofMillis(100);

  /** Between looks at what the kernel has used, and at what is over. */
  private static final long PERIOD = 1_000;

  private static final Duration RETRY = Duration.ofSeconds(1);

  /** Every link carries that much (RFC 791: 576; Ethernet and what is made of it: more). */
  private static final int PART = 1280;

  private static final int TOO_LONG = 90;

  private final AtomicReference<Optional<Plan>> plan = new AtomicReference<>(Optional.empty());
  private final BlockingQueue<Request> requests = new LinkedBlockingQueue<>(256);
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
   * @param at now, in milliseconds of the engine's clock
   */
  public record Report(
      int hosts,
      int sessions,
      int waiting,
      Optional<String> trouble,
      Optional<Status> status,
      long at) {}

  /** What others want. */
  private sealed interface Request {
    record Look(CompletableFuture<Report> answer) implements Request {}

    record Release(Address host, Address remote, CompletableFuture<Boolean> answer)
        implements Request {}

    record Register(
        Address host, Address remote, int spi, CompletableFuture<Optional<Reason>> answer)
        implements Request {}
  }

  /** Follows a plan from now on, or none. Packets that are held meanwhile are lost. */
  public void follow(Optional<Plan> next) {
    plan.set(next);
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
          rest(TURN);
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
  private void rest(Duration limit) throws InterruptedException {
    Request request = requests.poll(limit.toMillis(), TimeUnit.MILLISECONDS);
    if (request != null) {
      switch (request) {
        case Request.Look look -> look.answer.complete(nothing());
        case Request.Release release -> release.answer.complete(false);
        case Request.Register register -> register.answer.complete(Optional.of(Reason.NO_HOST));
      }
    }
  }

  private Report nothing() {
    return new Report(0, 0, 0, trouble, Optional.empty(), millis());
  }

  private void work(Plan now) throws InterruptedException {
    try (Open open = Open.of(now)) {
      if (open.why.isPresent()) {
        trouble = open.why;
        working.complete(false);
        rest(RETRY);
        return;
      }
      Turn turn = new Turn(now, open);
      trouble = turn.begin();
      if (trouble.isPresent()) {
        working.complete(false);
        rest(RETRY);
        return;
      }
      working.complete(true);
      while (!over && plan.get().filter(now::equals).isPresent() && turn.once()) {
        serve(turn);
      }
    }
  }

  private void serve(Turn turn) {
    List<Request> all = new ArrayList<>();
    requests.drainTo(all);
    for (Request request : all) {
      switch (request) {
        case Request.Look look -> look.answer.complete(turn.report());
        case Request.Release release -> {
          turn.execute(turn.decider.release(release.host, release.remote, millis()));
          release.answer.complete(true);
        }
        case Request.Register register -> {
          List<Reason> why = new ArrayList<>();
          turn.execute(
              turn.decider.register(
                  register.host, register.remote, register.spi, millis(), why::add));
          register.answer.complete(why.stream().findFirst());
        }
      }
    }
  }

  private long millis() {
    return (System.nanoTime() - begun) / 1_000_000;
  }

  /** What it needs of the kernel, or why it does not get it. */
  private record Open(
      Optional<Kernel> kernel,
      Optional<PacketQueue> queue,
      Optional<PacketSender> sender,
      Optional<OwnSas> own,
      Optional<String> why)
      implements AutoCloseable {

    static Open of(Plan plan) {
      int number = plan.queue();
      Optional<Kernel> kernel = Optional.empty();
      Optional<PacketQueue> queue = Optional.empty();
      Optional<PacketSender> sender = Optional.empty();
      Optional<OwnSas> own = Optional.empty();
      Optional<String> why = Optional.empty();
      switch (Kernel.open()) {
        case Answer.Told<Kernel>(Kernel told) -> kernel = Optional.of(told);
        case Answer.Failed<Kernel>(Failure failure) -> why = Optional.of("netlink: " + failure);
      }
      switch (PacketQueue.open(number, 2)) {
        case Answer.Told<PacketQueue>(PacketQueue told) -> queue = Optional.of(told);
        case Answer.Failed<PacketQueue>(Failure failure) ->
            why = Optional.of("NFQUEUE " + number + " and the next: " + failure);
      }
      switch (PacketSender.open()) {
        case Answer.Told<PacketSender>(PacketSender told) -> sender = Optional.of(told);
        case Answer.Failed<PacketSender>(Failure failure) ->
            why = Optional.of("a raw socket: " + failure);
      }
      if (kernel.isPresent() && plan.maps().own().isPresent()) {
        switch (OwnSas.open(kernel.get())) {
          case Answer.Told<OwnSas>(OwnSas told) -> own = Optional.of(told);
          case Answer.Failed<OwnSas>(Failure failure) ->
              why = Optional.of("events of xfrm: " + failure);
        }
      }
      return new Open(kernel, queue, sender, own, why);
    }

    @Override
    public void close() {
      queue.ifPresent(PacketQueue::close);
      own.ifPresent(OwnSas::close);
      sender.ifPresent(PacketSender::close);
      kernel.ifPresent(Kernel::close);
    }
  }

  /** The work for one plan. */
  private final class Turn {
    private final Plan now;
    private final Kernel kernel;
    private final PacketQueue queue;
    private final PacketSender sender;
    private final Optional<OwnSas> own;
    private final Decider decider;
    private final MapWriter maps;
    private long look;

    Turn(Plan now, Open open) {
      this.now = now;
      kernel = open.kernel.orElseThrow();
      queue = open.queue.orElseThrow();
      sender = open.sender.orElseThrow();
      own = open.own;
      decider = new Decider(now, new SecureRandom().nextLong());
      maps = new MapWriter(changes -> kernel.change(changes, OptionalLong.empty()));
    }

    /**
     * Takes over what stands.
     *
     * @return why it cannot: what is not known may be given to somebody else
     */
    Optional<String> begin() {
      WarmUp.run(now);
      return switch (Standing.read(now.maps(), this::list)) {
        case Answer.Failed<Standing>(Failure why) -> Optional.of("its maps cannot be read: " + why);
        case Answer.Told<Standing>(Standing listed) -> {
          decider.recall(listed, millis());
          execute(decider.everything(listed));
          look = millis() + PERIOD;
          yield Optional.empty();
        }
      };
    }

    private Answer<List<SetElement>> list(io.gatehouse.ruleset.NftSet set) {
      return kernel.elements(Elements.id(set));
    }

    /** Whether there is more to come. */
    boolean once() {
      long untilDue = decider.due().map(due -> Math.max(0, due - millis())).orElse(PERIOD);
      Duration wait = Duration.ofMillis(Math.min(TURN.toMillis(), untilDue));
      switch (queue.next(wait)) {
        case Answer.Failed<List<QueuedPacket>>(Failure why) -> {
          trouble = Optional.of("NFQUEUE: " + why);
          return false;
        }
        case Answer.Told<List<QueuedPacket>>(List<QueuedPacket> packets) -> {
          own.flatMap(OwnSas::changed).ifPresent(all -> execute(decider.own(all)));
          // One after the other: each may change what the next one meets.
          packets.forEach(packet -> execute(asked(packet)));
        }
      }
      long time = millis();
      if (decider.due().filter(due -> due <= time).isPresent()) {
        execute(decider.wake(time));
      }
      if (time >= look) {
        look = time + PERIOD;
        look(time);
      }
      return true;
    }

    private Step asked(QueuedPacket queued) {
      io.gatehouse.packet.Bytes raw = io.gatehouse.packet.Bytes.copyOf(queued.payload().array());
      if (queued.whole() && Packet.parse(raw) instanceof Ip packet) {
        boolean inbound = queued.queue() == now.queue();
        return decider.asked(List.of(new Asked(queued, inbound, packet, raw)), millis());
      }
      Step step = new Step();
      step.rule(queued, Ruling.DROP);
      return step;
    }

    private void look(long time) {
      boolean stands =
          list(now.maps().zones()) instanceof Answer.Told<List<SetElement>>(List<SetElement> zones)
              && list(now.maps().spis())
                  instanceof Answer.Told<List<SetElement>>(List<SetElement> spis)
              && decider.seen(zones, spis, time);
      if (!stands || maps.isDoubtful()) {
        restore();
      }
      if (decider.someAreIdle(time)
          && list(now.maps().sent())
              instanceof Answer.Told<List<SetElement>>(List<SetElement> sent)) {
        execute(decider.giveBack(sent, time));
      }
      execute(decider.tick(time));
    }

    private void restore() {
      switch (Standing.read(now.maps(), this::list)) {
        case Answer.Failed<Standing>(Failure why) -> maps.doubt("its maps cannot be read: " + why);
        case Answer.Told<Standing>(Standing listed) -> {
          maps.trust();
          execute(decider.everything(listed));
        }
      }
    }

    /** Maps first: a packet that comes again must find them. */
    void execute(Step step) {
      boolean made = maps.write(step.groups());
      for (Step.Copy copy : step.copies()) {
        Headers.forwarded(copy.raw(), copy.host()).ifPresent(this::send);
      }
      for (Step.Ruled ruled : step.rulings()) {
        boolean again = ruled.ruling() == Ruling.REPEAT;
        queue.rule(ruled.packet(), again && !made ? Ruling.DROP : ruled.ruling());
      }
    }

    private void send(io.gatehouse.packet.Bytes packet) {
      int error = sender.send(Bytes.of(packet.toArray()));
      if (error == TOO_LONG) {
        Headers.fragments(packet, PART).forEach(part -> sender.send(Bytes.of(part.toArray())));
      }
    }

    Report report() {
      Optional<String> zones =
          decider.withoutZone() > 0
              ? Optional.of(decider.withoutZone() + " packets of hosts for which no zone is left")
              : Optional.empty();
      return new Report(
          decider.hosts(),
          decider.sessions(),
          decider.waiting(),
          maps.refusal().or(() -> zones),
          Optional.of(decider.status()),
          millis());
    }
  }

  /** Ends it, and waits until it has. */
  @Override
  public void close() {
    over = true;
    thread.ifPresent(t -> {
      try {
        t.join(RETRY.plus(RETRY));
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    });
  }
}
