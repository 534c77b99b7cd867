package io.gatehouse.it.lab;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.opentest4j.TestAbortedException;

/**
 * A lab that stands and serves scripts, several at once, until this JVM ends, in whatever way: it
 * watches our process.
 */
final class Machine {
  /** The statuses of {@code lab/boot} and {@code lab/inside} that speak of the host, not of us. */
  private static final int LACKING = 77;

  private final Process process;
  private final Path exchange;
  private final AtomicInteger requests = new AtomicInteger();

  private Machine(Process process, Path exchange) {
    this.process = process;
    this.exchange = exchange;
  }

  /** Starts a machine with a program of {@code lab/}, and waits until it serves. */
  static Machine start(Path program, List<String> options) {
    try {
      Path exchange = Files.createTempDirectory("gatehouse-lab");
      Path log = exchange.resolve("log");
      Process process =
          new ProcessBuilder(
                  Stream.of(
                          List.of(program.toString(), "--for", "" + ProcessHandle.current().pid()),
                          options,
                          List.of("--agent", exchange.toString()))
                      .flatMap(List::stream)
                      .toList())
              .redirectInput(Path.of("/dev/null").toFile())
              .redirectErrorStream(true)
              .redirectOutput(log.toFile())
              .start();
      Machine machine = new Machine(process, exchange);
      Runtime.getRuntime().addShutdownHook(new Thread(machine::stop, "lab-stop"));
      while (!Files.exists(exchange.resolve("up"))) {
        if (process.waitFor(20, TimeUnit.MILLISECONDS)) {
          String said = Files.readString(log).strip();
          if (process.exitValue() == LACKING) {
            throw new TestAbortedException(said);
          }
          throw new AssertionError("no lab, status " + process.exitValue() + "\n" + said);
        }
      }
      return machine;
    } catch (IOException | InterruptedException e) {
      throw new AssertionError("no lab", e);
    }
  }

  Answer run(String script, Duration limit) {
    String name = "r" + requests.incrementAndGet();
    try {
      Path status = exchange.resolve(name + ".rc");
      Files.writeString(exchange.resolve(name + ".sh"), script);
      wake(name);
      long end = System.nanoTime() + limit.toNanos();
      // The status ends with a newline when it is whole.
      for (int pause = 2; !ended(status); pause = Math.min(pause + 2, 20)) {
        if (process.waitFor(pause, TimeUnit.MILLISECONDS)) {
          throw new AssertionError(
              "the lab ended while it served\n" + Files.readString(exchange.resolve("log")));
        }
        if (System.nanoTime() > end) {
          wake("-" + name);
          throw new AssertionError(
              "no end within %d s%n%s%n%s%n%s"
                  .formatted(limit.toSeconds(), script, text(name, ".out"), text(name, ".err")));
        }
      }
      Answer answer =
          new Answer(
              Integer.parseInt(Files.readString(status).strip()),
              text(name, ".out"),
              text(name, ".err"));
      for (String end1 : List.of(".sh", ".out", ".err", ".rc")) {
        Files.deleteIfExists(exchange.resolve(name + end1));
      }
      return answer;
    } catch (IOException e) {
      throw new AssertionError("cannot reach the lab", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new AssertionError("interrupted", e);
    }
  }

  private static boolean ended(Path status) throws IOException {
    return Files.exists(status) && Files.readString(status).endsWith("\n");
  }

  private String text(String name, String end) throws IOException {
    Path file = exchange.resolve(name + end);
    return Files.exists(file) ? new String(Files.readAllBytes(file), UTF_8) : "";
  }

  /** Opened for reading too: a pipe whose reader has gone would else hold us here for ever. */
  private synchronized void wake(String line) throws IOException {
    try (RandomAccessFile pipe = new RandomAccessFile(exchange.resolve("wake.in").toFile(), "rw")) {
      pipe.write((line + "\n").getBytes(UTF_8));
    }
  }

  private void stop() {
    try {
      // The lab's guard looks for this file; it also takes the machine with it when we are killed.
      Files.createFile(exchange.resolve("stop"));
      if (!process.waitFor(10, TimeUnit.SECONDS)) {
        process.destroy();
        process.waitFor(5, TimeUnit.SECONDS);
      }
      try (Stream<Path> files = Files.walk(exchange)) {
        for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
          Files.deleteIfExists(file);
        }
      }
    } catch (IOException | InterruptedException e) {
      process.destroyForcibly();
    }
  }
}
