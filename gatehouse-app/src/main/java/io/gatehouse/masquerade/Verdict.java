package io.gatehouse.masquerade;

import io.gatehouse.model.Address;
import java.util.List;

/** What becomes of one packet. */
public sealed interface Verdict {
  /** Not for the masquerade to decide: conntrack and the rules have it. */
  record NotOurs() implements Verdict {}

  /** From inside: let it go, source port and SPI untouched. */
  record Forward() implements Verdict {}

  /** From outside: to this host. */
  record To(Address host) implements Verdict {}

  /**
   * From outside, undecided: a copy to each of these, of which all but one discard it (RFC 4301,
   * 5.2: an unknown SPI).
   */
  record Copies(List<Address> hosts) implements Verdict {
    public Copies {
      hosts = List.copyOf(hosts);
    }
  }

  /** From outside, for an SA of this machine itself. */
  record Own() implements Verdict {}

  /**
   * From inside: keep it and ask again, at that time or when something was bound.
   *
   * <p>Where it cannot be kept, the engine has to be told that it goes on.
   *
   * @param until milliseconds of the engine's clock
   */
  record Hold(long until) implements Verdict {}

  /** Throw it away. */
  record Drop(Reason reason) implements Verdict {}
}
