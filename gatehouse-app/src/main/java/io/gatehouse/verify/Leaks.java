package io.gatehouse.verify;

import io.gatehouse.bdd.Bdd;
import io.gatehouse.model.Gateway;
import io.gatehouse.model.Prefix;
import io.gatehouse.model.Protocol;
import io.gatehouse.model.Tunnel;
import io.gatehouse.path.Journey;
import java.util.ArrayList;
import java.util.List;

/** What travels in clear and must not, and what claims to come from a tunnel and did not. */
final class Leaks {
  private final Gateway gateway;
  private final Walk walk;
  private final Meaning meaning;
  private final List<Suspect> suspects = new ArrayList<>();

  private Leaks(Gateway gateway, Walk walk) {
    this.gateway = gateway;
    this.walk = walk;
    meaning = new Meaning(gateway, walk);
  }

  /** With our rules in place. */
  static List<Suspect> of(Gateway gateway, Walk walk) {
    Leaks leaks = new Leaks(gateway, walk);
    leaks.inClear(Property.IN_CLEAR);
    leaks.unproven(Property.EVIDENCE, true);
    return leaks.suspects;
  }

  /** On the same host when all nftables rules are gone. */
  static List<Suspect> flushed(Gateway gateway, Walk walk) {
    Leaks leaks = new Leaks(gateway, walk);
    leaks.inClear(Property.FLUSHED);
    // Sockets of IKE have a bypass that no xfrm policy closes: only what passes through counts.
    leaks.unproven(Property.FLUSHED, false);
    return leaks.suspects;
  }

  private void inClear(Property property) {
    List<Prefix> far = meaning.far();
    if (far.isEmpty()) {
      return;
    }
    Journey received = walk.received();
    suspects.add(
        new Suspect(
            property,
            "is for a tunnel and leaves in clear",
            false,
            received,
            walk.and(received.leftInClear(), received.leftWithDestination(far)),
            walk.and(walk.space().destination(far), walk.cameBy(meaning.inside()))));
    Journey sent = walk.sent();
    int toPeers = walk.and(meaning.ikeAndEspOut(), walk.space().destination(meaning.peers()));
    suspects.add(
        new Suspect(
            property,
            "is for a tunnel and leaves in clear",
            true,
            sent,
            walk.minus(walk.and(sent.leftInClear(), sent.leftWithDestination(far)), toPeers)));
    // Who reaches the internet through us leaves in clear there, and by description.
    List<Prefix> hidden = meaning.far(tunnel -> !meaning.toInternet(tunnel));
    int outside = walk.leftBy(received, meaning.onlyOutside());
    suspects.add(
        new Suspect(
            property,
            "has a tunnel's source and leaves in clear",
            false,
            received,
            walk.and(received.leftInClear(), received.leftWithSource(hidden), outside)));
  }

  /** A far source that its own tunnel did not bring. */
  private void unproven(Property property, boolean delivered) {
    Journey received = walk.received();
    // ESP within a tunnel is nobody's word for anything before its own SA has looked at it.
    int esp =
        walk.and(
            walk.space().protocol(Protocol.ESP.number()),
            walk.minus(Bdd.TRUE, walk.space().inClear()));
    int ah =
        walk.and(
            walk.space().protocol(Protocol.AH.number()),
            walk.minus(Bdd.TRUE, walk.space().inClear()));
    int here = walk.minus(received.delivered(), esp, ah);
    int arrived = delivered ? walk.or(received.left(), here) : received.left();
    for (Alike alike : Alike.of(gateway)) {
      int claims =
          walk.minus(
              walk.space().source(alike.far()),
              walk.space().throughItsOwn(alike.names()),
              transported(),
              amidst());
      suspects.add(
          new Suspect(
              property,
              "has a source of " + alike.who() + ", did not come through it, and arrives",
              false,
              received,
              walk.and(arrived, claims),
              walk.space().inClear()));
    }
  }

  /**
   * What an SA in transport mode brought has the source of its ESP, and that came in clear: there
   * it was asked for its evidence.
   */
  private int transported() {
    int all = walk.space().throughAnotherInTransportMode();
    for (Tunnel tunnel : gateway.tunnels()) {
      all = tunnel instanceof Tunnel.L2tp ? walk.or(all, walk.space().through(tunnel.name())) : all;
    }
    return all;
  }

  /** IKE and ESP of peers whose own address lies on a far side. */
  private int amidst() {
    return walk.and(
        meaning.ikeAndEspIn(), walk.space().inClear(), walk.space().source(meaning.peers()));
  }
}
