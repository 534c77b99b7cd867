package io.gatehouse.daemon;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import org.junit.jupiter.api.Test;

class ChoreTest {
  private final Queue<Runnable> waiting = new ArrayDeque<>();
  private final List<String> done = new ArrayList<>();

  @Test
  void whoAsksDoesNotWaitAndTwoWishesAreOne() {
    Chore chore = new Chore(waiting::add, () -> done.add("repair"));
    chore.soon();
    chore.soon();
    assertThat(done).isEmpty();
    assertThat(waiting).hasSize(1);

    waiting.remove().run();
    assertThat(done).containsExactly("repair");
  }

  @Test
  void aWishWhileItIsDoneIsDoneAfterwards() {
    List<Chore> self = new ArrayList<>();
    Chore chore =
        new Chore(
            waiting::add,
            () -> {
              done.add("repair");
              if (done.size() == 1) {
                self.getFirst().soon();
              }
            });
    self.add(chore);
    chore.soon();
    waiting.remove().run();
    assertThat(waiting).hasSize(1);
    waiting.remove().run();

    assertThat(done).hasSize(2);
    assertThat(waiting).isEmpty();
  }
}
