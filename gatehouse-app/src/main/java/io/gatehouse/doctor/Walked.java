package io.gatehouse.doctor;

import io.gatehouse.bdd.Bdd;
import io.gatehouse.bdd.Bounded;
import io.gatehouse.model.Family;
import io.gatehouse.path.HeaderSpace;
import io.gatehouse.path.HostState;
import io.gatehouse.path.HostState.SpdState;
import io.gatehouse.path.Journey;
import io.gatehouse.path.PacketPath;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.Function;

/** What follows from a walk of the tunnels' packets through the model of the packet's path. */
final class Walked {
  /** Decision nodes for one question; a million take some 40 MB. */
  private static final int NODES = 6_000_000;

  /** Tunnels that are looked at one by one. */
  private static final int MOST_LINKS = 200;

  private final List<Link> links;
  private final PacketPath path;
  private final HeaderSpace space;
  private final Bdd bdd;
  private final LinkPackets packets;
  private final List<Finding> findings = new ArrayList<>();

  private Walked(Patient patient, List<Link> links, PacketPath path) {
    this.links = links;
    this.path = path;
    space = path.space();
    bdd = space.bdd();
    packets = new LinkPackets(patient, space);
  }

  /** Findings about packets of one family. */
  static List<Finding> look(Patient patient, Family family, List<String> notJudged) {
    List<Link> links = patient.links().stream().filter(l -> l.family() == family).toList();
    if (links.isEmpty()) {
      return List.of();
    }
    if (links.size() > MOST_LINKS) {
      notJudged.add(
          "%d tunnels' policies beyond the first %d"
              .formatted(links.size() - MOST_LINKS, MOST_LINKS));
      links = links.subList(0, MOST_LINKS);
    }
    List<Link> looked = links;
    List<Finding> findings = new ArrayList<>();
    findings.addAll(
        ask(
            patient,
            family,
            SpdState.UP,
            notJudged,
            path -> new Walked(patient, looked, path).up()));
    findings.addAll(
        ask(
            patient,
            family,
            SpdState.NO_POLICY,
            notJudged,
            path -> new Walked(patient, looked, path).down()));
    return Explained.without(findings, findings);
  }

  private static List<Finding> ask(
      Patient patient,
      Family family,
      SpdState state,
      List<String> notJudged,
      Function<PacketPath, List<Finding>> question) {
    HostState host = patient.host().withTunnels(tunnel -> Set.of(state));
    return switch (PacketPath.ask(host, family, NODES, question)) {
      case Bounded.Answer<List<Finding>> answer -> answer.value();
      case Bounded.GaveUp<List<Finding>> gaveUp -> {
        notJudged.add(
            "what the rules do with IPv%d packets of tunnels: it took more room than there is"
                .formatted(family == Family.V4 ? 4 : 6));
        yield List.of();
      }
    };
  }

  /** What is seen while the tunnels are up. */
  private List<Finding> up() {
    int asked = Bdd.FALSE;
    for (Link link : links) {
      asked = bdd.or(asked, bdd.or(packets.outbound(link), packets.inbound(link)));
    }
    Journey received = path.received(asked);
    int sources = Bdd.FALSE;
    for (Link link : links) {
      sources =
          bdd.or(sources, packets.and(space.source(packets.own()), space.source(link.near())));
    }
    int to = Bdd.FALSE;
    for (Link link : links) {
      to = bdd.or(to, space.destination(link.far()));
    }
    Journey sent =
        path.sent(packets.and(sources, space.whole(), space.unmarked(), space.arrivesOn("lo")));
    List<Look> looks =
        List.of(
            new NatEatsTunnel(packets, received, sent),
            new Passing(packets, received),
            new MarkNeverSet(packets, links, received, sent),
            new LanLost(packets, sent),
            new Segments(packets, received),
            new IkeArrives(packets, path));
    look(looks);
    FlowTables.look(received, this::add);
    return findings;
  }

  /** What is seen while they are down. */
  private List<Finding> down() {
    int asked = Bdd.FALSE;
    for (Link link : links) {
      asked = bdd.or(asked, bdd.or(packets.outbound(link), packets.spoofed(link)));
    }
    Journey journey = path.received(asked);
    look(List.of(new ClearWhenDown(packets, journey), new SpoofedWhenDown(packets, journey)));
    return findings;
  }

  private void look(List<Look> looks) {
    for (Link link : links) {
      for (Look look : looks) {
        look.at(link, this::add);
      }
    }
  }

  /** The first of a kind with the same evidence stands for all. */
  private void add(Finding finding) {
    boolean said =
        findings.stream()
            .anyMatch(f ->
                f.kind() == finding.kind()
                    && (f.evidence().getFirst().equals(finding.evidence().getFirst())
                        || f.remedy().equals(finding.remedy())));
    if (!said) {
      findings.add(finding);
    }
  }
}
