package io.gatehouse.it.compile;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatehouse.compile.Companion;
import io.gatehouse.it.lab.Fate;
import io.gatehouse.it.lab.Feature;
import io.gatehouse.it.lab.Host;
import io.gatehouse.it.lab.Lab;
import io.gatehouse.it.lab.Network;
import io.gatehouse.it.lab.Sightings;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/**
 * Peers that are named, one of them amidst its own remote network, and a gateway whose own output
 * is closed: strongSwan takes what belongs to the description, and routes as it likes.
 */
class PeerAmidstIT {
  private static final String WORLD =
      """
      wire gw:eth0 203.0.113.2/24 -- net:gw 203.0.113.1/24
      wire gw:eth1 10.0.1.1/24 -- pc:eth0 10.0.1.20/24
      wire net:branch 198.51.100.1/24 -- branch:eth0 198.51.100.7/24 198.51.100.77/32 10.20.0.10/32
      wire net:partner 192.0.2.1/24 -- partner:eth0 192.0.2.2/24 192.0.2.200/24
      route gw default via 203.0.113.1
      route pc default via 10.0.1.1
      route branch default via 198.51.100.1
      route partner default via 192.0.2.1
      route net 10.0.0.0/8 via 203.0.113.2
      set net net.ipv4.ip_forward=1
      """;

  private static final String OURS =
      """
      connections {
        branch {
          local { auth = psk }
          remote { auth = psk }
        }
        partner {
          local { auth = psk }
          remote { auth = psk }
        }
      }
      secrets { ike { secret = "lab" } }
      """;

  private static final String THEIRS =
      """
      connections {
        office {
          version = 2
          local_addrs = 198.51.100.7
          remote_addrs = 203.0.113.2
          local { auth = psk }
          remote { auth = psk }
          children {
            office {
              local_ts = 10.20.0.0/16, 198.51.100.0/24
              remote_ts = 10.0.1.0/24
            }
          }
        }
      }
      secrets { ike { secret = "lab" } }
      """;

  @Test
  void namedPeersAndNobodyElse() {
    Lab lab = Lab.with(Feature.VETH, Feature.NFT_INET, Feature.NFT_IPSEC, Feature.ESP);
    try (Network net = lab.network(WORLD)) {
      Host gw = net.host("gw");
      Examples.load(gw, "named-peers");
      Sightings strangers =
          Probes.sent(
              net,
              "ike udp from=partner to=gw dst=203.0.113.2:500 src=192.0.2.2:500",
              "ike-any-port udp from=partner to=gw dst=203.0.113.2:4500 src=192.0.2.2:4711",
              "esp ip from=partner to=gw dst=203.0.113.2 src=192.0.2.2",
              "no-ah ip from=partner to=gw dst=203.0.113.2 src=192.0.2.2 proto=51",
              "no-other-port udp from=partner to=gw dst=203.0.113.2:501 src=192.0.2.2:501",
              "no-ike-to-inside udp from=partner to=gw dst=10.0.1.1:500 src=192.0.2.2:502",
              "no-stranger udp from=partner to=gw dst=203.0.113.2:500 src=192.0.2.200:500",
              "no-stranger-esp ip from=partner to=gw dst=203.0.113.2 src=192.0.2.200");
      Probes.assertReplied(strangers, "ike", "ike-any-port");
      Probes.sent(
          net,
          "ours udp from=gw to=partner dst=192.0.2.2:4711 src=203.0.113.2:4500",
          "no-ours udp from=gw to=partner dst=192.0.2.200:4711 src=203.0.113.2:500");

      net.charon(new Network.Peer("gw", fragments() + OURS), new Network.Peer("branch", THEIRS));
      net.host("branch").initiate("office").expected();

      gw.run("ip", "link", "set", "eth1", "mtu", "1300").expected();
      Sightings seen =
          Probes.sent(
              net,
              "watch gw net",
              "behind udp from=pc to=branch dst=198.51.100.77:53",
              "peer-itself udp from=pc to=branch dst=198.51.100.7:53",
              "far udp from=branch to=pc dst=10.0.1.20:445 src=10.20.0.10",
              "from-peer udp from=branch to=pc dst=10.0.1.20:446 src=198.51.100.7",
              "no-to-peer udp from=gw to=branch dst=198.51.100.7:53 src=203.0.113.2",
              "no-to-behind udp from=gw to=branch dst=198.51.100.77:54 src=203.0.113.2",
              // This host's own errors into the tunnel, and what it has no leave to send there.
              "no-large udp from=branch to=pc dst=10.0.1.20:447 src=10.20.0.10 df size=1350",
              "no-hops udp from=branch to=pc dst=10.0.1.20:448 src=10.20.0.10 ttl=1",
              "no-ping icmp from=gw to=branch dst=10.20.0.10 src=10.0.1.1",
              "no-unlisted ip from=gw to=branch dst=10.20.0.10 src=10.0.1.1 proto=1");
      Probes.assertReplied(seen, "behind", "peer-itself", "far", "from-peer");
      for (Fate fate : seen.fates().values()) {
        assertThat(fate.seenAt("net")).as(fate.toString()).isFalse();
      }
      assertThat(seen.of("no-large").details())
          .containsEntry("icmp", "3/4")
          .containsEntry("offender", "10.0.1.1")
          .containsEntry("mtu", "1300");
      assertThat(seen.of("no-hops").details())
          .containsEntry("icmp", "11/0")
          .containsEntry("offender", "10.0.1.1");
      assertThat(seen.esp("net", "gw")).isGreaterThan(8);
    }
  }

  private static String fragments() {
    return Examples.described("named-peers").companions().stream()
        .filter(Companion.SwanctlFragment.class::isInstance)
        .map(Companion::text)
        .collect(Collectors.joining("\n"));
  }
}
