package io.gatehouse.it.lab;

/** What a script said, and its exit status. */
public record Answer(int status, String out, String err) {

  /** This answer where the script succeeded; a failure that shows all it said otherwise. */
  public Answer expected() {
    if (status != 0) {
      throw new AssertionError("exit status %d%n%s%n%s".formatted(status, out, err));
    }
    return this;
  }
}
