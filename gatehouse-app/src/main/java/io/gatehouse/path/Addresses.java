package io.gatehouse.path;

import io.gatehouse.model.Address;
import io.gatehouse.model.Family;
import io.gatehouse.model.Prefix;
import io.gatehouse.path.IntervalSet.Interval;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/**
 * The addresses of a family, as far as anything tells them apart: blocks in ascending order, each
 * with a number, or several where numbers are left over. A gateway tells some hundred blocks apart,
 * which are seven bits instead of IPv6's 128.
 *
 * <p>Which blocks a question needs shows while it is asked: a boundary within a block is noted, and
 * the question is asked again with {@link #finer} ones. What asks for single bits of addresses gets
 * each address by itself.
 */
final class Addresses {
  /** A number of up to 128 bits. */
  private record Word(long high, long low) {
    static final Comparator<Word> ORDER =
        (a, b) -> IntervalSet.compare(a.high, a.low, b.high, b.low);

    static Word of(Address address) {
      return new Word(address.high(), address.low());
    }

    boolean is(long otherHigh, long otherLow) {
      return low == otherLow && high == otherHigh;
    }

    // Of hundreds of thousands of boundaries the generated ones take their time.
    @Override
    public boolean equals(Object other) {
      return other instanceof Word(long otherHigh, long otherLow) && is(otherHigh, otherLow);
    }

    @Override
    public int hashCode() {
      return (int) (((high * 31 + low) * 0x9e3779b97f4a7c15L) >>> 32);
    }

    Word next() {
      return new Word(low == -1 ? high + 1 : high, low + 1);
    }

    Word previous() {
      return new Word(low == 0 ? high - 1 : high, low - 1);
    }
  }

  /** What the kernel itself tells apart. */
  private static final List<Prefix> KERNELS_OWN =
      Stream.of(
              "0.0.0.0/32",
              "0.0.0.0/8",
              "127.0.0.0/32",
              "127.0.0.1/32",
              "127.0.0.0/8",
              "224.0.0.0/24",
              "224.0.0.0/4",
              "255.255.255.255/32",
              "::/128",
              "::1/128",
              "2000::/3",
              "fe80::/10",
              "ff00::/8")
          .map(Prefix::of)
          .toList();

  private final Family family;

  /** The first address of each block; nothing where each address stands for itself. */
  private final Optional<Word[]> blocks;

  /** The block that has the left-over numbers. */
  private final int wide;

  private final int spare;
  private final int width;

  /** Where blocks would have to begin besides. */
  private final Set<Word> missing = new HashSet<>();

  private boolean needsBits;

  private Addresses(Family family, Optional<Word[]> blocks) {
    this.family = family;
    this.blocks = blocks;
    if (blocks.isEmpty()) {
      wide = 0;
      spare = 0;
      width = family.bits();
      return;
    }
    Word[] starts = blocks.get();
    width = Math.max(1, 32 - Integer.numberOfLeadingZeros(starts.length - 1));
    spare = (1 << width) - starts.length;
    int at = 0;
    // A block of one address has one number: comparing two contents of a field rests on it.
    while (at < starts.length && isOne(at)) {
      at++;
    }
    wide = at;
  }

  /** Each address by itself. */
  static Addresses each(Family family) {
    return new Addresses(family, Optional.empty());
  }

  /**
   * The blocks that these sets of addresses are made of.
   *
   * @param others more of them, those of the other family left aside
   */
  static Addresses toldApart(Family family, Collection<Interval> some, Collection<Prefix> others) {
    List<Interval> sets = new ArrayList<>(some);
    Stream.concat(KERNELS_OWN.stream(), others.stream())
        .filter(prefix -> prefix.family() == family)
        .forEach(prefix -> sets.add(Interval.of(prefix.first(), prefix.last())));
    // Most boundaries are said many times over: sets, policies and routes have the same prefixes.
    Set<Word> starts = new HashSet<>();
    starts.add(new Word(0, 0));
    Address last = all(family).last();
    for (Interval set : sets) {
      starts.add(new Word(set.firstHigh(), set.firstLow()));
      if (set.lastHigh() != last.high() || set.lastLow() != last.low()) {
        starts.add(new Word(set.lastHigh(), set.lastLow()).next());
      }
    }
    return new Addresses(family, Optional.of(ordered(starts)));
  }

  private static Word[] ordered(Set<Word> starts) {
    Word[] all = starts.toArray(new Word[0]);
    Arrays.sort(all, Word.ORDER);
    return all;
  }

  private static Prefix all(Family family) {
    return family == Family.V4 ? Prefix.ALL_V4 : Prefix.ALL_V6;
  }

  /** Whether some answer was only nearly right: the question has to be asked again. */
  boolean fellShort() {
    return needsBits || !missing.isEmpty();
  }

  /** The blocks that would not have fallen short. */
  Addresses finer() {
    if (needsBits || blocks.isEmpty()) {
      return each(family);
    }
    Set<Word> starts = new HashSet<>(Arrays.asList(blocks.get()));
    starts.addAll(missing);
    return new Addresses(family, Optional.of(ordered(starts)));
  }

  /** For what looks into addresses: blocks will not do. */
  void needsBits() {
    needsBits |= blocks.isPresent();
  }

  Family family() {
    return family;
  }

  /** Bits of a field that holds an address. */
  int width() {
    return width;
  }

  // ---- from addresses to numbers

  /** Prefixes of the other family hold no address of this one. */
  IntervalSet of(Collection<Prefix> prefixes) {
    return of(IntervalSet.ofPrefixes(prefixes.stream().filter(p -> p.family() == family).toList()));
  }

  IntervalSet of(Prefix prefix) {
    return of(IntervalSet.of(prefix));
  }

  IntervalSet of(Address address) {
    return of(IntervalSet.of(address));
  }

  /** The numbers of a set of addresses. */
  IntervalSet of(IntervalSet set) {
    if (blocks.isEmpty()) {
      return set;
    }
    List<Interval> numbers = new ArrayList<>();
    for (Interval one : set.intervals()) {
      int from = block(one.firstHigh(), one.firstLow());
      int to = block(one.lastHigh(), one.lastLow());
      note(one, from, to);
      numbers.add(Interval.of(first(from), last(to)));
    }
    return IntervalSet.union(numbers);
  }

  /** Notes the ends of an interval that lie within the blocks where they are. */
  private void note(Interval one, int from, int to) {
    Word[] starts = blocks.orElseThrow();
    if (!starts[from].is(one.firstHigh(), one.firstLow())) {
      missing.add(new Word(one.firstHigh(), one.firstLow()));
    }
    Word last = new Word(one.lastHigh(), one.lastLow());
    boolean ends =
        to + 1 < starts.length
            ? starts[to + 1].equals(last.next())
            : last.equals(Word.of(all(family).last()));
    if (!ends) {
      missing.add(last.next());
    }
  }

  /** An address as the content of a field. */
  int[] bits(Address address) {
    if (blocks.isEmpty()) {
      return Field.constantBits(width, address.high(), address.low());
    }
    int block = block(address.high(), address.low());
    note(Interval.of(address, address), block, block);
    return Field.constantBits(width, 0, first(block));
  }

  /** Whether a field's content that does not depend on the packet is one address. */
  boolean isOne(int[] bits) {
    if (blocks.isEmpty()) {
      return true;
    }
    int number = 0;
    for (int bit : bits) {
      number = number << 1 | bit;
    }
    return isOne(numbered(number));
  }

  private boolean isOne(int block) {
    Word[] starts = blocks.orElseThrow();
    Word end =
        block + 1 < starts.length ? starts[block + 1].previous() : Word.of(all(family).last());
    return starts[block].equals(end);
  }

  /** The block of an address; the first begins with the first address of all. */
  private int block(long high, long low) {
    Word[] starts = blocks.orElseThrow();
    int from = 0;
    int to = starts.length;
    while (to - from > 1) {
      int middle = (from + to) >>> 1;
      Word start = starts[middle];
      if (IntervalSet.compare(start.high, start.low, high, low) <= 0) {
        from = middle;
      } else {
        to = middle;
      }
    }
    return from;
  }

  private int first(int block) {
    return block <= wide ? block : block + spare;
  }

  private int last(int block) {
    return block < wide ? block : block + spare;
  }

  private int numbered(int number) {
    int last = blocks.orElseThrow().length - 1;
    return Math.min(last, number <= wide ? number : Math.max(wide, number - spare));
  }

  // ---- and back

  /** An address that the number stands for: the first of its block. */
  Address at(long high, long low) {
    Word word = blocks.isPresent() ? blocks.get()[numbered((int) low)] : new Word(high, low);
    return family == Family.V4
        ? Address.v4((int) word.low())
        : new Address(Family.V6, word.high(), word.low());
  }
}
