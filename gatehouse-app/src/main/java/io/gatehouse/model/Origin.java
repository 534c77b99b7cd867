package io.gatehouse.model;

/**
 * The place that a value or a rule comes from.
 *
 * @param file the description's file as the user named it, or {@code gatehouse} for what we add by
 *     ourselves
 * @param line 1-based; 0 where there is no line
 * @param column 1-based; 0 where there is no column
 * @param path the keys that lead to the value, such as {@code tunnels.staff.reach[0]}
 */
public record Origin(String file, int line, int column, String path) {

  /**
   * The origin of what no line asks for: a rule that the design itself requires, named by {@code
   * why}.
   */
  public static Origin builtIn(String why) {
    return new Origin("gatehouse", 0, 0, why);
  }

  /** Whether no line of a description asked for it. */
  public boolean isBuiltIn() {
    return line == 0;
  }

  /**
   * {@code file:line:column}, as compilers print it; {@code gatehouse} alone for what is built in.
   */
  public String place() {
    return line == 0 ? file : file + ":" + line + ":" + column;
  }

  @Override
  public String toString() {
    return path.isEmpty() ? place() : place() + " " + path;
  }
}
