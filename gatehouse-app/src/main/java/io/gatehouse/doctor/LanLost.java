package io.gatehouse.doctor;

import io.gatehouse.bdd.Bdd;
import io.gatehouse.doctor.Finding.Certainty;
import io.gatehouse.doctor.Finding.Severity;
import io.gatehouse.model.Prefix;
import io.gatehouse.path.HeaderSpace;
import io.gatehouse.path.HostState;
import io.gatehouse.path.Journey;
import java.util.List;
import java.util.function.Consumer;

/** This host's own link, swallowed by a tunnel for everything. */
final class LanLost implements Look {
  private final LinkPackets packets;
  private final Patient patient;
  private final HeaderSpace space;
  private final Bdd bdd;
  private final Journey sent;

  LanLost(LinkPackets packets, Journey sent) {
    this.packets = packets;
    patient = packets.patient();
    space = packets.space();
    bdd = packets.space().bdd();
    this.sent = sent;
  }

  @Override
  public void at(Link link, Consumer<? super Finding> found) {
    if (!link.far().isAll()) {
      return;
    }
    for (HostState.Device device : patient.host().devices()) {
      boolean outer = link.device().filter(device.name()::equals).isPresent();
      for (var address : device.addresses()) {
        Prefix net = address.link();
        if (address.address().family() != space.family()
            || device.name().equals("lo")
            || net.length() == net.family().bits()
            || !link.near().contains(address.address())) {
          continue;
        }
        int there =
            bdd.difference(
                packets.and(
                    space.source(Prefix.host(address.address())),
                    space.destination(net),
                    space.firstOfConnection()),
                space.destination(
                    Prefix.host(net.first()),
                    Prefix.host(net.last()),
                    Prefix.host(address.address())));
        int swallowed = packets.and(there, sent.leftThrough(link.tunnel()));
        packets
            .witness(sent, swallowed, link)
            .ifPresent(trace ->
                found.accept(
                    new Finding(
                        Kind.LAN_LOST,
                        Severity.ERROR,
                        Certainty.CERTAIN,
                        "while the tunnel is up, hosts on " + net + " cannot be reached",
                        "the tunnel takes everything, the own link"
                            + (outer ? "" : " of " + device.name())
                            + " included",
                        List.of(link.evidence(), Witness.packet(trace, "goes into the tunnel")),
                        List.of(spared(net, "out"), spared(net, "in"), spared(net, "fwd")))));
      }
    }
  }

  private static Command spared(Prefix net, String direction) {
    return Command.of("ip xfrm policy add src %s dst %s dir %s priority 1", net, net, direction);
  }
}
