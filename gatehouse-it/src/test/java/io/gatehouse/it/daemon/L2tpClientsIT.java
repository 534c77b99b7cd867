package io.gatehouse.it.daemon;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.gatehouse.it.Described;
import io.gatehouse.it.lab.Answer;
import io.gatehouse.it.lab.Feature;
import io.gatehouse.it.lab.Host;
import io.gatehouse.it.lab.Lab;
import io.gatehouse.it.lab.Network;
import java.time.Duration;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Two clients behind one NAT, both from port 1701 to port 1701 in transport mode as Windows' are,
 * with strongSwan on all sides: answers that come late reach the client that asked.
 */
@Tag("full")
class L2tpClientsIT {
  private static final String DESCRIPTION =
      """
      version: 1
      gateway: l2tp
      interfaces:
        wan: { device: eth0, role: outside, addresses: 203.0.113.2/24, router-advertisements: false }
      host: { output: closed }
      tunnels:
        legacy:
          type: l2tp
          esp: { proposals: [aes128-sha1] }
      """;

  private static final String AUTHENTICATION =
      """
      connections { legacy { local { auth = psk } remote { auth = psk } } }
      secrets { ike { secret = "lab" } }
      """;

  private static final String CLIENT =
      """
      connections {
        office {
          version = 1
          remote_addrs = 203.0.113.2
          local { auth = psk }
          remote { auth = psk }
          children {
            l2tp {
              mode = transport
              local_ts = dynamic[udp/1701]
              remote_ts = dynamic[udp/1701]
              esp_proposals = aes128-sha1
            }
          }
        }
      }
      secrets { ike { secret = "lab" } }
      """;

  /** Answers a quarter of a second later, when the other client has spoken meanwhile. */
  private static final String SERVER =
      """
      import select, socket, time
      s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
      s.bind(('0.0.0.0', 1701))
      late = []
      while True:
          wait = max(0, late[0][0] - time.time()) if late else 60
          if select.select([s], [], [], wait)[0]:
              data, peer = s.recvfrom(2000)
              late.append((time.time() + 0.25, data, peer))
          while late and late[0][0] <= time.time():
              _, data, peer = late.pop(0)
              s.sendto(b'for ' + data, peer)
      """;

  private static final String ASKER =
      """
      import socket, sys, time
      s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
      s.bind(('0.0.0.0', 1701))
      s.settimeout(5)
      own = others = 0
      for i in range(6):
          mine = f'{sys.argv[1]}-{i}'.encode()
          s.sendto(mine, ('203.0.113.2', 1701))
          try:
              if s.recvfrom(2000)[0] == b'for ' + mine: own += 1
              else: others += 1
          except TimeoutError: pass
      print(f'{sys.argv[1]} {own} own {others} of others', flush=True)
      """;

  /** Starts the daemon with `/etc/gw.yaml`, in the background. */
  static final String START =
      """
      GATEHOUSE_BUILD=never GATEHOUSE_VICI=/run/charon.vici setsid %s run /etc/gw.yaml \
        > /var/log/gatehouse.log 2>&1 < /dev/null &
      """
          .formatted(Lab.HOME.resolve("gatehouse"));

  /** Reading and proving takes minutes in emulation, on a busy machine. */
  static void untilItFollows(Host gateway) {
    await()
        .atMost(Duration.ofMinutes(5))
        .pollInterval(Duration.ofSeconds(2))
        .until(() -> gateway.run("cat", "/var/log/gatehouse.log").out().contains("follows"));
  }

  @Test
  void lateAnswersReachTheClientThatAsked() {
    Lab lab = Lab.with(Feature.VETH, Feature.ESP, Feature.NFT_NAT, Feature.CT_ZONES);
    try (Network net =
        lab.network(
            """
            wire gw:eth0 203.0.113.2/24 -- nat:wan 203.0.113.1/24
            wire c1:eth0 192.168.1.2/24 -- nat:l1 192.168.1.1/24
            wire c2:eth0 192.168.2.2/24 -- nat:l2 192.168.2.1/24
            route c1 default via 192.168.1.1
            route c2 default via 192.168.2.1
            set nat net.ipv4.ip_forward=1
            """)) {
      net.host("nat")
          .nft(
              "table ip nat { chain out { type nat hook postrouting priority srcnat; oifname \"wan\" masquerade; }; }");
      net.charon(
          new Network.Peer("gw", Described.of(DESCRIPTION).swanctl() + AUTHENTICATION),
          new Network.Peer("c1", CLIENT),
          new Network.Peer("c2", CLIENT));
      Host gateway = net.host("gw");
      gateway.write("/etc/gw.yaml", DESCRIPTION);
      gateway.write("/etc/server.py", SERVER);
      net.host("c1").write("/etc/asker.py", ASKER);
      net.host("c2").write("/etc/asker.py", ASKER);
      gateway.script(START).expected();
      untilItFollows(gateway);

      net.host("c1").initiate("l2tp").expected();
      net.host("c2").initiate("l2tp").expected();
      await()
          .atMost(Duration.ofMinutes(1))
          .untilAsserted(() -> assertThat(zones(gateway)).contains(" : 4096, ", " : 4097 }"));

      // Nobody can say for which of the two this is.
      assertThat(
              net.probe("ours udp from=gw to=nat dst=203.0.113.1:1701 src=203.0.113.2:1701")
                  .of("ours")
                  .arrived())
          .isFalse();
      assertEachHasItsOwn(net);

      net.host("c1").run("swanctl", "--rekey", "--child", "l2tp").expected();
      assertEachHasItsOwn(net);
      assertThat(gateway.gatehouse("sessions").expected().out())
          .contains("192.168.1.2", "192.168.2.2", "mark ", "2 sessions");

      net.host("c2").run("swanctl", "--terminate", "--ike", "office").expected();
      await()
          .atMost(Duration.ofMinutes(1))
          .untilAsserted(() -> assertThat(zones(gateway)).contains("4096").doesNotContain("4097"));
    }
  }

  private static String zones(Host gateway) {
    return gateway.run("nft", "list", "map", "inet", "gatehouse", "l2tp.zones").expected().out();
  }

  private static void assertEachHasItsOwn(Network net) {
    Answer answer =
        net.lab()
            .run(
                """
                lab-in %1$s python3 /etc/server.py & server=$!
                until lab-in %1$s ss -Huln sport = :1701 | grep -q 1701; do :; done
                lab-in %2$s python3 /etc/asker.py c1 & one=$!
                lab-in %3$s python3 /etc/asker.py c2 & two=$!
                wait $one $two
                kill $server
                """
                    .formatted(
                        net.host("gw").namespace(),
                        net.host("c1").namespace(),
                        net.host("c2").namespace()));
    assertThat(answer.out().lines())
        .as(answer.err())
        .containsExactlyInAnyOrder("c1 6 own 0 of others", "c2 6 own 0 of others");
  }
}
