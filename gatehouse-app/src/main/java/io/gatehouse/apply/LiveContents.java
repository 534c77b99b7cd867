package io.gatehouse.apply;

import io.gatehouse.ruleset.Ruleset;
import io.gatehouse.snapshot.Machine;

/** Elements of live sets that cannot stay where they are, because their set is made anew. */
final class LiveContents {
  private LiveContents() {}

  static String read(Machine machine, Ruleset ruleset, Shape standing) {
    return "";
  }
}
