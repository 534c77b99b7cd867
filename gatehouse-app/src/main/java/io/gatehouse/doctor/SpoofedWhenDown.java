package io.gatehouse.doctor;

import io.gatehouse.bdd.Bdd;
import io.gatehouse.doctor.Finding.Certainty;
import io.gatehouse.doctor.Finding.Evidence;
import io.gatehouse.doctor.Finding.Severity;
import io.gatehouse.model.PortRange;
import io.gatehouse.path.HeaderSpace;
import io.gatehouse.path.Journey;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/** What gets in under a tunnel's addresses while it is down. */
final class SpoofedWhenDown implements Look {
  private static final int UDP = 17;
  private static final int ESP = 50;

  private final LinkPackets packets;
  private final HeaderSpace space;
  private final Bdd bdd;
  private final Journey journey;

  SpoofedWhenDown(LinkPackets packets, Journey journey) {
    this.packets = packets;
    space = packets.space();
    bdd = packets.space().bdd();
    this.journey = journey;
  }

  @Override
  public void at(Link link, Consumer<? super Finding> found) {
    if (link.far().isAll()) {
      return;
    }
    // IKE's sockets take what comes from anybody, and ESP is looked at by its SA.
    int ike =
        bdd.or(
            space.protocol(ESP),
            packets.and(
                space.protocol(UDP),
                bdd.or(
                    space.destinationPort(PortRange.of(500)),
                    space.destinationPort(PortRange.of(4500)))));
    int here = bdd.difference(journey.delivered(), ike);
    int in = packets.and(packets.spoofed(link), bdd.or(journey.left(), here));
    packets
        .witness(journey, in, link)
        .ifPresent(trace -> {
          List<Evidence> evidence = new ArrayList<>();
          Witness.accepting(trace, "forward", "input")
              .ifPresent(s -> evidence.add(Cure.evidence(s)));
          evidence.add(Witness.packet(trace, "did not come through a tunnel and is accepted"));
          found.accept(
              new Finding(
                  Kind.SPOOFED_SOURCE,
                  Severity.ERROR,
                  Certainty.CERTAIN,
                  "whoever forges a source of " + link.far() + " gets in while the tunnel is down",
                  "the rule asks for an address and not for the tunnel that it should come through",
                  evidence,
                  List.of(
                      Cure.block("fwd", link.far().toString(), Cure.everything(space.family())),
                      Cure.block("in", link.far().toString(), Cure.everything(space.family())))));
        });
  }
}
