package io.gatehouse.apply;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatehouse.it.lab.Answer;
import io.gatehouse.it.lab.Lab;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Under a real systemd as process 1: the timer of {@code --confirm}, and the units at boot. */
class SystemdIT {
  private static final String OFFICE =
      """
      version: 1
      gateway: office
      interfaces:
        wan: { device: eth0, role: outside }
        lan: { device: eth1, role: inside }
      networks:
        office: { on: lan, prefixes: 10.0.1.0/24 }
      services: { dns: udp/53 }
      host:
        internet: [office]
      tunnels:
        staff: { type: remote-access, ike: { connection: staff }, pools: 10.0.3.0/24, reach: office }
      """;

  /** Tells what stood when networks were about to come. */
  private static final String NETWORK =
      """
      [Unit]
      DefaultDependencies=no
      Wants=network-pre.target
      After=network-pre.target
      Before=network.target
      [Service]
      Type=oneshot
      ExecStart=/bin/sh -c "nft list tables > /run/when-the-network-came"
      """;

  private final Lab lab = Lab.emulated();

  @AfterEach
  void off() {
    lab.run("lab-systemd gone one").expected();
  }

  private Answer inside(String script) {
    return lab.run("lab-systemd in one bash -eu <<'END'\n" + script + "\nEND");
  }

  @Test
  void timerAndUnits() {
    lab.run("lab-systemd boot one").expected();
    inside(
            """
            cat > /etc/office.yaml << 'Y'
            %sY
            cat > /etc/systemd/system/network.service << 'Y'
            %sY
            mkdir /etc/systemd/system/multi-user.target.wants
            ln -s ../network.service /etc/systemd/system/multi-user.target.wants/
            """
                .formatted(OFFICE, NETWORK))
        .expected();

    String applied =
        inside("GATEHOUSE_BUILD=never " + Lab.HOME + "/gatehouse apply /etc/office.yaml")
            .expected()
            .out();
    assertThat(applied).contains("loaded at boot from now on");
    Answer units =
        inside(
            "systemctl is-enabled gatehouse.service gatehouse-late.service;"
                + " systemd-analyze verify gatehouse.service gatehouse-late.service");
    assertThat(units).isEqualTo(new Answer(0, "enabled\nenabled\n", ""));

    // Once more, to be confirmed: the timer takes it back, and with it what a boot would load.
    Answer timer =
        inside(
            """
            cd /var/lib/gatehouse
            sh /run/gatehouse/hand.sh undo 1
            sh /run/gatehouse/hand.sh redo 1 2
            systemctl show -p ActiveState gatehouse-confirm-1.timer
            nft list tables
            until ! grep -q ^waits journal; do sleep 0.2; done
            grep ^now journal
            ls
            nft list tables
            """);
    assertThat(timer.expected().out())
        .isEqualTo(
            """
            ActiveState=active
            table inet filter
            table inet gatehouse
            now 0
            boot.sh
            generations
            journal
            table inet filter
            """);

    inside("sh /run/gatehouse/hand.sh redo 1").expected();
    lab.run("lab-systemd off one; lab-systemd boot one").expected();
    Answer booted =
        inside(
            """
            cat /run/when-the-network-came
            grep ^now /var/lib/gatehouse/journal
            cat /proc/sys/net/ipv4/ip_forward /proc/sys/net/ipv4/conf/eth1/send_redirects
            systemctl is-active nftables.service gatehouse.service gatehouse-late.service
            """);
    // Debian's rules begin with `flush ruleset`: ours stand only because they came behind.
    assertThat(booted.expected().out())
        .isEqualTo(
            "table inet filter\ntable inet gatehouse\nnow 1\n1\n0\nactive\nactive\nactive\n");

    String removed =
        inside(
                "GATEHOUSE_BUILD=never "
                    + Lab.HOME
                    + "/gatehouse remove; nft list tables; ls /etc/systemd/system"
                    + " /etc/systemd/system/*.wants")
            .expected()
            .out();
    assertThat(removed)
        .contains("the host is as it was before\ntable inet filter\n", "nftables.service")
        .doesNotContain("gatehouse");
  }
}
