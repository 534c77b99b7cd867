package io.gatehouse.apply;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatehouse.it.lab.Answer;
import io.gatehouse.it.lab.Feature;
import io.gatehouse.it.lab.Host;
import io.gatehouse.it.lab.Lab;
import io.gatehouse.it.lab.Network;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Others that come to a host after us, or were there. */
@Tag("full")
class LaterIT {
  private static final String WORLD =
      """
      host gw beside LAYER
      wire gw:eth0 192.0.2.2/24 -- web:eth0 192.0.2.10/24
      wire gw:eth1 10.0.1.1/24 -- pc:eth0 10.0.1.20/24
      route pc default via 10.0.1.1
      route web default via 192.0.2.2
      """;

  private static final String OFFICE =
      """
      version: 1
      gateway: office
      interfaces:
        wan: { device: eth0, role: outside, addresses: 192.0.2.2/24 }
        lan: { device: eth1, role: inside, addresses: 10.0.1.1/24 }
      networks: { office: { on: lan, prefixes: 10.0.1.0/24 } }
      host: { internet: office }
      """;

  /** Starts dockerd with its bridge, or starts it again; ready when it returns. */
  private static final String DOCKER =
      """
      if [ -s /run/dockerd.pid ]; then
        read -r pid < /run/dockerd.pid
        kill "$pid" && tail --pid="$pid" -f /dev/null
      fi
      : > /var/log/dockerd.log
      setsid dockerd --storage-driver=vfs --host=unix:///run/docker.sock --pidfile=/run/dockerd.pid \
        --exec-root=/run/docker --data-root=/var/lib/docker < /dev/null > /var/log/dockerd.log 2>&1 3>&- &
      until grep -q 'API listen' /var/log/dockerd.log; do
        kill -0 $! || { cat /var/log/dockerd.log >&2; exit 1; }
        sleep 0.1
      done
      """;

  /** Starts firewalld on a bus of its own, in Debian's state: all devices in the zone `public`. */
  private static final String FIREWALLD =
      """
      for user in messagebus polkitd; do
        grep -q "^$user:" /etc/passwd || echo "$user:x:99${#user}:99${#user}::/:/usr/sbin/nologin" >> /etc/passwd
        grep -q "^$user:" /etc/group || echo "$user:x:99${#user}:" >> /etc/group
      done
      mkdir -p /run/dbus
      dbus-daemon --system --fork < /dev/null > /dev/null 2>&1 3>&-
      setsid firewalld --nofork --nopid < /dev/null > /var/log/firewalld.out 2>&1 3>&- &
      until firewall-cmd --state > /dev/null 2>&1; do
        kill -0 $! || { cat /var/log/firewalld.out >&2; exit 1; }
        sleep 0.1
      done
      """;

  private Network net;
  private Host gw;

  private void build(String layer) {
    wire(layer);
    apply();
    assertThat(reaches()).isTrue();
    assertThat(status(0)).doesNotContain("drops what");
  }

  private void apply() {
    gw.gatehouse("apply", "--not-at-boot", "/etc/office.yaml").expected();
  }

  private void wire(String layer) {
    net =
        Lab.beside(layer, Feature.VETH, Feature.NFT_INET, Feature.NFT_NAT, Feature.NFT_IPSEC)
            .network(WORLD.replace("LAYER", layer));
    gw = net.host("gw");
    gw.write("/etc/office.yaml", OFFICE);
  }

  @AfterEach
  void end() {
    if (net != null) {
      net.close();
    }
  }

  private boolean reaches() {
    return net.probe("web tcp from=pc to=web dst=192.0.2.10:80").of("web").arrived();
  }

  private String status(int expected) {
    Answer answer = gw.gatehouse("status");
    assertThat(answer.status()).as(answer.out() + answer.err()).isEqualTo(expected);
    return answer.out();
  }

  /** What status says that lets our traffic pass. */
  private static List<String> mends(String said, String program) {
    return said.lines().map(String::strip).filter(line -> line.startsWith(program)).toList();
  }

  /** It drops what is forwarded only where it is the one that turns forwarding on. */
  @Test
  void dockerThatComesLaterStopsNothingOfOurs() {
    build("docker");
    gw.script(DOCKER).expected();
    assertThat(gw.run("iptables-save").expected().out()).contains("DOCKER-USER");
    assertThat(reaches()).isTrue();
    assertThat(status(0)).doesNotContain("drops what");
  }

  @Test
  void dockerThatWasThereIsNamedAndLetsThroughAfterWhatStatusSays() {
    wire("docker");
    gw.script(DOCKER).expected();
    apply();
    assertThat(reaches()).isFalse();
    String said = status(0);
    assertThat(said).contains("`ip filter FORWARD` (with Docker's chains) drops");
    List<String> mends = mends(said, "iptables -I ");
    assertThat(mends).allMatch(mend -> mend.contains("DOCKER-USER")).hasSize(2);

    gw.script(String.join("\n", mends)).expected();
    assertThat(reaches()).isTrue();
    gw.script(DOCKER).expected();
    assertThat(reaches()).as("after it has started again").isTrue();
  }

  @Test
  void firewalldIsNamedAndLetsThroughAfterWhatStatusSays() {
    build("firewalld");
    gw.script(FIREWALLD).expected();
    assertThat(reaches()).isFalse();
    String said = status(0);
    assertThat(said).contains("`inet firewalld filter_FORWARD` (firewalld's) drops");

    gw.script(String.join("\n", mends(said, "firewall-cmd "))).expected();
    assertThat(reaches()).isTrue();
    gw.script("firewall-cmd --reload").expected();
    assertThat(reaches()).as("after it was loaded again").isTrue();
    assertThat(status(0)).as("its reload took nothing of ours").contains("stands");
  }

  @Test
  void aSettingThatAFileTookBackIsNamedAndMended() {
    build("firewalld");
    gw.script(
            "echo 'net.ipv4.ip_forward = 0' > /etc/sysctl.d/50-hard.conf; sysctl -q -p /etc/sysctl.d/50-hard.conf")
        .expected();
    assertThat(reaches()).isFalse();
    assertThat(status(1).replaceAll("\\s+", " "))
        .contains("ip_forward is 0 and is to be 1", "because /etc/sysctl.d/50-hard.conf:1 says so");
    apply();
    assertThat(reaches()).isTrue();
    assertThat(status(0)).doesNotContain("50-hard");
  }
}
