package io.gatehouse.bdd;

import java.util.Arrays;

/**
 * Which function stands for which variable, all at once. Variables that are not named stay
 * themselves.
 */
public final class Substitution {
  private int[] functions = new int[0];

  /** Puts a function in a variable's place. */
  public Substitution put(int variable, int function) {
    if (variable >= functions.length) {
      int known = functions.length;
      functions = Arrays.copyOf(functions, Math.max(variable + 1, 2 * known));
      Arrays.fill(functions, known, functions.length, -1);
    }
    functions[variable] = function;
    return this;
  }

  /** The function for a variable, or −1 where it stays. */
  int function(int variable) {
    return variable < functions.length ? functions[variable] : -1;
  }
}
