package io.gatehouse.verify;

import io.gatehouse.bdd.Bdd;
import io.gatehouse.model.Family;
import io.gatehouse.model.Gateway;
import io.gatehouse.model.Host;
import io.gatehouse.model.Located;
import io.gatehouse.model.Network;
import io.gatehouse.model.Place;
import io.gatehouse.model.Prefix;
import io.gatehouse.model.Reach;
import io.gatehouse.model.Selectors;
import io.gatehouse.model.Service;
import io.gatehouse.model.Tunnel;
import io.gatehouse.path.Journey;
import io.gatehouse.ruleset.Statement.Verdict;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;

/** Whether what may begin is what the description says: nothing more, and nothing less. */
final class Reached {
  private final Gateway gateway;
  private final Walk walk;
  private final Meaning meaning;
  private final Selectors selectors;
  private final List<Alike> all;
  private final Map<String, Verdict> known;
  private final List<Suspect> suspects = new ArrayList<>();

  private Reached(Gateway gateway, Walk walk, Map<String, Verdict> known) {
    this.known = known;
    this.gateway = gateway;
    this.walk = walk;
    meaning = new Meaning(gateway, walk);
    selectors = new Selectors(gateway);
    all = Alike.of(gateway);
  }

  /**
   * What clients may do.
   *
   * @param group whose members all clients of a tunnel are, by the name of the group; of other
   *     tunnels nobody is known
   * @param known what the live maps then hold
   */
  static List<Suspect> of(
      Gateway gateway, Walk walk, Membership group, Map<String, Verdict> known) {
    Reached reached = new Reached(gateway, walk, known);
    for (Alike alike : reached.all) {
      reached.throughIt(alike, group);
      reached.intoIt(alike);
      if (group.tunnel().isEmpty()) {
        reached.answers(alike);
        reached.answersOfTheWorld(alike);
      }
    }
    return reached.suspects;
  }

  private void throughIt(Alike alike, Membership group) {
    Journey received = walk.received();
    Tunnel tunnel = alike.first();
    List<Prefix> far = alike.far();
    int from =
        walk.and(
            walk.space().throughItsOwn(alike.names()),
            walk.space().source(far),
            walk.ofNoConnection());
    int may = Bdd.TRUE;
    int offered = Bdd.TRUE;
    for (Membership.Share share : group.shares(gateway, tunnel)) {
      may = walk.and(may, withFlows(tunnel, share.reach()));
      offered = walk.and(offered, offers(tunnel, share.services()));
    }
    if (gateway.host().ping() != Host.Ping.NOBODY) {
      offered = walk.or(offered, meaning.echoRequest());
    }
    String who = alike.who() + group.of(tunnel);
    much(
        who + " reaches what it may not",
        walk.minus(walk.and(received.left(), from), rightWay(may), forwarded(may)));
    much(
        who + " is given on this host what it may not have",
        walk.minus(walk.and(received.delivered(), from), offered));

    int ordinary = walk.and(from, meaning.ordinary(), selected(tunnel, far));
    little(
        who + " does not reach what it may",
        walk.minus(
            walk.and(ordinary, may),
            meaning.thisHost(),
            meaning.betweenTunnels(),
            meaning.special()),
        received.left());
    int here = walk.and(meaning.ownAddresses(), walk.space().destination(selectors.local(tunnel)));
    little(
        who + " is not given on this host what it may have",
        walk.minus(walk.and(ordinary, offered, here), forwardedOn()),
        received.delivered());
  }

  /** The addresses that the tunnel's selectors carry at all. */
  private int selected(Tunnel tunnel, List<Prefix> far) {
    return walk.and(
        walk.space().destination(selectors.local(tunnel)),
        walk.minus(walk.space().source(far), meaning.edges(far)));
  }

  private int withFlows(Tunnel tunnel, Collection<Reach> reach) {
    int all = meaning.towards(reach);
    for (Host.Flow flow : gateway.host().flows()) {
      if (isOf(flow.from(), tunnel)) {
        all = walk.or(all, meaning.towards(flow.to()));
      }
    }
    return all;
  }

  private int offers(Tunnel tunnel, Collection<Located<Service>> own) {
    int all = Bdd.FALSE;
    for (Located<Service> service : own) {
      all = walk.or(all, meaning.service(service.value()));
    }
    for (Host.Offer offer : gateway.host().services()) {
      if (isOf(offer.from(), tunnel)) {
        all = walk.or(all, meaning.services(offer.services()));
      }
    }
    return all;
  }

  /** Of packets by their destination, those that leave by the way to that destination. */
  private int rightWay(int packets) {
    Journey received = walk.received();
    int right = Bdd.FALSE;
    for (Network network : gateway.networks()) {
      right =
          walk.or(
              right,
              walk.and(
                  packets,
                  meaning.towards(network),
                  received.leftBy(network.on().device()),
                  received.leftInClear()));
    }
    for (Alike other : all) {
      int there =
          walk.and(
              packets, walk.space().destination(other.far()), received.leftThrough(other.names()));
      // Of many, the right one has it only while the destination is the packet's own.
      boolean many = other.tunnels().size() > 1;
      right = walk.or(right, many ? walk.minus(there, received.leftTranslated()) : there);
    }
    return walk.or(
        right,
        walk.and(
            packets,
            meaning.towards(new Place.Internet()),
            walk.leftBy(received, meaning.outside())));
  }

  /**
   * What a port forward leads to where it may go by itself: clients may speak of a server by its
   * public name.
   */
  private int forwarded(int may) {
    Journey received = walk.received();
    int forwarded = Bdd.FALSE;
    for (Host.PortForward forward : gateway.host().portForwards()) {
      List<Prefix> to = List.of(Prefix.host(forward.to().value()));
      int there = walk.and(walk.space().destination(to), meaning.service(forward.service()));
      if (walk.minus(there, may) == Bdd.FALSE) {
        forwarded =
            walk.or(
                forwarded,
                walk.and(
                    meaning.service(forward.service()),
                    meaning.thisHost(),
                    received.leftWithDestination(to),
                    received.leftInClear()));
      }
    }
    return forwarded;
  }

  /** What this host hands on to a host inside, under its own address. */
  private int forwardedOn() {
    int all = Bdd.FALSE;
    for (Host.PortForward forward : gateway.host().portForwards()) {
      if (forward.to().value().family() == walk.space().family()) {
        all = walk.or(all, walk.and(meaning.thisHost(), meaning.service(forward.service())));
      }
    }
    return all;
  }

  /** What somebody of ours begins towards the tunnel. */
  private void intoIt(Alike alike) {
    Journey received = walk.received();
    Tunnel tunnel = alike.first();
    List<Prefix> far = alike.far();
    int may = Bdd.FALSE;
    if (tunnel instanceof Tunnel.SiteToSite site) {
      for (Network local : site.local()) {
        may = walk.or(may, walk.and(meaning.from(local), meaning.services(site.outbound())));
      }
    }
    for (Host.Flow flow : gateway.host().flows()) {
      if (isOf(flow.to().place(), tunnel)) {
        may =
            walk.or(
                may, walk.and(meaning.from(flow.from()), meaning.services(flow.to().services())));
      }
    }
    int begins =
        walk.and(walk.space().destination(far), walk.space().inClear(), walk.ofNoConnection());
    much(
        "somebody begins towards " + alike.who() + " who may not",
        walk.minus(walk.and(received.left(), begins), may));
    little(
        "somebody who may begin towards " + alike.who() + " does not get there",
        walk.and(
            may,
            begins,
            meaning.ordinary(),
            walk.space().source(selectors.local(tunnel)),
            walk.minus(Bdd.TRUE, meaning.edges(far), meaning.thisHostAsSource())),
        received.leftThrough(alike.names()));
  }

  /** Answers on their way into the tunnel, and out of it, and errors about what it carries. */
  private void answers(Alike alike) {
    Journey received = walk.received();
    Tunnel tunnel = alike.first();
    List<Prefix> far = alike.far();
    int answer = walk.and(walk.space().established(), walk.space().reply());
    int error = walk.and(walk.space().related(), meaning.icmpErrors());
    int whole =
        walk.and(
            walk.space().whole(), meaning.routable(), walk.minus(Bdd.TRUE, meaning.edges(far)));
    for (Network network : gateway.networks()) {
      boolean reached = tunnel.reachOfAnybody().anyMatch(reach -> reach.place().equals(network));
      int near = walk.and(meaning.from(network), walk.space().source(selectors.local(tunnel)));
      int there =
          walk.and(walk.minus(near, meaning.thisHostAsSource()), walk.space().destination(far));
      if (reached) {
        comeBack(
            "an answer or an error from " + network.name() + " does not get to " + alike.who(),
            walk.and(there, whole, walk.or(answer, error)),
            received.leftThrough(alike.names()));
      }
    }
    int begun = Bdd.FALSE;
    if (tunnel instanceof Tunnel.SiteToSite site) {
      for (Network local : site.local()) {
        begun = walk.or(begun, towards(local));
      }
    }
    int from = walk.and(walk.space().throughItsOwn(alike.names()), walk.space().source(far));
    comeBack(
        "an answer or an error from " + alike.who() + " does not come back",
        walk.and(from, selected(tunnel, far), begun, whole, walk.or(answer, error)),
        received.leftInClear());
    comeBack(
        "an answer or an error from " + alike.who() + " does not get to this host",
        walk.and(
            from, selected(tunnel, far), meaning.ownAddresses(), whole, walk.or(answer, error)),
        received.delivered());
  }

  /** Answers of the world to clients that reach it through us. */
  private void answersOfTheWorld(Alike alike) {
    Journey received = walk.received();
    Tunnel tunnel = alike.first();
    if (!meaning.toInternet(tunnel)) {
      return;
    }
    List<Prefix> far = alike.far();
    int here =
        walk.and(
            walk.cameBy(meaning.outside()),
            meaning.worldAsSource(),
            walk.space().inClear(),
            walk.space().destination(asWhom(far)));
    int belongs =
        walk.minus(
            walk.and(
                walk.or(
                    walk.space().established(),
                    walk.and(walk.space().related(), meaning.icmpErrors())),
                walk.space().reply(),
                walk.space().whole(),
                meaning.routable(),
                walk.space().ofConnectionFrom(far)),
            walk.space().ofConnectionTo(meaning.ours()));
    comeBack(
        "an answer of the world does not come back to " + alike.who(),
        walk.and(here, belongs),
        received.leftThrough(alike.names()));
  }

  /** To whom the world answers: to us, or to addresses that mean something out there. */
  private List<Prefix> asWhom(List<Prefix> far) {
    return walk.space().family() == Family.V4
        ? meaning.outsideAddresses()
        : far.stream().filter(prefix -> !Meaning.UNIQUE_LOCAL.contains(prefix)).toList();
  }

  private int towards(Network network) {
    return walk.minus(
        meaning.towards(network),
        meaning.edges(meaning.networks()),
        meaning.thisHost(),
        meaning.special());
  }

  private void comeBack(String what, int packets, int arrives) {
    int ever = walk.space().packets(walk.space().settled(arrives, known));
    suspects.add(
        new Suspect(
            Property.ANSWERS,
            what,
            false,
            walk.received(),
            inTheseCircumstances(walk.minus(packets, ever)),
            Bdd.TRUE));
  }

  private static boolean isOf(Place place, Tunnel tunnel) {
    return place instanceof Place.OfTunnel of && of.name().equals(tunnel.name());
  }

  private void much(String what, int packets) {
    suspects.add(
        new Suspect(
            Property.TOO_MUCH,
            what,
            false,
            walk.received(),
            inTheseCircumstances(packets),
            walk.space().firstOfConnection()));
  }

  /** What never arrives, whatever the circumstances. */
  private void little(String what, int packets, int arrives) {
    suspects.add(
        new Suspect(
            Property.TOO_LITTLE,
            what,
            false,
            walk.received(),
            inTheseCircumstances(
                walk.minus(packets, walk.space().packets(walk.space().settled(arrives, known))))));
  }

  private int inTheseCircumstances(int packets) {
    int settled = walk.space().settled(packets, known);
    return settled == Bdd.FALSE ? Bdd.FALSE : walk.and(settled, walk.space().circumstances(known));
  }
}
