package io.gatehouse.path;

import io.gatehouse.bdd.Bdd;
import io.gatehouse.model.Address;
import io.gatehouse.path.Names.Meaning;
import io.gatehouse.path.Reading.Content;
import io.gatehouse.ruleset.Expression;
import java.util.OptionalLong;
import java.util.function.Function;

/** What rules make of a field by bitwise operators. */
final class BitOperation {
  private final HeaderSpace space;
  private final Bdd bdd;
  private final Values values;

  BitOperation(HeaderSpace space, Values values) {
    this.space = space;
    this.values = values;
    bdd = space.bdd();
  }

  /**
   * @param reader reads both sides
   */
  Reading read(Expression.Binary binary, Function<? super Expression, ? extends Reading> reader) {
    Reading left = reader.apply(binary.left());
    if (!(left instanceof Content content)) {
      return left instanceof Reading.Several ? Reading.notUnderstood(binary) : left;
    }
    values.readsBits(content.type());
    OptionalLong constant = values.constant(binary.right(), content.type());
    int width = content.field().width();
    if (constant.isPresent()) {
      long value = constant.getAsLong();
      Field other = Field.constant(width, value);
      return switch (binary.operator()) {
        case AND -> content.with(content.field().combine(bdd, other, bdd::and));
        case OR -> content.with(content.field().combine(bdd, other, bdd::or));
        case XOR -> content.with(content.field().combine(bdd, other, bdd::xor));
        case LEFT -> content.with(content.field().shifted((int) Math.min(value, width)));
        case RIGHT -> content.with(content.field().shifted((int) -Math.min(value, width)));
      };
    }
    if (binary.right() instanceof Expression.Addr mask && content.type() == Meaning.ADDRESS) {
      Address address = mask.address();
      if (address.family() != space.family()) {
        return Reading.notUnderstood(binary);
      }
      Field other = Field.constant(width, address.high(), address.low());
      return switch (binary.operator()) {
        case AND -> content.with(content.field().combine(bdd, other, bdd::and));
        case OR -> content.with(content.field().combine(bdd, other, bdd::or));
        case XOR -> content.with(content.field().combine(bdd, other, bdd::xor));
        case LEFT, RIGHT -> Reading.notUnderstood(binary);
      };
    }
    if (!(reader.apply(binary.right()) instanceof Content other)) {
      return Reading.notUnderstood(binary);
    }
    int present = bdd.and(content.present(), other.present());
    return switch (binary.operator()) {
      case AND ->
          new Content(
              present, content.field().combine(bdd, other.field(), bdd::and), content.type());
      case OR ->
          new Content(
              present, content.field().combine(bdd, other.field(), bdd::or), content.type());
      case XOR ->
          new Content(
              present, content.field().combine(bdd, other.field(), bdd::xor), content.type());
      case LEFT, RIGHT -> Reading.notUnderstood(binary);
    };
  }
}
