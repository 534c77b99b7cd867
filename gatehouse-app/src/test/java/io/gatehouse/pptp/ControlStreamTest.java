package io.gatehouse.pptp;

import static io.gatehouse.pptp.Wire.all;
import static io.gatehouse.pptp.Wire.message;
import static io.gatehouse.pptp.Wire.start;
import static org.assertj.core.api.Assertions.assertThat;

import io.gatehouse.packet.Bytes;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Test;

/** Messages in segments of every cut, and Call IDs that are written anew in them. */
class ControlStreamTest {
  private static final int FIRST = 0xffff_ff00; // its numbers wrap on the way

  private final ControlStream stream = new ControlStream();
  private final List<Integer> types = new ArrayList<>();

  /** One more in each ID. */
  private byte[] written(byte[] head) {
    types.add((int) head[9]);
    head[13]++;
    if (head[9] == 8 || head[9] == 10) {
      head[15]++;
    }
    return head;
  }

  private Optional<Bytes> take(int sequence, Bytes data) {
    return stream.take(sequence, data, this::written);
  }

  private static final Bytes PLAIN =
      all(start(), message(7, 7, 0), message(5, 1, 1), message(8, 7, 9), message(12, 7, 0));

  private static final Bytes WRITTEN =
      all(start(), message(7, 8, 0), message(5, 1, 1), message(8, 8, 10), message(12, 8, 0));

  @Test
  void allAtOnce() {
    assertThat(take(FIRST, PLAIN)).contains(WRITTEN);
    assertThat(types).containsExactly(1, 7, 5, 8, 12);
  }

  @Property
  void inWhateverSegments(
      @ForAll @Size(min = 1, max = 12) List<@IntRange(min = 1, max = 400) Integer> lengths) {
    ControlStream one = new ControlStream();
    int sent = 0;
    StringBuilder came = new StringBuilder();
    List<Integer> again = new ArrayList<>(lengths);
    again.addFirst(start().length());
    again.add(PLAIN.length());
    again.add(PLAIN.length());
    for (int length : again) {
      // What was not passed on is sent again, with what follows.
      int end = Math.min(PLAIN.length(), sent + Math.max(length, 18));
      if (sent == end) {
        break;
      }
      Bytes passed = one.take(FIRST + sent, PLAIN.part(sent, end), this::written).orElseThrow();
      came.append(passed);
      sent += passed.length();
    }

    assertThat(came).hasToString(WRITTEN.toString());
  }

  @Property
  void whatIsRepeatedIsWrittenTheSame(
      @ForAll @IntRange(min = 0, max = 387) int from,
      @ForAll @IntRange(min = 1, max = 388) int length) {
    ControlStream one = new ControlStream();
    one.take(FIRST, PLAIN, this::written);
    int end = Math.min(PLAIN.length(), from + length);

    assertThat(one.take(FIRST + from, PLAIN.part(from, end), head -> head))
        .contains(WRITTEN.part(from, end));
  }

  @Property
  void whoeverRepeatsWithOtherBytesRepeatsNoOtherMessage(
      @ForAll @IntRange(min = 1, max = 388) int first,
      @ForAll @IntRange(min = 0, max = 387) int from) {
    ControlStream one = new ControlStream();
    int passed =
        one.take(FIRST, PLAIN.part(0, Math.max(first, 18)), this::written).orElseThrow().length();
    int begin = Math.min(from, passed - 1);
    byte[] other = new byte[passed - begin];
    Arrays.fill(other, (byte) 0x55);

    Bytes repeated = one.take(FIRST + begin, Bytes.taking(other), this::written).orElseThrow();

    int at = 0;
    for (Bytes message :
        List.of(
            start(), message(7, 8, 0), message(5, 1, 1), message(8, 8, 10), message(12, 8, 0))) {
      int head = message.u16(8) == 8 ? 17 : message.u16(8) == 1 || message.u16(8) == 5 ? 10 : 14;
      for (int i = Math.max(at, begin); i < Math.min(at + head, passed); i++) {
        assertThat(repeated.u8(i - begin)).as("byte %d", i).isEqualTo(WRITTEN.u8(i));
      }
      at += message.length();
    }
  }

  @Test
  void halfACallIdWaitsForTheOtherHalf() {
    Bytes request = message(7, 7, 0);
    take(FIRST, start());
    int at = FIRST + start().length();

    assertThat(take(at, request.part(0, 13))).contains(request.part(0, 12));
    assertThat(take(at + 12, request.part(12, 13))).as("one byte alone").isEmpty();
    assertThat(take(at + 12, request.part(12, 168))).contains(message(7, 8, 0).part(12, 168));
  }

  @Test
  void aResultBehindTheCallIdsIsAwaited() {
    Bytes reply = message(8, 7, 9);
    take(FIRST, start());
    int at = FIRST + start().length();

    assertThat(take(at, reply.part(0, 16))).contains(reply.part(0, 12));
    assertThat(take(at + 12, reply.part(12, 32))).contains(message(8, 8, 10).part(12, 32));
  }

  @Test
  void whatComesTooEarlyWaits() {
    take(FIRST, start());
    int at = FIRST + start().length();

    assertThat(stream.isAhead(at + 16)).isTrue();
    assertThat(take(at + 16, message(12, 7, 0))).isEmpty();
    assertThat(take(at, message(5, 1, 1))).isPresent();
    assertThat(take(at + 16, message(12, 7, 0))).contains(message(12, 8, 0));
  }

  @Test
  void aByteThatKeepsAliveGoesOn() {
    take(FIRST, start());

    assertThat(take(FIRST + start().length() - 1, Bytes.ofHex("00"))).contains(Bytes.ofHex("00"));
  }

  @Test
  void itBeginsWithAMessage() {
    assertThat(take(FIRST, PLAIN.part(3, 200))).isEmpty();
    assertThat(stream.hasBegun()).isFalse();
    assertThat(take(FIRST + 156, message(7, 7, 0)))
        .as("wherever: a successor finds it so")
        .contains(message(7, 8, 0));
    assertThat(take(FIRST, start())).as("what was before is not known").isEmpty();
  }

  @Test
  void behindWhatIsNoMessageNothingGoesOn() {
    take(FIRST, start());
    int at = FIRST + start().length();

    assertThat(take(at, Bytes.ofHex("0010000200000000000500000000"))).isEmpty();
    assertThat(take(at, message(5, 1, 1))).isEmpty();
    assertThat(stream.isAhead(at + 5)).as("and nothing is awaited").isFalse();
  }

  @Test
  void whatWasWrittenLongAgoIsNotRepeated() {
    take(FIRST, start());
    int at = FIRST + start().length();
    for (int i = 0; i < 300; i++) {
      take(at + 16 * i, message(12, 7, 0));
    }

    assertThat(take(at, message(12, 7, 0))).isEmpty();
    assertThat(take(at + 16 * 299, message(12, 7, 0))).contains(message(12, 8, 0));
  }
}
