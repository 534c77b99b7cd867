package io.gatehouse.path;

import static io.gatehouse.bdd.Bdd.FALSE;
import static io.gatehouse.bdd.Bdd.TRUE;

import io.gatehouse.bdd.Bdd;
import io.gatehouse.model.Address;
import io.gatehouse.model.Family;
import io.gatehouse.model.Prefix;
import io.gatehouse.path.HeaderSpace.Connection;
import io.gatehouse.path.Names.Meaning;
import io.gatehouse.path.Unknown.Kind;
import io.gatehouse.ruleset.Chain.Hook;
import io.gatehouse.ruleset.Expression;
import io.gatehouse.ruleset.Expression.Direction;
import io.gatehouse.ruleset.NftSet;
import io.gatehouse.ruleset.Statement.Match;
import io.gatehouse.ruleset.Statement.Relation;
import io.gatehouse.ruleset.Table;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;

/** What nftables' expressions mean for the packet at one point of its way. */
final class Expressions {
  private final HeaderSpace space;
  private final Bdd bdd;
  private final Family family;
  private final RoutingModel routing;
  private final HostState host;
  private final boolean defragments;
  private final IdentityHashMap<NftSet, Map<Shape, Optional<IntervalSet>>> elements =
      new IdentityHashMap<>();

  private record Shape(Meaning type, int width) {}

  /**
   * @param defragments whether fragments are put together before any rule sees them
   */
  Expressions(HeaderSpace space, HostState host, RoutingModel routing, boolean defragments) {
    this.space = space;
    this.bdd = space.bdd();
    this.family = space.family();
    this.routing = routing;
    this.host = host;
    this.defragments = defragments;
  }

  /**
   * Where a rule stands.
   *
   * @param place in words, for what is open there
   */
  record Point(Table table, Hook hook, String place) {}

  /** What a selector reads. */
  private sealed interface Reading {
    /**
     * @param present where there is something to read: elsewhere the rule does not match, whatever
     *     the comparison
     */
    record Content(int present, Field field, Meaning type) implements Reading {}

    record Several(List<Content> parts) implements Reading {
      int present(Bdd bdd) {
        int all = TRUE;
        for (Content part : parts) {
          all = bdd.and(all, part.present);
        }
        return all;
      }
    }

    record NotUnderstood(String text) implements Reading {}
  }

  private static Reading notUnderstood(Object what) {
    return new Reading.NotUnderstood(what.toString());
  }

  private int open(Kind kind, String text, Point at) {
    return space.open(new Unknown(kind, text, at.place()));
  }

  // ---- comparisons
  // --------------------------------------------------------------------------------------------------------------------

  /** The packets for which the comparison holds. */
  int holds(State state, Match match, Point at) {
    if (match.left() instanceof Expression.Meta meta && meta.key() == Expression.Meta.Key.TIME) {
      // The clock is before a moment or behind it, whatever we make of the number.
      return open(Kind.ENVIRONMENT, "the time", at);
    }
    Reading left = read(state, match.left(), at);
    return switch (left) {
      case Reading.NotUnderstood not -> open(Kind.NOT_UNDERSTOOD, text(match, not.text()), at);
      case Reading.Several several -> {
        int in = inTuples(several, match.right(), at);
        int present = several.present(bdd);
        yield match.relation() == Relation.NOT ? bdd.difference(present, in) : bdd.and(present, in);
      }
      case Reading.Content content -> bdd.and(content.present, compare(state, content, match, at));
    };
  }

  private static String text(Match match, String what) {
    return match.left() instanceof Expression.Opaque opaque ? opaque.text() : what;
  }

  private int compare(State state, Reading.Content left, Match match, Point at) {
    Expression right = match.right();
    if (right instanceof Expression.SetRef ref) {
      int in = inSet(left, ref.name(), at);
      return match.relation() == Relation.NOT ? bdd.not(in) : in;
    }
    if (right instanceof Expression.Selector selector
        && !(right instanceof Expression.Opaque)
        && constant(selector, left).isEmpty()) {
      asBits(left.type);
      return switch (read(state, selector, at)) {
        case Reading.Content other when match.relation() == Relation.NOT ->
            bdd.difference(other.present, left.field.same(bdd, other.field));
        case Reading.Content other
            when match.relation() == Relation.IS || match.relation() == Relation.EQUAL ->
            bdd.and(other.present, left.field.same(bdd, other.field));
        default -> open(Kind.NOT_UNDERSTOOD, match.toString(), at);
      };
    }
    // `tcp flags syn` and `ct state new,related`: any of the bits. Flags of TCP in braces are a
    // set, of which one has to be
    // the whole; the states of conntrack are one bit each, so that both readings agree there.
    boolean bits =
        left.type.isFlags()
            && !(match.left() instanceof Expression.Binary)
            && !(left.type == Meaning.TCP_FLAGS && right instanceof Expression.AnyOf);
    if (bits && (match.relation() == Relation.IS || isList(match))) {
      OptionalLong mask = constant(right, left);
      if (mask.isEmpty()) {
        return open(Kind.NOT_UNDERSTOOD, match.toString(), at);
      }
      Field masked =
          left.field.combine(bdd, Field.constant(left.field.width(), mask.getAsLong()), bdd::and);
      int none = masked.in(bdd, IntervalSet.of(0));
      return match.relation() == Relation.NOT ? none : bdd.not(none);
    }
    Optional<IntervalSet> values =
        (left.type.isFlags() && !(right instanceof Expression.AnyOf))
                || right instanceof Expression.Binary
            ? constant(right, left).stream().mapToObj(IntervalSet::of).findFirst()
            : values(right, left.type, left.field.width());
    if (values.isEmpty()) {
      return open(Kind.NOT_UNDERSTOOD, match.toString(), at);
    }
    IntervalSet set = values.get();
    return switch (match.relation()) {
      case IS, EQUAL -> left.field.in(bdd, set);
      case NOT -> bdd.not(left.field.in(bdd, set));
      default -> ordered(left, match, set, at);
    };
  }

  private static boolean isList(Match match) {
    return match.relation() == Relation.NOT && match.right() instanceof Expression.AnyOf;
  }

  private int ordered(Reading.Content left, Match match, IntervalSet set, Point at) {
    if (set.intervals().size() != 1 || left.field.width() > 63) {
      return open(Kind.NOT_UNDERSTOOD, match.toString(), at);
    }
    long value = set.intervals().getFirst().firstLow();
    if (value != set.intervals().getFirst().lastLow()) {
      return open(Kind.NOT_UNDERSTOOD, match.toString(), at);
    }
    long most = (1L << left.field.width()) - 1;
    int less = value == 0 ? FALSE : left.field.in(bdd, IntervalSet.of(0, value - 1));
    int atMost = left.field.in(bdd, IntervalSet.of(0, Math.min(value, most)));
    return switch (match.relation()) {
      case LESS -> less;
      case LESS_OR_EQUAL -> atMost;
      case GREATER -> bdd.not(atMost);
      case GREATER_OR_EQUAL -> bdd.not(less);
      default -> throw new IllegalStateException("not an order: " + match.relation());
    };
  }

  /** What reads addresses as numbers needs more than blocks of them. */
  private void asBits(Meaning type) {
    if (type == Meaning.ADDRESS) {
      space.addresses().needsBits();
    }
  }

  // ---- values
  // -------------------------------------------------------------------------------------------------------------------------

  /**
   * A value as one number: names, lists of flags, and what is made of them by bitwise operators.
   */
  private OptionalLong constant(Expression value, Reading.Content like) {
    return switch (value) {
      case Expression.Number number -> OptionalLong.of(number.value());
      case Expression.Symbol symbol -> Names.number(like.type, symbol.name());
      case Expression.AnyOf any -> {
        long bits = 0;
        for (Expression.Value one : any.values()) {
          OptionalLong bit = constant(one, like);
          if (bit.isEmpty()) {
            yield OptionalLong.empty();
          }
          bits |= bit.getAsLong();
        }
        yield like.type.isFlags() || any.values().size() == 1
            ? OptionalLong.of(bits)
            : OptionalLong.empty();
      }
      case Expression.Binary binary -> {
        OptionalLong left = constant(binary.left(), like);
        OptionalLong right = constant(binary.right(), like);
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
        asBits(type);
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
              addr.address().family() == family
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
      return first.address().family() == family
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

  private Optional<IntervalSet> union(List<? extends Expression> values, Meaning type, int width) {
    List<IntervalSet.Interval> all = new ArrayList<>();
    for (Expression value : values) {
      Optional<IntervalSet> one = values(value, type, width);
      if (one.isEmpty()) {
        return Optional.empty();
      }
      all.addAll(one.get().intervals());
    }
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

  // ---- sets and maps
  // ------------------------------------------------------------------------------------------------------------------

  static Optional<NftSet> set(Table table, String name) {
    return table.sets().stream().filter(s -> s.name().equals(name)).findFirst();
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

  private int inSet(Reading.Content key, String name, Point at) {
    Optional<NftSet> found = set(at.table(), name);
    if (found.isEmpty()) {
      return open(Kind.NOT_UNDERSTOOD, "@" + name + ", which the table does not have", at);
    }
    NftSet set = found.get();
    if (learns(set)) {
      return open(Kind.LIVE_MAP, "@" + name, at);
    }
    if (set.contract().isPresent()) {
      Optional<IntervalSet> keys = union(set.contract().get().keys(), key.type, key.field.width());
      int may = keys.isPresent() ? key.field.in(bdd, keys.get()) : TRUE;
      return bdd.and(may, open(Kind.LIVE_MAP, "@" + name, at));
    }
    Optional<IntervalSet> values =
        elements
            .computeIfAbsent(set, s -> new HashMap<>())
            .computeIfAbsent(
                new Shape(key.type, key.field.width()),
                k ->
                    union(
                        set.elements().stream().map(NftSet.Element::key).toList(),
                        k.type,
                        k.width));
    return values.isPresent()
        ? key.field.in(bdd, values.get())
        : open(Kind.NOT_UNDERSTOOD, "an element of @" + name, at);
  }

  private int inTuples(Reading.Several key, Expression right, Point at) {
    return switch (right) {
      case Expression.SetRef ref -> {
        Optional<NftSet> found = set(at.table(), ref.name());
        if (found.isEmpty()) {
          yield open(Kind.NOT_UNDERSTOOD, "@" + ref.name() + ", which the table does not have", at);
        }
        NftSet set = found.get();
        if (learns(set)) {
          yield open(Kind.LIVE_MAP, "@" + ref.name(), at);
        }
        if (set.contract().isPresent()) {
          yield bdd.and(
              anyTuple(key, set.contract().get().keys(), at),
              open(Kind.LIVE_MAP, "@" + ref.name(), at));
        }
        yield anyTuple(key, set.elements().stream().map(NftSet.Element::key).toList(), at);
      }
      case Expression.AnyOf any -> anyTuple(key, any.values(), at);
      case Expression.Tuple tuple -> anyTuple(key, List.of(tuple), at);
      default -> open(Kind.NOT_UNDERSTOOD, right.toString(), at);
    };
  }

  private int anyTuple(Reading.Several key, List<? extends Expression> tuples, Point at) {
    List<Integer> each = new ArrayList<>();
    for (Expression tuple : tuples) {
      each.add(matchesKey(key, tuple, at));
    }
    return anyOf(each);
  }

  /** The union, as a tree: one after the other would walk the growing union each time. */
  private int anyOf(List<Integer> sets) {
    List<Integer> level = sets;
    while (level.size() > 1) {
      List<Integer> next = new ArrayList<>();
      for (int i = 0; i < level.size(); i += 2) {
        next.add(i + 1 < level.size() ? bdd.or(level.get(i), level.get(i + 1)) : level.get(i));
      }
      level = next;
    }
    return level.isEmpty() ? FALSE : level.getFirst();
  }

  private int matchesKey(Reading key, Expression value, Point at) {
    return switch (key) {
      case Reading.NotUnderstood not -> open(Kind.NOT_UNDERSTOOD, not.text(), at);
      case Reading.Content content ->
          values(value, content.type, content.field.width())
              .map(set -> content.field.in(bdd, set))
              .orElseGet(() -> open(Kind.NOT_UNDERSTOOD, value.toString(), at));
      case Reading.Several several -> {
        if (!(value instanceof Expression.Tuple tuple)
            || tuple.parts().size() != several.parts.size()) {
          yield open(Kind.NOT_UNDERSTOOD, value.toString(), at);
        }
        int all = TRUE;
        for (int i = 0; i < several.parts.size() && all != FALSE; i++) {
          all = bdd.and(all, matchesKey(several.parts.get(i), tuple.parts().get(i), at));
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
      State state,
      Expression key,
      List<? extends Map.Entry<? extends Expression, T>> entries,
      Point at) {
    Reading reading = read(state, key, at);
    int present =
        switch (reading) {
          case Reading.Content content -> content.present;
          case Reading.Several several -> several.present(bdd);
          case Reading.NotUnderstood not -> TRUE;
        };
    // One pass for each distinct outcome: ten thousand keys that lead to one chain are one interval
    // set.
    Map<T, List<Expression>> byOutcome = new java.util.LinkedHashMap<>();
    entries.forEach(
        e -> byOutcome.computeIfAbsent(e.getValue(), w -> new ArrayList<>()).add(e.getKey()));
    List<Found<T>> found = new ArrayList<>();
    int left = present;
    for (Map.Entry<T, List<Expression>> outcome : byOutcome.entrySet()) {
      int where;
      if (reading instanceof Reading.Content content) {
        where =
            union(outcome.getValue(), content.type, content.field.width())
                .map(set -> content.field.in(bdd, set))
                .orElseGet(() -> open(Kind.NOT_UNDERSTOOD, outcome.getValue().toString(), at));
      } else {
        where =
            anyOf(
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
  int mayStand(State state, Expression key, NftSet map, Point at) {
    Reading reading = read(state, key, at);
    if (map.contract().isEmpty()) {
      return TRUE;
    }
    return anyOf(
        map.contract().get().keys().stream().map(value -> matchesKey(reading, value, at)).toList());
  }

  static boolean isLive(NftSet set) {
    return set.contract().isPresent() || learns(set);
  }

  private Reading mapped(State state, Expression.Mapped mapped, Point at) {
    Optional<NftSet> found = set(at.table(), mapped.map());
    if (found.isEmpty()
        || !(found.get().holds().orElse(new NftSet.Holds.Verdicts())
            instanceof NftSet.Holds.Values held)) {
      return notUnderstood(mapped);
    }
    NftSet map = found.get();
    Reading like = read(state, held.like(), at);
    if (!(like instanceof Reading.Content shape)) {
      return notUnderstood(mapped);
    }
    int width = shape.field.width();
    if (isLive(map)) {
      int present =
          bdd.and(
              mayStand(state, mapped.key(), map, at), open(Kind.LIVE_MAP, "@" + map.name(), at));
      int[] bits = space.open(width, new Unknown(Kind.LIVE_MAP, "@" + map.name(), at.place()));
      if (map.contract().isPresent() && !map.contract().get().data().isEmpty()) {
        Optional<IntervalSet> allowed = union(map.contract().get().data(), shape.type, width);
        if (allowed.isPresent()) {
          present = bdd.and(present, Field.member(bdd, bits, allowed.get()));
        }
      }
      return new Reading.Content(present, Field.of(bits), shape.type);
    }
    List<Map.Entry<Expression, Expression>> entries = new ArrayList<>();
    for (NftSet.Element element : map.elements()) {
      if (element.data().isEmpty()) {
        return notUnderstood(mapped);
      }
      entries.add(Map.entry(element.key(), element.data().get()));
    }
    int present = FALSE;
    Field field = Field.constant(width, 0);
    for (Found<Expression> one : lookUp(state, mapped.key(), entries, at)) {
      Optional<IntervalSet> value = values(one.what(), shape.type, width);
      if (value.isEmpty()) {
        return notUnderstood(mapped);
      }
      if (!value.get().isEmpty()) {
        Unknown unknown = new Unknown(Kind.ENVIRONMENT, "which of " + one.what(), at.place());
        present = bdd.or(present, one.where());
        field = field.assign(bdd, one.where(), some(value.get(), width, unknown));
      }
    }
    return new Reading.Content(present, field, shape.type);
  }

  /** Some number of a set that is not empty, whichever the open bits spell. */
  private Field some(IntervalSet set, int width, Unknown unknown) {
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

  // ---- what is written
  // ----------------------------------------------------------------------------------------------------------------

  /**
   * The content to write into a field of this width and type.
   *
   * @param where the packets for which there is something to write: others leave the rule
   */
  record Written(int where, Field field) {}

  /** Nothing where we do not understand the value. */
  Optional<Written> value(State state, Expression value, Meaning type, int width, Point at) {
    if (value instanceof Expression.Selector selector
        && !(value instanceof Expression.Opaque)
        && constant(selector, new Reading.Content(TRUE, Field.constant(width, 0), type))
            .isEmpty()) {
      if (!(read(state, selector, at) instanceof Reading.Content content)) {
        return Optional.empty();
      }
      if ((type == Meaning.ADDRESS) != (content.type == Meaning.ADDRESS)) {
        space.addresses().needsBits();
      }
      return Optional.of(new Written(content.present, content.field.resized(width)));
    }
    Reading.Content like = new Reading.Content(TRUE, Field.constant(width, 0), type);
    OptionalLong constant = constant(value, like);
    if (constant.isPresent()) {
      asBits(type);
      return Optional.of(new Written(TRUE, Field.constant(width, constant.getAsLong())));
    }
    Optional<IntervalSet> values = values(value, type, width);
    if (values.isEmpty()) {
      return Optional.empty();
    }
    if (values.get().isEmpty()) {
      // An address of the other family: nft lets the rule match that family only.
      return Optional.of(new Written(FALSE, Field.constant(width, 0)));
    }
    Unknown unknown = new Unknown(Kind.ENVIRONMENT, "which of " + value, at.place());
    return Optional.of(new Written(TRUE, some(values.get(), width, unknown)));
  }

  // ---- selectors
  // ----------------------------------------------------------------------------------------------------------------------

  private Reading read(State state, Expression expression, Point at) {
    return switch (expression) {
      case Expression.Meta meta -> meta(state, meta.key(), at);
      case Expression.Payload payload -> payload(state, payload, at);
      case Expression.RawPayload raw -> raw(state, raw);
      case Expression.Ct ct -> connection(state, ct, at);
      case Expression.Rt rt ->
          rt.key().equals("ipsec")
              ? new Reading.Content(
                  state.routed, Field.of(new int[] {state.bundled}), Meaning.PRESENCE)
              : notUnderstood("rt " + rt.key());
      case Expression.Ipsec ipsec -> ipsec(state, ipsec, at);
      case Expression.Fib fib -> fib(state, fib, at);
      case Expression.TcpOption option ->
          option.kind().equals("maxseg") && option.field().equals("size")
              ? property(state, "tcp option maxseg size", 16, space.protocol(6))
              : notUnderstood("tcp option " + option.kind() + " " + option.field());
      case Expression.ExtensionHeader header -> notUnderstood("exthdr " + header.header());
      case Expression.Concat concat -> {
        List<Reading.Content> parts = new ArrayList<>();
        for (Expression part : concat.parts()) {
          if (!(read(state, part, at) instanceof Reading.Content content)) {
            yield notUnderstood(concat);
          }
          parts.add(content);
        }
        yield new Reading.Several(List.copyOf(parts));
      }
      case Expression.Binary binary -> binary(state, binary, at);
      case Expression.Mapped mapped -> mapped(state, mapped, at);
      case Expression.Opaque opaque -> notUnderstood(opaque.text());
      case Expression.Value value -> notUnderstood(value);
    };
  }

  private Reading.Content always(Field field, Meaning type) {
    return new Reading.Content(TRUE, field, type);
  }

  private Reading meta(State state, Expression.Meta.Key key, Point at) {
    return switch (key) {
      case IIFNAME, IIF ->
          // Locally made packets have no device that they came by: the names read as empty, and no
          // rule's name is.
          state.locallyMade
              ? always(Field.constant(space.iif.length + 1, 1L << space.iif.length), Meaning.DEVICE)
              : always(Field.of(space.iif).resized(space.iif.length + 1), Meaning.DEVICE);
      case OIFNAME, OIF ->
          // Before the route is known, and towards this host, the name is empty.
          always(
              Field.constant(space.iif.length + 1, 1L << space.iif.length)
                  .assign(bdd, leaves(at.hook()) ? state.routed : FALSE, state.hookOif),
              Meaning.DEVICE);
      case L4PROTO -> always(Field.of(space.protocol), Meaning.PROTOCOL);
      case NFPROTO -> {
        long number = family == Family.V4 ? 2 : 10;
        yield always(Field.constant(8, number), Meaning.NETFILTER_PROTOCOL);
      }
      case PROTOCOL ->
          always(Field.constant(16, family == Family.V4 ? 0x0800 : 0x86dd), Meaning.ETHER_TYPE);
      case MARK -> always(state.mark, Meaning.NUMBER);
      case IPSEC -> always(Field.of(new int[] {bdd.not(space.inClear())}), Meaning.PRESENCE);
      case LENGTH -> property(state, "meta length", 32, TRUE);
      // The link layer's and the socket's: whoever sends the packet chooses.
      case PKTTYPE -> always(Field.of(space.property("meta pkttype", 8)), Meaning.PACKET_TYPE);
      case IIFTYPE -> always(Field.of(space.property("meta iiftype", 16)), Meaning.NUMBER);
      case SKUID -> property(state, "meta skuid", 32, state.locallyMade ? TRUE : FALSE);
      case TIME, CPU ->
          always(
              Field.of(space.open(64, new Unknown(Kind.ENVIRONMENT, "meta " + key, at.place()))),
              Meaning.NUMBER);
    };
  }

  private static boolean leaves(Hook hook) {
    return switch (hook) {
      case FORWARD, OUTPUT, POSTROUTING, EGRESS -> true;
      case INGRESS, PREROUTING, INPUT -> false;
    };
  }

  private Reading.Content property(State state, String name, int width, int present) {
    Field written = state.rewritten.get(name);
    return new Reading.Content(
        present, written == null ? Field.of(space.property(name, width)) : written, Meaning.NUMBER);
  }

  /**
   * A field of the transport header: of the first fragment only, where nobody puts fragments
   * together.
   */
  private Reading.Content transport(int present, Field field, Meaning type, String name, Point at) {
    if (defragments) {
      return new Reading.Content(present, field, type);
    }
    int fragment = space.laterFragment[0];
    int[] payload =
        space.open(
            field.width(),
            new Unknown(Kind.ENVIRONMENT, "a later fragment's bytes as " + name, at.place()));
    int readable =
        space.open(
            new Unknown(
                Kind.ENVIRONMENT, "whether a later fragment is read as " + name, at.place()));
    return new Reading.Content(
        bdd.and(present, bdd.or(bdd.not(fragment), readable)),
        field.assign(bdd, fragment, payload),
        type);
  }

  private Reading payload(State state, Expression.Payload payload, Point at) {
    String header = payload.header();
    String name = header + " " + payload.field();
    if (header.equals("ip") || header.equals("ip6")) {
      if (!header.equals(family.nft())) {
        // nft puts `meta nfproto` before it: nothing of the other family ever matches.
        return new Reading.Content(
            FALSE, Field.constant(space.addresses().width(), 0), typeOf(name));
      }
      Optional<Reading> known =
          switch (payload.field()) {
            case "saddr" -> Optional.of(always(state.source, Meaning.ADDRESS));
            case "daddr" -> Optional.of(always(state.destination, Meaning.ADDRESS));
            case "protocol" -> Optional.of(always(Field.of(space.protocol), Meaning.PROTOCOL));
            case "nexthdr" -> Optional.of(nextHeader(at));
            default -> Optional.empty();
          };
      if (known.isPresent()) {
        return known.get();
      }
    }
    int number = Names.protocolOf(header);
    int present = number < 0 ? TRUE : space.protocol(number);
    boolean ports =
        header.equals("th")
            || header.equals("tcp")
            || header.equals("udp")
            || header.equals("udplite")
            || header.equals("dccp")
            || header.equals("sctp");
    if (ports && payload.field().equals("sport")) {
      return transport(present, state.sourcePort, Meaning.PORT, name, at);
    }
    if (ports && payload.field().equals("dport")) {
      return transport(present, state.destinationPort, Meaning.PORT, name, at);
    }
    boolean six = header.equals("icmpv6");
    if (six || header.equals("icmp")) {
      if (six != (family == Family.V6)) {
        // In tables of both families nft asks for the right one first (seen: 1.0.6); elsewhere it
        // depends on its version.
        present =
            at.table().family().equals("inet")
                ? FALSE
                : bdd.and(
                    present, open(Kind.ENVIRONMENT, "ICMP of the other family is compared", at));
      }
      if (payload.field().equals("type")) {
        Meaning meaning = six ? Meaning.ICMP6_TYPE : Meaning.ICMP_TYPE;
        return transport(present, Field.of(space.icmpType), meaning, name, at);
      }
      if (payload.field().equals("code")) {
        Meaning meaning = six ? Meaning.ICMP6_CODE : Meaning.ICMP_CODE;
        return transport(present, Field.of(space.icmpCode), meaning, name, at);
      }
    }
    if (name.equals("tcp flags")) {
      Reading.Content flags = property(state, name, 8, present);
      return transport(flags.present, flags.field, Meaning.TCP_FLAGS, name, at);
    }
    int width = Names.width(header, payload.field());
    if (width == 0) {
      return notUnderstood(name);
    }
    // Forwarding takes one off: what it was before says nothing about it afterwards, nor the other
    // way round.
    boolean counted = name.equals("ip ttl") || name.equals("ip6 hoplimit");
    Reading.Content content =
        property(
            state,
            counted && leaves(at.hook()) ? name + HeaderSpace.AT_EXIT : name,
            width,
            present);
    return number < 0 ? content : transport(content.present, content.field, content.type, name, at);
  }

  private Reading nextHeader(Point at) {
    int[] first =
        space.open(
            8, new Unknown(Kind.ENVIRONMENT, "the first of several extension headers", at.place()));
    return always(
        Field.of(space.protocol).assign(bdd, space.extensionHeader[0], first), Meaning.PROTOCOL);
  }

  private static Meaning typeOf(String name) {
    return switch (name) {
      case "ip saddr", "ip daddr", "ip6 saddr", "ip6 daddr" -> Meaning.ADDRESS;
      case "ip protocol", "ip6 nexthdr" -> Meaning.PROTOCOL;
      default -> Meaning.NUMBER;
    };
  }

  private Reading raw(State state, Expression.RawPayload raw) {
    if (defragments && raw.base().equals("th") && raw.length() == 16 && raw.offset() <= 16) {
      // Only protocols whose header begins with ports: of others these bytes are something else.
      int ports = FALSE;
      for (int number : new int[] {6, 17, 33, 132, 136}) {
        ports = bdd.or(ports, space.protocol(number));
      }
      int other = bdd.not(ports);
      Field field = raw.offset() == 0 ? state.sourcePort : state.destinationPort;
      if (raw.offset() == 0 || raw.offset() == 16) {
        int[] bytes =
            space.open(
                16,
                new Unknown(
                    Kind.NOT_UNDERSTOOD, "@th," + raw.offset() + "," + raw.length(), "raw bytes"));
        return always(field.assign(bdd, other, bytes), Meaning.PORT);
      }
    }
    if (defragments && raw.base().equals("th") && raw.offset() >= 64 && raw.length() <= 64) {
      // Behind every header's addresses and ports: whoever sends it chooses, and nothing changes
      // it.
      return always(
          Field.of(space.property("@th," + raw.offset() + "," + raw.length(), raw.length())),
          Meaning.NUMBER);
    }
    return notUnderstood("@" + raw.base() + "," + raw.offset() + "," + raw.length());
  }

  private Reading connection(State state, Expression.Ct ct, Point at) {
    int tracked = state.tracked;
    String key = ct.key();
    return switch (key) {
      case "state" -> connectionState(state);
      case "direction" ->
          new Reading.Content(
              entry(tracked), Field.of(new int[] {space.reply[0]}), Meaning.DIRECTION);
      case "mark" -> new Reading.Content(entry(tracked), state.connectionMark, Meaning.NUMBER);
      case "zone" -> new Reading.Content(entry(tracked), state.zone, Meaning.NUMBER);
      case "status" -> status(state, at);
      default -> tuple(state, key, ct.direction().equals(Optional.of(Direction.ORIGINAL)));
    };
  }

  private Reading connectionState(State state) {
    // nft_ct_get_eval: without an entry the packet is untracked or invalid.
    Field field = Field.constant(8, 1);
    field = field.assign(bdd, state.untracked, Field.constantBits(8, 0, 64));
    field = assign(field, bdd.and(state.tracked, space.is(Connection.NEW)), 8);
    field = assign(field, bdd.and(state.tracked, space.is(Connection.ESTABLISHED)), 2);
    field = assign(field, bdd.and(state.tracked, space.is(Connection.RELATED)), 4);
    return always(field, Meaning.CONNECTION_STATE);
  }

  private Reading tuple(State state, String key, boolean original) {
    int tracked = state.tracked;
    String field =
        key.startsWith("ip6 ") ? key.substring(4) : key.startsWith("ip ") ? key.substring(3) : key;
    if ((key.startsWith("ip ") && family != Family.V4)
        || (key.startsWith("ip6 ") && family != Family.V6)) {
      return new Reading.Content(
          FALSE, Field.constant(space.addresses().width(), 0), Meaning.ADDRESS);
    }
    if (!original) {
      return field.equals("protocol")
          ? new Reading.Content(entry(tracked), Field.of(space.protocol), Meaning.PROTOCOL)
          : notUnderstood("ct " + key);
    }
    // The tuple of the first packet as conntrack saw it. That of a packet in the same direction is
    // its
    // own; of a reply, or of something related, we know only that it is some tuple.
    int same = bdd.difference(entry(tracked), bdd.or(space.reply[0], space.is(Connection.RELATED)));
    return switch (field) {
      case "saddr" -> originalTuple(tracked, same, state.trackedSource, field, Meaning.ADDRESS);
      case "daddr" ->
          originalTuple(tracked, same, state.trackedDestination, field, Meaning.ADDRESS);
      case "proto-src" ->
          originalTuple(tracked, same, state.trackedSourcePort, field, Meaning.PORT);
      case "proto-dst" ->
          originalTuple(tracked, same, state.trackedDestinationPort, field, Meaning.PORT);
      case "protocol" ->
          new Reading.Content(entry(tracked), Field.of(space.protocol), Meaning.PROTOCOL);
      default -> notUnderstood("ct original " + key);
    };
  }

  private Reading.Content originalTuple(
      int tracked, int same, Field arrived, String name, Meaning type) {
    int[] other = space.property("the connection's original " + name, arrived.width());
    return new Reading.Content(entry(tracked), Field.of(other).assign(bdd, same, arrived), type);
  }

  private Field assign(Field field, int where, long value) {
    return field.assign(bdd, where, Field.constantBits(field.width(), 0, value));
  }

  /** Where there is a conntrack entry to read from. */
  private int entry(int tracked) {
    return bdd.difference(tracked, space.is(Connection.INVALID));
  }

  private Reading status(State state, Point at) {
    // The bits that rules ask for; the others are open.
    Unknown open = new Unknown(Kind.ENVIRONMENT, "ct status", at.place());
    int[] bits = space.open(10, open);
    int first = space.is(Connection.NEW);
    int standing = bdd.not(first);
    // Bits 4 and 5 from the low end: SNAT and DNAT. A standing connection's are those that it was
    // given.
    bits[9 - 4] =
        bdd.ifThenElse(
            standing,
            space.property("the connection is source-translated", 1)[0],
            state.sourceChanged);
    bits[9 - 5] =
        bdd.ifThenElse(
            standing,
            space.property("the connection is destination-translated", 1)[0],
            state.destinationChanged);
    return new Reading.Content(entry(state.tracked), Field.of(bits), Meaning.CONNECTION_STATUS);
  }

  private Reading ipsec(State state, Expression.Ipsec ipsec, Point at) {
    boolean in = ipsec.in();
    // nft_xfrm_validate: `in` before and at the host, `out` on the way out, both in forward.
    Field tunnel = in ? Field.of(space.secpath) : state.bundle;
    int present = in ? bdd.not(space.inClear()) : bdd.and(state.routed, state.bundled);
    Optional<Meaning> type = ipsec.index() == 0 ? typeOfSa(ipsec.key()) : Optional.empty();
    if (type.isEmpty()) {
      return notUnderstood("ipsec " + (in ? "in " : "out ") + ipsec.key());
    }
    int width = type.get() == Meaning.ADDRESS ? space.addresses().width() : 32;
    Field value =
        Field.of(
            space.open(
                width,
                new Unknown(
                    Kind.ENVIRONMENT, ipsec.key() + " of an SA that is not known", at.place())));
    for (HostState.Tunnel one : host.tunnels()) {
      Optional<int[]> known = ofSa(one, in, ipsec.key());
      if (known.isPresent()) {
        int there = tunnel.in(bdd, IntervalSet.of(space.classes().number(one.name())));
        value = value.assign(bdd, there, known.get());
      }
    }
    return new Reading.Content(present, value, type.get());
  }

  /** What can be asked of an SA; mode and proto are those of xt_policy alone. */
  private Optional<Meaning> typeOfSa(String key) {
    return switch (key) {
      case "reqid", "mode", "proto" -> Optional.of(Meaning.NUMBER);
      case "ip saddr", "ip daddr" ->
          family == Family.V4 ? Optional.of(Meaning.ADDRESS) : Optional.empty();
      case "ip6 saddr", "ip6 daddr" ->
          family == Family.V6 ? Optional.of(Meaning.ADDRESS) : Optional.empty();
      default -> Optional.empty();
    };
  }

  private Optional<int[]> ofSa(HostState.Tunnel tunnel, boolean in, String key) {
    return switch (key) {
      case "reqid" -> number(tunnel.reqid());
      case "proto" -> number(tunnel.protocol());
      case "mode" -> number(OptionalInt.of(tunnel.tunnelMode() ? 1 : 0));
      default -> {
        // Of what came, the other end is the source.
        boolean remote = in == key.endsWith("saddr");
        yield (remote ? tunnel.remote() : tunnel.local())
            .filter(a -> a.family() == family)
            .map(a -> space.addresses().bits(a));
      }
    };
  }

  private static Optional<int[]> number(OptionalInt number) {
    return number.isPresent()
        ? Optional.of(Field.constantBits(32, 0, number.getAsInt()))
        : Optional.empty();
  }

  private Reading fib(State state, Expression.Fib fib, Point at) {
    List<String> flags = fib.flags();
    if (fib.result().equals("type")
        && (flags.equals(List.of("daddr"))
            || flags.equals(List.of("saddr"))
            || flags.equals(List.of("daddr", "iif"))
            || flags.equals(List.of("saddr", "iif")))) {
      Field address = flags.contains("daddr") ? state.destination : state.source;
      // Locally made packets have no device that they came by: the kernel then asks for any.
      boolean here = flags.contains("iif") && !state.locallyMade;
      return always(routing.addressType(address, here), Meaning.ADDRESS_TYPE);
    }
    boolean back = flags.contains("saddr");
    boolean known =
        flags.stream().allMatch(f -> f.matches("saddr|daddr|mark|iif"))
            && back != flags.contains("daddr")
            && fib.result().equals("oif");
    if (known && at.hook() == Hook.PREROUTING) {
      int found =
          routing.findsDevice(
              back ? state.source : state.destination,
              back ? state.destination : state.source,
              flags.contains("mark") ? state.mark : Field.constant(32, 0),
              flags.contains("iif"));
      if (back && family == Family.V4) {
        // What has no address yet and speaks to its link: its own device.
        int link =
            space.in(state.destination, Prefix.of("255.255.255.255/32"), Prefix.of("224.0.0.0/24"));
        int beginning = space.in(state.source, Prefix.of("0.0.0.0/8"));
        found = bdd.or(found, bdd.and(beginning, link));
      }
      if (family == Family.V6) {
        // nft_fib6_flowi_init: to an address of a link only routes of the packet's own device
        // count; whether there is one is left open, as it is for the packet itself.
        Field towards = back ? state.source : state.destination;
        int byLink =
            space.open(new Unknown(Kind.ENVIRONMENT, "a route to an address of the link", "fib"));
        int bound = space.in(towards, Prefix.LINK_LOCAL);
        found = bdd.or(bdd.difference(found, bound), bdd.and(byLink, bound));
      }
      return always(Field.of(new int[] {found}), Meaning.PRESENCE);
    }
    return notUnderstood("fib " + String.join(" . ", flags) + " " + fib.result());
  }

  private Reading binary(State state, Expression.Binary binary, Point at) {
    Reading left = read(state, binary.left(), at);
    if (!(left instanceof Reading.Content content)) {
      return left instanceof Reading.Several ? notUnderstood(binary) : left;
    }
    asBits(content.type);
    OptionalLong constant = constant(binary.right(), content);
    int width = content.field.width();
    if (constant.isPresent()) {
      long value = constant.getAsLong();
      Field other = Field.constant(width, value);
      return switch (binary.operator()) {
        case AND -> content(content, content.field.combine(bdd, other, bdd::and));
        case OR -> content(content, content.field.combine(bdd, other, bdd::or));
        case XOR -> content(content, content.field.combine(bdd, other, bdd::xor));
        case LEFT -> content(content, content.field.shifted((int) Math.min(value, width)));
        case RIGHT -> content(content, content.field.shifted((int) -Math.min(value, width)));
      };
    }
    if (binary.right() instanceof Expression.Addr mask && content.type == Meaning.ADDRESS) {
      Address address = mask.address();
      if (address.family() != family) {
        return notUnderstood(binary);
      }
      Field other = Field.constant(width, address.high(), address.low());
      return switch (binary.operator()) {
        case AND -> content(content, content.field.combine(bdd, other, bdd::and));
        case OR -> content(content, content.field.combine(bdd, other, bdd::or));
        case XOR -> content(content, content.field.combine(bdd, other, bdd::xor));
        case LEFT, RIGHT -> notUnderstood(binary);
      };
    }
    if (!(read(state, binary.right(), at) instanceof Reading.Content other)) {
      return notUnderstood(binary);
    }
    int present = bdd.and(content.present, other.present);
    return switch (binary.operator()) {
      case AND ->
          new Reading.Content(
              present, content.field.combine(bdd, other.field, bdd::and), content.type);
      case OR ->
          new Reading.Content(
              present, content.field.combine(bdd, other.field, bdd::or), content.type);
      case XOR ->
          new Reading.Content(
              present, content.field.combine(bdd, other.field, bdd::xor), content.type);
      case LEFT, RIGHT -> notUnderstood(binary);
    };
  }

  private static Reading.Content content(Reading.Content like, Field field) {
    return new Reading.Content(like.present, field, like.type);
  }

  /** Prefixes of an address expression, for NAT's targets. */
  static Optional<Prefix> prefix(Expression expression) {
    return expression instanceof Expression.Net net ? Optional.of(net.prefix()) : Optional.empty();
  }
}
