package io.gatehouse.path;

import io.gatehouse.bdd.Bdd;
import io.gatehouse.model.Family;
import io.gatehouse.path.HeaderSpace.Connection;
import io.gatehouse.path.Names.Meaning;
import io.gatehouse.path.Reading.Content;
import io.gatehouse.path.Unknown.Kind;
import io.gatehouse.ruleset.Expression;
import io.gatehouse.ruleset.Expression.Direction;
import java.util.Optional;

/** What `ct` reads of the packet's connection. */
final class ConnectionSelector {
  private final HeaderSpace space;
  private final Bdd bdd;
  private final Family family;

  ConnectionSelector(HeaderSpace space) {
    this.space = space;
    bdd = space.bdd();
    family = space.family();
  }

  Reading read(Expression.Ct ct, Point at) {
    State state = at.state();
    int tracked = state.tracked;
    String key = ct.key();
    return switch (key) {
      case "state" -> connectionState(at);
      case "direction" ->
          new Content(entry(tracked), Field.of(new int[] {space.reply[0]}), Meaning.DIRECTION);
      case "mark" -> new Content(entry(tracked), state.connectionMark, Meaning.NUMBER);
      case "zone" -> new Content(entry(tracked), state.zone, Meaning.NUMBER);
      case "status" -> status(at);
      default -> tuple(at, key, ct.direction().equals(Optional.of(Direction.ORIGINAL)));
    };
  }

  private Reading connectionState(Point at) {
    State state = at.state();
    // nft_ct_get_eval: without an entry the packet is untracked or invalid.
    Field field = Field.constant(8, 1);
    field = field.assign(bdd, state.untracked, Field.constantBits(8, 0, 64));
    field = assign(field, bdd.and(state.tracked, space.is(Connection.NEW)), 8);
    field = assign(field, bdd.and(state.tracked, space.is(Connection.ESTABLISHED)), 2);
    field = assign(field, bdd.and(state.tracked, space.is(Connection.RELATED)), 4);
    return Content.always(field, Meaning.CONNECTION_STATE);
  }

  private Reading tuple(Point at, String key, boolean original) {
    State state = at.state();
    int tracked = state.tracked;
    String field =
        key.startsWith("ip6 ") ? key.substring(4) : key.startsWith("ip ") ? key.substring(3) : key;
    if ((key.startsWith("ip ") && family != Family.V4)
        || (key.startsWith("ip6 ") && family != Family.V6)) {
      return Content.never(space.addresses().width(), Meaning.ADDRESS);
    }
    if (!original) {
      return field.equals("protocol")
          ? new Content(entry(tracked), Field.of(space.protocol), Meaning.PROTOCOL)
          : Reading.notUnderstood("ct " + key);
    }
    // The tuple of the first packet as conntrack saw it. That of a packet in the same direction is
    // its own; of a reply, or of something related, we know only that it is some tuple.
    int same = bdd.difference(entry(tracked), bdd.or(space.reply[0], space.is(Connection.RELATED)));
    return switch (field) {
      case "saddr" -> originalTuple(tracked, same, state.trackedSource, field, Meaning.ADDRESS);
      case "daddr" ->
          originalTuple(tracked, same, state.trackedDestination, field, Meaning.ADDRESS);
      case "proto-src" ->
          originalTuple(tracked, same, state.trackedSourcePort, field, Meaning.PORT);
      case "proto-dst" ->
          originalTuple(tracked, same, state.trackedDestinationPort, field, Meaning.PORT);
      case "protocol" -> new Content(entry(tracked), Field.of(space.protocol), Meaning.PROTOCOL);
      default -> Reading.notUnderstood("ct original " + key);
    };
  }

  private Content originalTuple(int tracked, int same, Field arrived, String name, Meaning type) {
    int[] other = space.property("the connection's original " + name, arrived.width());
    return new Content(entry(tracked), Field.of(other).assign(bdd, same, arrived), type);
  }

  private Field assign(Field field, int where, long value) {
    return field.assign(bdd, where, Field.constantBits(field.width(), 0, value));
  }

  /** Where there is a conntrack entry to read from. */
  private int entry(int tracked) {
    return bdd.difference(tracked, space.is(Connection.INVALID));
  }

  private Reading status(Point at) {
    State state = at.state();
    // The bits that rules ask for; the others are open.
    Unknown open = at.unknown(Kind.ENVIRONMENT, "ct status");
    int[] bits = space.open(10, open);
    int first = space.is(Connection.NEW);
    int standing = bdd.not(first);
    // Bits 4 and 5 from the low end: SNAT and DNAT. A standing connection's are those that it was
    // given.
    bits[9 - 4] =
        bdd.ifThenElse(
            standing,
            space.property("the connection is source-translated", 1)[0],
            state.sourceChanged);
    bits[9 - 5] =
        bdd.ifThenElse(
            standing,
            space.property("the connection is destination-translated", 1)[0],
            state.destinationChanged);
    return new Content(entry(state.tracked), Field.of(bits), Meaning.CONNECTION_STATUS);
  }
}
