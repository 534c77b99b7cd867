package io.gatehouse.pptp;

import io.gatehouse.packet.Bytes;

/** What becomes of a segment. */
public sealed interface Ruling {
  /**
   * It goes on with these data. They may be fewer than it came with: what the sender hears no
   * acknowledgement of, it sends again.
   */
  record Pass(Bytes data) implements Ruling {}

  record Drop(Reason why) implements Ruling {}

  /** Why a segment or a call was refused. */
  enum Reason {
    /** No message of PPTP begins where one has to, or where this was first seen. */
    NOT_PPTP("no message of PPTP where one has to begin"),
    /** A segment before it is missing; TCP sends both again. */
    GAP("a segment before it has not come"),
    /** The host has as many control connections as it may. */
    CONNECTIONS("the host has as many control connections as it may"),
    /** The host answers a call that the remote has not asked for, or with another's Call ID. */
    UNASKED("an answer to a call that nobody asked for"),
    /** The host has as many calls as it may, or no Call ID is left. */
    CALLS("the host has as many calls as it may");

    private final String words;

    Reason(String words) {
      this.words = words;
    }

    /** For people. */
    public String words() {
      return words;
    }
  }
}
