package io.gatehouse.cli;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BiConsumer;
import java.util.function.BooleanSupplier;

/**
 * Reads a description when it is asked to, and again until the kernel has it or the description
 * itself is refused: whoever asked by a signal hears of no failure, and would believe it done.
 */
final class Rereading {
  /** Until the second try; each further one waits twice as long. */
  static final Duration FIRST = Duration.ofSeconds(2);

  static final Duration LONGEST = Duration.ofMinutes(1);

  private final BooleanSupplier attempt;
  private final BiConsumer<Duration, Runnable> later;

  /** How often it was asked: tries for an earlier time end with the next. */
  private final AtomicInteger asked = new AtomicInteger();

  /**
   * @param attempt one try; says whether that settles it
   * @param later does something after a while, one thing at a time
   */
  Rereading(BooleanSupplier attempt, BiConsumer<Duration, Runnable> later) {
    this.attempt = attempt;
    this.later = later;
  }

  /** Asks for it, from whatever thread. */
  void ask() {
    int time = asked.incrementAndGet();
    later.accept(Duration.ZERO, () -> attempt(time, FIRST));
  }

  private void attempt(int time, Duration wait) {
    if (time == asked.get() && !attempt.getAsBoolean()) {
      Duration next = wait.multipliedBy(2);
      later.accept(wait, () -> attempt(time, next.compareTo(LONGEST) < 0 ? next : LONGEST));
    }
  }
}
