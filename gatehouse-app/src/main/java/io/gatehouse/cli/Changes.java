package io.gatehouse.cli;

import io.gatehouse.apply.Applier;
import io.gatehouse.apply.Directories;
import io.gatehouse.apply.Outcome;
import io.gatehouse.apply.Request;
import io.gatehouse.snapshot.LocalMachine;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParameterException;

/**
 * The commands that change the kernel: {@code apply}, {@code confirm}, {@code rollback}, {@code
 * remove}.
 */
final class Changes {
  private static final Pattern DURATION = Pattern.compile("([1-9][0-9]{0,5})(s|m|h)?");

  private Changes() {}

  static List<CommandSpec> specs() {
    return List.of(
        apply(),
        Subcommand.of(
            "confirm",
            "Keeps what was applied with --confirm.",
            call -> tell(call, applier().confirm("gatehouse confirm"))),
        Subcommand.of(
            "rollback",
            "Takes back what was applied last.",
            call -> tell(call, applier().rollback("gatehouse rollback"))),
        Subcommand.of(
            "remove",
            "Gives the host back as it was before gatehouse.",
            call -> tell(call, applier().remove("gatehouse remove"))));
  }

  private static CommandSpec apply() {
    CommandSpec spec =
        Subcommand.of(
            "apply", "Puts a description into the kernel, in one transaction.", Changes::apply);
    Described.takeFile(spec);
    spec.addOption(
        OptionSpec.builder("--confirm")
            .paramLabel("TIME")
            .type(String.class)
            .description(
                "Takes it back after TIME (60s, 5m) unless `gatehouse confirm` comes first.")
            .build());
    spec.addOption(
        OptionSpec.builder("--not-at-boot")
            .type(boolean.class)
            .description("Leaves what is loaded at the next boot as it is.")
            .build());
    return spec;
  }

  private static int apply(Subcommand.Call call) throws IOException {
    OptionalInt confirm = seconds(call);
    Optional<Described> described = Described.read(call);
    if (described.isEmpty()) {
      return ExitStatus.NO;
    }
    String file = described.get().file();
    Request request =
        new Request(
            described.get().compiled().ruleset(),
            Files.readString(Path.of(file)),
            Path.of(file).toAbsolutePath().toString(),
            "gatehouse apply " + file,
            confirm,
            Optional.ofNullable(System.getenv("SSH_CONNECTION")),
            !call.isSet("--not-at-boot"));
    return tell(call, applier().apply(request));
  }

  private static OptionalInt seconds(Subcommand.Call call) {
    Optional<String> time = call.option("--confirm");
    if (time.isEmpty()) {
      return OptionalInt.empty();
    }
    Matcher matcher = DURATION.matcher(time.get());
    if (!matcher.matches()) {
      throw new ParameterException(
          call.spec().commandLine(), "--confirm takes a time such as 60s or 5m, not " + time.get());
    }
    int unit =
        switch (matcher.group(2)) {
          case "h" -> 3600;
          case "m" -> 60;
          case null, default -> 1;
        };
    return OptionalInt.of(Integer.parseInt(matcher.group(1)) * unit);
  }

  private static Applier applier() {
    return new Applier(
        new LocalMachine(),
        List.of(),
        Directories.of(System.getenv()),
        Clock.systemUTC(),
        Map.of());
  }

  /** What it came to, on the stream where it belongs, and the status that says the same. */
  private static int tell(Subcommand.Call call, Outcome outcome) {
    boolean done = outcome.kind() == Outcome.Kind.DONE;
    outcome.lines().forEach(done ? call.out()::println : call.err()::println);
    return switch (outcome.kind()) {
      case DONE -> ExitStatus.FINE;
      case REFUSED -> ExitStatus.NO;
      case LACKING -> ExitStatus.LACKING;
      case FAILED -> ExitStatus.FAULT;
    };
  }
}
