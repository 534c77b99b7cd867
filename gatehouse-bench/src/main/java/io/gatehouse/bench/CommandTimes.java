package io.gatehouse.bench;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
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
    commands.put("`gatehouse --version`", List.of(GATEHOUSE, "--version"));
    commands.put(
        "`gatehouse check examples/office.yaml`",
        List.of(GATEHOUSE, "check", "examples/office.yaml"));
    commands.put(
        "`gatehouse plan examples/office.yaml --format nft`",
        List.of(GATEHOUSE, "plan", "examples/office.yaml", "--format", "nft"));
    Commands.table(commands, rounds);
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
    Commands.time(List.of(home + "javac", "-d", directory.toString(), source.toString()));
    return List.of(home + "java", "-XX:+UseSerialGC", "-cp", directory.toString(), "Empty");
  }
}
