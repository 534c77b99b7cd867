package io.gatehouse.bench;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * How long {@code check} takes with its proofs on gateways of several sizes, and {@code doctor} on
 * a large set of rules of somebody else's: whole commands, on one core, with a heap of 1 GiB.
 * Prints a table of medians for docs/results.
 *
 * <p>{@code java gatehouse-bench/src/main/java/io/gatehouse/bench/ProofTimes.java [ROUNDS [FILE]]},
 * from the top of the checkout; FILE is what iptables-save wrote.
 */
public final class ProofTimes {
  private static final List<String> GATEHOUSE =
      List.of(
          "env",
          "GATEHOUSE_JAVA_OPTIONS=-Xmx1g",
          "taskset",
          "-c",
          "0",
          Path.of("gatehouse").toAbsolutePath().toString());

  private ProofTimes() {}

  public static void main(String[] arguments) throws IOException, InterruptedException {
    int rounds = arguments.length > 0 ? Integer.parseInt(arguments[0]) : 3;
    Path directory = Files.createTempDirectory("gateways");
    Map<String, List<String>> commands = new LinkedHashMap<>();
    commands.put("`check` of office", command("check", "examples/office.yaml"));
    for (int teams : new int[] {5, 10, 15}) {
      Path file = directory.resolve("teams-" + teams + ".yaml");
      Files.writeString(file, Teams.description(teams));
      String name = "`check`, %d tunnels with two groups each, %s".formatted(teams, rules(file));
      commands.put(name, command("check", file.toString()));
      commands.put(name + ", `--unproved`", command("check", "--unproved", file.toString()));
    }
    for (int peers : new int[] {10, 1000, 10_000}) {
      Path file = directory.resolve("peers-" + peers + ".yaml");
      Files.writeString(file, Peers.description(peers));
      String name = "`check`, %,d peers with two networks each".formatted(peers);
      commands.put(name, command("check", file.toString()));
      commands.put(name + ", `--unproved`", command("check", "--unproved", file.toString()));
    }
    if (arguments.length > 1) {
      commands.put(
          "`doctor` of " + Path.of(arguments[1]).getFileName(),
          command("doctor", arguments[1], "--tunnel", "131.159.14.0/24=10.77.0.0/24"));
    }
    Commands.table(commands, rounds);
    try (var files = Files.list(directory)) {
      for (Path file : files.toList()) {
        Files.delete(file);
      }
    }
    Files.delete(directory);
  }

  /** As {@code check} counts them: "512 rules". */
  private static String rules(Path file) throws IOException, InterruptedException {
    Process process =
        new ProcessBuilder(command("check", "--unproved", file.toString()))
            .redirectError(ProcessBuilder.Redirect.DISCARD)
            .start();
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    process.waitFor();
    Matcher rules = Pattern.compile("[0-9,]+ rules").matcher(said);
    return rules.find() ? rules.group() : "rules not counted";
  }

  private static List<String> command(String... words) {
    List<String> command = new java.util.ArrayList<>(GATEHOUSE);
    command.addAll(List.of(words));
    return command;
  }
}
