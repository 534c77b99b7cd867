package io.gatehouse.verify;

import io.gatehouse.model.Family;
import io.gatehouse.path.Journey.Trace;

/** What came of the proof of one property. */
public sealed interface Verdict {
  Property property();

  /** It holds for every packet, whatever the tunnels do. */
  record Holds(Property property) implements Verdict {}

  /**
   * It does not hold.
   *
   * @param what is wrong with the witness, as a sentence's end
   * @param made whether this host made the witness; otherwise it came in
   * @param witness a packet that shows it, with its way
   */
  record Broken(Property property, Family family, String what, boolean made, Trace witness)
      implements Verdict {}

  /** Neither a proof nor a witness; that is no "safe". */
  record Unknown(Property property, String why) implements Verdict {}
}
