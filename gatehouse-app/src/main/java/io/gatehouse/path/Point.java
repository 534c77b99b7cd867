package io.gatehouse.path;

import io.gatehouse.path.Unknown.Kind;
import io.gatehouse.ruleset.Chain.Hook;
import io.gatehouse.ruleset.Table;

/**
 * The packet where a rule stands.
 *
 * @param state the packet as it comes there
 * @param place in words, for what is open there
 */
record Point(State state, Table table, Hook hook, String place) {
  /** Something that is open there. */
  Unknown unknown(Kind kind, String text) {
    return new Unknown(kind, text, place);
  }

  /** Whether the packet is on its way out. */
  boolean leaves() {
    return switch (hook) {
      case FORWARD, OUTPUT, POSTROUTING, EGRESS -> true;
      case INGRESS, PREROUTING, INPUT -> false;
    };
  }
}
