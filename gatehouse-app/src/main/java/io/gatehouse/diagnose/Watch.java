package io.gatehouse.diagnose;

import io.gatehouse.model.Address;
import io.gatehouse.packet.Ah;
import io.gatehouse.packet.Body;
import io.gatehouse.packet.Esp;
import io.gatehouse.packet.IcmpError;
import io.gatehouse.packet.Ike;
import io.gatehouse.packet.Ip;
import io.gatehouse.packet.LaterFragment;
import io.gatehouse.packet.Packet;
import io.gatehouse.packet.Ports;
import io.gatehouse.packet.PptpControl;
import io.gatehouse.packet.PptpGre;
import io.gatehouse.packet.Tcp;
import io.gatehouse.packet.Udp;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * What was seen at one point. It grows with the number of sessions, up to a limit, and never with
 * the number of packets.
 */
public final class Watch {
  /** Pairs of hosts that are told apart; what comes beyond is counted only. */
  private static final int MOST = 4096;

  private static final int L2TP = 1701;

  /** A pair of hosts, the lower address first. */
  private record Pair(Address low, Address high) {}

  private final Map<Pair, Talk> talks = new LinkedHashMap<>();
  private long frames;
  private long vpn;
  private long ignored;
  private long malformed;
  private long began = Long.MAX_VALUE;
  private long ended = Long.MIN_VALUE;

  /** Takes note of a frame without an IP packet. */
  public void other(long time) {
    frames++;
    began = Math.min(began, time);
    ended = Math.max(ended, time);
  }

  /**
   * Takes note of a packet.
   *
   * @param time nanoseconds, by the point's own clock
   */
  public void packet(long time, Packet packet) {
    other(time);
    if (packet instanceof Ip ip) {
      body(time, ip);
    } else {
      malformed++;
    }
  }

  /** Frames of every kind. */
  public long frames() {
    return frames;
  }

  /** Packets that belong to a VPN. */
  public long vpnPackets() {
    return vpn;
  }

  /** Packets that cannot be read. */
  public long malformed() {
    return malformed;
  }

  /** Packets of sessions beyond the limit. */
  public long ignored() {
    return ignored;
  }

  Collection<Talk> talks() {
    return talks.values();
  }

  /** Nanoseconds that it went on after a moment. */
  long after(long time) {
    return ended - time;
  }

  private void body(long time, Ip ip) {
    switch (ip.body()) {
      case Udp udp -> udp(time, ip, udp);
      case Esp esp -> esp(time, ip, esp, Channel.ESP);
      case Ah ah ->
          talk(time, ip, Channel.AH)
              .flatMap(talk -> talk.sa(Channel.AH, ah.spi() & 0xffffffffL, isForth(talk, ip)))
              .ifPresent(sa -> sa.packet(time, ip.length(), ah.sequence() & 0xffffffffL));
      case PptpGre gre ->
          talk(time, ip, Channel.GRE)
              .ifPresent(talk -> {
                talk.sa(Channel.GRE, gre.callId(), isForth(talk, ip))
                    .ifPresent(sa -> sa.packet(time, ip.length(), gre.sequence().orElse(0)));
                talk.pptp.data(gre);
              });
      case Tcp tcp -> tcp(time, ip, tcp);
      case LaterFragment later -> fragment(ip);
      case IcmpError error -> error(ip, error);
      case io.gatehouse.packet.Malformed wrong -> malformed++;
      default -> {}
    }
  }

  private void udp(long time, Ip ip, Udp udp) {
    switch (udp.content()) {
      case Ike ike -> ike(time, ip, udp, ike);
      case Esp esp -> esp(time, ip, esp, Channel.ESP_IN_UDP);
      case Udp.Keepalive alive ->
          existing(ip)
              .ifPresent(talk -> {
                vpn++;
                if (isForth(talk, ip)) {
                  talk.keepalivesForth++;
                } else {
                  talk.keepalivesBack++;
                }
              });
      case io.gatehouse.packet.Malformed wrong -> malformed++;
      case Udp.Plain plain -> {
        if (udp.sourcePort() == L2TP || udp.destinationPort() == L2TP) {
          talk(time, ip, Channel.UDP_1701)
              .ifPresent(talk -> began(talk, ip, udp.destinationPort() == L2TP, 1));
        }
      }
    }
  }

  private void esp(long time, Ip ip, Esp esp, Channel channel) {
    talk(time, ip, channel)
        .ifPresent(talk -> {
          if (esp.spi() == 0) {
            talk.zeroSpis++;
          }
          talk.sa(channel, esp.spiNumber(), isForth(talk, ip))
              .ifPresent(sa -> sa.packet(time, ip.length(), esp.sequenceNumber()));
        });
  }

  private void ike(long time, Ip ip, Udp udp, Ike ike) {
    Channel channel =
        udp.sourcePort() == Udp.IKE_NAT || udp.destinationPort() == Udp.IKE_NAT
            ? Channel.UDP_4500
            : Channel.UDP_500;
    Optional<Talk> found = talk(time, ip, channel);
    if (found.isEmpty()) {
      return;
    }
    Talk talk = found.get();
    boolean forth = isForth(talk, ip);
    boolean first = talk.sessions.isEmpty();
    if (ike.initiator() == 0) {
      talk.zeroCookies++;
    }
    Optional<IkeSession> kept = talk.session(ike.initiator(), ike.major());
    if (kept.isEmpty()) {
      return;
    }
    IkeSession session = kept.get();
    if (first && (ike.major() == 2 || ike.responder() == 0)) {
      // The initiator of the first IKE SA is the client, whoever begins later ones.
      began(talk, ip, ike.major() == 2 ? ike.fromInitiator() : true, 3);
    }
    session.answered |= ike.responder() != 0;
    Message.Key key =
        new Message.Key(
            ike.exchange(),
            ike.messageId(),
            ike.major() == 2 && ike.answers(),
            ike.nextPayload(),
            ike.length(),
            ike.part());
    Message message = session.messages.get(key);
    if (message == null) {
      if (session.isFull()) {
        return;
      }
      message =
          new Message(
              key,
              forth,
              ike.major(),
              ike.inner(),
              ike.fromInitiator(),
              Notifications.of(ike, udp),
              channel,
              time);
      session.messages.put(key, message);
    }
    message.count++;
    message.last = time;
    message.bytes = Math.max(message.bytes, ip.length());
  }

  private void tcp(long time, Ip ip, Tcp tcp) {
    if (tcp.sourcePort() != PptpControl.PORT && tcp.destinationPort() != PptpControl.PORT) {
      return;
    }
    talk(time, ip, Channel.TCP_1723)
        .ifPresent(talk -> {
          began(talk, ip, tcp.destinationPort() == PptpControl.PORT, 2);
          talk.pptp.control(tcp);
          if ((tcp.flags() & (Tcp.SYN | Tcp.ACK)) == Tcp.SYN && talk.synNumbers.size() < 64) {
            talk.synNumbers.add(tcp.sequence() & 0xffffffffL);
          }
        });
  }

  /** Of later fragments only those count whose first one was IKE's, ESP's or GRE's. */
  private void fragment(Ip ip) {
    boolean ours = ip.protocol() == Ip.UDP || ip.protocol() == Ip.ESP || ip.protocol() == Ip.GRE;
    if (ours) {
      existing(ip)
          .ifPresent(talk -> {
            vpn++;
            if (isForth(talk, ip)) {
              talk.laterFragmentsForth++;
            } else {
              talk.laterFragmentsBack++;
            }
          });
    }
  }

  private void error(Ip outer, IcmpError error) {
    if (!(error.quote() instanceof Ip ip)) {
      return;
    }
    Optional<Channel> about = channel(ip.body());
    if (about.isEmpty()) {
      return;
    }
    // An error may be all that is seen of a packet at this point.
    Optional<Talk> talk = find(ip, true);
    talk.ifPresent(found -> {
      vpn++;
      boolean six = ip.family() == io.gatehouse.model.Family.V6;
      found.error(
          new Talk.Error(
              error.type(),
              error.code(),
              six,
              outer.source(),
              about.get(),
              isForth(found, ip),
              six ? error.rest() : error.rest() & 0xffff));
    });
  }

  private static Optional<Channel> channel(Body body) {
    return switch (body) {
      case Esp esp -> Optional.of(Channel.ESP);
      case Ah ah -> Optional.of(Channel.AH);
      case PptpGre gre -> Optional.of(Channel.GRE);
      case Tcp tcp ->
          port(tcp.destinationPort(), tcp.sourcePort(), PptpControl.PORT, Channel.TCP_1723);
      case Ports ports ->
          port(ports.destination(), ports.source(), PptpControl.PORT, Channel.TCP_1723);
      case Udp udp ->
          udp.content() instanceof Esp
              ? Optional.of(Channel.ESP_IN_UDP)
              : port(udp.destinationPort(), udp.sourcePort(), Udp.IKE, Channel.UDP_500)
                  .or(() ->
                      port(udp.destinationPort(), udp.sourcePort(), Udp.IKE_NAT, Channel.UDP_4500))
                  .or(() -> port(udp.destinationPort(), udp.sourcePort(), L2TP, Channel.UDP_1701));
      default -> Optional.empty();
    };
  }

  private static Optional<Channel> port(int one, int other, int wanted, Channel channel) {
    return one == wanted || other == wanted ? Optional.of(channel) : Optional.empty();
  }

  private static void began(Talk talk, Ip ip, boolean byItsSender, int weight) {
    talk.began += isForth(talk, ip) == byItsSender ? weight : -weight;
  }

  private static boolean isForth(Talk talk, Ip ip) {
    return ip.source().equals(talk.one);
  }

  private Optional<Talk> existing(Ip ip) {
    return find(ip, false);
  }

  private Optional<Talk> find(Ip ip, boolean make) {
    Pair pair =
        ip.source().compareTo(ip.destination()) < 0
            ? new Pair(ip.source(), ip.destination())
            : new Pair(ip.destination(), ip.source());
    Talk talk = talks.get(pair);
    if (talk == null && make && talks.size() < MOST) {
      talk = new Talk(ip.source(), ip.destination());
      talks.put(pair, talk);
    }
    return Optional.ofNullable(talk);
  }

  private Optional<Talk> talk(long time, Ip ip, Channel channel) {
    vpn++;
    Optional<Talk> found = find(ip, true);
    if (found.isEmpty()) {
      ignored++;
      return found;
    }
    Talk talk = found.get();
    boolean forth = isForth(talk, ip);
    talk.packet(channel, forth, time, ip.length());
    if (forth) {
      talk.hopsForth = Math.max(talk.hopsForth, ip.hops());
      talk.firstFragmentsForth += ip.fragment().isPresent() ? 1 : 0;
    } else {
      talk.hopsBack = Math.max(talk.hopsBack, ip.hops());
      talk.firstFragmentsBack += ip.fragment().isPresent() ? 1 : 0;
    }
    return found;
  }
}
