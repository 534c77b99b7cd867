package io.gatehouse.daemon;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.OptionalInt;
import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class PatternsTest {
  private static Patterns of(List<String> patterns) {
    Patterns all = new Patterns();
    for (int i = 0; i < patterns.size(); i++) {
      all.add(i, patterns.get(i));
    }
    return all;
  }

  /** All patterns and identities of few characters, in many orders, against one after the other. */
  @Test
  void theFirstThatMatchesIsTheFirstOneByOne() {
    List<String> patterns = new ArrayList<>(Spelled.of("ab*", 4));
    List<String> identities = Spelled.of("ab*", 4);
    for (int seed = 0; seed < 50; seed++) {
      Collections.shuffle(patterns, new Random(seed));
      List<String> some = patterns.subList(0, 1 + seed % 12);
      Patterns all = of(some);
      for (String identity : identities) {
        OptionalInt first =
            IntStream.range(0, some.size())
                .filter(i -> new Glob(some.get(i)).matches(identity))
                .findFirst();
        assertThat(all.first(identity)).as("%s in %s", identity, some).isEqualTo(first);
      }
    }
  }

  @Test
  void whatIsLongerThanAnyHonestIdentityMatchesNothing() {
    assertThat(of(List.of("*")).first("a".repeat(Glob.LONGEST + 1))).isEmpty();
    assertThat(of(List.of("*")).first("a".repeat(Glob.LONGEST))).hasValue(0);
  }

  @Test
  void aThousandGroupsCostAClientFewLooks() {
    List<String> patterns = new ArrayList<>();
    for (int i = 0; i < 1_000; i++) {
      patterns.add(
          switch (i % 3) {
            case 0 -> "*@group" + i + ".example.org";
            case 1 -> "CN=unit" + i + "-*";
            default -> "user" + i + "@example.org";
          });
    }
    Patterns all = of(patterns);

    assertThat(all.looks()).isLessThan(12);
    assertThat(all.first("anna@group999.example.org")).hasValue(999);
    assertThat(all.first("CN=unit997-eve")).hasValue(997);
    assertThat(all.first("user998@example.org")).hasValue(998);
    assertThat(all.first("user998@example.com")).isEmpty();
  }
}
