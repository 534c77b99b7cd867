package io.gatehouse.verify;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatehouse.compile.Compiler;
import io.gatehouse.generated.Descriptions;
import io.gatehouse.model.Gateway;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The properties of the examples, and of descriptions drawn by lot. */
class ProofsTest {

  static List<String> examples() throws IOException {
    return Descriptions.examples();
  }

  private static List<Verdict> notProved(Gateway gateway) {
    return Proofs.of(gateway, Compiler.compile(gateway).ruleset()).stream()
        .filter(verdict -> !(verdict instanceof Verdict.Holds))
        .toList();
  }

  @ParameterizedTest
  @MethodSource("examples")
  void everyPropertyHoldsOnEveryExample(String example) {
    assertThat(notProved(Descriptions.example(example))).isEmpty();
  }

  @ParameterizedTest
  @ValueSource(strings = {"vpn-masquerade.yaml", "pptp.yaml"})
  void everyPropertyHoldsWhereTheGatewayOfVpnHostsHasTunnelsItself(String example) {
    String tunnels =
        "tunnels: { staff: { type: remote-access, pools: 10.0.3.0/24, reach: office } }";
    assertThat(
            notProved(
                Descriptions.changedExample(example, "masquerade:", tunnels + "\nmasquerade:")))
        .isEmpty();
  }

  @Test
  void everyPropertyHoldsOnDescriptionsDrawnByLot() {
    List<String> wrong = new ArrayList<>();
    for (int seed = 0; seed < 20; seed++) {
      for (Verdict verdict : notProved(Descriptions.gateway(seed))) {
        wrong.add("seed " + seed + ": " + verdict + "\n");
      }
    }
    assertThat(wrong).isEmpty();
  }
}
