package io.gatehouse.apply;

import io.gatehouse.snapshot.Machine;
import io.gatehouse.snapshot.Snapshot;
import java.io.IOException;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** What is written down about this kernel and this namespace: the journal and the generations. */
final class Records {
  private final Machine machine;
  private final Directories directories;

  Records(Machine machine, Directories directories) {
    this.machine = machine;
    this.directories = directories;
  }

  /** The journal as far as it is about this kernel and this namespace. */
  Journal journal() {
    String boot = Snapshot.boot(machine);
    String namespace = Snapshot.namespace(machine);
    return Journal.read(directories)
        .filter(journal -> journal.isAbout(boot, namespace))
        .orElse(Journal.blank(boot, namespace));
  }

  /**
   * Another namespace of this boot has a generation in the same directory: it would be forgotten.
   */
  Optional<Outcome> elsewhere() {
    return Journal.read(directories)
        .filter(j ->
            j.boot().equals(Snapshot.boot(machine))
                && !j.namespace().equals(Snapshot.namespace(machine))
                && j.now() != 0)
        .map(j ->
            Outcome.refused(
                directories.state() + " belongs to another network namespace, " + j.namespace(),
                "name another directory with GATEHOUSE_STATE, or remove it there first"));
  }

  /** The generation that stands in this kernel, if one does. */
  Optional<Generation> standing() {
    Journal journal = journal();
    return journal.now() == 0 ? Optional.empty() : Generation.open(directories, journal.now());
  }

  /** The number of the next generation. */
  int next() {
    return Generation.numbers(directories).stream().max(Integer::compare).orElse(0) + 1;
  }

  /** Deletes what nobody needs any more. */
  void prune() throws IOException {
    List<Integer> needed = new ArrayList<>();
    needed.add(journal().now());
    standing()
        .ifPresent(generation -> {
          needed.add(generation.from());
          needed.add(generation.booted());
        });
    needed.add(atBoot());
    Generation.prune(directories, needed);
  }

  /** The generation that a boot loads; 0 for none. */
  int atBoot() {
    try {
      return Integer.parseInt(Files.readString(directories.state().resolve("boot")).strip());
    } catch (IOException | NumberFormatException e) {
      return 0;
    }
  }

  void forgetBoot() throws IOException {
    Files.deleteIfExists(directories.state().resolve("boot"));
  }
}
