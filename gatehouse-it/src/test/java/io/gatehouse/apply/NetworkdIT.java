package io.gatehouse.apply;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatehouse.it.lab.Answer;
import io.gatehouse.it.lab.Lab;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** A real systemd-networkd that comes after us. */
@Tag("full")
class NetworkdIT {
  private static final String HOST =
      """
      version: 1
      gateway: office
      interfaces:
        wan: { device: eth0, role: outside, addresses: 192.0.2.2/24, gateway: 192.0.2.1 }
        lan: { device: eth1, role: inside, addresses: 10.0.1.1/24 }
      networks: { office: { on: lan, prefixes: 10.0.1.0/24 } }
      identities: { outside: { via: wan } }
      """;

  /**
   * Networkd as its unit starts it, without the bus, and without udev: it asks for none where /sys
   * is read-only.
   */
  private static final String START =
      """
      grep -q ^systemd-network: /etc/passwd || {
        echo 'systemd-network:x:998:998::/:/usr/sbin/nologin' >> /etc/passwd
        echo 'systemd-network:x:998:' >> /etc/group
      }
      mount -o remount,ro,bind /sys
      mkdir -p /etc/systemd/network /etc/systemd/networkd.conf.d
      printf '[Match]\\nName=eth0\\n[Network]\\nAddress=192.0.2.2/24\\nGateway=192.0.2.1\\n' > /etc/systemd/network/10-eth0.network
      printf '[Match]\\nName=eth1\\n[Network]\\nAddress=10.0.1.1/24\\n' > /etc/systemd/network/10-eth1.network
      systemctl restart systemd-networkd.service
      for i in $(seq 100); do
        ! grep -q OPER_STATE=routable /run/systemd/netif/links/* 2> /dev/null || break
        sleep 0.2
      done
      """;

  private static final String GATEHOUSE = "GATEHOUSE_BUILD=never " + Lab.HOME + "/gatehouse ";

  private final Lab lab = Lab.emulated();

  @AfterEach
  void off() {
    lab.run("lab-systemd gone networkd").expected();
  }

  private Answer inside(String script) {
    return lab.run("lab-systemd in networkd bash -eu <<'END'\n" + script + "\nEND");
  }

  @Test
  void itIsNamedAndApplyMendsWhatItTookAway() {
    lab.run("lab-systemd boot networkd").expected();
    inside(
            "ip addr add 192.0.2.2/24 dev eth0; ip addr add 10.0.1.1/24 dev eth1\n"
                + "cat > /etc/office.yaml << 'Y'\n"
                + HOST
                + "Y\n"
                + GATEHOUSE
                + "apply --not-at-boot /etc/office.yaml")
        .expected();
    assertThat(inside("ip rule").expected().out()).contains("from 192.0.2.2 lookup 7100");

    inside(START).expected();
    assertThat(inside("ip rule").expected().out()).doesNotContain("lookup 7100");
    Answer status = inside(GATEHOUSE + "status");
    assertThat(status.status()).isEqualTo(1);
    assertThat(status.out().replaceAll("\\s+", " "))
        .contains("lacks: rule ip ")
        .contains("by whom: systemd-networkd runs here", "ManageForeignRoutingPolicyRules=no");

    inside(GATEHOUSE + "apply --not-at-boot /etc/office.yaml").expected();
    assertThat(inside("ip rule").expected().out()).contains("from 192.0.2.2 lookup 7100");
    // As status says.
    inside(
            "printf '[Network]\\nManageForeignRoutingPolicyRules=no\\nManageForeignRoutes=no\\n' >"
                + " /etc/systemd/networkd.conf.d/gatehouse.conf\n"
                + START)
        .expected();
    assertThat(inside("ip rule").expected().out()).contains("from 192.0.2.2 lookup 7100");
    assertThat(inside(GATEHOUSE + "status").expected().out()).doesNotContain("networkd");
  }
}
