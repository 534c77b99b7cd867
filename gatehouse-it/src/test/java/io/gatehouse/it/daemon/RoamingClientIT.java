package io.gatehouse.it.daemon;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.gatehouse.it.ClientWorld;
import io.gatehouse.it.Described;
import io.gatehouse.it.lab.Fate;
import io.gatehouse.it.lab.Feature;
import io.gatehouse.it.lab.Host;
import io.gatehouse.it.lab.Lab;
import io.gatehouse.it.lab.Network;
import io.gatehouse.it.lab.Sightings;
import java.time.Duration;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** A LAN behind a real charon whose server gives it another virtual IP each time. */
@Tag("full")
class RoamingClientIT {
  private static final String DESCRIPTION =
      """
      version: 1
      gateway: cabin
      interfaces:
        wan: { device: eth0, role: outside }
        lan: { device: eth1, role: inside, addresses: 10.0.1.1/24 }
      networks:
        cabin: { on: lan, prefixes: 10.0.1.0/24 }
      host:
        internet: cabin
      tunnels:
        hq:
          type: client
          server: 198.51.100.7
          ike: { connection: hq, child: net }
          address: 10.20.255.0/24
          remote: 10.20.0.0/16
          local: cabin
      """;

  /** A virtual IP; of the prefix that they are out of, the rules speak by themselves. */
  private static final Pattern HOST = Pattern.compile("10\\.20\\.255\\.[1-9][0-9]*");

  /** Of the LAN, and this host's own. */
  private static final List<String> INTO_IT =
      List.of(
          "lan udp from=pc to=hq dst=10.20.0.10:53",
          "files tcp from=pc to=hq dst=10.20.0.10:445 bytes=20000",
          "ours udp from=gw to=hq dst=10.20.0.10:54");

  private static final List<String> BESIDE =
      List.of("watch net", "internet udp from=pc to=net dst=203.0.113.1:53");

  private static String server(String address) {
    return """
    connections {
      home {
        version = 2
        local_addrs = 198.51.100.7
        pools = virtual
        local { auth = psk }
        remote { auth = psk }
        children { net { local_ts = 10.20.0.0/16 } }
      }
    }
    pools { virtual { addrs = %s/32 } }
    secrets { ike { secret = "lab" } }
    """
        .formatted(address);
  }

  @Test
  void theLanAppearsUnderTheAddressThatIsThereAndOtherwiseNotAtAll() {
    Lab lab = Lab.with(Feature.VETH, Feature.NFT_INET, Feature.NFT_IPSEC, Feature.ESP);
    try (Network net = lab.network(ClientWorld.WORLD)) {
      Host gateway = net.host("gw");
      Host server = net.host("hq");
      gateway.write("/etc/gw.yaml", DESCRIPTION);
      net.charon(new Network.Peer("gw", Described.of(DESCRIPTION).swanctl() + ClientWorld.OURS));
      gateway.script(L2tpClientsIT.START).expected();
      L2tpClientsIT.untilItFollows(gateway);
      assertNothingArrives(net, INTO_IT);

      for (String address : List.of("10.20.255.7", "10.20.255.9")) {
        net.charon(new Network.Peer("hq", server(address)));
        untilSessionAt(gateway, address);
        Sightings seen = probed(net, INTO_IT);
        for (String probe : List.of("lan", "files", "ours")) {
          assertThat(seen.of(probe).replied()).as(probe).isTrue();
          assertThat(seen.of(probe).from())
              .as(probe)
              .hasValueSatisfying(from -> assertThat(from).startsWith(address + ":"));
        }
        assertNothingInClear(seen);
        server.stopCharon();
        untilSessionAt(gateway, "");
        assertNothingArrives(net, INTO_IT);
      }

      // From elsewhere: this host alone has it, and nothing of the LAN leaves.
      net.charon(new Network.Peer("hq", server("10.20.7.7")));
      await()
          .atMost(Duration.ofMinutes(2))
          .untilAsserted(() ->
              assertThat(gateway.run("ip", "-4", "addr").expected().out()).contains("10.20.7.7"));
      assertNothingArrives(net, INTO_IT.subList(0, 2));
    }
  }

  private static Sightings probed(Network net, List<String> lines) {
    Sightings seen =
        net.probe(Stream.of(lines, BESIDE).flatMap(List::stream).toArray(String[]::new));
    assertThat(seen.of("internet").arrived()).as("what is not for the tunnel").isTrue();
    return seen;
  }

  private static void assertNothingArrives(Network net, List<String> lines) {
    Sightings seen = probed(net, lines);
    for (String line : lines) {
      assertThat(seen.of(line.substring(0, line.indexOf(' '))).arrived()).as(line).isFalse();
    }
    assertNothingInClear(seen);
  }

  private static void assertNothingInClear(Sightings seen) {
    for (Fate fate : seen.fates().values()) {
      if (!fate.probe().equals("internet")) {
        assertThat(fate.seenAt("net")).as(fate.toString()).isFalse();
      }
    }
  }

  /**
   * What the map knows; charon itself keeps the address of before while it asks for a new tunnel.
   *
   * @param address empty for none
   */
  private static void untilSessionAt(Host gateway, String address) {
    await()
        .atMost(Duration.ofMinutes(3))
        .untilAsserted(() -> {
          String table = gateway.run("nft", "list", "table", "inet", "gatehouse").expected().out();
          assertThat(HOST.matcher(table).results().map(MatchResult::group).distinct())
              .containsExactlyElementsOf(address.isEmpty() ? List.of() : List.of(address));
        });
  }
}
