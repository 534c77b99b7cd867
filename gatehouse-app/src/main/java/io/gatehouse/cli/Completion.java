package io.gatehouse.cli;

import picocli.AutoComplete;
import picocli.CommandLine.Model.CommandSpec;

/** {@code source <(gatehouse completion)}: what bash can complete. */
final class Completion {
  private Completion() {}

  static CommandSpec spec() {
    CommandSpec spec =
        Subcommand.of(
            "completion",
            "Prints what bash needs to complete our commands: source <(gatehouse completion).",
            Completion::run);
    spec.usageMessage().hidden(true);
    return spec;
  }

  private static int run(Subcommand.Call call) {
    call.out().print(AutoComplete.bash("gatehouse", call.spec().root().commandLine()));
    call.out().flush();
    return ExitStatus.FINE;
  }
}
