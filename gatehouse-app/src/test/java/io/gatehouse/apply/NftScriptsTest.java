package io.gatehouse.apply;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatehouse.model.Origin;
import io.gatehouse.ruleset.Expression;
import io.gatehouse.ruleset.NftSet;
import io.gatehouse.ruleset.Table;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class NftScriptsTest {
  private static final Origin HERE = Origin.builtIn("a test");

  private static NftSet marks(String name, int elements) {
    return new NftSet(
        name,
        new Expression.Meta(Expression.Meta.Key.MARK),
        Optional.empty(),
        Set.of(),
        IntStream.range(0, elements)
            .mapToObj(n -> NftSet.Element.of(new Expression.Number(n), HERE))
            .toList(),
        Optional.empty(),
        HERE);
  }

  @Test
  void aSampleHasSmallSetsWholeAndTheFirstElementsOfLargeOnes() {
    Table table =
        new Table("inet", "gatehouse", List.of(marks("few", 64), marks("many", 20_000)), List.of());

    Table sample = NftScripts.sample(table);

    assertThat(sample.sets().get(0)).isEqualTo(table.sets().get(0));
    assertThat(sample.sets().get(1).elements())
        .isEqualTo(table.sets().get(1).elements().subList(0, 64));
    assertThat(sample.chains()).isEqualTo(table.chains());
  }
}
