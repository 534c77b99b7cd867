package io.gatehouse.cli;

/**
 * What the demo tried once with our rules and once without some.
 *
 * @param wanted what has to happen with all rules
 * @param seen what happened
 * @param wantedWithout what has to happen without, or the row would show nothing
 * @param seenWithout what happened without
 * @param takenAway the rules that were missing then
 */
record DemoRow(
    String name,
    String wanted,
    String seen,
    String wantedWithout,
    String seenWithout,
    String takenAway) {
  private static final String FORMAT = "%s %-46s %-13s %s";

  static final String HEADER = FORMAT.formatted(" ", "what was tried", "with us", "without");

  /** From the fields of an event: the word {@code row} and the six components. */
  static DemoRow of(String[] field) {
    if (field.length != 7) {
      throw new IllegalArgumentException("a row has six fields: " + String.join(" | ", field));
    }
    return new DemoRow(field[1], field[2], field[3], field[4], field[5], field[6]);
  }

  boolean asExpected() {
    return seen.equals(wanted) && seenWithout.equals(wantedWithout);
  }

  /** The row and, where it is not as expected, what was. */
  String text() {
    String row = FORMAT.formatted(asExpected() ? "✓" : "✗", name, seen, seenWithout);
    return asExpected()
        ? row
        : row + "\n    expected: " + wanted + ", and without (" + takenAway + "): " + wantedWithout;
  }
}
