package io.gatehouse.cli;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.PrintWriter;
import java.util.Map;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;
import picocli.CommandLine.UnmatchedArgumentException;

/** The command {@code gatehouse}. */
@Command(
    name = "gatehouse",
    description = "The traffic plane of a Linux VPN gateway.",
    mixinStandardHelpOptions = true,
    versionProvider = Version.class)
public final class Main implements Runnable {

  @Spec CommandSpec spec = CommandSpec.create();

  private Main() {}

  /** Runs one command and ends the process with its {@link ExitStatus}. */
  public static void main(String[] args) {
    // UTF-8 whatever the locale: under sudo and systemd it is mostly C, and the terminal is not.
    PrintWriter out = new PrintWriter(System.out, true, UTF_8);
    PrintWriter err = new PrintWriter(System.err, true, UTF_8);
    System.exit(commandLine(System.getenv(), out, err).execute(args));
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
    return dress(new CommandLine(new Main()), environment, out, err);
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

  @Override
  public void run() {
    throw new ParameterException(spec.commandLine(), "no command given");
  }

  private static int complain(ParameterException e) {
    PrintWriter err = e.getCommandLine().getErr();
    String command = e.getCommandLine().getCommandSpec().qualifiedName();
    err.println(command + ": " + firstLine(e));
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
