package io.gatehouse.model;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class PrefixIndexTest {

  @Test
  void findsWhatLookingAtAllOfThemFinds() {
    Random lot = new Random(7);
    for (int round = 0; round < 200; round++) {
      List<Prefix> some = Stream.generate(() -> prefix(lot)).limit(40).distinct().toList();
      PrefixIndex index = new PrefixIndex(some);
      for (Prefix other : Stream.generate(() -> prefix(lot)).limit(20).toList()) {
        assertThat(index.overlapping(other))
            .as("%s among %s", other, some)
            .containsExactlyInAnyOrderElementsOf(
                some.stream().filter(p -> p.overlaps(other)).toList());
      }
    }
  }

  /** Within few addresses, so that many meet. */
  private static Prefix prefix(Random lot) {
    return lot.nextBoolean()
        ? Prefix.masked(Address.v4(0x0a000000 | lot.nextInt(64)), 25 + lot.nextInt(8))
        : Prefix.masked(
            new Address(Family.V6, 0x20010db8L << 32, lot.nextInt(64)), 120 + lot.nextInt(9));
  }
}
