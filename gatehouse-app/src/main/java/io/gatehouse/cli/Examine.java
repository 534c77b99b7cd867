package io.gatehouse.cli;

import io.gatehouse.doctor.Command;
import io.gatehouse.doctor.Doctor;
import io.gatehouse.doctor.Finding;
import io.gatehouse.doctor.Finding.Certainty;
import io.gatehouse.doctor.Finding.Severity;
import io.gatehouse.doctor.Report;
import io.gatehouse.doctor.Supposed;
import io.gatehouse.snapshot.Collected;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;
import picocli.CommandLine.ParameterException;

/** {@code gatehouse doctor [DIR|live]}: what is wrong with a gateway, ours or anybody's. */
final class Examine {
  /** Seconds between two readings of counters. */
  private static final int WATCH = 2;

  private final Subcommand.Call call;
  private final Surroundings surroundings;

  private Examine(Subcommand.Call call, Surroundings surroundings) {
    this.call = call;
    this.surroundings = surroundings;
  }

  static CommandSpec spec(Surroundings surroundings) {
    CommandSpec spec =
        Subcommand.of(
            "doctor",
            "Says what is wrong with a gateway, ours or anybody's, and how it is mended.",
            call -> new Examine(call, surroundings).run());
    spec.addPositional(
        PositionalParamSpec.builder()
            .paramLabel("DIR|live")
            .arity("0..1")
            .type(String.class)
            .description(
                "A directory of `gatehouse snapshot`, a file of iptables-save or `nft -j list"
                    + " ruleset`, or `live`, this host; that where nothing stands.")
            .build());
    spec.addOption(Subcommand.json());
    spec.addOption(
        OptionSpec.builder("--since")
            .paramLabel("DIR")
            .type(String.class)
            .description("A snapshot of the same host from before: counters count what they rose.")
            .build());
    spec.addOption(
        OptionSpec.builder("--watch")
            .paramLabel("SECONDS")
            .type(Integer.class)
            .defaultValue(Integer.toString(WATCH))
            .description("How long counters are watched on this host.")
            .build());
    spec.addOption(
        OptionSpec.builder("--tunnel")
            .paramLabel("NEAR=FAR")
            .type(List.class)
            .auxiliaryTypes(String.class)
            .description("Think of a tunnel as standing, for rules without their host.")
            .build());
    spec.usageMessage().footer("", "Ends with 1 where a finding is an error, and 0 elsewhere.");
    return spec;
  }

  private int run() {
    List<Supposed> supposed = new ArrayList<>();
    for (String text : call.options("--tunnel")) {
      supposed.add(
          Supposed.parse(text)
              .orElseThrow(() -> wrong("--tunnel " + text + ": two prefixes, NEAR=FAR")));
    }
    String name = call.positionals(0).stream().findFirst().orElse(Subject.LIVE);
    if (name.equals(Subject.LIVE)) {
      return live(supposed);
    }
    Optional<Collected> earlier = Optional.empty();
    if (call.option("--since").isPresent()) {
      earlier = Subject.collected(call.option("--since").get(), call, surroundings);
      if (earlier.isEmpty()) {
        return ExitStatus.NO;
      }
    }
    Optional<Collected> before = earlier;
    return Subject.collected(name, call, surroundings)
        .map(collected -> answer(Doctor.examine(collected, before, supposed)))
        .orElse(ExitStatus.NO);
  }

  private ParameterException wrong(String text) {
    return new ParameterException(call.spec().commandLine(), text);
  }

  private int live(List<Supposed> supposed) {
    int seconds =
        call.option("--watch")
            .filter(s -> s.matches("[0-9]{1,4}"))
            .map(Integer::valueOf)
            .orElseThrow(() -> wrong("--watch: whole seconds, at most 9999"));
    Collected before = Collected.counters(surroundings.machine());
    // Everything else takes its time too.
    Collected all = Collected.of(surroundings.machine());
    if (!all.tellsFirewall()) {
      return Subject.unreadable(all, call);
    }
    try {
      Thread.sleep(Duration.ofSeconds(seconds));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    Collected now =
        all.with(Collected.counters(surroundings.machine()))
            .with(Collected.connections(surroundings.machine()));
    return answer(Doctor.examine(now, Optional.of(before), supposed));
  }

  // ---- in words

  private int answer(Report report) {
    call.answer(
        call.isSet("--json") ? Json.text(json(report)) : surroundings.paint().page(text(report)));
    return report.hasErrors() ? ExitStatus.NO : ExitStatus.FINE;
  }

  static String text(Report report) {
    StringBuilder text = new StringBuilder();
    for (Finding finding : report.findings()) {
      String mark = finding.severity() == Severity.ERROR ? "✗ " : "! ";
      wrapped(text, mark + finding.symptom() + " (" + finding.kind().word() + ")", "  ");
      Page page = new Page("");
      page.row("cause", finding.cause());
      page.row("how sure", sure(finding.certainty()));
      for (int i = 0; i < finding.evidence().size(); i++) {
        Finding.Evidence evidence = finding.evidence().get(i);
        page.row(i == 0 ? "evidence" : "", evidence.text() + " (" + evidence.place() + ")");
      }
      text.append(page.text());
      // A command stands on a line of its own, however long: it is there to be copied.
      finding
          .remedy()
          .forEach(c -> text.append("  # ").append(Page.harmless(c.toString())).append('\n'));
    }
    if (!report.notJudged().isEmpty()) {
      text.append("not judged:\n");
      report.notJudged().forEach(line -> wrapped(text, "  " + line, "    "));
    }
    long errors = report.findings().stream().filter(f -> f.severity() == Severity.ERROR).count();
    long warnings = report.findings().size() - errors;
    text.append(
        report.findings().isEmpty()
            ? "✓ no finding\n"
            : "%s%s, %s\n"
                .formatted(
                    errors > 0 ? "✗ " : "! ",
                    Page.counted((int) errors, "error"),
                    Page.counted((int) warnings, "warning")));
    return text.toString();
  }

  private static void wrapped(StringBuilder text, String line, String indent) {
    List<String> lines =
        Page.wrapped(Page.harmless(line.strip()), Described.WIDTH - indent.length(), 0);
    String first = line.startsWith("  ") ? "  " : "";
    for (int i = 0; i < lines.size(); i++) {
      text.append(i == 0 ? first : indent).append(lines.get(i)).append('\n');
    }
  }

  private static String sure(Certainty certainty) {
    return switch (certainty) {
      case CERTAIN -> "certain: it follows from what stands";
      case LIKELY -> "likely: something that is not seen here may account for it";
      case POSSIBLE -> "possible: it depends on what others do";
    };
  }

  // ---- for programs

  private static Map<String, Object> json(Report report) {
    Map<String, Object> answer = new LinkedHashMap<>();
    answer.put("fine", !report.hasErrors());
    List<Map<String, Object>> list = new ArrayList<>();
    for (Finding finding : report.findings()) {
      Map<String, Object> one = new LinkedHashMap<>();
      one.put("finding", finding.kind().word());
      one.put("severity", finding.severity().name().toLowerCase(Locale.ROOT));
      one.put("sure", finding.certainty().name().toLowerCase(Locale.ROOT));
      one.put("symptom", finding.symptom());
      one.put("cause", finding.cause());
      List<Map<String, String>> evidence = new ArrayList<>();
      for (Finding.Evidence e : finding.evidence()) {
        Map<String, String> map = new LinkedHashMap<>();
        map.put("text", e.text());
        map.put("place", e.place());
        evidence.add(map);
      }
      one.put("evidence", evidence);
      one.put("remedy", finding.remedy().stream().map(Command::toString).toList());
      list.add(one);
    }
    answer.put("findings", list);
    answer.put("notJudged", report.notJudged());
    return answer;
  }
}
