package io.gatehouse.slowpath;

import io.gatehouse.netlink.Answer;
import io.gatehouse.netlink.ElementChange;
import io.gatehouse.netlink.Failure;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/** Writes changes of maps: all at once, or else each group that belongs together by itself. */
final class MapWriter {
  private final Function<List<ElementChange>, Answer<Boolean>> kernel;
  private final List<ElementChange> full = new ArrayList<>();
  private boolean doubtful;
  private Optional<String> refusal = Optional.empty();

  /**
   * @param kernel makes all of these changes or none
   */
  MapWriter(Function<List<ElementChange>, Answer<Boolean>> kernel) {
    this.kernel = kernel;
  }

  /** Whether all of it stands now; else {@link #isDoubtful}. */
  boolean write(List<List<ElementChange>> groups) {
    List<ElementChange> all = groups.stream().flatMap(List::stream).toList();
    if (kernel.apply(all) instanceof Answer.Told<Boolean>) {
      refusal = all.isEmpty() ? refusal : Optional.empty();
      return true;
    }
    // An element whose time was over has gone by itself: then the others still have to come.
    boolean made = true;
    for (List<ElementChange> group : groups) {
      if (!group.isEmpty()
          && kernel.apply(group) instanceof Answer.Failed<Boolean>(Failure why)
          && !isOver(group, why)) {
        made = false;
        if (group.size() == 1 && why.errno() == Failure.FULL) {
          full.add(group.getFirst());
          continue; // all that stands is known: nothing has to be read
        }
        doubtful = true;
        refusal =
            Optional.of(
                "the kernel refuses an element of " + group.getFirst().set().name() + ": " + why);
      }
    }
    return made;
  }

  private static boolean isOver(List<ElementChange> group, Failure why) {
    return group.size() == 1
        && group.getFirst() instanceof ElementChange.Remove
        && why.errno() == Failure.NO_SUCH;
  }

  /** Additions for which a map had no room, since this was last asked. */
  List<ElementChange> takeFull() {
    List<ElementChange> taken = List.copyOf(full);
    full.clear();
    return taken;
  }

  /** What stands may be another than we think. */
  void doubt(String why) {
    doubtful = true;
    refusal = Optional.of(why);
  }

  /** Whether something was refused since this was last trusted. */
  boolean isDoubtful() {
    return doubtful;
  }

  /** What stands has been read: what follows is written by that. */
  void trust() {
    doubtful = false;
    refusal = Optional.empty();
  }

  /** What the kernel refused last, in words. */
  Optional<String> refusal() {
    return refusal;
  }
}
