package io.gatehouse.pptp;

import static io.gatehouse.pptp.Wire.A;
import static io.gatehouse.pptp.Wire.B;
import static io.gatehouse.pptp.Wire.OTHER;
import static io.gatehouse.pptp.Wire.REMOTE;
import static io.gatehouse.pptp.Wire.SERVER;
import static io.gatehouse.pptp.Wire.message;
import static io.gatehouse.pptp.Wire.start;
import static io.gatehouse.pptp.Wire.tcp;
import static org.assertj.core.api.Assertions.assertThat;

import io.gatehouse.model.Address;
import io.gatehouse.packet.Bytes;
import io.gatehouse.packet.Tcp;
import io.gatehouse.pptp.Change.Allowance;
import io.gatehouse.pptp.Ruling.Reason;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** What control connections agree on, and what is written into them. */
class CallsTest {
  private Calls calls = new Calls(41);
  private final Set<Call> standing = new HashSet<>();
  private final Set<Allowance> allowed = new HashSet<>();
  private long now;

  /** A control connection; {@code port} is the host's. */
  private final class Line {
    private final Address host;
    private final Address remote;
    private final int port;
    private final int remotePort;
    private int said = 1_000;
    private int heard = 5_000;

    Line(Address host, Address remote, int port) {
      this(host, remote, port, 1723);
    }

    Line(Address host, Address remote, int port, int remotePort) {
      this.host = host;
      this.remote = remote;
      this.port = port;
      this.remotePort = remotePort;
      say(start());
      hear(message(2, 0x0100, 0x0100));
    }

    /** As the remote gets it. */
    Bytes say(Bytes message) {
      Ruling ruling = segment(true, said, Tcp.ACK, message);
      said += message.length();
      return ((Ruling.Pass) ruling).data();
    }

    /** As the host gets it. */
    Bytes hear(Bytes message) {
      Ruling ruling = segment(false, heard, Tcp.ACK, message);
      heard += message.length();
      return ((Ruling.Pass) ruling).data();
    }

    Ruling segment(boolean outbound, int sequence, int flags, Bytes data) {
      Tcp tcp =
          outbound
              ? tcp(port, remotePort, sequence, flags, data)
              : tcp(remotePort, port, sequence, flags, data);
      Ruling ruling = calls.segment(new Segment(host, remote, outbound, tcp), now);
      take();
      return ruling;
    }

    /** A call of the host's that the remote takes: the ID that this is told. */
    int call(int own, int theirs) {
      int id = say(message(7, own, 0)).u16(12);
      assertThat(hear(message(8, theirs, id)).u16(14)).as("its own again").isEqualTo(own);
      return id;
    }
  }

  private void take() {
    for (Change change : calls.changes()) {
      boolean fits =
          switch (change) {
            case Change.Begun(Call call) -> standing.add(call);
            case Change.Ended(Call call) -> standing.remove(call);
            case Change.Allowed(Allowance allowance) -> allowed.add(allowance);
            case Change.Forbidden(Allowance allowance) -> allowed.remove(allowance);
          };
      assertThat(fits).as("%s changes something", change).isTrue();
    }
    assertThat(standing).containsExactlyInAnyOrderElementsOf(calls.all());
    assertThat(allowed).containsExactlyInAnyOrderElementsOf(calls.allowed());
  }

  @Test
  void aCallKeepsItsIdWhereNobodyElseHasIt() {
    Line line = new Line(A, REMOTE, 4000);

    assertThat(line.call(7, 300)).isEqualTo(7);
    assertThat(standing).containsExactly(new Call(A, REMOTE, 7, 7));
    assertThat(allowed).containsExactly(new Allowance(A, REMOTE, 300));
  }

  @Test
  void equalIdsOfTwoHostsAreTwo() {
    int first = new Line(A, REMOTE, 4000).call(7, 300);
    int second = new Line(B, REMOTE, 4000).call(7, 301);

    assertThat(second).isNotEqualTo(first).isPositive();
    assertThat(standing)
        .containsExactlyInAnyOrder(new Call(A, REMOTE, 7, 7), new Call(B, REMOTE, second, 7));
    assertThat(new Line(B, OTHER, 4000).call(7, 300)).as("of another remote").isEqualTo(7);
  }

  @Test
  void severalCallsInOneConnection() {
    Line line = new Line(A, REMOTE, 4000);

    assertThat(line.call(7, 300)).isEqualTo(7);
    assertThat(line.call(8, 301)).isEqualTo(8);
    assertThat(standing).hasSize(2);
    line.hear(message(13, 300, 0));
    assertThat(standing).containsExactly(new Call(A, REMOTE, 8, 8));
    assertThat(allowed).containsExactly(new Allowance(A, REMOTE, 301));
  }

  @Test
  void aServerInsideThatChoosesAHostsId() {
    new Line(A, REMOTE, 4000).call(7, 300);
    Line line = new Line(SERVER, REMOTE, 1723, 5000);
    assertThat(line.hear(message(7, 20, 0)).u16(12)).as("the remote's own").isEqualTo(20);

    int id = line.say(message(8, 7, 20)).u16(12);

    assertThat(id).isNotEqualTo(7).isPositive();
    assertThat(standing).contains(new Call(SERVER, REMOTE, id, 7));
    assertThat(allowed).contains(new Allowance(SERVER, REMOTE, 20));
    assertThat(line.hear(message(15, id, 0)).u16(12)).as("set link info").isEqualTo(7);
    line.say(message(13, 7, 0));
    assertThat(standing).containsExactly(new Call(A, REMOTE, 7, 7));
  }

  @Test
  void aCallThatTheRemoteOffers() {
    new Line(B, REMOTE, 4000).call(9, 300);
    Line line = new Line(A, REMOTE, 4000);
    line.hear(message(9, 44, 0));

    int id = line.say(message(10, 9, 44)).u16(12);

    assertThat(id).isNotEqualTo(9);
    assertThat(standing).contains(new Call(A, REMOTE, id, 9));
    assertThat(allowed).contains(new Allowance(A, REMOTE, 44));
    assertThat(line.hear(message(11, id, 0)).u16(12)).as("connected").isEqualTo(9);
  }

  @Test
  void aCallThatAHostOffers() {
    Line line = new Line(SERVER, REMOTE, 1723, 5000);

    int id = line.say(message(9, 5, 0)).u16(12);
    assertThat(line.hear(message(10, 60, id)).u16(14)).isEqualTo(5);

    assertThat(allowed).containsExactly(new Allowance(SERVER, REMOTE, 60));
  }

  @Test
  void aCallThatIsRefusedIsNone() {
    Line line = new Line(A, REMOTE, 4000);
    line.say(message(7, 7, 0));
    assertThat(standing).hasSize(1);

    line.hear(message(8, 0, 7, /* result= */ 4));
    assertThat(standing).isEmpty();
    line.hear(message(9, 44, 0));
    line.say(message(10, 7, 44, /* result= */ 2));
    assertThat(standing).isEmpty();
    assertThat(allowed).isEmpty();
  }

  @Test
  void nobodyTouchesAnothersCall() {
    int mine = new Line(A, REMOTE, 4000).call(7, 300);
    Line line = new Line(B, REMOTE, 4000);

    assertThat(line.say(message(12, mine, 0)).u16(12)).as("clear").isZero();
    assertThat(line.say(message(13, mine, 0)).u16(12)).as("disconnect").isZero();
    assertThat(line.hear(message(8, 300, mine)).u16(14)).as("a reply").isZero();
    assertThat(line.hear(message(14, mine, 0)).u16(12)).as("an error").isZero();
    line.hear(message(13, 300, 0));
    assertThat(standing).containsExactly(new Call(A, REMOTE, mine, 7));
    assertThat(allowed).containsExactly(new Allowance(A, REMOTE, 300));
  }

  @Test
  void whoAnswersWhatNobodyAskedHasNoCall() {
    new Line(A, REMOTE, 4000).call(7, 300);
    Line line = new Line(B, REMOTE, 4000);

    assertThat(line.say(message(8, 9, 300)).u16(12)).as("with another's Call ID").isZero();
    line.hear(message(9, 44, 0));
    assertThat(line.say(message(10, 9, 300)).u16(12)).as("asked for another").isZero();
    assertThat(line.say(message(10, 9, 44)).u16(12)).isEqualTo(9);
    assertThat(line.say(message(10, 10, 44)).u16(12)).as("once").isZero();
    assertThat(standing).hasSize(2);
    assertThat(allowed)
        .containsExactlyInAnyOrder(new Allowance(A, REMOTE, 300), new Allowance(B, REMOTE, 44));
    assertThat(calls.status().refused()).containsEntry(Reason.UNASKED, 3L);
  }

  @Test
  void whoeverForgesASegmentEndsNothing() {
    Line line = new Line(A, REMOTE, 4000);
    line.call(7, 300);
    for (boolean outbound : new boolean[] {false, true}) {
      line.segment(outbound, 77_777, Tcp.SYN, Bytes.EMPTY);
      line.segment(outbound, 77_777, Tcp.SYN | Tcp.ACK, Bytes.EMPTY);
      line.segment(outbound, 77_777, Tcp.RST, Bytes.EMPTY);
      line.segment(outbound, 77_777, Tcp.FIN | Tcp.ACK, Bytes.EMPTY);
    }

    assertThat(standing).hasSize(1);
    assertThat(line.call(8, 301)).as("it goes on").isEqualTo(8);
  }

  @Test
  void anotherConnectionOfTheSameEndsBeginsAnew() {
    Line line = new Line(A, REMOTE, 4000);
    line.call(7, 300);
    line.said = 900_000;
    line.heard = 800_000;
    line.segment(true, line.said - 1, Tcp.SYN, Bytes.EMPTY);
    line.segment(false, line.heard - 1, Tcp.SYN | Tcp.ACK, Bytes.EMPTY);
    assertThat(standing).hasSize(1);

    line.say(start());
    assertThat(standing).isEmpty();
    line.hear(message(2, 0x0100, 0x0100));
    assertThat(line.call(7, 301)).isEqualTo(7);
    assertThat(calls.status().connections()).isEqualTo(1);
  }

  @Test
  void whatBreaksAtOnceLeavesNothing() {
    Tcp broken =
        tcp(
            4000,
            1723,
            0,
            Tcp.ACK,
            Wire.all(message(7, 7, 0), Bytes.ofHex("00112233445566778899")));

    assertThat(calls.segment(new Segment(A, REMOTE, true, broken), now))
        .isEqualTo(new Ruling.Drop(Reason.NOT_PPTP));
    take();
    assertThat(standing).isEmpty();
  }

  @Test
  void aConnectionThatNobodyAnswersDoesNotStay() {
    Tcp forged = tcp(5000, 1723, 0, Tcp.ACK, message(5, 1, 1));
    calls.segment(new Segment(SERVER, REMOTE, false, forged), now);
    assertThat(calls.status().connections()).isEqualTo(1);
    now = Calls.PATIENCE;
    calls.tick(now);

    assertThat(calls.status().connections()).isZero();
  }

  @Test
  void endsOfConnectionsEndTheirCalls() {
    for (int flag : List.of(Tcp.FIN, Tcp.RST)) {
      Line line = new Line(A, REMOTE, 4000);
      line.call(7, 300);
      line.segment(false, line.heard, flag, Bytes.EMPTY);

      assertThat(standing).as("flag %d", flag).isEmpty();
      assertThat(allowed).isEmpty();
      assertThat(calls.status().connections()).isZero();
    }
    Line line = new Line(A, REMOTE, 4000);
    line.call(7, 300);
    line.segment(true, line.said, Tcp.FIN | Tcp.ACK, message(3, 0x0100, 0));
    assertThat(standing).as("with the last message").isEmpty();
    line = new Line(A, REMOTE, 4000);
    line.call(7, 300);
    line.hear(message(4, 0x0100, 0));
    assertThat(standing).as("as agreed").isEmpty();
  }

  @Test
  void anIdRestsBeforeAnotherHostHasIt() {
    Line line = new Line(A, REMOTE, 4000);
    line.call(7, 300);
    line.hear(message(13, 300, 0));

    assertThat(new Line(B, REMOTE, 4000).call(7, 301)).as("conntrack may know it").isNotEqualTo(7);
    assertThat(line.call(7, 302)).as("the same host may").isEqualTo(7);
    line.hear(message(13, 302, 0));
    now += CallIds.REST;
    calls.tick(now);
    assertThat(new Line(B, REMOTE, 4001).call(7, 303)).isEqualTo(7);
  }

  @Test
  void whoCallsAgainAndAgainTakesNoMoreThanHisShare() {
    Line line = new Line(A, REMOTE, 4000);
    Set<Integer> ids = new HashSet<>();
    for (int own = 1; own <= 1_000; own++) {
      ids.add(line.call(own, 300));
      line.hear(message(13, 300, 0));
    }

    assertThat(ids).hasSize(CallIds.RESTING);
    assertThat(new Line(B, REMOTE, 4000).call(900, 301)).isEqualTo(900);
  }

  @Test
  void limitsOfAHost() {
    Line line = new Line(A, REMOTE, 4000);
    for (int own = 1; own <= Calls.OF_PAIR; own++) {
      assertThat(line.call(own, own)).isEqualTo(own);
    }
    assertThat(line.say(message(7, 999, 0)).u16(12)).as("one more").isZero();
    assertThat(calls.status().refused()).containsEntry(Reason.CALLS, 1L);
    assertThat(new Line(B, REMOTE, 4000).call(999, 300)).isEqualTo(999);

    for (int port = 1; port <= Calls.CONNECTIONS_OF_PAIR; port++) {
      new Line(A, OTHER, port);
    }
    Tcp tcp = tcp(4001, 1723, 0, Tcp.ACK, start());
    assertThat(calls.segment(new Segment(A, OTHER, true, tcp), now))
        .isEqualTo(new Ruling.Drop(Reason.CONNECTIONS));
    for (int i = Calls.CONNECTIONS_OF_PAIR + 1; i < Calls.CONNECTIONS_OF_HOST; i++) {
      new Line(A, Address.of("198.18.0." + i % 200), 2_000 + i);
    }
    Address last = Address.of("198.18.1.1");
    assertThat(calls.segment(new Segment(A, last, true, tcp), now))
        .as("with all remotes")
        .isEqualTo(new Ruling.Drop(Reason.CONNECTIONS));
    new Line(B, last, 4000);
  }

  @Test
  void whoCallsEverMoreRemotesTakesNoMoreThanHisShare() {
    Line line = null;
    for (int i = 0; i < CallIds.OF_HOST; i++) {
      line = new Line(A, Address.v4(0xc612_0000 + i), 4000);
      assertThat(line.call(7, 300)).isEqualTo(7);
      line.hear(message(13, 300, 0));
      line.segment(true, line.said, Tcp.FIN | Tcp.ACK, Bytes.EMPTY);
    }
    line = new Line(A, REMOTE, 4000);
    assertThat(line.say(message(7, 7, 0)).u16(12)).as("one more").isZero();
    now += CallIds.REST;
    calls.tick(now);
    assertThat(line.call(8, 300)).isEqualTo(8);
  }

  @Test
  void whatIsNotPptpGoesNoFurther() {
    Tcp web = tcp(4001, 1723, 0, Tcp.ACK, Bytes.ofHex("474554202f20485454502f312e310d0a"));
    assertThat(calls.segment(new Segment(A, REMOTE, true, web), now))
        .isEqualTo(new Ruling.Drop(Reason.NOT_PPTP));
    assertThat(calls.status().connections()).isZero();
    Tcp fast = tcp(4001, 1723, 0, Tcp.SYN, start());
    assertThat(calls.segment(new Segment(A, REMOTE, true, fast), now))
        .as("data in the first segment (RFC 7413)")
        .isEqualTo(new Ruling.Drop(Reason.NOT_PPTP));
    Tcp open = tcp(4001, 1723, 0, Tcp.SYN, Bytes.EMPTY);
    assertThat(calls.segment(new Segment(A, REMOTE, true, open), now))
        .isEqualTo(new Ruling.Pass(Bytes.EMPTY));
  }

  @Test
  void aGapIsCalledOne() {
    Line line = new Line(A, REMOTE, 4000);

    assertThat(line.segment(true, line.said + 16, Tcp.ACK, message(5, 1, 1)))
        .isEqualTo(new Ruling.Drop(Reason.GAP));
  }

  @Test
  void whatAHostHasWithARemoteIsFreed() {
    new Line(A, REMOTE, 4000).call(7, 300);
    new Line(A, OTHER, 4000).call(7, 300);
    new Line(B, REMOTE, 4000).call(8, 301);
    calls.release(A, REMOTE, now);
    take();

    assertThat(standing)
        .containsExactlyInAnyOrder(new Call(A, OTHER, 7, 7), new Call(B, REMOTE, 8, 8));
    assertThat(calls.status().connections()).isEqualTo(2);
  }

  @Test
  void aConnectionThatIsSilentForADayIsOver() {
    new Line(A, REMOTE, 4000).call(7, 300);
    now = Calls.SILENCE - 1;
    calls.tick(now);
    take();
    assertThat(standing).hasSize(1);
    now++;
    calls.tick(now);
    take();
    assertThat(standing).isEmpty();
    assertThat(calls.status().connections()).isZero();
  }

  // ---- a successor

  private void succeed() {
    List<Call> left = calls.all();
    List<Allowance> may = calls.allowed();
    calls = new Calls(17);
    left.forEach(call -> calls.recall(call, now));
    may.forEach(calls::recall);
    take();
  }

  @Test
  void aSuccessorGoesOnWithTheCalls() {
    Line a = new Line(A, REMOTE, 4000);
    Line b = new Line(B, REMOTE, 4000);
    a.call(7, 300);
    int id = b.call(7, 301);
    succeed();

    assertThat(a.say(message(12, 7, 0)).u16(12)).isEqualTo(7);
    assertThat(b.hear(message(15, id, 0)).u16(12)).isEqualTo(7);
    assertThat(b.call(8, 302)).isEqualTo(8);
    assertThat(a.call(8, 303)).isNotEqualTo(8);
    b.say(message(13, 7, 0));
    assertThat(standing).hasSize(3);
    b.say(message(13, 8, 0));
    assertThat(allowed)
        .as("with the last call between the two goes what was left")
        .containsExactlyInAnyOrder(new Allowance(A, REMOTE, 300), new Allowance(A, REMOTE, 303));
  }

  @Test
  void aSuccessorTakesACallForTheConnectionsThatEndsUnlessAnotherSpeaks() {
    for (boolean another : new boolean[] {false, true}) {
      calls = new Calls(41);
      standing.clear();
      allowed.clear();
      Line first = new Line(A, REMOTE, 4000);
      Line second = new Line(A, REMOTE, 4001);
      first.call(7, 300);
      succeed();
      first.say(message(5, 1, 1));
      first.segment(true, first.said, Tcp.FIN, Bytes.EMPTY);
      now += Calls.PATIENCE - 1;
      if (another) {
        second.say(message(5, 1, 1));
      }
      calls.tick(now);
      take();
      assertThat(standing).hasSize(1);
      now++;
      calls.tick(now);
      take();

      assertThat(standing).hasSize(another ? 1 : 0);
      assertThat(allowed).hasSize(another ? 1 : 0);
    }
  }

  @Test
  void aSuccessorKeepsACallWhileItsConnectionSpeaks() {
    Line line = new Line(A, REMOTE, 4000);
    line.call(7, 300);
    succeed();
    for (int hours = 0; hours < 30; hours++) {
      now += 3_600_000;
      line.say(message(5, 1, 1));
      line.hear(message(6, 1, 1));
      calls.tick(now);
      take();
    }
    assertThat(standing).hasSize(1);

    line.say(message(12, 7, 0));
    line.hear(message(13, 300, 0));
    assertThat(standing).as("cleared, and the remote says so").isEmpty();
  }

  @Test
  void whatASuccessorNeverHearsOfIsOver() {
    new Line(A, REMOTE, 4000).call(7, 300);
    succeed();
    now = Calls.SILENCE;
    calls.tick(now);
    take();

    assertThat(standing).isEmpty();
    assertThat(allowed).isEmpty();
  }

  @Test
  void anAllowanceWithoutACallIsNotTakenOver() {
    Calls successor = new Calls(0);
    successor.recall(new Allowance(A, REMOTE, 300));

    assertThat(successor.allowed()).isEmpty();
    assertThat(successor.changes())
        .containsExactly(new Change.Forbidden(new Allowance(A, REMOTE, 300)));
  }

  @Test
  void noIdIsTwoCalls() {
    Map<Integer, Address> owners = new HashMap<>();
    for (int port = 1; port <= 8; port++) {
      for (Address host : List.of(A, B, SERVER)) {
        Line line = new Line(host, REMOTE, 4000 + port);
        for (int own = 1; own <= 8; own++) {
          assertThat(owners.put(line.call(own, 300 + own), host)).isNull();
        }
      }
    }
    assertThat(owners).hasSize(8 * 3 * 8);
  }
}
