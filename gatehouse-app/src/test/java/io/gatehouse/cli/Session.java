package io.gatehouse.cli;

import io.gatehouse.snapshot.Machine;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Path;
import java.util.Map;

/**
 * Commands as somebody types them, in a directory, on a machine.
 *
 * @param machine that `live` means
 */
record Session(Path directory, Machine machine) {

  /** What a command said. */
  record Answer(int status, String out, String err) {
    /** As golden files have it. */
    String text(String... args) {
      return "$ gatehouse "
          + String.join(" ", args)
          + "\n"
          + out
          + (err.isEmpty() ? "" : "--- stderr\n" + err)
          + "--- exit status "
          + status
          + "\n";
    }
  }

  Answer run(String... args) {
    StringWriter out = new StringWriter();
    StringWriter err = new StringWriter();
    Surroundings surroundings = new Surroundings(Map.of(), directory, machine, () -> false);
    int status =
        Main.commandLine(surroundings, new PrintWriter(out), new PrintWriter(err)).execute(args);
    return new Answer(status, lines(out), lines(err));
  }

  private static String lines(StringWriter text) {
    return text.toString().replace(System.lineSeparator(), "\n");
  }
}
