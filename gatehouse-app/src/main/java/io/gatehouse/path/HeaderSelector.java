package io.gatehouse.path;

import static io.gatehouse.bdd.Bdd.FALSE;
import static io.gatehouse.bdd.Bdd.TRUE;

import io.gatehouse.bdd.Bdd;
import io.gatehouse.model.Family;
import io.gatehouse.model.Protocol;
import io.gatehouse.path.Names.Meaning;
import io.gatehouse.path.Reading.Content;
import io.gatehouse.path.Unknown.Kind;
import io.gatehouse.ruleset.Expression;
import java.util.Optional;

/** What rules read of a packet's headers. */
final class HeaderSelector {
  /** Where it stands in GRE of version 1, in bits (RFC 2637, 4.1). */
  private static final int CALL_ID = 48;

  private final HeaderSpace space;
  private final Bdd bdd;
  private final Family family;
  private final boolean defragments;

  /**
   * @param defragments whether fragments are put together before any rule sees them
   */
  HeaderSelector(HeaderSpace space, boolean defragments) {
    this.space = space;
    this.defragments = defragments;
    bdd = space.bdd();
    family = space.family();
  }

  Reading read(Expression.Payload payload, Point at) {
    State state = at.state();
    String header = payload.header();
    String name = header + " " + payload.field();
    if (header.equals("ip") || header.equals("ip6")) {
      if (!header.equals(family.nft())) {
        // nft puts `meta nfproto` before it: nothing of the other family ever matches.
        return Content.never(space.addresses().width(), typeOf(name));
      }
      Optional<Reading> known =
          switch (payload.field()) {
            case "saddr" -> Optional.of(Content.always(state.source, Meaning.ADDRESS));
            case "daddr" -> Optional.of(Content.always(state.destination, Meaning.ADDRESS));
            case "protocol" ->
                Optional.of(Content.always(Field.of(space.protocol), Meaning.PROTOCOL));
            case "nexthdr" -> Optional.of(nextHeader(at));
            default -> Optional.empty();
          };
      if (known.isPresent()) {
        return known.get();
      }
    }
    int number = Names.protocolOf(header);
    int present = number < 0 ? TRUE : space.protocol(number);
    boolean ports =
        header.equals("th")
            || header.equals("tcp")
            || header.equals("udp")
            || header.equals("udplite")
            || header.equals("dccp")
            || header.equals("sctp");
    if (ports && payload.field().equals("sport")) {
      return transport(present, state.sourcePort, Meaning.PORT, name, at);
    }
    if (ports && payload.field().equals("dport")) {
      return transport(present, state.destinationPort, Meaning.PORT, name, at);
    }
    boolean six = header.equals("icmpv6");
    if (six || header.equals("icmp")) {
      if (six != (family == Family.V6)) {
        // In tables of both families nft asks for the right one first (seen: 1.0.6); elsewhere it
        // depends on its version.
        present =
            at.table().family().equals("inet")
                ? FALSE
                : bdd.and(
                    present,
                    space.open(
                        at.unknown(Kind.ENVIRONMENT, "ICMP of the other family is compared")));
      }
      if (payload.field().equals("type")) {
        Meaning meaning = six ? Meaning.ICMP6_TYPE : Meaning.ICMP_TYPE;
        return transport(present, Field.of(space.icmpType), meaning, name, at);
      }
      if (payload.field().equals("code")) {
        Meaning meaning = six ? Meaning.ICMP6_CODE : Meaning.ICMP_CODE;
        return transport(present, Field.of(space.icmpCode), meaning, name, at);
      }
    }
    if (name.equals("tcp flags")) {
      Content flags = Content.property(space, state, name, 8, present);
      return transport(flags.present(), flags.field(), Meaning.TCP_FLAGS, name, at);
    }
    int width = Names.width(header, payload.field());
    if (width == 0) {
      return Reading.notUnderstood(name);
    }
    // Forwarding takes one off: what it was before says nothing about it afterwards, nor the other
    // way round.
    boolean counted = name.equals("ip ttl") || name.equals("ip6 hoplimit");
    Content content =
        Content.property(
            space,
            state,
            counted && at.leaves() ? name + HeaderSpace.AT_EXIT : name,
            width,
            present);
    return number < 0
        ? content
        : transport(content.present(), content.field(), content.type(), name, at);
  }

  static String name(Expression.RawPayload raw) {
    return "@" + raw.base() + "," + raw.offset() + "," + raw.length();
  }

  /** Bytes by their place; of the transport header alone, where they mean one thing. */
  Reading read(Expression.RawPayload raw, Point at) {
    if (!defragments || !raw.base().equals("th") || raw.length() > 64) {
      return Reading.notUnderstood(name(raw));
    }
    if (at.state().rewritten.keySet().stream().anyMatch(written -> isOpened(raw, written))) {
      return Reading.notUnderstood(name(raw) + ", where bytes were written");
    }
    // Whoever sends it chooses, and nothing changes it but a write to the same bytes. What is
    // shorter has none, and the rule does not match it (nft_payload_eval).
    int present = space.property("a header as long as " + name(raw), 1)[0];
    Content sent = Content.property(space, at.state(), name(raw), raw.length(), present);
    if (raw.offset() >= 64) {
      // Behind every header's addresses and ports; but NAT writes into checksums and into what
      // ICMP errors quote, and rules write to fields of TCP.
      int changed =
          at.state().rewritten.keySet().stream().anyMatch(HeaderSelector::isOfTransport)
              ? TRUE
              : bdd.or(at.state().sourceChanged, at.state().destinationChanged);
      int sure =
          bdd.or(space.protocol(Protocol.UDP.number()), space.protocol(Protocol.GRE.number()));
      int[] any = space.open(raw.length(), at.unknown(Kind.ENVIRONMENT, "bytes that NAT writes"));
      return sent.with(sent.field().assign(bdd, bdd.difference(changed, sure), any));
    }
    Content others = early(raw, at.state());
    if (isCallId(name(raw))) {
      // The kernel's helper translates the Call IDs of what it expects (gre_manip_pkt).
      int[] any = space.open(raw.length(), at.unknown(Kind.ENVIRONMENT, "a translated Call ID"));
      sent = sent.with(sent.field().assign(bdd, bdd.or(space.related(), space.established()), any));
    }
    int gre = space.protocol(Protocol.GRE.number());
    return new Content(
        bdd.or(bdd.and(gre, present), bdd.difference(others.present(), gre)),
        others.field().assign(bdd, gre, sent.field()),
        others.type());
  }

  /** Bytes that nobody can tell were written; read nowhere, and no others are as they were. */
  static final String ANY = "@any,0,0";

  /** Whether written bytes are among those of GRE's Call ID. */
  static boolean isCallId(String written) {
    if (!written.startsWith("@th,")) {
      return false;
    }
    String[] parts = written.split(",", -1);
    int begin = Integer.parseInt(parts[1]);
    return begin < CALL_ID + 16 && begin + Integer.parseInt(parts[2]) > CALL_ID;
  }

  private static boolean isOfTransport(String written) {
    return !written.startsWith("@") && !written.startsWith("ip");
  }

  /** Whether a write to some bytes says nothing certain of these, which are others. */
  private static boolean isOpened(Expression.RawPayload raw, String written) {
    if (!written.startsWith("@") || written.equals(name(raw))) {
      return false;
    }
    String[] parts = written.substring(1).split(",", -1);
    int begin = Integer.parseInt(parts[1]);
    int end = begin + Integer.parseInt(parts[2]);
    return !parts[0].equals(raw.base())
        || (begin < raw.offset() + raw.length() && raw.offset() < end);
  }

  /** Bytes of a header's beginning, of protocols other than GRE. */
  private Content early(Expression.RawPayload raw, State state) {
    int[] bytes =
        space.open(raw.length(), new Unknown(Kind.NOT_UNDERSTOOD, name(raw), "raw bytes"));
    if (raw.length() == 16 && (raw.offset() == 0 || raw.offset() == 16)) {
      // Only protocols whose header begins with ports: of others these bytes are something else.
      int ports = FALSE;
      for (int number : new int[] {6, 17, 33, 132, 136}) {
        ports = bdd.or(ports, space.protocol(number));
      }
      Field field = raw.offset() == 0 ? state.sourcePort : state.destinationPort;
      return Content.always(field.assign(bdd, bdd.not(ports), bytes), Meaning.PORT);
    }
    return Content.always(Field.of(bytes), Meaning.NUMBER);
  }

  Reading read(Expression.TcpOption option, Point at) {
    return option.kind().equals("maxseg") && option.field().equals("size")
        ? Content.property(space, at.state(), "tcp option maxseg size", 16, space.protocol(6))
        : Reading.notUnderstood("tcp option " + option.kind() + " " + option.field());
  }

  /**
   * A field of the transport header: of the first fragment only, where nobody puts fragments
   * together.
   */
  private Content transport(int present, Field field, Meaning type, String name, Point at) {
    if (defragments) {
      return new Content(present, field, type);
    }
    int fragment = space.laterFragment[0];
    int[] payload =
        space.open(
            field.width(), at.unknown(Kind.ENVIRONMENT, "a later fragment's bytes as " + name));
    int readable =
        space.open(at.unknown(Kind.ENVIRONMENT, "whether a later fragment is read as " + name));
    return new Content(
        bdd.and(present, bdd.or(bdd.not(fragment), readable)),
        field.assign(bdd, fragment, payload),
        type);
  }

  private Reading nextHeader(Point at) {
    int[] first =
        space.open(8, at.unknown(Kind.ENVIRONMENT, "the first of several extension headers"));
    return Content.always(
        Field.of(space.protocol).assign(bdd, space.extensionHeader[0], first), Meaning.PROTOCOL);
  }

  private static Meaning typeOf(String name) {
    return switch (name) {
      case "ip saddr", "ip daddr", "ip6 saddr", "ip6 daddr" -> Meaning.ADDRESS;
      case "ip protocol", "ip6 nexthdr" -> Meaning.PROTOCOL;
      default -> Meaning.NUMBER;
    };
  }
}
