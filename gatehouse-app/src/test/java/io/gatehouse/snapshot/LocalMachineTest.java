package io.gatehouse.snapshot;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What the machine itself says. */
class LocalMachineTest {
  @ParameterizedTest
  @ValueSource(
      strings = {
        "/proc/sys/kernel/pid_max",
        "/proc/sys/net/ipv4/ip_local_port_range",
        "/proc/sys/kernel/random/boot_id",
        "/proc/uptime"
      })
  void settingsAreReadWhole(String file) {
    LocalMachine machine = new LocalMachine();
    String shown = machine.run(List.of("cat", file), "", Duration.ofSeconds(10)).out();
    assertThat(machine.read(file))
        .hasValueSatisfying(
            read -> assertThat(read).hasSize(shown.stripTrailing().length()).matches("(?s).{4,}"));
  }
}
