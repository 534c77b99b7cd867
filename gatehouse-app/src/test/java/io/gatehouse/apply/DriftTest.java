package io.gatehouse.apply;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

/** Rules compare with what the kernel listed, elements with what was asked for. */
final class DriftTest {
  private static final String TERSE =
      """
      table inet gatehouse {
      \tset far4 {
      \t\ttypeof ip saddr
      \t\tflags interval
      \t}

      \tmap live4 {
      \t\ttypeof ip saddr : verdict
      \t}

      \tchain forward {
      \t\tip saddr { 10.0.0.1, 10.0.0.2 } drop comment "a"
      \t}
      }
      """;

  private static final String ASKED =
      full("{ 10.0.0.0/24, 10.0.1.0/24,\n\t\t\t     10.0.2.0/24 }", "{ 10.0.0.9 : accept }");

  private static final Shape SHAPE =
      new Shape(
          List.of(
              new Shape.OfSet("far4", false, "", ""), new Shape.OfSet("live4", true, "", "keys")),
          List.of(new Shape.OfChain("forward", true)));

  private static String full(String far, String live) {
    return TERSE
        .replace("interval\n", "interval\n\t\telements = " + far + "\n")
        .replace("verdict\n", "verdict\n\t\telements = " + live + "\n");
  }

  private static List<String> drift(String now) {
    return Drift.rules(TERSE, ASKED, now, SHAPE);
  }

  @Test
  void sameElementsInOtherLines() {
    assertThat(drift(full("{ 10.0.0.0/24,\n\t\t\t 10.0.1.0/24, 10.0.2.0/24 }", "{ }"))).isEmpty();
    assertThat(drift(full("{ 10.0.2.0/24, 10.0.1.0/24, 10.0.0.0/24 }", "{ }"))).isEmpty();
  }

  @Test
  void namesElementsThatLackAndThatAreNotOurs() {
    assertThat(drift(full("{ 10.0.0.0/24, 10.0.3.0/24, 10.0.2.0/24 }", "{ 10.0.0.7 : drop }")))
        .containsExactly("set far4 lacks: 10.0.1.0/24", "set far4 has, not ours: 10.0.3.0/24");
    assertThat(drift(TERSE))
        .as("emptied")
        .containsExactly(
            "set far4 lacks: 10.0.0.0/24",
            "set far4 lacks: 10.0.1.0/24",
            "set far4 lacks: 10.0.2.0/24");
  }

  @Test
  void namesOtherDeclarationsAndRules() {
    assertThat(drift(ASKED.replace("\t\tflags interval\n", "")))
        .containsExactly("set far4 is declared otherwise");
    assertThat(drift(ASKED.replace("10.0.0.2 }", "10.0.0.3 }")))
        .hasSize(2)
        .allMatch(line -> line.startsWith("chain forward "));
    assertThat(drift("")).containsExactly("table inet gatehouse is gone: somebody has flushed it");
  }

  /** Generations of before kept the elements as the kernel listed them. */
  @Test
  void elementsThatWereListedCount() {
    String then = full("{ 10.0.0.0/24 }", "{ }");
    assertThat(Drift.rules(then, ASKED, then, SHAPE)).isEmpty();
    assertThat(Drift.rules(then, ASKED, ASKED, SHAPE))
        .containsExactly(
            "set far4 has, not ours: 10.0.1.0/24", "set far4 has, not ours: 10.0.2.0/24");
  }
}
