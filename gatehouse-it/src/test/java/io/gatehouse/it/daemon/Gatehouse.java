package io.gatehouse.it.daemon;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.gatehouse.it.lab.Lab;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * Daemons as processes of this namespace, and the commands that ask them.
 *
 * @param directory for their state, logs and answers
 * @param vici charon's socket
 * @param file the description
 */
record Gatehouse(Path directory, Path vici, Path file, List<Process> started) {
  Gatehouse(Path directory, Path vici, Path file) {
    this(directory, vici, file, new ArrayList<>());
  }

  ProcessBuilder command(String... arguments) {
    // Whoever runs the tests may have ignored them.
    return command(List.of("env", "--default-signal=HUP,INT"), arguments);
  }

  private ProcessBuilder command(List<String> by, String[] arguments) {
    List<String> command = new ArrayList<>(by);
    command.add(Lab.HOME.resolve("gatehouse").toString());
    command.addAll(List.of(arguments));
    ProcessBuilder builder = new ProcessBuilder(command).redirectErrorStream(true);
    builder.environment().put("GATEHOUSE_BUILD", "never");
    builder.environment().put("GATEHOUSE_STATE", directory.resolve("state").toString());
    builder.environment().put("GATEHOUSE_RUN", directory.resolve("run").toString());
    builder.environment().put("GATEHOUSE_VICI", vici.toString());
    return builder;
  }

  /** Starts a daemon, and waits until it follows. */
  Process run(String... options) throws IOException {
    return run(List.of("env", "--default-signal=HUP,INT"), options);
  }

  /** Starts one by another command, such as {@code setpriv}. */
  Process runBy(List<String> by) throws IOException {
    return run(by, new String[0]);
  }

  /** Starts one as nohup would. */
  Process runWithoutHangup() throws IOException {
    return runBy(List.of("env", "--ignore-signal=HUP"));
  }

  private Process run(List<String> by, String[] options) throws IOException {
    List<String> words = new ArrayList<>(List.of("run", file.toString()));
    words.addAll(List.of(options));
    Path log = directory.resolve("log-" + started.size());
    Process process =
        command(by, words.toArray(String[]::new)).redirectOutput(log.toFile()).start();
    started.add(process);
    await()
        .atMost(Duration.ofSeconds(90))
        .until(() -> !process.isAlive() || Files.readString(log).contains("follows"));
    assertThat(process.isAlive()).as(() -> read(log)).isTrue();
    return process;
  }

  /** What the last daemon said so far. */
  String said() {
    return read(directory.resolve("log-" + (started.size() - 1)));
  }

  String ask(String... arguments) throws IOException {
    Path answer = directory.resolve("answer");
    try {
      Process process = command(arguments).redirectOutput(answer.toFile()).start();
      assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
    return Files.readString(answer);
  }

  void end() throws InterruptedException {
    for (Process process : started) {
      process.destroyForcibly().waitFor();
    }
  }

  static String read(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      return e.toString();
    }
  }
}
