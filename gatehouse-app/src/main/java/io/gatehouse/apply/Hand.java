package io.gatehouse.apply;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * The shell that holds the lock and changes the kernel for us. It is a process of its own, so that
 * a step that has begun is finished, and the lock held, even when we are killed: what it runs
 * inherits the lock.
 */
final class Hand implements AutoCloseable {

  /** What came of taking the lock. */
  sealed interface Attempt {
    record Taken(Hand hand) implements Attempt {}

    record Busy(String holder) implements Attempt {}

    record Broken(String why) implements Attempt {}
  }

  /**
   * What a command to the hand came to.
   *
   * @param status 0 done; 1 not done, and nothing changed; 2 not done, and not taken back either;
   *     {@link #LEFT}
   * @param lines what it has to say
   */
  record Reply(int status, List<String> lines) {
    Reply {
      lines = List.copyOf(lines);
    }
  }

  /** It was killed: a next start takes back what it had begun. */
  static final int DEAD = 137;

  /** A reply's status where something is taken back but for what its lines name. */
  static final int LEFT = 3;

  private final Process process;
  private final BufferedReader replies;
  private final OutputStream commands;
  private final Path errors;

  private Hand(Process process, Path errors) {
    this.process = process;
    this.replies = new BufferedReader(new InputStreamReader(process.getInputStream(), UTF_8));
    this.commands = process.getOutputStream();
    this.errors = errors;
  }

  /** The script's text, as each generation keeps a copy of. */
  static String script() {
    try (InputStream in = Hand.class.getResourceAsStream("hand.sh")) {
      if (in == null) {
        throw new IllegalStateException("hand.sh is missing from the jar");
      }
      return new String(in.readAllBytes(), UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /**
   * Takes the lock.
   *
   * @param prefix what the shell is run by, such as {@code ip netns exec NAME}; empty for here
   * @param who for whoever comes second: our command
   */
  static Attempt open(
      Directories directories, List<String> prefix, Map<String, String> more, String who)
      throws IOException {
    Files.createDirectories(directories.run());
    Files.createDirectories(directories.generations());
    Path script = directories.run().resolve("hand.sh");
    // Written beside and moved: another of us may be starting from it.
    Path fresh = Files.createTempFile(directories.run(), "hand", ".sh");
    Files.writeString(fresh, script());
    Files.move(
        fresh,
        script,
        java.nio.file.StandardCopyOption.ATOMIC_MOVE,
        java.nio.file.StandardCopyOption.REPLACE_EXISTING);
    ProcessBuilder builder =
        new ProcessBuilder(
            Stream.concat(prefix.stream(), Stream.of("sh", script.toString(), "serve")).toList());
    builder.environment().put("GATEHOUSE_STATE", directories.state().toString());
    builder.environment().put("GATEHOUSE_RUN", directories.run().toString());
    builder.environment().putAll(more);
    builder.redirectError(ProcessBuilder.Redirect.DISCARD);
    Hand hand = new Hand(builder.start(), directories.run().resolve("errors"));
    String first = hand.replies.readLine();
    if ("ready".equals(first)) {
      Files.writeString(
          directories.run().resolve("holder"),
          ProcessHandle.current().pid() + " " + uptime() + " " + who + "\n");
      return new Attempt.Taken(hand);
    }
    int status = hand.end();
    return status == 75
        ? new Attempt.Busy(holder(directories))
        : new Attempt.Broken(
            status == 127
                ? "flock(1) is missing"
                : "the shell that changes the kernel ended with " + status);
  }

  private static String holder(Directories directories) {
    try {
      String[] words = Files.readString(directories.run().resolve("holder")).strip().split(" ", 3);
      if (words.length == 3 && words[1].matches("[0-9]{1,12}")) {
        long seconds = Math.max(0, uptime() - Long.parseLong(words[1]));
        return "`"
            + words[2]
            + "` (process "
            + words[0]
            + ") holds the lock, for "
            + seconds
            + " s now";
      }
    } catch (IOException e) {
      // It has not said yet.
    }
    return "another gatehouse holds the lock";
  }

  /** Whole seconds since boot. */
  static long uptime() {
    try {
      String text = Files.readString(Path.of("/proc/uptime"));
      return Long.parseLong(text.substring(0, text.indexOf('.')));
    } catch (IOException | RuntimeException e) {
      return 0;
    }
  }

  /** Has one command done and waits for it. */
  Reply tell(String command) {
    List<String> lines = new ArrayList<>();
    try {
      commands.write((command + "\n").getBytes(UTF_8));
      commands.flush();
      while (true) {
        String line = replies.readLine();
        if (line == null) {
          return new Reply(DEAD, lines);
        }
        if (line.startsWith("say ")) {
          lines.add(line.substring(4));
        } else if (line.startsWith("done ")) {
          int status = Integer.parseInt(line.substring(5).strip());
          if (status != 0) {
            lines.addAll(0, complaints());
          }
          return new Reply(status, lines);
        }
      }
    } catch (IOException | NumberFormatException e) {
      return new Reply(DEAD, lines);
    }
  }

  /** What nft and ip said, a few lines of it. */
  private List<String> complaints() {
    try {
      return Files.readString(errors).lines().filter(line -> !line.isBlank()).limit(6).toList();
    } catch (IOException e) {
      return List.of();
    }
  }

  private int end() {
    try {
      commands.close();
    } catch (IOException e) {
      // It has ended already.
    }
    try {
      return process.waitFor();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return DEAD;
    }
  }

  @Override
  public void close() {
    end();
  }
}
