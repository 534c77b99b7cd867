package io.gatehouse.doctor;

import io.gatehouse.bdd.Bdd;
import io.gatehouse.doctor.Finding.Certainty;
import io.gatehouse.doctor.Finding.Severity;
import io.gatehouse.model.Family;
import io.gatehouse.path.HeaderSpace;
import io.gatehouse.path.Journey;
import io.gatehouse.path.Journey.Effect;
import io.gatehouse.path.Journey.Step;
import io.gatehouse.path.Journey.Trace;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/** What belongs into a tunnel, and is translated before it gets there. */
final class NatEatsTunnel implements Look {
  private final LinkPackets packets;
  private final Patient patient;
  private final HeaderSpace space;
  private final Bdd bdd;
  private final Journey received;
  private final Journey sent;

  NatEatsTunnel(LinkPackets packets, Journey received, Journey sent) {
    this.packets = packets;
    patient = packets.patient();
    space = packets.space();
    bdd = packets.space().bdd();
    this.received = received;
    this.sent = sent;
  }

  @Override
  public void at(Link link, Consumer<? super Finding> found) {
    if (link.policy().mark().isPresent()) {
      return;
    }
    eaten(link, received, packets.outbound(link), found);
    int own =
        packets.and(
            space.source(link.near()), space.source(packets.own()), packets.selected(link, true));
    eaten(link, sent, packets.and(own, space.destination(link.far())), found);
  }

  /** What belongs into the tunnel is translated first, and then no policy fits it. */
  private void eaten(Link link, Journey journey, int wanted, Consumer<? super Finding> found) {
    int first = packets.and(wanted, space.firstOfConnection());
    int translated = Bdd.FALSE;
    for (Journey.Hop hop : journey.hops()) {
      for (Journey.Decision decision : hop.decisions()) {
        if (decision.effect() == Effect.TRANSLATED && hop.name().startsWith("postrouting ")) {
          translated = bdd.or(translated, decision.packets());
        }
      }
    }
    int lost = bdd.difference(packets.and(first, translated), journey.leftProtected());
    packets
        .witness(journey, lost, link)
        .ifPresent(trace ->
            trace.steps().stream()
                .filter(s -> s.effect() == Effect.TRANSLATED)
                .findFirst()
                .ifPresent(step -> eaten(link, trace, step, found)));
  }

  private void eaten(Link link, Trace trace, Step step, Consumer<? super Finding> found) {
    boolean leaves = trace.outcome().isPresent();
    String end = trace.outcome().map(o -> "leaves in clear, as " + o.source()).orElse("is dropped");
    List<Command> remedy = new ArrayList<>();
    remedy.add(
        Cure.accept(
            patient,
            step,
            new Cure.Words(
                List.of("-m", "policy", "--dir", "out", "--pol", "ipsec"),
                List.of("rt", "ipsec", "exists"))));
    remedy.add(
        Command.of(
            "conntrack -D -f %s -s %s -d %s",
            space.family() == Family.V4 ? "ipv4" : "ipv6", link.near(), link.far()));
    found.accept(
        new Finding(
            Kind.NAT_EATS_TUNNEL,
            Severity.ERROR,
            Certainty.CERTAIN,
            "the tunnel to "
                + link.far()
                + " is up, and packets for it "
                + (leaves ? "leave in clear" : "never enter it"),
            "NAT changes their source, and then no IPsec policy of it fits them",
            List.of(Cure.evidence(step), link.evidence(), Witness.packet(trace, end)),
            remedy));
  }
}
