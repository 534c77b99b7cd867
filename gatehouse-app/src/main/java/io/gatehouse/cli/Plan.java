package io.gatehouse.cli;

import io.gatehouse.apply.Applier;
import io.gatehouse.apply.Directories;
import io.gatehouse.apply.Forecast;
import io.gatehouse.compile.Companion;
import io.gatehouse.config.ProblemText;
import io.gatehouse.model.Family;
import io.gatehouse.ruleset.IpText;
import io.gatehouse.ruleset.NftText;
import io.gatehouse.ruleset.Ruleset;
import io.gatehouse.ruleset.SysctlText;
import io.gatehouse.snapshot.LocalMachine;
import java.io.PrintWriter;
import java.time.Clock;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParameterException;

/** {@code gatehouse plan FILE}: what would change, and the exact lines; nothing is touched. */
final class Plan {
  private Plan() {}

  static CommandSpec spec() {
    CommandSpec spec =
        Subcommand.of("plan", "Shows what applying a description would change.", Plan::run);
    Described.takeFile(spec);
    spec.addOption(
        OptionSpec.builder("--format")
            .paramLabel("FORMAT")
            .type(String.class)
            .defaultValue("text")
            .description("text, nft (the exact lines for nft, ip and sysctl) or swanctl.")
            .build());
    return spec;
  }

  private static int run(Subcommand.Call call) {
    String format = call.option("--format").orElse("text");
    if (!List.of("text", "nft", "swanctl").contains(format)) {
      throw new ParameterException(
          call.spec().commandLine(), "--format takes text, nft or swanctl, not " + format);
    }
    Optional<Described> read = Described.read(call);
    if (read.isEmpty()) {
      return ExitStatus.NO;
    }
    Described described = read.get();
    Ruleset ruleset = described.compiled().ruleset();
    Forecast forecast =
        new Applier(
                new LocalMachine(),
                List.of(),
                Directories.of(System.getenv()),
                Clock.systemUTC(),
                Map.of())
            .plan(ruleset);
    PrintWriter out = call.out();
    switch (format) {
      case "nft" -> lines(out, ruleset);
      case "swanctl" ->
          described.compiled().companions().stream()
              .filter(Companion.SwanctlFragment.class::isInstance)
              .forEach(fragment -> out.println(fragment.text()));
      default -> text(out, described, forecast);
    }
    if (!forecast.missing().isEmpty()) {
      forecast
          .missing()
          .forEach(what -> call.err().println("cannot read this host: missing " + what));
      return ExitStatus.LACKING;
    }
    if (!forecast.conflicts().isEmpty()) {
      return ExitStatus.NO;
    }
    return forecast.different() ? ExitStatus.CHANGES : ExitStatus.FINE;
  }

  private static void lines(PrintWriter out, Ruleset ruleset) {
    ruleset.tables().forEach(table -> out.print(NftText.of(table)));
    for (Family family : Family.values()) {
      out.print(IpText.add(ruleset, family));
    }
    out.print(SysctlText.of(ruleset.sysctls()));
  }

  private static void text(PrintWriter out, Described described, Forecast forecast) {
    Ruleset ruleset = described.compiled().ruleset();
    out.print(ProblemText.of(described.warnings(), Described.WIDTH));
    out.printf(
        "%s: %d interfaces, %d tunnels, %d rules%n",
        ruleset.gateway(),
        described.gateway().interfaces().size(),
        described.gateway().tunnels().size(),
        ruleset.ruleCount());
    forecast.conflicts().forEach(line -> out.println("✗ " + line));
    forecast.changes().forEach(line -> out.println("  " + line));
    described
        .compiled()
        .notes()
        .forEach(note -> out.println("! " + note.text() + "  " + note.origin().place()));
    forecast.warnings().forEach(line -> out.println("! " + line));
    forecast.connections().forEach(line -> out.println("ends " + line));
  }
}
