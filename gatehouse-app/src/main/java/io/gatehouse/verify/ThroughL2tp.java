package io.gatehouse.verify;

import io.gatehouse.model.Gateway;
import io.gatehouse.model.Host;
import io.gatehouse.model.Interface;
import io.gatehouse.model.Tunnel;
import io.gatehouse.path.Journey;
import java.util.List;

/**
 * L2TP comes through an SA or not at all, and its SAs bring nothing else. Which of several clients
 * behind one NAT an answer goes to is no matter of a single packet: a kernel shows that.
 */
final class ThroughL2tp {
  private ThroughL2tp() {}

  static List<Suspect> of(Meaning meaning) {
    Gateway gateway = meaning.gateway();
    Walk walk = meaning.walk();
    Suspects suspects = Suspects.always(walk);
    // What NAT has given this port meanwhile is for another one here.
    int inClear =
        walk.minus(
            walk.and(meaning.l2tpIn(), walk.space().inClear(), meaning.untranslated()),
            walk.space().arrivesOn("lo"));
    suspects.add(
        Property.EVIDENCE,
        "L2TP in clear reaches this host",
        /* made= */ false,
        walk.and(inClear, walk.received().delivered()));
    Journey sent = walk.sent();
    suspects.add(
        Property.IN_CLEAR,
        "L2TP leaves this host in clear",
        /* made= */ true,
        walk.minus(
            walk.and(
                meaning.l2tpOut(),
                meaning.outsideAsSource(),
                meaning.untranslated(),
                sent.leftInClear()),
            sent.leftBy("lo")));
    for (Tunnel tunnel : gateway.tunnels()) {
      if (tunnel instanceof Tunnel.L2tp) {
        ask(gateway, tunnel, walk, meaning, suspects);
      }
    }
    return suspects.all();
  }

  private static void ask(
      Gateway gateway, Tunnel tunnel, Walk walk, Meaning meaning, Suspects suspects) {
    Journey received = walk.received();
    List<String> devices = tunnel.on().stream().map(Interface::device).toList();
    // In transport mode ESP and what it brings have the same destination.
    int begins =
        walk.and(walk.space().through(tunnel.name()), meaning.ownAddresses(), meaning.begins());
    int l2tp = walk.and(meaning.l2tpIn(), walk.cameBy(devices));
    if (gateway.host().inputClosed()) {
      suspects.much(
          tunnel.name() + " is given on this host what is not L2TP",
          /* made= */ false,
          walk.minus(
              walk.and(begins, received.delivered()),
              l2tp,
              offered(gateway, tunnel, walk, meaning)));
    }
    suspects.much(
        tunnel.name() + " goes through this host past L2TP",
        /* made= */ false,
        walk.and(begins, received.left()));
    // Of an SA with a mark the daemon's map says whether it is known.
    suspects.little(
        tunnel.name() + " does not get to this host's L2TP",
        /* made= */ false,
        walk.and(
            walk.space().through(tunnel.name()),
            walk.ordinary(),
            l2tp,
            walk.space().unmarked(),
            meaning.ownAddresses(),
            walk.space().source(Meaning.SOMEBODY)),
        received.delivered());
  }

  private static int offered(Gateway gateway, Tunnel tunnel, Walk walk, Meaning meaning) {
    return gateway.host().ping() == Host.Ping.NOBODY
        ? meaning.offers(tunnel, tunnel.services())
        : walk.or(meaning.offers(tunnel, tunnel.services()), meaning.echoRequest());
  }
}
