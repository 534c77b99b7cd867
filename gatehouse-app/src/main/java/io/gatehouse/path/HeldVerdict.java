package io.gatehouse.path;

import io.gatehouse.ruleset.Statement.Verdict;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Which verdict a live map holds for a key that may stand in it, as a number that variables spell:
 * 0 and what is beyond the verdicts stand for none, the others for the verdicts in their order.
 *
 * <p>A number and not a variable for each verdict: then the last of a thousand would say of all
 * others that they are not held, and the sum of that grows with the square.
 */
final class HeldVerdict {
  private final String map;
  private final List<Verdict> verdicts;
  private final int[] variables;
  private final Map<Verdict, Integer> numbers = new HashMap<>();

  /**
   * @param verdicts each different from the others
   * @param variables the highest bit's first
   */
  HeldVerdict(String map, List<Verdict> verdicts, int[] variables) {
    this.map = map;
    this.verdicts = List.copyOf(verdicts);
    this.variables = variables.clone();
    for (Verdict verdict : verdicts) {
      numbers.put(verdict, numbers.size() + 1);
    }
  }

  /** How many variables that takes. */
  static int width(int verdicts) {
    return Integer.SIZE - Integer.numberOfLeadingZeros(verdicts);
  }

  String map() {
    return map;
  }

  int[] variables() {
    return variables.clone();
  }

  /** The number that stands for a verdict; 0 where the map may not hold it. */
  int number(Verdict verdict) {
    return numbers.getOrDefault(verdict, 0);
  }

  /** What the map holds at a place. */
  Optional<Verdict> at(BitSet place) {
    int number = 0;
    for (int variable : variables) {
      number = number << 1 | (place.get(variable) ? 1 : 0);
    }
    return number == 0 || number > verdicts.size()
        ? Optional.empty()
        : Optional.of(verdicts.get(number - 1));
  }

  /** Sets the variables of a place so that the map holds this there. */
  void put(Optional<Verdict> verdict, BitSet place) {
    int number = verdict.map(this::number).orElse(0);
    for (int i = 0; i < variables.length; i++) {
      place.set(variables[i], (number >> (variables.length - 1 - i) & 1) == 1);
    }
  }
}
