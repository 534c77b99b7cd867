package io.gatehouse.path;

/**
 * Something that the packet as it arrives does not decide. A proof holds for both of its outcomes;
 * a set that depends on one that is not understood has an upper and a lower bound.
 *
 * @param text what it is, as it was printed where somebody printed it
 * @param place the rule or the point of the path
 */
public record Unknown(Kind kind, String text, String place) {

  /** Why it is open. */
  public enum Kind {
    /** We do not know what it means: whatever rests on it is unknown. */
    NOT_UNDERSTOOD,
    /** Rates, clocks, other packets: any outcome happens sooner or later. */
    ENVIRONMENT,
    /** What a live map holds at that moment, within its contract. */
    LIVE_MAP,
    /** Whether a tunnel's policy and SA stand. */
    SPD
  }
}
