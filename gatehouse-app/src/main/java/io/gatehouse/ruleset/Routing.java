package io.gatehouse.ruleset;

import io.gatehouse.model.Address;
import io.gatehouse.model.Family;
import io.gatehouse.model.Origin;
import io.gatehouse.model.Prefix;
import java.util.Optional;

/**
 * Elements of the kernel's routing that a ruleset brings; all carry our protocol number where the
 * kernel can hold one.
 */
public sealed interface Routing {
  Origin origin();

  /** An ip rule: which packets look into which table. */
  record Policy(
      Family family,
      int priority,
      Optional<Prefix> from,
      Optional<Prefix> to,
      Optional<Mark> mark,
      int table,
      Origin origin)
      implements Routing {}

  /** A packet mark under a mask. */
  record Mark(long value, long mask) {}

  /**
   * A route.
   *
   * @param table 254 is main
   * @param metric lower wins; nothing leaves the kernel's default
   */
  record Route(Prefix destination, int table, Kind kind, Optional<Long> metric, Origin origin)
      implements Routing {}

  /** What a route does. */
  sealed interface Kind {
    /** Out of a device, perhaps to a router there. */
    record Via(Optional<Address> nextHop, String device, Optional<Address> source)
        implements Kind {}

    /** Refuses with an ICMP error: nothing falls through to another table. */
    record Unreachable() implements Kind {}
  }

  /** This host answers for an address on a link: proxy ARP or proxy NDP. */
  record ProxyNeighbour(Address address, String device, Origin origin) implements Routing {}
}
