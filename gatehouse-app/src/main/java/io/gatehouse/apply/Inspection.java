package io.gatehouse.apply;

import io.gatehouse.snapshot.Machine;
import io.gatehouse.snapshot.Snapshot;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/** Compares the kernel with what was put there; touches nothing. */
final class Inspection {
  private final Machine machine;
  private final Records records;

  Inspection(Machine machine, Records records) {
    this.machine = machine;
    this.records = records;
  }

  Status status() {
    Journal journal = records.journal();
    Optional<Generation> standing = records.standing().filter(generation -> !generation.isEmpty());
    List<String> drift = new ArrayList<>();
    List<String> waiting = new ArrayList<>();
    List<String> inTheWay = new ArrayList<>();
    standing.ifPresent(generation -> compare(generation, drift, waiting, inTheWay));
    return new Status(
        standing.flatMap(generation -> generation.meta("gateway")),
        standing.map(Generation::number).orElse(0),
        standing.flatMap(generation -> generation.meta("time")),
        journal.doing().isPresent(),
        journal
            .waiting()
            .map(w -> OptionalLong.of(Math.max(0, w.until() - Hand.uptime())))
            .orElse(OptionalLong.empty()),
        records.atBoot(),
        drift,
        waiting,
        Culprits.of(machine, drift),
        inTheWay);
  }

  private void compare(
      Generation generation, List<String> drift, List<String> waiting, List<String> inTheWay) {
    drift.addAll(Drift.rules(generation, Standing.read(machine)));
    Snapshot snapshot = Snapshot.of(machine);
    snapshot.unread().forEach(command -> drift.add("not known, cannot be read: " + command));
    inTheWay.addAll(Foreign.warnings(snapshot, generation.inside(), generation.hasTunnels()));
    List<Wish> wishes = generation.wishes();
    Map<String, String> settings =
        Snapshot.sysctls(
            machine,
            wishes.stream()
                .filter(wish -> wish.kind() == Wish.Kind.SYSCTL)
                .map(Wish::key)
                .toList());
    Drift.entries(wishes, snapshot, settings, generation.tags(), drift, waiting);
  }
}
