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
 * @param lastWords what that was, for people
 * @param events that the IKE daemon told
 * @param elements of live maps that stand
 * @param presences clients that this host answers for in a LAN
 * @param corrections elements that were found to be other than they should, and were changed
 * @param troubles what is not as it should be, in words
 * @param tunnels the names of the description's tunnels, in its order
 */
record Report(
    int generation,
    Instant since,
    Optional<String> unreachable,
    Optional<Instant> lastEvent,
    Optional<String> lastWords,
    long events,
    int elements,
    int presences,
    long corrections,
    List<String> troubles,
    List<String> tunnels,
    List<Tunnels.Session> sessions) {
  Report {
    troubles = List.copyOf(troubles);
    tunnels = List.copyOf(tunnels);
    sessions = List.copyOf(sessions);
  }
}
