package io.gatehouse.snapshot;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

/** The machine itself. */
public final class LocalMachine implements Machine {
  /** More of a file is not read. */
  private static final int MOST_BYTES = 64 << 20;

  /**
   * A thread for each stream: the common pool may have one for all, and whoever fills the other
   * pipe waits for ever.
   */
  private static final Executor DRAINS = drain -> Thread.ofPlatform().daemon().start(drain);

  private final List<String> prefix;

  /** Commands run as they are. */
  public LocalMachine() {
    this(List.of());
  }

  /**
   * @param prefix what each command is run by, such as {@code ip netns exec NAME}
   */
  public LocalMachine(List<String> prefix) {
    this.prefix = List.copyOf(prefix);
  }

  @Override
  public Answer run(List<String> command, String stdin, Duration limit) {
    ProcessBuilder builder =
        new ProcessBuilder(Stream.concat(prefix.stream(), command.stream()).toList());
    // Messages and numbers as the parsers know them, whatever the user's language.
    builder.environment().put("LC_ALL", "C");
    // Root's PATH under cron, su and some units lacks the directories that hold nft and ip.
    builder
        .environment()
        .merge("PATH", "/usr/sbin:/sbin:/usr/bin:/bin", (own, more) -> own + ":" + more);
    Process process;
    try {
      process = builder.start();
    } catch (IOException e) {
      return new Answer(Answer.NOT_FOUND, "", command.getFirst() + ": not found");
    }
    CompletableFuture<String> out =
        CompletableFuture.supplyAsync(() -> drain(process.getInputStream()), DRAINS);
    CompletableFuture<String> err =
        CompletableFuture.supplyAsync(() -> drain(process.getErrorStream()), DRAINS);
    try (OutputStream in = process.getOutputStream()) {
      in.write(stdin.getBytes(UTF_8));
    } catch (IOException e) {
      // It ended without reading everything; its status says why.
    }
    try {
      if (!process.waitFor(limit.toMillis(), TimeUnit.MILLISECONDS)) {
        process.destroyForcibly();
        return new Answer(
            Answer.TIMED_OUT,
            "",
            command.getFirst() + ": no answer within " + limit.toSeconds() + " s");
      }
    } catch (InterruptedException e) {
      process.destroyForcibly();
      Thread.currentThread().interrupt();
      return new Answer(Answer.TIMED_OUT, "", command.getFirst() + ": interrupted");
    }
    return new Answer(process.exitValue(), out.join(), err.join());
  }

  private static String drain(InputStream stream) {
    try (stream) {
      return new String(stream.readAllBytes(), UTF_8);
    } catch (IOException e) {
      return "";
    }
  }

  // In another namespace /proc/sys/net shows that namespace's values only to a process inside it.
  @Override
  public Optional<String> read(String path) {
    if (!prefix.isEmpty()) {
      Answer answer = run(List.of("cat", path), "", Duration.ofSeconds(5));
      return answer.ok() ? Optional.of(answer.out().stripTrailing()) : Optional.empty();
    }
    // Files.readString asks for one byte first where a file has no size, and of a number the kernel
    // has nothing behind that (do_proc_dointvec): 600 would be 6.
    try (InputStream file = Files.newInputStream(Path.of(path))) {
      return Optional.of(new String(file.readNBytes(MOST_BYTES), UTF_8).stripTrailing());
    } catch (IOException | SecurityException e) {
      return Optional.empty();
    }
  }

  @Override
  public Map<String, String> readAll(List<String> paths) {
    if (prefix.isEmpty() || paths.isEmpty()) {
      return Machine.super.readAll(paths);
    }
    // One process for all: a tree of settings has hundreds of files.
    List<String> command = new ArrayList<>(List.of("grep", "-sH", ""));
    command.addAll(paths);
    Map<String, String> texts = new LinkedHashMap<>();
    run(command, "", Duration.ofSeconds(10))
        .out()
        .lines()
        .forEach(line -> {
          int colon = line.indexOf(':');
          if (colon > 0) {
            texts.merge(
                line.substring(0, colon), line.substring(colon + 1), (a, b) -> a + "\n" + b);
          }
        });
    return texts;
  }

  @Override
  public List<String> list(String directory) {
    if (!prefix.isEmpty()) {
      return run(List.of("ls", directory), "", Duration.ofSeconds(5)).outOrEmpty().lines().toList();
    }
    try (Stream<Path> entries = Files.list(Path.of(directory))) {
      return entries.map(p -> p.getFileName().toString()).sorted().toList();
    } catch (IOException | SecurityException e) {
      return List.of();
    }
  }

  @Override
  public Optional<String> link(String path) {
    if (!prefix.isEmpty()) {
      Answer answer = run(List.of("readlink", path), "", Duration.ofSeconds(5));
      return answer.ok() ? Optional.of(answer.out().strip()) : Optional.empty();
    }
    try {
      return Optional.of(Files.readSymbolicLink(Path.of(path)).toString());
    } catch (IOException | SecurityException e) {
      return Optional.empty();
    }
  }
}
