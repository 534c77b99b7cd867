package io.gatehouse.netlink;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatehouse.model.Address;
import io.gatehouse.model.Family;
import io.gatehouse.model.Prefix;
import io.gatehouse.netlink.RouteMessage.Hop;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

class RouteCodecTest {
  static Bytes message(int type, Consumer<Message> body) {
    return new Message().message(type, 0, 0, body).done();
  }

  private static RouteMessage read(Bytes message) {
    return RouteCodec.read((Frame.Content) Framing.frames(message).getFirst());
  }

  private static Bytes address(String text) {
    return Bytes.of(Address.of(text).bytes());
  }

  static Bytes multipath() {
    return message(
        24,
        m -> {
          m.u8(Wire.INET6).u8(64).u8(0).u8(0).u8(252).u8(171).u8(0).u8(1).u32(0);
          m.attribute(1, address("2001:db8:3::"));
          m.attribute(6, Bytes.int32(1024));
          m.attribute(15, Bytes.int32(7100));
          Message hops = new Message();
          hops.u16(8).u8(0).u8(0).u32(3);
          hops.u16(28).u8(0).u8(0).u32(4).attribute(5, address("fe80::1"));
          m.attribute(9, hops.done());
        });
  }

  @Test
  void aRouteOverSeveralHopsIsReadWithItsTable() {
    assertThat(read(multipath()))
        .isEqualTo(
            new RouteMessage.Route(
                Prefix.of("2001:db8:3::/64"),
                Prefix.ALL_V6,
                7100,
                1,
                171,
                OptionalLong.of(1024),
                List.of(
                    new Hop(OptionalInt.of(3), Optional.empty()),
                    new Hop(OptionalInt.of(4), Optional.of(Address.of("fe80::1")))),
                false));
  }

  static Bytes rule() {
    return message(
        32,
        m -> {
          m.u8(Wire.INET).u8(0).u8(32).u8(0).u8(252).u8(0).u8(0).u8(1).u32(2);
          m.attribute(2, address("10.8.0.2"));
          m.attribute(6, Bytes.int32(5000));
          m.attribute(15, Bytes.int32(7101));
          m.attribute(10, Bytes.int32(0x1000000));
          m.attribute(16, Bytes.int32(0xff000000L));
          m.attribute(3, Bytes.text("lan"));
          m.attribute(21, Bytes.of((byte) 171));
        });
  }

  @Test
  void aRuleIsReadWithEverythingThatItAsks() {
    assertThat(read(rule()))
        .isEqualTo(
            new RouteMessage.Rule(
                Family.V4,
                5000,
                Optional.of(Prefix.of("10.8.0.2/32")),
                Optional.empty(),
                OptionalLong.of(0x1000000),
                OptionalLong.of(0xff000000L),
                Optional.of("lan"),
                Optional.empty(),
                7101,
                1,
                true,
                171,
                false));
  }

  @Test
  void linksAndAddressesThatGoAreToldSo() {
    Bytes link =
        message(
            17,
            m -> {
              m.u8(0).u8(0).u16(1).u32(5).u32(0x41).u32(0);
              m.attribute(3, Bytes.text("wan"));
              m.attribute(4, Bytes.int32(1500));
            });
    Bytes address =
        message(
            21,
            m -> {
              m.u8(Wire.INET).u8(32).u8(0).u8(0).u32(5);
              m.attribute(1, address("192.0.2.1"));
              m.attribute(2, address("192.0.2.2"));
            });

    assertThat(read(link))
        .isEqualTo(new RouteMessage.Link(5, "wan", true, OptionalInt.of(1500), true));
    assertThat(read(address))
        .isEqualTo(new RouteMessage.OfLink(5, Address.of("192.0.2.2"), 32, true));
  }

  @Test
  void aProxyThatIsWrittenReadsBack() {
    Bytes wanted = RouteCodec.proxy(Address.of("10.0.1.77"), 3, 171, true, 1);

    assertThat(read(wanted))
        .isEqualTo(new RouteMessage.Neighbour(3, Address.of("10.0.1.77"), true, 171, false));
  }

  @Test
  void whatCannotBeReadIsAValueWithItsPosition() {
    assertThat(read(message(24, m -> m.zeros(11))))
        .isEqualTo(new Unreadable(16, "rtnetlink's header is cut off"));
    assertThat(read(message(24, m -> m.u8(Wire.INET).u8(33).zeros(10))))
        .isEqualTo(new Unreadable(16, "a route to no prefix"));
    assertThat(read(message(99, m -> {}))).isEqualTo(new Unknown(99, 16));
    Bytes hop =
        message(
            24,
            m -> {
              m.u8(Wire.INET).zeros(11);
              m.attribute(9, new Message().u16(80).u16(0).u32(1).done());
            });
    assertThat(read(hop)).isEqualTo(new Unreadable(32, "a next hop is cut off"));
  }
}
