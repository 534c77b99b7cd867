package io.gatehouse.growth;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatehouse.generated.Sizes;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.function.IntFunction;
import java.util.function.ToIntFunction;
import org.junit.jupiter.api.Test;

/**
 * Work grows with the description and not with its square. Work is counted, in methods entered and
 * turns of loops, so that a slow machine says nothing else than a fast one.
 */
class GrowthTest {
  /** Twice as much makes 2 where work is in proportion, 2.2 where it is sorted, 4 where squared. */
  private static final double MOST = 2.6;

  private record Work(int rules, Map<String, Long> byMethod) {
    long total() {
      return byMethod.values().stream().mapToLong(Long::longValue).sum();
    }

    long of(String method) {
      return byMethod.getOrDefault(method, 0L);
    }
  }

  @SuppressWarnings("unchecked") // the interface is the JDK's, the class is loaded twice
  private static Work work(String description) throws ReflectiveOperationException {
    ToIntFunction<String> road =
        (ToIntFunction<String>)
            new Counting()
                .loadClass(WholeRoad.class.getName())
                .getDeclaredConstructor()
                .newInstance();
    Ticks.reset();
    int rules = road.applyAsInt(description);
    return new Work(rules, Ticks.byMethod());
  }

  /** How much more the second doubling costs than the first, of all or of one method. */
  private static double growth(long small, long middle, long large) {
    return middle == small ? 0 : (double) (large - middle) / (middle - small);
  }

  private static void isLinear(int least, IntFunction<String> description)
      throws ReflectiveOperationException {
    Work small = work(description.apply(least));
    Work middle = work(description.apply(2 * least));
    Work large = work(description.apply(4 * least));
    List<String> blame = new ArrayList<>();
    large.byMethod().keySet().stream()
        .filter(method -> large.of(method) > large.total() / 1000)
        .sorted(Comparator.comparingLong(large::of).reversed())
        .forEach(method ->
            blame.add(
                "%s %d %d %d: %.2f"
                    .formatted(
                        method,
                        small.of(method),
                        middle.of(method),
                        large.of(method),
                        growth(small.of(method), middle.of(method), large.of(method)))));
    assertThat(growth(small.total(), middle.total(), large.total()))
        .as("work by method at three sizes, and growth:\n%s", String.join("\n", blame))
        .isLessThan(MOST);
  }

  @Test
  void peersWithTwoNetworksEach() throws ReflectiveOperationException {
    isLinear(1000, Sizes::peers);
  }

  @Test
  void groupsOfClients() throws ReflectiveOperationException {
    isLinear(50, Sizes::groups);
  }
}
