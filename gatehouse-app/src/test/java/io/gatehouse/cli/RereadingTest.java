package io.gatehouse.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import org.junit.jupiter.api.Test;

class RereadingTest {
  /** What is to be done later, and after how long; done one by one. */
  private final Deque<Runnable> waiting = new ArrayDeque<>();

  private final List<Duration> waits = new ArrayList<>();

  /** What the tries come to, one after the other. */
  private final Deque<Boolean> settle = new ArrayDeque<>();

  private final Rereading rereading =
      new Rereading(
          settle::remove,
          (wait, chore) -> {
            waits.add(wait);
            waiting.add(chore);
          });

  private void work() {
    while (!waiting.isEmpty() && !settle.isEmpty()) {
      waiting.remove().run();
    }
  }

  @Test
  void whatIsSettledIsNotTriedAgain() {
    settle.addAll(List.of(true, true));
    rereading.ask();
    work();
    assertThat(settle).hasSize(1);
    assertThat(waiting).isEmpty();
  }

  @Test
  void whatFailedForNowIsTriedUntilItIsSettled() {
    settle.addAll(List.of(false, false, false, false, false, false, false, true));
    rereading.ask();
    work();
    assertThat(settle).isEmpty();
    assertThat(waiting).isEmpty();
    assertThat(waits.stream().map(Duration::toSeconds))
        .containsExactly(0L, 2L, 4L, 8L, 16L, 32L, 60L, 60L);
  }

  @Test
  void theNextTimeTakesTheTriesOfTheLastOneOver() {
    settle.addAll(List.of(false, true, true));
    rereading.ask();
    waiting.remove().run();
    rereading.ask();
    work();
    assertThat(settle).as("tried once more, not twice").hasSize(1);
  }
}
