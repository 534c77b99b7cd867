package io.gatehouse.apply;

import io.gatehouse.ruleset.Ruleset;
import io.gatehouse.snapshot.Connection;
import io.gatehouse.snapshot.Snapshot;
import java.util.List;
import java.util.Optional;

/**
 * A change of this host, computed and not carried out.
 *
 * @param snapshot the host as it was read
 * @param standing our table as it was read, without elements
 * @param change of everything beside nftables
 * @param wanted nothing for the host as it was before us
 * @param before the generation that stands, if one does
 * @param was what entries of ours carry that stand
 * @param tags what the new ones will carry
 */
record Planned(
    Snapshot snapshot,
    Standing standing,
    Change change,
    Optional<Ruleset> wanted,
    Optional<Generation> before,
    Tags was,
    Tags tags) {

  Forecast forecast(Ruleset ruleset, List<Connection> connections, boolean rulesDiffer) {
    return Forecast.of(change, snapshot, ruleset, connections, rulesDiffer);
  }
}
