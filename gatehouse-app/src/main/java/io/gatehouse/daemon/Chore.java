package io.gatehouse.daemon;

import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Something that takes longer than whoever asks for it may wait, asked for more often than it can
 * be done: it is done at least once after each time, and waits once at most.
 */
final class Chore {
  private final Executor executor;
  private final Runnable work;
  private final AtomicBoolean waits = new AtomicBoolean();

  Chore(Executor executor, Runnable work) {
    this.executor = executor;
    this.work = work;
  }

  /** Has it done soon. Returns at once. */
  void soon() {
    if (waits.compareAndSet(false, true)) {
      executor.execute(() -> {
        waits.set(false);
        work.run();
      });
    }
  }
}
