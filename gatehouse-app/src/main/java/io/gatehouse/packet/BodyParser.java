package io.gatehouse.packet;

import java.util.OptionalLong;

/** Reads what an IP packet carries. */
final class BodyParser {
  private static final int PPP = 0x880b;

  private final Bytes bytes;
  private final int from;
  private final int end;

  /** Whether the body goes on behind {@code end}. */
  private final boolean cut;

  /** Whether this is itself a quotation, in which none is looked for. */
  private final boolean quoted;

  BodyParser(Bytes bytes, int from, int end, boolean cut, boolean quoted) {
    this.bytes = bytes;
    this.from = from;
    this.end = end;
    this.cut = cut;
    this.quoted = quoted;
  }

  Body body(int protocol) {
    return switch (protocol) {
      case Ip.ICMP -> icmp(false);
      case Ip.ICMP6 -> icmp(true);
      case Ip.TCP -> tcp();
      case Ip.UDP -> udp();
      case Ip.ESP -> esp();
      case Ip.AH -> ah();
      case Ip.GRE -> gre();
      default -> new Other(protocol, bytes.part(from, end));
    };
  }

  private Malformed cutOff(String what) {
    return new Malformed(end, what + " is cut off");
  }

  private Body icmp(boolean six) {
    if (end - from < 8) {
      return cutOff("the ICMP header");
    }
    int type = bytes.u8(from);
    boolean error = six ? type < 128 : (type >= 3 && type <= 5) || type == 11 || type == 12;
    // RFC 1122, 3.2.2: no error is sent about an error, so none quotes one.
    if (!error || quoted) {
      return new Icmp(type, bytes.u8(from + 1), bytes.part(from + 4, end));
    }
    return new IcmpError(
        type,
        bytes.u8(from + 1),
        bytes.i32(from + 4),
        new IpParser(bytes.part(0, end), true, true).packet(from + 8));
  }

  private Body tcp() {
    int present = end - from;
    if (present < 20) {
      return cut && present >= 8
          ? new Ports(Ip.TCP, bytes.u16(from), bytes.u16(from + 2))
          : cutOff("the TCP header");
    }
    int header = (bytes.u8(from + 12) >>> 4) * 4;
    if (header < 20) {
      return new Malformed(from + 12, "a TCP header of " + header + " bytes");
    }
    if (header > present && !cut) {
      return cutOff("a TCP header of " + header + " bytes");
    }
    return new Tcp(
        bytes.u16(from),
        bytes.u16(from + 2),
        bytes.i32(from + 4),
        bytes.i32(from + 8),
        bytes.u8(from + 13),
        bytes.u16(from + 14),
        bytes.part(from + Math.min(header, present), end));
  }

  private Body udp() {
    if (end - from < 8) {
      return cutOff("the UDP header");
    }
    int length = bytes.u16(from + 4);
    if (length < 8) {
      return new Malformed(from + 4, "a datagram of " + length + " bytes");
    }
    if (length > end - from && !cut) {
      return new Malformed(from + 4, "a datagram of " + length + " bytes is cut off");
    }
    int source = bytes.u16(from);
    int destination = bytes.u16(from + 2);
    int last = Math.min(from + length, end);
    return new Udp(
        source,
        destination,
        length,
        bytes.part(from + 8, last),
        content(source, destination, from + 8, last, from + length));
  }

  private Udp.Content content(int source, int destination, int at, int last, int whole) {
    boolean nat = source == Udp.IKE_NAT || destination == Udp.IKE_NAT;
    if (!nat && source != Udp.IKE && destination != Udp.IKE) {
      return new Udp.Plain();
    }
    if (whole - at == 1) {
      return last > at && bytes.u8(at) == 0xff
          ? new Udp.Keepalive()
          : new Malformed(at, "one byte that is no keepalive");
    }
    if (nat) {
      if (last - at < 4) {
        return last < whole ? new Udp.Plain() : new Malformed(last, "neither IKE nor ESP");
      }
      if (bytes.i32(at) == 0) { // the non-ESP marker, RFC 3948, 2.2
        return ike(at + 4, last, whole);
      }
      return last - at >= 8
          ? new Esp(bytes.i32(at), bytes.i32(at + 4), whole - at)
          : last < whole ? new Udp.Plain() : new Malformed(last, "the ESP header is cut off");
    }
    return ike(at, last, whole);
  }

  private Udp.Content ike(int at, int last, int whole) {
    if (last - at < Ike.HEADER) {
      return last < whole ? new Udp.Plain() : new Malformed(last, "the IKE header is cut off");
    }
    long length = bytes.u32(at + 24);
    if (length < Ike.HEADER || length > whole - at) {
      return new Malformed(
          at + 24, "an IKE message of %d bytes in %d".formatted(length, whole - at));
    }
    int next = bytes.u8(at + 16);
    int version = bytes.u8(at + 17);
    int inner = 0;
    int part = 0;
    if (version >>> 4 == 2) {
      int type = next;
      int place = at + Ike.HEADER;
      // RFC 7296, 3.2: each payload says the type of the next; the encrypted one says the type of
      // the first inside it.
      while (type != 0) {
        boolean encrypted = type == Ike.ENCRYPTED_PAYLOAD;
        int header = type == Ike.FRAGMENT_PAYLOAD ? 8 : 4;
        if (place + header > at + length) {
          return new Malformed(Math.min(place, last), "payload " + type + " is lacking");
        }
        if (place + header > last) {
          break; // the message goes on, where we do not see it
        }
        int size = bytes.u16(place + 2);
        if (size < header || place + size > at + length) {
          return new Malformed(place + 2, "a payload of " + size + " bytes");
        }
        if (encrypted || header == 8) {
          inner = bytes.u8(place);
          part = header == 8 ? bytes.u16(place + 4) : 0;
          break;
        }
        type = bytes.u8(place);
        place += size;
      }
    }
    return new Ike(
        bytes.i64(at),
        bytes.i64(at + 8),
        next,
        version >>> 4,
        version & 15,
        bytes.u8(at + 18),
        bytes.u8(at + 19),
        bytes.i32(at + 20),
        length,
        inner,
        part);
  }

  private Body esp() {
    return end - from < 8
        ? cutOff("the ESP header")
        : new Esp(bytes.i32(from), bytes.i32(from + 4), end - from);
  }

  private Body ah() {
    if (end - from < 12) {
      return cutOff("the AH header");
    }
    int length = (bytes.u8(from + 1) + 2) * 4;
    if (length < 12) {
      return new Malformed(from + 1, "an AH header of " + length + " bytes");
    }
    if (length > end - from && !cut) {
      return cutOff("an AH header of " + length + " bytes");
    }
    return new Ah(bytes.u8(from), length, bytes.i32(from + 4), bytes.i32(from + 8));
  }

  private Body gre() {
    if (end - from < 4) {
      return cutOff("the GRE header");
    }
    int flags = bytes.u16(from);
    boolean keyed = (flags & 0x2000) != 0;
    boolean numbered = (flags & 0x1000) != 0;
    return switch (flags & 7) {
      case 0 -> {
        if ((flags & 0x4000) != 0) { // RFC 1701's source routes, which RFC 2784 has discarded
          yield new Other(Ip.GRE, bytes.part(from, end));
        }
        int at = from + ((flags & 0x8000) != 0 ? 8 : 4);
        int behind = at + (keyed ? 4 : 0) + (numbered ? 4 : 0);
        if (behind > end) {
          yield cutOff("the GRE header");
        }
        yield new Gre(
            bytes.u16(from + 2),
            keyed ? OptionalLong.of(bytes.u32(at)) : OptionalLong.empty(),
            numbered ? OptionalLong.of(bytes.u32(behind - 4)) : OptionalLong.empty(),
            bytes.part(behind, end));
      }
      case 1 -> pptp(flags, keyed, numbered);
      default -> new Malformed(from + 1, "GRE version " + (flags & 7));
    };
  }

  private Body pptp(int flags, boolean keyed, boolean numbered) {
    if (bytes.u16(from + 2) != PPP || !keyed) {
      return new Malformed(from, "GRE version 1 that is not PPTP's");
    }
    if (end - from < 8) {
      return cutOff("the GRE header");
    }
    boolean acknowledges = (flags & 0x80) != 0;
    int at = from + 8;
    int behind = at + (numbered ? 4 : 0) + (acknowledges ? 4 : 0);
    int payload = bytes.u16(from + 4);
    if (behind > end) {
      return cut
          ? new PptpGre(
              payload, bytes.u16(from + 6), OptionalLong.empty(), OptionalLong.empty(), Bytes.EMPTY)
          : cutOff("the GRE header");
    }
    if (payload > end - behind && !cut) {
      return new Malformed(from + 4, "a payload of " + payload + " bytes is cut off");
    }
    return new PptpGre(
        payload,
        bytes.u16(from + 6),
        numbered ? OptionalLong.of(bytes.u32(at)) : OptionalLong.empty(),
        acknowledges ? OptionalLong.of(bytes.u32(behind - 4)) : OptionalLong.empty(),
        bytes.part(behind, Math.min(end, behind + payload)));
  }
}
