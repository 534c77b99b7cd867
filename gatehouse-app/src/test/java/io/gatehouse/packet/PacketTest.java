package io.gatehouse.packet;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatehouse.model.Address;
import java.util.OptionalLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Headers, byte by byte. */
class PacketTest {
  /** IPv4 from 192.0.2.1 to 198.51.100.7, TTL 64, of a given protocol and body. */
  static Bytes v4(int protocol, String body) {
    return v4(protocol, 0, body);
  }

  private static Bytes v4(int protocol, int fragment, String body) {
    int length = 20 + Bytes.ofHex(body).length();
    return Bytes.ofHex(
        "4500%04x 00ab%04x 40%02x0000 c0000201 c6336407".formatted(length, fragment, protocol)
            + body);
  }

  /** IPv6 from 2001:db8::1 to 2001:db8::2, of a given next header and payload. */
  static Bytes v6(int next, String payload) {
    return Bytes.ofHex(
        "60000000 %04x%02x3f 20010db8000000000000000000000001 20010db8000000000000000000000002"
                .formatted(Bytes.ofHex(payload).length(), next)
            + payload);
  }

  private static Ip ip(Bytes bytes) {
    return (Ip) Packet.parse(bytes);
  }

  private static Body body(int protocol, String body) {
    return ip(v4(protocol, body)).body();
  }

  private static Udp.Content content(int port, String data) {
    int length = 8 + Bytes.ofHex(data).length();
    return ((Udp) body(Ip.UDP, "%04x%04x%04x0000".formatted(port, port, length) + data)).content();
  }

  @Test
  void ipv4() {
    Ip ip = ip(v4(89, "01020304"));

    assertThat(ip.source()).isEqualTo(Address.of("192.0.2.1"));
    assertThat(ip.destination()).isEqualTo(Address.of("198.51.100.7"));
    assertThat(ip.hops()).isEqualTo(64);
    assertThat(ip.headerLength()).isEqualTo(20);
    assertThat(ip.length()).isEqualTo(24);
    assertThat(ip.fragment()).isEmpty();
    assertThat(ip.body()).isEqualTo(new Other(89, Bytes.ofHex("01020304")));
  }

  @Test
  void ipv4Options() {
    Ip ip = ip(Bytes.ofHex("4600001c 00000000 40590000 c0000201 c6336407 94040000 0badcafe"));

    assertThat(ip.headerLength()).isEqualTo(24);
    assertThat(ip.body()).isEqualTo(new Other(89, Bytes.ofHex("0badcafe")));
  }

  @Test
  void paddingOfTheLinkIsNoPartOfThePacket() {
    Ip ip = ip(Bytes.ofHex("45000016 00000000 40590000 c0000201 c6336407 aabb 00000000"));

    assertThat(ip.body()).isEqualTo(new Other(89, Bytes.ofHex("aabb")));
  }

  @ParameterizedTest
  @CsvSource({
    "'', 0, lacking",
    "55000014000000004059000000000000 00000000, 0, IP version 5",
    "44000014000000004059000000000000 00000000, 0, header of 16",
    "45000014, 4, header is cut off",
    "45000013000000004059000000000000 00000000, 2, shorter than its header",
    "45000018000000004059000000000000 0000000001, 21, 24 bytes is cut off",
    "6000, 2, IPv6 header is cut off",
    "60000000000a3b40 20010db8000000000000000000000001 20010db8000000000000000000000002, 40, cut",
  })
  void brokenIpHeaders(String hex, int offset, String what) {
    Malformed malformed = (Malformed) Packet.parse(Bytes.ofHex(hex));

    assertThat(malformed.offset()).isEqualTo(offset);
    assertThat(malformed.what()).contains(what);
  }

  @Test
  void ipv6BehindItsExtensionHeaders() {
    Ip ip = ip(v6(0, "3c00000000000000" + "1100000000000000" + "0035003600080000"));

    assertThat(ip.source()).isEqualTo(Address.of("2001:db8::1"));
    assertThat(ip.protocol()).isEqualTo(Ip.UDP);
    assertThat(ip.hops()).isEqualTo(63);
    assertThat(ip.headerLength()).isEqualTo(56);
    assertThat(ip.body()).isEqualTo(new Udp(0x35, 0x36, 8, Bytes.EMPTY, new Udp.Plain()));
  }

  @ParameterizedTest
  @CsvSource({
    "0, 3c, 41, extension header 0 is cut off",
    "0, 3c02000000000000, 41, extension header 0 of 24 bytes",
    "44, 2c00000100000001 2c00000100000001, 48, second fragment",
    "17, 00350036, 44, UDP header is cut off",
  })
  void brokenExtensionHeaders(int next, String payload, int offset, String what) {
    Malformed malformed = (Malformed) ip(v6(next, payload)).body();

    assertThat(malformed.offset()).isEqualTo(offset);
    assertThat(malformed.what()).contains(what);
  }

  @Test
  void firstAndLaterFragments() {
    Ip first = ip(v4(Ip.UDP, 0x2000, "01f401f4 05dc0000 0102030405060708"));
    Ip later = ip(v4(Ip.UDP, 0x0002, "01f401f405dc0000"));
    Ip six = ip(v6(44, "1100000900abcdef" + "0035003601000000"));

    assertThat(first.fragment()).contains(new Ip.Fragment(0xab, 0, true));
    assertThat(((Udp) first.body()).length()).isEqualTo(1500);
    assertThat(later.fragment()).contains(new Ip.Fragment(0xab, 16, false));
    assertThat(later.body()).isEqualTo(new LaterFragment(Bytes.ofHex("01f401f405dc0000")));
    assertThat(six.fragment()).contains(new Ip.Fragment(0xabcdef, 8, true));
    assertThat(six.body()).isInstanceOf(LaterFragment.class);
  }

  @Test
  void udp() {
    assertThat(body(Ip.UDP, "0035c001000b1234 aabbcc"))
        .isEqualTo(new Udp(53, 0xc001, 11, Bytes.ofHex("aabbcc"), new Udp.Plain()));
    assertThat(body(Ip.UDP, "0035c001000a1234 aabbccdd"))
        .as("bytes behind its end are no part of it")
        .isEqualTo(new Udp(53, 0xc001, 10, Bytes.ofHex("aabb"), new Udp.Plain()));
    assertThat(body(Ip.UDP, "0035c00100071234"))
        .isEqualTo(new Malformed(24, "a datagram of 7 bytes"));
    assertThat(body(Ip.UDP, "0035c001000c1234 aabbcc"))
        .isEqualTo(new Malformed(24, "a datagram of 12 bytes is cut off"));
  }

  @Test
  void tcp() {
    assertThat(body(Ip.TCP, "06bbc350 00000064 000000c8 6012ffff 00000000 020405b4 aa"))
        .isEqualTo(new Tcp(1723, 50000, 100, 200, Tcp.SYN | Tcp.ACK, 65535, Bytes.ofHex("aa")));
    assertThat(body(Ip.TCP, "06bbc350 00000064 000000c8 4012ffff 00000000"))
        .isEqualTo(new Malformed(32, "a TCP header of 16 bytes"));
    assertThat(body(Ip.TCP, "06bbc350 00000064 000000c8 6012ffff 00000000"))
        .isEqualTo(new Malformed(40, "a TCP header of 24 bytes is cut off"));
    assertThat(body(Ip.TCP, "06bbc35000000064"))
        .isEqualTo(new Malformed(28, "the TCP header is cut off"));
  }

  @Test
  void esp() {
    assertThat(body(Ip.ESP, "deadbeef 00000001 aabbccdd")).isEqualTo(new Esp(0xdeadbeef, 1, 12));
    assertThat(((Esp) body(Ip.ESP, "deadbeef ffffffff")).sequenceNumber()).isEqualTo(0xffffffffL);
    assertThat(body(Ip.ESP, "deadbeef000000"))
        .isEqualTo(new Malformed(27, "the ESP header is cut off"));
  }

  @Test
  void ah() {
    assertThat(body(Ip.AH, "32040000 00000100 00000007 000000000000000000000000"))
        .isEqualTo(new Ah(50, 24, 0x100, 7));
    assertThat(body(Ip.AH, "32000000 00000100 00000007"))
        .isEqualTo(new Malformed(21, "an AH header of 8 bytes"));
    assertThat(body(Ip.AH, "32040000 00000100 00000007"))
        .isEqualTo(new Malformed(32, "an AH header of 24 bytes is cut off"));
  }

  @Test
  void gre() {
    assertThat(body(Ip.GRE, "00000800 aa"))
        .isEqualTo(new Gre(0x800, OptionalLong.empty(), OptionalLong.empty(), Bytes.ofHex("aa")));
    assertThat(body(Ip.GRE, "b0000800 00000000 0000002a 00000007 aa"))
        .isEqualTo(new Gre(0x800, OptionalLong.of(42), OptionalLong.of(7), Bytes.ofHex("aa")));
    assertThat(body(Ip.GRE, "20000800 000000"))
        .isEqualTo(new Malformed(27, "the GRE header is cut off"));
    assertThat(body(Ip.GRE, "00020800")).isEqualTo(new Malformed(21, "GRE version 2"));
    assertThat(body(Ip.GRE, "40000800 00000000")).isInstanceOf(Other.class);
  }

  @Test
  void greOfPptp() {
    assertThat(body(Ip.GRE, "3081880b 0002beef 00000005 00000004 c021"))
        .isEqualTo(
            new PptpGre(2, 0xbeef, OptionalLong.of(5), OptionalLong.of(4), Bytes.ofHex("c021")));
    assertThat(body(Ip.GRE, "2081880b 0000beef 00000004"))
        .as("an acknowledgment alone")
        .isEqualTo(new PptpGre(0, 0xbeef, OptionalLong.empty(), OptionalLong.of(4), Bytes.EMPTY));
    assertThat(body(Ip.GRE, "3001880b 0003beef 00000005 c021"))
        .isEqualTo(new Malformed(24, "a payload of 3 bytes is cut off"));
    assertThat(body(Ip.GRE, "30010800 0003beef"))
        .isEqualTo(new Malformed(20, "GRE version 1 that is not PPTP's"));
  }

  /** SPIi 1, SPIr 2; next payload, version, exchange, flags, message 3 and length are given. */
  private static String ike(
      String next, String version, String exchange, String flags, int length) {
    return "00000000000000010000000000000002%s%s%s%s00000003%08x"
        .formatted(next, version, exchange, flags, length);
  }

  @Test
  void isakmp() {
    Udp.Content content = content(500, ike("08", "10", "20", "01", 32) + "cafecafe");

    assertThat(content).isEqualTo(new Ike(1, 2, 8, 1, 0, Ike.QUICK_MODE, 1, 3, 32, 0, 0));
  }

  @Test
  void ikev2TellsTheFirstPayloadInsideTheEncryptedOne() {
    Ike answer = (Ike) content(500, ike("2e", "20", "24", "20", 40) + "2100000c 0102030405060708");
    Ike behindOthers =
        (Ike) content(500, ike("29", "20", "25", "08", 40) + "2e000008 00004001 2a000004");

    assertThat(answer.inner()).isEqualTo(Ike.SA_PAYLOAD);
    assertThat(answer.answers()).isTrue();
    assertThat(answer.fromInitiator()).isFalse();
    assertThat(behindOthers.inner()).isEqualTo(Ike.DELETE_PAYLOAD);
    assertThat(behindOthers.fromInitiator()).isTrue();
  }

  @Test
  void partOfAFragmentedIkeMessage() {
    Ike part = (Ike) content(500, ike("35", "20", "23", "20", 40) + "2400000c 00010003 cafecafe");

    assertThat(part.part()).isEqualTo(1);
    assertThat(part.inner()).isEqualTo(Ike.IDR_PAYLOAD);
  }

  @ParameterizedTest
  @CsvSource({
    "27, 52, 28",
    "29, 52, 28 bytes in 29",
  })
  void anIkeLengthThatIsNotThere(int length, int offset, String ignored) {
    assertThat(content(500, ike("00", "20", "22", "08", length)))
        .isEqualTo(new Malformed(offset, "an IKE message of %d bytes in 28".formatted(length)));
  }

  @Test
  void bytesBehindAnIkeMessageAreNoPartOfIt() {
    assertThat(content(500, ike("00", "20", "22", "08", 28) + "00ff"))
        .isEqualTo(new Ike(1, 2, 0, 2, 0, Ike.SA_INIT, 8, 3, 28, 0, 0));
  }

  @Test
  void aBrokenChainOfPayloads() {
    assertThat(content(500, ike("21", "20", "22", "08", 32) + "00000003"))
        .isEqualTo(new Malformed(58, "a payload of 3 bytes"));
    assertThat(content(500, ike("21", "20", "22", "08", 32) + "00000005"))
        .isEqualTo(new Malformed(58, "a payload of 5 bytes"));
    assertThat(content(500, ike("21", "20", "22", "08", 32) + "22000004"))
        .isEqualTo(new Malformed(60, "payload 34 is lacking"));
  }

  @Test
  void port4500() {
    assertThat(content(4500, "ff")).isEqualTo(new Udp.Keepalive());
    assertThat(content(4500, "fe")).isEqualTo(new Malformed(28, "one byte that is no keepalive"));
    assertThat(content(4500, "0000000100000002aa")).isEqualTo(new Esp(1, 2, 9));
    assertThat(content(4500, "00000000" + ike("00", "20", "22", "08", 28)))
        .isEqualTo(new Ike(1, 2, 0, 2, 0, Ike.SA_INIT, 8, 3, 28, 0, 0));
    assertThat(content(4500, "0000")).isEqualTo(new Malformed(30, "neither IKE nor ESP"));
    assertThat(content(4500, "00000001")).isEqualTo(new Malformed(32, "the ESP header is cut off"));
    assertThat(content(4500, "00000000")).isEqualTo(new Malformed(32, "the IKE header is cut off"));
    assertThat(content(4500, "")).isEqualTo(new Malformed(28, "neither IKE nor ESP"));
  }

  @Test
  void icmp() {
    assertThat(body(Ip.ICMP, "08001234 00010002 aa"))
        .isEqualTo(new Icmp(8, 0, Bytes.ofHex("00010002aa")));
    assertThat(body(Ip.ICMP, "080012")).isEqualTo(new Malformed(23, "the ICMP header is cut off"));
  }

  @Test
  void anIcmpErrorQuotesTheSpi() {
    String quote = v4(Ip.ESP, "deadbeef00000009" + "00".repeat(100)).part(0, 28).toString();

    IcmpError error = (IcmpError) body(Ip.ICMP, "03041234 00000514" + quote);

    assertThat(error.rest()).isEqualTo(1300);
    Ip quoted = (Ip) error.quote();
    assertThat(quoted.length()).isEqualTo(128);
    assertThat(quoted.body()).isEqualTo(new Esp(0xdeadbeef, 9, 8));
  }

  @Test
  void anIcmpErrorQuotesPortsAndNotMore() {
    String tcp = v4(Ip.TCP, "06bbc350 00000064" + "00".repeat(40)).part(0, 28).toString();
    String udp = v4(Ip.UDP, "01f401f4 00640000" + "00".repeat(92)).part(0, 28).toString();
    String short7 = v4(Ip.UDP, "01f401f4 00640000" + "00".repeat(92)).part(0, 27).toString();

    assertThat(quoted(tcp)).isEqualTo(new Ports(Ip.TCP, 1723, 50000));
    assertThat(quoted(udp)).isEqualTo(new Udp(500, 500, 100, Bytes.EMPTY, new Udp.Plain()));
    assertThat(quoted(short7)).isEqualTo(new Malformed(55, "the UDP header is cut off"));
  }

  private static Body quoted(String quote) {
    return ((Ip) ((IcmpError) body(Ip.ICMP, "0b001234 00000000" + quote)).quote()).body();
  }

  @Test
  void icmpErrorsOfIpv6AndTheirQuote() {
    String quote = v6(Ip.ESP, "0000beef00000001").toString();

    IcmpError error = (IcmpError) ip(v6(Ip.ICMP6, "02000000 00000500" + quote)).body();

    assertThat(error.type()).isEqualTo(2);
    assertThat(((Ip) error.quote()).body()).isEqualTo(new Esp(0xbeef, 1, 8));
  }

  @Test
  void anErrorAboutAnErrorIsNotLookedInto() {
    String inner = v4(Ip.ICMP, "03041234 00000514" + v4(Ip.ESP, "00000001 00000001")).toString();

    assertThat(quoted(inner)).isInstanceOf(Icmp.class);
  }

  @Test
  void theBeginningOfACaptureIsEnoughForWhatStandsInIt() {
    Bytes whole = v4(Ip.ESP, "deadbeef00000001" + "00".repeat(1000));

    assertThat(Packet.parse(whole.part(0, 68))).isInstanceOf(Malformed.class);
    assertThat(((Ip) Packet.parseBeginning(whole.part(0, 68))).body())
        .isEqualTo(new Esp(0xdeadbeef, 1, 48));
  }
}
