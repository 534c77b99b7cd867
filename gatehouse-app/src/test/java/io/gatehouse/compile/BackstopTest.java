package io.gatehouse.compile;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatehouse.model.Located;
import io.gatehouse.model.Origin;
import io.gatehouse.model.Prefix;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** {@link Backstop}: as many prefixes as are needed, and not one address more or less. */
class BackstopTest {
  private static List<Prefix> joined(Stream<Prefix> prefixes) {
    return Backstop.joined(
            prefixes.map(prefix -> new Located<>(prefix, Origin.builtIn("drawn"))).toList())
        .stream()
        .map(Located::value)
        .toList();
  }

  private static List<Prefix> joined(String... prefixes) {
    return joined(Stream.of(prefixes).map(Prefix::of));
  }

  @Test
  void halvesBecomeOne() {
    assertThat(joined("10.0.1.0/24", "10.0.0.0/24")).containsExactly(Prefix.of("10.0.0.0/23"));
    assertThat(joined("10.0.0.0/24", "10.0.1.0/25", "10.0.2.0/23", "10.0.1.128/25"))
        .containsExactly(Prefix.of("10.0.0.0/22"));
    assertThat(joined("2001:db8::/49", "2001:db8:0:8000::/49"))
        .containsExactly(Prefix.of("2001:db8::/48"));
  }

  @Test
  void neighboursThatAreNotHalvesStay() {
    assertThat(joined("10.0.1.0/24", "10.0.2.0/24")).hasSize(2);
    assertThat(joined("10.0.0.0/24", "10.0.1.0/25")).hasSize(2);
  }

  @Test
  void whatAnotherCoversIsNotSaidTwice() {
    assertThat(joined("10.0.0.0/8", "10.20.0.0/16")).containsExactly(Prefix.of("10.0.0.0/8"));
  }

  @Test
  void noAddressMoreOrLess() {
    Random random = new Random(7);
    for (int round = 0; round < 300; round++) {
      List<Prefix> drawn = new ArrayList<>();
      for (int i = random.nextInt(40); i >= 0; i--) {
        drawn.add(
            Prefix.masked(
                Prefix.of("10.0.0." + random.nextInt(256) + "/32").first(),
                24 + random.nextInt(9)));
      }

      List<Prefix> joined = joined(drawn.stream());

      assertThat(drawn).allMatch(prefix -> joined.stream().anyMatch(j -> j.contains(prefix)));
      assertThat(joined).allMatch(prefix -> prefix.without(drawn).isEmpty());
      for (Prefix one : joined) {
        assertThat(joined).noneMatch(other -> !other.equals(one) && other.overlaps(one));
        assertThat(joined).noneMatch(one::isOtherHalf);
      }
    }
  }
}
