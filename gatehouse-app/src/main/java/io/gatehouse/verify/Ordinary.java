package io.gatehouse.verify;

import io.gatehouse.bdd.Bdd;
import io.gatehouse.model.Address;
import io.gatehouse.model.Family;
import io.gatehouse.model.Gateway;
import io.gatehouse.model.Host;
import io.gatehouse.model.Interface;
import io.gatehouse.model.Located;
import io.gatehouse.model.Masquerade;
import io.gatehouse.model.Network;
import io.gatehouse.model.Place;
import io.gatehouse.model.PortRange;
import io.gatehouse.model.Prefix;
import io.gatehouse.model.Protocol;
import io.gatehouse.model.Service;
import io.gatehouse.model.Uplink;
import io.gatehouse.path.HeaderSpace;
import io.gatehouse.path.Journey;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/** What passes from one network to another and to the world, outside of any tunnel. */
final class Ordinary {
  private final Gateway gateway;
  private final Host host;
  private final Walk walk;
  private final Meaning meaning;
  private final Suspects suspects;
  private final Family family;

  /**
   * What may begin from one place towards another.
   *
   * @param who as the beginning of a sentence
   * @param packets as they arrive
   * @param ordinary those that anybody would send, and that must get through
   * @param way those that leave on the right way
   * @param as those that leave as the one that the description says
   * @param back answers as they arrive
   * @param home answers that get back
   * @param by the uplinks that are to be remembered
   */
  private record Way(
      String who,
      int packets,
      int ordinary,
      int way,
      int as,
      int back,
      int home,
      List<Uplink> by) {}

  private Ordinary(Meaning meaning) {
    this.meaning = meaning;
    gateway = meaning.gateway();
    walk = meaning.walk();
    host = gateway.host();
    suspects = Suspects.always(walk);
    family = walk.space().family();
  }

  static List<Suspect> of(Meaning meaning) {
    Ordinary ordinary = new Ordinary(meaning);
    List<Way> ways = ordinary.ways();
    ordinary.much(ways);
    for (Way way : ways) {
      ordinary.little(way);
      ordinary.answers(way);
      way.by().forEach(uplink -> ordinary.byItsUplink(way, uplink));
    }
    ordinary.untranslated();
    ordinary.notOurs();
    return ordinary.suspects.all();
  }

  private void much(List<Way> ways) {
    Journey received = walk.received();
    int may = meaning.notOurs();
    for (Way way : ways) {
      may = walk.or(may, walk.and(way.packets(), way.way()));
    }
    int passes = walk.and(received.leftInClear(), walk.space().inClear(), meaning.begins());
    suspects.much(
        "comes from inside in clear, is not described, and passes",
        /* made= */ false,
        walk.minus(passes, meaning.world(), may, calls()));
    // NAT sees nothing of it.
    int invalid = walk.and(received.left(), walk.space().invalid());
    suspects.much(
        "is nothing that conntrack knows, and passes",
        /* made= */ false,
        walk.minus(invalid, meaning.notOurs(), pastUs(), pastConntrack()));
  }

  /**
   * ESP of VPN hosts, whatever conntrack would make of it: as the outside address, or from that to
   * one of them.
   */
  private int pastConntrack() {
    if (family != Family.V4 || gateway.masquerade().isEmpty()) {
      return Bdd.FALSE;
    }
    Masquerade masquerade = gateway.masquerade().get();
    Service esp = new Service(Protocol.ESP, Optional.empty());
    int all =
        walk.and(
            walk.cameBy(List.copyOf(masquerade.devices())),
            walk.space().source(masquerade.remotes()),
            meaning.thisHost(),
            meaning.service(esp),
            walk.received()
                .leftWithDestination(masquerade.prefixes().stream().map(Located::value).toList()));
    for (Network network : masquerade.clients()) {
      Way way = ofVpnHosts(masquerade, network, List.of(esp));
      all = walk.or(all, walk.and(way.packets(), way.way(), way.as()));
    }
    return all;
  }

  /** GRE of VPN hosts, as the outside address, where the daemon knows their calls of PPTP. */
  private int calls() {
    int all = Bdd.FALSE;
    Optional<Masquerade> masquerade =
        gateway.masquerade().filter(wish -> wish.calls() == Masquerade.Calls.BY_DAEMON);
    if (family == Family.V4 && masquerade.isPresent()) {
      Service gre = new Service(Protocol.GRE, Optional.empty());
      for (Network network : masquerade.get().clients()) {
        Way way = ofVpnHosts(masquerade.get(), network, List.of(gre));
        all = walk.or(all, walk.and(way.packets(), way.way(), way.as()));
      }
    }
    return all;
  }

  /** TCP between two networks of one link: of whose connections we may see one direction only. */
  private int pastUs() {
    int all = Bdd.FALSE;
    for (Host.Flow flow : host.flows()) {
      if (flow.from() instanceof Network from
          && flow.to().place() instanceof Network to
          && !from.equals(to)
          && from.on().equals(to.on())) {
        Way way = flow(flow);
        all = walk.or(all, walk.and(way.packets(), way.way(), meaning.tcp()));
      }
    }
    return all;
  }

  private void little(Way way) {
    suspects.little(
        way.who() + " does not get there",
        /* made= */ false,
        walk.and(way.packets(), way.ordinary(), meaning.ordinary(), walk.space().inClear()),
        walk.and(walk.received().left(), way.way(), way.as()));
    suspects.add(
        Property.APPEARS,
        way.who() + " leaves as somebody else",
        /* made= */ false,
        walk.minus(
            walk.and(
                way.packets(),
                way.ordinary(),
                meaning.ordinary(),
                walk.received().leftInClear(),
                way.way()),
            way.as()));
  }

  /** What belongs to a connection, and errors about it, get back to who began it. */
  private void answers(Way way) {
    int whole = whole(way);
    int home = walk.and(walk.received().leftInClear(), way.home());
    suspects.missing(
        Property.ANSWERS,
        "the answer to " + way.who() + " does not come back",
        /* made= */ false,
        walk.and(whole, walk.space().established(), walk.space().reply()),
        home);
    suspects.missing(
        Property.ANSWERS,
        "an error about what " + way.who() + " sent does not come back",
        /* made= */ false,
        walk.and(whole, walk.space().related(), walk.space().reply(), meaning.icmpErrors()),
        home);
  }

  private int whole(Way way) {
    // What belongs to a tunnel's connection, and comes in clear, is none of its answers.
    return walk.minus(
        walk.and(way.back(), walk.space().whole(), walk.space().inClear(), meaning.routable()),
        walk.space().ofConnectionWith(meaning.far()));
  }

  /**
   * What came by an uplink is answered by that, in two steps: a connection that begins remembers
   * it, and answers of connections that remember it leave by no other way.
   */
  private void byItsUplink(Way way, Uplink uplink) {
    String device = uplink.identity().device();
    long mask = gateway.numbers().uplinkMask();
    int begins =
        walk.and(
            way.packets(),
            way.ordinary(),
            meaning.ordinary(),
            walk.space().arrivesOn(device),
            walk.space().inClear(),
            walk.received().leftInClear(),
            way.way());
    int remembered = Bdd.FALSE;
    for (Uplink other : gateway.uplinks()) {
      if (other.identity().device().equals(device)) {
        remembered = walk.or(remembered, walk.received().leftMarkingConnection(other.mark(), mask));
      }
    }
    suspects.add(
        Property.ANSWERS,
        way.who() + " begins by " + device + ", and its connection does not remember that",
        /* made= */ false,
        walk.minus(begins, remembered));
    int answers =
        walk.and(
            whole(way),
            walk.space().ofConnectionMarked(uplink.mark(), mask),
            walk.space().reply(),
            walk.or(
                walk.space().established(),
                walk.and(walk.space().related(), meaning.icmpErrors())));
    int there = walk.and(walk.received().leftInClear(), walk.received().leftBy(device));
    suspects.missing(
        Property.ANSWERS,
        "the answer to " + way.who() + ", which came by " + device + ", does not leave by it",
        /* made= */ false,
        answers,
        there);
    // One whose destination NAT gives back is none of these: it came in as itself (way.as).
    suspects.add(
        Property.ANSWERS,
        "the answer to " + way.who() + ", which came by " + device + ", leaves by another way",
        /* made= */ false,
        walk.minus(walk.and(answers, meaning.leftForTheWorld(walk.received())), there));
  }

  private List<Uplink> uplinks() {
    return gateway.uplinks().stream().filter(uplink -> uplink.has(family)).toList();
  }

  // ---- ways

  private List<Way> ways() {
    List<Way> ways = new ArrayList<>();
    for (Host.Flow flow : host.flows()) {
      boolean tunnels =
          flow.from() instanceof Place.OfTunnel || flow.to().place() instanceof Place.OfTunnel;
      if (!tunnels) {
        ways.add(flow(flow));
      }
    }
    for (Host.InternetAccess access : host.internet()) {
      ways.add(internet(access));
    }
    if (family == Family.V4) {
      gateway
          .masquerade()
          .ifPresent(masquerade -> {
            for (Network network : masquerade.clients()) {
              ways.add(ofVpnHosts(masquerade, network, masquerade.services()));
            }
          });
    }
    for (Host.PortForward forward : host.portForwards()) {
      if (forward.to().value().family() == family) {
        ways.add(portForward(forward));
      }
    }
    return ways;
  }

  /**
   * VPN hosts behind this one, with their remotes: that alone, as the network appears otherwise.
   */
  private Way ofVpnHosts(Masquerade masquerade, Network network, List<Service> services) {
    Way way =
        internet(
            new Host.InternetAccess(
                network,
                host.internet().stream()
                    .filter(access -> access.from().equals(network))
                    .findFirst()
                    .map(Host.InternetAccess::nat)
                    .orElse(new Host.SourceNat.Masquerade()),
                services,
                network.origin()));
    return new Way(
        way.who(),
        walk.and(way.packets(), walk.space().destination(masquerade.remotes())),
        way.ordinary(),
        way.way(),
        way.as(),
        walk.and(way.back(), walk.space().source(masquerade.remotes())),
        way.home(),
        way.by());
  }

  private Way flow(Host.Flow flow) {
    int packets =
        walk.and(
            meaning.from(flow.from()),
            meaning.towards(flow.to()),
            meaning.narrowed(flow, /* back= */ false));
    return new Way(
        flow.from().name() + " on its way to " + flow.to().place().name(),
        packets,
        walk.and(somebody(flow.from()), meaning.somewhere(flow.to().place())),
        leavesTo(flow.to().place()),
        as(flow),
        walk.and(
            meaning.from(flow.to().place()),
            somebody(flow.to().place()),
            meaning.somewhere(flow.from()),
            meaning.narrowed(flow, /* back= */ true)),
        leavesTo(flow.from()),
        flow.from() instanceof Place.Internet ? uplinks() : List.of());
  }

  private Way internet(Host.InternetAccess access) {
    Place world = new Place.Internet();
    Network from = access.from();
    int packets =
        walk.and(meaning.from(from), meaning.towards(world), meaning.services(access.services()));
    // Whose address it was before translation, an answer does not say.
    int back =
        walk.and(walk.cameBy(meaning.outside()), meaning.worldAsSource(), walk.space().inClear());
    int here = walk.and(back, walk.space().destination(meaning.outsideAddresses()));
    int itself = walk.and(back, meaning.somewhere(from));
    boolean translates = isTranslated(access);
    return new Way(
        from.name() + " on its way to the internet",
        packets,
        walk.and(somebody(from), meaning.someWorld()),
        walk.leftBy(walk.received(), meaning.outside()),
        as(access),
        gateway.prefixes(from).anyMatch(prefix -> prefix.family() == family)
            ? (translates ? here : itself)
            : Bdd.FALSE,
        leavesTo(from),
        List.of());
  }

  private Way portForward(Host.PortForward forward) {
    Journey received = walk.received();
    Prefix to = Prefix.host(forward.to().value());
    List<Prefix> own = meaning.own(forward.on());
    int asked =
        walk.and(
            walk.space().arrivesOn(forward.on().device()),
            meaning.service(forward.service()),
            forward.from().isEmpty() ? Bdd.TRUE : walk.space().source(forward.from()),
            own.isEmpty() ? meaning.thisHost() : walk.space().destination(own));
    String device = forward.on().device();
    List<Uplink> by =
        uplinks().stream().filter(uplink -> uplink.identity().device().equals(device)).toList();
    int ports =
        forward.toPort().isPresent()
            ? received.leftWithDestinationPort(PortRange.of(forward.toPort().get()))
            : Bdd.TRUE;
    return new Way(
        "what is for " + forward.to().value() + " by a port forward",
        asked,
        walk.and(meaning.worldAsSource(), walk.space().destination(own)),
        walk.and(received.leftWithDestination(List.of(to)), ports),
        walk.minus(Bdd.TRUE, received.leftAsAnother()),
        walk.and(from(to), meaning.someWorld(), remembered(forward.on(), by)),
        received.leftBy(device),
        by);
  }

  /** Answers of which something tells that they are of a connection that came by an interface. */
  private int remembered(Interface at, List<Uplink> by) {
    long mask = gateway.numbers().uplinkMask();
    int all = Bdd.FALSE;
    for (Uplink uplink : by) {
      all = walk.or(all, walk.space().ofConnectionMarked(uplink.mark(), mask));
    }
    // Of several uplinks that nothing is remembered of, only the first one's find their way.
    boolean first = gateway.outside().getFirst().equals(at);
    int unmarked = uplinks().isEmpty() ? Bdd.TRUE : walk.space().ofConnectionMarked(0, mask);
    return by.isEmpty() ? (first ? unmarked : Bdd.FALSE) : all;
  }

  /** What a host of ours sends. */
  private int from(Prefix host) {
    return walk.and(meaning.fromNetworks(), walk.space().source(List.of(host)));
  }

  // ---- as whom

  private boolean isTranslated(Host.InternetAccess access) {
    boolean meansNothing =
        family == Family.V4
            || gateway.prefixes(access.from()).anyMatch(Prefix.UNIQUE_LOCAL::contains);
    return switch (access.nat()) {
      case Host.SourceNat.Masquerade masquerade -> meansNothing;
      case Host.SourceNat.Fixed fixed -> fixed.address().value().family() == family || meansNothing;
      case Host.SourceNat.None none -> false;
    };
  }

  /** Towards the world a network appears as its way to the internet says, whatever lets it out. */
  private int as(Host.Flow flow) {
    boolean said =
        flow.to().place() instanceof Place.Internet
            && host.internet().stream().anyMatch(access -> overlaps(access.from(), flow.from()));
    return said ? Bdd.TRUE : walk.minus(Bdd.TRUE, walk.received().leftAsAnother());
  }

  private boolean overlaps(Network network, Place other) {
    return other instanceof Network of
        && gateway.prefixes(network).anyMatch(one -> gateway.prefixes(of).anyMatch(one::overlaps));
  }

  /** What leaves as the one that the description says. */
  private int as(Host.InternetAccess access) {
    Journey received = walk.received();
    int asItself = walk.minus(received.left(), received.leftAsAnother());
    int asUs = Bdd.FALSE;
    for (Interface at : gateway.outside()) {
      int by = received.leftBy(at.device());
      // Which of several addresses masquerade takes is open, and so is one that is followed.
      boolean known = !at.isFollowed(family) && meaning.own(at).size() == 1;
      int whom = known ? received.leftWithSource(meaning.own(at)) : Bdd.TRUE;
      asUs = walk.or(asUs, walk.and(by, whom));
    }
    int global = family == Family.V6 ? walk.minus(Bdd.TRUE, fromUniqueLocal()) : Bdd.FALSE;
    int masqueraded =
        walk.or(walk.and(asUs, walk.minus(Bdd.TRUE, global)), walk.and(asItself, global));
    return switch (access.nat()) {
      case Host.SourceNat.Masquerade masquerade -> masqueraded;
      case Host.SourceNat.Fixed fixed ->
          fixed.address().value().family() == family
              ? fixed(fixed.address().value(), masqueraded)
              : masqueraded;
      case Host.SourceNat.None none -> asItself;
    };
  }

  /** By the interface that has the address, if one has it, and by others as these have it. */
  private int fixed(Address address, int elsewhere) {
    Journey received = walk.received();
    int as = received.leftWithSource(List.of(Prefix.host(address)));
    List<String> its =
        gateway.outside().stream()
            .filter(at -> meaning.own(at).contains(Prefix.host(address)))
            .map(Interface::device)
            .toList();
    int by = its.isEmpty() ? Bdd.TRUE : walk.leftBy(received, its);
    return walk.or(walk.and(as, by), walk.minus(elsewhere, by));
  }

  private int fromUniqueLocal() {
    return walk.space().source(Prefix.UNIQUE_LOCAL);
  }

  /** Whose addresses mean nothing out there never leaves with them, whatever conntrack says. */
  private void untranslated() {
    Journey received = walk.received();
    List<Prefix> hidden =
        host.internet().stream()
            .filter(access -> !(access.nat() instanceof Host.SourceNat.None))
            .flatMap(access -> gateway.prefixes(access.from()))
            .collect(Collectors.toCollection(ArrayList::new));
    hidden.addAll(meaning.far(meaning::toInternet));
    hidden.removeIf(
        prefix -> prefix.family() == Family.V6 && !Prefix.UNIQUE_LOCAL.contains(prefix));
    // This host's own address there means this host, whose answers find it again.
    int leaves =
        walk.minus(
            walk.and(
                received.leftInClear(),
                received.leftWithSource(hidden),
                meaning.leftForTheWorld(received)),
            received.leftWithSource(meaning.addresses()));
    suspects.add(
        Property.APPEARS,
        "leaves with an address that means nothing out there",
        /* made= */ false,
        leaves);
  }

  /** What is between somebody else's devices and the world goes on as if we were not here. */
  private void notOurs() {
    String setting = family == Family.V4 ? "net/ipv4/ip_forward" : "net/ipv6/conf/all/forwarding";
    boolean forwards = walk.host().sysctls().getOrDefault(setting, "0").equals("1");
    // Where a network of ours shares the way out, nothing but what is described leaves by it.
    boolean shared = meaning.onlyOutside().size() < meaning.outside().size();
    if (host.forward() != Host.Forward.OURS || !forwards || shared) {
      return;
    }
    int theirs =
        walk.minus(
            walk.and(
                walk.space().arrivesOn(HeaderSpace.ANOTHER_DEVICE),
                walk.space().inClear(),
                meaning.worldAsSource(),
                meaning.someWorld()),
            walk.space().ofConnectionWith(meaning.far()));
    int first = walk.and(theirs, meaning.ordinary());
    int later =
        walk.and(
            theirs,
            meaning.routable(),
            walk.or(walk.space().established(), walk.space().related()));
    suspects.little(
        "what is none of ours does not pass",
        /* made= */ false,
        walk.or(first, later),
        walk.received().left());
  }

  // ---- places

  /** Sources that are one host's, and not this one's. */
  private int somebody(Place place) {
    int odd = walk.or(meaning.edges(meaning.networks()), meaning.thisHostAsSource());
    int who = place instanceof Place.Internet ? meaning.worldAsSource() : meaning.from(place);
    return walk.minus(who, odd, meaning.oddAsSource());
  }

  private int leavesTo(Place place) {
    Journey received = walk.received();
    return switch (place) {
      case Network network -> received.leftBy(network.on().device());
      case Place.OfTunnel of -> received.leftThrough(of.name());
      case Place.Internet internet -> walk.leftBy(received, meaning.outside());
    };
  }
}
