package io.gatehouse.verify;

import io.gatehouse.bdd.Bdd;
import io.gatehouse.model.Family;
import io.gatehouse.model.Gateway;
import io.gatehouse.model.Host;
import io.gatehouse.model.Interface;
import io.gatehouse.model.Place;
import io.gatehouse.model.PortRange;
import io.gatehouse.model.Prefix;
import io.gatehouse.model.Protocol;
import io.gatehouse.path.Journey;
import java.util.List;

/** What the world may begin with this host, and with what is behind it. */
final class Outside {
  private final Gateway gateway;
  private final Walk walk;
  private final Meaning meaning;

  private Outside(Gateway gateway, Walk walk) {
    this.gateway = gateway;
    this.walk = walk;
    meaning = new Meaning(gateway, walk);
  }

  static List<Suspect> of(Gateway gateway, Walk walk) {
    Outside outside = new Outside(gateway, walk);
    Journey received = walk.received();
    int world =
        walk.minus(
            walk.and(
                walk.cameBy(outside.meaning.outside()),
                walk.space().inClear(),
                walk.ofNoConnection()),
            outside.ofOurNetworks());
    int delivered =
        gateway.host().inputClosed()
            ? walk.minus(walk.and(received.delivered(), world), outside.toThisHost())
            : Bdd.FALSE;
    int left = walk.minus(walk.and(received.left(), world), outside.through());
    return List.of(
        outside.suspect("comes from outside, is not described, and reaches this host", delivered),
        outside.suspect("comes from outside, is not described, and passes", left));
  }

  private Suspect suspect(String what, int packets) {
    return new Suspect(
        Property.OUTSIDE, what, false, walk.received(), packets, walk.space().firstOfConnection());
  }

  /** A gateway with one leg has its networks on the same wire. */
  private int ofOurNetworks() {
    int all = Bdd.FALSE;
    for (var network : gateway.networks()) {
      all = walk.or(all, meaning.from(network));
    }
    return all;
  }

  private int toThisHost() {
    int all = meaning.linkLocalIcmp();
    for (Interface at : gateway.outside()) {
      all = walk.or(all, meaning.ikeAndEspIn(at), leases(at));
    }
    for (Host.Offer offer : gateway.host().services()) {
      if (offer.from() instanceof Place.Internet) {
        all =
            walk.or(all, walk.and(meaning.from(offer.from()), meaning.services(offer.services())));
      }
    }
    if (gateway.host().ping() == Host.Ping.ANYBODY) {
      all = walk.or(all, meaning.echoRequest());
    }
    return walk.or(all, leasesForOthers());
  }

  /** Answers of DHCP servers to this host. */
  private int leases(Interface at) {
    int four = walk.space().family() == Family.V4 && at.dhcp() ? dhcp(67, 68) : Bdd.FALSE;
    int six =
        walk.space().family() == Family.V6 && at.routerAdvertisements()
            ? dhcp(547, 546)
            : Bdd.FALSE;
    return walk.and(walk.or(four, six), walk.space().arrivesOn(at.device()));
  }

  /** Questions of hosts without an address, where this host has a DHCP server on that wire. */
  private int leasesForOthers() {
    int all = Bdd.FALSE;
    for (Host.Offer offer : gateway.host().services()) {
      if (offer.from() instanceof io.gatehouse.model.Network network && network.on().isOutside()) {
        int asks = walk.or(dhcp(68, 67), dhcp(546, 547));
        all =
            walk.or(
                all,
                walk.and(
                    asks,
                    meaning.services(offer.services()),
                    walk.space().arrivesOn(network.on().device())));
      }
    }
    return all;
  }

  private int dhcp(int from, int to) {
    return walk.and(
        walk.space().protocol(Protocol.UDP.number()),
        walk.space().sourcePort(PortRange.of(from)),
        walk.space().destinationPort(PortRange.of(to)));
  }

  private int through() {
    int all = Bdd.FALSE;
    for (Host.Flow flow : gateway.host().flows()) {
      if (flow.from() instanceof Place.Internet) {
        all = walk.or(all, walk.and(meaning.from(flow.from()), meaning.towards(flow.to())));
      }
    }
    Journey received = walk.received();
    for (Host.PortForward forward : gateway.host().portForwards()) {
      List<Prefix> to = List.of(Prefix.host(forward.to().value()));
      int asked =
          walk.and(
              walk.space().arrivesOn(forward.on().device()),
              meaning.service(forward.service()),
              forward.from().isEmpty() ? Bdd.TRUE : walk.space().source(forward.from()),
              received.leftWithDestination(to));
      all = walk.or(all, asked);
    }
    if (gateway.host().forward() == Host.Forward.OURS) {
      all = walk.or(all, notOurs());
    }
    return all;
  }

  /** What goes to somebody else's devices, such as containers: none of our business. */
  private int notOurs() {
    Journey received = walk.received();
    int ours =
        walk.or(
            walk.leftBy(received, meaning.inside()),
            walk.leftBy(received, meaning.outside()),
            received.leftWithDestination(meaning.ours()),
            received.leftWithSource(meaning.ours()));
    return walk.minus(received.left(), ours);
  }
}
