package io.gatehouse.path;

import io.gatehouse.model.Address;
import io.gatehouse.model.Prefix;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;

/**
 * A set of unsigned numbers of up to 128 bits, as intervals in ascending order that neither overlap
 * nor touch. What sets of addresses, ports and marks have in common: ten thousand prefixes become
 * one decision diagram in a single pass.
 */
final class IntervalSet {

  /** From one number to another, both included. */
  record Interval(long firstHigh, long firstLow, long lastHigh, long lastLow) {
    static Interval of(long first, long last) {
      return new Interval(0, first, 0, last);
    }

    static Interval of(Address first, Address last) {
      return new Interval(first.high(), first.low(), last.high(), last.low());
    }

    /** Whether one that begins no earlier begins before this one's end, or there. */
    boolean reaches(Interval later) {
      return compare(later.firstHigh, later.firstLow, lastHigh, lastLow) <= 0;
    }

    boolean endsAfter(Interval other) {
      return compare(lastHigh, lastLow, other.lastHigh, other.lastLow) > 0;
    }
  }

  static final Comparator<Interval> BY_FIRST =
      (a, b) -> compare(a.firstHigh, a.firstLow, b.firstHigh, b.firstLow);

  private final List<Interval> intervals;

  private IntervalSet(List<Interval> intervals) {
    this.intervals = intervals;
  }

  static final IntervalSet EMPTY = new IntervalSet(List.of());

  static IntervalSet of(long value) {
    return new IntervalSet(List.of(Interval.of(value, value)));
  }

  static IntervalSet of(long first, long last) {
    return new IntervalSet(List.of(Interval.of(first, last)));
  }

  static IntervalSet of(Prefix prefix) {
    return new IntervalSet(List.of(Interval.of(prefix.first(), prefix.last())));
  }

  static IntervalSet of(Address address) {
    return new IntervalSet(List.of(Interval.of(address, address)));
  }

  static IntervalSet ofPrefixes(Collection<Prefix> prefixes) {
    return union(prefixes.stream().map(p -> Interval.of(p.first(), p.last())).toList());
  }

  static IntervalSet union(List<Interval> intervals) {
    if (intervals.size() < 2) {
      return new IntervalSet(List.copyOf(intervals));
    }
    List<Interval> sorted = new ArrayList<>(intervals);
    sorted.sort(BY_FIRST);
    List<Interval> merged = new ArrayList<>();
    for (Interval next : sorted) {
      if (merged.isEmpty()) {
        merged.add(next);
        continue;
      }
      Interval last = merged.getLast();
      boolean apart =
          compare(next.firstHigh, next.firstLow, last.lastHigh, last.lastLow) > 0
              && !follows(last, next);
      if (apart) {
        merged.add(next);
      } else if (compare(next.lastHigh, next.lastLow, last.lastHigh, last.lastLow) > 0) {
        merged.set(
            merged.size() - 1,
            new Interval(last.firstHigh, last.firstLow, next.lastHigh, next.lastLow));
      }
    }
    return new IntervalSet(List.copyOf(merged));
  }

  private static boolean follows(Interval last, Interval next) {
    long low = last.lastLow + 1;
    long high = low == 0 ? last.lastHigh + 1 : last.lastHigh;
    return next.firstLow == low && next.firstHigh == high;
  }

  IntervalSet union(IntervalSet other) {
    List<Interval> all = new ArrayList<>(intervals);
    all.addAll(other.intervals);
    return union(all);
  }

  List<Interval> intervals() {
    return intervals;
  }

  boolean isEmpty() {
    return intervals.isEmpty();
  }

  boolean contains(Address address) {
    return intervals.stream()
        .anyMatch(i ->
            compare(i.firstHigh, i.firstLow, address.high(), address.low()) <= 0
                && compare(i.lastHigh, i.lastLow, address.high(), address.low()) >= 0);
  }

  static int compare(long aHigh, long aLow, long bHigh, long bLow) {
    int byHigh = Long.compareUnsigned(aHigh, bHigh);
    return byHigh != 0 ? byHigh : Long.compareUnsigned(aLow, bLow);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof IntervalSet set && set.intervals.equals(intervals);
  }

  @Override
  public int hashCode() {
    return intervals.hashCode();
  }

  @Override
  public String toString() {
    return intervals.toString();
  }
}
