package io.gatehouse.verify;

import io.gatehouse.bdd.Bdd;
import io.gatehouse.model.Gateway;
import io.gatehouse.model.Interface;
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

  private Leaks(Meaning meaning) {
    this.meaning = meaning;
    gateway = meaning.gateway();
    walk = meaning.walk();
  }

  /** With our rules in place. */
  static List<Suspect> of(Meaning meaning) {
    Leaks leaks = new Leaks(meaning);
    leaks.inClear(Property.IN_CLEAR);
    leaks.unproven(Property.EVIDENCE, true);
    leaks.strayed();
    leaks.ofNobody();
    leaks.forgedErrors();
    leaks.inClearForVirtual();
    return leaks.suspects;
  }

  /** On the same host when all nftables rules are gone. */
  static List<Suspect> flushed(Meaning meaning) {
    Leaks leaks = new Leaks(meaning);
    leaks.inClear(Property.FLUSHED);
    // Sockets of IKE have a bypass that no xfrm policy closes: only what passes through counts.
    leaks.unproven(Property.FLUSHED, false);
    return leaks.suspects;
  }

  /**
   * On the same host while no tunnel has brought it its virtual IPs: then they are nobody's.
   *
   * @param property whether our rules are in place
   */
  static List<Suspect> unconnected(Meaning meaning, Property property) {
    Leaks leaks = new Leaks(meaning);
    leaks.towardsVirtual(property);
    return leaks.suspects;
  }

  private void towardsVirtual(Property property) {
    for (Journey journey : List.of(walk.received(), walk.sent())) {
      suspects.add(
          new Suspect(
              property,
              "is for a virtual IP that no tunnel has brought, and leaves in clear",
              journey == walk.sent(),
              journey,
              walk.minus(
                  walk.and(journey.leftInClear(), journey.leftWithDestination(meaning.virtual())),
                  journey.leftBy("lo"),
                  property == Property.FLUSHED ? ours() : Bdd.FALSE)));
    }
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
    int toPeers = walk.and(meaning.ikeAndEspOut(), sent.leftWithDestination(meaning.peers()));
    suspects.add(
        new Suspect(
            property,
            "is for a tunnel and leaves in clear",
            true,
            sent,
            walk.minus(
                walk.and(sent.leftInClear(), sent.leftWithDestination(far)),
                sent.leftBy("lo"), // and comes back
                toPeers,
                property == Property.FLUSHED ? ours() : Bdd.FALSE)));
    // Who reaches the internet through us leaves in clear there, and by description.
    List<Prefix> hidden = meaning.far(tunnel -> !meaning.toInternet(tunnel));
    int outside = meaning.leftForTheWorld(received);
    suspects.add(
        new Suspect(
            property,
            "has a tunnel's source and leaves in clear",
            false,
            received,
            walk.and(received.leftInClear(), received.leftWithSource(hidden), outside)));
    if (property == Property.IN_CLEAR && !meaning.virtual().isEmpty()) {
      for (Journey journey : List.of(received, sent)) {
        suspects.add(
            new Suspect(
                property,
                "has a virtual IP of this host and leaves in clear",
                journey == sent,
                journey,
                walk.and(
                    journey.leftInClear(),
                    journey.leftWithSource(meaning.virtual()),
                    walk.leftBy(journey, meaning.outside())),
                walk.space().inClear()));
      }
    }
    if (property == Property.IN_CLEAR) {
      suspects.add(
          new Suspect(
              property,
              "is of a connection that a tunnel's source began, and leaves in clear",
              false,
              received,
              walk.and(received.leftInClear(), walk.space().ofConnectionFrom(hidden), outside)));
    }
  }

  /**
   * What bears a mark of ours without our rules: the description keeps these bits for us, and only
   * who may change all rules could set one.
   */
  private int ours() {
    return meaning.virtual().isEmpty()
        ? Bdd.FALSE
        : walk.space().markedWith(gateway.numbers().clientMark());
  }

  /** A far source that its own tunnel did not bring. */
  private void unproven(Property property, boolean delivered) {
    Journey received = walk.received();
    int here = walk.minus(received.delivered(), espAndAh());
    int arrived = delivered ? walk.or(received.left(), here) : received.left();
    int spared = walk.or(transported(), amidst());
    for (Alike alike : meaning.alike()) {
      int claims =
          walk.minus(
              walk.space().source(alike.far()), walk.space().throughItsOwn(alike.names()), spared);
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

  /** What says that it is of a network of ours, and came by another device than that one's. */
  private void strayed() {
    for (Interface at : gateway.interfaces()) {
      List<Prefix> here = new ArrayList<>();
      List<Prefix> elsewhere = new ArrayList<>(meaning.far());
      elsewhere.addAll(meaning.peers());
      gateway
          .networks()
          .forEach(network ->
              gateway.prefixes(network).forEach((network.on().equals(at) ? here : elsewhere)::add));
      int claims =
          walk.minus(
              walk.space().source(here),
              walk.space().source(elsewhere),
              walk.space().arrivesOn(at.device()),
              walk.space().arrivesOn("lo"));
      suspects.add(
          new Suspect(
              Property.EVIDENCE,
              "has a source that is behind " + at.name() + ", came elsewhere, and arrives",
              false,
              walk.received(),
              walk.and(arrived(), claims),
              walk.space().inClear()));
    }
  }

  /** What somebody else's tunnel brought speaks for nobody of ours, nor ours for another. */
  private void ofNobody() {
    if (gateway.tunnels().isEmpty()) {
      return;
    }
    Journey received = walk.received();
    int own = walk.space().inClear();
    for (Alike alike : meaning.alike()) {
      int its = walk.space().throughItsOwn(alike.names());
      own = walk.or(own, walk.and(its, walk.space().source(alike.far())));
    }
    own = walk.or(own, transported());
    int spared = Bdd.FALSE;
    for (Tunnel tunnel : gateway.tunnels()) {
      spared = tunnel instanceof Tunnel.L2tp ? walk.or(spared, received.delivered()) : spared;
    }
    // The class of the source decides about ESP within ESP, and then its own SA.
    int nested = walk.and(espAndAh(), walk.space().source(meaning.far()));
    int begins = walk.minus(meaning.begins(), own);
    int passes = walk.minus(walk.and(begins, received.left()), meaning.notOurs());
    int here =
        gateway.host().inputClosed()
            ? walk.minus(walk.and(begins, received.delivered()), spared, nested)
            : Bdd.FALSE;
    suspects.add(
        new Suspect(
            Property.EVIDENCE,
            "came through a tunnel that has no such source, and arrives",
            false,
            received,
            walk.or(passes, here),
            walk.space().firstOfConnection()));
  }

  /** Out there no router sees what a tunnel carries: it has no errors to tell of it. */
  private void forgedErrors() {
    List<Prefix> far = meaning.far();
    if (far.isEmpty()) {
      return;
    }
    int errors =
        walk.and(
            walk.space().related(),
            walk.space().ofConnectionWith(far),
            walk.cameBy(meaning.outside()),
            walk.space().inClear(),
            meaning.icmpErrors());
    // Clients that reach the world through us are seen there.
    int seen =
        walk.minus(
            walk.space().ofConnectionFrom(meaning.far(meaning::toInternet)),
            walk.space().ofConnectionTo(meaning.ours()));
    suspects.add(
        new Suspect(
            Property.EVIDENCE,
            "is an error about a tunnel's packet, came from outside in clear, and arrives",
            false,
            walk.received(),
            walk.minus(
                walk.and(arrived(), errors),
                seen,
                walk.space().source(meaning.networks()),
                walk.space().ofConnectionWith(meaning.peers()))));
  }

  /** Out there nobody knows the virtual IP: what is for it comes through its tunnel. */
  private void inClearForVirtual() {
    if (meaning.virtual().isEmpty()) {
      return;
    }
    suspects.add(
        new Suspect(
            Property.EVIDENCE,
            "is for a virtual IP of this host, came from outside in clear, and arrives",
            false,
            walk.received(),
            walk.and(
                arrived(),
                walk.space().destination(meaning.virtual()),
                walk.cameBy(meaning.outside()),
                walk.space().inClear())));
  }

  private int arrived() {
    return walk.or(walk.received().left(), walk.received().delivered());
  }

  /**
   * ESP and AH within a tunnel are nobody's word for anything before their own SA looks at them.
   */
  private int espAndAh() {
    int both =
        walk.or(
            walk.space().protocol(Protocol.ESP.number()),
            walk.space().protocol(Protocol.AH.number()));
    return walk.minus(both, walk.space().inClear());
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
