package io.gatehouse.netlink;

import io.gatehouse.model.Address;
import io.gatehouse.model.Family;
import io.gatehouse.model.Prefix;
import io.gatehouse.netlink.RouteMessage.Hop;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;

/** rtnetlink's messages (linux/rtnetlink.h, if_link.h, if_addr.h, neighbour.h, fib_rules.h). */
public final class RouteCodec {
  /** Multicast groups: links, neighbours, addresses and routes of both families. */
  public static final int GROUP_LINK = 1;

  public static final int GROUP_NEIGHBOUR = 3;
  public static final int GROUP_ADDRESS_V4 = 5;
  public static final int GROUP_ROUTE_V4 = 7;
  public static final int GROUP_ADDRESS_V6 = 9;
  public static final int GROUP_ROUTE_V6 = 11;

  private static final int NEW_LINK = 16;
  private static final int DELETE_LINK = 17;
  private static final int NEW_ADDRESS = 20;
  private static final int DELETE_ADDRESS = 21;
  private static final int NEW_ROUTE = 24;
  private static final int DELETE_ROUTE = 25;
  private static final int NEW_NEIGHBOUR = 28;
  private static final int DELETE_NEIGHBOUR = 29;
  private static final int NEW_RULE = 32;
  private static final int DELETE_RULE = 33;

  /** What can be listed; the number is RTM_GET… */
  public enum Kind {
    LINKS(18, 16),
    ADDRESSES(22, 8),
    ROUTES(26, 12),
    NEIGHBOURS(30, 12),
    RULES(34, 12);

    private final int type;
    private final int header;

    Kind(int type, int header) {
      this.type = type;
      this.header = header;
    }
  }

  // struct ifinfomsg; IFLA_…, IFF_…
  private static final int LINK_HEADER = 16;
  private static final int LINK_NAME = 3;
  private static final int LINK_MTU = 4;
  private static final long UP_AND_RUNNING = 0x1 | 0x40;

  // struct ifaddrmsg; IFA_…
  private static final int ADDRESS_HEADER = 8;
  private static final int ADDRESS = 1;
  private static final int LOCAL = 2;

  // struct ndmsg; NDA_…, NTF_PROXY, NUD_PERMANENT
  private static final int NEIGHBOUR_HEADER = 12;
  private static final int NEIGHBOUR_ADDRESS = 1;
  private static final int NEIGHBOUR_PROTOCOL = 12;
  private static final int PROXY = 0x08;
  private static final int PERMANENT = 0x80;

  // struct rtmsg; RTA_…
  private static final int ROUTE_HEADER = 12;
  private static final int ROUTE_DESTINATION = 1;
  private static final int ROUTE_SOURCE = 2;
  private static final int ROUTE_DEVICE = 4;
  private static final int ROUTE_GATEWAY = 5;
  private static final int ROUTE_METRIC = 6;
  private static final int ROUTE_MULTIPATH = 9;
  private static final int ROUTE_TABLE = 15;
  private static final int ROUTE_VIA = 18;

  // struct rtnexthop: length, flags, hops, device.
  private static final int HOP_HEADER = 8;

  // struct fib_rule_hdr; FRA_…, FIB_RULE_INVERT
  private static final int RULE_HEADER = 12;
  private static final int RULE_TO = 1;
  private static final int RULE_FROM = 2;
  private static final int RULE_IN = 3;
  private static final int RULE_PRIORITY = 6;
  private static final int RULE_MARK = 10;
  private static final int RULE_TABLE = 15;
  private static final int RULE_MASK = 16;
  private static final int RULE_OUT = 17;
  private static final int RULE_PROTOCOL = 21;
  private static final int INVERTED = 0x2;

  private RouteCodec() {}

  /** Asks for all of a kind, both families. */
  public static Bytes list(Kind kind, long sequence) {
    return new Message()
        .message(kind.type, Wire.REQUEST | Wire.DUMP, sequence, m -> m.zeros(kind.header))
        .done();
  }

  /** Asks for the addresses of one family for which this host answers. */
  public static Bytes listProxies(Family family, long sequence) {
    return new Message()
        .message(
            Kind.NEIGHBOURS.type,
            Wire.REQUEST | Wire.DUMP,
            sequence,
            m -> m.u8(number(family)).zeros(9).u8(PROXY).u8(0))
        .done();
  }

  /**
   * This host begins or ceases to answer for an address on a link.
   *
   * @param device its index
   * @param protocol who makes it (RTPROT_…)
   * @param answers false takes it away
   */
  public static Bytes proxy(
      Address address, int device, int protocol, boolean answers, long sequence) {
    int flags = Wire.REQUEST | Wire.ACKNOWLEDGE | (answers ? Wire.CREATE | Wire.REPLACE : 0);
    return new Message()
        .message(
            answers ? NEW_NEIGHBOUR : DELETE_NEIGHBOUR,
            flags,
            sequence,
            m -> {
              m.u8(number(address.family()))
                  .u8(0)
                  .u16(0)
                  .u32(device)
                  .u16(PERMANENT)
                  .u8(PROXY)
                  .u8(0);
              m.attribute(NEIGHBOUR_ADDRESS, Bytes.of(address.bytes()));
              m.attribute(NEIGHBOUR_PROTOCOL, Bytes.of((byte) protocol));
            })
        .done();
  }

  private static int number(Family family) {
    return family == Family.V4 ? Wire.INET : Wire.INET6;
  }

  /** Reads a message of rtnetlink. */
  public static RouteMessage read(Frame.Content frame) {
    Bytes body = frame.body();
    return switch (frame.type()) {
      case NEW_LINK, DELETE_LINK -> link(body, frame.type() == DELETE_LINK);
      case NEW_ADDRESS, DELETE_ADDRESS -> address(body, frame.type() == DELETE_ADDRESS);
      case NEW_NEIGHBOUR, DELETE_NEIGHBOUR -> neighbour(body, frame.type() == DELETE_NEIGHBOUR);
      case NEW_ROUTE, DELETE_ROUTE -> route(body, frame.type() == DELETE_ROUTE);
      case NEW_RULE, DELETE_RULE -> rule(body, frame.type() == DELETE_RULE);
      default -> new Unknown(frame.type(), body.position());
    };
  }

  /** Reads what stands behind a header. */
  private interface Reader {
    RouteMessage read(Attributes attributes);
  }

  private static RouteMessage behind(Bytes body, int header, Reader reader) {
    if (body.length() < header) {
      return new Unreadable(body.position(), "rtnetlink's header is cut off");
    }
    Attributes attributes = Attributes.of(body.from(header));
    return attributes.fault().isPresent() ? attributes.fault().get() : reader.read(attributes);
  }

  private static RouteMessage link(Bytes body, boolean gone) {
    return behind(
        body,
        LINK_HEADER,
        attributes ->
            attributes
                .find(LINK_NAME)
                .<RouteMessage>map(name ->
                    new RouteMessage.Link(
                        (int) body.u32(4),
                        name.text(),
                        (body.u32(8) & UP_AND_RUNNING) == UP_AND_RUNNING,
                        number(attributes, LINK_MTU),
                        gone))
                .orElseGet(() -> new Unreadable(body.position(), "a link without name")));
  }

  private static RouteMessage address(Bytes body, boolean gone) {
    return behind(
        body,
        ADDRESS_HEADER,
        attributes ->
            // On a point-to-point link, ADDRESS is the other end and LOCAL ours.
            attributes
                .find(LOCAL)
                .or(() -> attributes.find(ADDRESS))
                .flatMap(Addresses::of)
                .<RouteMessage>map(address ->
                    new RouteMessage.OfLink((int) body.u32(4), address, body.u8(1), gone))
                .orElseGet(() -> new Unreadable(body.position(), "an address of no known family")));
  }

  private static RouteMessage neighbour(Bytes body, boolean gone) {
    return behind(
        body,
        NEIGHBOUR_HEADER,
        attributes -> {
          if (body.u8(0) != Wire.INET && body.u8(0) != Wire.INET6) {
            return new Unknown(
                gone ? DELETE_NEIGHBOUR : NEW_NEIGHBOUR, body.position()); // a bridge's
          }
          return attributes
              .find(NEIGHBOUR_ADDRESS)
              .flatMap(Addresses::of)
              .<RouteMessage>map(address ->
                  new RouteMessage.Neighbour(
                      (int) body.u32(4),
                      address,
                      (body.u8(10) & PROXY) != 0,
                      attributes.find(NEIGHBOUR_PROTOCOL, 1).map(p -> p.u8(0)).orElse(0),
                      gone))
              .orElseGet(() -> new Unreadable(body.position(), "a neighbour without address"));
        });
  }

  private static RouteMessage route(Bytes body, boolean gone) {
    return behind(
        body,
        ROUTE_HEADER,
        attributes -> {
          int family = body.u8(0);
          if (family != Wire.INET && family != Wire.INET6) {
            return new Unknown(
                gone ? DELETE_ROUTE : NEW_ROUTE, body.position()); // a multicast route
          }
          Optional<Prefix> destination =
              Addresses.prefix(attributes.find(ROUTE_DESTINATION), family, body.u8(1));
          Optional<Prefix> source =
              Addresses.prefix(attributes.find(ROUTE_SOURCE), family, body.u8(2));
          if (destination.isEmpty() || source.isEmpty()) {
            return new Unreadable(body.position(), "a route to no prefix");
          }
          List<Hop> hops = new ArrayList<>();
          OptionalInt device = number(attributes, ROUTE_DEVICE);
          Optional<Address> via = via(attributes);
          if (device.isPresent() || via.isPresent()) {
            hops.add(new Hop(device, via));
          }
          Optional<Unreadable> fault =
              attributes.find(ROUTE_MULTIPATH).flatMap(several -> hops(several, hops));
          return fault.isPresent()
              ? fault.get()
              : new RouteMessage.Route(
                  destination.get(),
                  source.get(),
                  number(attributes, ROUTE_TABLE).orElse(body.u8(4)),
                  body.u8(7),
                  body.u8(5),
                  wide(attributes, ROUTE_METRIC),
                  hops,
                  gone);
        });
  }

  /** An address of the route's family, or of another one with its family in front. */
  private static Optional<Address> via(Attributes attributes) {
    return attributes
        .find(ROUTE_GATEWAY)
        .flatMap(Addresses::of)
        .or(() -> attributes.find(ROUTE_VIA, 6).map(v -> v.from(2)).flatMap(Addresses::of));
  }

  private static Optional<Unreadable> hops(Bytes several, List<Hop> hops) {
    int at = 0;
    while (at < several.length()) {
      Bytes rest = several.from(at);
      int length = rest.length() < HOP_HEADER ? 0 : rest.u16(0);
      if (length < HOP_HEADER || length > rest.length()) {
        return Optional.of(new Unreadable(rest.position(), "a next hop is cut off"));
      }
      Attributes attributes = Attributes.of(rest.part(HOP_HEADER, length - HOP_HEADER));
      if (attributes.fault().isPresent()) {
        return attributes.fault();
      }
      hops.add(new Hop(OptionalInt.of((int) rest.u32(4)), via(attributes)));
      at += Wire.aligned(length);
    }
    return Optional.empty();
  }

  private static RouteMessage rule(Bytes body, boolean gone) {
    return behind(
        body,
        RULE_HEADER,
        attributes -> {
          int family = body.u8(0);
          if (family != Wire.INET && family != Wire.INET6) {
            return new Unknown(gone ? DELETE_RULE : NEW_RULE, body.position());
          }
          return new RouteMessage.Rule(
              family == Wire.INET ? Family.V4 : Family.V6,
              wide(attributes, RULE_PRIORITY).orElse(0),
              Addresses.prefix(attributes.find(RULE_FROM).flatMap(Addresses::of), body.u8(2)),
              Addresses.prefix(attributes.find(RULE_TO).flatMap(Addresses::of), body.u8(1)),
              wide(attributes, RULE_MARK),
              wide(attributes, RULE_MASK),
              attributes.find(RULE_IN).map(Bytes::text),
              attributes.find(RULE_OUT).map(Bytes::text),
              number(attributes, RULE_TABLE).orElse(body.u8(4)),
              body.u8(7),
              (body.u32(8) & INVERTED) != 0,
              attributes.find(RULE_PROTOCOL, 1).map(p -> p.u8(0)).orElse(0),
              gone);
        });
  }

  private static OptionalInt number(Attributes attributes, int type) {
    return attributes
        .find(type, 4)
        .map(value -> OptionalInt.of((int) value.u32(0)))
        .orElse(OptionalInt.empty());
  }

  private static OptionalLong wide(Attributes attributes, int type) {
    return attributes
        .find(type, 4)
        .map(value -> OptionalLong.of(value.u32(0)))
        .orElse(OptionalLong.empty());
  }
}
