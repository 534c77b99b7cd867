package io.gatehouse.simulator;

/**
 * How peers replace a pair of SAs. Whether a responder sends under the new one at once, or with the
 * deletion of the old one, is even odds.
 *
 * @param deletes milliseconds from the exchange to the deletion of the old pair, by who asked
 */
public record Manners(long deletes) {
  /** Frozen on 21 November 2026, before the first comparison. */
  public static final Manners FROZEN = new Manners(0);

  /** As libreswan was measured: docs/masquerade.md. */
  public static final Manners LATE = new Manners(1000);
}
