package io.gatehouse.capture;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatehouse.capture.FrameStream.Ending;
import io.gatehouse.packet.Bytes;
import io.gatehouse.packet.Esp;
import io.gatehouse.packet.Ip;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Files of captures, byte by byte. */
class CaptureTest {
  private static final String IP = "4500001c 00000000 40320000 c0000201 c6336407 deadbeef 00000001";

  private static final String LITTLE =
      "d4c3b2a1 02000400 00000000 00000000 ffff0000 65000000"
          + "01000000 02000000 1c000000 1c000000"
          + IP;

  private static final String BIG_NANO =
      "a1b23c4d 00020004 00000000 00000000 0000ffff 00000065"
          + "00000001 00000002 0000001c 0000001c"
          + IP;

  private static final String NG_LITTLE =
      "0a0d0d0a 1c000000 4d3c2b1a 01000000 ffffffffffffffff 1c000000"
          + "01000000 14000000 65000000 00000000 14000000"
          + "99000000 10000000 01020304 10000000"
          + "06000000 3c000000 00000000 00000000 80841e00 1c000000 1c000000"
          + IP
          + "3c000000"
          + "03000000 2c000000 1c000000"
          + IP
          + "2c000000";

  private static final String NG_BIG_NANO =
      "0a0d0d0a 0000001c 1a2b3c4d 00010000 ffffffffffffffff 0000001c"
          + "00000001 00000020 00650000 00000000 00090001 09000000 00000000 00000020"
          + "00000006 0000003c 00000000 00000000 3b9aca01 0000001c 0000001c"
          + IP
          + "0000003c";

  private static List<Frame> frames(String hex) {
    Frames capture = Frames.read(Bytes.ofHex(hex));
    assertThat(capture.end()).isEmpty();
    return capture.frames();
  }

  private static void expectEsp(Frame frame) {
    assertThat(frame.packet())
        .hasValueSatisfying(p -> assertThat(((Ip) p).body()).isEqualTo(new Esp(0xdeadbeef, 1, 8)));
  }

  @Test
  void pcapInBothOrdersAndUnits() {
    Frame little = frames(LITTLE).getFirst();
    assertThat(little.time()).isEqualTo(1_000_002_000L);
    assertThat(little.length()).isEqualTo(28);
    expectEsp(little);

    Frame big = frames(BIG_NANO).getFirst();
    assertThat(big.time()).isEqualTo(1_000_000_002L);
    expectEsp(big);
  }

  @Test
  void pcapngInBothOrdersWithUnknownBlocks() {
    List<Frame> little = frames(NG_LITTLE);
    assertThat(little).extracting(Frame::number).containsExactly(1, 2);
    assertThat(little.getFirst().time()).isEqualTo(2_000_000_000L);
    little.forEach(CaptureTest::expectEsp);

    Frame big = frames(NG_BIG_NANO).getFirst();
    assertThat(big.time()).isEqualTo(1_000_000_001L);
    expectEsp(big);
  }

  @Test
  void aFrameOfWhichOnlyTheBeginningWasKept() {
    Frame frame =
        new Frame(
            1,
            0,
            101,
            1500,
            Bytes.ofHex("450005dc 00000000 40320000 c0000201 c6336407 deadbeef 00000001"));

    expectEsp(frame);
  }

  @ParameterizedTest
  @CsvSource({
    "1, 0102030405060708090a0b0c 0800, true",
    "1, 0102030405060708090a0b0c 8100 0007 0800, true",
    "1, 0102030405060708090a0b0c 88a8 0007 8100 0008 0800, true",
    "1, 0102030405060708090a0b0c 0806, false",
    "113, 0000 0001 0006 010203040506 0000 0800, true",
    "276, 0800 0000 00000002 0001 00 06 0102030405060000, true",
    "0, 02000000, true",
    "108, 00000002, true",
    "12, '', true",
    "228, '', true",
    "147, '', false",
    "1, 0102030405060708090a0b0c 8864 1100 0001 001e 0021, true",
    "1, 0102030405060708090a0b0c 8864 1100 0001 001e c021, false",
    "239, 02 00 0000 20000900, true",
    "239, 02 00 0000 00200009, true",
    "239, 02 00 0000 0800 0100 00000000 20000900, true",
    "239, 02 00 0000 20000100, false",
  })
  void whereIpBegins(int link, String header, boolean there) {
    Bytes data = Bytes.ofHex(header + IP);

    assertThat(new Frame(1, 0, link, data.length(), data).packet().isPresent()).isEqualTo(there);
  }

  @Test
  void whatIsWrongIsToldWithItsPlaceAndWhatStoodBeforeIsKept() {
    Bytes two = Bytes.ofHex(LITTLE + "01000000 02000000 ff000000 ff000000 00");

    Frames capture = Frames.read(two);

    assertThat(capture.frames()).hasSize(1);
    assertThat(capture.end())
        .contains(new Ending(24 + 16 + 28 + 8, "a frame of 255 bytes is cut off"));
    assertThat(Frames.read(Bytes.ofHex("00112233")).end())
        .contains(new Ending(0, "neither pcap nor pcapng"));
    assertThat(Frames.read(Bytes.EMPTY).end()).isPresent();
    Bytes ng = Bytes.ofHex(NG_LITTLE);
    assertThat(Frames.read(ng.part(0, ng.length() - 4)).end())
        .contains(new Ending(128, "a block of 44 bytes is cut off"));
  }

  /** Each stays in memory as long as its section lasts. */
  @Test
  void moreInterfacesThanAnybodyHasAreRefused() {
    String section = NG_LITTLE.substring(0, NG_LITTLE.indexOf("01000000 14000000"));
    String device = "01000000 14000000 65000000 00000000 14000000";
    String frame =
        "06000000 3c000000 ff0f0000 00000000 80841e00 1c000000 1c000000" + IP + "3c000000";

    String most = section + device.repeat(4096) + frame;
    assertThat(frames(most)).hasSize(1);
    assertThat(frames(most + most)).hasSize(2);
    Frames tooMany = Frames.read(Bytes.ofHex(most + device.repeat(904) + frame));
    assertThat(tooMany.frames()).hasSize(1);
    assertThat(tooMany.end()).map(Ending::what).contains("more than 4096 interfaces");
  }

  @Test
  void whateverTheBytesAnAnswer() {
    SplittableRandom random = new SplittableRandom(3);
    List<Bytes> sound =
        List.of(
            Bytes.ofHex(LITTLE),
            Bytes.ofHex(BIG_NANO),
            Bytes.ofHex(NG_LITTLE),
            Bytes.ofHex(NG_BIG_NANO));
    for (int i = 0; i < 100_000; i++) {
      byte[] bytes = sound.get(random.nextInt(sound.size())).toArray();
      for (int n = random.nextInt(5); n > 0; n--) {
        bytes[random.nextInt(bytes.length)] = (byte) random.nextInt();
      }
      Bytes spoilt =
          Bytes.copyOf(bytes).part(0, bytes.length - random.nextInt(2) * random.nextInt(30));
      Frames capture = Frames.read(spoilt);
      capture.frames().forEach(Frame::packet);
      capture
          .end()
          .ifPresent(end -> assertThat(end.offset()).isBetween(0L, (long) spoilt.length()));
    }
  }
}
