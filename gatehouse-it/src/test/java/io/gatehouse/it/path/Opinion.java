package io.gatehouse.it.path;

import static io.gatehouse.bdd.Bdd.FALSE;

import io.gatehouse.bdd.Bdd;
import io.gatehouse.bdd.Bounded;
import io.gatehouse.it.path.Kernel.Fate;
import io.gatehouse.it.path.Kernel.Sight;
import io.gatehouse.model.Family;
import io.gatehouse.path.HeaderSpace;
import io.gatehouse.path.HeaderSpace.Connection;
import io.gatehouse.path.HostState;
import io.gatehouse.path.Journey;
import io.gatehouse.path.Journey.Decider;
import io.gatehouse.path.PacketPath;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * What the model says to what a kernel did with one packet.
 *
 * @param possible whether that is among what it says may happen
 * @param only whether it says that nothing else may
 * @param met what rules and points of the path it says were met, for the histogram
 * @param ways the model's ways of the packet, for whoever reads of a disagreement
 */
record Opinion(boolean possible, boolean only, List<String> met, String ways) {

  static Opinion of(HostState host, Sent sent, int phase, Fate fate) {
    Family family = sent.source().family();
    Bounded<Opinion> answer =
        PacketPath.ask(
            Live.withEnds(host, family), family, 1_000_000, path -> of(path, sent, phase, fate));
    return switch (answer) {
      case Bounded.Answer<Opinion> opinion -> opinion.value();
      case Bounded.GaveUp<Opinion> gaveUp ->
          new Opinion(false, false, List.of(), "gave up: " + gaveUp);
    };
  }

  private static Opinion of(PacketPath path, Sent sent, int phase, Fate fate) {
    HeaderSpace space = path.space();
    Bdd bdd = space.bdd();
    int packet = bdd.and(connections(space, sent, phase), properties(space, sent));
    Journey journey = sent.device().isPresent() ? path.received(packet) : path.sent(packet);
    int hit = bdd.and(agreeing(space, journey, sent, fate), journey.started());
    List<String> met = new ArrayList<>();
    for (Journey.Hop hop : journey.hops()) {
      for (Journey.Decision decision : hop.decisions()) {
        if (bdd.and(decision.packets(), hit) != FALSE) {
          met.addAll(Kinds.of(hop, decision));
        }
      }
    }
    boolean possible = hit != FALSE;
    return new Opinion(
        possible,
        possible && bdd.difference(journey.started(), hit) == FALSE,
        met,
        possible ? "" : journey.trace(journey.started()).map(Object::toString).orElse("no packet"));
  }

  /**
   * What conntrack may say of it. Whether a later packet belongs to the connection depends on zones
   * and on what was not tracked, and then the model need only have one of the ways.
   */
  private static int connections(HeaderSpace space, Sent sent, int phase) {
    Bdd bdd = space.bdd();
    int first = space.only(sent.as(Connection.NEW, false));
    int invalid = space.only(sent.as(Connection.INVALID, false));
    if (phase == 0) {
      // SYN with FIN: tcp_error.
      return sent.flags() == 3 ? invalid : first;
    }
    int standing = space.only(sent.as(Connection.ESTABLISHED, phase == 1));
    return bdd.or(standing, bdd.or(first, invalid));
  }

  private static int properties(HeaderSpace space, Sent sent) {
    Bdd bdd = space.bdd();
    String header = space.family().nft();
    int all =
        bdd.and(space.having("meta length", sent.length()), space.having(header + " dscp", 0));
    all = bdd.and(all, space.having("meta pkttype", 0));
    all = bdd.and(all, space.having(space.family() == Family.V4 ? "ip ttl" : "ip6 hoplimit", 64));
    return sent.protocol() == 6 ? bdd.and(all, space.having("tcp flags", sent.flags())) : all;
  }

  /** The circumstances in which the model says what the kernel did. */
  private static int agreeing(HeaderSpace space, Journey journey, Sent sent, Fate fate) {
    Bdd bdd = space.bdd();
    if (!fate.wrapped().isEmpty()) {
      Map.Entry<String, Sight> one = fate.wrapped().entrySet().iterator().next();
      Sight sight = one.getValue();
      int as = FALSE;
      for (String device : space.devices()) {
        as =
            bdd.or(
                as,
                journey.leftAs(
                    device,
                    sight.source(),
                    sight.destination(),
                    sight.sourcePort(),
                    sight.destinationPort()));
      }
      return bdd.and(
          bdd.and(journey.leftThrough(one.getKey()), journey.leftMarked(sight.mark())), as);
    }
    if (!fate.left().isEmpty()) {
      Sight sight = fate.left().getFirst();
      return bdd.and(
          bdd.and(journey.leftInClear(), journey.leftMarked(sight.mark())),
          journey.leftAs(
              sight.device().orElseThrow(),
              sight.source(),
              sight.destination(),
              sight.sourcePort(),
              sight.destinationPort()));
    }
    if (!fate.got().isEmpty()) {
      Sight sight = fate.got().getFirst();
      return bdd.and(
          journey.deliveredMarked(sight.mark()),
          journey.deliveredAs(
              sight.source(), sight.destination(), sight.sourcePort(), sight.destinationPort()));
    }
    String last = fate.points().isEmpty() ? "" : fate.points().getLast();
    int there = FALSE;
    for (Journey.Hop hop : journey.hops()) {
      for (Journey.Decision decision : hop.decisions()) {
        if (decision.effect() == Journey.Effect.DROPPED
            && (last.equals(lastPoint(hop, sent)) || isQueued(hop, decision, last))) {
          there = bdd.or(there, decision.packets());
        }
      }
    }
    return there;
  }

  /**
   * Packets for a policy without SA wait in a queue, once they have passed the next hook
   * (xdst_queue_output), and die there.
   */
  private static boolean isQueued(Journey.Hop hop, Journey.Decision decision, String last) {
    return hop.name().startsWith("xfrm out")
        && decision.by() instanceof Decider.ByXfrmPolicy policy
        && policy.policy().action() == HostState.PolicyAction.PROTECT
        && (last.startsWith("output-") || last.startsWith("forward-"));
  }

  /** The last point at which a packet was seen that this decision stopped. */
  private static String lastPoint(Journey.Hop hop, Sent sent) {
    boolean made = sent.device().isEmpty();
    String first = hop.name().split(" ", 2)[0];
    return switch (first) {
      case "prerouting", "input", "forward", "output", "postrouting" -> first + "-first";
      // ip6_rcv_core looks at addresses before the first hook.
      case "ingress", "arrival" -> "";
      case "route" ->
          hop.name().equals("route again") ? "output-first" : made ? "" : "prerouting-last";
      default ->
          switch (hop.name()) {
            case "xfrm fwd" -> "prerouting-last";
            case "xfrm out" -> made ? "" : "prerouting-last";
            case "xfrm in" -> "input-last";
            case "xfrm out, behind the hook" -> "output-last";
            case "xfrm out again" -> "output-first";
            default -> "postrouting-first";
          };
    };
  }
}
