package io.gatehouse.daemon;

import java.time.Instant;
import java.util.List;
import java.util.Optional;

/**
 * How things are with the daemon.
 *
 * @param generation of the journal; 0 where nothing of ours is to stand
 * @param since when it began
 * @param unreachable why there is no connection to the IKE daemon; nothing where there is one
 * @param lastEvent when the IKE daemon told something for the last time
 * @param elements of live maps that stand
 * @param corrections elements that were found to be other than they should, and were changed
 * @param troubles what is not as it should be, in words
 */
record Report(
    int generation,
    Instant since,
    Optional<String> unreachable,
    Optional<Instant> lastEvent,
    int elements,
    long corrections,
    List<String> troubles,
    List<Tunnels.Session> sessions) {
  Report {
    troubles = List.copyOf(troubles);
    sessions = List.copyOf(sessions);
  }
}
