package io.gatehouse.path;

import static io.gatehouse.bdd.Bdd.FALSE;
import static io.gatehouse.bdd.Bdd.TRUE;

import io.gatehouse.bdd.Bdd;
import io.gatehouse.model.Family;
import io.gatehouse.model.Prefix;
import io.gatehouse.path.Names.Meaning;
import io.gatehouse.path.Unknown.Kind;
import io.gatehouse.ruleset.Expression;
import io.gatehouse.ruleset.NftSet;
import io.gatehouse.ruleset.Table;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Look-ups in sets and maps of what was read. */
final class LookUps {
  private final HeaderSpace space;
  private final Bdd bdd;
  private final Values values;
  private final IdentityHashMap<NftSet, Map<Shape, Optional<IntervalSet>>> elements =
      new IdentityHashMap<>();

  private record Shape(Meaning type, int width) {}

  LookUps(HeaderSpace space, Values values) {
    this.space = space;
    this.values = values;
    bdd = space.bdd();
  }

  static Optional<NftSet> set(Table table, String name) {
    return table.sets().stream().filter(s -> s.name().equals(name)).findFirst();
  }

  /** The networks that the contract of a map holds its addresses to; nothing where none does. */
  static Optional<List<Prefix>> promised(Table table, Expression.Mapped mapped, Family family) {
    Optional<List<Expression.Value>> data =
        set(table, mapped.map()).flatMap(NftSet::contract).map(NftSet.Contract::data);
    if (data.isEmpty()
        || data.get().isEmpty()
        || !data.get().stream().allMatch(value -> value instanceof Expression.Net)) {
      return Optional.empty();
    }
    return Optional.of(
        data.get().stream()
            .map(value -> ((Expression.Net) value).prefix())
            .filter(prefix -> prefix.family() == family)
            .toList());
  }

  /**
   * Whether packets fill it: it may hold anything. Verdicts no rule can put into a map
   * (nft_dynset_init): what was seen in such a one stands until somebody's program changes it, as
   * with rules.
   */
  private static boolean learns(NftSet set) {
    return set.contract().isEmpty()
        && set.holds().filter(NftSet.Holds.Verdicts.class::isInstance).isEmpty()
        && (set.flags().contains(NftSet.Flag.DYNAMIC) || set.flags().contains(NftSet.Flag.TIMEOUT));
  }

  static boolean isLive(NftSet set) {
    return set.contract().isPresent() || learns(set);
  }

  /** The packets whose key is in the set of that name. */
  int inSet(Reading.Content key, String name, Point at) {
    Optional<NftSet> found = set(at.table(), name);
    if (found.isEmpty()) {
      return space.open(
          at.unknown(Kind.NOT_UNDERSTOOD, "@" + name + ", which the table does not have"));
    }
    NftSet set = found.get();
    if (learns(set)) {
      return space.open(at.unknown(Kind.LIVE_MAP, "@" + name));
    }
    if (set.contract().isPresent()) {
      Optional<IntervalSet> keys =
          values.union(set.contract().get().keys(), key.type(), key.field().width());
      int may = keys.isPresent() ? key.field().in(bdd, keys.get()) : TRUE;
      return bdd.and(may, space.open(at.unknown(Kind.LIVE_MAP, "@" + name)));
    }
    Optional<IntervalSet> numbers =
        elements
            .computeIfAbsent(set, s -> new HashMap<>())
            .computeIfAbsent(
                new Shape(key.type(), key.field().width()),
                k ->
                    values.union(
                        set.elements().stream().map(NftSet.Element::key).toList(),
                        k.type,
                        k.width));
    return numbers.isPresent()
        ? key.field().in(bdd, numbers.get())
        : space.open(at.unknown(Kind.NOT_UNDERSTOOD, "an element of @" + name));
  }

  /** The packets whose keys are together in a set. */
  int inTuples(Reading.Several key, Expression right, Point at) {
    return switch (right) {
      case Expression.SetRef ref -> {
        Optional<NftSet> found = set(at.table(), ref.name());
        if (found.isEmpty()) {
          yield space.open(
              at.unknown(
                  Kind.NOT_UNDERSTOOD, "@" + ref.name() + ", which the table does not have"));
        }
        NftSet set = found.get();
        if (learns(set)) {
          yield space.open(at.unknown(Kind.LIVE_MAP, "@" + ref.name()));
        }
        if (set.contract().isPresent()) {
          yield bdd.and(
              anyTuple(key, set.contract().get().keys(), at),
              space.open(at.unknown(Kind.LIVE_MAP, "@" + ref.name())));
        }
        yield anyTuple(key, set.elements().stream().map(NftSet.Element::key).toList(), at);
      }
      case Expression.AnyOf any -> anyTuple(key, any.values(), at);
      case Expression.Tuple tuple -> anyTuple(key, List.of(tuple), at);
      default -> space.open(at.unknown(Kind.NOT_UNDERSTOOD, right.toString()));
    };
  }

  private int anyTuple(Reading.Several key, List<? extends Expression> tuples, Point at) {
    List<Integer> each = new ArrayList<>();
    for (Expression tuple : tuples) {
      each.add(matchesKey(key, tuple, at));
    }
    return bdd.anyOf(each);
  }

  private int matchesKey(Reading key, Expression value, Point at) {
    return switch (key) {
      case Reading.NotUnderstood not -> space.open(at.unknown(Kind.NOT_UNDERSTOOD, not.text()));
      case Reading.Content content ->
          values
              .values(value, content.type(), content.field().width())
              .map(set -> content.field().in(bdd, set))
              .orElseGet(() -> space.open(at.unknown(Kind.NOT_UNDERSTOOD, value.toString())));
      case Reading.Several several -> {
        if (!(value instanceof Expression.Tuple tuple)
            || tuple.parts().size() != several.parts().size()) {
          yield space.open(at.unknown(Kind.NOT_UNDERSTOOD, value.toString()));
        }
        int all = TRUE;
        for (int i = 0; i < several.parts().size() && all != FALSE; i++) {
          all = bdd.and(all, matchesKey(several.parts().get(i), tuple.parts().get(i), at));
        }
        yield all;
      }
    };
  }

  /**
   * What a look-up in a map came to: for each thing it may hold, the packets that get it. The rest
   * found nothing.
   */
  record Found<T>(T what, int where) {}

  /** A look-up of verdicts or anything else that stands in a list of elements. */
  <T> List<Found<T>> lookUp(
      Reading reading, List<? extends Map.Entry<? extends Expression, T>> entries, Point at) {
    int present =
        switch (reading) {
          case Reading.Content content -> content.present();
          case Reading.Several several -> several.present(bdd);
          case Reading.NotUnderstood not -> TRUE;
        };
    // One pass for each distinct outcome: ten thousand keys that lead to one chain are one interval
    // set.
    Map<T, List<Expression>> byOutcome = new LinkedHashMap<>();
    entries.forEach(
        e -> byOutcome.computeIfAbsent(e.getValue(), w -> new ArrayList<>()).add(e.getKey()));
    List<Found<T>> found = new ArrayList<>();
    int left = present;
    for (Map.Entry<T, List<Expression>> outcome : byOutcome.entrySet()) {
      int where;
      if (reading instanceof Reading.Content content) {
        where =
            values
                .union(outcome.getValue(), content.type(), content.field().width())
                .map(set -> content.field().in(bdd, set))
                .orElseGet(() ->
                    space.open(at.unknown(Kind.NOT_UNDERSTOOD, outcome.getValue().toString())));
      } else {
        where =
            bdd.anyOf(
                outcome.getValue().stream().map(value -> matchesKey(reading, value, at)).toList());
      }
      // Keys never overlap; what is not understood may, and then the first has it.
      where = bdd.and(where, left);
      left = bdd.difference(left, where);
      found.add(new Found<>(outcome.getKey(), where));
    }
    return found;
  }

  /** The packets whose key may stand in a live map at all. */
  int mayStand(Reading reading, NftSet map, Point at) {
    if (map.contract().isEmpty()) {
      return TRUE;
    }
    return bdd.anyOf(
        map.contract().get().keys().stream().map(value -> matchesKey(reading, value, at)).toList());
  }
}
