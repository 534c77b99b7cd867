package io.gatehouse.packet;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Messages of PPTP's control connection, in a stream. */
class PptpControlTest {
  private static Bytes message(int length, int type, String ids) {
    String head = "%04x00011a2b3c4d%04x0000".formatted(length, type) + ids;
    return Bytes.ofHex(head + "00".repeat(length - head.length() / 2));
  }

  private static OptionalInt id(int number) {
    return number < 0 ? OptionalInt.empty() : OptionalInt.of(number);
  }

  @ParameterizedTest
  @CsvSource({
    "1, 156, -1, -1", "2, 156, -1, -1", "3, 16, -1, -1", "4, 16, -1, -1", "5, 16, -1, -1",
    "6, 20, -1, -1", "7, 168, 1, -1", "8, 32, 1, 2", "9, 220, 1, -1", "10, 24, 1, 2",
    "11, 28, -1, 1", "12, 16, 1, -1", "13, 148, 1, -1", "14, 40, -1, 1", "15, 24, -1, 1",
  })
  void everyTypeWithItsLengthAndCallIds(int type, int length, int callId, int peerCallId) {
    Bytes message = message(length, type, "00010002");

    assertThat(PptpControl.read(message))
        .isEqualTo(new PptpControl.Message(length, type, id(callId), id(peerCallId)));
    for (int end = 0; end < length; end++) {
      assertThat(PptpControl.read(message.part(0, end))).isEqualTo(new PptpControl.Incomplete());
    }
  }

  @Test
  void theNextMessageBegins() {
    Bytes stream = Bytes.ofHex(message(16, 12, "00070000") + "" + message(16, 5, "00000000"));

    PptpControl.Message first = (PptpControl.Message) PptpControl.read(stream);

    assertThat(first.callId()).hasValue(7);
    assertThat(PptpControl.read(stream.part(first.length(), stream.length())))
        .isEqualTo(new PptpControl.Message(16, 5, OptionalInt.empty(), OptionalInt.empty()));
  }

  @ParameterizedTest
  @CsvSource({
    "0010000200000000 0001, 2, message type 2",
    "00100001 1a2b3c4e 0001, 4, not PPTP's magic cookie",
    "00100001 1a2b3c4d 0010, 8, control message type 16",
    "00100001 1a2b3c4d 0000, 8, control message type 0",
    "00110001 1a2b3c4d 0003, 0, '17 bytes, where type 3 has 16'",
    "ffff0001 1a2b3c4d 0003, 0, '65535 bytes, where type 3 has 16'",
  })
  void whatIsNoMessage(String hex, int offset, String what) {
    assertThat(PptpControl.read(Bytes.ofHex(hex)))
        .isEqualTo(new PptpControl.Broken(new Malformed(offset, what)));
  }
}
