package io.gatehouse.cli;

import io.gatehouse.apply.Applier;
import io.gatehouse.apply.Directories;
import io.gatehouse.apply.Forecast;
import io.gatehouse.compile.Companion;
import io.gatehouse.model.Family;
import io.gatehouse.ruleset.IpText;
import io.gatehouse.ruleset.NftText;
import io.gatehouse.ruleset.Ruleset;
import io.gatehouse.ruleset.Sysctl;
import io.gatehouse.ruleset.SysctlText;
import io.gatehouse.snapshot.Machine;
import io.gatehouse.snapshot.Snapshot;
import java.time.Clock;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParameterException;

/** {@code gatehouse plan FILE}: what applying would change, and the exact lines. */
final class Plan {
  /** What a plan can be printed as. */
  private enum Format {
    TEXT,
    NFT,
    IP,
    SYSCTL,
    SWANCTL,
    ROUTES,
    JSON;

    private String word() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  private static final List<String> FORMATS =
      Arrays.stream(Format.values()).map(Format::word).toList();

  private final Subcommand.Call call;
  private final Surroundings surroundings;
  private final Described described;
  private final Ruleset ruleset;
  private final Applier applier;
  private final Forecast forecast;

  private Plan(Subcommand.Call call, Surroundings surroundings, Described described) {
    this.call = call;
    this.surroundings = surroundings;
    this.described = described;
    ruleset = described.compiled().ruleset();
    applier =
        new Applier(
            surroundings.machine(),
            List.of(),
            Directories.of(surroundings.environment()),
            Clock.systemUTC(),
            Map.of());
    forecast = applier.plan(ruleset);
  }

  static CommandSpec spec(Surroundings surroundings) {
    CommandSpec spec =
        Subcommand.of(
            "plan",
            "Shows what applying a description would change, and the exact lines.",
            call -> run(call, surroundings));
    spec.addPositional(Subcommand.file());
    spec.addOption(
        OptionSpec.builder("--format")
            .paramLabel("FORMAT")
            .type(String.class)
            .defaultValue(Format.TEXT.word())
            .completionCandidates(FORMATS)
            .description(
                "text; nft, ip or sysctl: the lines for these; swanctl: fragments for strongSwan;"
                    + " routes: what the LAN's routers and DHCP servers are told; json.")
            .build());
    spec.addOption(
        OptionSpec.builder("--explain")
            .description("With every setting and entry, and the MSS term by term.")
            .type(boolean.class)
            .build());
    spec.usageMessage().footer("", "Ends with 2 where there are changes, 0 where there are none.");
    return spec;
  }

  private static int run(Subcommand.Call call, Surroundings surroundings) {
    Format format = format(call);
    return Described.read(
        call.positional(0),
        new Disk(surroundings.directory()),
        problems -> {
          String answer =
              format == Format.JSON
                  ? Json.text(PlanJson.refused(problems))
                  : Described.refusal(problems, surroundings.paint());
          (format == Format.TEXT || format == Format.JSON ? call.out() : call.err()).print(answer);
          call.out().flush();
          call.err().flush();
        },
        described -> new Plan(call, surroundings, described).print(format));
  }

  private static Format format(Subcommand.Call call) {
    String word = call.option("--format").orElse("");
    if (!FORMATS.contains(word)) {
      throw new ParameterException(
          call.spec().commandLine(),
          "no format `" + Page.harmless(word) + "`; there are " + String.join(", ", FORMATS));
    }
    return Format.valueOf(word.toUpperCase(Locale.ROOT));
  }

  private int print(Format format) {
    String answer =
        switch (format) {
          case TEXT -> text();
          // Where the host cannot be read: as for one on which nothing of ours stands.
          case NFT ->
              isRead()
                  ? applier.nft(ruleset)
                  : ruleset.tables().stream().map(NftText::of).collect(Collectors.joining());
          case IP -> ip();
          case SYSCTL -> SysctlText.of(ruleset.sysctls());
          case SWANCTL -> described.companions(Companion.SwanctlFragment.class);
          case ROUTES ->
              described.companions(Companion.StaticRoutes.class)
                  + described.companions(Companion.DhcpRoutes.class);
          case JSON -> Json.text(PlanJson.of(described, forecast, now()));
        };
    call.out().print(answer);
    call.out().flush();
    if (format != Format.TEXT && format != Format.JSON) {
      complaints().forEach(line -> call.err().println("gatehouse plan: " + line));
      call.err().flush();
    }
    return status();
  }

  private int status() {
    if (!isRead()) {
      return ExitStatus.LACKING;
    }
    if (!forecast.conflicts().isEmpty()) {
      return ExitStatus.NO;
    }
    return forecast.different() ? ExitStatus.CHANGES : ExitStatus.FINE;
  }

  private boolean isRead() {
    return forecast.missing().isEmpty();
  }

  /** Why nothing would be applied; empty where it would. */
  private List<String> complaints() {
    return isRead()
        ? forecast.conflicts()
        : forecast.missing().stream().map(what -> "this host lacks " + what).toList();
  }

  private String text() {
    Optional<Map<String, String>> now = isRead() ? Optional.of(now()) : Optional.empty();
    String page =
        new PlanText(
                described,
                forecast,
                now,
                standing(),
                call.isSet("--explain"),
                call.spec().root().subcommands().containsKey("apply"))
            .text();
    return described.remarks(surroundings.paint()) + surroundings.paint().page(page);
  }

  /** The settings that the plan is about, as they are; absent where they cannot be read. */
  private Map<String, String> now() {
    return Snapshot.sysctls(
        surroundings.machine(), ruleset.sysctls().stream().map(Sysctl::key).toList());
  }

  /** How many rules of ours stand; nothing where that cannot be read. */
  private Optional<Integer> standing() {
    if (!isRead()) {
      return Optional.empty();
    }
    int rules = 0;
    for (var table : ruleset.tables()) {
      Machine.Answer answer =
          surroundings.machine().run("nft", "-s", "list", "table", table.family(), table.name());
      boolean chain = false;
      for (String line : answer.outOrEmpty().lines().toList()) {
        if (line.startsWith("\t") && !line.startsWith("\t\t")) {
          chain = line.startsWith("\tchain ");
        } else if (chain && line.startsWith("\t\t") && !line.startsWith("\t\ttype ")) {
          rules++;
        }
      }
    }
    return Optional.of(rules);
  }

  private String ip() {
    StringBuilder text = new StringBuilder();
    for (Family family : Family.values()) {
      String lines = IpText.add(ruleset, family);
      if (!lines.isEmpty()) {
        text.append(family == Family.V4 ? "# ip -4 -batch\n" : "# ip -6 -batch\n").append(lines);
      }
    }
    return text.toString();
  }
}
