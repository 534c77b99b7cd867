package io.gatehouse.verify;

import io.gatehouse.bdd.Bdd;
import io.gatehouse.model.Gateway;
import io.gatehouse.model.Identity;
import io.gatehouse.model.Prefix;
import io.gatehouse.model.Selectors;
import io.gatehouse.model.Tunnel;
import io.gatehouse.path.Journey;
import java.util.ArrayList;
import java.util.List;

/** What NAT does to tunnels' packets, and by which way identities leave. */
final class Rewriting {
  private Rewriting() {}

  static List<Suspect> of(Meaning meaning) {
    Gateway gateway = meaning.gateway();
    Walk walk = meaning.walk();
    List<Suspect> suspects = new ArrayList<>();
    Selectors selectors = new Selectors(gateway);
    Journey received = walk.received();
    int first = walk.space().firstOfConnection();
    int translated = walk.and(received.leftTranslated(), first);
    for (Alike alike : meaning.alike()) {
      int selected =
          walk.and(
              walk.space().source(selectors.local(alike.first())),
              walk.space().destination(alike.far()));
      suspects.add(
          new Suspect(
              Property.REWRITTEN,
              "belongs into " + alike.who() + " and is rewritten",
              false,
              received,
              walk.and(translated, selected)));
      suspects.add(
          new Suspect(
              Property.REWRITTEN,
              "does not belong into " + alike.who() + " and NAT moves it there",
              false,
              received,
              walk.minus(
                  walk.and(received.leftThrough(alike.names()), first),
                  selected,
                  alike.first().maps(walk.space().family())
                      ? walk.and(
                          walk.space().destination(alike.far()),
                          meaning.leftAsKnown(alike.first(), received))
                      : Bdd.FALSE,
                  shared(alike, walk, meaning))));
    }
    for (Identity identity : gateway.identities()) {
      suspects.addAll(identity(identity, walk, meaning));
    }
    return suspects;
  }

  /**
   * What NAT may move into a tunnel of which this host is the client: what its networks begin
   * there, under the virtual IP.
   */
  private static int shared(Alike alike, Walk walk, Meaning meaning) {
    if (!(alike.first() instanceof Tunnel.Client client)) {
      return Bdd.FALSE;
    }
    return walk.and(
        meaning.begunBy(client),
        walk.space().destination(alike.far()),
        walk.received().leftWithSource(meaning.virtual(client)));
  }

  /** Networks of ours that are on no identity's way are reached directly, by any of them. */
  private static int beside(Identity identity, Journey journey, Meaning meaning) {
    return journey.leftWithDestination(meaning.networksBeside(identity));
  }

  private static List<Suspect> identity(Identity identity, Walk walk, Meaning meaning) {
    List<Prefix> addresses = Meaning.hosts(identity.addresses(), walk.space().family());
    if (addresses.isEmpty()) {
      return List.of();
    }
    List<Suspect> suspects = new ArrayList<>();
    for (Journey journey : List.of(walk.received(), walk.sent())) {
      suspects.add(
          new Suspect(
              Property.IDENTITY,
              "has the address of " + identity.name() + " and leaves by another way",
              journey == walk.sent(),
              journey,
              walk.minus(
                  journey.leftWithSource(addresses),
                  journey.leftBy(identity.device()),
                  journey.leftBy("lo"),
                  beside(identity, journey, meaning))));
    }
    // Its own way is open, and not only closed to others.
    int world =
        walk.minus(
            walk.and(walk.space().source(addresses), meaning.someWorld(), walk.ordinary()),
            meaning.l2tpOut());
    suspects.add(
        new Suspect(
            Property.IDENTITY,
            "is what " + identity.name() + " sends and never leaves by its way",
            true,
            walk.sent(),
            meaning.outputIsOpen()
                ? walk.minus(world, walk.space().packets(walk.sent().leftBy(identity.device())))
                : Bdd.FALSE));
    return suspects;
  }
}
