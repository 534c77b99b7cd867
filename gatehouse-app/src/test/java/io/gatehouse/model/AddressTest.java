package io.gatehouse.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.math.BigInteger;
import java.net.InetAddress;
import java.util.List;
import java.util.Map;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

class AddressTest {

  /** Independent of the code under test: the address as a number. */
  private static BigInteger number(Address address) {
    return new BigInteger(1, address.bytes());
  }

  @Property
  void whatIsPrintedIsReadAgain4(@ForAll int bits) {
    Address address = Address.v4(bits);
    assertThat(Address.parse(address.toString())).contains(address);
    assertThat(Address.fromBytes(address.bytes())).isEqualTo(address);
  }

  @Property
  void whatIsPrintedIsReadAgain6(
      @ForAll long high, @ForAll long low, @ForAll @IntRange(max = 255) int holes) {
    // Random words are hardly ever zero, and zeros are where printing is hard.
    Address address = new Address(Family.V6, holed(high, holes >> 4), holed(low, holes & 15));
    assertThat(Address.parse(address.toString())).contains(address);
    assertThat(Address.fromBytes(address.bytes())).isEqualTo(address);
  }

  private static long holed(long bits, int holes) {
    long kept = bits;
    for (int word = 0; word < 4; word++) {
      if ((holes >> word & 1) == 1) {
        kept &= ~(0xffffL << (16 * word));
      }
    }
    return kept;
  }

  @Property
  void readsWhatTheJdkPrints(@ForAll long high, @ForAll long low) throws Exception {
    Address address = new Address(Family.V6, high, low);
    InetAddress jdk = InetAddress.getByAddress(address.bytes());
    assertThat(Address.parse(jdk.getHostAddress())).contains(address);
  }

  /** RFC 5952, sections 1, 2 and 4. */
  @Test
  void printsAsRfc5952Recommends() {
    Map<String, String> examples =
        Map.ofEntries(
            Map.entry("2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"),
            Map.entry("2001:0db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"),
            Map.entry("2001:DB8:0:0:1::1", "2001:db8::1:0:0:1"),
            Map.entry("2001:db8:aaaa:bbbb:cccc:dddd::1", "2001:db8:aaaa:bbbb:cccc:dddd:0:1"),
            Map.entry("2001:db8:0:0:0:0:2:1", "2001:db8::2:1"),
            Map.entry("2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"),
            Map.entry("2001:0:0:1:0:0:0:1", "2001:0:0:1::1"),
            Map.entry("2001:db8:0:0:1:0:0:0", "2001:db8:0:0:1::"),
            Map.entry("0:0:0:0:0:0:0:0", "::"),
            Map.entry("0:0:0:0:0:0:0:1", "::1"),
            Map.entry("1::", "1::"),
            Map.entry("::ffff:192.0.2.1", "::ffff:c000:201"));
    examples.forEach((in, out) -> assertThat(Address.of(in)).hasToString(out));
  }

  @Test
  void isNotWhatOnlyLooksLikeOne() {
    for (String text :
        List.of(
            "",
            "10.1",
            "1.2.3",
            "1.2.3.4.5",
            "256.0.0.1",
            "01.2.3.4",
            "0x0a000001",
            "1.2.3.4 ",
            " ::1",
            "1.2.3.-4",
            "::1%eth0",
            "1:2:3:4:5:6:7",
            "1:2:3:4:5:6:7:8:9",
            "1::2::3",
            ":::",
            "12345::",
            "::1.2.3",
            "localhost",
            "[::1]",
            "١.2.3.4",
            "::g")) {
      assertThat(Address.parse(text)).as(text).isEmpty();
    }
    assertThatThrownBy(() -> Address.of("10.1")).isInstanceOf(IllegalArgumentException.class);
  }

  @Property
  void plusCounts(@ForAll long high, @ForAll long low, @ForAll long count) {
    Address six = new Address(Family.V6, high, low);
    assertThat(number(six.plus(count)))
        .isEqualTo(number(six).add(BigInteger.valueOf(count)).mod(BigInteger.TWO.pow(128)));
    Address four = Address.v4((int) low);
    assertThat(number(four.plus(count)))
        .isEqualTo(number(four).add(BigInteger.valueOf(count)).mod(BigInteger.TWO.pow(32)));
  }

  @Property
  void bitsAreCountedFromTheLeft(
      @ForAll long high, @ForAll long low, @ForAll @IntRange(max = 127) int index) {
    Address six = new Address(Family.V6, high, low);
    assertThat(six.bit(index)).isEqualTo(number(six).testBit(127 - index));
    Address four = Address.v4((int) low);
    assertThat(four.bit(index % 32)).isEqualTo(number(four).testBit(31 - index % 32));
  }

  @Property
  void ordersAsNumbers(
      @ForAll long high, @ForAll long low, @ForAll long otherHigh, @ForAll long otherLow) {
    Address a = new Address(Family.V6, high, low);
    Address b = new Address(Family.V6, otherHigh, otherLow);
    assertThat(Integer.signum(a.compareTo(b))).isEqualTo(number(a).compareTo(number(b)));
    Address c = Address.v4((int) high);
    Address d = Address.v4((int) low);
    assertThat(Integer.signum(c.compareTo(d))).isEqualTo(number(c).compareTo(number(d)));
    assertThat(c.compareTo(a)).isNegative();
  }
}
