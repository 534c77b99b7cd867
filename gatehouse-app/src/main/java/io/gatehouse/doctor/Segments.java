package io.gatehouse.doctor;

import io.gatehouse.bdd.Bdd;
import io.gatehouse.doctor.Finding.Certainty;
import io.gatehouse.doctor.Finding.Severity;
import io.gatehouse.model.Family;
import io.gatehouse.path.HeaderSpace;
import io.gatehouse.path.Journey;
import io.gatehouse.path.Journey.Decider;
import io.gatehouse.path.Journey.Step;
import io.gatehouse.ruleset.Expression;
import io.gatehouse.ruleset.Statement;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/** Whether TCP's segments fit into a tunnel. */
final class Segments implements Look {
  /** TCP's largest segment on Ethernet: 1500 − 20 − 20. */
  private static final int ETHERNET = 1460;

  private static final int TCP = 6;

  private final LinkPackets packets;
  private final Patient patient;
  private final HeaderSpace space;
  private final Bdd bdd;
  private final Journey received;

  Segments(LinkPackets packets, Journey received) {
    this.packets = packets;
    patient = packets.patient();
    space = packets.space();
    bdd = packets.space().bdd();
    this.received = received;
  }

  @Override
  public void at(Link link, Consumer<? super Finding> found) {
    int limit = limit(link);
    if (limit >= ETHERNET) {
      return;
    }
    // As hosts on Ethernet announce it: a rule that only lowers asks for the size first.
    int syn =
        packets.and(
            space.protocol(TCP),
            space.having("tcp flags", 2),
            space.having("tcp option maxseg size", ETHERNET),
            space.firstOfConnection());
    int goes =
        packets.and(
            syn,
            bdd.or(
                packets.and(packets.outbound(link), received.leftProtected()),
                packets.and(packets.inbound(link), received.left())));
    // Neither tool raises what is smaller already (tcpmss_mangle_packet, nft_exthdr).
    int fitting = Bdd.FALSE;
    for (Journey.Hop hop : received.hops()) {
      for (Journey.Decision decision : hop.decisions()) {
        if (size(decision).filter(size -> size <= limit).isPresent()) {
          fitting = bdd.or(fitting, decision.packets());
        }
      }
    }
    int left = bdd.difference(goes, fitting);
    for (Journey.Hop hop : received.hops()) {
      for (Journey.Decision decision : hop.decisions()) {
        Optional<Long> size = size(decision).filter(n -> n > limit);
        if (size.isPresent()) {
          int set = packets.and(left, decision.packets());
          if (isKnown(link)) {
            tooLarge(link, set, hop, decision, size.get(), limit, found);
          }
          left = bdd.difference(left, set);
        }
      }
    }
    packets
        .witness(received, left, link)
        .ifPresent(trace ->
            found.accept(
                new Finding(
                    Kind.NO_MSS_CLAMP,
                    Severity.WARNING,
                    Certainty.POSSIBLE,
                    "ping works through the tunnel, large transfers may hang",
                    "no rule lowers TCP's largest segment to what fits into the tunnel ("
                        + limit
                        + "), and routers that drop ICMP are common",
                    List.of(
                        link.evidence(),
                        Witness.packet(trace, "opens a connection and keeps its segment size")),
                    clamp(limit))));
  }

  private List<Command> clamp(long limit) {
    return List.of(
        Cure.clamp(space.family(), "in", limit), Cure.clamp(space.family(), "out", limit));
  }

  private void tooLarge(
      Link link,
      int set,
      Journey.Hop hop,
      Journey.Decision decision,
      long size,
      long limit,
      Consumer<? super Finding> found) {
    packets
        .witness(received, set, link)
        .ifPresent(trace ->
            found.accept(
                new Finding(
                    Kind.MSS_TOO_LARGE,
                    Severity.ERROR,
                    Certainty.LIKELY,
                    "ping works through the tunnel, large transfers hang",
                    "segments of " + size + " bytes do not fit into the tunnel: " + limit + " do",
                    List.of(
                        Cure.evidence(new Step(hop.name(), decision.by(), decision.effect())),
                        Witness.packet(trace, "may announce " + size)),
                    clamp(limit))));
  }

  /** What a rule sets TCP's largest segment to; 0 where that follows the path's MTU. */
  private static Optional<Long> size(Journey.Decision decision) {
    if (decision.by() instanceof Decider.ByRule rule) {
      for (Statement statement : rule.rule().statements()) {
        if (statement instanceof Statement.Assign assign
            && assign.target() instanceof Expression.TcpOption option
            && option.kind().equals("maxseg")) {
          return Optional.of(assign.value() instanceof Expression.Number n ? n.value() : 0L);
        }
      }
    }
    return Optional.empty();
  }

  /** Whether an SA of it tells what it costs. */
  private boolean isKnown(Link link) {
    return patient.associations().stream()
        .anyMatch(s -> link.tunnel().equals("reqid " + s.reqid()));
  }

  /** The largest segment that fits into the tunnel's packets. */
  private int limit(Link link) {
    int unit = link.device().map(d -> patient.ways().units().getOrDefault(d, 1500)).orElse(1500);
    boolean six = link.remote().map(r -> r.family() == Family.V6).orElse(false);
    Optional<Sa> sa =
        patient.associations().stream()
            .filter(s -> link.tunnel().equals("reqid " + s.reqid()))
            .findFirst();
    int overhead = sa.map(Sa::overhead).orElse(73);
    boolean udp = sa.map(s -> s.encapsulation().isPresent()).orElse(true);
    int headers = space.family() == Family.V4 ? 40 : 60;
    return unit - (six ? 40 : 20) - (udp ? 8 : 0) - overhead - headers;
  }
}
