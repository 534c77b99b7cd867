package io.gatehouse.apply;

import java.io.IOException;
import java.nio.file.Files;
import java.util.Optional;

/**
 * What stands in the kernel, and what is under way; {@code hand.sh} writes it.
 *
 * @param now the generation in the kernel; 0 where nothing of ours is
 */
record Journal(
    String boot, String namespace, int now, Optional<Doing> doing, Optional<Waiting> waiting) {

  /** A change that has begun and has not ended. */
  record Doing(String what, int generation) {}

  /**
   * A generation that is taken back unless somebody confirms it.
   *
   * @param until seconds since boot
   */
  record Waiting(int generation, long until) {}

  /** Nothing has been done. */
  static Journal blank(String boot, String namespace) {
    return new Journal(boot, namespace, 0, Optional.empty(), Optional.empty());
  }

  /** The journal as it stands, whoever's kernel it is about. */
  static Optional<Journal> read(Directories directories) {
    try {
      return Optional.of(parse(Files.readString(directories.state().resolve("journal"))));
    } catch (IOException e) {
      return Optional.empty();
    }
  }

  /**
   * The same reading as the script's: lines that nobody knows, or that were cut off, count for
   * nothing.
   */
  static Journal parse(String text) {
    Journal journal = blank("", "");
    for (String line : text.lines().toList()) {
      String[] words = line.split(" ", -1);
      journal =
          switch (words[0] + words.length) {
            case "boot2" ->
                new Journal(
                    words[1], journal.namespace, journal.now, journal.doing, journal.waiting);
            case "namespace2" ->
                new Journal(journal.boot, words[1], journal.now, journal.doing, journal.waiting);
            case "now2" ->
                new Journal(
                    journal.boot,
                    journal.namespace,
                    number(words[1]),
                    journal.doing,
                    journal.waiting);
            case "doing3" ->
                new Journal(
                    journal.boot,
                    journal.namespace,
                    journal.now,
                    Optional.of(new Doing(words[1], number(words[2]))),
                    journal.waiting);
            case "waits3" ->
                new Journal(
                    journal.boot,
                    journal.namespace,
                    journal.now,
                    journal.doing,
                    Optional.of(new Waiting(number(words[1]), number(words[2]))));
            default -> journal;
          };
    }
    return journal;
  }

  private static int number(String text) {
    return text.matches("[0-9]{1,9}") ? Integer.parseInt(text) : 0;
  }

  boolean isAbout(String thisBoot, String thisNamespace) {
    return boot.equals(thisBoot) && namespace.equals(thisNamespace);
  }
}
