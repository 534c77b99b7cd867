package io.gatehouse.masquerade;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** A large table is looked through in slices, a small one as a whole. */
class SlotTableSweepTest {
  private static SlotTable of(int entries) {
    SlotTable table = new SlotTable(1, entries, 0);
    for (int i = 0; i < entries; i++) {
      table.add(i, 0);
    }
    return table;
  }

  @Test
  void eachSweepOfALargeTableLooksAtASliceAndAllOfThemAtEverything() {
    SlotTable table = of(3 * SlotTable.SLICE);
    List<Integer> seen = new ArrayList<>();
    for (int sweep = 1; sweep <= 3; sweep++) {
      table.sweep(slot -> {
        seen.add(slot);
        table.remove(slot);
      });
      assertThat(seen).hasSize(sweep * SlotTable.SLICE);
    }
    assertThat(seen).doesNotHaveDuplicates();
    assertThat(table.size()).isZero();
  }

  @Test
  void aSmallTableIsLookedThroughAsAWholeInItsOrder() {
    SlotTable table = of(100);
    for (int sweep = 0; sweep < 2; sweep++) {
      List<Integer> seen = new ArrayList<>();
      table.sweep(seen::add);
      assertThat(seen).isEqualTo(IntStream.range(0, 100).boxed().toList());
    }
  }
}
