package io.gatehouse.bench;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Whole commands on gateways of ten to ten thousand peers: time, largest resident memory, and
 * growth. Runs as root in a network namespace of its own, where {@code apply} works on the kernel:
 * see {@code gatehouse-bench/size}. Prints a table for docs/results.
 */
public final class SizeTimes {
  private static final int[] PEERS = {10, 100, 1000, 3000, 10_000};
  private static final int[] GROUPS = {10, 100, 1000};
  private static final String GATEHOUSE = Path.of("gatehouse").toAbsolutePath().toString();
  private static final Pattern HIGHEST = Pattern.compile("VmHWM:\\s+([0-9]+) kB");

  /** Commands and what they are asked to do in, as they stand in the results. */
  private static final Map<String, Double> GOALS = Map.of("check", 3.0, "apply", 6.0);

  private final Path directory;
  private final int rounds;

  /** By command, and then by peers. */
  private final Map<String, Map<Integer, List<Took>>> all = new LinkedHashMap<>();

  private SizeTimes(Path directory, int rounds) {
    this.directory = directory;
    this.rounds = rounds;
  }

  private record Took(double seconds, long kilobytes) {}

  public static void main(String[] arguments) throws IOException, InterruptedException {
    int rounds = arguments.length > 0 ? Integer.parseInt(arguments[0]) : 5;
    Path directory = Files.createTempDirectory("gatehouse-size");
    try {
      new SizeTimes(directory, rounds).run();
    } finally {
      try (var files = Files.walk(directory)) {
        for (Path file : files.sorted(java.util.Comparator.reverseOrder()).toList()) {
          Files.delete(file);
        }
      }
    }
  }

  private void run() throws IOException, InterruptedException {
    shell("ip link set lo up");
    for (String device : List.of("eth0", "eth1")) {
      shell(
          "ip link add %1$s type veth peer name %1$sx && ip link set %1$s up && ip link set %1$sx up"
              .formatted(device));
    }
    shell("ip addr add 203.0.113.2/24 dev eth0 && ip addr add 172.16.0.1/16 dev eth1");
    Map<Integer, String> rules = new LinkedHashMap<>();
    Map<String, String> rulesOfGroups = new LinkedHashMap<>();
    // The first round fills the caches of the disk, and makes ours.
    for (int round = -1; round < rounds; round++) {
      for (int peers : PEERS) {
        Path file = directory.resolve("peers-" + peers + ".yaml");
        Path changed = directory.resolve("changed-" + peers + ".yaml");
        Files.writeString(file, Peers.description(peers));
        Files.writeString(changed, Peers.changed(peers));
        note(round, "check", peers, command(0, "check", file.toString()));
        note(round, "apply", peers, command(0, "apply", "--not-at-boot", file.toString()));
        String count = count();
        rules.put(peers, count);
        note(round, "status", peers, command(0, "status"));
        note(
            round,
            "apply, one peer changed",
            peers,
            command(0, "apply", "--not-at-boot", changed.toString()));
        note(round, "remove", peers, command(0, "remove"));
      }
      for (int groups : GROUPS) {
        groups(round, groups, 10, "ten kinds", rulesOfGroups);
        groups(round, groups, groups, "each its own", rulesOfGroups);
      }
    }
    print(rules);
    printGroups(rulesOfGroups);
  }

  /** Groups of some kinds: proved and laid. */
  private void groups(int round, int groups, int kinds, String what, Map<String, String> rules)
      throws IOException, InterruptedException {
    Path file = directory.resolve("groups-" + groups + "-" + kinds + ".yaml");
    Files.writeString(file, Peers.groups(groups, kinds));
    note(round, "groups, check, " + what, groups, command(0, "check", file.toString()));
    note(
        round,
        "groups, apply, " + what,
        groups,
        command(0, "apply", "--not-at-boot", file.toString()));
    rules.put(groups + what, count());
    command(0, "remove");
  }

  private void printGroups(Map<String, String> rules) {
    System.out.printf(
        "%nGroups of clients in one pool of 65,536 addresses, what they may reach of ten kinds or"
            + " each its own:%n%n| | kinds |");
    for (int groups : GROUPS) {
      System.out.printf(Locale.ROOT, " %,d groups |", groups);
    }
    System.out.printf("%n|---|---|%s%n", "--:|".repeat(GROUPS.length));
    for (String what : List.of("ten kinds", "each its own")) {
      System.out.printf("| rules in the kernel | %s |", what);
      for (int groups : GROUPS) {
        System.out.printf(" %s |", rules.getOrDefault(groups + what, ""));
      }
      System.out.println();
      for (String command : List.of("check", "apply")) {
        System.out.printf("| `%s` | %s |", command, what);
        for (int groups : GROUPS) {
          System.out.printf(
              Locale.ROOT, " %.2f |", median(taken("groups, " + command + ", " + what, groups)));
        }
        System.out.println();
      }
    }
    System.out.print("| largest resident memory, MiB | |");
    for (int groups : GROUPS) {
      long most =
          all.entrySet().stream()
              .filter(one -> one.getKey().startsWith("groups, "))
              .flatMap(one -> one.getValue().getOrDefault(groups, List.of()).stream())
              .mapToLong(Took::kilobytes)
              .max()
              .orElse(0);
      System.out.printf(" %d |", most / 1024);
    }
    System.out.println();
  }

  private void note(int round, String what, int peers, Took took) {
    if (round >= 0) {
      all.computeIfAbsent(what, w -> new LinkedHashMap<>())
          .computeIfAbsent(peers, p -> new ArrayList<>())
          .add(took);
    }
  }

  /** Rules that the kernel has in our table. */
  private static String count() throws IOException, InterruptedException {
    Process nft =
        new ProcessBuilder(
                "sh", "-c", "nft -t list table inet gatehouse | grep -c '^\t\t.*comment'")
            .start();
    String text =
        new String(nft.getInputStream().readAllBytes(), java.nio.charset.StandardCharsets.UTF_8);
    nft.waitFor();
    return text.strip();
  }

  private static void shell(String script) throws IOException, InterruptedException {
    Process process = new ProcessBuilder("sh", "-c", script).inheritIO().start();
    if (process.waitFor() != 0) {
      throw new IOException("could not: " + script);
    }
  }

  private Took command(int expected, String... words) throws IOException, InterruptedException {
    List<String> command = new ArrayList<>(List.of(GATEHOUSE));
    command.addAll(Arrays.asList(words));
    ProcessBuilder builder =
        new ProcessBuilder(command)
            .redirectInput(new File("/dev/null"))
            .redirectErrorStream(true)
            .redirectOutput(directory.resolve("out").toFile());
    builder.environment().put("GATEHOUSE_STATE", directory.resolve("state").toString());
    builder.environment().put("GATEHOUSE_RUN", directory.resolve("run").toString());
    builder.environment().put("GATEHOUSE_JAVA_OPTIONS", "-Xmx768m");
    builder.environment().remove("SSH_CONNECTION");
    long began = System.nanoTime();
    Process process = builder.start();
    long highest = 0;
    // The launcher becomes the JVM. What it takes never falls, so that looking often is enough.
    while (!process.waitFor(10, java.util.concurrent.TimeUnit.MILLISECONDS)) {
      highest = Math.max(highest, highest(process.pid()));
    }
    double seconds = (System.nanoTime() - began) / 1e9;
    if (process.exitValue() != expected) {
      throw new IOException(
          command
              + " ended with "
              + process.exitValue()
              + "\n"
              + Files.readString(directory.resolve("out")));
    }
    return new Took(seconds, highest);
  }

  private static long highest(long process) throws IOException {
    try {
      Matcher matcher = HIGHEST.matcher(Files.readString(Path.of("/proc/" + process + "/status")));
      return matcher.find() ? Long.parseLong(matcher.group(1)) : 0;
    } catch (NoSuchFileException e) {
      return 0;
    } catch (IOException e) {
      return 0; // it ended while we read
    }
  }

  private void print(Map<Integer, String> rules) {
    System.out.printf(
        "%d rounds, all commands in turn, on %d cores; medians in seconds, heap of 768 MiB.%n%n",
        rounds, Runtime.getRuntime().availableProcessors());
    StringBuilder head = new StringBuilder("| |");
    StringBuilder line = new StringBuilder("|---|");
    for (int peers : PEERS) {
      head.append(String.format(Locale.ROOT, " %,d peers |", peers));
      line.append("--:|");
    }
    System.out.println(head);
    System.out.println(line);
    StringBuilder counts = new StringBuilder("| rules in the kernel |");
    rules.values().forEach(count -> counts.append(' ').append(count).append(" |"));
    System.out.println(counts);
    all.forEach((what, bySize) -> {
      if (bySize.size() == PEERS.length) {
        StringBuilder row = new StringBuilder("| `" + what.replaceFirst("(,|$)", "`$1") + " |");
        for (int peers : PEERS) {
          row.append(String.format(Locale.ROOT, " %.2f |", median(taken(what, peers))));
        }
        System.out.println(row);
      }
    });
    StringBuilder memory = new StringBuilder("| largest resident memory, MiB |");
    for (int peers : PEERS) {
      long most =
          all.entrySet().stream()
              .filter(one -> !one.getKey().startsWith("groups, "))
              .map(Map.Entry::getValue)
              .flatMap(bySize -> bySize.getOrDefault(peers, List.of()).stream())
              .mapToLong(Took::kilobytes)
              .max()
              .orElse(0);
      memory.append(' ').append(most / 1024).append(" |");
    }
    System.out.println(memory);
    System.out.printf("%nGoals at 10,000 peers with two networks each: ");
    System.out.printf("`check` 3 s, `apply` 6 s, 1 GiB.%n");
    System.out.printf(
        "%nGrowth: each bar is the time at that size, as long as the time is.%n%n```%n");
    for (String what : GOALS.keySet().stream().sorted().toList()) {
      double unit = median(taken(what, PEERS[PEERS.length - 1])) / 50;
      for (int peers : PEERS) {
        double seconds = median(taken(what, peers));
        System.out.printf(
            Locale.ROOT,
            "%-6s %,7d  %s %.2f s%n",
            what,
            peers,
            "█".repeat((int) Math.max(1, Math.round(seconds / unit))),
            seconds);
      }
    }
    System.out.println("```");
  }

  private List<Took> taken(String what, int peers) {
    return all.getOrDefault(what, Map.of()).getOrDefault(peers, List.of());
  }

  private static double median(List<Took> taken) {
    double[] sorted = taken.stream().mapToDouble(Took::seconds).sorted().toArray();
    return sorted.length == 0 ? Double.NaN : sorted[sorted.length / 2];
  }
}
