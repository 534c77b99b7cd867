package io.gatehouse.diagnose;

import io.gatehouse.model.Address;
import io.gatehouse.packet.Bytes;
import io.gatehouse.packet.Packet;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/**
 * The way from a client behind NAT to a server behind a port forward, and what sniffers at its four
 * points see. Each has a clock of its own.
 */
public final class Path {
  /** Seen at all four points. */
  public static final int ALL = 4;

  static final List<Point> POINTS = List.of(Point.values());

  private static final long[] CLOCKS = {0, 7_000_000_000L, -3_000_000_000L, 99_000_000_000L};
  private static final int[] HOPS = {64, 63, 57, 56};

  /** A packet and when it was seen. */
  public record Seen(long time, Bytes bytes) {}

  private final List<List<Seen>> points =
      List.of(new ArrayList<>(), new ArrayList<>(), new ArrayList<>(), new ArrayList<>());
  private long now = 1_000_000_000_000L;
  String client = "10.0.1.7";
  String outside = "198.51.100.2";
  String server = "203.0.113.2";
  String inner = "192.168.9.2";

  /** The NAT that gives up its place: what is sent keeps the client's own address. */
  boolean untranslated;

  /** What was seen at a point. */
  public List<Seen> seen(int point) {
    return points.get(point);
  }

  /** What was seen at some points, judged. */
  public Diagnosis diagnosis(int... which) {
    List<Watch> watches = new ArrayList<>();
    List<Point> names = new ArrayList<>();
    for (int point : which) {
      watches.add(watch(point));
      names.add(POINTS.get(point));
    }
    return Diagnosis.of(watches, names);
  }

  Watch watch(int point) {
    Watch watch = new Watch();
    for (Seen seen : points.get(point)) {
      watch.packet(seen.time, Packet.parse(seen.bytes));
    }
    return watch;
  }

  /** Seconds pass. */
  public Path pause(double seconds) {
    now += (long) (seconds * 1e9);
    return this;
  }

  /** A packet to the server, seen at the first so many points. */
  public Path forth(int reaches, int protocol, byte[] body) {
    for (int point = 0; point < reaches; point++) {
      see(
          point,
          ip(
              point == 0 || untranslated ? client : outside,
              point == 3 ? inner : server,
              protocol,
              HOPS[point],
              body,
              0));
    }
    return pause(0.02);
  }

  /** A packet to the client, seen at the last so many points. */
  public Path back(int reaches, int protocol, byte[] body) {
    for (int point = 3; point > 3 - reaches; point--) {
      see(
          point,
          ip(
              point == 3 ? inner : server,
              point == 0 || untranslated ? client : outside,
              protocol,
              HOPS[3 - point],
              body,
              0));
    }
    return pause(0.02);
  }

  /** Something that has nothing to do with a VPN, at every point. */
  public Path other() {
    for (int point = 0; point < ALL; point++) {
      see(point, ip("192.0.2.7", "192.0.2.8", UDP, 60, udp(53, 53, new byte[20]), 0));
    }
    return this;
  }

  /** Something at one point only. */
  public Path only(int point, String from, String to, int protocol, byte[] body) {
    see(point, ip(from, to, protocol, 60, body, 0));
    return pause(0.02);
  }

  /** A packet in two fragments, the second one seen at fewer points. */
  public Path fragments(int firstReaches, int secondReaches, int protocol, byte[] body) {
    int cut = 1200;
    for (int point = 0; point < ALL; point++) {
      String from = point == 0 ? client : outside;
      String to = point == 3 ? inner : server;
      byte[] first = java.util.Arrays.copyOfRange(body, 0, cut);
      byte[] second = java.util.Arrays.copyOfRange(body, cut, body.length);
      if (point < firstReaches) {
        see(point, ip(from, to, protocol, HOPS[point], first, 0x2000));
      }
      if (point < secondReaches) {
        see(point, ip(from, to, protocol, HOPS[point], second, cut / 8));
      }
    }
    return pause(0.02);
  }

  /** A packet that is whole at the client's two points and comes in fragments at the server's. */
  public Path split(int secondReaches, int protocol, byte[] body) {
    for (int point = 0; point < 2; point++) {
      see(point, ip(point == 0 ? client : outside, server, protocol, HOPS[point], body, 0));
    }
    List<List<Seen>> before = List.of(List.copyOf(points.get(0)), List.copyOf(points.get(1)));
    fragments(ALL, secondReaches, protocol, body);
    for (int point = 0; point < 2; point++) {
      points.get(point).clear();
      points.get(point).addAll(before.get(point));
    }
    return this;
  }

  private void see(int point, byte[] packet) {
    points.get(point).add(new Seen(now + CLOCKS[point], Bytes.copyOf(packet)));
  }

  // ---- bytes

  static byte[] ip(String from, String to, int protocol, int hops, byte[] body, int fragment) {
    return ByteBuffer.allocate(20 + body.length)
        .put((byte) 0x45)
        .put((byte) 0)
        .putShort((short) (20 + body.length))
        .putShort((short) 77)
        .putShort((short) fragment)
        .put((byte) hops)
        .put((byte) protocol)
        .putShort((short) 0)
        .put(Address.of(from).bytes())
        .put(Address.of(to).bytes())
        .put(body)
        .array();
  }

  static byte[] udp(int from, int to, byte[] data) {
    return ByteBuffer.allocate(8 + data.length)
        .putShort((short) from)
        .putShort((short) to)
        .putShort((short) (8 + data.length))
        .putShort((short) 0)
        .put(data)
        .array();
  }

  static byte[] esp(int spi, int number, int length) {
    return ByteBuffer.allocate(length).putInt(spi).putInt(number).array();
  }

  static byte[] ah(int spi, int number) {
    return ByteBuffer.allocate(24)
        .put((byte) 50)
        .put((byte) 4)
        .putShort((short) 0)
        .putInt(spi)
        .putInt(number)
        .array();
  }

  static byte[] tcp(int from, int to, int number, int flags, byte[] data) {
    return ByteBuffer.allocate(20 + data.length)
        .putShort((short) from)
        .putShort((short) to)
        .putInt(number)
        .putInt(0)
        .put((byte) 0x50)
        .put((byte) flags)
        .putShort((short) 1000)
        .putInt(0)
        .put(data)
        .array();
  }

  static byte[] control(int length, int type) {
    return ByteBuffer.allocate(length)
        .putShort((short) length)
        .putShort((short) 1)
        .putInt(0x1a2b3c4d)
        .putShort((short) type)
        .array();
  }

  /** Outgoing-Call-Reply with a result code. */
  static byte[] callReply(int result) {
    byte[] message = control(32, 8);
    message[16] = (byte) result;
    return message;
  }

  static byte[] gre(int call, int number, byte[] ppp) {
    return ByteBuffer.allocate(12 + ppp.length)
        .putShort((short) 0x3001)
        .putShort((short) 0x880b)
        .putShort((short) ppp.length)
        .putShort((short) call)
        .putInt(number)
        .put(ppp)
        .array();
  }

  /** A frame of PPP: protocol, code, identifier, length, body. */
  static byte[] ppp(int protocol, int code, int... body) {
    ByteBuffer frame = ByteBuffer.allocate(12 + body.length);
    frame.putShort((short) 0xff03).putShort((short) protocol).put((byte) code).put((byte) 1);
    frame.putShort((short) (4 + body.length));
    for (int b : body) {
      frame.put((byte) b);
    }
    return frame.array();
  }

  /** An error about a packet, as its reporter sends it. */
  static byte[] icmp(int type, int code, int rest, byte[] about) {
    return ByteBuffer.allocate(8 + about.length)
        .put((byte) type)
        .put((byte) code)
        .putShort((short) 0)
        .putInt(rest)
        .put(about)
        .array();
  }

  // ---- IKE

  /** Version 2, encrypted: what the payload inside is, and the message's length. */
  static byte[] ike2(long one, long two, int exchange, int flags, int id, int inner, int length) {
    ByteBuffer message = ByteBuffer.allocate(length);
    message.putLong(one).putLong(two).put((byte) 46).put((byte) 0x20).put((byte) exchange);
    message.put((byte) flags).putInt(id).putInt(length);
    return message.put((byte) inner).put((byte) 0).putShort((short) (length - 28)).array();
  }

  /** Version 2, in clear: one payload of a type. */
  static byte[] clear2(long one, long two, int flags, int payload, byte[] body) {
    ByteBuffer message = ByteBuffer.allocate(32 + body.length);
    message.putLong(one).putLong(two).put((byte) payload).put((byte) 0x20).put((byte) 34);
    message.put((byte) flags).putInt(0).putInt(32 + body.length);
    return message
        .put((byte) 0)
        .put((byte) 0)
        .putShort((short) (4 + body.length))
        .put(body)
        .array();
  }

  /** A notification's body in version 2. */
  static byte[] notification(int type) {
    return ByteBuffer.allocate(4).putShort((short) 0).putShort((short) type).array();
  }

  /** Version 1; encrypted where the flag says so. */
  static byte[] ike1(long one, long two, int exchange, int flags, int id, int next, int length) {
    ByteBuffer message = ByteBuffer.allocate(length);
    message.putLong(one).putLong(two).put((byte) next).put((byte) 0x10).put((byte) exchange);
    return message.put((byte) flags).putInt(id).putInt(length).array();
  }

  /** Version 1: a notification in clear. */
  static byte[] notify1(long one, long two, int type) {
    ByteBuffer message = ByteBuffer.allocate(40);
    message.putLong(one).putLong(two).put((byte) 11).put((byte) 0x10).put((byte) 5);
    message.put((byte) 0).putInt(9).putInt(40);
    message.put((byte) 0).put((byte) 0).putShort((short) 12).putInt(1);
    return message.put((byte) 1).put((byte) 0).putShort((short) type).array();
  }

  /** On port 500, or behind the marker on 4500. */
  static byte[] onPort(boolean nat, byte[] ike) {
    return nat
        ? udp(4500, 4500, ByteBuffer.allocate(4 + ike.length).putInt(0).put(ike).array())
        : udp(500, 500, ike);
  }

  // ---- what VPNs do

  private static final int UDP = 17;
  private static final int ESP = 50;
  private static final int REQUEST = 0x08;
  private static final int ANSWER = 0x20;

  /** The first exchange of IKEv2, in clear. */
  public Path init(long cookie) {
    forth(ALL, UDP, udp(500, 500, clear2(cookie, 0, REQUEST, 33, new byte[200])));
    return back(ALL, UDP, udp(500, 500, clear2(cookie, cookie + 1, ANSWER, 33, new byte[220])));
  }

  /** Both exchanges. */
  public Path logon(long cookie, boolean nat) {
    init(cookie);
    request(ALL, nat, cookie, 35, 1, 35, 400);
    return answer(ALL, nat, cookie, 35, 1, 36, 300);
  }

  /** A request of the client's. */
  public Path request(
      int reaches, boolean nat, long cookie, int exchange, int id, int inner, int length) {
    return forth(
        reaches, UDP, onPort(nat, ike2(cookie, cookie + 1, exchange, REQUEST, id, inner, length)));
  }

  /** The server's answer. */
  public Path answer(
      int reaches, boolean nat, long cookie, int exchange, int id, int inner, int length) {
    return back(
        reaches, UDP, onPort(nat, ike2(cookie, cookie + 1, exchange, ANSWER, id, inner, length)));
  }

  /** Pings through the tunnel and their answers. */
  public Path pings(int count, boolean nat, int spi, int from) {
    for (int i = 0; i < count; i++) {
      ping(ALL, nat, spi, from + i, 120);
      pong(ALL, nat, spi + 1, from + i, 120);
      pause(1);
    }
    return this;
  }

  /** One packet of ESP to the server. */
  public Path ping(int reaches, boolean nat, int spi, int number, int length) {
    return nat
        ? forth(reaches, UDP, udp(4500, 4500, esp(spi, number, length)))
        : forth(reaches, ESP, esp(spi, number, length));
  }

  /** One packet of ESP to the client. */
  public Path pong(int reaches, boolean nat, int spi, int number, int length) {
    return nat
        ? back(reaches, UDP, udp(4500, 4500, esp(spi, number, length)))
        : back(reaches, ESP, esp(spi, number, length));
  }
}
