package io.gatehouse.path;

import static io.gatehouse.bdd.Bdd.FALSE;

import io.gatehouse.bdd.Bdd;
import io.gatehouse.model.Prefix;
import io.gatehouse.path.HeaderSpace.Connection;
import io.gatehouse.ruleset.Chain.Hook;
import java.util.Locale;

/** The kernel's network address translation at a hook. */
final class Translation {
  private final HeaderSpace space;
  private final Bdd bdd;
  private final Mentions mentions;
  private final BaseChains chains;
  private final Ipsec ipsec;
  private final LocalRouting localRouting;

  Translation(
      HeaderSpace space,
      Mentions mentions,
      BaseChains chains,
      Ipsec ipsec,
      LocalRouting localRouting) {
    this.space = space;
    this.mentions = mentions;
    this.chains = chains;
    this.ipsec = ipsec;
    this.localRouting = localRouting;
    bdd = space.bdd();
  }

  /**
   * The kernel's NAT function at a hook. It walks the nat chains for the first packet of a
   * connection, whatever their own priorities say: those only order them among themselves
   * (nf_nat_inet_fn).
   */
  int at(Hook hook, State state, int packets, Journey journey) {
    boolean source = hook == Hook.POSTROUTING || hook == Hook.INPUT;
    int sourceBefore = state.sourceChanged;
    Field destination = state.destination;
    Field destinationPort = state.destinationPort;
    int alive = packets;
    int first = bdd.and(state.tracked, space.is(Connection.NEW));
    for (BaseChains.Place place : chains.at(hook, /* nat= */ true)) {
      int bound = source ? state.sourceBound : state.destinationBound;
      int concerned = bdd.difference(bdd.and(alive, first), bound);
      if (concerned != FALSE) {
        int accepted = chains.walk(place, state, concerned, journey);
        alive = bdd.or(bdd.difference(alive, concerned), accepted);
      }
    }
    int standing =
        bdd.and(
            bdd.and(alive, state.tracked),
            bdd.or(space.is(Connection.ESTABLISHED), space.is(Connection.RELATED)));
    keepMapping(hook, state, standing);
    if (hook == Hook.POSTROUTING) {
      int moved = bdd.difference(state.sourceChanged, sourceBefore);
      // nf_nat_ipv4_out: after a change of source the policies are asked again (nf_xfrm_me_harder).
      int again = bdd.and(alive, moved);
      return again == FALSE ? alive : ipsec.secureAfterNat(state, alive, again, journey);
    }
    if (hook == Hook.OUTPUT) {
      int moved = space.addressesDiffer(destination, state.destination, "output");
      int differs = bdd.or(moved, space.differs(destinationPort, state.destinationPort, "output"));
      int ports = bdd.difference(differs, moved);
      return localRouting.again(state, alive, bdd.and(alive, differs), ports, journey);
    }
    return alive;
  }

  /**
   * What NAT does to packets of a connection that stands: what it did to the first one, and its
   * inverse to the answers. Which mapping that was is open: any that gives an address which some
   * rule gives. That is more than the rules could have made, and so hides no leak; connections that
   * are older than the rules are not looked at.
   */
  private void keepMapping(Hook hook, State state, int standing) {
    if (standing == FALSE) {
      return;
    }
    boolean source = hook == Hook.POSTROUTING || hook == Hook.INPUT;
    Field address = source ? state.source : state.destination;
    // The way that the rules look: sources are given on the way out, destinations on the way in.
    IntervalSet given = source ? mentions.sourceTargets() : mentions.destinationTargets();
    IntervalSet taken = source ? mentions.destinationTargets() : mentions.sourceTargets();
    Unknown unknown =
        new Unknown(
            Unknown.Kind.ENVIRONMENT, PacketPath.MAPPING, hook.name().toLowerCase(Locale.ROOT));
    int[] other = space.open(space.addresses().width(), unknown);
    int[] port = space.open(16, unknown);
    int forth =
        bdd.difference(Field.member(bdd, other, space.addresses().of(given)), space.reply[0]);
    int back = bdd.and(address.in(bdd, space.addresses().of(taken)), space.reply[0]);
    int mapped = bdd.and(bdd.and(standing, space.open(unknown)), bdd.or(forth, back));
    // Where a rule gives the port alone, the address stays.
    boolean givesPort = source ? mentions.sourcePorts() : mentions.destinationPorts();
    boolean takesPort = source ? mentions.destinationPorts() : mentions.sourcePorts();
    if (givesPort || takesPort) {
      int which =
          bdd.or(givesPort ? bdd.not(space.reply[0]) : FALSE, takesPort ? space.reply[0] : FALSE);
      int alone = bdd.and(bdd.and(standing, space.open(unknown)), which);
      if (source) {
        state.sourcePort = state.sourcePort.assign(bdd, alone, port);
        state.sourceChanged = bdd.or(state.sourceChanged, alone);
      } else {
        state.destinationPort = state.destinationPort.assign(bdd, alone, port);
        state.destinationChanged = bdd.or(state.destinationChanged, alone);
      }
    }
    keepPlaces(source, state, standing, unknown);
    if (source) {
      state.source = state.source.assign(bdd, mapped, other);
      state.sourcePort = state.sourcePort.assign(bdd, mapped, port);
      state.sourceChanged = bdd.or(state.sourceChanged, mapped);
    } else {
      state.destination = state.destination.assign(bdd, mapped, other);
      state.destinationPort = state.destinationPort.assign(bdd, mapped, port);
      state.destinationChanged = bdd.or(state.destinationChanged, mapped);
    }
  }

  /**
   * The same for translation from prefix to prefix: it keeps the rest of the address, so that only
   * the prefix of an answer's receiver is open.
   */
  private void keepPlaces(boolean source, State state, int standing, Unknown unknown) {
    Field address = source ? state.source : state.destination;
    for (Prefix to : source ? mentions.sourcePrefixes() : mentions.destinationPrefixes()) {
      int forth = bdd.difference(bdd.and(standing, space.open(unknown)), space.reply[0]);
      moved(source, state, forth, space.moved(address, to), unknown);
    }
    for (Prefix from : source ? mentions.destinationPrefixes() : mentions.sourcePrefixes()) {
      int back = bdd.and(bdd.and(standing, space.open(unknown)), space.reply[0]);
      back = bdd.and(back, space.in(address, from));
      moved(
          source,
          state,
          back,
          space.moved(address, () -> space.open(from.length(), unknown)),
          unknown);
    }
  }

  private void moved(boolean source, State state, int packets, Field address, Unknown unknown) {
    // Of a source the port may have been taken.
    int other = bdd.and(packets, space.open(unknown));
    int[] port = space.open(16, unknown);
    if (source) {
      state.source = state.source.assign(bdd, packets, address);
      state.sourcePort = state.sourcePort.assign(bdd, other, port);
      state.sourceChanged = bdd.or(state.sourceChanged, packets);
    } else {
      state.destination = state.destination.assign(bdd, packets, address);
      state.destinationPort = state.destinationPort.assign(bdd, other, port);
      state.destinationChanged = bdd.or(state.destinationChanged, packets);
    }
  }
}
