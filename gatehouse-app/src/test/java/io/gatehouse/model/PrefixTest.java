package io.gatehouse.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.math.BigInteger;
import java.util.List;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.junit.jupiter.api.Test;

class PrefixTest {

  /** Near each other, so that they often meet; every length. */
  @Provide
  Arbitrary<Prefix> prefixes() {
    Arbitrary<Prefix> four =
        Combinators.combine(
                Arbitraries.of(0, 1, 2, 3, 0x0a000000, 0x0a000001, -1, -2, 0x80000000),
                Arbitraries.integers().between(0, 32))
            .as((bits, length) -> Prefix.masked(Address.v4(bits), length));
    Arbitrary<Long> words =
        Arbitraries.of(0L, 1L, 2L, -1L, -2L, Long.MIN_VALUE, 0x20010db8_00000000L);
    Arbitrary<Prefix> six =
        Combinators.combine(words, words, Arbitraries.integers().between(0, 128))
            .as((high, low, length) -> Prefix.masked(new Address(Family.V6, high, low), length));
    return Arbitraries.oneOf(four, six);
  }

  private static BigInteger number(Address address) {
    return new BigInteger(1, address.bytes());
  }

  /** Independent of the code under test: whether the intervals of numbers meet. */
  private static boolean meet(Prefix a, Prefix b) {
    return a.family() == b.family()
        && number(a.first()).compareTo(number(b.last())) <= 0
        && number(b.first()).compareTo(number(a.last())) <= 0;
  }

  @Property
  void whatIsPrintedIsReadAgain(@ForAll("prefixes") Prefix prefix) {
    assertThat(Prefix.parse(prefix.toString())).contains(prefix);
  }

  @Property
  void theLastIsTheFirstAndTheSize(@ForAll("prefixes") Prefix prefix) {
    BigInteger size = BigInteger.TWO.pow(prefix.family().bits() - prefix.length());
    assertThat(number(prefix.last()))
        .isEqualTo(number(prefix.first()).add(size).subtract(BigInteger.ONE));
    prefix.size().ifPresent(s -> assertThat(BigInteger.valueOf(s)).isEqualTo(size));
    assertThat(prefix.size().isPresent()).isEqualTo(size.bitLength() <= 63);
    assertThat(prefix.isAll()).isEqualTo(prefix.length() == 0);
  }

  @Property
  void overlapsWhereTheNumbersMeet(@ForAll("prefixes") Prefix a, @ForAll("prefixes") Prefix b) {
    assertThat(a.overlaps(b)).isEqualTo(meet(a, b));
    assertThat(b.overlaps(a)).isEqualTo(a.overlaps(b));
  }

  @Property
  void containsWhatLiesBetween(@ForAll("prefixes") Prefix a, @ForAll("prefixes") Prefix b) {
    boolean inside =
        meet(a, b)
            && number(a.first()).compareTo(number(b.first())) <= 0
            && number(b.last()).compareTo(number(a.last())) <= 0;
    assertThat(a.contains(b)).isEqualTo(inside);
    assertThat(a.contains(b.first())).isEqualTo(meet(a, Prefix.host(b.first())));
    assertThat(a.contains(b.last())).isEqualTo(meet(a, Prefix.host(b.last())));
  }

  @Property
  void maskingForgetsTheHost(@ForAll("prefixes") Prefix prefix) {
    assertThat(Prefix.masked(prefix.last(), prefix.length())).isEqualTo(prefix);
    assertThat(Prefix.masked(prefix.first(), prefix.length())).isEqualTo(prefix);
  }

  @Property
  void sortsSoThatWhatContainsComesFirst(
      @ForAll("prefixes") Prefix a, @ForAll("prefixes") Prefix b) {
    if (a.contains(b)) {
      assertThat(a.compareTo(b)).isLessThanOrEqualTo(0);
    }
    assertThat(a.compareTo(b) == 0).isEqualTo(a.equals(b));
  }

  @Test
  void aBareAddressIsOneHost() {
    assertThat(Prefix.parse("10.0.0.1")).contains(Prefix.of("10.0.0.1/32"));
    assertThat(Prefix.parse("::1")).contains(Prefix.of("::1/128"));
  }

  @Test
  void isNotWhatOnlyLooksLikeOne() {
    for (String text :
        List.of(
            "10.0.0.1/24",
            "10.0.0.0/33",
            "::/129",
            "10.0.0.0/08",
            "10.0.0.0/",
            "10.0.0.0/-1",
            "10.0.0.0/+8",
            "/8",
            "10.0.0.0/8/8",
            "10.0.0.0/255.0.0.0",
            "fe80::1/64")) {
      assertThat(Prefix.parse(text)).as(text).isEmpty();
    }
    assertThatThrownBy(() -> new Prefix(Address.of("10.0.0.1"), 24))
        .hasMessageContaining("host bits");
    assertThatThrownBy(() -> Prefix.masked(Address.of("10.0.0.1"), 33))
        .isInstanceOf(IllegalArgumentException.class);
    assertThat(Prefix.ALL_V4).hasToString("0.0.0.0/0");
    assertThat(Prefix.ALL_V6).hasToString("::/0");
  }
}
