package io.gatehouse.it.daemon;

import static io.gatehouse.it.lab.OwnNamespace.sh;
import static org.assertj.core.api.Assertions.assertThat;

import io.gatehouse.it.lab.Lab;
import io.gatehouse.it.lab.OwnNamespace;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What the unit of docs/daemon.md lets the daemon do has to suffice for all that it does. */
@Timeout(180)
class CapabilitiesIT {
  private static final String LINE = "CapabilityBoundingSet=";

  @TempDir Path directory;

  /** As setpriv writes it. */
  private static String boundingSet() throws IOException {
    String words =
        Files.readAllLines(Lab.HOME.resolve("docs/daemon.md")).stream()
            .filter(line -> line.startsWith(LINE))
            .findFirst()
            .orElseThrow();
    return Arrays.stream(words.substring(LINE.length()).split(" ", -1))
        .map(word -> ",+" + word.substring("CAP_".length()).toLowerCase(Locale.ROOT))
        .collect(Collectors.joining("", "-all", ""));
  }

  @Test
  void theUnitLetsAMasqueradeWork() {
    OwnNamespace.in(() -> {
      sh(
          """
          ip link set lo up
          for each in eth0 eth1; do
            ip link add $each type veth peer name far$each
            ip link set $each up; ip link set far$each up
          done
          ip addr add 203.0.113.2/24 dev eth0
          ip addr add 10.0.1.1/24 dev eth1
          """);
      Gatehouse gatehouse =
          new Gatehouse(
              directory,
              directory.resolve("charon.vici"),
              Lab.HOME.resolve("examples/vpn-masquerade.yaml"));
      try {
        gatehouse.runBy(List.of("setpriv", "--bounding-set", boundingSet(), "--no-new-privs"));

        assertThat(gatehouse.ask("masquerade", "status"))
            .contains("0 hosts, 0 IKE sessions")
            .doesNotContain("!");
      } finally {
        gatehouse.end();
      }
    });
  }
}
