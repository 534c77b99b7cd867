package io.gatehouse.doctor;

import io.gatehouse.doctor.Finding.Certainty;
import io.gatehouse.doctor.Finding.Evidence;
import io.gatehouse.doctor.Finding.Severity;
import io.gatehouse.path.HeaderSpace;
import io.gatehouse.path.Journey;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/** What leaves in clear while its tunnel is down. */
final class ClearWhenDown implements Look {
  private final LinkPackets packets;
  private final HeaderSpace space;
  private final Journey journey;

  ClearWhenDown(LinkPackets packets, Journey journey) {
    this.packets = packets;
    space = packets.space();
    this.journey = journey;
  }

  @Override
  public void at(Link link, Consumer<? super Finding> found) {
    int out = packets.and(packets.outbound(link), space.firstOfConnection(), journey.leftInClear());
    int wanted = link.device().map(d -> packets.and(out, journey.leftBy(d))).orElse(out);
    packets
        .witness(journey, wanted, link)
        .ifPresent(trace -> {
          List<Evidence> evidence = new ArrayList<>();
          Witness.accepting(trace, "forward").ifPresent(step -> evidence.add(Cure.evidence(step)));
          evidence.add(new Evidence("no policy dir out blocks " + link.far(), "xfrm-policy.txt"));
          evidence.add(Witness.packet(trace, "leaves in clear"));
          boolean all = link.far().isAll();
          found.accept(
              new Finding(
                  Kind.CLEAR_WHEN_DOWN,
                  all ? Severity.WARNING : Severity.ERROR,
                  Certainty.CERTAIN,
                  "while the tunnel to " + link.far() + " is down, its packets leave in clear",
                  "nothing holds them back when the IKE daemon takes its policies away",
                  evidence,
                  List.of(
                      Cure.block("out", Cure.everything(space.family()), link.far().toString()))));
        });
  }
}
