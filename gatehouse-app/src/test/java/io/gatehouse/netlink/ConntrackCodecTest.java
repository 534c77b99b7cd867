package io.gatehouse.netlink;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatehouse.model.Address;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class ConntrackCodecTest {
  private static final int NEW = 1 << 8;

  private static void ends(Message m, int type, String from, String to) {
    m.nested(
        type,
        tuple -> {
          tuple.nested(
              1,
              addresses -> {
                addresses.attribute(1, Bytes.of(Address.of(from).bytes()));
                addresses.attribute(2, Bytes.of(Address.of(to).bytes()));
              });
          tuple.nested(2, protocol -> protocol.attribute(1, Bytes.of((byte) 17)));
        });
  }

  /** A connection of a LAN's host, behind our address, in zone 7. */
  static Bytes message() {
    return new Message()
        .message(
            NEW,
            0,
            1,
            m -> {
              m.u8(2).u8(0).u16be(0);
              ends(m, 1, "10.0.1.20", "198.51.100.7");
              ends(m, 2, "198.51.100.7", "203.0.113.2");
              m.attribute(18, Bytes.of((byte) 0, (byte) 7));
              m.attribute(12, Bytes.int32(0x1234));
            })
        .done();
  }

  private static Frame.Content frame(Bytes message) {
    return (Frame.Content) Framing.frames(message).getFirst();
  }

  @Test
  void aConnectionConcernsEveryAddressOfBothDirections() {
    Connection connection = ConntrackCodec.read(frame(message())).orElseThrow();

    for (String address : new String[] {"10.0.1.20", "198.51.100.7", "203.0.113.2"}) {
      assertThat(connection.concerns(Address.of(address))).as(address).isTrue();
    }
    assertThat(connection.concerns(Address.of("203.0.113.7"))).isFalse();
  }

  @Test
  void whatEndsItNamesItAsTheKernelDid() {
    Connection connection = ConntrackCodec.read(frame(message())).orElseThrow();
    Frame.Content delete = frame(ConntrackCodec.delete(connection, 3));

    assertThat(delete.type()).isEqualTo(1 << 8 | 2);
    Attributes attributes = Attributes.of(delete.body().from(4));
    assertThat(delete.body().u8(0)).isEqualTo(2);
    assertThat(attributes.find(1)).contains(connection.tuple());
    assertThat(attributes.find(18)).contains(Bytes.of((byte) 0, (byte) 7));
    assertThat(attributes.find(12)).contains(Bytes.int32(0x1234));
  }

  @Test
  void withoutBothDirectionsItIsNone() {
    Bytes half =
        new Message()
            .message(
                NEW,
                0,
                1,
                m -> {
                  m.u8(2).u8(0).u16be(0);
                  ends(m, 1, "10.0.1.20", "198.51.100.7");
                })
            .done();

    assertThat(ConntrackCodec.read(frame(half))).isEqualTo(Optional.empty());
  }
}
