package io.gatehouse.daemon;

import java.io.IOException;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;

/**
 * A thread whose work is begun anew where it ends before its time, whatever ended it: nobody else
 * would miss it. Between two attempts it waits, so that what fails at once costs nothing.
 */
final class Worker implements AutoCloseable {
  private final String name;
  private final Duration retry;
  private final Work work;
  private final Thread thread;
  private volatile boolean over;
  private volatile Optional<String> trouble = Optional.empty();

  /** What such a thread does. */
  interface Work {
    /**
     * Works until it cannot go on, or {@link Worker#isOver}.
     *
     * @param worker told by {@link Worker#works} when all is well
     * @return why it cannot go on, in words
     */
    String until(Worker worker) throws IOException;
  }

  /**
   * @param name the thread's, and what people are told of it
   * @param retry between two attempts
   */
  Worker(String name, Duration retry, Work work) {
    this.name = name;
    this.retry = retry;
    this.work = work;
    thread = Thread.ofPlatform().name(name).daemon().unstarted(this::run);
  }

  Worker start() {
    thread.start();
    return this;
  }

  private void run() {
    while (!over) {
      String why;
      try {
        why = work.until(this);
      } catch (IOException | RuntimeException | VirtualMachineError | LinkageError e) {
        why = e.toString();
      }
      if (!over) {
        trouble = Optional.of(name + ": " + why);
        LockSupport.parkNanos(retry.toNanos());
      }
    }
  }

  /** What was wrong is so no longer. */
  void works() {
    if (trouble.isPresent()) {
      trouble = Optional.empty();
    }
  }

  boolean isOver() {
    return over;
  }

  /** Why it does not do its work just now. */
  Optional<String> trouble() {
    return trouble;
  }

  /** Tells it to end; {@link #close} waits for that. */
  void end() {
    over = true;
    LockSupport.unpark(thread);
  }

  @Override
  public void close() {
    end();
    try {
      thread.join(Duration.ofSeconds(5));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
