package io.gatehouse.simulator;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatehouse.masquerade.Method;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The comparison of the ways to find a host: short here, whole with the tag `full`. */
class SimulationTest {
  private static final int SEEDS = 30;

  @Test
  void theSameSeedTheSameRun() {
    Scenario scenario = Scenario.all().get(4).shortened();

    assertThat(Simulation.run(scenario, Method.EVIDENCE, 5))
        .isEqualTo(Simulation.run(scenario, Method.EVIDENCE, 5))
        .isNotEqualTo(Simulation.run(scenario, Method.EVIDENCE, 6));
  }

  @Test
  void oursBindsWrongATwentiethAsOftenAtMostAndBlocksNobody() {
    double serialised = 0;
    double fifo = 0;
    double evidence = 0;
    for (Scenario scenario : Scenario.all()) {
      Scenario small = scenario.shortened();
      serialised += Simulation.run(small, Method.SERIALISED, 1).wrongPercent();
      fifo += Simulation.run(small, Method.FIFO, 1).wrongPercent();
      Outcome ours = Simulation.run(small, Method.EVIDENCE, 1);
      evidence += ours.wrongPercent();
      assertThat(ours.sas()).as(scenario.name()).isGreaterThan(20);
      assertThat(ours.lasting()).as(scenario.name()).isZero();
      assertThat(ours.longestHold()).as(scenario.name()).isLessThan(1000);
      assertThat(ours.unreached()).as(scenario.name()).isLessThan(ours.arrived() / 200);
      if (!scenario.hostile()) { // who makes SPIs all the time runs into its limit
        assertThat(ours.blocked()).as(scenario.name()).isZero();
      }
    }
    assertThat(evidence).isLessThan(serialised / 20).isLessThan(fifo / 20);
  }

  @Tag("full")
  @Test
  void theWholeComparison() throws IOException {
    List<String> table = new Comparison(SEEDS).table();

    List<String> page = new ArrayList<>();
    page.add("# Masquerade, simulated");
    page.add("");
    page.add(
        SEEDS
            + " seeds each; the mean with the half of its 95 % interval, the longest of all seeds."
            + " What is simulated, and what the columns mean, is in [masquerade.md](../masquerade.md).");
    page.add("");
    page.addAll(table);
    Path home = Path.of(System.getProperty("gatehouse.home", ".."));
    Files.write(home.resolve("docs/results/masquerade.md"), page);

    assertThat(table).hasSize(2 + 3 * Scenario.all().size());
  }
}
