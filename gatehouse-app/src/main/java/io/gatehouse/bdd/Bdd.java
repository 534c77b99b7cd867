package io.gatehouse.bdd;

import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/**
 * An arena of reduced ordered binary decision diagrams. A function is the number of its root; equal
 * functions have equal numbers. Lower variables stand nearer to the root. Not for several threads.
 *
 * <p>There is no reference counting and no collection: a reference is good for as long as the arena
 * lives, and the arena lives for one question. See {@link #within}.
 */
public final class Bdd {
  /** The function that holds nowhere. */
  public static final int FALSE = 0;

  /** The function that holds everywhere. */
  public static final int TRUE = 1;

  /**
   * More variables than this would make the recursion deeper than a thread's stack is sure to be.
   */
  public static final int MOST_VARIABLES = 3000;

  // The terminals stand below every variable.
  private static final int BOTTOM = Integer.MAX_VALUE;

  private static final int AND = 1;
  private static final int OR = 2;
  private static final int DIFFERENCE = 3;
  private static final int XOR = 4;
  private static final int NOT = 5;
  private static final int EXISTS = 6;
  private static final int OPERATORS = 8;
  // An if-then-else has three operands and so no room for an operator: its first operand is kept as
  // it is, the others' are negative.
  private static final int CACHE_WORDS = 4;
  private static final int NODE_WORDS = 4;
  // Room for the question about a small gateway, some 4 MB: growing costs more than clearing it.
  private static final int FIRST_SIZE = 16;

  private final int limit;
  private int variables;
  private int nodes;

  /** Of each node its variable, its two functions, and the next of its bucket, side by side. */
  private int[] made;

  private int[] buckets;
  private int[] cache = {};
  private int cacheMask;
  private int restrictions;

  /** Thrown through the recursion when the arena is full; {@link #within} turns it into a value. */
  private static final class Full extends RuntimeException {
    private static final long serialVersionUID = 1L;

    Full() {
      super("the arena is full", null, false, false);
    }
  }

  /**
   * An empty arena.
   *
   * @param limit decision nodes that it may hold; about 40 bytes each with the caches
   */
  private Bdd(int limit) {
    this.limit = Math.max(limit, 2);
    int size = 1 << FIRST_SIZE;
    made = new int[size * NODE_WORDS];
    buckets = new int[size];
    Arrays.fill(buckets, -1);
    made[0] = BOTTOM;
    put(TRUE, BOTTOM, TRUE, TRUE);
    nodes = 2;
    resizeCache(2 << FIRST_SIZE);
  }

  /**
   * Asks a question in an arena of its own, which is gone when the question is answered.
   *
   * @param limit how many decision nodes the question may make
   */
  public static <T> Bounded<T> within(int limit, Function<? super Bdd, ? extends T> question) {
    try {
      return new Bounded.Answer<>(question.apply(new Bdd(limit)));
    } catch (Full full) {
      return new Bounded.GaveUp<>(limit);
    }
  }

  /**
   * For a question that finds itself too large in other ways than by its nodes: ends it as if the
   * arena were full.
   */
  public void giveUpIf(boolean tooLarge) {
    if (tooLarge) {
      throw new Full();
    }
  }

  /** A variable that did not exist before, below all others. */
  public int newVariable() {
    if (variables == MOST_VARIABLES) {
      throw new Full();
    }
    return variables++;
  }

  /** How many variables there are. */
  public int variables() {
    return variables;
  }

  /** How many decision nodes have been made, terminals included. */
  public int nodes() {
    return nodes;
  }

  /** The function that holds where the variable is set. */
  public int variable(int index) {
    return node(known(index), FALSE, TRUE);
  }

  /** The function that holds where the variable is not set. */
  public int notVariable(int index) {
    return node(known(index), TRUE, FALSE);
  }

  private int known(int index) {
    if (index < 0 || index >= variables) {
      throw new IllegalArgumentException("no such variable: " + index);
    }
    return index;
  }

  /**
   * The topmost variable that the function depends on; beyond every variable for the two constants.
   */
  public int top(int f) {
    return variableOf(f);
  }

  /** The function where its topmost variable is not set. */
  public int low(int f) {
    return lowOf(f);
  }

  /** The function where its topmost variable is set. */
  public int high(int f) {
    return highOf(f);
  }

  /**
   * The function that is {@code ifSet} where the variable is set and {@code ifNot} elsewhere. The
   * variable must stand above both: otherwise use {@link #ifThenElse}.
   */
  public int node(int index, int ifNot, int ifSet) {
    if (ifNot == ifSet) {
      return ifNot;
    }
    int bucket = hash(index, ifNot, ifSet) & (buckets.length - 1);
    for (int n = buckets[bucket]; n >= 0; n = made[n * NODE_WORDS + 3]) {
      int at = n * NODE_WORDS;
      if (made[at] == index && made[at + 1] == ifNot && made[at + 2] == ifSet) {
        return n;
      }
    }
    if (nodes >= limit) {
      throw new Full();
    }
    if (nodes == made.length / NODE_WORDS) {
      grow();
      bucket = hash(index, ifNot, ifSet) & (buckets.length - 1);
    }
    int n = nodes++;
    put(n, index, ifNot, ifSet);
    made[n * NODE_WORDS + 3] = buckets[bucket];
    buckets[bucket] = n;
    return n;
  }

  private void put(int n, int index, int ifNot, int ifSet) {
    int at = n * NODE_WORDS;
    made[at] = index;
    made[at + 1] = ifNot;
    made[at + 2] = ifSet;
  }

  private int variableOf(int n) {
    return made[n * NODE_WORDS];
  }

  private int lowOf(int n) {
    return made[n * NODE_WORDS + 1];
  }

  private int highOf(int n) {
    return made[n * NODE_WORDS + 2];
  }

  private void grow() {
    int before = made.length / NODE_WORDS;
    int size = (int) Math.min(4L * before, Math.max(limit, before + 1L));
    made = Arrays.copyOf(made, size * NODE_WORDS);
    buckets = new int[Integer.highestOneBit(size)];
    Arrays.fill(buckets, -1);
    for (int n = 2; n < nodes; n++) {
      int bucket = hash(variableOf(n), lowOf(n), highOf(n)) & (buckets.length - 1);
      made[n * NODE_WORDS + 3] = buckets[bucket];
      buckets[bucket] = n;
    }
    if (cacheMask + 1 < buckets.length) {
      resizeCache(buckets.length);
    }
  }

  private void resizeCache(int entries) {
    int[] old = cache;
    cache = new int[entries * CACHE_WORDS];
    cacheMask = entries - 1;
    for (int at = 0; at < old.length; at += CACHE_WORDS) {
      if (old[at] != 0) {
        remember(old[at], old[at + 1], old[at + 2], old[at + 3]);
      }
    }
  }

  private static int hash(int a, int b, int c) {
    int h = a * 0x9e3779b1 + b * 0x85ebca6b + c * 0xc2b2ae35;
    h ^= h >>> 15;
    h *= 0x2c1b3c6d;
    return h ^ h >>> 13;
  }

  // Results are never 0 in the operator's word: an empty entry matches nothing.
  private int slot(int operator, int a, int b) {
    return (hash(operator, a, b) & cacheMask) * CACHE_WORDS;
  }

  private int remember(int operator, int a, int b, int result) {
    int at = slot(operator, a, b);
    cache[at] = operator;
    cache[at + 1] = a;
    cache[at + 2] = b;
    cache[at + 3] = result;
    return result;
  }

  private int recall(int operator, int a, int b) {
    int at = slot(operator, a, b);
    return cache[at] == operator && cache[at + 1] == a && cache[at + 2] == b ? cache[at + 3] : -1;
  }

  public int and(int f, int g) {
    if (f == g || g == TRUE) {
      return f;
    }
    if (f == TRUE) {
      return g;
    }
    if (f == FALSE || g == FALSE) {
      return FALSE;
    }
    int a = Math.min(f, g);
    int b = Math.max(f, g);
    int known = recall(AND, a, b);
    if (known >= 0) {
      return known;
    }
    int v = Math.min(variableOf(a), variableOf(b));
    int ifNot = and(lowAt(a, v), lowAt(b, v));
    int ifSet = and(highAt(a, v), highAt(b, v));
    return remember(AND, a, b, node(v, ifNot, ifSet));
  }

  public int or(int f, int g) {
    if (f == g || g == FALSE) {
      return f;
    }
    if (f == FALSE) {
      return g;
    }
    if (f == TRUE || g == TRUE) {
      return TRUE;
    }
    int a = Math.min(f, g);
    int b = Math.max(f, g);
    int known = recall(OR, a, b);
    if (known >= 0) {
      return known;
    }
    int v = Math.min(variableOf(a), variableOf(b));
    int ifNot = or(lowAt(a, v), lowAt(b, v));
    int ifSet = or(highAt(a, v), highAt(b, v));
    return remember(OR, a, b, node(v, ifNot, ifSet));
  }

  /** The union, as a tree: one after the other would walk the growing union each time. */
  public int anyOf(List<Integer> functions) {
    List<Integer> level = functions;
    while (level.size() > 1) {
      List<Integer> next = new ArrayList<>();
      for (int i = 0; i < level.size(); i += 2) {
        next.add(i + 1 < level.size() ? or(level.get(i), level.get(i + 1)) : level.get(i));
      }
      level = next;
    }
    return level.isEmpty() ? FALSE : level.getFirst();
  }

  /** Where {@code f} holds and {@code g} does not. */
  public int difference(int f, int g) {
    if (f == FALSE || g == TRUE || f == g) {
      return FALSE;
    }
    if (g == FALSE) {
      return f;
    }
    if (f == TRUE) {
      return not(g);
    }
    int known = recall(DIFFERENCE, f, g);
    if (known >= 0) {
      return known;
    }
    int v = Math.min(variableOf(f), variableOf(g));
    int ifNot = difference(lowAt(f, v), lowAt(g, v));
    int ifSet = difference(highAt(f, v), highAt(g, v));
    return remember(DIFFERENCE, f, g, node(v, ifNot, ifSet));
  }

  public int xor(int f, int g) {
    if (f == g) {
      return FALSE;
    }
    if (f == FALSE) {
      return g;
    }
    if (g == FALSE) {
      return f;
    }
    if (f == TRUE) {
      return not(g);
    }
    if (g == TRUE) {
      return not(f);
    }
    int a = Math.min(f, g);
    int b = Math.max(f, g);
    int known = recall(XOR, a, b);
    if (known >= 0) {
      return known;
    }
    int v = Math.min(variableOf(a), variableOf(b));
    int ifNot = xor(lowAt(a, v), lowAt(b, v));
    int ifSet = xor(highAt(a, v), highAt(b, v));
    return remember(XOR, a, b, node(v, ifNot, ifSet));
  }

  public int not(int f) {
    if (f <= TRUE) {
      return TRUE - f;
    }
    int known = recall(NOT, f, 0);
    if (known >= 0) {
      return known;
    }
    int v = variableOf(f);
    int ifNot = not(lowOf(f));
    int ifSet = not(highOf(f));
    return remember(NOT, f, 0, node(v, ifNot, ifSet));
  }

  /** {@code g} where {@code f} holds, {@code h} elsewhere. */
  public int ifThenElse(int f, int g, int h) {
    if (f == TRUE || g == h) {
      return g;
    }
    if (f == FALSE) {
      return h;
    }
    if (g == TRUE || g == f) {
      return or(f, h);
    }
    if (g == FALSE) {
      return difference(h, f);
    }
    if (h == FALSE || h == f) {
      return and(f, g);
    }
    if (h == TRUE) {
      return or(not(f), g);
    }
    // f and g are above 1 here: as operator a negative number, which no other operation has.
    int known = recall(-f, g, h);
    if (known >= 0) {
      return known;
    }
    int v = Math.min(variableOf(f), Math.min(variableOf(g), variableOf(h)));
    int ifNot = ifThenElse(lowAt(f, v), lowAt(g, v), lowAt(h, v));
    int ifSet = ifThenElse(highAt(f, v), highAt(g, v), highAt(h, v));
    return remember(-f, g, h, node(v, ifNot, ifSet));
  }

  private int lowAt(int f, int v) {
    return variableOf(f) == v ? lowOf(f) : f;
  }

  private int highAt(int f, int v) {
    return variableOf(f) == v ? highOf(f) : f;
  }

  /**
   * The function that holds where every variable of the set is set: how sets of variables are
   * written here.
   */
  public int cube(BitSet set) {
    int cube = TRUE;
    for (int v = set.length() - 1; v >= 0; v = set.previousSetBit(v - 1)) {
      cube = node(known(v), FALSE, cube);
    }
    return cube;
  }

  /** Where {@code f} holds for some value of the cube's variables. */
  public int exists(int f, int cube) {
    if (f <= TRUE) {
      return f;
    }
    int rest = cube;
    while (variableOf(rest) < variableOf(f)) {
      rest = highOf(rest);
    }
    if (rest == TRUE) {
      return f;
    }
    int known = recall(EXISTS, f, rest);
    if (known >= 0) {
      return known;
    }
    int v = variableOf(f);
    int result;
    if (variableOf(rest) == v) {
      int some = exists(lowOf(f), highOf(rest));
      result = some == TRUE ? TRUE : or(some, exists(highOf(f), highOf(rest)));
    } else {
      int ifNot = exists(lowOf(f), rest);
      result = node(v, ifNot, exists(highOf(f), rest));
    }
    return remember(EXISTS, f, rest, result);
  }

  /** Where {@code f} holds for every value of the cube's variables. */
  public int forAll(int f, int cube) {
    return not(exists(not(f), cube));
  }

  /**
   * Values for some variables, to be put into many functions: what was found out about one function
   * helps with the next.
   *
   * @param known whose values count
   * @param set those of them that are set
   */
  public Restriction restriction(BitSet known, BitSet set) {
    // Every other operator has a number of its own within OPERATORS, or is negative.
    return new Restriction(
        OPERATORS * ++restrictions, (BitSet) known.clone(), (BitSet) set.clone());
  }

  /**
   * The function where some variables have values. Known variables are passed by, so that with most
   * of them known it visits and makes hardly any nodes, however large the function is.
   */
  public int restrict(int f, Restriction restriction) {
    int at = f;
    while (restriction.knows(variableOf(at))) {
      at = restriction.sets(variableOf(at)) ? highOf(at) : lowOf(at);
    }
    if (restriction.isAbove(variableOf(at))) {
      return at;
    }
    int before = recall(restriction.operator(), at, 0);
    if (before >= 0) {
      return before;
    }
    int ifNot = restrict(lowOf(at), restriction);
    int ifSet = restrict(highOf(at), restriction);
    return remember(restriction.operator(), at, 0, node(variableOf(at), ifNot, ifSet));
  }

  /** The variables that the function depends on. */
  public BitSet support(int f) {
    BitSet variables = new BitSet();
    BitSet seen = new BitSet();
    support(f, variables, seen);
    return variables;
  }

  private void support(int f, BitSet variables, BitSet seen) {
    if (f > TRUE && !seen.get(f)) {
      seen.set(f);
      variables.set(variableOf(f));
      support(lowOf(f), variables, seen);
      support(highOf(f), variables, seen);
    }
  }

  /** Decision nodes of one function, terminals left out. */
  public int size(int f) {
    BitSet seen = new BitSet();
    support(f, new BitSet(), seen);
    return seen.cardinality();
  }

  /** Whether the function holds where exactly these variables are set. */
  public boolean holds(int f, BitSet set) {
    int at = f;
    while (at > TRUE) {
      at = set.get(variableOf(at)) ? highOf(at) : lowOf(at);
    }
    return at == TRUE;
  }

  /**
   * The variables that are set at one place where the function holds. Wishes are tried in order:
   * each is kept that leaves such a place. What is open after that is not set.
   *
   * @param f not {@link #FALSE}
   */
  public BitSet satisfyOne(int f, int... wishes) {
    if (f == FALSE) {
      throw new IllegalArgumentException("it holds nowhere");
    }
    int at = f;
    for (int wish : wishes) {
      int with = and(at, wish);
      at = with == FALSE ? at : with;
    }
    BitSet set = new BitSet();
    while (at > TRUE) {
      boolean must = lowOf(at) == FALSE;
      set.set(variableOf(at), must);
      at = must ? highOf(at) : lowOf(at);
    }
    return set;
  }

  /** At how many places the function holds, over all variables that exist now. */
  public BigInteger count(int f) {
    Map<Integer, BigInteger> done = new HashMap<>();
    return count(f, done).shiftLeft(Math.min(variableOf(f), variables));
  }

  /** Over the variables from the function's own topmost downward. */
  private BigInteger count(int f, Map<Integer, BigInteger> done) {
    if (f <= TRUE) {
      return BigInteger.valueOf(f);
    }
    BigInteger known = done.get(f);
    if (known != null) {
      return known;
    }
    BigInteger ifNot = count(lowOf(f), done).shiftLeft(skipped(f, lowOf(f)));
    BigInteger result = ifNot.add(count(highOf(f), done).shiftLeft(skipped(f, highOf(f))));
    done.put(f, result);
    return result;
  }

  private int skipped(int from, int to) {
    return Math.min(variableOf(to), variables) - variableOf(from) - 1;
  }
}
