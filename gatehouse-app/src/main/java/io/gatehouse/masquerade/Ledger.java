package io.gatehouse.masquerade;

import io.gatehouse.model.Address;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/** What happened: changes of maps for the kernel, refusals for people. */
final class Ledger {
  private static final int KEPT = 64;

  private List<Change> changes = new ArrayList<>();
  private final Deque<Refusal> refusals = new ArrayDeque<>();
  private final Map<Reason, Long> refused = new EnumMap<>(Reason.class);
  private long revised;
  private long collisions;

  void write(Change change) {
    changes.add(change);
  }

  List<Change> takeChanges() {
    List<Change> taken = List.copyOf(changes);
    if (!changes.isEmpty()) {
      changes = new ArrayList<>();
    }
    return taken;
  }

  /**
   * @param inside 0 where the packet came from outside
   */
  Verdict refuse(Reason reason, int inside, int remote, long now) {
    refused.merge(reason, 1L, Long::sum);
    if (refusals.size() == KEPT) {
      refusals.removeFirst();
    }
    refusals.addLast(new Refusal(now, reason, Address.v4(inside), Address.v4(remote)));
    return new Verdict.Drop(reason);
  }

  void revise() {
    revised++;
  }

  void collide() {
    collisions++;
  }

  Status status(List<Binding> bindings, List<Undecided> undecided, List<Suspected> suspected) {
    return new Status(
        bindings, undecided, suspected, List.copyOf(refusals), refused, revised, collisions);
  }
}
