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
 * it hangs.
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
            Environment=GATEHOUSE_BUILD=never
            U
            systemctl daemon-reload
            systemctl start gatehouse-daemon
            systemctl is-active gatehouse-daemon
            pid=$(systemctl show -P MainPID gatehouse-daemon)
            grep CapEff /proc/$pid/status
            grep ^now /var/lib/gatehouse/journal
            %s/gatehouse status | grep follows
            """
                .formatted(OFFICE, unit(), Lab.HOME));
    assertThat(started.expected().out())
        .startsWith("active\nCapEff:\t0000000000001000\nnow 1\n") // CAP_NET_ADMIN
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
            systemctl stop gatehouse-daemon
            systemctl show -P Result gatehouse-daemon
            nft list tables | grep gatehouse
            """);
    assertThat(reloaded.expected().out())
        .endsWith("active\nanother\nsuccess\ntable inet gatehouse\n");
  }
}
