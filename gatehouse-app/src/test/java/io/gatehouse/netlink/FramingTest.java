package io.gatehouse.netlink;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class FramingTest {
  private static final int INVALID = 22;

  @Test
  void aDatagramOfSeveralMessagesComesApartInItsOrder() {
    Bytes datagram =
        new Message()
            .message(40, 2, 7, m -> m.u32(1).u8(2))
            .message(Wire.TYPE_NOOP, 0, 7, m -> {})
            .message(41, 2, 7, m -> m.u32(3))
            .message(Wire.TYPE_DONE, 2, 7, m -> m.u32(0))
            .done();

    assertThat(Framing.frames(datagram))
        .containsExactly(
            new Frame.Content(40, 2, 7, datagram.part(16, 5)),
            new Frame.Content(41, 2, 7, datagram.part(56, 4)),
            new Frame.Done(7, 0, 2));
  }

  @Test
  void anErrorOfZeroIsAnAcknowledgement() {
    Bytes datagram = new Message().message(2, 0, 9, m -> m.u32(0).zeros(16)).done();

    assertThat(Framing.frames(datagram)).containsExactly(new Frame.Acknowledged(9));
  }

  @Test
  void aRefusalSaysWhatTheKernelSaysOfIt() {
    Bytes capped =
        new Message()
            .message(
                2,
                Wire.CAPPED | Wire.ACK_ATTRIBUTES,
                9,
                m -> {
                  m.u32(-INVALID).u32(400).zeros(12);
                  m.attribute(1, Bytes.text("no such map"));
                  m.attribute(2, Bytes.int32(36));
                })
            .done();
    Bytes whole =
        new Message()
            .message(
                2,
                Wire.ACK_ATTRIBUTES,
                9,
                m -> {
                  m.u32(-INVALID).u32(20).zeros(12).u32(0xdeadbeefL);
                  m.attribute(1, Bytes.text("no such map"));
                })
            .done();

    assertThat(Framing.frames(capped).getFirst())
        .isInstanceOfSatisfying(
            Frame.Refused.class,
            refused -> {
              assertThat(refused.errno()).isEqualTo(INVALID);
              assertThat(refused.text()).contains("no such map");
              assertThat(refused.offset()).hasValue(36);
            });
    assertThat(Framing.frames(whole).getFirst())
        .isInstanceOfSatisfying(
            Frame.Refused.class, refused -> assertThat(refused.text()).contains("no such map"));
  }

  @Test
  void whatIsCutOffIsAValueWithItsPosition() {
    Bytes datagram =
        new Message().message(40, 0, 1, m -> m.u32(1)).message(40, 0, 1, m -> m.u32(1)).done();

    for (int length = 21; length < 40; length++) {
      List<Frame> frames = Framing.frames(datagram.part(0, length));
      assertThat(frames).hasSize(2);
      assertThat(frames.getLast())
          .isInstanceOfSatisfying(
              Frame.Broken.class, broken -> assertThat(broken.what().position()).isEqualTo(20));
    }
  }

  @Test
  void aLengthShorterThanItsHeaderEndsTheReading() {
    Bytes datagram = new Message().u32(3).zeros(60).done();

    assertThat(Framing.frames(datagram)).singleElement().isInstanceOf(Frame.Broken.class);
  }

  @Test
  void anInterruptedListSaysSo() {
    Bytes datagram =
        new Message()
            .message(40, Wire.DUMP_INTERRUPTED, 1, m -> {})
            .message(Wire.TYPE_DONE, Wire.DUMP_INTERRUPTED, 1, m -> m.u32(0))
            .done();

    List<Frame> frames = Framing.frames(datagram);
    assertThat(((Frame.Content) frames.getFirst()).isInterrupted()).isTrue();
    assertThat(((Frame.Done) frames.getLast()).isInterrupted()).isTrue();
  }
}
