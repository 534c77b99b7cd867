package io.gatehouse.cli;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;

/** The ssh connection that the administrator sits behind. */
final class Administrator {
  private static final String VARIABLE = "SSH_CONNECTION";

  /** Processes above ours that are asked: shells, sudo, terminals in terminals. */
  private static final int GENERATIONS = 32;

  private Administrator() {}

  /** From the environment, or from that of a process above: sudo and su take the variable away. */
  static Optional<String> ssh(Map<String, String> environment) {
    Optional<String> own = Optional.ofNullable(environment.get(VARIABLE));
    if (own.isPresent()) {
      return own;
    }
    Optional<ProcessHandle> process = ProcessHandle.current().parent();
    for (int i = 0; i < GENERATIONS && process.isPresent(); i++) {
      Optional<String> theirs = of(process.get().pid());
      if (theirs.isPresent()) {
        return theirs;
      }
      process = process.get().parent();
    }
    return Optional.empty();
  }

  private static Optional<String> of(long process) {
    try {
      for (String entry :
          Files.readString(Path.of("/proc/" + process + "/environ"), ISO_8859_1).split("\0", -1)) {
        if (entry.startsWith(VARIABLE + "=")) {
          return Optional.of(entry.substring(VARIABLE.length() + 1));
        }
      }
    } catch (IOException e) {
      // Ended meanwhile, or not ours to read.
    }
    return Optional.empty();
  }
}
