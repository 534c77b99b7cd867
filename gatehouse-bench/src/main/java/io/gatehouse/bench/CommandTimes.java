package io.gatehouse.bench;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * How long whole commands take, beside a JVM that does nothing, all in one run and in turn, so that
 * noise of the machine meets all of them. Prints a table of medians for docs/results.
 *
 * <p>{@code java gatehouse-bench/src/main/java/io/gatehouse/bench/CommandTimes.java [ROUNDS]}, from
 * the top of the checkout.
 */
public final class CommandTimes {
  private static final String GATEHOUSE = Path.of("gatehouse").toAbsolutePath().toString();

  private CommandTimes() {}

  public static void main(String[] arguments) throws IOException, InterruptedException {
    int rounds = arguments.length > 0 ? Integer.parseInt(arguments[0]) : 21;
    Path empty = Files.createTempDirectory("empty");
    Map<String, List<String>> commands = new LinkedHashMap<>();
    commands.put("a JVM with an empty main", emptyMain(empty));
    commands.put("gatehouse --version", List.of(GATEHOUSE, "--version"));
    commands.put(
        "gatehouse check examples/office.yaml",
        List.of(GATEHOUSE, "check", "examples/office.yaml"));
    commands.put(
        "gatehouse plan examples/office.yaml --format nft",
        List.of(GATEHOUSE, "plan", "examples/office.yaml", "--format", "nft"));
    Map<String, List<Long>> times = new LinkedHashMap<>();
    for (int round = -2; round < rounds; round++) {
      for (Map.Entry<String, List<String>> command : commands.entrySet()) {
        long took = time(command.getValue());
        if (round >= 0) { // the first two warm the caches of the disk, and ours
          times.computeIfAbsent(command.getKey(), name -> new ArrayList<>()).add(took);
        }
      }
    }
    System.out.printf(
        "%d rounds, all commands in turn, on %d cores; milliseconds.%n%n",
        rounds, Runtime.getRuntime().availableProcessors());
    System.out.println("| command | median | from | to (nine of ten) |");
    System.out.println("|---|---|---|---|");
    times.forEach((name, taken) -> {
      long[] sorted = taken.stream().mapToLong(Long::longValue).sorted().toArray();
      System.out.printf(
          Locale.ROOT,
          "| `%s` | %.0f | %.0f | %.0f |%n",
          name,
          sorted[sorted.length / 2] / 1e6,
          sorted[0] / 1e6,
          sorted[sorted.length * 9 / 10] / 1e6);
    });
    try (var files = Files.list(empty)) {
      for (Path file : files.toList()) {
        Files.delete(file);
      }
    }
    Files.delete(empty);
  }

  private static List<String> emptyMain(Path directory) throws IOException, InterruptedException {
    Path source = directory.resolve("Empty.java");
    Files.writeString(source, "class Empty { public static void main(String[] a) {} }");
    String home = System.getProperty("java.home") + File.separator + "bin" + File.separator;
    time(List.of(home + "javac", "-d", directory.toString(), source.toString()));
    return List.of(home + "java", "-XX:+UseSerialGC", "-cp", directory.toString(), "Empty");
  }

  /** Nanoseconds until the command's end; what it prints goes nowhere. */
  private static long time(List<String> command) throws IOException, InterruptedException {
    long began = System.nanoTime();
    Process process =
        new ProcessBuilder(command)
            .redirectInput(new File("/dev/null"))
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .redirectError(ProcessBuilder.Redirect.DISCARD)
            .start();
    int status = process.waitFor();
    long took = System.nanoTime() - began;
    if (status != 0 && status != 2) { // plan ends with 2 where there are changes
      throw new IOException(Arrays.toString(command.toArray()) + " ended with " + status);
    }
    return took;
  }
}
