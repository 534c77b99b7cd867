package io.gatehouse.cli;

import io.gatehouse.snapshot.Machine;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A machine on which only these commands and files are there.
 *
 * @param words what a command prints, by its words, and what a file holds, by its path
 */
record Saying(Map<String, String> words) implements Machine {
  @Override
  public Answer run(List<String> command, String stdin, Duration limit) {
    return Optional.ofNullable(words.get(String.join(" ", command)))
        .map(text -> new Answer(0, text, ""))
        .orElseGet(() -> new Answer(127, "", command.getFirst() + ": not found"));
  }

  @Override
  public Optional<String> read(String path) {
    return Optional.ofNullable(words.get(path));
  }

  @Override
  public List<String> list(String directory) {
    return List.of();
  }

  @Override
  public Optional<String> link(String path) {
    return Optional.empty();
  }
}
