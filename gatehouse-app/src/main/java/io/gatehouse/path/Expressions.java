package io.gatehouse.path;

import static io.gatehouse.bdd.Bdd.FALSE;
import static io.gatehouse.bdd.Bdd.TRUE;

import io.gatehouse.bdd.Bdd;
import io.gatehouse.path.Names.Meaning;
import io.gatehouse.path.Unknown.Kind;
import io.gatehouse.ruleset.Expression;
import io.gatehouse.ruleset.NftSet;
import io.gatehouse.ruleset.Statement.Match;
import io.gatehouse.ruleset.Statement.Relation;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/** What nftables' expressions mean for the packet at one point of its way. */
final class Expressions {
  private final HeaderSpace space;
  private final Bdd bdd;
  private final Values values;
  private final LookUps lookUps;
  private final Selectors selectors;

  /**
   * @param defragments whether fragments are put together before any rule sees them
   */
  Expressions(HeaderSpace space, HostState host, RoutingModel routing, boolean defragments) {
    this.space = space;
    bdd = space.bdd();
    values = new Values(space);
    lookUps = new LookUps(space, values);
    selectors = new Selectors(space, host, routing, defragments, values, lookUps);
  }

  /** The packets for which the comparison holds. */
  int holds(Match match, Point at) {
    if (match.left() instanceof Expression.Meta meta && meta.key() == Expression.Meta.Key.TIME) {
      // The clock is before a moment or behind it, whatever we make of the number.
      return space.open(at.unknown(Kind.ENVIRONMENT, "the time"));
    }
    Reading left = selectors.read(match.left(), at);
    return switch (left) {
      case Reading.NotUnderstood not ->
          space.open(at.unknown(Kind.NOT_UNDERSTOOD, text(match, not.text())));
      case Reading.Several several -> {
        int in = lookUps.inTuples(several, match.right(), at);
        int present = several.present(bdd);
        yield match.relation() == Relation.NOT ? bdd.difference(present, in) : bdd.and(present, in);
      }
      case Reading.Content content -> bdd.and(content.present(), compare(content, match, at));
    };
  }

  private static String text(Match match, String what) {
    return match.left() instanceof Expression.Opaque opaque ? opaque.text() : what;
  }

  private int compare(Reading.Content left, Match match, Point at) {
    Expression right = match.right();
    if (right instanceof Expression.SetRef ref) {
      int in = lookUps.inSet(left, ref.name(), at);
      return match.relation() == Relation.NOT ? bdd.not(in) : in;
    }
    if (right instanceof Expression.Selector selector
        && !(right instanceof Expression.Opaque)
        && values.constant(selector, left.type()).isEmpty()) {
      values.readsBits(left.type());
      return switch (selectors.read(selector, at)) {
        case Reading.Content other when match.relation() == Relation.NOT ->
            bdd.difference(other.present(), left.field().same(bdd, other.field()));
        case Reading.Content other
            when match.relation() == Relation.IS || match.relation() == Relation.EQUAL ->
            bdd.and(other.present(), left.field().same(bdd, other.field()));
        default -> space.open(at.unknown(Kind.NOT_UNDERSTOOD, match.toString()));
      };
    }
    // `tcp flags syn` and `ct state new,related`: any of the bits. Flags of TCP in braces are a
    // set, of which one has to be the whole; the states of conntrack are one bit each, so that both
    // readings agree there.
    boolean bits =
        left.type().isFlags()
            && !(match.left() instanceof Expression.Binary)
            && !(left.type() == Meaning.TCP_FLAGS && right instanceof Expression.AnyOf);
    if (bits && (match.relation() == Relation.IS || isList(match))) {
      OptionalLong mask = values.constant(right, left.type());
      if (mask.isEmpty()) {
        return space.open(at.unknown(Kind.NOT_UNDERSTOOD, match.toString()));
      }
      Field masked =
          left.field()
              .combine(bdd, Field.constant(left.field().width(), mask.getAsLong()), bdd::and);
      int none = masked.in(bdd, IntervalSet.of(0));
      return match.relation() == Relation.NOT ? none : bdd.not(none);
    }
    Optional<IntervalSet> numbers =
        (left.type().isFlags() && !(right instanceof Expression.AnyOf))
                || right instanceof Expression.Binary
            ? values.constant(right, left.type()).stream().mapToObj(IntervalSet::of).findFirst()
            : values.values(right, left.type(), left.field().width());
    if (numbers.isEmpty()) {
      return space.open(at.unknown(Kind.NOT_UNDERSTOOD, match.toString()));
    }
    IntervalSet set = numbers.get();
    return switch (match.relation()) {
      case IS, EQUAL -> left.field().in(bdd, set);
      case NOT -> bdd.not(left.field().in(bdd, set));
      default -> ordered(left, match, set, at);
    };
  }

  private static boolean isList(Match match) {
    return match.relation() == Relation.NOT && match.right() instanceof Expression.AnyOf;
  }

  private int ordered(Reading.Content left, Match match, IntervalSet set, Point at) {
    if (set.intervals().size() != 1 || left.field().width() > 63) {
      return space.open(at.unknown(Kind.NOT_UNDERSTOOD, match.toString()));
    }
    long value = set.intervals().getFirst().firstLow();
    if (value != set.intervals().getFirst().lastLow()) {
      return space.open(at.unknown(Kind.NOT_UNDERSTOOD, match.toString()));
    }
    long most = (1L << left.field().width()) - 1;
    int less = value == 0 ? FALSE : left.field().in(bdd, IntervalSet.of(0, value - 1));
    int atMost = left.field().in(bdd, IntervalSet.of(0, Math.min(value, most)));
    return switch (match.relation()) {
      case LESS -> less;
      case LESS_OR_EQUAL -> atMost;
      case GREATER -> bdd.not(atMost);
      case GREATER_OR_EQUAL -> bdd.not(less);
      default -> throw new IllegalStateException("not an order: " + match.relation());
    };
  }

  /** A look-up of verdicts or anything else that stands in a list of elements. */
  <T> List<LookUps.Found<T>> lookUp(
      Expression key, List<? extends Map.Entry<? extends Expression, T>> entries, Point at) {
    return lookUps.lookUp(selectors.read(key, at), entries, at);
  }

  /** The packets whose key may stand in a live map at all. */
  int mayStand(Expression key, NftSet map, Point at) {
    return lookUps.mayStand(selectors.read(key, at), map, at);
  }

  /**
   * The content to write into a field of this width and type.
   *
   * @param where the packets for which there is something to write: others leave the rule
   */
  record Written(int where, Field field) {}

  /** Nothing where we do not understand the value. */
  Optional<Written> value(Expression value, Meaning type, int width, Point at) {
    if (value instanceof Expression.Selector selector
        && !(value instanceof Expression.Opaque)
        && values.constant(selector, type).isEmpty()) {
      if (!(selectors.read(selector, at) instanceof Reading.Content content)) {
        return Optional.empty();
      }
      if ((type == Meaning.ADDRESS) != (content.type() == Meaning.ADDRESS)) {
        space.addresses().needsBits();
      }
      return Optional.of(new Written(content.present(), content.field().resized(width)));
    }
    OptionalLong constant = values.constant(value, type);
    if (constant.isPresent()) {
      values.readsBits(type);
      return Optional.of(new Written(TRUE, Field.constant(width, constant.getAsLong())));
    }
    Optional<IntervalSet> numbers = values.values(value, type, width);
    if (numbers.isEmpty()) {
      return Optional.empty();
    }
    if (numbers.get().isEmpty()) {
      // An address of the other family: nft lets the rule match that family only.
      return Optional.of(new Written(FALSE, Field.constant(width, 0)));
    }
    Unknown unknown = at.unknown(Kind.ENVIRONMENT, "which of " + value);
    return Optional.of(new Written(TRUE, values.some(numbers.get(), width, unknown)));
  }
}
