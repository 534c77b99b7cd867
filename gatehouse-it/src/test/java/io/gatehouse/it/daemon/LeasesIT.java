package io.gatehouse.it.daemon;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.gatehouse.it.Described;
import io.gatehouse.it.lab.Feature;
import io.gatehouse.it.lab.Host;
import io.gatehouse.it.lab.Lab;
import io.gatehouse.it.lab.Network;
import io.gatehouse.it.lab.Sightings;
import java.time.Duration;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** A real charon asks a real DHCP server of the LAN, past a closed host, and the LAN answers. */
@Tag("full")
class LeasesIT {
  private static final String DESCRIPTION =
      """
      version: 1
      gateway: leases
      interfaces:
        wan: { device: eth0, role: outside, addresses: 203.0.113.2/24 }
        lan: { device: eth1, role: inside, addresses: 10.0.1.1/24 }
      networks:
        office: { on: lan, prefixes: 10.0.1.0/24 }
      host: { output: closed }
      tunnels:
        staff:
          type: remote-access
          pools: 10.0.1.192/26
          pool: dhcp
          return: proxy
          esp: { proposals: [aes128gcm16] }
          reach: office
      """;

  private static final String AUTHENTICATION =
      """
      connections {
        staff {
          local { auth = psk }
          remote { auth = psk }
        }
      }
      secrets { ike { secret = "lab" } }
      """;

  private static final String ANNA =
      """
      connections {
        office {
          version = 2
          remote_addrs = 203.0.113.2
          vips = 0.0.0.0
          local { auth = psk }
          remote { auth = psk }
          children {
            net {
              remote_ts = 10.0.1.0/24
              esp_proposals = aes128gcm16
            }
          }
        }
      }
      secrets { ike { secret = "lab" } }
      """;

  private static final String CHARON =
      """
      export CHARON_PLUGINS='random nonce aes sha1 sha2 hmac kdf gcm openssl curve25519 pem pubkey x509 kernel-netlink socket-default vici dhcp'
      export CHARON_OPTIONS='plugins { dhcp { interface = eth1
      identity_lease = yes } }'
      lab-charon start /etc/gw.conf
      """;

  private static final String SERVER =
      """
      setsid dnsmasq --keep-in-foreground --port=0 --interface=eth0 --user=root --pid-file \
        --conf-file=/dev/null --dhcp-leasefile=/var/leases --log-facility=/var/log/dhcp.log \
        --dhcp-mac=set:vpn,7a:a7:*:*:*:* --dhcp-range=tag:vpn,10.0.1.193,10.0.1.254,12h \
        < /dev/null > /dev/null 2>&1 &
      """;

  private static final Pattern LEASED = Pattern.compile("10\\.0\\.1\\.(?:19[3-9]|2[0-5][0-9])");

  @Test
  void whoIsLeasedAnAddressIsOfTheLan() {
    Lab lab = Lab.with(Feature.VETH, Feature.BRIDGE, Feature.ESP);
    try (Network net =
        lab.network(
            """
            wire gw:eth0 203.0.113.2/24 -- anna:eth0 203.0.113.20/24
            wire gw:eth1 10.0.1.1/24 -- files:eth0 10.0.1.20/24
            route files default via 10.0.1.1
            """)) {
      Host gateway = net.host("gw");
      net.host("files").script(SERVER).expected();
      gateway.write("/etc/gw.yaml", DESCRIPTION);
      gateway.write("/etc/gw.conf", Described.of(DESCRIPTION).swanctl() + AUTHENTICATION);
      gateway.script(CHARON).expected();
      net.charon(new Network.Peer("anna", ANNA));
      gateway.script(L2tpClientsIT.START).expected();
      L2tpClientsIT.untilItFollows(gateway);

      net.host("anna").initiate("net").expected();
      Matcher sas = LEASED.matcher(gateway.run("swanctl", "--list-sas").expected().out());
      assertThat(sas.find()).isTrue();
      String leased = sas.group();
      assertThat(net.host("files").run("cat", "/var/leases").expected().out())
          .contains(leased, "7a:a7");
      untilAnswered(gateway, leased, true);

      Sightings seen =
          net.probe(
              "client udp from=anna to=files dst=10.0.1.20:445 src=" + leased,
              "forged udp from=files to=anna dst=203.0.113.20:53 src=" + leased + " spoof");
      assertThat(seen.of("client").replied()).isTrue();
      assertThat(seen.of("forged").arrived()).isFalse();

      net.host("anna").run("swanctl", "--terminate", "--ike", "office").expected();
      untilAnswered(gateway, leased, false);
    }
  }

  private static void untilAnswered(Host gateway, String address, boolean answered) {
    await()
        .atMost(Duration.ofMinutes(1))
        .untilAsserted(() ->
            assertThat(
                    gateway
                        .run("ip", "neigh", "show", "proxy")
                        .expected()
                        .out()
                        .contains(address + " dev eth1"))
                .isEqualTo(answered));
  }
}
