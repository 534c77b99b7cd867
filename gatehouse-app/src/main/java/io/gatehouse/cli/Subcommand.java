package io.gatehouse.cli;

import java.io.PrintWriter;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;

/**
 * One command below {@code gatehouse}, by picocli's model (see {@link Main} for why not by
 * annotations).
 */
final class Subcommand {
  private Subcommand() {}

  /** What a command does with its arguments. */
  interface Action {
    /** Answers and returns an {@link ExitStatus}. */
    int run(Call call) throws Exception;
  }

  /**
   * A command without arguments of its own yet.
   *
   * @param description for its help, one sentence
   */
  static CommandSpec of(String name, String description, Action action) {
    Call[] call = new Call[1];
    Callable<Integer> body = () -> action.run(call[0]);
    CommandSpec spec = CommandSpec.wrapWithoutInspection(body).name(name);
    call[0] = new Call(spec);
    spec.usageMessage().description(description);
    spec.addOption(
        OptionSpec.builder("-h", "--help")
            .usageHelp(true)
            .description("Show this help and exit.")
            .build());
    return spec;
  }

  /** The description that a command is about. */
  static PositionalParamSpec file() {
    return PositionalParamSpec.builder()
        .paramLabel("FILE")
        .arity("1")
        .required(true)
        .type(String.class)
        .description("The description of the gateway.")
        .build();
  }

  /** The description that a question is about. */
  static OptionSpec on() {
    return OptionSpec.builder("--on")
        .paramLabel("FILE")
        .required(true)
        .type(String.class)
        .description("The description of the gateway.")
        .build();
  }

  /** The gateway that a question is about, described or standing. */
  static OptionSpec onAny() {
    return OptionSpec.builder("--on")
        .paramLabel("FILE|DIR|live")
        .required(true)
        .type(String.class)
        .description(
            "A description; a directory of `gatehouse snapshot`; a file of iptables-save or `nft"
                + " -j list ruleset`; or `live`, this host as it stands.")
        .build();
  }

  /** The option of every command that answers. */
  static OptionSpec json() {
    return OptionSpec.builder("--json").description("Answer in JSON.").type(boolean.class).build();
  }

  /** A command that runs now, and what stood on its line. */
  record Call(CommandSpec spec) {
    /** Prints an answer. */
    void answer(String text) {
      out().print(text);
      out().flush();
    }

    PrintWriter out() {
      return spec.commandLine().getOut();
    }

    PrintWriter err() {
      return spec.commandLine().getErr();
    }

    /** A positional argument that picocli has made sure of. */
    String positional(int index) {
      return positionals(index).getFirst();
    }

    /** All of a positional parameter that may be repeated or missing. */
    List<String> positionals(int index) {
      Object value = spec.positionalParameters().get(index).getValue();
      return switch (value) {
        case null -> List.of();
        case List<?> many -> many.stream().map(String::valueOf).toList();
        default -> List.of(value.toString());
      };
    }

    /** All values of an option that may be repeated. */
    List<String> options(String option) {
      return spec.findOption(option).getValue() instanceof List<?> many
          ? many.stream().map(String::valueOf).toList()
          : List.of();
    }

    /** Whether a flag stands on the line; one that the command does not have stands there never. */
    boolean isSet(String option) {
      OptionSpec found = spec.findOption(option);
      return found != null && Boolean.TRUE.equals(found.getValue());
    }

    /** An option's value. */
    Optional<String> option(String option) {
      OptionSpec found = spec.findOption(option);
      Object value = found == null ? null : found.getValue();
      return Optional.ofNullable(value).map(Object::toString);
    }
  }
}
