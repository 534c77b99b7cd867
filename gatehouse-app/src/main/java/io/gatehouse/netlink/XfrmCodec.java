package io.gatehouse.netlink;

import io.gatehouse.model.Address;
import io.gatehouse.model.Prefix;
import io.gatehouse.netlink.XfrmMessage.Direction;
import io.gatehouse.netlink.XfrmMessage.Mark;
import io.gatehouse.netlink.XfrmMessage.Ports;
import io.gatehouse.netlink.XfrmMessage.SaId;
import io.gatehouse.netlink.XfrmMessage.Template;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** xfrm's messages (linux/xfrm.h). Offsets are those of its structures on 64-bit machines. */
public final class XfrmCodec {
  /** Multicast groups: expiry, SAs, policies, peers that moved. */
  public static final int GROUP_EXPIRE = 2;

  public static final int GROUP_STATE = 3;
  public static final int GROUP_POLICY = 4;
  public static final int GROUP_MAPPING = 8;

  private static final int NEW_STATE = 0x10;
  private static final int DELETE_STATE = 0x11;
  private static final int GET_STATE = 0x12;
  private static final int NEW_POLICY = 0x13;
  private static final int DELETE_POLICY = 0x14;
  private static final int GET_POLICY = 0x15;
  private static final int EXPIRE = 0x18;
  private static final int UPDATE_POLICY = 0x19;
  private static final int UPDATE_STATE = 0x1a;
  private static final int FLUSH_STATES = 0x1c;
  private static final int FLUSH_POLICIES = 0x1d;
  private static final int MAPPING = 0x26;

  // XFRMA_…
  private static final int ENCAPSULATION = 4;
  private static final int TEMPLATES = 5;
  private static final int POLICY = 7;
  private static final int MARK = 21;
  private static final int OUTPUT_MARK = 29;
  private static final int OUTPUT_MASK = 30;

  // struct xfrm_usersa_info: selector 0, id 56, source 80, current lifetime 160 (bytes, packets),
  // reqid 208, family 212, mode 214.
  private static final int STATE = 224;
  // struct xfrm_usersa_id: destination 0, spi 16, family 20, protocol 22.
  private static final int STATE_ID = 24;
  // struct xfrm_user_expire: the state, then whether it is hard.
  private static final int EXPIRY = 232;
  // struct xfrm_user_mapping: id 0, reqid 24, old address 28, new 44, old port 60, new 62.
  private static final int MAPPED = 64;
  // struct xfrm_userpolicy_info: selector 0, priority 152, direction 160, action 161.
  private static final int POLICY_INFO = 168;
  // struct xfrm_userpolicy_id.
  private static final int POLICY_ID = 64;
  // struct xfrm_user_tmpl: id 0, family 24, source 28, reqid 44, mode 48.
  private static final int TEMPLATE = 64;

  /** By their numbers. */
  private static final List<Direction> DIRECTIONS =
      List.of(Direction.IN, Direction.OUT, Direction.FORWARD);

  private XfrmCodec() {}

  /** Asks for all SAs. */
  public static Bytes listStates(long sequence) {
    return new Message()
        .message(GET_STATE, Wire.REQUEST | Wire.DUMP, sequence, m -> m.zeros(STATE_ID))
        .done();
  }

  /** Asks for all policies. */
  public static Bytes listPolicies(long sequence) {
    return new Message()
        .message(GET_POLICY, Wire.REQUEST | Wire.DUMP, sequence, m -> m.zeros(POLICY_ID))
        .done();
  }

  /** Reads a message of xfrm. */
  public static XfrmMessage read(Frame.Content frame) {
    Bytes body = frame.body();
    return switch (frame.type()) {
      case NEW_STATE, UPDATE_STATE -> behind(body, STATE, a -> state(body, a));
      case DELETE_STATE -> behind(body, STATE_ID, a -> gone(body));
      case EXPIRE ->
          behind(
              body,
              EXPIRY,
              a ->
                  switch (state(body, a)) {
                    case XfrmMessage.State state ->
                        new XfrmMessage.Expired(state, body.u8(STATE) != 0);
                    case XfrmMessage other -> other;
                  });
      case MAPPING -> behind(body, MAPPED, a -> moved(body));
      case FLUSH_STATES -> behind(body, 1, a -> new XfrmMessage.StatesFlushed(body.u8(0)));
      case FLUSH_POLICIES -> new XfrmMessage.PoliciesFlushed();
      case NEW_POLICY, UPDATE_POLICY -> behind(body, POLICY_INFO, a -> policy(body, a, false));
      case DELETE_POLICY -> behind(body, POLICY_ID, a -> policyGone(body, a));
      default -> new Unknown(frame.type(), body.position());
    };
  }

  /** Reads what stands behind a structure. */
  private interface Reader {
    XfrmMessage read(Attributes attributes);
  }

  private static XfrmMessage behind(Bytes body, int length, Reader reader) {
    if (body.length() < length) {
      return new Unreadable(body.position(), "xfrm's structure is cut off");
    }
    // A flush's structure is one byte, and nothing that we read stands behind it.
    Attributes attributes =
        length < Wire.HEADER
            ? new Attributes(List.of(), Optional.empty())
            : Attributes.of(body.from(length));
    return attributes.fault().isPresent() ? attributes.fault().get() : reader.read(attributes);
  }

  private static XfrmMessage state(Bytes body, Attributes attributes) {
    int family = body.u16(212);
    Optional<Address> destination = Addresses.of(body.part(56, 16), family);
    Optional<Address> source = Addresses.of(body.part(80, 16), family);
    if (destination.isEmpty() || source.isEmpty()) {
      return noFamily(body, family);
    }
    return new XfrmMessage.State(
        new SaId(destination.get(), body.u32be(72), body.u8(76)),
        source.get(),
        body.u32(208),
        body.u8(214),
        mark(attributes),
        attributes
            .find(OUTPUT_MARK, 4)
            .map(value ->
                new Mark(
                    value.u32(0),
                    attributes.find(OUTPUT_MASK, 4).map(m -> m.u32(0)).orElse(0xffffffffL))),
        // struct xfrm_encap_tmpl: type, source port, destination port.
        attributes.find(ENCAPSULATION, 6).map(e -> new Ports(e.u16be(2), e.u16be(4))),
        body.u64(160),
        body.u64(168));
  }

  private static XfrmMessage noFamily(Bytes body, int family) {
    return new Unreadable(body.position(), "xfrm of family " + family);
  }

  private static Optional<Mark> mark(Attributes attributes) {
    return attributes.find(MARK, 8).map(m -> new Mark(m.u32(0), m.u32(4)));
  }

  private static Optional<SaId> id(Bytes id) {
    return Addresses.of(id.part(0, 16), id.u16(20))
        .map(destination -> new SaId(destination, id.u32be(16), id.u8(22)));
  }

  private static XfrmMessage gone(Bytes body) {
    return id(body)
        .<XfrmMessage>map(XfrmMessage.StateGone::new)
        .orElseGet(() -> noFamily(body, body.u16(20)));
  }

  private static XfrmMessage moved(Bytes body) {
    int family = body.u16(20);
    Optional<SaId> id = id(body);
    Optional<Address> from = Addresses.of(body.part(28, 16), family);
    Optional<Address> to = Addresses.of(body.part(44, 16), family);
    return id.isPresent() && from.isPresent() && to.isPresent()
        ? new XfrmMessage.Moved(
            id.get(), body.u32(24), from.get(), body.u16be(60), to.get(), body.u16be(62))
        : noFamily(body, family);
  }

  private static XfrmMessage policyGone(Bytes body, Attributes attributes) {
    Optional<Bytes> whole = attributes.find(POLICY, POLICY_INFO);
    return whole.isPresent()
        ? policy(whole.get(), attributes, true)
        : new Unreadable(body.position(), "a policy went without saying which");
  }

  private static XfrmMessage policy(Bytes info, Attributes attributes, boolean gone) {
    // struct xfrm_selector: destination 0, source 16, ports 32 and 36, family 40, prefix lengths
    // 42 and 43, protocol 44.
    int family = info.u16(40);
    Optional<Prefix> destination =
        Addresses.prefix(Addresses.of(info.part(0, 16), family), info.u8(42));
    Optional<Prefix> source =
        Addresses.prefix(Addresses.of(info.part(16, 16), family), info.u8(43));
    int direction = info.u8(160);
    if (destination.isEmpty() || source.isEmpty()) {
      return noFamily(info, family);
    }
    if (direction >= DIRECTIONS.size()) {
      // A socket's own policy, which only its process can make.
      return new Unknown(gone ? DELETE_POLICY : NEW_POLICY, info.position());
    }
    List<Template> templates = new ArrayList<>();
    Bytes each = attributes.find(TEMPLATES).orElse(Bytes.NONE);
    if (each.length() % TEMPLATE != 0) {
      return new Unreadable(each.position(), "a template is cut off");
    }
    for (int at = 0; at < each.length(); at += TEMPLATE) {
      templates.add(template(each.part(at, TEMPLATE)));
    }
    return new XfrmMessage.Policy(
        DIRECTIONS.get(direction),
        source.get(),
        destination.get(),
        info.u8(44),
        new Ports(info.u16be(36), info.u16be(32)),
        info.u32(152),
        info.u8(161) == 1,
        mark(attributes),
        templates,
        gone);
  }

  private static Template template(Bytes bytes) {
    int family = bytes.u16(24);
    return new Template(
        Addresses.of(bytes.part(28, 16), family).filter(XfrmCodec::isSome),
        Addresses.of(bytes.part(0, 16), family).filter(XfrmCodec::isSome),
        bytes.u32(44),
        bytes.u8(48));
  }

  private static boolean isSome(Address address) {
    return address.high() != 0 || address.low() != 0;
  }
}
