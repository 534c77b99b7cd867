package io.gatehouse.packet;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.util.List;
import java.util.OptionalInt;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Whatever the bytes: an answer, never an exception, and offsets that lie within the bytes. */
class AnyBytesTest {
  private static final String IKE = "00000000000000010000000000000002%s00000003%08x";

  /** One of each kind, to be spoilt. */
  private static final List<Bytes> SOUND =
      List.of(
          PacketTest.v4(
              Ip.UDP,
              "01f401f400300000" + IKE.formatted("2e202420", 40) + "2100000c0102030405060708"),
          PacketTest.v4(
              Ip.UDP,
              "1194119400340000"
                  + "00000000"
                  + IKE.formatted("35202320", 40)
                  + "2400000c00010003cafecafe"),
          PacketTest.v4(
              Ip.UDP,
              "01f401f400300000" + IKE.formatted("29202508", 40) + "2e000008000040012a000004"),
          PacketTest.v4(Ip.UDP, "11941194000f0000" + "00000001000000"),
          PacketTest.v4(Ip.ESP, "deadbeef00000001aabbccdd"),
          PacketTest.v4(Ip.AH, "320400000000010000000007000000000000000000000000"),
          PacketTest.v4(Ip.GRE, "3081880b0002beef0000000500000004c021"),
          PacketTest.v4(Ip.GRE, "b0000800000000000000002a00000007aa"),
          PacketTest.v4(Ip.TCP, "06bbc35000000064000000c86012ffff00000000020405b4aa"),
          PacketTest.v4(Ip.ICMP, "0304123400000514" + PacketTest.v4(Ip.UDP, "0035003500080000")),
          PacketTest.v6(
              0, "3c00000000000000" + "2c00000000000000" + "1100000100abcdef" + "0035003601000000"),
          PacketTest.v6(Ip.ICMP6, "0200000000000500" + PacketTest.v6(Ip.ESP, "0000beef00000001")));

  @Test
  void spoiltPackets() {
    spoil(200_000, 7);
  }

  @Test
  @Tag("full")
  void manySpoiltPackets() {
    spoil(50_000_000, 8);
  }

  private static void spoil(int count, long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    int malformed = 0;
    for (int i = 0; i < count; i++) {
      byte[] bytes = SOUND.get(random.nextInt(SOUND.size())).toArray();
      for (int n = random.nextInt(4); n > 0; n--) {
        bytes[random.nextInt(bytes.length)] = (byte) random.nextInt();
      }
      Bytes spoilt =
          Bytes.copyOf(bytes).part(0, bytes.length - random.nextInt(3) * random.nextInt(9));
      malformed += look(Packet.parse(spoilt), spoilt.length()) ? 1 : 0;
      look(Packet.parseBeginning(spoilt), spoilt.length());
    }
    assertThat(malformed).as("spoilt ones that were found to be so").isBetween(count / 20, count);
  }

  @Test
  void everyCutOfASoundPacketIsMalformedAndEveryBeginningIsReadAsFarAsItGoes() {
    for (Bytes sound : SOUND) {
      for (int end = 0; end < sound.length(); end++) {
        Packet cut = Packet.parse(sound.part(0, end));
        assertThat(cut).as("%s cut at %d", sound, end).isInstanceOf(Malformed.class);
        look(Packet.parseBeginning(sound.part(0, end)), end);
      }
      assertThat(look(Packet.parse(sound), sound.length()))
          .as("%s", sound)
          .isEqualTo(broken(sound));
    }
  }

  /** The fourth packet alone is malformed when whole: ESP of seven bytes. */
  private static boolean broken(Bytes sound) {
    return sound.equals(SOUND.get(3));
  }

  @Test
  void spoiltPptp() {
    SplittableRandom random = new SplittableRandom(9);
    int[] lengths = {156, 156, 16, 16, 16, 20, 168, 32, 220, 24, 28, 16, 148, 40, 24};
    int messages = 0;
    int incomplete = 0;
    int broken = 0;
    for (int i = 0; i < 100_000; i++) {
      int type = 1 + random.nextInt(lengths.length);
      byte[] bytes = new byte[lengths[type - 1] + random.nextInt(3) * random.nextInt(9)];
      random.nextBytes(bytes);
      ByteBuffer.wrap(bytes)
          .putShort((short) lengths[type - 1])
          .putShort((short) 1)
          .putInt(0x1a2b3c4d)
          .putShort((short) type);
      for (int n = random.nextInt(3); n > 0; n--) {
        bytes[random.nextInt(16)] = (byte) random.nextInt();
      }
      int end = random.nextInt(4) == 0 ? random.nextInt(bytes.length) : bytes.length;
      Bytes stream = Bytes.copyOf(bytes).part(0, end);
      switch (PptpControl.read(stream)) {
        case PptpControl.Message message -> {
          messages++;
          assertThat(message.type()).isEqualTo(stream.u16(8)).isBetween(1, lengths.length);
          assertThat(message.length())
              .isEqualTo(lengths[message.type() - 1])
              .isEqualTo(stream.u16(0))
              .isLessThanOrEqualTo(end);
          assertThat(message.callId())
              .isEqualTo(at(PptpControl.callIdOffset(message.type()), stream));
          assertThat(message.peerCallId())
              .isEqualTo(at(PptpControl.peerCallIdOffset(message.type()), stream));
        }
        case PptpControl.Incomplete beginning -> {
          incomplete++;
          assertThat(end).isLessThan(220);
          assertThat(end < 10 || end < stream.u16(0)).as("%s lacks something", stream).isTrue();
        }
        case PptpControl.Broken(Malformed why) -> {
          broken++;
          within(why, end);
        }
      }
    }
    assertThat(messages).isGreaterThan(20_000);
    assertThat(incomplete).isGreaterThan(5_000);
    assertThat(broken).isGreaterThan(20_000);
  }

  private static OptionalInt at(OptionalInt offset, Bytes stream) {
    return offset.isPresent() ? OptionalInt.of(stream.u16(offset.getAsInt())) : offset;
  }

  /** Whether something in the packet is malformed; its offset must be sensible. */
  private static boolean look(Packet packet, int length) {
    return switch (packet) {
      case Malformed m -> within(m, length);
      case Ip ip ->
          switch (ip.body()) {
            case Malformed m -> within(m, length);
            case Udp udp when udp.content() instanceof Malformed m -> within(m, length);
            case IcmpError error -> look(error.quote(), length);
            default -> false;
          };
    };
  }

  private static boolean within(Malformed malformed, int length) {
    assertThat(malformed.offset()).as(malformed.what()).isBetween(0, length);
    return true;
  }
}
