package io.gatehouse.model;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.NavigableSet;
import java.util.Set;
import java.util.TreeSet;

/** Prefixes by their addresses: finds those that meet another without looking at all of them. */
public final class PrefixIndex {
  private final NavigableSet<Prefix> prefixes;
  private final Set<Prefix> known;
  private final BitSet lengths = new BitSet();

  public PrefixIndex(Collection<Prefix> prefixes) {
    this.prefixes = new TreeSet<>(prefixes);
    known = new HashSet<>(prefixes);
    prefixes.forEach(prefix -> lengths.set(prefix.length()));
  }

  /** Those that overlap a prefix: first those around it, the widest first, then those inside. */
  public List<Prefix> overlapping(Prefix other) {
    List<Prefix> found = new ArrayList<>();
    lengths.stream()
        .takeWhile(length -> length < other.length())
        .mapToObj(length -> Prefix.masked(other.first(), length))
        .filter(known::contains)
        .forEach(found::add);
    // The order is by first address, the wider before the narrower.
    for (Prefix inside : prefixes.tailSet(other, true)) {
      if (!other.contains(inside)) {
        break;
      }
      found.add(inside);
    }
    return found;
  }
}
