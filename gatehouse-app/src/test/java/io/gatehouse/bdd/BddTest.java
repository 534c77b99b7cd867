package io.gatehouse.bdd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.github.javabdd.BDD;
import com.github.javabdd.BDDFactory;
import com.github.javabdd.BDDPairing;
import com.github.javabdd.BDDVarSet;
import java.lang.ref.WeakReference;
import java.math.BigInteger;
import java.util.BitSet;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.IntStream;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.junit.jupiter.api.Test;

class BddTest {
  private static final int VARIABLES = 9;

  /** A formula that both libraries can build. */
  sealed interface Formula {
    record Variable(int index) implements Formula {}

    record Not(Formula of) implements Formula {}

    record Two(Operator operator, Formula left, Formula right) implements Formula {}

    record Choice(Formula condition, Formula then, Formula otherwise) implements Formula {}

    record Some(Formula of, List<Integer> variables) implements Formula {}

    record All(Formula of, List<Integer> variables) implements Formula {}

    record Known(Formula of, List<Integer> variables, boolean value) implements Formula {}
  }

  enum Operator {
    AND,
    OR,
    XOR,
    DIFFERENCE
  }

  @Provide
  Arbitrary<Formula> formulas() {
    return formulas(5);
  }

  private static Arbitrary<Formula> formulas(int depth) {
    Arbitrary<Integer> index = Arbitraries.integers().between(0, VARIABLES - 1);
    Arbitrary<Formula> leaf = index.map(Formula.Variable::new);
    if (depth == 0) {
      return leaf;
    }
    Arbitrary<Formula> below = Arbitraries.lazy(() -> formulas(depth - 1));
    Arbitrary<List<Integer>> some = index.list().ofMinSize(1).ofMaxSize(4).uniqueElements();
    Arbitrary<Operator> operators = Arbitraries.of(Operator.class);
    return Arbitraries.frequencyOf(
        net.jqwik.api.Tuple.of(1, leaf),
        net.jqwik.api.Tuple.of(1, below.map(Formula.Not::new)),
        net.jqwik.api.Tuple.of(
            6, net.jqwik.api.Combinators.combine(operators, below, below).as(Formula.Two::new)),
        net.jqwik.api.Tuple.of(
            3, net.jqwik.api.Combinators.combine(below, below, below).as(Formula.Choice::new)),
        net.jqwik.api.Tuple.of(
            1, net.jqwik.api.Combinators.combine(below, some).as(Formula.Some::new)),
        net.jqwik.api.Tuple.of(
            1, net.jqwik.api.Combinators.combine(below, some).as(Formula.All::new)),
        net.jqwik.api.Tuple.of(
            2,
            net.jqwik.api.Combinators.combine(below, some, Arbitraries.of(true, false))
                .as(Formula.Known::new)));
  }

  @Property(tries = 200)
  void agreesWithAnIndependentLibrary(@ForAll("formulas") Formula formula) {
    Bounded<Boolean> asked =
        Bdd.within(
            1 << 20,
            bdd -> {
              IntStream.range(0, VARIABLES).forEach(i -> bdd.newVariable());
              int f = ours(bdd, formula);
              BDDFactory factory = factory();
              try {
                BDD g = theirs(factory, formula);
                assertSame(bdd, f, g);
              } finally {
                factory.done();
              }
              return true;
            });
    assertThat(asked).isEqualTo(new Bounded.Answer<>(true));
  }

  private static void assertSame(Bdd bdd, int f, BDD g) {
    int[] order = IntStream.range(0, VARIABLES).toArray();
    int places = 0;
    for (int bits = 0; bits < 1 << VARIABLES; bits++) {
      BitSet set = BitSet.valueOf(new long[] {bits});
      BDD at = g;
      while (!at.isOne() && !at.isZero()) {
        at = set.get(at.var()) ? at.high() : at.low();
      }
      assertThat(bdd.holds(f, set)).as("at %s of %s", set, order).isEqualTo(at.isOne());
      places += at.isOne() ? 1 : 0;
    }
    assertThat(bdd.count(f)).isEqualTo(BigInteger.valueOf(places));
    assertThat(bdd.size(f)).isEqualTo(g.nodeCount());
    BitSet support = new BitSet();
    if (!g.isOne() && !g.isZero()) {
      IntStream.of(g.support().toArray()).forEach(support::set);
    }
    assertThat(bdd.support(f)).isEqualTo(support);
    if (f != Bdd.FALSE) {
      assertThat(bdd.holds(f, bdd.satisfyOne(f))).isTrue();
    }
  }

  private static BDDFactory factory() {
    BDDFactory factory = BDDFactory.init("java", 10_000, 10_000);
    factory.setVarNum(VARIABLES);
    return factory;
  }

  private static int ours(Bdd bdd, Formula formula) {
    return switch (formula) {
      case Formula.Variable v -> bdd.variable(v.index());
      case Formula.Not not -> bdd.not(ours(bdd, not.of()));
      case Formula.Two two -> {
        int left = ours(bdd, two.left());
        int right = ours(bdd, two.right());
        yield switch (two.operator()) {
          case AND -> bdd.and(left, right);
          case OR -> bdd.or(left, right);
          case XOR -> bdd.xor(left, right);
          case DIFFERENCE -> bdd.difference(left, right);
        };
      }
      case Formula.Choice c ->
          bdd.ifThenElse(ours(bdd, c.condition()), ours(bdd, c.then()), ours(bdd, c.otherwise()));
      case Formula.Some some -> bdd.exists(ours(bdd, some.of()), cube(bdd, some.variables()));
      case Formula.All all -> bdd.forAll(ours(bdd, all.of()), cube(bdd, all.variables()));
      case Formula.Known k -> {
        BitSet known = new BitSet();
        k.variables().forEach(known::set);
        yield bdd.restrict(
            ours(bdd, k.of()), bdd.restriction(known, k.value() ? known : new BitSet()));
      }
    };
  }

  private static int cube(Bdd bdd, List<Integer> variables) {
    BitSet set = new BitSet();
    variables.forEach(set::set);
    return bdd.cube(set);
  }

  private static BDD theirs(BDDFactory factory, Formula formula) {
    return switch (formula) {
      case Formula.Variable v -> factory.ithVar(v.index());
      case Formula.Not not -> theirs(factory, not.of()).not();
      case Formula.Two two -> {
        BDD left = theirs(factory, two.left());
        BDD right = theirs(factory, two.right());
        yield switch (two.operator()) {
          case AND -> left.and(right);
          case OR -> left.or(right);
          case XOR -> left.xor(right);
          case DIFFERENCE -> left.and(right.not());
        };
      }
      case Formula.Choice c ->
          theirs(factory, c.condition())
              .ite(theirs(factory, c.then()), theirs(factory, c.otherwise()));
      case Formula.Some some -> theirs(factory, some.of()).exist(cube(factory, some.variables()));
      case Formula.All all -> theirs(factory, all.of()).forAll(cube(factory, all.variables()));
      case Formula.Known k -> {
        BDDPairing pairing = factory.makePair();
        k.variables().forEach(v -> pairing.set(v, k.value() ? factory.one() : factory.zero()));
        yield theirs(factory, k.of()).veccompose(pairing);
      }
    };
  }

  private static BDDVarSet cube(BDDFactory factory, List<Integer> variables) {
    return factory.makeSet(variables.stream().mapToInt(Integer::intValue).toArray());
  }

  /** The sum of two numbers whose bits stand one after the other, not interleaved: exponential. */
  private static int equalBits(Bdd bdd, int width) {
    int[] left = IntStream.range(0, width).map(i -> bdd.newVariable()).toArray();
    int[] right = IntStream.range(0, width).map(i -> bdd.newVariable()).toArray();
    int equal = Bdd.TRUE;
    for (int i = 0; i < width; i++) {
      equal = bdd.and(equal, bdd.not(bdd.xor(bdd.variable(left[i]), bdd.variable(right[i]))));
    }
    return equal;
  }

  @Test
  void givesUpWithinItsBoundInsteadOfEatingTheMemory() {
    assertThat(Bdd.within(100_000, bdd -> equalBits(bdd, 30)))
        .isEqualTo(new Bounded.GaveUp<Integer>(100_000));
    assertThat(Bdd.within(100_000, bdd -> bdd.count(equalBits(bdd, 10))))
        .isEqualTo(new Bounded.Answer<>(BigInteger.ONE.shiftLeft(10)));
  }

  @Test
  void tooManyVariablesAreGivenUpOnAsWell() {
    Bounded<Integer> asked =
        Bdd.within(
            1 << 20,
            bdd -> {
              while (true) {
                bdd.newVariable();
              }
            });
    assertThat(asked).isEqualTo(new Bounded.GaveUp<Integer>(1 << 20));
  }

  @Test
  void theDeepestFunctionNeedsNoMoreThanAnOrdinaryStack() {
    Bounded<Integer> asked =
        Bdd.within(
            1 << 20,
            bdd -> {
              BitSet even = new BitSet();
              BitSet odd = new BitSet();
              for (int v = 0; v < Bdd.MOST_VARIABLES; v++) {
                (v % 2 == 0 ? even : odd).set(bdd.newVariable());
              }
              int all = bdd.and(bdd.cube(even), bdd.cube(odd));
              assertThat(bdd.exists(all, bdd.cube(odd))).isEqualTo(bdd.cube(even));
              assertThat(bdd.forAll(bdd.not(all), bdd.cube(odd)))
                  .isEqualTo(bdd.not(bdd.cube(even)));
              return bdd.support(bdd.xor(all, bdd.cube(even))).cardinality();
            });
    assertThat(asked).isEqualTo(new Bounded.Answer<>(Bdd.MOST_VARIABLES));
  }

  @Test
  void aQuestionLeavesItsArenaToTheCollector() throws InterruptedException {
    AtomicReference<WeakReference<Bdd>> arena = new AtomicReference<>();
    assertThat(
            Bdd.within(
                50_000,
                bdd -> {
                  arena.set(new WeakReference<>(bdd));
                  return equalBits(bdd, 30);
                }))
        .isInstanceOf(Bounded.GaveUp.class);
    for (int i = 0; i < 50 && arena.get().get() != null; i++) {
      System.gc();
      Thread.sleep(20);
    }
    assertThat(arena.get().get()).isNull();
  }

  @Test
  void wishesAreKeptWhereTheyCanBe() {
    Bounded<List<BitSet>> asked =
        Bdd.within(
            1000,
            bdd -> {
              int a = bdd.variable(bdd.newVariable());
              int b = bdd.variable(bdd.newVariable());
              int c = bdd.variable(bdd.newVariable());
              int f = bdd.and(bdd.or(a, b), bdd.not(bdd.and(a, c)));
              return List.of(bdd.satisfyOne(f, c, a), bdd.satisfyOne(f, a, c));
            });
    assertThat(asked)
        .isEqualTo(
            new Bounded.Answer<>(
                List.of(BitSet.valueOf(new long[] {6}), BitSet.valueOf(new long[] {1}))));
  }

  @Test
  void nothingCanBeFoundWhereNothingHolds() {
    assertThatThrownBy(() -> Bdd.within(10, bdd -> bdd.satisfyOne(Bdd.FALSE)))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> Bdd.within(10, bdd -> bdd.variable(0)))
        .isInstanceOf(IllegalArgumentException.class);
  }
}
