package io.gatehouse.apply;

import io.gatehouse.ruleset.IpText;
import io.gatehouse.ruleset.Ruleset;
import io.gatehouse.snapshot.Connection;
import io.gatehouse.snapshot.Snapshot;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/**
 * What applying a ruleset would do to this host.
 *
 * @param missing what the host lacks; then the rest is empty
 * @param conflicts why it would be refused
 * @param different whether anything would change
 * @param changes entries and settings that would be added, removed or written, a line each
 * @param connections connections that would keep an old address translation and are ended, a line
 *     each
 * @param stale the same as arguments of {@code conntrack -D}
 * @param warnings what others' rules would do to ours, and what waits for its device
 */
public record Forecast(
    List<String> missing,
    List<String> conflicts,
    boolean different,
    List<String> changes,
    List<String> connections,
    List<String> stale,
    List<String> warnings) {

  public Forecast {
    missing = List.copyOf(missing);
    conflicts = List.copyOf(conflicts);
    changes = List.copyOf(changes);
    connections = List.copyOf(connections);
    stale = List.copyOf(stale);
    warnings = List.copyOf(warnings);
  }

  /** A line for each command that did not say what stands. */
  static List<String> unread(Snapshot snapshot) {
    return snapshot.unread().stream()
        .map(command -> "cannot read what stands: " + command)
        .toList();
  }

  static Forecast lacking(List<String> missing) {
    return new Forecast(missing, List.of(), true, List.of(), List.of(), List.of(), List.of());
  }

  static Forecast of(
      Change change,
      Snapshot snapshot,
      Ruleset ruleset,
      List<Connection> connections,
      boolean rulesDiffer) {
    List<String> changes = new ArrayList<>();
    change.removed().forEach(entry -> changes.add("- " + Entries.named(entry)));
    change.added().forEach(entry -> changes.add("+ " + Entries.named(entry)));
    change.policiesRemoved().forEach(policy -> changes.add("- " + IpText.add(policy)));
    change.policiesAdded().forEach(policy -> changes.add("+ " + IpText.add(policy)));
    change
        .settings()
        .changes()
        .forEach(v -> changes.add("%s %s -> %s".formatted(v.key(), v.before(), v.after())));
    StaleConnections.Found found = StaleConnections.of(connections, ruleset, snapshot);
    List<Connection> stale = found.connections();
    List<String> warnings = new ArrayList<>(Foreign.warnings(snapshot, ruleset));
    if (!found.complete()) {
      warnings.add(
          "! the rules are too large to tell connections with an old translation: none are ended");
    }
    return new Forecast(
        List.of(),
        Stream.concat(unread(snapshot).stream(), change.conflicts().stream()).toList(),
        rulesDiffer || !change.changesNothing(),
        changes,
        stale.stream().map(StaleConnections::text).toList(),
        stale.stream().map(StaleConnections::arguments).toList(),
        warnings);
  }
}
