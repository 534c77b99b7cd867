package io.gatehouse.it.compile;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.gatehouse.compile.Companion;
import io.gatehouse.it.ClientWorld;
import io.gatehouse.it.lab.Fate;
import io.gatehouse.it.lab.Feature;
import io.gatehouse.it.lab.Host;
import io.gatehouse.it.lab.Lab;
import io.gatehouse.it.lab.Network;
import io.gatehouse.it.lab.Sightings;
import java.time.Duration;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** A real charon as client of another, by our file alone, with everything in the tunnel. */
@Tag("full")
class ClientIT {
  private static final String SERVER =
      """
      connections {
        home {
          version = 2
          local_addrs = 198.51.100.7
          pools = virtual
          local { auth = psk }
          remote { auth = psk }
          children { net { local_ts = 0.0.0.0/0 } }
        }
      }
      pools { virtual { addrs = 10.20.255.7/32 } }
      secrets { ike { secret = "lab" } }
      """;

  private static final String[] INTO_IT = {
    "lan udp from=pc to=hq dst=10.20.0.10:53",
    "files tcp from=pc to=hq dst=10.20.0.10:445 bytes=20000",
    "ours udp from=gw to=hq dst=10.20.0.10:54"
  };

  /** The address that the server gives, while it has not. */
  private static final String[] FOR_VIRTUAL = {
    "host udp from=gw to=hq dst=10.20.255.7:56", "near udp from=pc to=hq dst=10.20.255.7:57"
  };

  @Test
  void aLanUsesTheTunnelOfARealClient() {
    Lab lab = Lab.with(Feature.VETH, Feature.NFT_INET, Feature.NFT_IPSEC, Feature.ESP);
    try (Network net = lab.network(ClientWorld.WORLD)) {
      Host gw = net.host("gw");
      Examples.load(gw, "full-client");
      // The server's host listens there, so that nothing but this one stops it.
      net.host("hq").run("ip", "address", "add", "10.20.255.7/32", "dev", "lo").expected();
      String[] down = Probes.and(Probes.none(Probes.and(INTO_IT, FOR_VIRTUAL)), "watch net");
      assertNothingInClear(Probes.sent(net, down));
      net.host("hq").run("ip", "address", "del", "10.20.255.7/32", "dev", "lo").expected();

      net.charon(
          new Network.Peer("hq", SERVER), new Network.Peer("gw", fragments() + ClientWorld.OURS));
      await()
          .atMost(Duration.ofMinutes(2))
          .untilAsserted(() ->
              assertThat(gw.run("swanctl", "--list-sas").expected().out()).contains("INSTALLED"));
      Sightings seen =
          Probes.sent(
              net,
              Probes.and(
                  INTO_IT,
                  "watch net",
                  "inside udp from=gw to=pc dst=10.0.1.20:7 src=10.0.1.1",
                  "admin tcp from=pc to=gw dst=10.0.1.1:22"));
      Probes.assertReplied(seen, "lan", "ours", "inside", "admin");
      Probes.assertFrom(seen, "lan", "10.20.255.7");
      Probes.assertFrom(seen, "ours", "10.20.255.7");
      assertNothingInClear(seen);
      assertThat(seen.esp("net", "gw")).isGreaterThan(8);
      gw.run("ping", "-q", "-c", "1", "-W", "20", "10.20.255.7").expected();

      gw.stopCharon();
      net.host("hq").run("ip", "address", "add", "10.20.255.7/32", "dev", "lo").expected();
      assertNothingInClear(Probes.sent(net, down));
      gw.run("nft", "flush", "ruleset").expected();
      assertNothingInClear(Probes.sent(net, down));
    }
  }

  private static void assertNothingInClear(Sightings seen) {
    for (Fate fate : seen.fates().values()) {
      assertThat(fate.seenAt("net")).as(fate.toString()).isFalse();
    }
  }

  private static String fragments() {
    return Examples.described("full-client").companions().stream()
        .filter(Companion.SwanctlFragment.class::isInstance)
        .map(Companion::text)
        .collect(Collectors.joining("\n"));
  }
}
