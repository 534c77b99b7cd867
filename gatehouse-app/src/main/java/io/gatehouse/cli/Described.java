package io.gatehouse.cli;

import io.gatehouse.compile.Compiled;
import io.gatehouse.compile.Compiler;
import io.gatehouse.config.Description;
import io.gatehouse.config.Problem;
import io.gatehouse.config.ProblemText;
import io.gatehouse.config.Reading;
import io.gatehouse.model.Gateway;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Model.CommandSpec;

/**
 * A description that was read and compiled, for the commands that take one.
 *
 * @param file as the user named it
 * @param warnings about the description
 */
record Described(String file, Gateway gateway, List<Problem> warnings, Compiled compiled) {
  /** Columns of every answer. */
  static final int WIDTH = 80;

  Described {
    warnings = List.copyOf(warnings);
  }

  /** Gives a command its argument FILE. */
  static void takeFile(CommandSpec spec) {
    spec.addPositional(Subcommand.file());
  }

  /** Reads and compiles FILE; where it is refused, says why and gives nothing. */
  static Optional<Described> read(Subcommand.Call call) {
    String file = call.positional(0);
    return switch (Description.read(file, new Disk(Path.of("")))) {
      case Reading.Refused refused -> {
        call.err().print(ProblemText.of(refused.problems(), WIDTH));
        call.err().println(ProblemText.count(refused.problems()) + ", nothing was touched");
        yield Optional.empty();
      }
      case Reading.Understood understood ->
          Optional.of(
              new Described(
                  file,
                  understood.gateway(),
                  understood.problems(),
                  Compiler.compile(understood.gateway())));
    };
  }
}
