package io.gatehouse.apply;

import io.gatehouse.ruleset.Ruleset;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * What is to be applied, and how.
 *
 * @param description the text that the ruleset was compiled from, kept for `rollback N`
 * @param file where it was read
 * @param command what the user typed, for whoever finds the lock taken
 * @param confirmWithin seconds until it is taken back unless somebody confirms
 * @param ssh the administrator's own connection, {@code SSH_CONNECTION}: client and server, address
 *     and port
 * @param atBoot whether the confirmed state is loaded at the next boot
 * @param expected the generation that has to stand when the lock is taken, where the wish rests on
 *     that; 0 for none of ours
 */
public record Request(
    Ruleset ruleset,
    String description,
    String file,
    String command,
    OptionalInt confirmWithin,
    Optional<String> ssh,
    boolean atBoot,
    OptionalInt expected) {

  /** Whatever stands. */
  public Request(
      Ruleset ruleset,
      String description,
      String file,
      String command,
      OptionalInt confirmWithin,
      Optional<String> ssh,
      boolean atBoot) {
    this(ruleset, description, file, command, confirmWithin, ssh, atBoot, OptionalInt.empty());
  }
}
