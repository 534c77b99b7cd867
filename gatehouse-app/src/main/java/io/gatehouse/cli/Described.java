package io.gatehouse.cli;

import io.gatehouse.compile.Companion;
import io.gatehouse.compile.Compiled;
import io.gatehouse.compile.Compiler;
import io.gatehouse.compile.Note;
import io.gatehouse.config.Description;
import io.gatehouse.config.Problem;
import io.gatehouse.config.ProblemText;
import io.gatehouse.config.Reading;
import io.gatehouse.config.Source;
import io.gatehouse.model.Gateway;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.function.ToIntFunction;
import java.util.stream.Collectors;

/**
 * A description that was read and compiled: what every command about one begins with.
 *
 * @param remarks warnings of its reader
 */
record Described(Gateway gateway, List<Problem> remarks, Compiled compiled) {
  /** Columns of every answer. */
  static final int WIDTH = 80;

  Described {
    remarks = List.copyOf(remarks);
  }

  /**
   * Reads a description and hands it on, or what is wrong with it. Returns an {@link ExitStatus}.
   *
   * @param refuse tells everything that is wrong
   */
  static int read(
      String file, Source source, Consumer<List<Problem>> refuse, ToIntFunction<Described> use) {
    return switch (Description.read(file, source)) {
      case Reading.Refused refused -> {
        refuse.accept(refused.problems());
        yield ExitStatus.NO;
      }
      case Reading.Understood understood -> use.applyAsInt(of(understood));
    };
  }

  /** The same where it is understood; nothing where it is not. */
  static Optional<Described> understood(String file, Source source) {
    return Description.read(file, source) instanceof Reading.Understood understood
        ? Optional.of(of(understood))
        : Optional.empty();
  }

  private static Described of(Reading.Understood understood) {
    return new Described(
        understood.gateway(), understood.problems(), Compiler.compile(understood.gateway()));
  }

  /** Everything that is wrong, and that nothing was done. */
  static String refusal(List<Problem> problems, Paint paint) {
    return paint.problems(ProblemText.of(problems, WIDTH))
        + ProblemText.count(problems)
        + ", nothing was touched\n";
  }

  /** Answers with it, in the form that was asked for. */
  static void refuse(List<Problem> problems, Subcommand.Call call, Paint paint) {
    call.answer(
        call.isSet("--json") ? Json.text(PlanJson.refused(problems)) : refusal(problems, paint));
  }

  /** What its reader remarks; empty where that is nothing. */
  String remarks(Paint paint) {
    return remarks.isEmpty() ? "" : paint.problems(ProblemText.of(remarks, WIDTH));
  }

  /** A paragraph for each of compile's notes, with its place in front. */
  String notes() {
    StringBuilder text = new StringBuilder();
    for (Note note : compiled.notes()) {
      String place = note.origin().isBuiltIn() ? "" : note.origin().place() + "  ";
      for (String line : Page.wrapped(place + Page.harmless(note.text()), WIDTH, 0)) {
        text.append(line).append('\n');
      }
    }
    return text.toString();
  }

  /** Texts of one kind for others than this host's kernel, each under its destination. */
  String companions(Class<? extends Companion> kind) {
    return compiled.companions().stream()
        .filter(kind::isInstance)
        .map(c -> "# " + Page.harmless(c.destination()) + "\n" + c.text())
        .collect(Collectors.joining("\n"));
  }

  /** {@code 2 interfaces, 3 tunnels, 62 rules}. */
  String size() {
    return Page.counted(gateway.interfaces().size(), "interface")
        + ", "
        + Page.counted(gateway.tunnels().size(), "tunnel")
        + ", "
        + Page.counted(compiled.ruleset().ruleCount(), "rule");
  }
}
