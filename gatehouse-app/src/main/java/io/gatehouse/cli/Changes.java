package io.gatehouse.cli;

import io.gatehouse.apply.Applier;
import io.gatehouse.apply.BootUnits;
import io.gatehouse.apply.Directories;
import io.gatehouse.apply.Outcome;
import io.gatehouse.apply.Request;
import io.gatehouse.apply.Status;
import io.gatehouse.config.Problem;
import io.gatehouse.verify.Property;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.Clock;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.ToIntFunction;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;
import picocli.CommandLine.ParameterException;

/**
 * The commands that change the kernel, and the one that looks whether it still is as they left it:
 * {@code apply}, {@code confirm}, {@code rollback}, {@code remove}, {@code status}.
 */
final class Changes {
  /** Seconds in a day: nobody waits longer for a confirmation. */
  private static final int LONGEST = 24 * 60 * 60;

  private final Surroundings surroundings;
  private final Directories directories;

  private Changes(Surroundings surroundings) {
    this.surroundings = surroundings;
    this.directories = Directories.of(surroundings.environment());
  }

  static Changes of(Surroundings surroundings) {
    return new Changes(surroundings);
  }

  /** All of them. */
  static List<CommandSpec> specs(Surroundings surroundings) {
    Changes changes = of(surroundings);
    List<CommandSpec> specs =
        List.of(
            changes.applySpec(),
            Subcommand.of("confirm", "Keeps what was applied with --confirm.", changes::confirm),
            changes.rollbackSpec(),
            Subcommand.of(
                "remove", "Gives the host back as it was before Gatehouse.", changes::remove),
            Subcommand.of(
                "status",
                "Says what stands, and where it differs from what was applied.",
                changes::status));
    specs.forEach(spec -> spec.addOption(Subcommand.json()));
    return specs;
  }

  private CommandSpec applySpec() {
    CommandSpec spec =
        Subcommand.of(
            "apply", "Puts a description into the kernel, or leaves it as it is.", this::apply);
    spec.addPositional(Subcommand.file());
    spec.addOption(confirmOption());
    spec.addOption(
        OptionSpec.builder("--not-at-boot")
            .type(boolean.class)
            .description("Leaves what is loaded at boot as it is.")
            .build());
    spec.addOption(despiteOption());
    return spec;
  }

  static OptionSpec despiteOption() {
    return OptionSpec.builder("--despite")
        .paramLabel("PROPERTY")
        .type(List.class)
        .auxiliaryTypes(String.class)
        .completionCandidates(Proven.WORDS)
        .description("Applies it though this property is broken or not known; repeatable.")
        .build();
  }

  /**
   * Puts the generation that is to stand into the kernel again, where it is not there; not where
   * somebody has replaced or removed it meanwhile.
   */
  Outcome again(Generation standing) {
    return applier()
        .apply(
            new Request(
                standing.described().compiled().ruleset(),
                standing.source().text(),
                standing.file(),
                "gatehouse run",
                OptionalInt.empty(),
                Optional.empty(),
                applier().atBoot() == standing.number(),
                OptionalInt.of(standing.number())));
  }

  /**
   * A generation, by the description that was kept of it.
   *
   * @param file where it was read
   */
  record Generation(int number, String file, Recorded source, Described described) {}

  /** The generation that is to stand; nothing where there is none, or it cannot be compiled. */
  Optional<Generation> generation() {
    int number = applier().now();
    Optional<String> description = number == 0 ? Optional.empty() : applier().description(number);
    if (description.isEmpty()) {
      return Optional.empty();
    }
    String file = applier().file(number).orElse("description");
    Recorded source = Recorded.of(description.get());
    return Described.understood(file, source)
        .map(described -> new Generation(number, file, source, described));
  }

  private static OptionSpec confirmOption() {
    return OptionSpec.builder("--confirm")
        .paramLabel("TIME")
        .type(String.class)
        .description("Takes it back unless `gatehouse confirm` follows within 60s, 5m, ...")
        .build();
  }

  private CommandSpec rollbackSpec() {
    CommandSpec spec =
        Subcommand.of(
            "rollback", "Goes back to the generation before, or to generation N.", this::rollback);
    spec.addPositional(
        PositionalParamSpec.builder()
            .paramLabel("N")
            .arity("0..1")
            .type(String.class)
            .description(
                "A generation that was applied before; the one before this where it is left out.")
            .build());
    spec.addOption(confirmOption());
    return spec;
  }

  Applier applier() {
    return new Applier(surroundings.machine(), List.of(), directories, Clock.systemUTC(), Map.of());
  }

  private BootUnits units() {
    return new BootUnits(surroundings.machine(), directories, Path.of("/etc/systemd/system"));
  }

  // ---- apply ----

  /** Applies the FILE of a command line. Returns an {@link ExitStatus}. */
  int apply(Subcommand.Call call) {
    return apply(call, outcome -> {});
  }

  /**
   * The same.
   *
   * @param told what came of it; not called where the description itself is refused
   */
  int apply(Subcommand.Call call, Consumer<Outcome> told) {
    String file = call.positional(0);
    Set<Property> despite = Proven.named(call, "--despite");
    Recorded source = new Recorded(new Disk(surroundings.directory()));
    OptionalInt within = within(call);
    return read(
        call,
        file,
        source,
        described -> {
          // Beside the look at this host: with thousands of peers both take seconds.
          CompletableFuture<Proven> proofs =
              CompletableFuture.supplyAsync(
                  () -> Proven.of(described), work -> Thread.ofPlatform().daemon().start(work));
          Asked asked =
              new Asked(file, "gatehouse apply " + file, within, !call.isSet("--not-at-boot"));
          Outcome outcome = put(described, source, asked, () -> proofs.join().isWholeBut(despite));
          Proven proven = proofs.join();
          return proven.isWholeBut(despite)
              ? applied(call, described, asked, outcome, proven.remarks(), told)
              : unproved(call, file, described, proven, despite);
        });
  }

  /**
   * What an apply was asked for.
   *
   * @param within seconds for a confirmation
   */
  private record Asked(String file, String command, OptionalInt within, boolean atBoot) {}

  private int read(
      Subcommand.Call call, String file, Recorded source, ToIntFunction<Described> use) {
    return Described.read(file, source, problems -> refused(call, problems), use);
  }

  /**
   * Puts it into the kernel.
   *
   * @param proved waits for the proofs, and says whether it may be put there
   */
  private Outcome put(Described described, Recorded source, Asked asked, BooleanSupplier proved) {
    return applier()
        .apply(
            new Request(
                described.compiled().ruleset(),
                source.text(),
                asked.file(),
                asked.command(),
                asked.within(),
                Administrator.ssh(surroundings.environment()),
                asked.atBoot()),
            proved);
  }

  /** Tells what came of it. */
  private int applied(
      Subcommand.Call call,
      Described described,
      Asked asked,
      Outcome came,
      List<String> remarks,
      Consumer<Outcome> told) {
    Outcome outcome = came;
    if (outcome.kind() == Outcome.Kind.DONE && asked.within().isEmpty() && asked.atBoot()) {
      outcome = outcome.and(units().install());
    }
    told.accept(outcome);
    if (call.isSet("--json")) {
      Map<String, Object> answer = answer(call, outcome, described.remarks());
      if (call.spec().name().equals("apply")) {
        answer.put("notes", Json.notes(described.compiled().notes()));
        answer.put("despite", remarks);
      }
      call.answer(Json.text(answer));
      return status(outcome);
    }
    call.out().print(described.remarks(surroundings.paint()));
    call.out().print(described.notes());
    remarks.forEach(line -> call.out().print(surroundings.paint().page("! " + line + "\n")));
    return tell(call, outcome);
  }

  /** Refuses what could leak, before anything is touched. */
  private int unproved(
      Subcommand.Call call,
      String file,
      Described described,
      Proven proven,
      Set<Property> despite) {
    List<String> lines = proven.refusal(despite);
    if (call.isSet("--json")) {
      Map<String, Object> answer =
          answer(call, new Outcome(Outcome.Kind.REFUSED, lines), described.remarks());
      answer.put("notes", Json.notes(described.compiled().notes()));
      answer.put("properties", proven.json());
      call.answer(Json.text(answer));
    } else {
      call.out().print(described.remarks(surroundings.paint()));
      call.out().print(surroundings.paint().page(proven.text(file)));
      lines.forEach(call.out()::println);
      call.out().flush();
    }
    return ExitStatus.NO;
  }

  private void refused(Subcommand.Call call, List<Problem> problems) {
    call.answer(
        call.isSet("--json")
            ? Json.text(
                answer(
                    call,
                    new Outcome(Outcome.Kind.REFUSED, List.of("nothing was touched")),
                    problems))
            : Described.refusal(problems, surroundings.paint()));
  }

  private static OptionalInt within(Subcommand.Call call) {
    return call.option("--confirm").map(text -> seconds(call, text)).orElse(OptionalInt.empty());
  }

  private static OptionalInt seconds(Subcommand.Call call, String text) {
    Matcher matcher = Pattern.compile("([1-9][0-9]{0,5})(s|m|h|)").matcher(text);
    if (matcher.matches()) {
      int unit =
          switch (matcher.group(2)) {
            case "m" -> 60;
            case "h" -> 3600;
            default -> 1;
          };
      long seconds = Long.parseLong(matcher.group(1)) * unit;
      if (seconds <= LONGEST) {
        return OptionalInt.of((int) seconds);
      }
    }
    throw new ParameterException(
        call.spec().commandLine(),
        "--confirm takes a time from 1s to 24h, such as 60s or 5m, not " + text);
  }

  /** Says what came of it, complaints where complaints go. */
  private int tell(Subcommand.Call call, Outcome outcome) {
    if (call.isSet("--json")) {
      call.answer(Json.text(answer(call, outcome, List.of())));
      return status(outcome);
    }
    PrintWriter to = outcome.kind() == Outcome.Kind.DONE ? call.out() : call.err();
    outcome.lines().forEach(to::println);
    call.out().flush();
    call.err().flush();
    return status(outcome);
  }

  private static int status(Outcome outcome) {
    return switch (outcome.kind()) {
      case DONE -> ExitStatus.FINE;
      case REFUSED -> ExitStatus.NO;
      case LACKING -> ExitStatus.LACKING;
      case FAILED -> ExitStatus.FAULT;
    };
  }

  private Map<String, Object> answer(
      Subcommand.Call call, Outcome outcome, List<Problem> problems) {
    Map<String, Object> answer = new LinkedHashMap<>();
    answer.put("fine", outcome.kind() == Outcome.Kind.DONE);
    answer.put("outcome", outcome.kind().name().toLowerCase(Locale.ROOT));
    answer.put("generation", applier().now());
    answer.put("lines", outcome.lines());
    if (call.spec().name().equals("apply")) {
      answer.put("problems", Json.problems(problems));
      answer.put("notes", List.of());
    }
    return answer;
  }

  // ---- confirm, rollback, remove ----

  private int confirm(Subcommand.Call call) {
    Outcome outcome = applier().confirm("gatehouse confirm");
    if (outcome.kind() == Outcome.Kind.DONE && applier().atBoot() != 0) {
      outcome = outcome.and(units().install());
    }
    return tell(call, outcome);
  }

  private int rollback(Subcommand.Call call) {
    Optional<String> argument = call.positionals(0).stream().findFirst();
    OptionalInt within = within(call);
    if (argument.isEmpty()) {
      if (within.isPresent()) {
        throw new ParameterException(
            call.spec().commandLine(), "--confirm needs the generation to go back to");
      }
      Outcome outcome = applier().rollback("gatehouse rollback");
      // What it goes back from may have been a remove, which takes the units away.
      if (outcome.kind() == Outcome.Kind.DONE && applier().atBoot() != 0) {
        outcome = outcome.and(units().install());
      }
      return tell(call, outcome);
    }
    String text = argument.get();
    if (!text.matches("[1-9][0-9]{0,8}")) {
      throw new ParameterException(call.spec().commandLine(), "not a generation: " + text);
    }
    int number = Integer.parseInt(text);
    Optional<String> description = applier().description(number);
    if (description.isEmpty()) {
      List<Integer> kept = applier().described();
      return tell(
          call,
          new Outcome(
              Outcome.Kind.REFUSED,
              List.of(
                  "no description of generation " + number + " is kept",
                  kept.isEmpty()
                      ? "none is kept"
                      : "kept: "
                          + kept.stream().map(String::valueOf).collect(Collectors.joining(", ")))));
    }
    String file = applier().file(number).orElse("description");
    Recorded source = Recorded.of(description.get());
    boolean atBoot = applier().isForBoot(number);
    return read(
        call,
        file,
        source,
        described -> {
          Asked asked = new Asked(file, "gatehouse rollback " + number, within, atBoot);
          // Whoever goes back is in need: it is proved, and done whatever came of that.
          Proven proven = Proven.of(described);
          Outcome outcome = put(described, source, asked, () -> true);
          return applied(call, described, asked, outcome, proven.remarks(), o -> {});
        });
  }

  private int remove(Subcommand.Call call) throws IOException {
    Outcome outcome = applier().remove("gatehouse remove");
    if (outcome.kind() == Outcome.Kind.DONE) {
      units().remove();
    }
    return tell(call, outcome);
  }

  // ---- status ----

  private int status(Subcommand.Call call) {
    Status status = applier().status();
    Following following = Following.asked(directories);
    if (call.isSet("--json")) {
      json(call, status, following);
    } else {
      text(status).forEach(call.out()::println);
      if (following.runs() || status.generation() != 0) {
        following.text().forEach(call.out()::println);
      }
      call.out().flush();
    }
    return status.isFine() ? ExitStatus.FINE : ExitStatus.NO;
  }

  private static List<String> text(Status status) {
    List<String> lines = new ArrayList<>();
    if (status.interrupted()) {
      lines.add("! a change was interrupted; the next change takes it back first");
    }
    if (status.generation() == 0) {
      lines.add("nothing of ours stands");
    } else {
      lines.add(
          "%s: generation %d stands, since %s"
              .formatted(
                  status.gateway().orElse("-"),
                  status.generation(),
                  status.since().orElse("this boot")));
    }
    status.drift().forEach(line -> lines.add("! " + line));
    status.culprits().forEach(line -> lines.addAll(Page.wrapped("  by whom: " + line, 80, 0)));
    status.waiting().forEach(line -> lines.add("waits: " + line));
    lines.addAll(status.inTheWay());
    if (status.secondsToConfirm().isPresent()) {
      lines.add(
          "waits for `gatehouse confirm`, %d s more; then it is taken back"
              .formatted(status.secondsToConfirm().getAsLong()));
    }
    lines.add(
        status.atBoot() == 0
            ? "nothing is loaded at boot"
            : "generation " + status.atBoot() + " is loaded at boot");
    if (!status.drift().isEmpty()) {
      lines.add(
          "%d differences; `gatehouse apply FILE` mends them".formatted(status.drift().size()));
    }
    return lines;
  }

  private static void json(Subcommand.Call call, Status status, Following following) {
    Map<String, Object> answer = new LinkedHashMap<>();
    answer.put("fine", status.isFine());
    status.gateway().ifPresent(name -> answer.put("gateway", name));
    answer.put("generation", status.generation());
    status.since().ifPresent(since -> answer.put("since", since));
    answer.put("interrupted", status.interrupted());
    status.secondsToConfirm().ifPresent(seconds -> answer.put("seconds-to-confirm", seconds));
    answer.put("at-boot", status.atBoot());
    answer.put("drift", status.drift());
    answer.put("waiting", status.waiting());
    answer.put("culprits", status.culprits());
    answer.put("in-the-way", status.inTheWay());
    answer.put("daemon", following.json());
    call.out().print(Json.text(answer));
    call.out().flush();
  }
}
