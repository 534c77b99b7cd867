package io.gatehouse.slowpath;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatehouse.model.Address;
import io.gatehouse.packet.Bytes;
import io.gatehouse.packet.Ip;
import io.gatehouse.packet.Packet;
import java.util.List;
import org.junit.jupiter.api.Test;

class HeadersTest {
  private static final Address HOST = Address.of("10.0.1.7");

  /** UDP 500 to 500, four bytes of data, with its right checksum. */
  private static final Bytes DATAGRAM =
      withChecksum("45000020 abcd0000 40110000 c6336407 cb007102 01f401f4 000c0000 deadbeef");

  private static Bytes withChecksum(String hex) {
    byte[] bytes = Bytes.ofHex(hex).toArray();
    int sum = 0x11 + 12 + sum(bytes, 12, bytes.length);
    sum = (sum & 0xffff) + (sum >>> 16);
    int made = ~((sum & 0xffff) + (sum >>> 16)) & 0xffff;
    bytes[26] = (byte) (made >>> 8);
    bytes[27] = (byte) made;
    return Bytes.copyOf(bytes);
  }

  private static int sum(byte[] bytes, int from, int to) {
    int sum = 0;
    for (int i = from; i < to; i += 2) {
      sum += (bytes[i] & 0xff) << 8 | (bytes[i + 1] & 0xff);
    }
    return sum;
  }

  /** Over the pseudo header too (RFC 768): all ones where it is right. */
  private static boolean isRight(Bytes raw) {
    byte[] bytes = raw.toArray();
    int sum = 0x11 + bytes.length - 20 + sum(bytes, 12, bytes.length);
    sum = (sum & 0xffff) + (sum >>> 16);
    return ((sum & 0xffff) + (sum >>> 16)) == 0xffff;
  }

  @Test
  void aCopyHasTheHostOneHopLessAndARightChecksum() {
    assertThat(isRight(DATAGRAM)).isTrue();

    Bytes copy = Headers.forwarded(DATAGRAM, HOST).orElseThrow();

    Ip packet = (Ip) Packet.parse(copy);
    assertThat(packet.destination()).isEqualTo(HOST);
    assertThat(packet.source()).isEqualTo(Address.of("198.51.100.7"));
    assertThat(packet.hops()).isEqualTo(63);
    assertThat(isRight(copy)).isTrue();
  }

  @Test
  void noChecksumStaysNone() {
    Bytes without =
        Bytes.ofHex("45000020 abcd0000 40110000 c6336407 cb007102 01f401f4 000c0000 deadbeef");
    assertThat(Headers.forwarded(without, HOST).orElseThrow().u16(26)).isZero();
  }

  @Test
  void whatHasNoHopLeftGoesNowhere() {
    Bytes last =
        Bytes.ofHex("45000020 abcd0000 01110000 c6336407 cb007102 01f401f4 000c0000 deadbeef");
    assertThat(Headers.forwarded(last, HOST)).isEmpty();
  }

  @Test
  void partsMakeTheWholeAgain() {
    byte[] whole = new byte[20 + 3001];
    whole[0] = 0x45;
    whole[2] = (byte) (whole.length >>> 8);
    whole[3] = (byte) whole.length;
    whole[8] = 64;
    whole[9] = 50;
    for (int i = 20; i < whole.length; i++) {
      whole[i] = (byte) (i * 31);
    }

    List<Bytes> parts = Headers.fragments(Bytes.copyOf(whole), 1280);

    byte[] again = new byte[3001];
    for (int i = 0; i < parts.size(); i++) {
      Ip part = (Ip) Packet.parse(parts.get(i));
      Ip.Fragment fragment = part.fragment().orElseThrow();
      assertThat(part.length()).isLessThanOrEqualTo(1280);
      assertThat(fragment.more()).isEqualTo(i < parts.size() - 1);
      assertThat(fragment.identification()).isEqualTo(1);
      byte[] bytes = parts.get(i).toArray();
      System.arraycopy(bytes, 20, again, fragment.offset(), bytes.length - 20);
    }
    assertThat(again).isEqualTo(java.util.Arrays.copyOfRange(whole, 20, whole.length));
  }

  @Test
  void whatMustNotBePartedIsNot() {
    byte[] whole = new byte[2000];
    whole[0] = 0x45;
    whole[6] = 0x40;
    assertThat(Headers.fragments(Bytes.copyOf(whole), 1280)).isEmpty();
  }
}
