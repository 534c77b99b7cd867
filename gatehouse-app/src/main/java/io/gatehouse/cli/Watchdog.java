package io.gatehouse.cli;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * What systemd is told of us (sd_notify(3)). Java has no datagrams to unix sockets, so that
 * systemd-notify says it; the unit needs {@code NotifyAccess=all}.
 */
final class Watchdog {
  private static final Duration LIMIT = Duration.ofSeconds(10);

  private final Surroundings surroundings;
  private final boolean asked;
  private final long intervalNanos;
  private long last = System.nanoTime();

  Watchdog(Surroundings surroundings) {
    this.surroundings = surroundings;
    Map<String, String> environment = surroundings.environment();
    asked = !environment.getOrDefault("NOTIFY_SOCKET", "").isEmpty();
    String micros = environment.getOrDefault("WATCHDOG_USEC", "");
    // A third of the time, so that two may be missed.
    intervalNanos =
        asked && micros.matches("[1-9][0-9]{0,14}")
            ? Long.parseLong(micros) * 1000 / 3
            : Long.MAX_VALUE;
  }

  /** It has begun. */
  void ready() {
    if (asked) {
      tell(List.of("--ready"));
    }
  }

  /** It still works; systemd is told now and then. One thread calls it, and does not wait. */
  void alive() {
    long now = System.nanoTime();
    if (intervalNanos != Long.MAX_VALUE && now - last >= intervalNanos) {
      last = now;
      Thread.ofVirtual().start(() -> tell(List.of("WATCHDOG=1")));
    }
  }

  private void tell(List<String> what) {
    List<String> command = new ArrayList<>(List.of("systemd-notify"));
    command.addAll(what);
    surroundings.machine().run(command, "", LIMIT);
  }
}
