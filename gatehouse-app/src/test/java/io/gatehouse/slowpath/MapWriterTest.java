package io.gatehouse.slowpath;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatehouse.netlink.Answer;
import io.gatehouse.netlink.Bytes;
import io.gatehouse.netlink.ElementChange;
import io.gatehouse.netlink.Failure;
import io.gatehouse.netlink.SetElement;
import io.gatehouse.netlink.SetId;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Against a set that behaves as the kernel's: all of a batch or nothing. */
class MapWriterTest {
  private static final SetId SET = SetId.inet("gatehouse", "masq.zones");
  private static final int EXISTS = 17;

  private int room = Integer.MAX_VALUE;
  private final Set<Bytes> stands = new HashSet<>();
  private final MapWriter writer = new MapWriter(this::kernel);

  private Answer<Boolean> kernel(List<ElementChange> changes) {
    Set<Bytes> after = new HashSet<>(stands);
    for (ElementChange change : changes) {
      Bytes key = change.element().key();
      boolean done = change instanceof ElementChange.Add ? after.add(key) : after.remove(key);
      if (!done) {
        int why = change instanceof ElementChange.Add ? EXISTS : Failure.NO_SUCH;
        return new Answer.Failed<>(new Failure(why, Optional.empty()));
      }
    }
    if (after.size() > room) {
      return new Answer.Failed<>(new Failure(Failure.FULL, Optional.empty()));
    }
    stands.clear();
    stands.addAll(after);
    return new Answer.Told<>(true);
  }

  private static ElementChange add(int key) {
    return new ElementChange.Add(SET, SetElement.of(Bytes.int32(key)));
  }

  private static ElementChange remove(int key) {
    return new ElementChange.Remove(SET, SetElement.of(Bytes.int32(key)));
  }

  @Test
  void ofWhatBelongsTogetherNothingStandsWithoutTheOther() {
    stands.add(Bytes.int32(2)); // the second half of a pair is somebody else's

    assertThat(writer.write(List.of(List.of(add(1), add(2)), List.of(add(3))))).isFalse();

    assertThat(stands).containsExactlyInAnyOrder(Bytes.int32(2), Bytes.int32(3));
    assertThat(writer.isDoubtful()).isTrue();
    assertThat(writer.refusal()).isPresent();
  }

  @Test
  void whatHasNoRoomIsToldAndNoReasonToReadAllThatStands() {
    room = 1;

    assertThat(writer.write(List.of(List.of(add(1)), List.of(add(2))))).isFalse();

    assertThat(stands).containsExactly(Bytes.int32(1));
    assertThat(writer.isDoubtful()).isFalse();
    assertThat(writer.takeFull()).containsExactly(add(2));
    assertThat(writer.takeFull()).isEmpty();
  }

  @Test
  void whatHasGoneByItselfNeedsNoRemoval() {
    assertThat(writer.write(List.of(List.of(remove(1)), List.of(add(3))))).isTrue();

    assertThat(stands).containsExactly(Bytes.int32(3));
    assertThat(writer.isDoubtful()).isFalse();
  }

  @Test
  void nothingOfAPairIsRemovedWhereHalfOfItHasGone() {
    stands.add(Bytes.int32(1));

    assertThat(writer.write(List.of(List.of(remove(1), remove(2)), List.of(add(3))))).isFalse();

    assertThat(stands).containsExactlyInAnyOrder(Bytes.int32(1), Bytes.int32(3));
    assertThat(writer.isDoubtful()).isTrue();
  }
}
