package io.gatehouse.slowpath;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatehouse.compile.Compiler;
import io.gatehouse.compile.LiveMaps;
import io.gatehouse.generated.Descriptions;
import io.gatehouse.model.Gateway;
import io.gatehouse.netlink.Answer;
import io.gatehouse.netlink.Failure;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class StandingTest {
  private static final Gateway GATEWAY = Descriptions.example("vpn-masquerade.yaml");
  private static final LiveMaps.OfMasquerade MAPS =
      LiveMaps.of(GATEWAY, Compiler.compile(GATEWAY).ruleset()).masquerade().orElseThrow();

  /** Else its entries would count as none, and their zones as free. */
  @ParameterizedTest
  @ValueSource(strings = {"masq.zones", "masq.hosts", "masq.spis", "masq.cookies", "masq.watched"})
  void oneMapThatCannotBeReadIsNoReading(String name) {
    Failure busy = new Failure(16, Optional.empty());

    Answer<Standing> read =
        Standing.read(
            MAPS,
            map ->
                map.name().equals(name) ? new Answer.Failed<>(busy) : new Answer.Told<>(List.of()));

    assertThat(read).isEqualTo(new Answer.Failed<Standing>(busy));
  }
}
