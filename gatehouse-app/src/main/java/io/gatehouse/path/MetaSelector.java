package io.gatehouse.path;

import static io.gatehouse.bdd.Bdd.FALSE;
import static io.gatehouse.bdd.Bdd.TRUE;

import io.gatehouse.bdd.Bdd;
import io.gatehouse.model.Family;
import io.gatehouse.path.Names.Meaning;
import io.gatehouse.path.Reading.Content;
import io.gatehouse.path.Unknown.Kind;
import io.gatehouse.ruleset.Expression;

/** What `meta` reads. */
final class MetaSelector {
  private final HeaderSpace space;
  private final Bdd bdd;

  MetaSelector(HeaderSpace space) {
    this.space = space;
    bdd = space.bdd();
  }

  Reading read(Expression.Meta.Key key, Point at) {
    State state = at.state();
    return switch (key) {
      case IIFNAME, IIF ->
          // Locally made packets have no device that they came by: the names read as empty, and no
          // rule's name is.
          state.locallyMade
              ? Content.always(
                  Field.constant(space.iif.length + 1, 1L << space.iif.length), Meaning.DEVICE)
              : Content.always(Field.of(space.iif).resized(space.iif.length + 1), Meaning.DEVICE);
      case OIFNAME, OIF ->
          // Before the route is known, and towards this host, the name is empty.
          Content.always(
              Field.constant(space.iif.length + 1, 1L << space.iif.length)
                  .assign(bdd, at.leaves() ? state.routed : FALSE, state.hookOif),
              Meaning.DEVICE);
      case L4PROTO -> Content.always(Field.of(space.protocol), Meaning.PROTOCOL);
      case NFPROTO -> {
        long number = space.family() == Family.V4 ? 2 : 10;
        yield Content.always(Field.constant(8, number), Meaning.NETFILTER_PROTOCOL);
      }
      case PROTOCOL ->
          Content.always(
              Field.constant(16, space.family() == Family.V4 ? 0x0800 : 0x86dd),
              Meaning.ETHER_TYPE);
      case MARK -> Content.always(state.mark, Meaning.NUMBER);
      case IPSEC ->
          Content.always(Field.of(new int[] {bdd.not(space.inClear())}), Meaning.PRESENCE);
      case LENGTH -> Content.property(space, state, "meta length", 32, TRUE);
      // The link layer's and the socket's: whoever sends the packet chooses.
      case PKTTYPE ->
          Content.always(Field.of(space.property("meta pkttype", 8)), Meaning.PACKET_TYPE);
      case IIFTYPE -> Content.always(Field.of(space.property("meta iiftype", 16)), Meaning.NUMBER);
      case SKUID ->
          Content.property(space, state, "meta skuid", 32, state.locallyMade ? TRUE : FALSE);
      case TIME, CPU ->
          Content.always(
              Field.of(space.open(64, at.unknown(Kind.ENVIRONMENT, "meta " + key))),
              Meaning.NUMBER);
    };
  }
}
