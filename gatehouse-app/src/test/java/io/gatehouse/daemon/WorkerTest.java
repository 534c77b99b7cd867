package io.gatehouse.daemon;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class WorkerTest {
  @Test
  void workThatEndsIsBegunAnewWhateverEndedIt() throws Exception {
    AtomicInteger attempts = new AtomicInteger();
    CountDownLatch fifth = new CountDownLatch(1);
    CountDownLatch looked = new CountDownLatch(1);
    Worker worker =
        new Worker(
            "ears",
            Duration.ofMillis(1),
            self -> {
              switch (attempts.incrementAndGet()) {
                case 1 -> throw new IOException("no descriptor");
                case 2 -> throw new IllegalStateException("our own fault");
                case 3 -> throw new StackOverflowError();
                case 4 -> {
                  return "nothing more to hear";
                }
                default -> {
                  fifth.countDown();
                  await(looked);
                  self.works();
                }
              }
              return "end";
            });
    try (worker) {
      worker.start();
      fifth.await();
      assertThat(worker.trouble()).contains("ears: nothing more to hear");
      worker.end();
      looked.countDown();
    }
    assertThat(worker.trouble()).isEmpty();
    assertThat(attempts).hasValue(5);
  }

  private static void await(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void whatFailsAtOnceWaitsBeforeItIsTriedAgain() {
    AtomicInteger attempts = new AtomicInteger();
    CountDownLatch failed = new CountDownLatch(1);
    try (Worker worker =
        new Worker(
            "ears",
            Duration.ofHours(1),
            self -> {
              attempts.incrementAndGet();
              failed.countDown();
              throw new IOException("too many open files");
            })) {
      worker.start();
      await(failed);
    }
    assertThat(attempts).hasValue(1);
  }
}
