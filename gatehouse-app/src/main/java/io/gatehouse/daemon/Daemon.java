package io.gatehouse.daemon;

import io.gatehouse.netlink.Answer;
import io.gatehouse.netlink.Failure;
import io.gatehouse.netlink.Frame;
import io.gatehouse.netlink.Kernel;
import io.gatehouse.netlink.KernelEvents;
import io.gatehouse.netlink.KernelEvents.Heard;
import io.gatehouse.netlink.NftCodec;
import io.gatehouse.netlink.NftMessage;
import io.gatehouse.vici.Charon;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.function.Supplier;

/**
 * Everything that runs while `gatehouse run` does: one conductor; one reader each of the IKE daemon
 * and of the kernel's events; and whoever asks over the control socket. What stands in the kernel
 * when it ends stays there.
 */
public final class Daemon {
  /** Between two attempts to reach charon: it is quick to be back. */
  private static final Duration RETRY = Duration.ofMillis(250);

  private static final Duration WAIT = Duration.ofMillis(500);

  private final Supplier<Model> model;
  private final Runnable repair;
  private final Path vici;
  private final Path control;
  private final AtomicReference<Runnable> listAgain = new AtomicReference<>(() -> {});
  private final Conductor conductor;
  private volatile boolean over;

  /**
   * @param model what is to stand now; asked whenever something may have changed
   * @param repair puts back rules that somebody took away
   * @param vici charon's socket
   * @param control where our own socket will be
   */
  public Daemon(
      Supplier<Model> model, Runnable repair, Path vici, Path control, InstantSource clock) {
    this.model = model;
    this.repair = repair;
    this.vici = vici;
    this.control = control;
    conductor = new Conductor(Daemon::kernel, new Others(), clock);
  }

  private static Store kernel() {
    return switch (Kernel.open()) {
      case Answer.Told<Kernel>(Kernel kernel) -> Store.of(kernel);
      case Answer.Failed<Kernel>(Failure why) ->
          throw new IllegalStateException("no netlink socket: " + why);
    };
  }

  private final class Others implements Conductor.Surroundings {
    @Override
    public Model model() {
      return model.get();
    }

    @Override
    public void repair() {
      repair.run();
    }

    @Override
    public void listAgain() {
      listAgain.get().run();
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
    Thread events =
        Thread.ofPlatform().name("kernel-events").daemon().start(() -> hearKernel(listening));
    Control answers = Control.open(control, conductor);
    try (answers) {
      listening.join();
      try (Charon charon = Charon.follow(vici, RETRY, conductor::hear)) {
        listAgain.set(charon::listAgain);
        ready.run();
        conductor.run();
      }
    } finally {
      over = true;
      events.join(Duration.ofSeconds(5));
    }
  }

  /** Changes of nftables that are not ours make the conductor look. */
  private void hearKernel(CompletableFuture<Boolean> listening) {
    switch (KernelEvents.about(KernelEvents.About.NFTABLES)) {
      // The periodic comparison finds what we do not hear.
      case Answer.Failed<KernelEvents> failed -> listening.complete(false);
      case Answer.Told<KernelEvents>(KernelEvents events) -> {
        listening.complete(true);
        try (events) {
          hear(events);
        }
      }
    }
  }

  private void hear(KernelEvents events) {
    long own = ProcessHandle.current().pid();
    while (!over) {
      switch (events.next(WAIT)) {
        case Heard.Missed missed -> conductor.kernelChanged();
        case Heard.Ended ended -> {
          return;
        }
        case Heard.Messages messages -> {
          for (Frame.Content message : messages.messages()) {
            if (NftCodec.read(message) instanceof NftMessage.Generation generation
                && generation.process() != own) {
              conductor.kernelChanged();
            }
          }
        }
      }
    }
  }

  /** Ends it, from whatever thread. */
  public void end() {
    conductor.end();
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
