package io.gatehouse.cli;

import java.io.Console;
import java.io.PrintWriter;
import java.util.Optional;

/** One line on a terminal that says what long work is at; elsewhere nothing. */
sealed interface Progress extends AutoCloseable {

  /** Says what begins now. */
  void step(String what);

  /** Makes room for a line of output; the next turn writes the step again. */
  void clear();

  @Override
  void close();

  /** Progress on the terminal that {@code err} is, if this process has one. */
  static Progress on(PrintWriter err) {
    return Optional.ofNullable(System.console()).filter(Console::isTerminal).isPresent()
        ? new Spinner(err)
        : new Silent();
  }

  /** No terminal, no progress. */
  record Silent() implements Progress {
    @Override
    public void step(String what) {}

    @Override
    public void clear() {}

    @Override
    public void close() {}
  }

  /** A turning sign, the step and its seconds, drawn five times a second. */
  final class Spinner implements Progress {
    private static final String TURN = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏";
    private final PrintWriter err;
    private final Thread turner;
    private String step = "";
    private long turns;
    private long since = System.nanoTime();

    Spinner(PrintWriter err) {
      this.err = err;
      turner = Thread.ofPlatform().daemon().start(this::turn);
    }

    private void turn() {
      try {
        while (true) {
          draw();
          Thread.sleep(200);
        }
      } catch (InterruptedException e) {
        // closed
      }
    }

    private synchronized void draw() {
      if (!step.isEmpty()) {
        char sign = TURN.charAt((int) (turns++ % TURN.length()));
        err.printf("\r\033[K%s %s, %d s", sign, step, (System.nanoTime() - since) / 1_000_000_000);
        err.flush();
      }
    }

    @Override
    public synchronized void step(String what) {
      since = System.nanoTime();
      step = what;
    }

    @Override
    public synchronized void clear() {
      err.print("\r\033[K");
      err.flush();
    }

    @Override
    public synchronized void close() {
      turner.interrupt();
      step = "";
      clear();
    }
  }
}
