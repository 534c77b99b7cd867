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
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import picocli.CommandLine.Model.CommandSpec;

/**
 * The daemon and those who ask it: {@code run}, {@code sessions}, and {@code updown}, which an IKE
 * daemon's hook calls.
 */
final class Follow {
  private final Surroundings surroundings;
  private final Directories directories;
  private final Changes changes;

  /** What stands, as it was compiled last. */
  private Optional<Model> known = Optional.empty();

  private Follow(Surroundings surroundings) {
    this.surroundings = surroundings;
    directories = Directories.of(surroundings.environment());
    changes = Changes.of(surroundings);
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
    CommandSpec sessions =
        Subcommand.of("sessions", "Says who is there, by what the daemon knows.", follow::sessions);
    sessions.addOption(Subcommand.json());
    CommandSpec updown =
        Subcommand.of(
            "updown",
            "Tells the daemon what an IKE daemon's updown hook was called for.",
            follow::updown);
    return List.of(run, sessions, updown);
  }

  // ---- run ----

  private int run(Subcommand.Call call) throws IOException, InterruptedException {
    int applied = changes.apply(call);
    if (applied != ExitStatus.FINE) {
      return applied;
    }
    Optional<Changes.Generation> first = changes.generation();
    if (first.isEmpty()) {
      call.err().println("what stands has no description that can be followed");
      return ExitStatus.FAULT;
    }
    Gateway gateway = first.get().described().gateway();
    Daemon daemon =
        new Daemon(
            () -> model(gateway),
            () -> repair(call),
            Path.of(
                surroundings
                    .environment()
                    .getOrDefault("GATEHOUSE_VICI", Charon.SOCKET.toString())),
            Following.socket(directories),
            InstantSource.system());
    CountDownLatch ended = new CountDownLatch(1);
    Runtime.getRuntime().addShutdownHook(new Thread(() -> end(daemon, ended), "end"));
    try {
      daemon.run(() -> ready(call));
    } finally {
      ended.countDown();
    }
    return ExitStatus.FINE;
  }

  /** The kernel stays as it is. */
  private static void end(Daemon daemon, CountDownLatch ended) {
    daemon.end();
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
    if (!surroundings.environment().getOrDefault("NOTIFY_SOCKET", "").isEmpty()) {
      surroundings.machine().run(List.of("systemd-notify", "--ready"), "", Duration.ofSeconds(10));
    }
  }

  /** Asked by the conductor alone. */
  private Model model(Gateway gateway) {
    int now = changes.applier().now();
    if (known.isEmpty() || known.get().generation() != now) {
      if (now == 0) {
        known = Optional.of(new Model(0, gateway, new LiveMaps(List.of(), Optional.empty())));
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
    return known.orElseGet(() -> new Model(0, gateway, new LiveMaps(List.of(), Optional.empty())));
  }

  private void repair(Subcommand.Call call) {
    changes
        .generation()
        .ifPresent(standing -> {
          Outcome outcome = changes.again(standing);
          call.err().println("rules were missing; " + String.join("; ", outcome.lines()));
          call.err().flush();
        });
  }

  // ---- sessions ----

  private int sessions(Subcommand.Call call) {
    List<Map<String, String>> all = new ArrayList<>();
    boolean runs =
        Daemon.ask(
            Following.socket(directories), "sessions", line -> all.add(Following.fields(line)));
    if (!runs) {
      call.err().println("no daemon follows the tunnels; `gatehouse run FILE` does");
      return ExitStatus.NO;
    }
    if (call.isSet("--json")) {
      Map<String, Object> answer = new LinkedHashMap<>();
      answer.put("fine", true);
      answer.put("sessions", all);
      call.answer(Json.text(answer));
      return ExitStatus.FINE;
    }
    StringBuilder text = new StringBuilder();
    for (Map<String, String> session : all) {
      String who =
          "%s  %s  %s  %s"
              .formatted(
                  session.getOrDefault("tunnel", "-"),
                  session.getOrDefault("who", "-"),
                  session.getOrDefault("virtual", ""),
                  session.getOrDefault("from", ""));
      text.append(Page.harmless(who).stripTrailing()).append('\n');
      text.append(
          Page.harmless(
                  "    %s%s%s since %s s, %s in, %s out"
                      .formatted(
                          named(session, "group"),
                          named(session, "mark"),
                          session.getOrDefault("children", "0") + " SAs",
                          session.getOrDefault("seconds", "-"),
                          session.getOrDefault("bytes-in", "0"),
                          session.getOrDefault("bytes-out", "0")))
              .stripTrailing());
      text.append('\n');
    }
    text.append(Page.counted(all.size(), "session")).append('\n');
    call.answer(text.toString());
    return ExitStatus.FINE;
  }

  private static String named(Map<String, String> session, String field) {
    return session.containsKey(field) ? field + " " + session.get(field) + ", " : "";
  }

  // ---- updown ----

  /** A hook that fails makes some IKE daemons take the tunnel down: it never does. */
  private int updown(Subcommand.Call call) {
    Daemon.ask(
        Following.socket(directories),
        "updown " + Updown.line(surroundings.environment()),
        line -> {});
    return ExitStatus.FINE;
  }
}
