package io.gatehouse.probe;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatehouse.model.Address;
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
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What a probe makes of what comes back, over a way of routers in memory. */
class ProbeTest {
  private static final Address OWN = Address.of("10.0.0.2");
  private static final Address HOST = Address.of("203.0.113.2");
  private static final List<Address> ROUTERS =
      List.of(Address.of("10.0.0.1"), Address.of("192.0.2.1"), Address.of("198.51.100.1"));
  private static final List<Question> ALL =
      List.of(Question.UDP_500, Question.UDP_4500, Question.ESP, Question.TCP_1723, Question.GRE);

  /** Routers that count hops, one of which may drop a protocol, and a host that may answer. */
  private static final class Way implements Probe.Wire {
    private final Deque<byte[]> coming = new ArrayDeque<>();

    /** Which packets the second router drops. */
    private Function<Ip, Boolean> dropped = ip -> false;

    private final Set<Question> served = EnumSet.noneOf(Question.class);
    private boolean pings = true;
    private boolean rejects;
    private int sent;

    @Override
    public void send(byte[] packet) {
      sent++;
      if (!(Packet.parse(Bytes.copyOf(packet)) instanceof Ip ip)) {
        throw new AssertionError("no packet");
      }
      for (int i = 0; i < ROUTERS.size(); i++) {
        if (ip.hops() == i + 1) {
          error(ROUTERS.get(i), 11, 0, packet);
          return;
        }
        if (i == 1 && dropped.apply(ip)) {
          if (rejects) {
            error(ROUTERS.get(i), 3, 13, packet);
          }
          return;
        }
      }
      arrive(ip, packet);
    }

    private void arrive(Ip ip, byte[] packet) {
      switch (ip.body()) {
        case io.gatehouse.packet.Icmp echo when pings -> {
          byte[] answer = java.util.Arrays.copyOfRange(packet, 20, packet.length);
          answer[0] = 0;
          answer(1, answer);
        }
        case Udp udp when udp.destinationPort() == 500 && served.contains(Question.UDP_500) ->
            answer(17, udp(500, udp.sourcePort()));
        case Udp udp when udp.destinationPort() == 500 -> error(HOST, 3, 3, packet);
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
      coming.add(ip(HOST, OWN, protocol, body));
    }

    private void error(Address who, int type, int code, byte[] about) {
      byte[] quoted = java.util.Arrays.copyOf(about, Math.min(about.length, 28));
      coming.add(
          ip(
              who,
              OWN,
              1,
              ByteBuffer.allocate(8 + quoted.length)
                  .put((byte) type)
                  .put((byte) code)
                  .putShort((short) 0)
                  .putInt(0)
                  .put(quoted)
                  .array()));
    }

    private static byte[] ip(Address from, Address to, int protocol, byte[] body) {
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
        way, OWN, HOST, questions, 8, Duration.ofMillis(3), 0x1234_5678_9abcL, step -> {});
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
    Way way = new Way();
    way.dropped = ip -> is(ip, question);

    Report report = ask(way, List.of(question));

    assertThat(report.way()).extracting(hop -> hop.who().orElseThrow()).isEqualTo(ROUTERS);
    Report.Result result = report.results().getFirst();
    assertThat(result.verdict()).as(result.text()).isEqualTo(Verdict.ENDS);
    assertThat(result.where()).contains(ROUTERS.get(2));
    assertThat(result.text()).contains("between hop 2 (192.0.2.1) and hop 3 (198.51.100.1)");
    assertThat(report.hasBlocks()).isTrue();
    assertThat(way.sent).isLessThan(30);
  }

  @Test
  void whatAnswersIsThere() {
    Way way = new Way();
    way.served.addAll(List.of(Question.UDP_500, Question.TCP_1723));

    Report report = ask(way, ALL);

    assertThat(report.results())
        .extracting(Report.Result::verdict)
        .containsExactly(
            Verdict.ANSWERS, Verdict.PASSES, Verdict.PASSES, Verdict.ANSWERS, Verdict.PASSES);
    assertThat(report.hasBlocks()).isFalse();
    assertThat(report.pings()).isTrue();
  }

  @Test
  void whoRefusesIsNamed() {
    Way closed = new Way();
    List<Report.Result> results =
        ask(closed, List.of(Question.UDP_500, Question.TCP_1723)).results();
    assertThat(results).extracting(Report.Result::verdict).containsOnly(Verdict.REFUSED);
    assertThat(results).allMatch(result -> result.where().equals(Optional.of(HOST)));

    Way rejecting = new Way();
    rejecting.dropped = ip -> is(ip, Question.ESP);
    rejecting.rejects = true;
    Report.Result esp = ask(rejecting, List.of(Question.ESP)).results().getFirst();
    assertThat(esp.verdict()).isEqualTo(Verdict.REFUSED);
    assertThat(esp.where()).contains(ROUTERS.get(1));
  }

  @Test
  void silenceIsNotTakenForABlock() {
    Way way = new Way();
    way.pings = false;
    way.dropped = ip -> ip.hops() > 1;

    Report report = ask(way, List.of(Question.ESP));

    assertThat(report.pings()).isFalse();
    assertThat(report.hasBlocks()).isFalse();
  }

  /** Another parser reads the letters as what they are to be. */
  @Test
  void lettersAreSound() {
    Letters letters = new Letters(OWN, HOST, 20_000, 0x1234, 99);
    for (Question question : Question.values()) {
      assertThat(Packet.parse(Bytes.copyOf(letters.letter(question, 7, 7))))
          .isInstanceOfSatisfying(
              Ip.class,
              ip -> {
                assertThat(ip.hops()).isEqualTo(7);
                assertThat(ip.destination()).isEqualTo(HOST);
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
