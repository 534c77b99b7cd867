package io.gatehouse.cli;

import io.gatehouse.snapshot.LocalMachine;
import io.gatehouse.snapshot.Machine;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.function.BooleanSupplier;

/**
 * Where a command runs; tests bring their own.
 *
 * @param directory that names of files are relative to
 * @param machine what stands in the kernel is read from it
 * @param terminal whether somebody looks; asked only when it matters, because the answer costs time
 */
record Surroundings(
    Map<String, String> environment, Path directory, Machine machine, BooleanSupplier terminal) {

  /** This process's own. */
  static Surroundings own(Map<String, String> environment) {
    return new Surroundings(
        environment,
        Path.of(""),
        new LocalMachine(),
        () -> Optional.ofNullable(System.console()).filter(c -> c.isTerminal()).isPresent());
  }

  /** Colours only for eyes, and not where NO_COLOR asks for none (no-color.org). */
  Paint paint() {
    boolean wanted =
        environment.getOrDefault("NO_COLOR", "").isEmpty()
            && !"dumb".equals(environment.get("TERM"))
            && terminal.getAsBoolean();
    return wanted ? Paint.COLOURED : Paint.PLAIN;
  }
}
