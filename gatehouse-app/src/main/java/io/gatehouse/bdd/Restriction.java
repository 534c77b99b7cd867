package io.gatehouse.bdd;

import java.util.BitSet;

/** Values for some variables; good for the arena that made it. */
public final class Restriction {
  private final int operator;
  private final BitSet known;
  private final BitSet set;
  private final int end;

  Restriction(int operator, BitSet known, BitSet set) {
    this.operator = operator;
    this.known = known;
    this.set = set;
    end = known.length();
  }

  /** Its own in the cache of what is known. */
  int operator() {
    return operator;
  }

  boolean knows(int variable) {
    return variable < end && known.get(variable);
  }

  boolean sets(int variable) {
    return set.get(variable);
  }

  /** Whether every variable that has a value stands above this one. */
  boolean isAbove(int variable) {
    return variable >= end;
  }
}
