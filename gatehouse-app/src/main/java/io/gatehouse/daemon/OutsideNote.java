package io.gatehouse.daemon;

import io.gatehouse.model.Address;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * A file with the outside addresses of this host, one to a line, that outlives the daemon but not
 * the boot: so that an address which goes while no daemon runs is missed by the next. Without it,
 * nothing is known to have gone.
 */
record OutsideNote(Path file) {

  /** What was told last. */
  Set<Address> told() {
    try {
      return Files.readAllLines(file).stream()
          .map(Address::parse)
          .flatMap(Optional::stream)
          .collect(Collectors.toUnmodifiableSet());
    } catch (IOException | RuntimeException e) {
      return Set.of();
    }
  }

  /** Written beside and moved: it is whole whenever we die. */
  void tell(Set<Address> addresses) {
    Path fresh = file.resolveSibling(file.getFileName() + ".new");
    try {
      Files.write(fresh, addresses.stream().map(Address::toString).sorted().toList());
      Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    } catch (IOException e) {
      // The next change, or the next daemon, tries again.
    }
  }
}
