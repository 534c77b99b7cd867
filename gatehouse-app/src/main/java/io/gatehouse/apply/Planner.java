package io.gatehouse.apply;

import io.gatehouse.model.Numbers;
import io.gatehouse.ruleset.Ruleset;
import io.gatehouse.snapshot.Machine;
import io.gatehouse.snapshot.Snapshot;
import java.util.Map;
import java.util.Optional;

/** Reads the host and computes changes of it; touches nothing. */
final class Planner {
  private final Machine machine;

  Planner(Machine machine) {
    this.machine = machine;
  }

  /**
   * The way to a ruleset.
   *
   * @param wanted nothing for the host as it was before us
   * @param before the generation that stands, if one does
   */
  Planned plan(Optional<Ruleset> wanted, Optional<Generation> before) {
    Snapshot snapshot = Snapshot.of(machine);
    Map<String, String> sysctls = Snapshot.sysctls(machine, Change.trees(wanted, before));
    Tags tags =
        wanted
            .map(ruleset -> Tags.of(ruleset.numbers()))
            .or(() -> before.map(Generation::tags))
            .orElse(Tags.of(Numbers.DEFAULT));
    // Where nothing of ours stands, what carries our number was left by us, as far as one can know.
    Tags was =
        before.filter(generation -> !generation.isEmpty()).map(Generation::tags).orElse(tags);
    Change change = Change.of(snapshot, wanted, before, was, tags, sysctls);
    // What is to go is the same whatever stands in its sets.
    return new Planned(snapshot, Standing.shapeOf(machine), change, wanted, before, was, tags);
  }

  /**
   * Whether our table is the one that a generation has put there, element by element: of ten
   * thousand peers that takes a second to read.
   */
  boolean tableStands(Generation generation) {
    return Drift.rules(generation, Standing.read(machine)).isEmpty();
  }

  /**
   * What carrying it out would do.
   *
   * @param rulesDiffer whether the table that stands is known to be another
   */
  Forecast forecast(Planned planned, Ruleset ruleset, boolean rulesDiffer) {
    return planned.forecast(ruleset, Snapshot.connections(machine), rulesDiffer);
  }
}
