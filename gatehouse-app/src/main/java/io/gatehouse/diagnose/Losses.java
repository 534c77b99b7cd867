package io.gatehouse.diagnose;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Kinds of packets that pass one point and never the next. */
final class Losses {
  private static final Map<Channel, Kind> KINDS = new EnumMap<>(Channel.class);

  static {
    KINDS.put(Channel.UDP_500, Kind.UDP_500_LOST);
    KINDS.put(Channel.UDP_4500, Kind.UDP_4500_LOST);
    KINDS.put(Channel.ESP, Kind.ESP_LOST);
    KINDS.put(Channel.ESP_IN_UDP, Kind.ESP_IN_UDP_LOST);
    KINDS.put(Channel.AH, Kind.AH_LOST);
    KINDS.put(Channel.TCP_1723, Kind.TCP_1723_LOST);
    KINDS.put(Channel.GRE, Kind.GRE_LOST);
    KINDS.put(Channel.UDP_1701, Kind.UDP_1701_LOST);
  }

  private final Story story;
  private final List<Finding> findings;

  /** Where something is lost. */
  private record Gap(int from, int to, boolean toServer) {}

  private Losses(Story story, List<Finding> findings) {
    this.story = story;
    this.findings = findings;
  }

  static void look(Story story, List<Finding> findings) {
    Losses losses = new Losses(story, findings);
    losses.lost();
    losses.translated();
    losses.unanswered();
  }

  private void lost() {
    Map<Gap, List<Channel>> gaps = new LinkedHashMap<>();
    for (Channel channel : Channel.values()) {
      for (boolean toServer : new boolean[] {true, false}) {
        gap(channel, toServer)
            .ifPresent(gap -> gaps.computeIfAbsent(gap, g -> new ArrayList<>()).add(channel));
      }
    }
    gaps.forEach(this::report);
  }

  private Optional<Gap> gap(Channel channel, boolean toServer) {
    List<Integer> way = story.way(toServer);
    for (int i = 0; i + 1 < way.size(); i++) {
      int from = way.get(i);
      int to = way.get(i + 1);
      // A single packet may have been the last before the other capture began or ended.
      if (story.count(from, channel, toServer) >= 2 && story.count(to, channel, toServer) == 0) {
        boolean later =
            way.subList(i + 1, way.size()).stream()
                .anyMatch(at -> story.count(at, channel, toServer) > 0);
        return later ? Optional.empty() : Optional.of(new Gap(from, to, toServer));
      }
      if (story.count(from, channel, toServer) == 0) {
        return Optional.empty();
      }
    }
    return Optional.empty();
  }

  private void report(Gap gap, List<Channel> lost) {
    Point from = story.point(gap.from());
    Point to = story.point(gap.to());
    List<Channel> sent = new ArrayList<>();
    for (Channel channel : Channel.values()) {
      if (story.count(gap.from(), channel, gap.toServer()) > 0) {
        sent.add(channel);
      }
    }
    if (lost.size() > 1 && lost.containsAll(sent)) {
      findings.add(
          Finding.of(
                  Kind.EVERYTHING_LOST,
                  "Nothing of the session passes from the %s to the %s: %s. %s, and forwarding may be off there altogether."
                      .formatted(from.title(), to.title(), names(lost), Places.culprit(from, to)),
                  Places.next(Channel.UDP_500, from, to, server()).toArray(String[]::new))
              .between(from, to));
      return;
    }
    for (Channel channel : lost) {
      if (channel == Channel.AH) {
        ah(from, to);
        continue;
      }
      List<Channel> passing =
          sent.stream()
              .filter(c -> !lost.contains(c) && story.count(gap.to(), c, gap.toServer()) > 0)
              .toList();
      String text =
          "%s %s the %s and never reaches the %s%s. %s."
              .formatted(
                  longName(channel),
                  gap.toServer() ? "passes" : "comes back as far as",
                  from.title(),
                  to.title(),
                  passing.isEmpty() ? "" : ", while " + names(passing) + " does",
                  Places.culprit(from, to));
      Kind kind = KINDS.getOrDefault(channel, Kind.EVERYTHING_LOST);
      findings.add(
          Finding.of(kind, text, Places.next(channel, from, to, server()).toArray(String[]::new))
              .between(from, to)
              .in(channel));
    }
  }

  private void ah(Point from, Point to) {
    findings.add(
        Finding.of(
                Kind.AH_LOST,
                "AH (IP protocol 51) passes the %s and never reaches the %s. %s; and AH covers the addresses, so that nothing that translates can let it through."
                    .formatted(from.title(), to.title(), Places.culprit(from, to)),
                "use ESP instead of AH: esp_proposals in place of ah_proposals")
            .between(from, to)
            .in(Channel.AH));
  }

  private void translated() {
    for (int at = 0; at <= story.last(); at++) {
      for (Side side : story.at(at)) {
        boolean outside = story.point(at) != Point.CLIENT_LAN;
        boolean hasAh = side.count(Channel.AH, true) + side.count(Channel.AH, false) > 0;
        if (hasAh
            && (changes(at)
                || (Stories.isPrivate(side.client()) && !Stories.isPrivate(side.server())))) {
          findings.add(
              Finding.of(
                      Kind.AH_BEHIND_NAT,
                      "The client is behind NAT and uses AH (IP protocol 51), which covers the addresses: whoever translates them breaks it, always.",
                      "use ESP instead of AH: esp_proposals in place of ah_proposals")
                  .in(Channel.AH));
        }
        if (outside
            && story.point(at) != Point.SERVER_DMZ
            && Stories.isPrivate(side.client())
            && !Stories.isPrivate(side.server())) {
          findings.add(
              Finding.of(
                  Kind.NOT_TRANSLATED,
                  "At the %s the client still has its own address %s, to which nobody can answer: the client's firewall does not masquerade these packets."
                      .formatted(story.point(at).title(), side.client()),
                  "gatehouse doctor, on the client's firewall",
                  "masquerade what leaves by its outside interface, IPsec's policies exempt"));
        }
      }
    }
  }

  /** Whether somebody translates the client's address somewhere. */
  private boolean changes(int at) {
    for (int other = 0; other <= story.last(); other++) {
      if (!story.clients(other).isEmpty()
          && story.clients(other).stream().noneMatch(story.clients(at)::contains)) {
        return true;
      }
    }
    return false;
  }

  private void unanswered() {
    int last = story.last();
    Point point = story.point(last);
    for (Channel channel : List.of(Channel.UDP_500, Channel.UDP_4500, Channel.UDP_1701)) {
      long asked = story.count(last, channel, true);
      if (asked >= 2 && story.count(last, channel, false) == 0) {
        findings.add(noAnswer(channel, asked, point));
      }
    }
    int syns = story.at(last).stream().mapToInt(side -> side.talk().pptp.syns).sum();
    boolean silent =
        story.at(last).stream()
            .allMatch(side -> side.talk().pptp.synAnswers + side.talk().pptp.refusedSyns == 0);
    if (syns >= 2 && silent) {
      findings.add(noAnswer(Channel.TCP_1723, syns, point));
    }
  }

  private Finding noAnswer(Channel channel, long asked, Point point) {
    return Finding.of(
            Kind.NO_ANSWER,
            "%d packets of %s go to %s and none comes back to the %s. It is %s, or the address is wrong."
                .formatted(asked, longName(channel), server(), point.title(), Places.beyond(point)),
            point == Point.SERVER_DMZ
                ? "gatehouse doctor, on the server"
                : "capture nearer to the server at the same time",
            "gatehouse probe " + server())
        .in(channel);
  }

  private String server() {
    return story.server().map(Object::toString).orElse("SERVER");
  }

  private static String names(List<Channel> channels) {
    return String.join(", ", channels.stream().map(Channel::title).toList());
  }

  static String longName(Channel channel) {
    return switch (channel) {
      case ESP -> "ESP (IP protocol 50)";
      case AH -> "AH (IP protocol 51)";
      case GRE -> "GRE (IP protocol 47)";
      case UDP_500 -> "IKE on UDP 500";
      case UDP_4500 -> "IKE on UDP 4500";
      case ESP_IN_UDP -> "ESP in UDP 4500";
      case TCP_1723 -> "PPTP's control connection (TCP 1723)";
      case UDP_1701 -> "L2TP (UDP 1701)";
    };
  }
}
