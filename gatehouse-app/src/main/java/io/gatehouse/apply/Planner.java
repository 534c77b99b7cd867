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
    Standing standing = wanted.isPresent() ? Standing.read(machine) : Standing.shapeOf(machine);
    boolean tableStands =
        wanted.isPresent() && before.isPresent() && Drift.rules(before.get(), standing).isEmpty();
    return new Planned(snapshot, standing, change, wanted, before, was, tags, tableStands);
  }

  Forecast forecast(Planned planned, Ruleset ruleset) {
    return planned.forecast(ruleset, Snapshot.connections(machine));
  }
}
