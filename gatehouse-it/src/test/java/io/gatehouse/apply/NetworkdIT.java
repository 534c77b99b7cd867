package io.gatehouse.apply;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatehouse.it.lab.Answer;
import io.gatehouse.it.lab.Feature;
import io.gatehouse.it.lab.Host;
import io.gatehouse.it.lab.Lab;
import io.gatehouse.it.lab.Network;
import io.gatehouse.it.lab.Sightings;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The real systemd-networkd, which comes to a host after us and removes what it did not make. */
@Tag("full")
class NetworkdIT {
  private static final String WORLD =
      """
      host gw beside systemd
      wire gw:eth0 203.0.113.2/24 -- one:gw 203.0.113.1/24
      wire gw:eth2 198.51.103.2/24 -- two:gw 198.51.103.1/24
      wire gw:eth1 10.0.1.1/24 -- files:eth0 10.0.1.9/24 10.0.9.9/32
      wire one:web 198.18.0.1/24 -- two:web 198.18.0.2/24 -- web:eth0 198.18.0.10/24
      route gw default via 203.0.113.1
      route files default via 10.0.1.1
      route web 203.0.113.0/24 via 198.18.0.1
      route web 198.51.103.0/24 via 198.18.0.2
      set one net.ipv4.ip_forward=1
      set two net.ipv4.ip_forward=1
      """;

  /** Routes of the table main, of tables of our own, and rules that lead to these. */
  private static final String UPLINKS =
      """
      version: 1
      gateway: uplinks
      interfaces:
        wan: { device: eth0, role: outside, addresses: 203.0.113.2/24, gateway: 203.0.113.1 }
        wan2: { device: eth2, role: outside, addresses: 198.51.103.2/24, gateway: 198.51.103.1 }
        lan: { device: eth1, role: inside, addresses: 10.0.1.1/24 }
      networks:
        office: { on: lan, prefixes: 10.0.1.0/24 }
        storage: { via: lan, next-hop: 10.0.1.9, prefixes: 10.0.9.0/24 }
      identities:
        first: { via: wan }
        second: { via: wan2 }
      """;

  /**
   * Starts it, or starts it again, without systemd and without a bus; each device is configured
   * when it returns. It waits for udev to know a device, and udev says so by these files.
   */
  private static final String NETWORKD =
      """
      grep -q '^systemd-network:' /etc/passwd || echo 'systemd-network:x:998:998::/:/usr/sbin/nologin' >> /etc/passwd
      grep -q '^systemd-network:' /etc/group || echo 'systemd-network:x:998:' >> /etc/group
      links=/run/systemd/netif/links
      mkdir -p /run/udev/data $links /run/systemd/netif/leases /run/systemd/netif/lldp
      for each in /sys/class/net/*/ifindex; do read -r index < $each && : > /run/udev/data/n$index; done
      if [ -s /run/networkd.pid ]; then
        read -r pid < /run/networkd.pid
        kill "$pid" && tail --pid="$pid" -f /dev/null
        rm -f $links/*
      fi
      chown -R systemd-network: /run/systemd/netif
      setsid /lib/systemd/systemd-networkd < /dev/null > /var/log/networkd.log 2>&1 3>&- &
      echo $! > /run/networkd.pid
      until [ "$(grep -l '^ADMIN_STATE=configured' $links/* 2> /dev/null | wc -l)" = 3 ]; do
        kill -0 $! || { cat /var/log/networkd.log >&2; exit 1; }
        sleep 0.1
      done
      """;

  private Network net;
  private Host gw;

  @BeforeEach
  void build() {
    net =
        Lab.beside(
                "systemd",
                Feature.VETH,
                Feature.BRIDGE,
                Feature.NFT_INET,
                Feature.NFT_NAT,
                Feature.NFT_IPSEC)
            .network(WORLD);
    gw = net.host("gw");
    gw.write("/etc/uplinks.yaml", UPLINKS);
    device("eth0", "203.0.113.2/24\nGateway=203.0.113.1");
    device("eth1", "10.0.1.1/24");
    device("eth2", "198.51.103.2/24");
    apply();
    assertWhole();
  }

  @AfterEach
  void end() {
    if (net != null) {
      net.close();
    }
  }

  private void device(String name, String address) {
    gw.write(
        "/etc/systemd/network/" + name + ".network",
        "[Match]\nName=%s\n[Network]\nIPv6AcceptRA=no\nAddress=%s\n".formatted(name, address));
  }

  private void apply() {
    gw.gatehouse("apply", "--not-at-boot", "/etc/uplinks.yaml").expected();
  }

  private String status(int expected) {
    Answer answer = gw.gatehouse("status");
    assertThat(answer.status()).as(answer.out() + answer.err()).isEqualTo(expected);
    return answer.out().replaceAll("\\s+", " ");
  }

  private Sightings probed() {
    return net.probe(
        "watch one",
        "first udp from=gw to=web dst=198.18.0.10:53 src=203.0.113.2",
        "second udp from=gw to=web dst=198.18.0.10:54 src=198.51.103.2",
        "storage udp from=gw to=files dst=10.0.9.9:55 src=10.0.1.1");
  }

  private void assertWhole() {
    assertThat(status(0)).contains("stands");
    Sightings seen = probed();
    for (String probe : List.of("first", "second", "storage")) {
      assertThat(seen.of(probe).replied())
          .as(() -> probe + ": " + seen + "\n" + gw.run("ip", "neigh").out())
          .isTrue();
    }
    assertThat(seen.of("second").seenAt("one")).as("by its own way").isFalse();
  }

  /** Its rules, its tables and the route in main; the filter still stands, and is closed. */
  private String gone() {
    String said = status(1);
    assertThat(said)
        .contains("lacks: rule ip ", "lacks: route ip 10.0.9.0/24 ", "systemd-networkd runs here");
    assertThat(gw.run("ip", "rule").expected().out()).doesNotContain("198.51.103.2");
    Sightings seen = probed();
    assertThat(seen.of("storage").arrived()).isFalse();
    assertThat(seen.of("second").arrived()).as("by another's way").isFalse();
    assertThat(seen.of("second").seenAt("one")).as("by another's way").isFalse();
    return said.substring(said.indexOf(" ! "));
  }

  @Test
  void whatItRemovesIsNamedAndMendedAndStaysAfterWhatStatusSays() {
    gw.script(NETWORKD).expected();
    String said = gone();
    apply();
    assertWhole();

    gw.script(NETWORKD).expected();
    assertThat(gone()).as("each time that it starts").isEqualTo(said);

    String cure = "ManageForeignRoutingPolicyRules=no and ManageForeignRoutes=no below [Network]";
    String file = "/etc/systemd/networkd.conf.d/gatehouse.conf";
    assertThat(said).contains(cure + " in " + file);
    gw.write(file, "[Network]\nManageForeignRoutingPolicyRules=no\nManageForeignRoutes=no\n");
    apply();
    gw.script(NETWORKD).expected();
    assertWhole();
  }
}
