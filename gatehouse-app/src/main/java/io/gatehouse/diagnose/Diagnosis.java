package io.gatehouse.diagnose;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * What several points tell together.
 *
 * @param points those with a capture, in the order of the way
 * @param tables what was seen of each story, the one with the gravest finding first
 * @param findings of all stories, gravest first; empty where nothing is wrong
 */
public record Diagnosis(List<Point> points, List<Table> tables, List<Finding> findings) {

  /**
   * Sessions that belong together.
   *
   * @param server what clients ask, at the first point that saw it
   * @param clients behind the first point's firewall
   * @param rows kinds of packets that were seen at all
   * @param sessions in words
   * @param findings about them, gravest first
   */
  public record Table(
      String server,
      List<String> clients,
      List<Row> rows,
      List<String> sessions,
      List<Finding> findings) {
    public Table {
      findings = List.copyOf(findings);
      clients = List.copyOf(clients);
      rows = List.copyOf(rows);
      sessions = List.copyOf(sessions);
    }
  }

  /**
   * One kind of packets.
   *
   * @param toServer packets at each point of {@link Diagnosis#points}
   * @param toClient the other direction
   */
  public record Row(Channel channel, List<Long> toServer, List<Long> toClient) {
    public Row {
      toServer = List.copyOf(toServer);
      toClient = List.copyOf(toClient);
    }
  }

  /** What accounts for what: a finding hides its consequences. */
  private static final Map<Kind, Set<Kind>> CONSEQUENCES = new EnumMap<>(Kind.class);

  static {
    Set<Kind> afterIke =
        Set.of(
            Kind.NO_ANSWER,
            Kind.AUTH_UNANSWERED,
            Kind.MESSAGES_LOST,
            Kind.PHASE_1_STUCK,
            Kind.PHASE_2_STUCK,
            Kind.DEAD_PEER,
            Kind.NO_ESP);
    Set<Kind> afterEsp =
        Set.of(Kind.ESP_UNANSWERED, Kind.NO_ESP, Kind.DEAD_PEER, Kind.DELETED_AT_ONCE);
    Set<Kind> everything = new HashSet<>(List.of(Kind.values()));
    everything.removeAll(
        Set.of(
            Kind.NOTHING_SEEN,
            Kind.NOT_TRANSLATED,
            Kind.REFUSED,
            Kind.LOOP,
            Kind.EVERYTHING_LOST,
            Kind.L2TP_IN_CLEAR,
            Kind.ZERO_SPI,
            Kind.AH_BEHIND_NAT));
    Set<Kind> untranslated = new HashSet<>(everything);
    untranslated.add(Kind.EVERYTHING_LOST);
    CONSEQUENCES.put(Kind.NOT_TRANSLATED, untranslated);
    CONSEQUENCES.put(Kind.EVERYTHING_LOST, everything);
    CONSEQUENCES.put(
        Kind.REFUSED,
        Set.of(
            Kind.NO_ANSWER,
            Kind.ESP_UNANSWERED,
            Kind.GRE_UNANSWERED,
            Kind.DEAD_PEER,
            Kind.UDP_500_LOST,
            Kind.UDP_4500_LOST,
            Kind.ESP_LOST,
            Kind.GRE_LOST,
            Kind.TCP_1723_LOST,
            Kind.ESP_IN_UDP_LOST,
            Kind.AH_LOST));
    CONSEQUENCES.put(Kind.LOOP, everything);
    CONSEQUENCES.put(Kind.AH_BEHIND_NAT, Set.of(Kind.AH_LOST));
    CONSEQUENCES.put(Kind.UDP_500_LOST, afterIke);
    CONSEQUENCES.put(Kind.UDP_4500_LOST, afterIke);
    CONSEQUENCES.put(Kind.ESP_LOST, afterEsp);
    CONSEQUENCES.put(Kind.ESP_IN_UDP_LOST, afterEsp);
    CONSEQUENCES.put(
        Kind.TCP_1723_LOST, Set.of(Kind.NO_ANSWER, Kind.GRE_UNANSWERED, Kind.DEAD_PEER));
    CONSEQUENCES.put(Kind.GRE_LOST, Set.of(Kind.GRE_UNANSWERED, Kind.DEAD_PEER));
    CONSEQUENCES.put(Kind.MTU, Set.of(Kind.AUTH_UNANSWERED, Kind.MESSAGES_LOST));
    CONSEQUENCES.put(
        Kind.FRAGMENTS_LOST, Set.of(Kind.AUTH_UNANSWERED, Kind.MESSAGES_LOST, Kind.MTU));
    CONSEQUENCES.put(Kind.NO_ANSWER, Set.of(Kind.AUTH_UNANSWERED, Kind.DEAD_PEER, Kind.NO_ESP));
    CONSEQUENCES.put(Kind.OTHER_SOURCE, Set.of(Kind.NO_ANSWER, Kind.AUTH_UNANSWERED));
    CONSEQUENCES.put(Kind.ZERO_COOKIE, Set.of(Kind.NO_ANSWER));
    CONSEQUENCES.put(
        Kind.AUTH_REFUSED, Set.of(Kind.DELETED_AT_ONCE, Kind.PHASE_1_STUCK, Kind.NO_ESP));
    CONSEQUENCES.put(Kind.NO_PROPOSAL, Set.of(Kind.PHASE_2_STUCK, Kind.NO_ESP));
    CONSEQUENCES.put(Kind.DELETED_AT_ONCE, Set.of(Kind.NO_ESP));
    CONSEQUENCES.put(Kind.PHASE_2_STUCK, Set.of(Kind.NO_ESP));
    CONSEQUENCES.put(Kind.ESP_UNANSWERED, Set.of(Kind.NO_ESP));
    CONSEQUENCES.put(
        Kind.SECOND_SESSION,
        Set.of(
            Kind.DEAD_PEER,
            Kind.NEW_SPI_LOST,
            Kind.ASSOCIATION_EXPIRED,
            Kind.MESSAGES_LOST,
            Kind.MISDELIVERED));
    CONSEQUENCES.put(Kind.ASSOCIATION_EXPIRED, Set.of(Kind.DEAD_PEER, Kind.MESSAGES_LOST));
    CONSEQUENCES.put(Kind.NEW_SPI_LOST, Set.of(Kind.DEAD_PEER, Kind.MESSAGES_LOST));
    CONSEQUENCES.put(Kind.MPPE_REFUSED, Set.of(Kind.DEAD_PEER));
    CONSEQUENCES.put(Kind.UNKNOWN_COOKIE, Set.of(Kind.DEAD_PEER));
  }

  public Diagnosis {
    points = List.copyOf(points);
    tables = List.copyOf(tables);
    findings = List.copyOf(findings);
  }

  /** Where watches stand that nobody has named; nothing where their packets do not tell. */
  public static Optional<List<Point>> guess(List<Watch> watches) {
    return new Stories(watches).guess();
  }

  /** Judges what was seen. The points are those of the watches, each another one. */
  public static Diagnosis of(List<Watch> watches, List<Point> points) {
    List<Story> stories = new Stories(watches).of(points);
    List<Point> order = points.stream().sorted().toList();
    record Judged(Story story, List<Finding> findings) {}
    List<Judged> judged = new ArrayList<>();
    for (Story story : stories) {
      if (story.packets() > 0) {
        judged.add(new Judged(story, judge(story)));
      }
    }
    judged.sort(
        Comparator.comparing((Judged j) -> j.findings().isEmpty())
            .thenComparing(
                j -> j.findings().isEmpty() ? Kind.ZERO_SPI : j.findings().getFirst().kind()));
    List<Finding> findings = new ArrayList<>();
    judged.forEach(
        j -> j.findings().stream().filter(f -> !findings.contains(f)).forEach(findings::add));
    if (judged.isEmpty()) {
      findings.add(
          Finding.of(
              Kind.NOTHING_SEEN,
              "No packet of a VPN stands in what was captured: no IKE, ESP, AH, PPTP, GRE or L2TP."
                  + " The client does not send any, or by another way.",
              "check the client's configuration and its default route",
              "capture without a filter, on the interface that leads to the client"));
    }
    return new Diagnosis(
        order, judged.stream().map(j -> table(j.story(), j.findings())).toList(), findings);
  }

  private static List<Finding> judge(Story story) {
    List<Finding> all = new ArrayList<>();
    Refusals.look(story, all);
    Losses.look(story, all);
    Negotiation.look(story, all);
    DataFlow.look(story, all);
    Pptp.look(story, all);
    Set<Kind> there = new HashSet<>();
    all.forEach(finding -> there.add(finding.kind()));
    Set<Kind> hidden = new HashSet<>();
    there.forEach(kind -> hidden.addAll(CONSEQUENCES.getOrDefault(kind, Set.of())));
    List<Finding> kept = new ArrayList<>();
    Set<Kind> said = new HashSet<>();
    all.stream()
        .filter(finding -> !hidden.contains(finding.kind()))
        .sorted(Comparator.comparing(Finding::kind))
        .filter(finding -> said.add(finding.kind()))
        .forEach(kept::add);
    return kept;
  }

  private static Table table(Story story, List<Finding> findings) {
    List<Row> rows = new ArrayList<>();
    for (Channel channel : Channel.values()) {
      if (story.everywhere(channel) > 0) {
        List<Long> there = new ArrayList<>();
        List<Long> back = new ArrayList<>();
        for (int at = 0; at <= story.last(); at++) {
          there.add(story.count(at, channel, true));
          back.add(story.count(at, channel, false));
        }
        rows.add(new Row(channel, there, back));
      }
    }
    List<String> clients = new ArrayList<>();
    for (int at = 0; at <= story.last() && clients.isEmpty(); at++) {
      story.clients(at).forEach(client -> clients.add(client.toString()));
    }
    return new Table(
        story.server().map(Object::toString).orElse("?"),
        clients,
        rows,
        Sessions.of(story),
        findings);
  }
}
