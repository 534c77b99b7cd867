package io.gatehouse.verify;

import io.gatehouse.bdd.Bdd;
import io.gatehouse.model.Gateway;
import io.gatehouse.model.Host;
import io.gatehouse.model.Located;
import io.gatehouse.model.Masquerade;
import io.gatehouse.model.Place;
import io.gatehouse.model.PortRange;
import io.gatehouse.model.Prefix;
import io.gatehouse.model.Protocol;
import io.gatehouse.path.Journey;
import java.util.List;

/** What the world may begin with what is behind this host. */
final class Outside {
  private final Gateway gateway;
  private final Walk walk;
  private final Meaning meaning;

  private Outside(Meaning meaning) {
    this.meaning = meaning;
    gateway = meaning.gateway();
    walk = meaning.walk();
  }

  static List<Suspect> of(Meaning meaning) {
    Outside outside = new Outside(meaning);
    Walk walk = meaning.walk();
    Journey received = walk.received();
    int world = walk.and(meaning.world(), meaning.begins());
    int left = walk.minus(walk.and(received.left(), world), outside.through());
    return List.of(outside.suspect("comes from outside, is not described, and passes", left));
  }

  private Suspect suspect(String what, int packets) {
    return new Suspect(
        Property.OUTSIDE, what, false, walk.received(), packets, walk.space().firstOfConnection());
  }

  private int through() {
    int all = Bdd.FALSE;
    for (Host.Flow flow : gateway.host().flows()) {
      if (flow.from() instanceof Place.Internet) {
        all =
            walk.or(
                all,
                walk.and(
                    meaning.from(flow.from()),
                    meaning.towards(flow.to()),
                    meaning.narrowed(flow, /* back= */ false)));
      }
    }
    Journey received = walk.received();
    for (Host.PortForward forward : gateway.host().portForwards()) {
      List<Prefix> to = List.of(Prefix.host(forward.to().value()));
      List<Prefix> own = meaning.own(forward.on());
      int served =
          walk.and(
              walk.space().protocol(forward.service().protocol().number()),
              forward
                  .toPort()
                  .map(PortRange::of)
                  .or(forward.service()::ports)
                  .map(received::leftWithDestinationPort)
                  .orElse(Bdd.TRUE));
      int asked =
          walk.and(
              meaning.service(forward.service()),
              own.isEmpty() ? meaning.thisHost() : walk.space().destination(own),
              served);
      // What is related has the destination that its connection was given.
      int related = walk.and(walk.space().related(), walk.or(meaning.icmpErrors(), served));
      int reaches =
          walk.and(
              walk.or(asked, related),
              walk.space().arrivesOn(forward.on().device()),
              forward.from().isEmpty() ? Bdd.TRUE : walk.space().source(forward.from()),
              received.leftWithDestination(to));
      all = walk.or(all, reaches);
    }
    if (gateway.masquerade().isPresent()) {
      all = walk.or(all, towardsVpnHosts(gateway.masquerade().get()));
    }
    return walk.or(all, meaning.notOurs());
  }

  /**
   * IPsec of remotes, to our address there, that goes on to a host of the networks in question; and
   * GRE, where one of those has a call of PPTP.
   */
  private int towardsVpnHosts(Masquerade masquerade) {
    int ike =
        walk.and(
            walk.space().protocol(Protocol.UDP.number()),
            walk.space().sourcePort(PortRange.of(500)),
            walk.space().destinationPort(PortRange.of(500)));
    int ipsec =
        walk.and(meaning.thisHost(), walk.or(ike, walk.space().protocol(Protocol.ESP.number())));
    return walk.and(
        walk.cameBy(List.copyOf(masquerade.devices())),
        walk.space().source(masquerade.remotes()),
        // Of what is expected, conntrack knows how it is translated: no destination of its own.
        walk.or(ipsec, calls(masquerade)),
        walk.received()
            .leftWithDestination(masquerade.prefixes().stream().map(Located::value).toList()));
  }

  private int calls(Masquerade masquerade) {
    int gre = walk.space().protocol(Protocol.GRE.number());
    return switch (masquerade.calls()) {
      case NONE -> Bdd.FALSE;
      case BY_KERNEL -> walk.and(walk.space().related(), gre);
      case BY_DAEMON -> walk.and(meaning.thisHost(), gre);
    };
  }
}
