package io.gatehouse.probe;

import io.gatehouse.model.Address;
import io.gatehouse.model.Family;
import io.gatehouse.packet.Ip;
import java.nio.ByteBuffer;

/**
 * The packets that ask, each with its number where an ICMP error quotes it: in the first eight
 * bytes behind the IP header.
 *
 * @param from this host's address on the way there
 * @param base of ports, identifiers and Call IDs
 * @param spi of an SA that does not exist
 * @param cookie of an IKE SA that will not be
 */
record Letters(Address from, Address to, int base, int spi, long cookie) {
  private static final int IKE = 500;
  private static final int IKE_NAT = 4500;
  private static final int PPTP = 1723;
  private static final int SYN = 2;

  /** As many hops as a packet may go that is to arrive. */
  static final int FAR = 64;

  /**
   * One of them.
   *
   * @param number 0 for one that is to arrive
   */
  byte[] letter(Question question, int hops, int number) {
    return switch (question) {
      case PING -> ip(isSix() ? Ip.ICMP6 : Ip.ICMP, hops, echo(number));
      case UDP_500 -> ip(Ip.UDP, hops, udp(number, IKE, ike()));
      case UDP_4500 ->
          ip(
              Ip.UDP,
              hops,
              // The marker of IKE among ESP (RFC 3948, 2.2).
              udp(
                  number,
                  IKE_NAT,
                  ByteBuffer.allocate(4 + IKE_LENGTH).putInt(0).put(ike()).array()));
      case ESP -> ip(Ip.ESP, hops, ByteBuffer.allocate(64).putInt(spi).putInt(number + 1).array());
      case TCP_1723 -> ip(Ip.TCP, hops, syn(number));
      case GRE ->
          ip(
              Ip.GRE,
              hops,
              ByteBuffer.allocate(12)
                  .putShort((short) 0x2001) // with a key, version 1
                  .putShort((short) 0x880b)
                  .putShort((short) 4)
                  .putShort((short) port(number))
                  .putInt(0)
                  .array());
    };
  }

  /** The port, identifier or Call ID of a number. */
  int port(int number) {
    return base + number;
  }

  private boolean isSix() {
    return to.family() == Family.V6;
  }

  private byte[] ip(int protocol, int hops, byte[] body) {
    if (isSix()) {
      return ByteBuffer.allocate(40 + body.length)
          .putInt(0x60000000)
          .putShort((short) body.length)
          .put((byte) protocol)
          .put((byte) hops)
          .put(from.bytes())
          .put(to.bytes())
          .put(body)
          .array();
    }
    // Length, identification and checksum are the kernel's to fill in (raw(7)).
    return ByteBuffer.allocate(20 + body.length)
        .put((byte) 0x45)
        .put((byte) 0)
        .putShort((short) (20 + body.length))
        .putInt(0)
        .put((byte) hops)
        .put((byte) protocol)
        .putShort((short) 0)
        .put(from.bytes())
        .put(to.bytes())
        .put(body)
        .array();
  }

  private byte[] echo(int number) {
    ByteBuffer echo = ByteBuffer.allocate(16);
    echo.put((byte) (isSix() ? 128 : 8)).put((byte) 0).putShort((short) 0);
    echo.putShort((short) base).putShort((short) number);
    // RFC 4443, 2.3: with IPv6 its addresses are summed too.
    long partial = isSix() ? ofAddresses(Ip.ICMP6, echo.capacity()) : 0;
    return echo.putShort(2, (short) sum(partial, echo.array())).array();
  }

  private byte[] udp(int number, int port, byte[] data) {
    ByteBuffer datagram =
        ByteBuffer.allocate(8 + data.length)
            .putShort((short) port(number))
            .putShort((short) port)
            .putShort((short) (8 + data.length))
            .putShort((short) 0) // no checksum: allowed with IPv4 (RFC 768)
            .put(data);
    if (isSix()) {
      int sum = sum(ofAddresses(Ip.UDP, datagram.capacity()), datagram.array());
      datagram.putShort(6, (short) (sum == 0 ? 0xffff : sum)); // RFC 8200, 8.1
    }
    return datagram.array();
  }

  private byte[] syn(int number) {
    ByteBuffer segment = ByteBuffer.allocate(20);
    segment.putShort((short) port(number)).putShort((short) PPTP).putInt(spi).putInt(0);
    segment.put((byte) 0x50).put((byte) SYN).putShort((short) 1024).putInt(0);
    long partial = ofAddresses(Ip.TCP, segment.capacity());
    return segment.putShort(16, (short) sum(partial, segment.array())).array();
  }

  /** The sum of the pseudo-header (RFC 9293, 3.1; RFC 8200, 8.1), which has the same parts. */
  private long ofAddresses(int protocol, int length) {
    long sum = (long) protocol + length;
    for (byte[] address : new byte[][] {from.bytes(), to.bytes()}) {
      for (int i = 0; i < address.length; i += 2) {
        sum += (address[i] & 0xff) << 8 | (address[i + 1] & 0xff);
      }
    }
    return sum;
  }

  /** RFC 1071; of an even number of bytes. */
  private static int sum(long partial, byte[] bytes) {
    long sum = partial;
    for (int i = 0; i < bytes.length; i += 2) {
      sum += (bytes[i] & 0xff) << 8 | (bytes[i + 1] & 0xff);
    }
    while (sum >>> 16 != 0) {
      sum = (sum & 0xffff) + (sum >>> 16);
    }
    return (int) ~sum & 0xffff;
  }

  private static final int IKE_LENGTH = 28 + 48 + 264 + 36;

  /**
   * IKE_SA_INIT (RFC 7296, 1.2) with one proposal, AES-256, HMAC-SHA2-256, modp2048: whoever speaks
   * IKEv2 answers it, with its own or with a notification.
   */
  private byte[] ike() {
    ByteBuffer message = ByteBuffer.allocate(IKE_LENGTH);
    message.putLong(cookie).putLong(0).put((byte) 33).put((byte) 0x20).put((byte) 34);
    message.put((byte) 8).putInt(0).putInt(IKE_LENGTH);
    message.put((byte) 34).put((byte) 0).putShort((short) 48);
    message.put((byte) 0).put((byte) 0).putShort((short) 44);
    message.put((byte) 1).put((byte) 1).put((byte) 0).put((byte) 4);
    message.putInt(0x0300000c).putInt(0x0100000c).putInt(0x800e0100);
    message.putInt(0x03000008).putInt(0x02000005);
    message.putInt(0x03000008).putInt(0x0300000c);
    message.putInt(0x00000008).putInt(0x0400000e);
    message
        .put((byte) 40)
        .put((byte) 0)
        .putShort((short) 264)
        .putShort((short) 14)
        .putShort((short) 0);
    fill(message, 256, 3);
    message.put((byte) 0).put((byte) 0).putShort((short) 36);
    fill(message, 32, 5);
    return message.array();
  }

  /** No secret: nobody will ever compute a key of it. The first byte keeps it below the prime. */
  private void fill(ByteBuffer message, int count, int salt) {
    long state = cookie * salt;
    for (int i = 0; i < count; i++) {
      state = state * 6364136223846793005L + 1442695040888963407L;
      message.put(i == 0 ? 0x11 : (byte) (state >>> 56));
    }
  }
}
