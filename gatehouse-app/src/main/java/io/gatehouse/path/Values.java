package io.gatehouse.path;

import io.gatehouse.bdd.Bdd;
import io.gatehouse.model.Address;
import io.gatehouse.model.Prefix;
import io.gatehouse.path.Names.Meaning;
import io.gatehouse.ruleset.Expression;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/** The numbers that nftables' values stand for. */
final class Values {
  private final HeaderSpace space;
  private final Bdd bdd;

  Values(HeaderSpace space) {
    this.space = space;
    bdd = space.bdd();
  }

  /**
   * A value as one number: names, lists of flags, and what is made of them by bitwise operators.
   */
  OptionalLong constant(Expression value, Meaning type) {
    return switch (value) {
      case Expression.Number number -> OptionalLong.of(number.value());
      case Expression.Symbol symbol -> Names.number(type, symbol.name());
      case Expression.AnyOf any -> {
        long bits = 0;
        for (Expression.Value one : any.values()) {
          OptionalLong bit = constant(one, type);
          if (bit.isEmpty()) {
            yield OptionalLong.empty();
          }
          bits |= bit.getAsLong();
        }
        yield type.isFlags() || any.values().size() == 1
            ? OptionalLong.of(bits)
            : OptionalLong.empty();
      }
      case Expression.Binary binary -> {
        OptionalLong left = constant(binary.left(), type);
        OptionalLong right = constant(binary.right(), type);
        if (left.isEmpty() || right.isEmpty()) {
          yield OptionalLong.empty();
        }
        long a = left.getAsLong();
        long b = right.getAsLong();
        yield OptionalLong.of(
            switch (binary.operator()) {
              case AND -> a & b;
              case OR -> a | b;
              case XOR -> a ^ b;
              case LEFT -> a << b;
              case RIGHT -> a >>> b;
            });
      }
      default -> OptionalLong.empty();
    };
  }

  /** The numbers that a value stands for; nothing where we do not understand it. */
  Optional<IntervalSet> values(Expression value, Meaning type, int width) {
    return switch (value) {
      case Expression.Number number -> {
        readsBits(type);
        yield Optional.of(IntervalSet.of(number.value()));
      }
      case Expression.Symbol symbol when type == Meaning.DEVICE ->
          Optional.of(devices(symbol.name()));
      case Expression.Symbol symbol -> {
        OptionalLong number = Names.number(type, symbol.name());
        yield number.isPresent()
            ? Optional.of(IntervalSet.of(number.getAsLong()))
            : Optional.empty();
      }
      case Expression.Text text when type == Meaning.DEVICE -> Optional.of(devices(text.text()));
      case Expression.Addr addr when type == Meaning.ADDRESS ->
          Optional.of(
              addr.address().family() == space.family()
                  ? space.addresses().of(addr.address())
                  : IntervalSet.EMPTY);
      case Expression.Net net when type == Meaning.ADDRESS ->
          Optional.of(space.addresses().of(List.of(net.prefix())));
      case Expression.Range range -> range(range, type, width);
      case Expression.AnyOf any -> union(any.values(), type, width);
      default -> Optional.empty();
    };
  }

  private Optional<IntervalSet> range(Expression.Range range, Meaning type, int width) {
    if (range.first() instanceof Expression.Addr first
        && range.last() instanceof Expression.Addr last) {
      return first.address().family() == space.family()
          ? Optional.of(
              space
                  .addresses()
                  .of(
                      IntervalSet.union(
                          List.of(IntervalSet.Interval.of(first.address(), last.address())))))
          : Optional.of(IntervalSet.EMPTY);
    }
    Optional<IntervalSet> first = values(range.first(), type, width);
    Optional<IntervalSet> last = values(range.last(), type, width);
    if (first.isEmpty()
        || last.isEmpty()
        || first.get().intervals().size() != 1
        || last.get().intervals().size() != 1
        || type == Meaning.DEVICE) {
      return Optional.empty();
    }
    return Optional.of(
        IntervalSet.of(
            first.get().intervals().getFirst().firstLow(),
            last.get().intervals().getFirst().lastLow()));
  }

  /** The numbers of all these values; nothing where we do not understand one. */
  Optional<IntervalSet> union(List<? extends Expression> values, Meaning type, int width) {
    List<IntervalSet.Interval> all = new ArrayList<>();
    List<IntervalSet.Interval> addresses = new ArrayList<>();
    for (Expression value : values) {
      // Ten thousands of addresses are looked up among the blocks as one set, and not each alone.
      if (type == Meaning.ADDRESS && value instanceof Expression.Net(Prefix prefix)) {
        if (prefix.family() == space.family()) {
          addresses.add(IntervalSet.Interval.of(prefix.first(), prefix.last()));
        }
        continue;
      }
      if (type == Meaning.ADDRESS && value instanceof Expression.Addr(Address address)) {
        if (address.family() == space.family()) {
          addresses.add(IntervalSet.Interval.of(address, address));
        }
        continue;
      }
      Optional<IntervalSet> one = values(value, type, width);
      if (one.isEmpty()) {
        return Optional.empty();
      }
      all.addAll(one.get().intervals());
    }
    all.addAll(space.addresses().of(IntervalSet.union(addresses)).intervals());
    return Optional.of(IntervalSet.union(all));
  }

  /** The devices whose name a pattern matches. */
  private IntervalSet devices(String pattern) {
    List<IntervalSet.Interval> matching = new ArrayList<>();
    for (int i = 0; i < space.devices().size(); i++) {
      String name = space.devices().get(i);
      boolean matches =
          pattern.endsWith("*")
              ? name.startsWith(pattern.substring(0, pattern.length() - 1)) || pattern.equals("*")
              : name.equals(pattern);
      if (matches && (!name.equals(HeaderSpace.ANOTHER_DEVICE) || pattern.equals("*"))) {
        matching.add(IntervalSet.Interval.of(i, i));
      }
    }
    return IntervalSet.union(matching);
  }

  /** What reads addresses as numbers needs more than blocks of them. */
  void readsBits(Meaning type) {
    if (type == Meaning.ADDRESS) {
      space.addresses().needsBits();
    }
  }

  /** Some number of a set that is not empty, whichever the open bits spell. */
  Field some(IntervalSet set, int width, Unknown unknown) {
    IntervalSet.Interval first = set.intervals().getFirst();
    Field lowest = Field.constant(width, first.firstHigh(), first.firstLow());
    if (set.intervals().size() == 1
        && first.firstHigh() == first.lastHigh()
        && first.firstLow() == first.lastLow()) {
      return lowest;
    }
    int[] bits = space.open(width, unknown);
    // Bits that spell no number of the set stand for its lowest one: every packet goes on.
    return lowest.assign(bdd, Field.member(bdd, bits, set), bits);
  }
}
