package io.gatehouse.it.daemon;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.gatehouse.it.Described;
import io.gatehouse.it.lab.Feature;
import io.gatehouse.it.lab.Host;
import io.gatehouse.it.lab.Lab;
import io.gatehouse.it.lab.Network;
import java.time.Duration;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Who proved an EAP identity to a real charon is in his group, as long as he is there. */
@Tag("full")
class GroupsIT {
  static final String DESCRIPTION =
      """
      version: 1
      gateway: groups
      interfaces:
        wan: { device: eth0, role: outside, addresses: 203.0.113.2/24 }
        lan: { device: eth1, role: inside, addresses: 10.0.1.1/24 }
      networks:
        office: { on: lan, prefixes: 10.0.1.0/24 }
      tunnels:
        staff:
          type: remote-access
          pools: 10.0.3.0/24
          esp: { proposals: [aes128gcm16] }
          reach: office/tcp/80
          groups:
            finance: { match: { eap-id: "*@fin.example.org" }, reach: [office/tcp/80, office/tcp/1433] }
      """;

  static final String SECRETS =
      """
      secrets {
        eap-anna { id = anna@fin.example.org
          secret = "lab" }
        eap-eve { id = eve@elsewhere.example.org
          secret = "lab" }
        ike { secret = "lab" }
      }
      """;

  static final String AUTHENTICATION =
      """
      connections {
        staff {
          local { auth = psk
            id = gw }
          remote { auth = eap-md5 }
        }
      }
      """;

  static String client(String identity) {
    return """
    connections {
      office {
        version = 2
        remote_addrs = 203.0.113.2
        vips = 0.0.0.0
        local { auth = eap-md5
          id = %s }
        remote { auth = psk
          id = gw }
        children {
          net {
            remote_ts = 0.0.0.0/0
            esp_proposals = aes128gcm16
          }
        }
      }
    }
    """
            .formatted(identity)
        + SECRETS;
  }

  @Test
  void membersAreInTheirGroupAndOthersAreNot() {
    Lab lab = Lab.with(Feature.VETH, Feature.BRIDGE, Feature.ESP);
    try (Network net =
        lab.network(
            """
            wire gw:eth0 203.0.113.2/24 -- anna:eth0 203.0.113.20/24 -- eve:eth0 203.0.113.30/24
            wire gw:eth1 10.0.1.1/24 -- files:eth0 10.0.1.20/24
            route files default via 10.0.1.1
            """)) {
      net.charon(
          new Network.Peer("gw", Described.of(DESCRIPTION).swanctl() + AUTHENTICATION + SECRETS),
          new Network.Peer("anna", client("anna@fin.example.org")),
          new Network.Peer("eve", client("eve@elsewhere.example.org")));
      Host gateway = net.host("gw");
      gateway.write("/etc/gw.yaml", DESCRIPTION);
      gateway.script(L2tpClientsIT.START).expected();
      L2tpClientsIT.untilItFollows(gateway);

      net.host("anna").initiate("net").expected();
      net.host("eve").initiate("net").expected();
      untilMembers(gateway, true);
      String sessions = gateway.gatehouse("sessions").expected().out();
      assertThat(sessions)
          .contains("anna@fin.example.org", "group finance", "eve@elsewhere", "2 sessions");
      assertThat(members(gateway).lines().filter(line -> line.contains("goto"))).hasSize(1);

      // MOBIKE: she goes on from another address, in the same group.
      assertThat(reachesThePort(net)).isTrue();
      net.host("anna")
          .script(
              """
              sysctl -qw net.ipv4.conf.eth0.promote_secondaries=1
              ip addr add 203.0.113.25/24 dev eth0
              ip addr del 203.0.113.20/24 dev eth0
              """)
          .expected();
      await()
          .atMost(Duration.ofMinutes(2))
          .untilAsserted(() ->
              assertThat(gateway.gatehouse("sessions").expected().out())
                  .contains("203.0.113.25", "group finance")
                  .doesNotContain("203.0.113.20"));
      assertThat(reachesThePort(net)).isTrue();
      untilMembers(gateway, true);

      net.host("anna").run("swanctl", "--terminate", "--ike", "office").expected();
      untilMembers(gateway, false);
    }
  }

  /** The port that is for her group alone. */
  private static boolean reachesThePort(Network net) {
    return net.probe("hers tcp from=anna to=files dst=10.0.1.20:1433 src=10.0.3.1")
        .of("hers")
        .arrived();
  }

  private static String members(Host gateway) {
    return gateway
        .run("nft", "list", "map", "inet", "gatehouse", "from_staff.groups4")
        .expected()
        .out();
  }

  static void untilMembers(Host gateway, boolean some) {
    await()
        .atMost(Duration.ofMinutes(3))
        .untilAsserted(
            () -> assertThat(members(gateway).contains("goto from_staff.finance")).isEqualTo(some));
  }
}
