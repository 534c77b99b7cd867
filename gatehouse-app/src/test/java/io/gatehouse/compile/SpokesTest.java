package io.gatehouse.compile;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatehouse.generated.Descriptions;
import io.gatehouse.model.Gateway;
import io.gatehouse.model.Located;
import io.gatehouse.model.Prefix;
import io.gatehouse.model.Selectors;
import io.gatehouse.model.Tunnel;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Two descriptions of one tunnel, one for each end, have each other's selectors. */
class SpokesTest {
  private static void agree(Gateway one, String name, String networks, String tunnel) {
    Gateway other =
        Descriptions.gateway(
            "spoke.yaml",
            """
            version: 1
            gateway: spoke
            interfaces:
              wan: { device: eth0, role: outside }
              lan: { device: eth1, role: inside }
            networks: { %s }
            tunnels: { hub: %s }
            """
                .formatted(networks, tunnel));
    Tunnel here = one.tunnel(name).orElseThrow();
    Tunnel there = other.tunnel("hub").orElseThrow();
    assertThat(new Selectors(one).local(here)).containsExactlyInAnyOrderElementsOf(remote(there));
    assertThat(new Selectors(other).local(there)).containsExactlyInAnyOrderElementsOf(remote(here));
  }

  private static List<Prefix> remote(Tunnel tunnel) {
    return tunnel.farPrefixes().stream().map(Located::value).toList();
  }

  @Test
  void aSpokeNamesTheOfficeAndTheSpokesThatItReachesOrThatReachIt() {
    Gateway hub = Descriptions.example("hub-and-spokes.yaml");
    agree(
        hub,
        "north",
        "north: { on: lan, prefixes: [10.20.0.0/16, 10.30.0.0/16] }",
        "{ type: site-to-site, peer: 192.0.2.2, local: north, remote: [10.0.1.0/24, 10.40.0.0/16] }");
    agree(
        hub,
        "south",
        "south: { on: lan, prefixes: 10.40.0.0/16 }",
        "{ type: site-to-site, peer: 192.0.2.2, local: south, remote: [10.0.1.0/24, 10.20.0.0/16, 10.30.0.0/16] }");
    agree(
        hub,
        "east",
        "east: { on: lan, prefixes: 10.50.0.0/16 }",
        "{ type: site-to-site, peer: 192.0.2.2, local: east, remote: 10.0.1.0/24 }");
  }

  @Test
  void networksWithTheSameAddressesHaveEachOthersImagesAsSelectors() {
    agree(
        Descriptions.example("same-network.yaml"),
        "merged",
        "theirs: { on: lan, prefixes: [10.0.1.0/24, \"fd00:1::/64\"] }",
        "{ type: site-to-site, peer: 203.0.113.2, local: theirs, appears-as: [10.99.2.0/24, \"fd00:99:2::/64\"],"
            + " remote: [10.99.1.0/24, \"fd00:99:1::/64\"] }");
  }
}
