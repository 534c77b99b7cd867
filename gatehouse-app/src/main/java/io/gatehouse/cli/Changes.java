package io.gatehouse.cli;

import io.gatehouse.apply.Applier;
import io.gatehouse.apply.BootUnits;
import io.gatehouse.apply.Directories;
import io.gatehouse.apply.Outcome;
import io.gatehouse.apply.Request;
import io.gatehouse.apply.Status;
import io.gatehouse.compile.Compiled;
import io.gatehouse.compile.Compiler;
import io.gatehouse.config.Description;
import io.gatehouse.config.ProblemText;
import io.gatehouse.config.Reading;
import io.gatehouse.snapshot.LocalMachine;
import io.gatehouse.snapshot.Machine;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.Clock;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;
import picocli.CommandLine.ParameterException;
import tools.jackson.databind.ObjectMapper;

/**
 * The commands that change the kernel, and the one that looks whether it still is as they left it:
 * {@code apply}, {@code confirm}, {@code rollback}, {@code remove}, {@code status}.
 */
final class Changes {
  private static final int WIDTH = 80;

  /** Seconds in a day: nobody waits longer for a confirmation. */
  private static final int LONGEST = 24 * 60 * 60;

  private final Machine machine = new LocalMachine();
  private final Map<String, String> environment;
  private final Directories directories;

  private Changes(Map<String, String> environment) {
    this.environment = environment;
    this.directories = Directories.of(environment);
  }

  /** All of them. */
  static List<CommandSpec> specs() {
    Changes changes = new Changes(System.getenv());
    return List.of(
        changes.applySpec(),
        Subcommand.of("confirm", "Keeps what was applied with --confirm.", changes::confirm),
        changes.rollbackSpec(),
        Subcommand.of("remove", "Gives the host back as it was before Gatehouse.", changes::remove),
        changes.statusSpec());
  }

  private CommandSpec applySpec() {
    CommandSpec spec =
        Subcommand.of(
            "apply", "Puts a description into the kernel, or leaves it as it is.", this::apply);
    spec.addPositional(
        PositionalParamSpec.builder()
            .paramLabel("FILE")
            .arity("1")
            .type(String.class)
            .description("The description of the gateway.")
            .build());
    spec.addOption(
        OptionSpec.builder("--confirm")
            .paramLabel("TIME")
            .type(String.class)
            .description("Takes it back unless `gatehouse confirm` follows within 60s, 5m, ...")
            .build());
    spec.addOption(
        OptionSpec.builder("--not-at-boot")
            .type(boolean.class)
            .description("Leaves what is loaded at boot as it is.")
            .build());
    return spec;
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
    return spec;
  }

  private CommandSpec statusSpec() {
    CommandSpec spec =
        Subcommand.of(
            "status",
            "Says what stands, and where it differs from what was applied.",
            this::status);
    spec.addOption(
        OptionSpec.builder("--json").description("Answers in JSON.").type(boolean.class).build());
    return spec;
  }

  private Applier applier() {
    return new Applier(machine, List.of(), directories, Clock.systemUTC(), Map.of());
  }

  private BootUnits units() {
    return new BootUnits(machine, directories, Path.of("/etc/systemd/system"));
  }

  // ---- apply ----

  private int apply(Subcommand.Call call) {
    OptionalInt within =
        call.option("--confirm").map(text -> seconds(call, text)).orElse(OptionalInt.empty());
    String file = call.positional(0);
    String command = "gatehouse apply " + file;
    return apply(
        call,
        file,
        new Recorded(new Disk(Path.of(""))),
        command,
        within,
        !call.isSet("--not-at-boot"));
  }

  private int apply(
      Subcommand.Call call,
      String file,
      Recorded source,
      String command,
      OptionalInt within,
      boolean atBoot) {
    Reading reading = Description.read(file, source);
    call.out().print(ProblemText.of(reading.problems(), WIDTH));
    if (!(reading instanceof Reading.Understood understood)) {
      call.out().println(ProblemText.count(reading.problems()) + ", nothing was touched");
      return ExitStatus.NO;
    }
    Compiled compiled = Compiler.compile(understood.gateway());
    compiled
        .notes()
        .forEach(note -> call.out().println(note.origin().place() + "  " + note.text()));
    Request request =
        new Request(
            compiled.ruleset(),
            source.text(),
            file,
            command,
            within,
            Administrator.ssh(environment),
            atBoot);
    Outcome outcome = applier().apply(request);
    int status = tell(call, outcome);
    if (status == ExitStatus.FINE && within.isEmpty() && atBoot) {
      units().install().forEach(call.out()::println);
    }
    return status;
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

  /** Prints what came of it, complaints where complaints go. */
  private static int tell(Subcommand.Call call, Outcome outcome) {
    PrintWriter to = outcome.kind() == Outcome.Kind.DONE ? call.out() : call.err();
    outcome.lines().forEach(to::println);
    to.flush();
    return switch (outcome.kind()) {
      case DONE -> ExitStatus.FINE;
      case REFUSED -> ExitStatus.NO;
      case LACKING -> ExitStatus.LACKING;
      case FAILED -> ExitStatus.FAULT;
    };
  }

  // ---- confirm, rollback, remove ----

  private int confirm(Subcommand.Call call) {
    int status = tell(call, applier().confirm("gatehouse confirm"));
    if (status == ExitStatus.FINE && applier().status().atBoot() != 0) {
      units().install().forEach(call.out()::println);
    }
    return status;
  }

  private int rollback(Subcommand.Call call) {
    Optional<String> argument = call.positionals(0).stream().findFirst();
    if (argument.isEmpty()) {
      return tell(call, applier().rollback("gatehouse rollback"));
    }
    String text = argument.get();
    if (!text.matches("[1-9][0-9]{0,8}")) {
      throw new ParameterException(call.spec().commandLine(), "not a generation: " + text);
    }
    int number = Integer.parseInt(text);
    Optional<String> description = applier().description(number);
    if (description.isEmpty()) {
      call.err().println("no description of generation " + number + " is kept");
      call.err().println("kept: " + applier().generations());
      return ExitStatus.NO;
    }
    return apply(
        call,
        applier().file(number).orElse("description"),
        Recorded.of(description.get()),
        "gatehouse rollback " + number,
        OptionalInt.empty(),
        true);
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
    if (call.isSet("--json")) {
      json(call, status);
    } else {
      text(status).forEach(call.out()::println);
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
    status.waiting().forEach(line -> lines.add("waits: " + line));
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

  private static void json(Subcommand.Call call, Status status) {
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
    call.out()
        .println(new ObjectMapper().writerWithDefaultPrettyPrinter().writeValueAsString(answer));
  }
}
