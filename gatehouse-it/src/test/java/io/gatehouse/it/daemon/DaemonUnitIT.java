package io.gatehouse.it.daemon;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatehouse.it.lab.Answer;
import io.gatehouse.it.lab.Lab;
import java.io.IOException;
import java.nio.file.Files;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * The unit that docs/daemon.md shows, under a real systemd: it is ready when it follows, has the
 * capabilities that it needs and no others, reads its description again, and is started anew when
 * it hangs. A reboot is closed before there is a network, and the daemon follows again.
 */
@Tag("full")
class DaemonUnitIT {
  private static final String OFFICE =
      """
      version: 1
      gateway: office
      interfaces:
        wan: { device: eth0, role: outside }
        lan: { device: eth1, role: inside }
      networks:
        office: { on: lan, prefixes: 10.0.1.0/24 }
      tunnels:
        staff: { type: remote-access, pools: 10.0.3.0/24, reach: office/tcp/443 }
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
      ExecStart=/bin/sh -c "nft list table inet gatehouse > /run/rules-before-the-network; ip xfrm policy > /run/backstop-before-the-network"
      [Install]
      WantedBy=multi-user.target
      """;

  private final Lab lab = Lab.emulated();

  @AfterEach
  void off() {
    lab.run("lab-systemd gone daemon").expected();
  }

  private Answer inside(String script) {
    return lab.run(
        "lab-systemd in daemon bash -eu <<'END'\n" + script + "\nEND", Duration.ofMinutes(10));
  }

  /** The unit as it stands in the handbook, with this checkout's program. */
  private static String unit() throws IOException {
    String handbook = Files.readString(Lab.HOME.resolve("docs/daemon.md"));
    String first = "# /etc/systemd/system/gatehouse-daemon.service\n";
    int begin = handbook.indexOf(first) + first.length();
    return handbook
        .substring(begin, handbook.indexOf("```", begin))
        .replace("/opt/gatehouse/gatehouse", Lab.HOME + "/gatehouse");
  }

  @Test
  void theUnitOfTheHandbook() throws IOException {
    lab.run("lab-systemd boot daemon").expected();
    Answer started =
        inside(
            """
            mkdir -p /etc/gatehouse /etc/systemd/system/gatehouse-daemon.service.d
            cat > /etc/gatehouse/office.yaml << 'Y'
            %sY
            cat > /etc/systemd/system/gatehouse-daemon.service << 'U'
            %sU
            # In emulation everything takes longer; what hangs shall be found soon.
            cat > /etc/systemd/system/gatehouse-daemon.service.d/lab.conf << 'U'
            [Service]
            TimeoutStartSec=600
            WatchdogSec=40
            Environment=GATEHOUSE_BUILD=never GATEHOUSE_JAVA_OPTIONS=-XX:TieredStopAtLevel=1
            U
            cat > /etc/systemd/system/network.service << 'U'
            %sU
            systemctl daemon-reload
            systemctl enable network.service gatehouse-daemon 2> /dev/null
            systemctl start gatehouse-daemon
            systemctl is-active gatehouse-daemon
            pid=$(systemctl show -P MainPID gatehouse-daemon)
            grep CapEff /proc/$pid/status
            grep ^now /var/lib/gatehouse/journal
            %s/gatehouse status | grep follows
            """
                .formatted(OFFICE, unit(), NETWORK, Lab.HOME));
    assertThat(started.expected().out())
        .startsWith("active\nCapEff:\t0000000000003000\nnow 1\n") // CAP_NET_ADMIN, CAP_NET_RAW
        .contains("the daemon follows 0 sessions");

    Answer reloaded =
        inside(
            """
            sed -i s,443,8443, /etc/gatehouse/office.yaml
            systemctl reload gatehouse-daemon
            until nft list ruleset | grep -q 8443; do sleep 1; done
            pid=$(systemctl show -P MainPID gatehouse-daemon)
            kill -STOP $pid
            until [ "$(systemctl show -P NRestarts gatehouse-daemon)" = 1 ]; do sleep 1; done
            until systemctl is-active gatehouse-daemon; do sleep 1; done
            [ "$(systemctl show -P MainPID gatehouse-daemon)" != "$pid" ] && echo another
            """);
    assertThat(reloaded.expected().out()).endsWith("active\nanother\n");

    lab.run("lab-systemd off daemon; lab-systemd boot daemon", Duration.ofMinutes(10)).expected();
    Answer booted =
        inside(
            """
            grep -c 8443 /run/rules-before-the-network
            grep -c 'dst 10.0.3.0/24' /run/backstop-before-the-network
            systemctl is-active gatehouse.service gatehouse-daemon.service
            %s/gatehouse status | grep -e follows -e 'generation 2 stands'
            systemctl stop gatehouse-daemon
            systemctl show -P Result gatehouse-daemon
            nft list tables | grep gatehouse
            """
                .formatted(Lab.HOME));
    assertThat(booted.expected().out())
        .matches(
            "[1-9]\\d*\n[1-9]\\d*\nactive\nactive\n(?s:.*)generation 2 stands(?s:.*)"
                + "the daemon follows 0 sessions(?s:.*)\nsuccess\ntable inet gatehouse\n");
  }
}
