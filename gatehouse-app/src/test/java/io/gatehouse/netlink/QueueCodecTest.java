package io.gatehouse.netlink;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Optional;
import org.junit.jupiter.api.Test;

class QueueCodecTest {
  private static final Bytes PAYLOAD = Bytes.of((byte) 0x45, (byte) 0, (byte) 0, (byte) 4);

  /** As the kernel sends it: number, hook, then what it copied (nfqnl_build_packet_message). */
  static Bytes packet() {
    return packet(PAYLOAD.length());
  }

  private static Bytes packet(long whole) {
    return new Message()
        .message(
            3 << 8,
            0,
            0,
            m -> {
              m.u8(2).u8(0).u16be(7172);
              m.attribute(
                  1,
                  Bytes.of((byte) 0, (byte) 0, (byte) 1, (byte) 2, (byte) 8, (byte) 0, (byte) 0));
              m.attributeBe(5, 3);
              m.attribute(10, PAYLOAD);
              if (whole != PAYLOAD.length()) {
                m.attributeBe(13, whole);
              }
            })
        .done();
  }

  private static QueueMessage read(Bytes datagram) {
    return QueueCodec.read((Frame.Content) Framing.frames(datagram).getFirst());
  }

  @Test
  void aPacketHasItsQueueItsNumberAndItsBytes() {
    assertThat(read(packet())).isEqualTo(new QueuedPacket(7172, 0x0102, true, PAYLOAD));
  }

  @Test
  void aPacketThatIsLongerThanWhatWasCopiedIsNotWhole() {
    assertThat(read(packet(9000))).isEqualTo(new QueuedPacket(7172, 0x0102, false, PAYLOAD));
  }

  @Test
  void aPacketWithoutNumberIsUnreadable() {
    Bytes nameless = new Message().message(3 << 8, 0, 0, m -> m.u8(2).u8(0).u16be(7171)).done();
    assertThat(read(nameless)).isInstanceOf(Unreadable.class);
  }

  @Test
  void aVerdictNamesQueueAndPacketInNetworkOrder() {
    Bytes verdict = QueueCodec.verdict(7172, 0x01020304, 4, Optional.empty());
    Frame.Content frame = (Frame.Content) Framing.frames(verdict).getFirst();
    assertThat(frame.type()).isEqualTo(3 << 8 | 1);
    assertThat(frame.body().u16be(2)).isEqualTo(7172);
    Attributes attributes = Attributes.of(frame.body().from(4));
    Bytes pair = attributes.find(2, 8).orElseThrow();
    assertThat(pair.u32be(0)).isEqualTo(4);
    assertThat(pair.u32be(4)).isEqualTo(0x01020304);
  }

  @Test
  void wholePacketsAreAskedFor() {
    Bytes request = QueueCodec.wholePackets(7171, 100, 5);
    Frame.Content frame = (Frame.Content) Framing.frames(request).getFirst();
    Bytes parameters = Attributes.of(frame.body().from(4)).find(2, 5).orElseThrow();
    // struct nfqnl_msg_config_params is packed: four bytes of range, one of mode.
    assertThat(parameters).isEqualTo(Bytes.of((byte) 0, (byte) 0, (byte) -1, (byte) -1, (byte) 2));
  }
}
