package io.gatehouse.daemon;

import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;

/**
 * Gives each mark a conntrack zone of its own. A zone that was given back is given out again as
 * late as possible: conntrack remembers for minutes who was in it.
 */
final class Zones {
  private final int first;
  private final int last;
  private final Map<Long, Integer> ofMark = new HashMap<>();
  private final Set<Integer> taken = new HashSet<>();
  private int next;

  Zones(int first, int last) {
    this.first = first;
    this.last = last;
    next = first;
  }

  /** The mark's zone, the same as long as it is not given back; nothing where all are taken. */
  OptionalInt of(long mark) {
    Integer known = ofMark.get(mark);
    if (known != null) {
      return OptionalInt.of(known);
    }
    if (taken.size() > last - first) {
      return OptionalInt.empty();
    }
    while (taken.contains(next)) {
      advance();
    }
    int zone = next;
    advance();
    take(mark, zone);
    return OptionalInt.of(zone);
  }

  /** The mark's zone, where it has one already. */
  OptionalInt given(long mark) {
    Integer zone = ofMark.get(mark);
    return zone == null ? OptionalInt.empty() : OptionalInt.of(zone);
  }

  private void advance() {
    next = next == last ? first : next + 1;
  }

  /** What the kernel has already; two marks never share a zone. */
  void found(long mark, int zone) {
    if (zone >= first && zone <= last && !taken.contains(zone) && !ofMark.containsKey(mark)) {
      take(mark, zone);
    }
  }

  private void take(long mark, int zone) {
    ofMark.put(mark, zone);
    taken.add(zone);
  }

  /** Gives back the zones of all other marks. */
  void keepOnly(Set<Long> marks) {
    ofMark
        .entrySet()
        .removeIf(entry -> {
          boolean gone = !marks.contains(entry.getKey());
          if (gone) {
            taken.remove(entry.getValue());
          }
          return gone;
        });
  }

  /** Gives one back. */
  void release(long mark) {
    Integer zone = ofMark.remove(mark);
    if (zone != null) {
      taken.remove(zone);
    }
  }
}
