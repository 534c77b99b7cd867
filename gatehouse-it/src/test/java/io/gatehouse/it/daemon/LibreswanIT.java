package io.gatehouse.it.daemon;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.gatehouse.it.lab.Feature;
import io.gatehouse.it.lab.Host;
import io.gatehouse.it.lab.Lab;
import io.gatehouse.it.lab.Network;
import java.time.Duration;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * A gateway whose IKE daemon is libreswan: its updown hook is `gatehouse updown`, and says who is
 * there and who has left.
 */
@Tag("full")
class LibreswanIT {
  private static final String SECRET = "0123456789abcdef0123456789abcdef";

  private static final String DESCRIPTION =
      """
      version: 1
      gateway: hooked
      interfaces:
        wan: { device: eth0, role: outside, addresses: 203.0.113.2/24 }
        lan: { device: eth1, role: inside, addresses: 10.0.1.1/24 }
      networks:
        office: { on: lan, prefixes: 10.0.1.0/24 }
      tunnels:
        staff:
          type: remote-access
          pools: 10.0.3.0/24
          reach: office/tcp/80
          groups:
            finance: { match: { ike-id: "*@fin.example.org" }, reach: [office/tcp/80, office/tcp/1433] }
      """;

  /** As docs/daemon.md has it: our hook in the place of libreswan's. */
  private static final String PLUTO =
      """
      config setup
      conn staff
        authby=secret
        ikev2=yes
        ike=aes128-sha2_256-dh31
        esp=aes_gcm128
        narrowing=yes
        leftmodecfgserver=yes
        rightmodecfgclient=yes
        pfs=no
        left=203.0.113.2
        leftid=@gw
        leftsubnet=10.0.1.0/24
        right=%%any
        rightaddresspool=10.0.3.1-10.0.3.9
        rightid=anna@fin.example.org
        leftupdown="env GATEHOUSE_BUILD=never %s updown"
        auto=add
      """
          .formatted(Lab.HOME.resolve("gatehouse"));

  private static final String CLIENT =
      """
      connections {
        office {
          version = 2
          remote_addrs = 203.0.113.2
          vips = 0.0.0.0
          proposals = aes128-sha256-x25519
          local { auth = psk
            id = anna@fin.example.org }
          remote { auth = psk
            id = gw }
          children {
            net {
              remote_ts = 10.0.1.0/24
              esp_proposals = aes128gcm16
            }
          }
        }
      }
      secrets { ike { secret = "%s" } }
      """
          .formatted(SECRET);

  @Test
  void itsHookSaysWhoIsThere() {
    Lab lab = Lab.with(Feature.VETH, Feature.ESP);
    try (Network net =
        lab.network(
            """
            host gw beside libreswan
            wire gw:eth0 203.0.113.2/24 -- anna:eth0 203.0.113.20/24
            wire gw:eth1 10.0.1.1/24 -- files:eth0 10.0.1.20/24
            route gw 10.0.3.0/24 via 203.0.113.20
            route files default via 10.0.1.1
            """)) {
      Host gateway = net.host("gw");
      gateway.write("/etc/gw.yaml", DESCRIPTION);
      gateway.script(L2tpClientsIT.START).expected();
      gateway.write("/etc/pluto.conf", PLUTO);
      gateway.run("lab-pluto", "start", "/etc/pluto.conf", SECRET).expected();
      net.charon(new Network.Peer("anna", CLIENT));
      L2tpClientsIT.untilItFollows(gateway);

      net.host("anna").initiate("net").expected();
      GroupsIT.untilMembers(gateway, true);
      assertThat(gateway.gatehouse("sessions").expected().out())
          .contains("staff  anna@fin.example.org", "group finance", "1 session");
      assertThat(
              net.probe("hers tcp from=anna to=files dst=10.0.1.20:1433 src=10.0.3.1")
                  .of("hers")
                  .arrived())
          .isTrue();

      net.host("anna").run("swanctl", "--terminate", "--ike", "office").expected();
      GroupsIT.untilMembers(gateway, false);
      await()
          .atMost(Duration.ofMinutes(1))
          .untilAsserted(() ->
              assertThat(gateway.gatehouse("sessions").expected().out()).contains("0 sessions"));
    }
  }
}
