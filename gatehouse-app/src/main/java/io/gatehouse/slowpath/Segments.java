package io.gatehouse.slowpath;

import io.gatehouse.packet.Bytes;
import io.gatehouse.packet.Ip;
import io.gatehouse.packet.Tcp;

/** Writes other data into TCP segments of IPv4. */
final class Segments {
  private static final int LENGTH = 2;
  private static final int IP_CHECKSUM = 10;
  private static final int ADDRESSES = 12;
  private static final int DATA_OFFSET = 12;
  private static final int FLAGS = 13;
  private static final int TCP_CHECKSUM = 16;

  private Segments() {}

  /**
   * The packet with these data, and with both checksums made right. A segment that has become
   * shorter is not its sender's last.
   */
  static Bytes with(Bytes raw, Bytes data) {
    byte[] old = raw.toArray();
    int ip = (old[0] & 15) * 4;
    int tcp = ((old[ip + DATA_OFFSET] & 0xff) >>> 4) * 4;
    byte[] bytes = new byte[ip + tcp + data.length()];
    System.arraycopy(old, 0, bytes, 0, ip + tcp);
    System.arraycopy(data.toArray(), 0, bytes, ip + tcp, data.length());
    if (bytes.length < u16(old, LENGTH)) {
      bytes[ip + FLAGS] &= (byte) ~Tcp.FIN;
    }
    put16(bytes, LENGTH, bytes.length);
    put16(bytes, IP_CHECKSUM, 0);
    put16(bytes, IP_CHECKSUM, folded(sum(bytes, 0, ip)));
    put16(bytes, ip + TCP_CHECKSUM, 0);
    // RFC 9293, 3.1: with the addresses, the protocol and TCP's length.
    long sum = sum(bytes, ADDRESSES, ADDRESSES + 8) + Ip.TCP + (bytes.length - ip);
    put16(bytes, ip + TCP_CHECKSUM, folded(sum + sum(bytes, ip, bytes.length)));
    return Bytes.taking(bytes);
  }

  /** RFC 1071. */
  private static long sum(byte[] bytes, int from, int to) {
    long sum = 0;
    for (int at = from; at < to; at += 2) {
      sum += (bytes[at] & 0xff) << 8 | (at + 1 < to ? bytes[at + 1] & 0xff : 0);
    }
    return sum;
  }

  private static int folded(long sum) {
    long rest = sum;
    while (rest > 0xffff) {
      rest = (rest & 0xffff) + (rest >>> 16);
    }
    return (int) ~rest & 0xffff;
  }

  private static int u16(byte[] bytes, int at) {
    return (bytes[at] & 0xff) << 8 | (bytes[at + 1] & 0xff);
  }

  private static void put16(byte[] bytes, int at, int value) {
    bytes[at] = (byte) (value >>> 8);
    bytes[at + 1] = (byte) value;
  }
}
