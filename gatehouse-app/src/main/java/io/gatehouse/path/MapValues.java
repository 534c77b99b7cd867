package io.gatehouse.path;

import static io.gatehouse.bdd.Bdd.FALSE;

import io.gatehouse.bdd.Bdd;
import io.gatehouse.path.Unknown.Kind;
import io.gatehouse.ruleset.Expression;
import io.gatehouse.ruleset.NftSet;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/** The values that maps give for keys. */
final class MapValues {
  private final HeaderSpace space;
  private final Bdd bdd;
  private final Values values;
  private final LookUps lookUps;

  MapValues(HeaderSpace space, Values values, LookUps lookUps) {
    this.space = space;
    this.values = values;
    this.lookUps = lookUps;
    bdd = space.bdd();
  }

  /**
   * Reads through a map.
   *
   * @param reader reads the key, at the same point
   */
  Reading read(
      Expression.Mapped mapped, Point at, Function<? super Expression, ? extends Reading> reader) {
    Optional<NftSet> found = LookUps.set(at.table(), mapped.map());
    if (found.isEmpty()
        || !(found.get().holds().orElse(new NftSet.Holds.Verdicts())
            instanceof NftSet.Holds.Values held)) {
      return Reading.notUnderstood(mapped);
    }
    NftSet map = found.get();
    Reading like = reader.apply(held.like());
    if (!(like instanceof Reading.Content shape)) {
      return Reading.notUnderstood(mapped);
    }
    int width = shape.field().width();
    if (LookUps.isLive(map)) {
      int present =
          bdd.and(
              lookUps.mayStand(reader.apply(mapped.key()), map, at),
              space.open(at.unknown(Kind.LIVE_MAP, "@" + map.name())));
      int[] bits = space.open(width, at.unknown(Kind.LIVE_MAP, "@" + map.name()));
      if (map.contract().isPresent() && !map.contract().get().data().isEmpty()) {
        Optional<IntervalSet> allowed =
            values.union(map.contract().get().data(), shape.type(), width);
        if (allowed.isPresent()) {
          present = bdd.and(present, Field.member(bdd, bits, allowed.get()));
        }
      }
      return new Reading.Content(present, Field.of(bits), shape.type());
    }
    List<Map.Entry<Expression, Expression>> entries = new ArrayList<>();
    for (NftSet.Element element : map.elements()) {
      if (element.data().isEmpty()) {
        return Reading.notUnderstood(mapped);
      }
      entries.add(Map.entry(element.key(), element.data().get()));
    }
    int present = FALSE;
    Field field = Field.constant(width, 0);
    for (LookUps.Found<Expression> one : lookUps.lookUp(reader.apply(mapped.key()), entries, at)) {
      Optional<IntervalSet> value = values.values(one.what(), shape.type(), width);
      if (value.isEmpty()) {
        return Reading.notUnderstood(mapped);
      }
      if (!value.get().isEmpty()) {
        Unknown unknown = at.unknown(Kind.ENVIRONMENT, "which of " + one.what());
        present = bdd.or(present, one.where());
        field = field.assign(bdd, one.where(), values.some(value.get(), width, unknown));
      }
    }
    return new Reading.Content(present, field, shape.type());
  }
}
