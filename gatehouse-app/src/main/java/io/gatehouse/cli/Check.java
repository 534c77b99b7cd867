package io.gatehouse.cli;

import io.gatehouse.compile.Compiled;
import io.gatehouse.compile.Compiler;
import io.gatehouse.compile.Note;
import io.gatehouse.config.Description;
import io.gatehouse.config.Problem;
import io.gatehouse.config.ProblemText;
import io.gatehouse.config.Reading;
import io.gatehouse.model.Gateway;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;

/**
 * {@code gatehouse check FILE}: whether a description can be read and compiled; nothing is touched.
 */
final class Check {
  /** Columns of every answer. */
  static final int WIDTH = 80;

  private Check() {}

  static CommandSpec spec(Surroundings surroundings) {
    CommandSpec spec =
        Subcommand.of(
            "check",
            "Reads and compiles a description; nothing is touched.",
            call -> run(call, surroundings));
    spec.addPositional(Subcommand.file());
    spec.addOption(
        OptionSpec.builder("--json").description("Answer in JSON.").type(boolean.class).build());
    return spec;
  }

  private static int run(Subcommand.Call call, Surroundings surroundings) {
    Reading reading = Description.read(call.positional(0), new Disk(surroundings.directory()));
    boolean json = call.isSet("--json");
    return switch (reading) {
      case Reading.Refused refused -> {
        String answer =
            json
                ? Json.text(answer(false, refused.problems(), List.of()))
                : refusal(refused, surroundings.paint());
        call.out().print(answer);
        call.out().flush();
        yield ExitStatus.NO;
      }
      case Reading.Understood understood -> {
        Compiled compiled = Compiler.compile(understood.gateway());
        String answer =
            json
                ? Json.text(answer(understood, compiled))
                : problems(understood.problems(), surroundings)
                    + notes(compiled.notes())
                    + summary(understood, compiled);
        call.out().print(answer);
        call.out().flush();
        yield ExitStatus.FINE;
      }
    };
  }

  private static String problems(List<Problem> problems, Surroundings surroundings) {
    return problems.isEmpty() ? "" : surroundings.paint().problems(ProblemText.of(problems, WIDTH));
  }

  /** Everything that is wrong, and that nothing was done. */
  static String refusal(Reading.Refused refused, Paint paint) {
    return paint.problems(ProblemText.of(refused.problems(), WIDTH))
        + ProblemText.count(refused.problems())
        + ", nothing was touched\n";
  }

  /** A paragraph for each, with its place in front. */
  static String notes(List<Note> notes) {
    StringBuilder text = new StringBuilder();
    for (Note note : notes) {
      String place = note.origin().isBuiltIn() ? "" : note.origin().place() + "  ";
      for (String line : Page.wrapped(place + Page.harmless(note.text()), WIDTH, 0)) {
        text.append(line).append('\n');
      }
    }
    return text.toString();
  }

  private static String summary(Reading.Understood understood, Compiled compiled) {
    String count = ProblemText.count(understood.problems());
    return understood.gateway().name()
        + ": reads and compiles; "
        + size(understood.gateway(), compiled)
        + (count.isEmpty() ? "" : "; " + count)
        + "\n";
  }

  /** {@code 2 interfaces, 3 tunnels, 62 rules}. */
  static String size(Gateway gateway, Compiled compiled) {
    return Page.counted(gateway.interfaces().size(), "interface")
        + ", "
        + Page.counted(gateway.tunnels().size(), "tunnel")
        + ", "
        + Page.counted(compiled.ruleset().ruleCount(), "rule");
  }

  private static Map<String, Object> answer(Reading.Understood understood, Compiled compiled) {
    Gateway gateway = understood.gateway();
    Map<String, Object> answer = answer(true, understood.problems(), compiled.notes());
    answer.put("gateway", gateway.name());
    answer.put("interfaces", gateway.interfaces().size());
    answer.put("tunnels", gateway.tunnels().size());
    answer.put("rules", compiled.ruleset().ruleCount());
    return answer;
  }

  private static Map<String, Object> answer(
      boolean fine, List<Problem> problems, List<Note> notes) {
    Map<String, Object> answer = new LinkedHashMap<>();
    answer.put("fine", fine);
    answer.put("problems", Json.problems(problems));
    answer.put("notes", Json.notes(notes));
    return answer;
  }
}
