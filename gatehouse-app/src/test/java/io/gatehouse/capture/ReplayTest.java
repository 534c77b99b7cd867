package io.gatehouse.capture;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatehouse.capture.Replay.Fate;
import io.gatehouse.masquerade.Method;
import io.gatehouse.masquerade.Settings;
import io.gatehouse.model.Prefix;
import io.gatehouse.packet.Bytes;
import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Captures of any length. */
class ReplayTest {
  private static final Settings SETTINGS =
      new Settings(
          Method.EVIDENCE,
          Duration.ofMinutes(65),
          true,
          Duration.ZERO,
          List.of(),
          Settings.Limits.standard());

  /** ESP of 10.0.1.1 to 198.51.100.1; the frame's header says IPv4 without another. */
  private static final byte[] RECORD =
      HexFormat.of()
          .parseHex(
              "0000000100000000000000240000002445000024000000004032"
                  + "00000a000101c6336401000000a1000000010000000000000000");

  private static final byte[] HEADER =
      HexFormat.of().parseHex("a1b2c3d400020004000000000000000000" + "00ffff00000065");

  /** As many packets as are asked for, of which none stands in memory. */
  private static final class Endless extends InputStream {
    private final long length;
    private long at;

    Endless(int packets) {
      length = HEADER.length + (long) packets * RECORD.length;
    }

    @Override
    public int read() {
      byte[] one = new byte[1];
      return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    @Override
    public int read(byte[] into, int offset, int count) {
      if (at == length) {
        return -1;
      }
      int some = (int) Math.min(count, length - at);
      for (int i = 0; i < some; i++, at++) {
        into[offset + i] =
            at < HEADER.length
                ? HEADER[(int) at]
                : RECORD[(int) ((at - HEADER.length) % RECORD.length)];
      }
      return some;
    }
  }

  @Test
  void eachPacketIsToldBeforeTheNextIsRead() throws IOException {
    Endless file = new Endless(20_000);
    int[] told = new int[1];
    long[] ahead = new long[1];
    Replay replay =
        new Replay(
            List.of(Prefix.of("10.0.1.0/24")),
            SETTINGS,
            step -> {
              told[0]++;
              ahead[0] = Math.max(ahead[0], file.at - (long) told[0] * RECORD.length);
            });

    assertThat(FrameStream.read(file, 2048, replay)).isEmpty();
    assertThat(told[0]).isEqualTo(20_000);
    assertThat(replay.count(Fate.PASSED)).isEqualTo(20_000);
    assertThat(replay.decided()).isEqualTo(20_000);
    assertThat(replay.others()).isZero();
    // A buffer and what is in it.
    assertThat(ahead[0]).isLessThan(3 << 16);
  }

  @Test
  void whatIsNotOfTheMasqueradeIsCounted() {
    Replay replay = new Replay(List.of(Prefix.of("10.0.2.0/24")), SETTINGS, step -> {});
    Bytes esp = Bytes.copyOf(RECORD).part(16, RECORD.length - 16);

    replay.accept(new Frame(1, 0, 101, esp.length(), esp));
    assertThat(replay.decided()).isZero();
    assertThat(replay.others()).isEqualTo(1);
  }
}
