package io.gatehouse.netlink;

import io.gatehouse.model.Address;
import java.util.Optional;

/** Conntrack's messages (linux/netfilter/nfnetlink_conntrack.h), as far as we need them. */
final class ConntrackCodec {
  private static final int SUBSYSTEM = 1;
  private static final int NEW = SUBSYSTEM << 8;
  private static final int GET = SUBSYSTEM << 8 | 1;
  private static final int DELETE = SUBSYSTEM << 8 | 2;

  // CTA_…
  private static final int ORIGINAL = 1;
  private static final int REPLY = 2;
  private static final int ID = 12;
  private static final int ZONE = 18;

  // CTA_TUPLE_IP; CTA_IP_V4_SRC and so on
  private static final int ADDRESSES = 1;
  private static final int V4_SOURCE = 1;
  private static final int V4_DESTINATION = 2;
  private static final int V6_SOURCE = 3;
  private static final int V6_DESTINATION = 4;

  /** struct nfgenmsg: family, version, resource. */
  private static final int HEADER = 4;

  private ConntrackCodec() {}

  /** Asks for all, both families. */
  static Bytes list(long sequence) {
    return new Message()
        .message(GET, Wire.REQUEST | Wire.DUMP, sequence, m -> m.u8(Wire.ANY).u8(0).u16be(0))
        .done();
  }

  /** Ends one. */
  static Bytes delete(Connection connection, long sequence) {
    return new Message()
        .message(
            DELETE,
            Wire.REQUEST | Wire.ACKNOWLEDGE,
            sequence,
            m -> {
              m.u8(connection.family()).u8(0).u16be(0);
              m.nested(ORIGINAL, tuple -> tuple.bytes(connection.tuple()));
              connection.zone().ifPresent(zone -> m.attribute(ZONE, zone));
              connection.id().ifPresent(id -> m.attribute(ID, id));
            })
        .done();
  }

  /** A connection; nothing where it is something else, or is not whole. */
  static Optional<Connection> read(Frame.Content frame) {
    Bytes body = frame.body();
    if (frame.type() != NEW || body.length() < HEADER) {
      return Optional.empty();
    }
    Attributes attributes = Attributes.of(body.from(HEADER));
    Optional<Bytes> tuple = attributes.find(ORIGINAL);
    Optional<Ends> first = tuple.flatMap(ConntrackCodec::ends);
    Optional<Ends> answer = attributes.find(REPLY).flatMap(ConntrackCodec::ends);
    return attributes.fault().isPresent() || first.isEmpty() || answer.isEmpty()
        ? Optional.empty()
        : Optional.of(
            new Connection(
                body.u8(0),
                first.get().source(),
                first.get().destination(),
                answer.get().source(),
                answer.get().destination(),
                tuple.get(),
                attributes.find(ZONE),
                attributes.find(ID)));
  }

  /** Where a packet comes from and goes to. */
  private record Ends(Address source, Address destination) {}

  private static Optional<Ends> ends(Bytes tuple) {
    return Attributes.of(tuple)
        .find(ADDRESSES)
        .map(Attributes::of)
        .flatMap(addresses ->
            either(addresses, V4_SOURCE, V6_SOURCE)
                .flatMap(source ->
                    either(addresses, V4_DESTINATION, V6_DESTINATION)
                        .map(destination -> new Ends(source, destination))));
  }

  private static Optional<Address> either(Attributes addresses, int v4, int v6) {
    return addresses.find(v4).or(() -> addresses.find(v6)).flatMap(Addresses::of);
  }
}
