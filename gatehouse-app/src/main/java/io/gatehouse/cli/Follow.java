package io.gatehouse.cli;

import io.gatehouse.apply.Directories;
import io.gatehouse.apply.Outcome;
import io.gatehouse.compile.LiveMaps;
import io.gatehouse.daemon.Daemon;
import io.gatehouse.daemon.Model;
import io.gatehouse.model.Gateway;
import io.gatehouse.vici.Charon;
import io.gatehouse.vici.Updown;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParameterException;

/** The daemon, {@code run}, and what an IKE daemon's hook calls, {@code updown}. */
final class Follow {
  private static final Duration HOOK_LIMIT = Duration.ofSeconds(1);

  private final Surroundings surroundings;
  private final Directories directories;
  private final Changes changes;
  private final Watchdog watchdog;

  /** What stands, as it was compiled last. */
  private Optional<Model> known = Optional.empty();

  private Follow(Surroundings surroundings) {
    this.surroundings = surroundings;
    directories = Directories.of(surroundings.environment());
    changes = Changes.of(surroundings);
    watchdog = new Watchdog(surroundings);
  }

  static List<CommandSpec> specs(Surroundings surroundings) {
    Follow follow = new Follow(surroundings);
    CommandSpec run =
        Subcommand.of(
            "run",
            "Applies a description, and keeps it right while tunnels come and go.",
            follow::run);
    run.addPositional(Subcommand.file());
    run.addOption(Changes.despiteOption());
    run.addOption(
        OptionSpec.builder("--at-end")
            .paramLabel("leave|clear")
            .type(String.class)
            .completionCandidates(List.of("leave", "clear"))
            .description(
                "What becomes of what tunnels brought when it is asked to end: it stays, or it is"
                    + " taken away. Rules stay in any case.")
            .build());
    CommandSpec updown =
        Subcommand.of(
            "updown",
            "Tells the daemon what an IKE daemon's updown hook was called for.",
            follow::updown);
    return List.of(run, updown);
  }

  // ---- run ----

  private int run(Subcommand.Call call) throws IOException, InterruptedException {
    clears(call); // a wrong option is said before anything is touched
    int applied = changes.apply(call);
    if (applied != ExitStatus.FINE) {
      return applied;
    }
    Optional<Changes.Generation> first = changes.generation();
    if (first.isEmpty()) {
      call.err()
          .println(
              "the description of what was applied cannot be read again, so nothing can follow it:"
                  + " gatehouse apply FILE, and then gatehouse run");
      return ExitStatus.FAULT;
    }
    Gateway gateway = first.get().described().gateway();
    Daemon daemon =
        new Daemon(
            new Hands(call, gateway),
            Path.of(
                surroundings
                    .environment()
                    .getOrDefault("GATEHOUSE_VICI", Charon.SOCKET.toString())),
            Following.socket(directories),
            InstantSource.system());
    CountDownLatch ended = new CountDownLatch(1);
    Runtime.getRuntime().addShutdownHook(new Thread(() -> end(daemon, clears(call), ended), "end"));
    Rereading rereading = new Rereading(() -> again(call), daemon::afterwards);
    if (!Hangup.answer(rereading::ask)) {
      call.out()
          .println(
              "hears no SIGHUP, which was ignored when it was started, as by nohup;"
                  + " `gatehouse apply` changes the description");
    }
    try {
      daemon.run(() -> ready(call));
    } finally {
      ended.countDown();
    }
    return ExitStatus.FINE;
  }

  private static boolean clears(Subcommand.Call call) {
    String atEnd = call.option("--at-end").orElse("leave");
    if (!atEnd.equals("leave") && !atEnd.equals("clear")) {
      throw new ParameterException(
          call.spec().commandLine(), "--at-end is leave or clear, not " + atEnd);
    }
    return atEnd.equals("clear");
  }

  private final class Hands implements Daemon.Hands {
    private final Subcommand.Call call;
    private final Gateway gateway;

    Hands(Subcommand.Call call, Gateway gateway) {
      this.call = call;
      this.gateway = gateway;
    }

    @Override
    public Model model() {
      return Follow.this.model(gateway);
    }

    @Override
    public void repair(int generation) {
      Follow.this.repair(call, generation);
    }

    @Override
    public void late() {
      Outcome outcome = changes.applier().late();
      if (outcome.kind() != Outcome.Kind.DONE) {
        outcome.lines().forEach(call.err()::println);
        call.err().flush();
      }
    }

    @Override
    public void say(String line) {
      call.err().println(line);
      call.err().flush();
    }

    @Override
    public void alive() {
      watchdog.alive();
    }
  }

  /**
   * SIGHUP: the description may have changed. What it comes to is said, and never ends us.
   *
   * @return whether that is all there is to do
   */
  private boolean again(Subcommand.Call call) {
    call.out().println("reads " + call.positional(0) + " again");
    call.out().flush();
    AtomicBoolean settled = new AtomicBoolean(true);
    try {
      changes.apply(call, outcome -> settled.set(!outcome.isWorthAnotherTry()));
    } catch (RuntimeException | VirtualMachineError | LinkageError e) {
      call.err().println("not applied: " + e);
      settled.set(false);
    }
    call.out().flush();
    call.err().flush();
    return settled.get();
  }

  private static void end(Daemon daemon, boolean clears, CountDownLatch ended) {
    daemon.end(clears);
    try {
      if (!ended.await(5, TimeUnit.SECONDS)) {
        System.err.println("gatehouse: ended in the middle of something; the next start compares");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void ready(Subcommand.Call call) {
    call.out().println("follows the tunnels");
    call.out().flush();
    watchdog.ready();
  }

  /** Asked by the conductor alone. */
  private Model model(Gateway gateway) {
    int now = changes.applier().now();
    if (known.isEmpty() || known.get().generation() != now) {
      if (now == 0) {
        known = Optional.of(new Model(0, gateway, LiveMaps.NONE));
      } else {
        changes
            .generation()
            .ifPresent(g ->
                known =
                    Optional.of(
                        new Model(
                            g.number(),
                            g.described().gateway(),
                            LiveMaps.of(
                                g.described().gateway(), g.described().compiled().ruleset()))));
      }
    }
    return known.orElseGet(() -> new Model(0, gateway, LiveMaps.NONE));
  }

  /** In the thread for what takes long; an operator may be at work meanwhile. */
  private void repair(Subcommand.Call call, int generation) {
    changes
        .generation()
        .filter(standing -> standing.number() == generation)
        .ifPresent(standing -> {
          Outcome outcome = changes.again(standing);
          call.err().println("rules were missing; " + String.join("; ", outcome.lines()));
          call.err().flush();
        });
  }

  // ---- updown ----

  /**
   * A hook that fails makes some IKE daemons take the tunnel down, and one that waits keeps their
   * worker: it never does either for long. What is not heard here, the next list tells.
   */
  private int updown(Subcommand.Call call) {
    Daemon.ask(
        Following.socket(directories),
        "updown " + Updown.line(surroundings.environment()),
        HOOK_LIMIT,
        line -> {});
    return ExitStatus.FINE;
  }
}
