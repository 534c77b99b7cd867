package io.gatehouse.cli;

import io.gatehouse.compile.Compiled;
import io.gatehouse.compile.Compiler;
import io.gatehouse.compile.Note;
import io.gatehouse.config.Description;
import io.gatehouse.config.Problem;
import io.gatehouse.config.ProblemText;
import io.gatehouse.config.Reading;
import java.io.PrintWriter;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;
import tools.jackson.databind.ObjectMapper;

/**
 * {@code gatehouse check FILE}: whether a description can be read and compiled; nothing is touched.
 */
final class Check {
  /** Columns of every answer. */
  private static final int WIDTH = 80;

  private Check() {}

  static CommandSpec spec() {
    CommandSpec spec =
        Subcommand.of("check", "Reads and compiles a description; nothing is touched.", Check::run);
    spec.addPositional(
        PositionalParamSpec.builder()
            .paramLabel("FILE")
            .arity("1")
            .type(String.class)
            .description("The description of the gateway.")
            .build());
    spec.addOption(
        OptionSpec.builder("--json").description("Answers in JSON.").type(boolean.class).build());
    return spec;
  }

  private static int run(Subcommand.Call call) {
    Reading reading = Description.read(call.positional(0), new Disk());
    return switch (reading) {
      case Reading.Refused refused -> {
        if (call.isSet("--json")) {
          json(call.out(), false, refused.problems(), List.of());
        } else {
          call.out().print(ProblemText.of(refused.problems(), WIDTH));
          call.out().println(ProblemText.count(refused.problems()) + ", nothing was touched");
        }
        yield ExitStatus.NO;
      }
      case Reading.Understood understood -> {
        Compiled compiled = Compiler.compile(understood.gateway());
        if (call.isSet("--json")) {
          json(call.out(), true, understood.problems(), compiled.notes());
        } else {
          call.out().print(ProblemText.of(understood.problems(), WIDTH));
          compiled
              .notes()
              .forEach(note -> call.out().println(note.origin().place() + "  " + note.text()));
          call.out().println(summary(understood, compiled));
        }
        yield ExitStatus.FINE;
      }
    };
  }

  private static String summary(Reading.Understood understood, Compiled compiled) {
    int tunnels = understood.gateway().tunnels().size();
    return understood.gateway().name()
        + ": can be read and compiled; "
        + tunnels
        + (tunnels == 1 ? " tunnel, " : " tunnels, ")
        + compiled.ruleset().ruleCount()
        + " rules";
  }

  private static void json(
      PrintWriter out, boolean fine, List<Problem> problems, List<Note> notes) {
    Map<String, Object> answer = new TreeMap<>();
    answer.put("fine", fine);
    answer.put("problems", problems.stream().map(Problem::plain).toList());
    answer.put(
        "notes",
        notes.stream()
            .map(note -> Map.of("text", note.text(), "place", note.origin().place()))
            .toList());
    out.println(new ObjectMapper().writerWithDefaultPrettyPrinter().writeValueAsString(answer));
  }
}
