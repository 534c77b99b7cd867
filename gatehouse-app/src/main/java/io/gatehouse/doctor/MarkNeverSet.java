package io.gatehouse.doctor;

import io.gatehouse.bdd.Bdd;
import io.gatehouse.doctor.Finding.Certainty;
import io.gatehouse.doctor.Finding.Evidence;
import io.gatehouse.doctor.Finding.Severity;
import io.gatehouse.path.HeaderSpace;
import io.gatehouse.path.Journey;
import java.util.List;
import java.util.function.Consumer;

/** A tunnel's policies that ask for a mark which nothing sets. */
final class MarkNeverSet implements Look {
  private final LinkPackets packets;
  private final HeaderSpace space;
  private final Bdd bdd;
  private final List<Link> links;
  private final Journey received;
  private final Journey sent;

  MarkNeverSet(LinkPackets packets, List<Link> links, Journey received, Journey sent) {
    this.packets = packets;
    space = packets.space();
    bdd = packets.space().bdd();
    this.links = links;
    this.received = received;
    this.sent = sent;
  }

  /** Policies that ask for a mark, and nothing sets it. */
  @Override
  public void at(Link link, Consumer<? super Finding> found) {
    boolean alone =
        links.stream()
            .filter(l -> l.tunnel().equals(link.tunnel()))
            .allMatch(l -> l.policy().mark().isPresent());
    if (!alone) {
      return;
    }
    int used = bdd.or(received.leftThrough(link.tunnel()), sent.leftThrough(link.tunnel()));
    if (space.upperBound(used) != Bdd.FALSE) {
      return;
    }
    int first = packets.and(packets.outbound(link), space.firstOfConnection(), received.started());
    String mark =
        link.policy().mark().map(m -> "0x%x/0x%x".formatted(m.value(), m.mask())).orElse("");
    received
        .trace(first, packets.wishes(link))
        .ifPresent(trace ->
            found.accept(
                new Finding(
                    Kind.MARK_NEVER_SET,
                    Severity.ERROR,
                    Certainty.CERTAIN,
                    "the tunnel to " + link.far() + " is up and never used",
                    "its policy asks for the mark " + mark + ", and no rule gives packets that one",
                    List.of(
                        new Evidence(
                            link.evidence().text() + " mark " + mark, link.evidence().place()),
                        Witness.packet(trace, "does not enter the tunnel")),
                    List.of(
                        Command.of(
                            "%s -t mangle -I PREROUTING -s %s -d %s -j MARK --set-xmark %s",
                            Cure.iptables(space.family()), link.near(), link.far(), mark)))));
  }
}
