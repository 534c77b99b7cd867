package io.gatehouse.pptp;

import io.gatehouse.model.Address;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;

/** Which Call IDs each remote has been told, and which of them rest. */
final class CallIds {
  /** No ID that is given: stands for no call. */
  static final int NOBODY = 0;

  /**
   * An ID is no other host's for so long after its call, in milliseconds: conntrack may still lead
   * it to the host that had it (nf_conntrack_gre_timeout_stream, 180 s).
   */
  static final long REST = 10 * 60_000;

  /**
   * So many rest for one host and remote; then the oldest of them is given to that host once more,
   * so that nobody who calls again and again takes them all.
   */
  static final int RESTING = 64;

  /** A host's with all remotes, those that rest among them. */
  static final int OF_HOST = 1_024;

  /** All hosts' with all remotes: some hundred bytes each. */
  private static final int ALL = 1 << 18;

  private static final int HIGHEST = 65_535;

  private final Set<Outer> taken = new HashSet<>();

  /** The oldest first. */
  private final Map<Outer, Resting> resting = new LinkedHashMap<>();

  private final Map<Pair, Deque<Integer>> restingOf = new HashMap<>();

  /** How many are of each host, taken or resting. */
  private final Map<Address, Integer> of = new HashMap<>();

  private final int first;

  /** What a remote sends under. */
  record Outer(Address remote, int id) {}

  /** A host and a remote. */
  record Pair(Address host, Address remote) {
    static Pair of(Call call) {
      return new Pair(call.host(), call.remote());
    }

    static Pair of(Change.Allowance allowance) {
      return new Pair(allowance.host(), allowance.remote());
    }
  }

  private record Resting(Address host, long until) {}

  /**
   * @param salt where the search for a free one begins
   */
  CallIds(long salt) {
    first = (int) Math.floorMod(salt, (long) HIGHEST);
  }

  /** One is a call's since before; false where it is another's. */
  boolean take(Call call) {
    boolean free = call.id() != NOBODY && taken.add(new Outer(call.remote(), call.id()));
    if (free) {
      of.merge(call.host(), 1, Integer::sum);
    }
    return free;
  }

  /** The host's own where nobody else has it, else another; empty where none is left. */
  OptionalInt give(Pair pair, int own, long now) {
    Deque<Integer> rest = restingOf.getOrDefault(pair, new ArrayDeque<>());
    if (rest.size() >= RESTING) {
      return taken(pair, rest.getFirst());
    }
    if (of.getOrDefault(pair.host, 0) >= OF_HOST || taken.size() + resting.size() >= ALL) {
      return OptionalInt.empty();
    }
    if (own != NOBODY && isFree(pair, own, now)) {
      return taken(pair, own);
    }
    for (int i = 0; i < HIGHEST; i++) {
      int id = 1 + (first + i) % HIGHEST;
      if (isFree(pair, id, now)) {
        return taken(pair, id);
      }
    }
    return OptionalInt.empty();
  }

  private OptionalInt taken(Pair pair, int id) {
    Outer outer = new Outer(pair.remote, id);
    wake(outer);
    taken.add(outer);
    of.merge(pair.host, 1, Integer::sum);
    return OptionalInt.of(id);
  }

  private boolean isFree(Pair pair, int id, long now) {
    Outer outer = new Outer(pair.remote, id);
    Resting rests = resting.get(outer);
    return !taken.contains(outer)
        && (rests == null || rests.until <= now || rests.host.equals(pair.host));
  }

  /** Its call is over. */
  void rest(Call call, long now) {
    Outer outer = new Outer(call.remote(), call.id());
    if (taken.remove(outer)) { // it stays the host's while it rests
      resting.put(outer, new Resting(call.host(), now + REST));
      restingOf.computeIfAbsent(Pair.of(call), pair -> new ArrayDeque<>()).add(call.id());
    }
  }

  private void wake(Outer outer) {
    Resting rests = resting.remove(outer);
    if (rests != null) {
      of.computeIfPresent(rests.host, (host, count) -> count > 1 ? count - 1 : null);
      restingOf.computeIfPresent(
          new Pair(rests.host, outer.remote),
          (pair, ids) -> ids.remove(outer.id) && ids.isEmpty() ? null : ids);
    }
  }

  /** Lets go what has rested. */
  void tick(long now) {
    while (!resting.isEmpty()) {
      Map.Entry<Outer, Resting> oldest = resting.entrySet().iterator().next();
      if (oldest.getValue().until > now) {
        return;
      }
      wake(oldest.getKey());
    }
  }
}
