package io.gatehouse.path;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatehouse.model.Address;
import io.gatehouse.model.Family;
import io.gatehouse.model.Prefix;
import io.gatehouse.path.IntervalSet.Interval;
import java.util.List;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Blocks of addresses: sets become numbers, and numbers addresses of the set. */
class AddressesTest {
  private static List<Prefix> some(Family family) {
    Stream<String> words =
        family == Family.V4
            ? Stream.of("10.0.1.0/24", "10.0.1.7/32", "10.0.0.0/16", "255.255.255.0/24")
            : Stream.of("2001:db8::/32", "2001:db8::1/128", "2001:db8:1::/48", "ffff::/16");
    return words.map(Prefix::of).toList();
  }

  private static Addresses blocks(Family family) {
    return Addresses.toldApart(family, List.of(), some(family));
  }

  private static LongStream numbers(IntervalSet set) {
    return set.intervals().stream()
        .flatMapToLong(i -> LongStream.rangeClosed(i.firstLow(), i.lastLow()));
  }

  @ParameterizedTest
  @EnumSource(Family.class)
  void theNumbersOfASetStandForItsAddresses(Family family) {
    Addresses blocks = blocks(family);

    assertThat(blocks.width()).isLessThan(8);
    for (Prefix prefix : some(family)) {
      IntervalSet set = blocks.of(prefix);
      assertThat(numbers(set).mapToObj(number -> blocks.at(0, number))).allMatch(prefix::contains);
      assertThat(
              LongStream.range(0, 1L << blocks.width())
                  .filter(number -> numbers(set).noneMatch(n -> n == number))
                  .mapToObj(number -> blocks.at(0, number)))
          .noneMatch(prefix::contains);
    }
    Prefix all = family == Family.V4 ? Prefix.ALL_V4 : Prefix.ALL_V6;
    assertThat(blocks.of(all).intervals())
        .containsExactly(Interval.of(0, (1L << blocks.width()) - 1));
    assertThat(blocks.fellShort()).isFalse();
  }

  @ParameterizedTest
  @EnumSource(Family.class)
  void anAddressOfItsOwnBlockIsOneNumber(Family family) {
    Addresses blocks = blocks(family);
    Address own = some(family).get(1).first();

    assertThat(numbers(blocks.of(own)).count()).isEqualTo(1);
    assertThat(blocks.isOne(blocks.bits(own))).isTrue();
    assertThat(blocks.isOne(blocks.bits(some(family).get(2).last()))).isFalse();
    assertThat(blocks.fellShort()).isTrue();
  }

  @ParameterizedTest
  @EnumSource(Family.class)
  void aBoundaryWithinABlockIsNotedAndFinerBlocksHaveIt(Family family) {
    Addresses blocks = blocks(family);
    Prefix narrow = Prefix.masked(some(family).getFirst().last(), family.bits() - 2);
    blocks.of(narrow);
    assertThat(blocks.fellShort()).isTrue();

    Addresses finer = blocks.finer();
    assertThat(numbers(finer.of(narrow)).mapToObj(number -> finer.at(0, number)))
        .isNotEmpty()
        .allMatch(narrow::contains);
    some(family).forEach(finer::of);
    assertThat(finer.fellShort()).isFalse();
  }

  @Test
  void whatLooksIntoAddressesGetsEachByItself() {
    Addresses blocks = blocks(Family.V4);
    blocks.needsBits();

    Addresses each = blocks.finer();
    assertThat(each.width()).isEqualTo(32);
    assertThat(each.at(0, Address.of("10.0.1.9").low())).isEqualTo(Address.of("10.0.1.9"));
    each.needsBits();
    assertThat(each.fellShort()).isFalse();
  }
}
