package io.gatehouse.vici;

import io.gatehouse.model.Prefix;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * A pair of ESP SAs.
 *
 * @param name in the IKE daemon's configuration
 * @param id unique while the daemon runs
 * @param transport whether it is in transport mode
 * @param installed whether its SAs stand in the kernel now: not while it is made or goes away
 * @param spiIn of what comes
 * @param markIn the mark of its policies for what comes
 * @param markOut the mark of its policies for what goes
 * @param local our traffic selectors; one that is no prefix as the prefixes around it
 * @param remote the other end's, likewise
 * @param rekeyIn when it is renewed
 * @param bytesIn that came, as far as the telling knows
 * @param bytesOut that went
 */
public record ChildSa(
    String name,
    long id,
    long reqid,
    boolean transport,
    boolean installed,
    long spiIn,
    long spiOut,
    Optional<Mark> markIn,
    Optional<Mark> markOut,
    List<Prefix> local,
    List<Prefix> remote,
    Optional<Duration> rekeyIn,
    long bytesIn,
    long bytesOut) {

  /** A value under a mask. */
  public record Mark(long value, long mask) {}

  public ChildSa {
    local = List.copyOf(local);
    remote = List.copyOf(remote);
  }
}
