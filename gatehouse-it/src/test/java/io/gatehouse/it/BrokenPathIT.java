package io.gatehouse.it;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatehouse.it.lab.Feature;
import io.gatehouse.it.lab.Lab;
import io.gatehouse.it.lab.Network;
import io.gatehouse.it.lab.Sightings;
import io.gatehouse.model.Family;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestMethodOrder;

/**
 * Two gateways, both described to Gatehouse, with a narrow link between them whose routers never
 * tell anybody that a packet was too big.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class BrokenPathIT {
  private static final String NET =
      """
      wire office:eth0 203.0.113.9/24 -- west:office 203.0.113.1/24
      wire west:narrow 192.0.2.1/24 mtu=1400 -- east:narrow 192.0.2.2/24 mtu=1400
      wire branch:eth0 198.51.100.7/24 -- east:branch 198.51.100.1/24
      wire office:eth1 10.0.1.1/24 2001:db8:1::1/64 -- files:eth0 10.0.1.20/24 2001:db8:1::20/64
      wire branch:eth1 10.20.0.1/16 2001:db8:20::1/64 -- pc:eth0 10.20.0.5/16 2001:db8:20::5/64
      route office default via 203.0.113.1
      route office 2001:db8:20::/64 dev eth0
      route branch default via 198.51.100.1
      route branch 2001:db8:1::/64 dev eth0
      route west default via 192.0.2.2
      route east default via 192.0.2.1
      route files default via 10.0.1.1
      route files default via 2001:db8:1::1
      route pc default via 10.20.0.1
      route pc default via 2001:db8:20::1
      set west net.ipv4.ip_forward=1
      set east net.ipv4.ip_forward=1
      set office net.ipv4.ip_forward=1
      set office net.ipv6.conf.all.forwarding=1
      set branch net.ipv4.ip_forward=1
      set branch net.ipv6.conf.all.forwarding=1
      """;

  private static final String DESCRIPTION =
      """
      version: 1
      gateway: %s
      interfaces:
        wan: { device: eth0, role: outside, addresses: %s, router-advertisements: false, mtu: 1400 }
        lan: { device: eth1, role: inside, addresses: [%s] }
      networks:
        here: { on: lan, prefixes: [%s] }
      tunnels:
        vpn:
          type: site-to-site
          peer: %s
          local: here
          remote: [%s]
          esp: { proposals: [aes256-sha256-x25519], encapsulation: never }
      """;

  private static final Described OFFICE =
      Described.of(
          DESCRIPTION.formatted(
              "office",
              "203.0.113.9/24",
              "10.0.1.1/24, \"2001:db8:1::1/64\"",
              "10.0.1.0/24, \"2001:db8:1::/64\"",
              "198.51.100.7",
              "10.20.0.0/16, \"2001:db8:20::/64\""));
  private static final Described BRANCH =
      Described.of(
          DESCRIPTION.formatted(
              "branch",
              "198.51.100.7/24",
              "10.20.0.1/16, \"2001:db8:20::1/64\"",
              "10.20.0.0/16, \"2001:db8:20::/64\"",
              "203.0.113.9",
              "10.0.1.0/24, \"2001:db8:1::/64\""));

  /** What the operator adds to a fragment, in the sections that it names. */
  private static final String AUTHENTICATION =
      """
      connections {
        vpn {
          local { auth = psk }
          remote { auth = psk }
        }
      }
      secrets { ike { secret = "lab" } }
      """;

  private static final String[] TRANSFERS = {
    "watch pc files",
    "quiet 4",
    "up4 tcp from=pc to=files dst=10.0.1.20:4451 bytes=200000",
    "down4 tcp from=files to=pc dst=10.20.0.5:4452 bytes=200000",
    "up6 tcp from=pc to=files dst=[2001:db8:1::20]:4453 bytes=200000",
    "down6 tcp from=files to=pc dst=[2001:db8:20::5]:4454 bytes=200000",
  };

  private Network net;

  @BeforeAll
  void layTheWires() {
    net = Lab.with(Feature.VETH, Feature.NFT_INET, Feature.NFT_IPSEC, Feature.ESP).network(NET);
    for (String router : List.of("west", "east")) {
      net.host(router)
          .nft(
              """
              table ip silent {
                chain out {
                  type filter hook output priority 0
                  ip protocol icmp drop
                }
              }
              """);
    }
    net.host("office").nft(OFFICE.nft());
    net.host("branch").nft(BRANCH.nft());
    net.charon(
        new Network.Peer("office", OFFICE.swanctl() + AUTHENTICATION),
        new Network.Peer("branch", BRANCH.swanctl() + AUTHENTICATION));
  }

  @AfterAll
  void takeTheWiresAway() {
    if (net != null) {
      net.close();
    }
  }

  @Test
  @Order(1)
  void theFragmentsOfBothEndsMakeATunnelThatTheRulesAccept() {
    net.host("office").initiate("vpn").expected();
    Sightings sightings =
        net.probe(
            "watch east",
            "there4 icmp from=files to=pc dst=10.20.0.5",
            "there6 icmp from=files to=pc dst=2001:db8:20::5",
            "back4 udp from=pc to=files dst=10.0.1.20:53",
            "back6 udp from=pc to=files dst=[2001:db8:1::20]:53");
    for (String probe : List.of("there4", "there6", "back4", "back6")) {
      assertThat(sightings.of(probe).replied()).as(probe).isTrue();
      assertThat(sightings.of(probe).seenAt("east")).as(probe).isFalse();
    }
  }

  @Test
  @Order(2)
  void bothDirectionsAnnounceWhatTheArithmeticSaysAndLargeTransfersPass() {
    Sightings sightings = net.probe(TRANSFERS);
    for (Family family : Family.values()) {
      int mss = OFFICE.mss().reckoned(family);
      // 1400 less IP, ESP, IV, ICV and trailer, in whole blocks, less the inner headers.
      assertThat(mss).isEqualTo(family == Family.V4 ? 1286 : 1266);
      String digit = family == Family.V4 ? "4" : "6";
      assertThat(sightings.of("up" + digit).syn())
          .contains("files/eth0/in/syn/" + mss, "pc/eth0/in/synack/" + mss);
      assertThat(sightings.of("down" + digit).syn())
          .contains("pc/eth0/in/syn/" + mss, "files/eth0/in/synack/" + mss);
    }
    for (String transfer : List.of("up4", "down4", "up6", "down6")) {
      assertThat(sightings.of(transfer).details())
          .as(transfer)
          .containsEntry("sent", "200000")
          .containsEntry("received", "200000");
    }
  }

  /** The control: the same transfers, the clamp's chain empty. */
  @Test
  @Order(3)
  void withoutTheClampTheSameTransfersStall() {
    for (String gateway : List.of("office", "branch")) {
      net.host(gateway).run("nft", "flush", "chain", "inet", "gatehouse", "mss").expected();
    }
    Sightings sightings = net.probe(TRANSFERS);
    for (String transfer : List.of("up4", "down4", "up6", "down6")) {
      assertThat(sightings.of(transfer).replied()).as("%s shakes hands", transfer).isTrue();
      assertThat(Integer.parseInt(sightings.of(transfer).details().get("received")))
          .as(transfer)
          .isLessThan(200_000);
    }
  }
}
