package io.gatehouse.cli;

import io.gatehouse.config.Description;
import picocli.CommandLine.Model.CommandSpec;

/** {@code gatehouse schema}: the language of descriptions for editors. */
final class EditorSchema {
  private EditorSchema() {}

  static CommandSpec spec() {
    return Subcommand.of(
        "schema",
        "Prints a JSON Schema of the description, for editors.",
        call -> {
          call.answer(text());
          return ExitStatus.FINE;
        });
  }

  /** The same for the copy in docs/, which a test compares. */
  static String text() {
    return Json.text(Description.schema());
  }
}
