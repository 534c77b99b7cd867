package io.gatehouse.netlink;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatehouse.netlink.SetElement.Data;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Datagrams cut, lengthened and spoilt: each is read to values, whose positions lie within. */
class MutilatedTest {
  private static final int TRIES = 5_000;

  static Stream<Bytes> datagrams() {
    SetId set = SetId.inet("gatehouse", "m");
    return Stream.of(
        NftCodec.batch(
            List.of(
                new ElementChange.Add(
                    set,
                    SetElement.of(
                        Bytes.int32(1),
                        new Data.Verdict(Data.Verdict.GOTO, Optional.of("in_staff.finance")))),
                new ElementChange.Remove(
                    set, SetElement.of(Bytes.int32(2), new Data.Value(Bytes.int16(3))))),
            OptionalLong.of(4),
            5),
        QueueCodecTest.packet(),
        XfrmCodecTest.stateMessage(),
        XfrmCodecTest.policyMessage(),
        RouteCodecTest.multipath(),
        RouteCodecTest.rule(),
        ConntrackCodecTest.message(),
        new Message()
            .message(
                2,
                Wire.ACK_ATTRIBUTES,
                9,
                m -> {
                  m.u32(-22).u32(20).zeros(16);
                  m.attribute(1, Bytes.text("no such map"));
                })
            .done());
  }

  @ParameterizedTest
  @MethodSource("datagrams")
  void nothingThatComesIsAnException(Bytes whole) {
    RandomGenerator random = RandomGeneratorFactory.of("L64X128MixRandom").create(42);
    for (int length = 0; length <= whole.length(); length++) {
      look(whole.part(0, length));
    }
    for (int i = 0; i < TRIES; i++) {
      byte[] bytes = whole.array();
      for (int spoilt = random.nextInt(1, 5); spoilt > 0; spoilt--) {
        byte[] telling = {0, 1, 3, 4, 5, 0x7f, (byte) 0x80, (byte) 0xff, (byte) random.nextInt()};
        bytes[random.nextInt(bytes.length)] = telling[random.nextInt(telling.length)];
      }
      look(
          Bytes.of(bytes)
              .part(0, random.nextInt(3) == 0 ? random.nextInt(bytes.length) : bytes.length));
    }
  }

  private static void look(Bytes datagram) {
    for (Frame frame : Framing.frames(datagram)) {
      switch (frame) {
        case Frame.Content content -> {
          for (int type :
              List.of(
                  content.type(),
                  3 << 8,
                  10 << 8 | 12,
                  10 << 8 | 15,
                  1 << 8,
                  0x10,
                  0x11,
                  0x13,
                  0x14,
                  0x18,
                  0x26,
                  16,
                  20,
                  24,
                  28,
                  32)) {
            Frame.Content as =
                new Frame.Content(type, content.flags(), content.sequence(), content.body());
            within(datagram, NftCodec.read(as));
            within(datagram, QueueCodec.read(as));
            within(datagram, XfrmCodec.read(as));
            within(datagram, RouteCodec.read(as));
            within(datagram, ConntrackCodec.read(as));
          }
        }
        case Frame.Broken broken -> within(datagram, broken.what());
        default -> {}
      }
    }
  }

  private static void within(Bytes datagram, Object message) {
    if (message instanceof Unreadable unreadable) {
      assertThat(unreadable.position()).isBetween(0, datagram.length());
    }
  }
}
