package io.gatehouse.probe;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatehouse.model.Address;
import io.gatehouse.model.Family;
import io.gatehouse.packet.Bytes;
import io.gatehouse.packet.Ike;
import io.gatehouse.packet.Ip;
import io.gatehouse.packet.Packet;
import io.gatehouse.packet.Tcp;
import io.gatehouse.packet.Udp;
import io.gatehouse.probe.Report.Verdict;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** What a probe makes of what comes back, over a way of routers in memory. */
class ProbeTest {
  /** The two ends and what lies between them, in one family. */
  record Hosts(Address own, Address host, List<Address> routers) {
    boolean isSix() {
      return host.family() == Family.V6;
    }
  }

  private static final Hosts FOUR =
      new Hosts(
          Address.of("10.0.0.2"),
          Address.of("203.0.113.2"),
          List.of(Address.of("10.0.0.1"), Address.of("192.0.2.1"), Address.of("198.51.100.1")));
  private static final Hosts SIX =
      new Hosts(
          Address.of("2001:db8:1::2"),
          Address.of("2001:db8:9::2"),
          List.of(
              Address.of("2001:db8:1::1"),
              Address.of("2001:db8:2::1"),
              Address.of("2001:db8:3::1")));
  private static final List<Question> ALL =
      List.of(Question.UDP_500, Question.UDP_4500, Question.ESP, Question.TCP_1723, Question.GRE);

  /** Routers that count hops, one of which may drop a protocol, and a host that may answer. */
  private static final class Way implements Probe.Wire {
    private final Hosts hosts;
    private final Deque<byte[]> coming = new ArrayDeque<>();

    /** Which packets the second router drops. */
    private Function<Ip, Boolean> dropped = ip -> false;

    private final Set<Question> served = EnumSet.noneOf(Question.class);
    private boolean pings = true;
    private boolean rejects;
    private int sent;

    Way(Hosts hosts) {
      this.hosts = hosts;
    }

    @Override
    public void send(byte[] packet) {
      sent++;
      if (!(Packet.parse(Bytes.copyOf(packet)) instanceof Ip ip)) {
        throw new AssertionError("no packet");
      }
      boolean six = hosts.isSix();
      for (int i = 0; i < hosts.routers.size(); i++) {
        if (ip.hops() == i + 1) {
          error(hosts.routers.get(i), six ? 3 : 11, 0, packet);
          return;
        }
        if (i == 1 && dropped.apply(ip)) {
          if (rejects) {
            error(hosts.routers.get(i), six ? 1 : 3, six ? 1 : 13, packet);
          }
          return;
        }
      }
      arrive(ip, packet);
    }

    private void arrive(Ip ip, byte[] packet) {
      switch (ip.body()) {
        case io.gatehouse.packet.Icmp echo when pings -> {
          byte[] answer =
              java.util.Arrays.copyOfRange(packet, hosts.isSix() ? 40 : 20, packet.length);
          answer[0] = (byte) (hosts.isSix() ? 129 : 0);
          answer(hosts.isSix() ? 58 : 1, answer);
        }
        case Udp udp when udp.destinationPort() == 500 && served.contains(Question.UDP_500) ->
            answer(17, udp(500, udp.sourcePort()));
        case Udp udp when udp.destinationPort() == 500 ->
            error(hosts.host, hosts.isSix() ? 1 : 3, hosts.isSix() ? 4 : 3, packet);
        case Tcp tcp -> {
          int flags = served.contains(Question.TCP_1723) ? 0x12 : 0x14;
          answer(
              6,
              ByteBuffer.allocate(20)
                  .putShort((short) 1723)
                  .putShort((short) tcp.sourcePort())
                  .putLong(0)
                  .put((byte) 0x50)
                  .put((byte) flags)
                  .array());
        }
        default -> {}
      }
    }

    private static byte[] udp(int from, int to) {
      return ByteBuffer.allocate(36)
          .putShort((short) from)
          .putShort((short) to)
          .putShort((short) 36)
          .array();
    }

    private void answer(int protocol, byte[] body) {
      coming.add(ip(hosts.host, hosts.own, protocol, body));
    }

    private void error(Address who, int type, int code, byte[] about) {
      int most = hosts.isSix() ? 48 : 28;
      byte[] quoted = java.util.Arrays.copyOf(about, Math.min(about.length, most));
      coming.add(
          ip(
              who,
              hosts.own,
              hosts.isSix() ? 58 : 1,
              ByteBuffer.allocate(8 + quoted.length)
                  .put((byte) type)
                  .put((byte) code)
                  .putShort((short) 0)
                  .putInt(0)
                  .put(quoted)
                  .array()));
    }

    private static byte[] ip(Address from, Address to, int protocol, byte[] body) {
      if (to.family() == Family.V6) {
        return ByteBuffer.allocate(40 + body.length)
            .putInt(0x60000000)
            .putShort((short) body.length)
            .put((byte) protocol)
            .put((byte) 60)
            .put(from.bytes())
            .put(to.bytes())
            .put(body)
            .array();
      }
      return ByteBuffer.allocate(20 + body.length)
          .put((byte) 0x45)
          .put((byte) 0)
          .putShort((short) (20 + body.length))
          .putInt(0)
          .put((byte) 60)
          .put((byte) protocol)
          .putShort((short) 0)
          .put(from.bytes())
          .put(to.bytes())
          .put(body)
          .array();
    }

    @Override
    public Optional<Packet> receive(Duration limit) {
      if (coming.isEmpty()) {
        java.util.concurrent.locks.LockSupport.parkNanos(limit.toNanos());
        return Optional.empty();
      }
      return Optional.of(Packet.parseBeginning(Bytes.copyOf(coming.remove())));
    }
  }

  private static Report ask(Way way, List<Question> questions) {
    return Probe.ask(
        way,
        way.hosts.own,
        way.hosts.host,
        questions,
        8,
        Duration.ofMillis(3),
        0x1234_5678_9abcL,
        step -> {});
  }

  private static boolean is(Ip ip, Question question) {
    return switch (ip.body()) {
      case Udp udp ->
          (question == Question.UDP_500 && udp.destinationPort() == 500)
              || (question == Question.UDP_4500 && udp.destinationPort() == 4500);
      case Tcp tcp -> question == Question.TCP_1723;
      case io.gatehouse.packet.PptpGre gre -> question == Question.GRE;
      case io.gatehouse.packet.Esp esp -> question == Question.ESP;
      default -> false;
    };
  }

  @ParameterizedTest
  @EnumSource(value = Question.class, names = "PING", mode = EnumSource.Mode.EXCLUDE)
  void namesTheHopBehindWhichAProtocolEnds(Question question) {
    ends(FOUR, question);
    ends(SIX, question);
  }

  private static void ends(Hosts hosts, Question question) {
    Way way = new Way(hosts);
    way.dropped = ip -> is(ip, question);

    Report report = ask(way, List.of(question));

    assertThat(report.way()).extracting(hop -> hop.who().orElseThrow()).isEqualTo(hosts.routers);
    Report.Result result = report.results().getFirst();
    assertThat(result.verdict()).as(result.text()).isEqualTo(Verdict.ENDS);
    assertThat(result.where()).contains(hosts.routers.get(2));
    assertThat(result.text())
        .contains(
            "between hop 2 (%s) and hop 3 (%s)"
                .formatted(hosts.routers.get(1), hosts.routers.get(2)));
    assertThat(report.hasBlocks()).isTrue();
    assertThat(way.sent).isLessThan(30);
  }

  private static Stream<Hosts> hosts() {
    return Stream.of(FOUR, SIX);
  }

  @ParameterizedTest
  @MethodSource("hosts")
  void whatAnswersIsThere(Hosts hosts) {
    Way way = new Way(hosts);
    way.served.addAll(List.of(Question.UDP_500, Question.TCP_1723));

    Report report = ask(way, ALL);

    assertThat(report.results())
        .extracting(Report.Result::verdict)
        .containsExactly(
            Verdict.ANSWERS, Verdict.PASSES, Verdict.PASSES, Verdict.ANSWERS, Verdict.PASSES);
    assertThat(report.hasBlocks()).isFalse();
    assertThat(report.pings()).isTrue();
  }

  @ParameterizedTest
  @MethodSource("hosts")
  void whoRefusesIsNamed(Hosts hosts) {
    Way closed = new Way(hosts);
    List<Report.Result> results =
        ask(closed, List.of(Question.UDP_500, Question.TCP_1723)).results();
    assertThat(results).extracting(Report.Result::verdict).containsOnly(Verdict.REFUSED);
    assertThat(results).allMatch(result -> result.where().equals(Optional.of(hosts.host)));

    Way rejecting = new Way(hosts);
    rejecting.dropped = ip -> is(ip, Question.ESP);
    rejecting.rejects = true;
    Report.Result esp = ask(rejecting, List.of(Question.ESP)).results().getFirst();
    assertThat(esp.verdict()).isEqualTo(Verdict.REFUSED);
    assertThat(esp.where()).contains(hosts.routers.get(1));
    assertThat(esp.text()).contains(hosts.isSix() ? "(ICMPv6 1/1)" : "(ICMP 3/13)");
  }

  @Test
  void silenceIsNotTakenForABlock() {
    Way way = new Way(FOUR);
    way.pings = false;
    way.dropped = ip -> ip.hops() > 1;

    Report report = ask(way, List.of(Question.ESP));

    assertThat(report.pings()).isFalse();
    assertThat(report.hasBlocks()).isFalse();
  }

  /** Another parser reads the letters as what they are to be. */
  @ParameterizedTest
  @MethodSource("hosts")
  void lettersAreSound(Hosts hosts) {
    Letters letters = new Letters(hosts.own, hosts.host, 20_000, 0x1234, 99);
    for (Question question : Question.values()) {
      assertThat(Packet.parse(Bytes.copyOf(letters.letter(question, 7, 7))))
          .isInstanceOfSatisfying(
              Ip.class,
              ip -> {
                assertThat(ip.hops()).isEqualTo(7);
                assertThat(ip.destination()).isEqualTo(hosts.host);
                assertThat(ip.body()).isNotInstanceOf(io.gatehouse.packet.Malformed.class);
              });
    }
    Ip ike = (Ip) Packet.parse(Bytes.copyOf(letters.letter(Question.UDP_500, 64, 0)));
    assertThat(((Udp) ike.body()).content())
        .isInstanceOfSatisfying(
            Ike.class,
            message -> {
              assertThat(message.exchange()).isEqualTo(Ike.SA_INIT);
              assertThat(message.responder()).isZero();
              assertThat(message.fromInitiator()).isTrue();
            });
  }
}
