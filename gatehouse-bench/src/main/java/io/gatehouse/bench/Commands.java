package io.gatehouse.bench;

import java.io.File;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Whole commands, timed in turn, so that noise of the machine meets all of them. */
final class Commands {
  private Commands() {}

  /** Prints a table of medians in milliseconds, by what the commands are called. */
  static void table(Map<String, List<String>> commands, int rounds)
      throws IOException, InterruptedException {
    Map<String, List<Long>> times = new LinkedHashMap<>();
    for (int round = -1; round < rounds; round++) {
      for (Map.Entry<String, List<String>> command : commands.entrySet()) {
        long took = time(command.getValue());
        if (round >= 0) { // the first warms the caches of the disk, and ours
          times.computeIfAbsent(command.getKey(), name -> new ArrayList<>()).add(took);
        }
      }
    }
    System.out.printf(
        "%d rounds, all commands in turn, on %d cores; milliseconds.%n%n",
        rounds, Runtime.getRuntime().availableProcessors());
    System.out.println("| command | median | from | to (nine of ten) |");
    System.out.println("|---|--:|--:|--:|");
    times.forEach((name, taken) -> {
      long[] sorted = taken.stream().mapToLong(Long::longValue).sorted().toArray();
      System.out.printf(
          Locale.ROOT,
          "| %s | %.0f | %.0f | %.0f |%n",
          name,
          sorted[sorted.length / 2] / 1e6,
          sorted[0] / 1e6,
          sorted[sorted.length * 9 / 10] / 1e6);
    });
  }

  /** Nanoseconds until the command's end; what it prints goes nowhere. */
  static long time(List<String> command) throws IOException, InterruptedException {
    long began = System.nanoTime();
    Process process =
        new ProcessBuilder(command)
            .redirectInput(new File("/dev/null"))
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .redirectError(ProcessBuilder.Redirect.DISCARD)
            .start();
    int status = process.waitFor();
    long took = System.nanoTime() - began;
    if (status > 2) { // plan ends with 2 where there are changes, doctor with 1 where it finds some
      throw new IOException(command + " ended with " + status);
    }
    return took;
  }
}
