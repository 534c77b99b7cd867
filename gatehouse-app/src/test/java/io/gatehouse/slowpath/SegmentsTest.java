package io.gatehouse.slowpath;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatehouse.packet.Bytes;
import io.gatehouse.packet.Ip;
import io.gatehouse.packet.Packet;
import io.gatehouse.packet.Tcp;
import org.junit.jupiter.api.Test;

/** Other data in TCP segments. */
class SegmentsTest {
  /**
   * From tcpdump's capture of a web page: 4 bytes of options, PSH, ACK and FIN; checksums right.
   */
  private static final Bytes SEGMENT =
      Bytes.ofHex(
          "4500 0030 1234 4000 4006 0d6b 0a00 010b c633 6407"
              + "0fa0 06bb 0000 03e8 0000 1388 6019 2000 c1cf 0000 0101 0101"
              + "0102 0304");

  private static int sum(Bytes bytes, int from, int to, int begin) {
    long sum = begin;
    for (int at = from; at < to; at += 2) {
      sum += at + 1 < to ? bytes.u16(at) : bytes.u8(at) << 8;
    }
    while (sum > 0xffff) {
      sum = (sum & 0xffff) + (sum >>> 16);
    }
    return (int) sum;
  }

  /** A sum over what is right is all ones (RFC 1071). */
  private static void assertRight(Bytes packet) {
    assertThat(sum(packet, 0, 20, 0)).as("IP").isEqualTo(0xffff);
    int pseudo = sum(packet, 12, 20, Ip.TCP + packet.length() - 20);
    assertThat(sum(packet, 20, packet.length(), pseudo)).as("TCP").isEqualTo(0xffff);
    assertThat(packet.u16(2)).isEqualTo(packet.length());
  }

  private static Tcp tcp(Bytes packet) {
    return (Tcp) ((Ip) Packet.parse(packet)).body();
  }

  @Test
  void otherBytes() {
    Bytes made = Segments.with(SEGMENT, Bytes.ofHex("01020399"));

    assertRight(made);
    assertThat(tcp(made).data()).isEqualTo(Bytes.ofHex("01020399"));
    assertThat(tcp(made).flags()).isEqualTo(tcp(SEGMENT).flags());
    assertThat(made.part(20 + 20, 20 + 24)).isEqualTo(Bytes.ofHex("01010101"));
  }

  @Test
  void fewerBytesAreNotTheLast() {
    Bytes made = Segments.with(SEGMENT, Bytes.ofHex("010203"));

    assertRight(made);
    assertThat(tcp(made).data()).isEqualTo(Bytes.ofHex("010203"));
    assertThat(tcp(SEGMENT).flags() & Tcp.FIN).isPositive();
    assertThat(tcp(made).flags()).isEqualTo(tcp(SEGMENT).flags() & ~Tcp.FIN);
  }
}
