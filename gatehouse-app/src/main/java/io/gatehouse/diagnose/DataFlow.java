package io.gatehouse.diagnose;

import io.gatehouse.diagnose.Story.Sent;
import io.gatehouse.model.Address;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** What becomes of the packets of SAs: whether they are answered, and which of them vanish. */
final class DataFlow {
  private static final int SOME = 3;
  private static final int MANY = 10;
  private static final long SECOND = 1_000_000_000L;
  private static final List<Channel> DATA = List.of(Channel.ESP, Channel.ESP_IN_UDP, Channel.GRE);

  private final Story story;
  private final List<Finding> findings;

  private DataFlow(Story story, List<Finding> findings) {
    this.story = story;
    this.findings = findings;
  }

  static void look(Story story, List<Finding> findings) {
    DataFlow flow = new DataFlow(story, findings);
    flow.unanswered();
    flow.zero();
    for (boolean toServer : new boolean[] {true, false}) {
      List<Integer> way = story.way(toServer);
      for (int i = 0; i + 1 < way.size(); i++) {
        flow.sizes(way.get(i), way.get(i + 1), toServer);
        flow.sas(way.get(i), way.get(i + 1), toServer);
        flow.messages(way.get(i), way.get(i + 1), toServer);
      }
    }
    for (int at = 0; at <= story.last(); at++) {
      flow.misdelivered(at);
      flow.clients(at);
    }
    flow.silent();
  }

  private void zero() {
    for (int at = 0; at <= story.last(); at++) {
      if (story.at(at).stream().anyMatch(side -> side.talk().zeroSpis > 0)) {
        findings.add(
            Finding.of(
                Kind.ZERO_SPI,
                "ESP with an SPI of zero passes the "
                    + story.point(at).title()
                    + ", which may not be on the wire (RFC 4303, 2.1): it is forged, or not ESP.",
                "drop it: no rule has to let it through"));
      }
    }
  }

  // ---- answers

  private void unanswered() {
    oneWay(
        Kind.ESP_UNANSWERED,
        "ESP",
        List.of(Channel.ESP, Channel.ESP_IN_UDP),
        "gatehouse doctor, on the server: way back, forwarding, NAT in front of IPsec");
    oneWay(
        Kind.GRE_UNANSWERED,
        "GRE",
        List.of(Channel.GRE),
        "let IP protocol 47 pass in both directions on the server and its firewall");
  }

  private void oneWay(Kind kind, String name, List<Channel> channels, String next) {
    int last = story.last();
    long there = sum(last, channels, true);
    long back = sum(last, channels, false);
    if (there >= SOME && back == 0) {
      findings.add(
          Finding.of(
                  kind,
                  "%d packets of %s pass the %s towards the server, and none comes back: the other end gets them and has nothing to answer, or its answers find no way into the tunnel, or they are lost on the way. It is %s."
                      .formatted(
                          there, name, story.point(last).title(), Places.beyond(story.point(last))),
                  story.point(last) == Point.SERVER_DMZ
                      ? new String[] {next}
                      : new String[] {"capture nearer to the server at the same time", next})
              .likely());
    }
    long fromServer = sum(0, channels, false);
    if (fromServer >= SOME && sum(0, channels, true) == 0) {
      findings.add(
          Finding.of(
                  kind,
                  "%d packets of %s come to the client, and it sends none: its answers find no way into the tunnel."
                      .formatted(fromServer, name),
                  "look at the client's routes and policies: ip route show table 220, ip xfrm policy")
              .likely());
    }
  }

  private long sum(int at, List<Channel> channels, boolean toServer) {
    return channels.stream().mapToLong(channel -> story.count(at, channel, toServer)).sum();
  }

  /** It worked, and then one end said nothing more, at every point. */
  private void silent() {
    for (Side side : story.at(0)) {
      for (Channel channel : DATA) {
        Optional<Flow> out = side.flow(channel, true);
        Optional<Flow> in = side.flow(channel, false);
        if (out.isPresent()
            && in.isPresent()
            && out.get().unanswered >= MANY
            && out.get().last - out.get().unansweredSince >= 15 * SECOND) {
          findings.add(
              Finding.of(
                      Kind.DEAD_PEER,
                      "%s of %s was answered, and then no more: %d packets in %d s without an answer."
                          .formatted(
                              channel.title(),
                              side.client(),
                              out.get().unanswered,
                              (out.get().last - out.get().unansweredSince) / SECOND),
                      "look at the server: is it there, has it started anew?",
                      "set dpd_delay and dpd_action, so that a dead session ends")
                  .likely()
                  .in(channel));
        }
      }
    }
  }

  // ---- sizes

  private void sizes(int from, int to, boolean toServer) {
    Point one = story.point(from);
    Point other = story.point(to);
    int sentFirsts = 0;
    int firsts = 0;
    int sentLater = 0;
    int comeLater = 0;
    for (Side side : story.at(from)) {
      sentFirsts += side.firstFragments(toServer);
      sentLater += side.laterFragments(toServer);
    }
    for (Side side : story.at(to)) {
      comeLater += side.laterFragments(toServer);
      firsts += side.firstFragments(toServer);
    }
    // What came in fragments is only its first one's size at the other point.
    boolean inPieces = comeLater > sentLater;
    for (Channel channel : Channel.values()) {
      Flow sent = story.flow(from, channel, toServer);
      Flow come = story.flow(to, channel, toServer);
      if (!inPieces && come.count > 0 && sent.above(come.largest) >= SOME) {
        Optional<Talk.Error> told = tooBig(channel);
        findings.add(
            Finding.of(
                    Kind.MTU,
                    "Small packets of %s pass from the %s to the %s, and large ones do not: up to %d bytes arrive, %d larger ones (up to %d) vanish. %s"
                        .formatted(
                            Losses.longName(channel),
                            one.title(),
                            other.title(),
                            come.largest,
                            sent.above(come.largest),
                            sent.largest,
                            told.map(error ->
                                    "%s says that %d bytes is its limit, and the sender does not hear it."
                                        .formatted(error.reporter, error.mtu))
                                .orElse(
                                    "Whoever drops them does not say so, or is not heard (ICMP 3/4).")),
                    "lower the MSS on the gateway (`mss:` of the tunnel) until what it makes arrives",
                    "let ICMP type 3 pass (ICMPv6: type 2)")
                .between(one, other)
                .in(channel));
      }
    }
    boolean madeBetween = sentFirsts == 0 && sentLater == 0 && firsts >= 2;
    if (comeLater == 0 && (sentLater >= 2 || madeBetween)) {
      findings.add(
          Finding.of(
                  Kind.FRAGMENTS_LOST,
                  "%s pass the %s, and %s reaches the %s: something between drops fragments, and with them every large message of IKE."
                      .formatted(
                          madeBetween ? "Large packets" : sentLater + " fragments",
                          one.title(),
                          firsts > 0 ? "only the first of each packet" : "none",
                          other.title()),
                  "fragmentation = yes at both ends (RFC 7383): IKE then makes its own small parts")
              .between(one, other));
    }
  }

  private Optional<Talk.Error> tooBig(Channel channel) {
    return story.sides.stream()
        .flatMap(List::stream)
        .flatMap(side -> side.talk().errors.stream())
        .filter(error -> error.about == channel && Refusals.isTooBig(error))
        .findFirst();
  }

  // ---- SAs

  private void sas(int from, int to, boolean toServer) {
    for (Sa sent : story.sas(from, toServer).toList()) {
      if (!sent.channel.isEsp() || story.count(to, sent.channel, toServer) == 0) {
        continue;
      }
      Optional<Sa> come = story.sa(to, toServer, sent.channel, sent.id);
      if (come.isEmpty()) {
        if (sent.flow.count >= SOME && story.ranLongEnough(from, to, sent.flow.first)) {
          newOne(sent, from, to, toServer);
        }
      } else if (sent.afterPause >= 0
          && come.get().highest < sent.afterPause
          && sent.highest - sent.afterPause + 1 >= SOME) {
        expired(sent, from, to);
      }
    }
  }

  private void newOne(Sa lost, int from, int to, boolean toServer) {
    Point one = story.point(from);
    Point other = story.point(to);
    String spi = "0x%08x".formatted(lost.id);
    int clients = Math.max(story.clients(from).size(), story.clients(to).size());
    if (clients > 1) {
      findings.add(
          Finding.of(
                  Kind.SECOND_SESSION,
                  "ESP of SPI %s passes the %s and not the %s, while another session's does: of several clients behind one address only one gets its packets. Stock masquerade cannot tell them apart."
                      .formatted(spi, one.title(), other.title()),
                  "masquerade: with gatehouse run on the client's firewall tells them apart",
                  "or force UDP encapsulation at the clients: encap = yes")
              .between(one, other));
      return;
    }
    boolean earlier =
        story
            .sas(from, toServer)
            .anyMatch(sa ->
                sa.channel == lost.channel
                    && sa.flow.first < lost.flow.first
                    && story.sa(to, toServer, sa.channel, sa.id).isPresent());
    if (earlier) {
      findings.add(
          Finding.of(
                  Kind.NEW_SPI_LOST,
                  "A rekeying brings ESP of a new SPI, %s, which passes the %s and not the %s, while the old one did: %s does not know whose it is."
                      .formatted(spi, one.title(), other.title(), keeper(one, other)),
                  "gatehouse masquerade status, on the client's firewall",
                  "or force UDP encapsulation: encap = yes")
              .between(one, other));
    }
  }

  private void expired(Sa sent, int from, int to) {
    Point one = story.point(from);
    Point other = story.point(to);
    long alive = story.at(0).stream().mapToLong(side -> side.keepalives(true)).sum();
    boolean inUdp = sent.channel == Channel.ESP_IN_UDP;
    findings.add(
        Finding.of(
                Kind.ASSOCIATION_EXPIRED,
                "ESP of SPI 0x%08x passes the %s and the %s, is silent for %d s, and then no longer reaches the %s: %s has forgotten the session meanwhile.%s"
                    .formatted(
                        sent.id,
                        one.title(),
                        other.title(),
                        sent.pause / SECOND,
                        other.title(),
                        keeper(one, other),
                        inUdp && alive == 0
                            ? " No keepalive of the client was seen, which would have prevented it."
                            : ""),
                inUdp
                    ? "charon's keep_alive = 20s on the client, or a longer timeout for UDP on the"
                        + " firewall"
                    : "masquerade.ipsec.lifetime above the rekey interval, or"
                        + " nf_conntrack_generic_timeout",
                "dpd_delay = 30s at the client keeps the way open")
            .between(one, other));
  }

  private static String keeper(Point one, Point other) {
    int low = Math.min(one.place(), other.place());
    int high = Math.max(one.place(), other.place());
    return high - low > 1
        ? "a translator between them"
        : low == 0
            ? "the client's firewall"
            : low == 1 ? "something between" : "the server's firewall";
  }

  private void messages(int from, int to, boolean toServer) {
    for (long cookie : story.cookies()) {
      List<Sent> sent = story.messages(from, cookie);
      List<Sent> come = story.messages(to, cookie);
      for (Sent one : sent) {
        Message message = one.message();
        boolean arrives = come.stream().anyMatch(other -> other.message().key.equals(message.key));
        if (one.toServer() != toServer
            || arrives
            || message.count < 2
            || story.count(to, message.channel, toServer) == 0
            || !story.ranLongEnough(from, to, message.first)) {
          continue;
        }
        long before =
            sent.stream()
                .filter(other -> other.message().last < message.first)
                .mapToLong(other -> other.message().last)
                .max()
                .orElse(message.first);
        long pause = (message.first - before) / SECOND;
        Point here = story.point(from);
        Point there = story.point(to);
        findings.add(
            Finding.of(
                    pause * SECOND >= Sa.PAUSE ? Kind.ASSOCIATION_EXPIRED : Kind.MESSAGES_LOST,
                    pause * SECOND >= Sa.PAUSE
                        ? "IKE passed between the %s and the %s; after %d s of silence a message comes %d times and no longer does: %s has forgotten the session."
                            .formatted(
                                here.title(),
                                there.title(),
                                pause,
                                message.count,
                                keeper(here, there))
                        : "A message of IKE (%d bytes) passes the %s %d times and never the %s, while others do."
                            .formatted(message.bytes, here.title(), message.count, there.title()),
                    pause * SECOND >= Sa.PAUSE
                        ? "let associations live longer than the rekey interval, or keep them alive"
                        : "fragmentation = yes at both ends, if it is large")
                .between(here, there));
      }
    }
  }

  // ---- several clients

  private void misdelivered(int at) {
    for (Channel channel : List.of(Channel.ESP, Channel.ESP_IN_UDP)) {
      Map<Long, Address> known = new HashMap<>();
      for (Side side : story.at(at)) {
        for (Sa sa : side.sas(false).filter(sa -> sa.channel == channel).toList()) {
          Address before = known.putIfAbsent(sa.id, side.client());
          if (before != null && !before.equals(side.client())) {
            findings.add(
                Finding.of(
                        Kind.MISDELIVERED,
                        "ESP of one SPI, 0x%08x, is given to %s and to %s at the %s: one of them gets what is not for it."
                            .formatted(sa.id, before, side.client(), story.point(at).title()),
                        "masquerade: with gatehouse run tells clients apart; copies while it is not"
                            + " yet known are meant, and end")
                    .likely());
          }
        }
      }
    }
  }

  /** Of two clients of one server, one gets answers and the other none, or none any more. */
  private void clients(int at) {
    for (Channel channel : List.of(Channel.ESP, Channel.GRE)) {
      for (Side one : story.at(at)) {
        for (Side other : story.at(at)) {
          Optional<Flow> answers = other.flow(channel, false);
          Optional<Flow> asks = one.flow(channel, true);
          if (one.client().equals(other.client())
              || !one.server().equals(other.server())
              || answers.isEmpty()
              || asks.isEmpty()) {
            continue;
          }
          Optional<Flow> own = one.flow(channel, false);
          boolean never = own.isEmpty() && asks.get().count >= SOME;
          boolean ended =
              own.isPresent()
                  && asks.get().unanswered >= 2 * SOME
                  && answers.get().last > own.get().last
                  && answers.get().first > own.get().first;
          if (never || ended) {
            findings.add(
                Finding.of(
                        Kind.SECOND_SESSION,
                        "%s and %s talk to %s: %s of %s %s, while the other's is answered. %s"
                            .formatted(
                                other.client(),
                                one.client(),
                                one.server(),
                                channel.title(),
                                one.client(),
                                never ? "is never answered" : "is not answered any more",
                                channel == Channel.GRE
                                    ? "PPTP behind NAT needs Call IDs translated, one control"
                                        + " connection for each client."
                                    : "Stock masquerade gives every packet from the server to one of"
                                        + " them."),
                        channel == Channel.GRE
                            ? "modprobe nf_nat_pptp, and let conntrack's helper see TCP 1723"
                            : "masquerade: with gatehouse run on the client's firewall")
                    .in(channel));
          }
        }
      }
    }
  }
}
