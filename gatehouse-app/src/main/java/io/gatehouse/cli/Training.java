package io.gatehouse.cli;

import java.io.OutputStream;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import picocli.CommandLine;

/**
 * A short typical run, for the launcher: what is loaded here is in the AOT cache, and starts fast.
 *
 * <p>Only commands that touch nothing; their answers are thrown away.
 */
final class Training {

  private Training() {}

  /**
   * Runs the commands.
   *
   * @param args the description to read, if there is one
   */
  public static void main(String[] args) {
    PrintStream stdout = System.out;
    System.setOut(new PrintStream(OutputStream.nullOutputStream(), false, stdout.charset()));
    System.setErr(System.out);
    for (List<String> command : commands(args)) {
      PrintWriter nowhere =
          new PrintWriter(OutputStream.nullOutputStream(), false, stdout.charset());
      CommandLine commands = Main.commandLine(Map.of(), nowhere, nowhere);
      if (command.getFirst().startsWith("-")
          || commands.getSubcommands().containsKey(command.getFirst())) {
        commands.execute(command.toArray(String[]::new));
      }
    }
  }

  private static List<List<String>> commands(String[] args) {
    List<List<String>> commands = new ArrayList<>();
    commands.add(List.of("--version"));
    commands.add(List.of("--help"));
    commands.add(List.of("--no-such-option"));
    if (args.length > 0 && Files.isReadable(Path.of(args[0]))) {
      commands.add(List.of("check", args[0]));
      commands.add(List.of("plan", args[0]));
      commands.add(List.of("trace", "udp 192.0.2.9:500 -> 203.0.113.2:500", "--on", args[0]));
    }
    return commands;
  }
}
