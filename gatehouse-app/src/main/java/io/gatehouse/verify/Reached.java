package io.gatehouse.verify;

import io.gatehouse.bdd.Bdd;
import io.gatehouse.model.Family;
import io.gatehouse.model.Gateway;
import io.gatehouse.model.Host;
import io.gatehouse.model.Network;
import io.gatehouse.model.Place;
import io.gatehouse.model.Prefix;
import io.gatehouse.model.Reach;
import io.gatehouse.model.Selectors;
import io.gatehouse.model.Tunnel;
import io.gatehouse.path.Journey;
import io.gatehouse.ruleset.Ruleset;
import io.gatehouse.ruleset.Statement.Verdict;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import java.util.function.Predicate;

/** Whether what may begin is what the description says: nothing more, and nothing less. */
final class Reached {
  private final Gateway gateway;
  private final Walk walk;
  private final Meaning meaning;
  private final Selectors selectors;
  private final List<Alike> all;

  private Reached(Meaning meaning) {
    this.meaning = meaning;
    gateway = meaning.gateway();
    walk = meaning.walk();
    selectors = new Selectors(gateway);
    all = meaning.alike();
  }

  /**
   * What is asked about the clients of some tunnels, whatever the live maps hold.
   *
   * @param packets that may not arrive, or that have to
   * @param arrive of these, those that do; nothing where none may
   * @param maps live maps whose contents decide
   */
  private record Question(
      Property property, String what, int packets, OptionalInt arrive, Set<String> maps) {}

  /**
   * What clients may do, in each case of who is known of them.
   *
   * @param ruleset the contracts of its live maps say what these hold in each case
   */
  static List<Suspect> of(Meaning meaning, Ruleset ruleset) {
    Reached reached = new Reached(meaning);
    List<Membership> cases = Membership.of(meaning.gateway());
    Membership.Content content = Membership.Content.of(ruleset);
    List<Suspect> suspects = new ArrayList<>();
    for (Alike alike : reached.all) {
      Through through = reached.through(alike);
      List<Question> whoever = reached.throughIt(through, Membership.unknown(), Map.of());
      List<Question> rest = reached.besides(alike);
      for (Membership membership : cases) {
        Map<String, Verdict> known = content.of(membership);
        boolean first = membership.tunnel().isEmpty();
        // Who is known of other tunnels' clients is seldom anything to these.
        Predicate<Question> counts =
            question -> first || !Collections.disjoint(question.maps(), known.keySet());
        Suspects found = Suspects.whileKnown(meaning.walk(), known);
        if (membership.isOf(alike.first())) {
          reached.throughIt(through, membership, known).forEach(question -> ask(question, found));
        } else {
          whoever.stream().filter(counts).forEach(question -> ask(question, found));
        }
        rest.stream().filter(counts).forEach(question -> ask(question, found));
        suspects.addAll(found.all());
      }
    }
    return suspects;
  }

  private static void ask(Question question, Suspects suspects) {
    if (question.arrive().isPresent()) {
      int arrive = question.arrive().getAsInt();
      suspects.missing(question.property(), question.what(), false, question.packets(), arrive);
    } else {
      suspects.add(question.property(), question.what(), false, question.packets());
    }
  }

  /** What is asked whoever the clients are. */
  private List<Question> besides(Alike alike) {
    List<Question> asked = new ArrayList<>();
    appearsInside(alike, asked);
    intoIt(alike, asked);
    answers(alike, asked);
    answersOfTheWorld(alike, asked);
    return List.copyOf(asked);
  }

  private void much(List<Question> asked, String what, int packets) {
    asked.add(question(Property.TOO_MUCH, what, packets));
  }

  private Question question(Property property, String what, int packets) {
    Set<String> maps = walk.space().mapsThatDecide(packets);
    return new Question(property, what, packets, OptionalInt.empty(), maps);
  }

  private void little(
      List<Question> asked, Property property, String what, int packets, int arrive) {
    int those = walk.and(packets, arrive);
    Set<String> maps = walk.space().mapsThatDecide(those);
    asked.add(new Question(property, what, packets, OptionalInt.of(those), maps));
  }

  /**
   * What becomes of packets through some tunnels, whoever their clients are.
   *
   * @param left of what somebody begins, all that leaves
   * @param astray of that, what takes another way than the one to its destination
   * @param delivered what this host gets
   * @param ordinary packets that are to arrive wherever they may
   * @param between of these, those for each other tunnel
   * @param here of these, those for this host itself
   */
  private record Through(
      Alike alike,
      int left,
      int astray,
      int delivered,
      int ordinary,
      List<Between> between,
      int here) {}

  /** Packets for the far end of another tunnel. */
  private record Between(Alike other, int packets) {}

  private Through through(Alike alike) {
    Journey received = walk.received();
    Tunnel tunnel = alike.first();
    int from = begunBy(alike);
    int left = walk.and(received.left(), from);
    int ordinary = walk.and(from, meaning.ordinary(), selected(tunnel, alike.far()));
    List<Between> between = new ArrayList<>();
    for (Alike other : all) {
      if (!other.equals(alike)) {
        between.add(new Between(other, walk.and(ordinary, intoAnother(other))));
      }
    }
    return new Through(
        alike,
        left,
        walk.minus(left, rightWay(tunnel, left)),
        walk.and(received.delivered(), from),
        ordinary,
        between,
        walk.and(
            ordinary,
            meaning.ownAddresses(tunnel),
            walk.space().destination(selectors.local(tunnel))));
  }

  /**
   * What members of a group may do, or those of whom nothing is known.
   *
   * @param known what live maps hold of them; what is said of sets then holds while they hold it.
   *     Of a thousand groups each is asked about its own part of what became of the packets, and
   *     not about all of it.
   */
  private List<Question> throughIt(Through through, Membership group, Map<String, Verdict> known) {
    List<Question> asked = new ArrayList<>();
    Journey received = walk.received();
    Alike alike = through.alike();
    Tunnel tunnel = alike.first();
    int may = Bdd.TRUE;
    int offered = Bdd.TRUE;
    for (Membership.Share share : group.shares(gateway, tunnel)) {
      may = walk.and(may, withFlows(tunnel, share.reach()));
      offered = walk.and(offered, meaning.offers(tunnel, share.services()));
    }
    if (gateway.host().ping() != Host.Ping.NOBODY) {
      offered = walk.or(offered, meaning.echoRequest());
    }
    String who = alike.who() + group.of(tunnel);
    int left = whileKnown(through.left(), known);
    int astray = whileKnown(through.astray(), known);
    much(
        asked,
        who + " reaches what it may not",
        walk.minus(walk.or(astray, walk.minus(left, may)), forwarded(may)));
    much(
        asked,
        who + " is given on this host what it may not have",
        walk.minus(whileKnown(through.delivered(), known), offered));

    little(
        asked,
        Property.TOO_LITTLE,
        who + " does not reach what it may",
        walk.minus(
            walk.and(through.ordinary(), may),
            meaning.thisHost(tunnel),
            meaning.betweenTunnels(),
            meaning.special()),
        left);
    for (Between between : through.between()) {
      Alike other = between.other();
      int packets = walk.and(between.packets(), may);
      little(
          asked,
          Property.TOO_LITTLE,
          who + " does not reach " + other.who() + " as it may",
          packets,
          packets == Bdd.FALSE ? Bdd.FALSE : received.leftThrough(other.names()));
    }
    little(
        asked,
        Property.TOO_LITTLE,
        who + " is not given on this host what it may have",
        walk.minus(walk.and(through.here(), offered), forwardedOn()),
        whileKnown(through.delivered(), known));
    return List.copyOf(asked);
  }

  /** The set as it is while the live maps hold this; as it is where nothing is known. */
  private int whileKnown(int set, Map<String, Verdict> known) {
    return known.isEmpty() ? set : walk.space().settled(set, known);
  }

  private int begunBy(Alike alike) {
    return walk.and(
        walk.space().throughItsOwn(alike.names()),
        walk.space().source(alike.far()),
        walk.ofNoConnection());
  }

  /** What the tunnel's selectors stand for here. */
  private List<Prefix> here(Tunnel tunnel) {
    return selectors.local(tunnel).stream().map(tunnel::behind).toList();
  }

  /** What another tunnel carries on. */
  private int intoAnother(Alike other) {
    List<Prefix> far = other.far();
    return walk.minus(
        walk.and(
            walk.space().destination(far), walk.space().source(selectors.local(other.first()))),
        meaning.edges(far),
        meaning.thisHost(),
        meaning.special());
  }

  /** The addresses that the tunnel's selectors carry at all. */
  private int selected(Tunnel tunnel, List<Prefix> far) {
    return walk.and(
        walk.space().destination(selectors.local(tunnel)),
        walk.minus(walk.space().source(far), meaning.edges(far), meaning.thisHostAsSource()));
  }

  private int withFlows(Tunnel tunnel, Collection<Reach> reach) {
    int all = meaning.towards(reach, tunnel);
    for (Host.Flow flow : gateway.host().flows()) {
      if (Meaning.isOf(flow.from(), tunnel)) {
        all = walk.or(all, meaning.towards(flow.to(), tunnel));
      }
    }
    return all;
  }

  /** Of packets by their destination, those that leave by the way to that destination. */
  private int rightWay(Tunnel from, int packets) {
    Journey received = walk.received();
    int right = Bdd.FALSE;
    for (Network network : gateway.networks()) {
      right =
          walk.or(
              right,
              walk.and(
                  packets,
                  meaning.towards(network, from),
                  meaning.leftFor(network, from, received)));
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

  /** As whom a network sees what comes out of the tunnel. */
  private void appearsInside(Alike alike, List<Question> asked) {
    Journey received = walk.received();
    boolean asUs =
        alike.first() instanceof Tunnel.RemoteAccess access
            && access.wayBack() == Tunnel.Return.NAT;
    int from = begunBy(alike);
    for (Network network : gateway.networks()) {
      List<Prefix> own = meaning.own(network.on());
      // Which of several addresses it is, or one that is followed, is open.
      int us = own.size() == 1 ? received.leftWithSource(own) : Bdd.TRUE;
      int there = walk.and(from, meaning.towards(network, alike.first()), received.leftInClear());
      int appears =
          walk.minus(walk.and(there, received.leftBy(network.on().device())), meaning.thisHost());
      asked.add(
          question(
              Property.APPEARS,
              alike.who() + " appears in " + network.name() + " as somebody else",
              asUs ? walk.minus(appears, us) : walk.and(appears, received.leftAsAnother())));
    }
  }

  /** What somebody of ours begins towards the tunnel. */
  private void intoIt(Alike alike, List<Question> asked) {
    Journey received = walk.received();
    Tunnel tunnel = alike.first();
    List<Prefix> far = alike.far();
    int may = Bdd.FALSE;
    if (tunnel instanceof Tunnel.SiteToSite site) {
      for (Network local : site.local()) {
        may = walk.or(may, walk.and(meaning.from(local), meaning.services(site.outbound())));
      }
    }
    int selected = walk.space().source(here(tunnel));
    if (tunnel instanceof Tunnel.Client client) {
      may = meaning.begunBy(client);
      selected = Bdd.TRUE; // it is given a source that is
    }
    for (Host.Flow flow : gateway.host().flows()) {
      if (Meaning.isOf(flow.to().place(), tunnel)) {
        may =
            walk.or(
                may, walk.and(meaning.from(flow.from()), meaning.services(flow.to().services())));
      }
    }
    int begins =
        walk.and(walk.space().destination(far), walk.space().inClear(), walk.ofNoConnection());
    much(
        asked,
        "somebody begins towards " + alike.who() + " who may not",
        walk.minus(walk.and(received.left(), begins), may));
    if (tunnel.maps(walk.space().family())) {
      asked.add(
          question(
              Property.APPEARS,
              "somebody leaves for " + alike.who() + " as whom it does not know",
              walk.minus(
                  walk.and(received.left(), begins), meaning.leftAsKnown(tunnel, received))));
    }
    little(
        asked,
        Property.TOO_LITTLE,
        "somebody who may begin towards " + alike.who() + " does not get there",
        walk.and(
            may,
            begins,
            meaning.ordinary(),
            selected,
            walk.minus(
                Bdd.TRUE, meaning.edges(far), meaning.thisHostAsSource(), meaning.thisHost())),
        walk.and(received.leftThrough(alike.names()), meaning.leftAsKnown(tunnel, received)));
  }

  /** Answers on their way into the tunnel, and out of it, and errors about what it carries. */
  private void answers(Alike alike, List<Question> asked) {
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
      int near = walk.and(meaning.from(network), walk.space().source(here(tunnel)));
      int there =
          walk.and(walk.minus(near, meaning.thisHostAsSource()), walk.space().destination(far));
      if (reached) {
        comeBack(
            asked,
            "an answer or an error from " + network.name() + " does not get to " + alike.who(),
            walk.and(there, whole, walk.or(answer, error)),
            walk.and(received.leftThrough(alike.names()), meaning.leftAsKnown(tunnel, received)));
      }
    }
    int begun = Bdd.FALSE;
    if (tunnel instanceof Tunnel.SiteToSite site) {
      for (Network local : site.local()) {
        begun = walk.or(begun, meaning.somewhere(local, tunnel));
      }
    }
    int from = walk.and(walk.space().throughItsOwn(alike.names()), walk.space().source(far));
    if (tunnel instanceof Tunnel.Client client) {
      for (Network local : client.local()) {
        boolean same = gateway.prefixes(local).anyMatch(p -> p.family() == walk.space().family());
        comeBack(
            asked,
            "an answer or an error from " + alike.who() + " does not come back to " + local.name(),
            same
                ? walk.and(
                    from,
                    selected(tunnel, far),
                    whole,
                    walk.or(answer, walk.and(error, walk.space().reply())))
                : Bdd.FALSE,
            walk.and(received.leftInClear(), received.leftBy(local.on().device())));
      }
    }
    comeBack(
        asked,
        "an answer or an error from " + alike.who() + " does not come back",
        walk.and(from, selected(tunnel, far), begun, whole, walk.or(answer, error)),
        received.leftInClear());
    comeBack(
        asked,
        "an answer or an error from " + alike.who() + " does not get to this host",
        walk.and(
            from, selected(tunnel, far), meaning.ownAddresses(), whole, walk.or(answer, error)),
        received.delivered());
  }

  /** Answers of the world to clients that reach it through us. */
  private void answersOfTheWorld(Alike alike, List<Question> asked) {
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
        asked,
        "an answer of the world does not come back to " + alike.who(),
        walk.and(here, belongs),
        received.leftThrough(alike.names()));
  }

  /** To whom the world answers: to us, or to addresses that mean something out there. */
  private List<Prefix> asWhom(List<Prefix> far) {
    return walk.space().family() == Family.V4
        ? meaning.outsideAddresses()
        : far.stream().filter(prefix -> !Prefix.UNIQUE_LOCAL.contains(prefix)).toList();
  }

  private void comeBack(List<Question> asked, String what, int packets, int arrives) {
    little(asked, Property.ANSWERS, what, packets, arrives);
  }
}
