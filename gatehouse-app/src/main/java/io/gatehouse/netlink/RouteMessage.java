package io.gatehouse.netlink;

import io.gatehouse.model.Address;
import io.gatehouse.model.Family;
import io.gatehouse.model.Prefix;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;

/**
 * What rtnetlink tells of links, addresses, neighbours, routes and rules, as far as we read it. In
 * an event, {@code gone} says that it went.
 */
public sealed interface RouteMessage
    permits RouteMessage.Link,
        RouteMessage.OfLink,
        RouteMessage.Neighbour,
        RouteMessage.Route,
        RouteMessage.Rule,
        Unknown,
        Unreadable {

  /**
   * A device.
   *
   * @param up whether it is up and has a carrier (IFF_UP and IFF_RUNNING)
   * @param mtu in bytes
   */
  record Link(int index, String name, boolean up, OptionalInt mtu, boolean gone)
      implements RouteMessage {}

  /**
   * An address of a device.
   *
   * @param length of the prefix that is on the link, in bits
   */
  record OfLink(int index, Address address, int length, boolean gone) implements RouteMessage {}

  /**
   * A neighbour, or an address for which this host answers on a link.
   *
   * @param proxy whether it is the latter (NTF_PROXY)
   * @param protocol who made it (RTPROT_…), 0 where the kernel does not say
   */
  record Neighbour(int index, Address address, boolean proxy, int protocol, boolean gone)
      implements RouteMessage {}

  /**
   * A route.
   *
   * @param table 254 is main
   * @param kind RTN_…: 1 unicast, 2 local, 6 blackhole, 7 unreachable, 8 prohibit
   * @param protocol who made it (RTPROT_…)
   * @param hops where to; several on a multipath route, none where it refuses
   */
  record Route(
      Prefix destination,
      Prefix source,
      int table,
      int kind,
      int protocol,
      OptionalLong metric,
      List<Hop> hops,
      boolean gone)
      implements RouteMessage {
    public Route {
      hops = List.copyOf(hops);
    }
  }

  /** A device, and perhaps a router there. */
  record Hop(OptionalInt device, Optional<Address> via) {}

  /**
   * An ip rule.
   *
   * @param from nothing where every source matches
   * @param action FR_ACT_…: 1 looks into the table
   * @param inverted whether it takes what does not match
   */
  record Rule(
      Family family,
      long priority,
      Optional<Prefix> from,
      Optional<Prefix> to,
      OptionalLong mark,
      OptionalLong markMask,
      Optional<String> inDevice,
      Optional<String> outDevice,
      int table,
      int action,
      boolean inverted,
      int protocol,
      boolean gone)
      implements RouteMessage {}
}
