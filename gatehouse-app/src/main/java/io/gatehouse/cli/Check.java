package io.gatehouse.cli;

import io.gatehouse.config.Problem;
import io.gatehouse.config.ProblemText;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;

/**
 * {@code gatehouse check FILE}: whether a description can be read and compiled, and whether what it
 * comes to has every property; nothing is touched.
 */
final class Check {
  private Check() {}

  static CommandSpec spec(Surroundings surroundings) {
    CommandSpec spec =
        Subcommand.of(
            "check",
            "Reads, compiles and proves a description; nothing is touched.",
            call -> run(call, surroundings));
    spec.addPositional(Subcommand.file());
    spec.addOption(Subcommand.json());
    spec.addOption(
        OptionSpec.builder("--explain")
            .description("With each property that was proved.")
            .type(boolean.class)
            .build());
    spec.addOption(
        OptionSpec.builder("--unproved")
            .description("Reads and compiles only.")
            .type(boolean.class)
            .build());
    return spec;
  }

  private static int run(Subcommand.Call call, Surroundings surroundings) {
    String file = call.positional(0);
    boolean json = call.isSet("--json");
    return Described.read(
        file,
        new Disk(surroundings.directory()),
        problems ->
            call.answer(
                json
                    ? Json.text(answer(false, problems))
                    : Described.refusal(problems, surroundings.paint())),
        described -> {
          Optional<Proven> proven =
              call.isSet("--unproved") ? Optional.empty() : Optional.of(Proven.of(described));
          call.answer(
              json
                  ? Json.text(answer(described, proven))
                  : text(described, proven, file, call.isSet("--explain"), surroundings.paint()));
          return proven.map(Proven::isWhole).orElse(true) ? ExitStatus.FINE : ExitStatus.NO;
        });
  }

  private static String text(
      Described described, Optional<Proven> proven, String file, boolean explain, Paint paint) {
    return described.remarks(paint)
        + described.notes()
        + summary(described)
        + paint.page(
            proven.map(p -> p.text(file) + (explain ? p.list() : "") + p.summary()).orElse(""));
  }

  private static String summary(Described described) {
    String count = ProblemText.count(described.remarks());
    return described.gateway().name()
        + ": reads and compiles; "
        + described.size()
        + (count.isEmpty() ? "" : "; " + count)
        + "\n";
  }

  private static Map<String, Object> answer(Described described, Optional<Proven> proven) {
    Map<String, Object> answer =
        answer(proven.map(Proven::isWhole).orElse(true), described.remarks());
    answer.put("notes", Json.notes(described.compiled().notes()));
    answer.put("gateway", described.gateway().name());
    answer.put("interfaces", described.gateway().interfaces().size());
    answer.put("tunnels", described.gateway().tunnels().size());
    answer.put("rules", described.compiled().ruleset().ruleCount());
    proven.ifPresent(p -> answer.put("properties", p.json()));
    return answer;
  }

  private static Map<String, Object> answer(boolean fine, List<Problem> problems) {
    Map<String, Object> answer = new LinkedHashMap<>();
    answer.put("fine", fine);
    answer.put("problems", Json.problems(problems));
    answer.put("notes", List.of());
    return answer;
  }
}
