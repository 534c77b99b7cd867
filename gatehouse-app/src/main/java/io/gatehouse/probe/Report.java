package io.gatehouse.probe;

import io.gatehouse.model.Address;
import java.util.List;
import java.util.Optional;

/**
 * What a probe found.
 *
 * @param way routers before the host, as far as they say who they are
 * @param pings whether the host answers a ping, and so the way is known to its end
 */
public record Report(Address host, List<Hop> way, boolean pings, List<Result> results) {
  public Report {
    way = List.copyOf(way);
    results = List.copyOf(results);
  }

  /** A router, from 1 on; nothing where it is silent. */
  public record Hop(int number, Optional<Address> who) {}

  /** What became of a question. */
  public enum Verdict {
    /** The host answers in the protocol's own words. */
    ANSWERS,
    /** It reaches somebody who refuses it. */
    REFUSED,
    /** It ends before a router that other packets reach. */
    ENDS,
    /** It passes each router that answers, and the host is silent. */
    PASSES,
    /** Nothing comes back. */
    SILENT
  }

  /**
   * About one protocol.
   *
   * @param where who refuses it, or the first router that it does not reach
   */
  public record Result(Question question, Verdict verdict, Optional<Address> where, String text) {}

  /** Whether something is known to be blocked. */
  public boolean hasBlocks() {
    return results.stream()
        .anyMatch(r -> r.verdict() == Verdict.ENDS || r.verdict() == Verdict.REFUSED);
  }
}
