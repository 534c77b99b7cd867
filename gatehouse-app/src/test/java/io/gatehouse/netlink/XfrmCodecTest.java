package io.gatehouse.netlink;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatehouse.model.Address;
import io.gatehouse.model.Prefix;
import io.gatehouse.netlink.XfrmMessage.Direction;
import io.gatehouse.netlink.XfrmMessage.Mark;
import io.gatehouse.netlink.XfrmMessage.Ports;
import io.gatehouse.netlink.XfrmMessage.SaId;
import io.gatehouse.netlink.XfrmMessage.Template;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

/** The structures field by field, as linux/xfrm.h has them. */
class XfrmCodecTest {
  private static final Address HERE = Address.of("203.0.113.2");
  private static final Address THERE = Address.of("203.0.113.1");
  private static final SaId ID = new SaId(HERE, 0x1002, 50);

  static Bytes message(int type, Consumer<Message> body) {
    return new Message().message(type, 0, 0, body).done();
  }

  private static XfrmMessage read(Bytes message) {
    return XfrmCodec.read((Frame.Content) Framing.frames(message).getFirst());
  }

  static Message address(Message m, Address address) {
    byte[] bytes = address.bytes();
    return m.bytes(Bytes.of(bytes)).zeros(16 - bytes.length);
  }

  private static void id(Message m) {
    address(m, HERE).u16be(0).u16be(0x1002);
  }

  private static void selector(Message m) {
    address(m, HERE);
    address(m, THERE);
    m.u16be(1701).u16be(0xffff).u16be(40000).u16be(0xffff);
    m.u16(Wire.INET).u8(32).u8(24).u8(17).zeros(3).u32(0).u32(0);
  }

  static void state(Message m) {
    selector(m);
    id(m);
    m.u8(50).zeros(3);
    address(m, THERE);
    m.zeros(64); // lifetimes
    m.u32(5000).u32(0).u32(12).u32(0).zeros(16); // bytes, packets, times
    m.zeros(12).u32(0).u32(77).u16(Wire.INET).u8(0).u8(32).u8(0).zeros(7);
  }

  private static void marked(Message m) {
    m.attribute(21, new Message().u32(7).u32(0xffffff).done());
    m.attribute(29, Bytes.int32(7));
    m.attribute(30, Bytes.int32(0xffffff));
    Bytes encapsulation =
        address(new Message().u16(2).u16be(1024).u16be(4500).u16(0), Address.of("0.0.0.0")).done();
    m.attribute(4, encapsulation);
  }

  static Bytes stateMessage() {
    return message(
        0x10,
        m -> {
          state(m);
          marked(m);
        });
  }

  private static final XfrmMessage.State STATE =
      new XfrmMessage.State(
          ID,
          THERE,
          77,
          0,
          Optional.of(new Mark(7, 0xffffff)),
          Optional.of(new Mark(7, 0xffffff)),
          Optional.of(new Ports(1024, 4500)),
          5000,
          12);

  @Test
  void anSaIsReadWithItsMarksAndItsNat() {
    assertThat(read(stateMessage())).isEqualTo(STATE);
  }

  @Test
  void anSaThatExpiresSaysWhetherItWent() {
    Bytes hard =
        message(
            0x18,
            m -> {
              state(m);
              m.u8(1).zeros(7);
              marked(m);
            });

    assertThat(read(hard)).isEqualTo(new XfrmMessage.Expired(STATE, true));
  }

  @Test
  void anSaThatWentIsNamed() {
    Bytes gone =
        message(
            0x11,
            m -> {
              id(m);
              m.u16(Wire.INET).u8(50).u8(0);
              m.nested(6, XfrmCodecTest::state);
            });

    assertThat(read(gone)).isEqualTo(new XfrmMessage.StateGone(ID));
  }

  @Test
  void aPeerThatMovedHasOldAndNewPorts() {
    Bytes moved =
        message(
            0x26,
            m -> {
              id(m);
              m.u16(Wire.INET).u8(50).u8(0).u32(77);
              address(m, THERE);
              address(m, Address.of("203.0.113.9"));
              m.u16be(1024).u16be(2048);
            });

    assertThat(read(moved))
        .isEqualTo(new XfrmMessage.Moved(ID, 77, THERE, 1024, Address.of("203.0.113.9"), 2048));
  }

  static void policy(Message m) {
    selector(m);
    m.zeros(96).u32(371327).u32(8).u8(0).u8(0).zeros(6);
  }

  private static Bytes template() {
    Message m = new Message();
    id(m);
    m.u8(50).zeros(3).u16(Wire.INET).u16(0);
    address(m, Address.of("0.0.0.0"));
    return m.u32(77).u8(0).zeros(15).done();
  }

  static Bytes policyMessage() {
    return message(
        0x13,
        m -> {
          policy(m);
          m.attribute(5, template());
          m.attribute(21, new Message().u32(7).u32(0xffffff).done());
        });
  }

  private static XfrmMessage.Policy policy(boolean gone) {
    return new XfrmMessage.Policy(
        Direction.IN,
        Prefix.of("203.0.113.0/24"),
        Prefix.of("203.0.113.2/32"),
        17,
        new Ports(40000, 1701),
        371327,
        false,
        Optional.of(new Mark(7, 0xffffff)),
        List.of(new Template(Optional.empty(), Optional.of(HERE), 77, 0)),
        gone);
  }

  @Test
  void aPolicyIsReadWithSelectorMarkAndTemplate() {
    assertThat(read(policyMessage())).isEqualTo(policy(false));
  }

  @Test
  void aPolicyThatWentIsReadFromItsAttribute() {
    Bytes gone =
        message(
            0x14,
            m -> {
              selector(m);
              m.u32(8).u8(0).zeros(3);
              m.nested(7, XfrmCodecTest::policy);
              m.attribute(5, template());
              m.attribute(21, new Message().u32(7).u32(0xffffff).done());
            });

    assertThat(read(gone)).isEqualTo(policy(true));
  }

  @Test
  void flushesAndUnknownMessagesAreValues() {
    assertThat(read(message(0x1c, m -> m.u8(50)))).isEqualTo(new XfrmMessage.StatesFlushed(50));
    assertThat(read(message(0x1d, m -> {}))).isEqualTo(new XfrmMessage.PoliciesFlushed());
    assertThat(read(message(0x17, m -> m.u32(1)))).isEqualTo(new Unknown(0x17, 16));
    assertThat(read(message(0x10, m -> m.zeros(223))))
        .isEqualTo(new Unreadable(16, "xfrm's structure is cut off"));
    assertThat(read(message(0x10, m -> m.zeros(224))))
        .isEqualTo(new Unreadable(16, "xfrm of family 0"));
  }
}
