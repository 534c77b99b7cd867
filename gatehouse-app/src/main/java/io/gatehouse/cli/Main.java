package io.gatehouse.cli;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import picocli.CommandLine;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.RunLast;
import picocli.CommandLine.UnmatchedArgumentException;

/**
 * The command {@code gatehouse}.
 *
 * <p>Commands are described by picocli's model, not by its annotations: to read an annotation the
 * JVM makes a class at run time, which no AOT cache holds. That is 70 ms of each start for the root
 * command alone.
 */
public final class Main {

  private Main() {}

  /** Runs one command and ends the process with its {@link ExitStatus}. */
  public static void main(String[] args) {
    // UTF-8 whatever the locale: under sudo and systemd it is mostly C, and the terminal is not.
    PrintWriter out = new PrintWriter(System.out, true, UTF_8);
    PrintWriter err = new PrintWriter(System.err, true, UTF_8);
    int status;
    try {
      status = commandLine(System.getenv(), out, err).execute(args);
    } catch (Throwable fault) {
      // picocli hands over exceptions, but no errors: a stack that is too deep, a broken jar.
      status = confess(fault, err, "1".equals(System.getenv("GATEHOUSE_DEBUG")));
    }
    System.exit(status);
  }

  /**
   * The whole command line, ready to execute.
   *
   * @param environment the process environment; {@code GATEHOUSE_DEBUG=1} shows stack traces
   * @param out where answers go
   * @param err where complaints go
   */
  static CommandLine commandLine(
      Map<String, String> environment, PrintWriter out, PrintWriter err) {
    return commandLine(Surroundings.own(environment), out, err);
  }

  static CommandLine commandLine(Surroundings surroundings, PrintWriter out, PrintWriter err) {
    return dress(new CommandLine(root(surroundings)), surroundings.environment(), out, err)
        .setExecutionStrategy(Main::runLast);
  }

  private static CommandSpec root(Surroundings surroundings) {
    CommandSpec root = CommandSpec.create().name("gatehouse");
    root.usageMessage().description("The traffic plane of a Linux VPN gateway.");
    root.versionProvider(new Version());
    root.addOption(
        OptionSpec.builder("-h", "--help")
            .usageHelp(true)
            .description("Show this help and exit.")
            .build());
    root.addOption(
        OptionSpec.builder("-V", "--version")
            .versionHelp(true)
            .description("Show the version and exit.")
            .build());
    List<CommandSpec> commands =
        new ArrayList<>(
            List.of(
                Check.spec(surroundings),
                Plan.spec(surroundings),
                Trace.spec(surroundings),
                Compare.spec(surroundings),
                Explain.spec(surroundings)));
    commands.addAll(Changes.specs(surroundings));
    commands.addAll(Follow.specs(surroundings));
    commands.addAll(Sessions.specs(surroundings));
    commands.addAll(
        List.of(
            Examine.spec(surroundings),
            Collect.spec(surroundings),
            MasqueradeReplay.spec(surroundings),
            ForClients.spec(surroundings),
            Diagnose.spec(surroundings),
            ProbeHost.spec(),
            Demo.spec(),
            EditorSchema.spec(),
            Completion.spec()));
    commands.forEach(command -> root.addSubcommand(command.name(), command));
    return root;
  }

  /** Gives a command line our manners: exit statuses, short complaints, and no stack traces. */
  static CommandLine dress(
      CommandLine commands, Map<String, String> environment, PrintWriter out, PrintWriter err) {
    boolean debug = "1".equals(environment.get("GATEHOUSE_DEBUG"));
    commands.setUsageHelpWidth(80);
    commands.setOut(out);
    commands.setErr(err);
    commands.setParameterExceptionHandler((e, args) -> complain(e));
    commands.setExecutionExceptionHandler(
        (e, command, parsed) -> confess(e, command.getErr(), debug));
    return commands;
  }

  private static int runLast(ParseResult parsed) {
    Integer helped = CommandLine.executeHelpRequest(parsed);
    if (helped != null) {
      return helped;
    }
    if (!parsed.hasSubcommand()) {
      throw new ParameterException(parsed.commandSpec().commandLine(), "no command given");
    }
    return new RunLast().execute(parsed);
  }

  private static int complain(ParameterException e) {
    PrintWriter err = e.getCommandLine().getErr();
    String command = e.getCommandLine().getCommandSpec().qualifiedName();
    Page.wrapped(command + ": " + Page.harmless(firstLine(e)), Described.WIDTH, 0)
        .forEach(err::println);
    UnmatchedArgumentException.printSuggestions(e, err);
    err.println("Try: " + command + " --help");
    err.flush();
    return ExitStatus.USAGE;
  }

  private static int confess(Throwable fault, PrintWriter err, boolean debug) {
    if (debug) {
      fault.printStackTrace(err);
    } else {
      err.println(
          "gatehouse: our own fault: "
              + fault.getClass().getSimpleName()
              + (fault.getMessage() == null ? "" : ": " + firstLine(fault))
              + " (GATEHOUSE_DEBUG=1 shows where)");
    }
    err.flush();
    return ExitStatus.FAULT;
  }

  private static String firstLine(Throwable e) {
    String message = e.getMessage();
    return message == null ? "" : message.lines().findFirst().orElse("");
  }
}
