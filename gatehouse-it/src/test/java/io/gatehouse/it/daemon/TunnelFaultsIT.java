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

/**
 * While a LAN host and a client talk without a pause, somebody flushes all rules, kills the daemon
 * and charon, and overruns the socket by which the daemon hears of nftables. What the gateway sends
 * out of its outside device meanwhile is captured: nothing of either is there in clear. Afterwards
 * kernel, charon and daemon agree.
 */
@Tag("full")
class TunnelFaultsIT {
  /** Inner addresses, on their way out: what comes in is seen decrypted on the same device. */
  private static final String WITNESS =
      """
      rm -f /var/log/tcpdump.log
      setsid tcpdump -ni eth0 -Q out --immediate-mode -U -Z root -w /var/log/clear.pcap \
        'net 10.0.3.0/24 or net 10.0.1.0/24' > /dev/null 2> /var/log/tcpdump.log < /dev/null &
      echo $! > /run/witness
      until grep -qs listening /var/log/tcpdump.log; do sleep 0.1; done
      """;

  /**
   * The daemon hears nothing until nftables' events have overrun its socket; meanwhile somebody
   * takes a member out of his group.
   */
  private static final String OVERRUN =
      """
      nft 'add table inet other; add set inet other s { type mark; }'
      {
        for i in $(seq 5000); do echo "add element inet other s { $i }"; done
        echo 'flush set inet other s'
      } > /var/log/flood
      lost() { awk 'NR > 1 && $9 > 0 { lost = 1 } END { exit !lost }' /proc/net/netlink; }
      pids=$(pgrep -f '[g]atehouse.jar run /etc/gw.yaml' --ns $$ --nslist net)
      kill -STOP $pids
      trap 'kill -CONT $pids' EXIT
      nft flush map inet gatehouse from_staff.groups4
      for i in $(seq 60); do
        nft -f /var/log/flood
        lost && break
      done
      lost || { echo 'nothing was overrun'; exit 1; }
      nft delete table inet other
      """;

  @Test
  void nothingLeavesInClearWhateverDies() {
    Lab lab = Lab.with(Feature.VETH, Feature.BRIDGE, Feature.ESP);
    try (Network net =
        lab.network(
            """
            wire gw:eth0 203.0.113.2/24 -- anna:eth0 203.0.113.20/24
            wire gw:eth1 10.0.1.1/24 -- files:eth0 10.0.1.20/24
            route files default via 10.0.1.1
            """)) {
      assertThatTheWitnessSees(net);
      String swanctl =
          Described.of(DESCRIPTION).swanctl() + GroupsIT.AUTHENTICATION + GroupsIT.SECRETS;
      net.charon(
          new Network.Peer("gw", swanctl),
          new Network.Peer("anna", GroupsIT.client("anna@fin.example.org")));
      Host gateway = net.host("gw");
      gateway.write("/etc/gw.yaml", DESCRIPTION);
      gateway.script(L2tpClientsIT.START).expected();
      L2tpClientsIT.untilItFollows(gateway);
      gateway.script(WITNESS).expected();
      net.host("anna").initiate("net").expected();
      GroupsIT.untilMembers(gateway, true);
      net.host("files").script("setsid ping -i 0.1 10.0.3.1 > /var/log/ping 2>&1 &").expected();
      net.host("anna").script("setsid ping -i 0.1 10.0.1.20 > /var/log/ping 2>&1 &").expected();
      assertTheyTalk(net);

      gateway.script("nft flush ruleset").expected();
      await()
          .atMost(Duration.ofMinutes(3))
          .until(() -> gateway.run("nft", "list", "tables").out().contains("inet gatehouse"));
      GroupsIT.untilMembers(gateway, true);
      assertTheyTalk(net);

      gateway.script(OVERRUN).expected();
      GroupsIT.untilMembers(gateway, true);
      assertThat(gateway.gatehouse("status").expected().out()).contains("IKE daemon: connected");

      gateway.script(L2tpClientsIT.KILL_THE_DAEMON).expected();
      assertTheyTalk(net); // the kernel goes on
      gateway.script(L2tpClientsIT.START).expected();
      L2tpClientsIT.untilItFollows(gateway);
      GroupsIT.untilMembers(gateway, true);

      gateway.script("kill -9 $(cat /run/charon.pid)").expected();
      GroupsIT.untilMembers(gateway, false);
      gateway.script("rm -f /run/charon.pid /run/charon.vici").expected();
      net.charon(new Network.Peer("gw", swanctl)); // its start flushes what it finds
      net.host("anna").script("swanctl --terminate --ike office --force; true").expected();
      net.host("anna").initiate("net").expected();
      GroupsIT.untilMembers(gateway, true);
      assertTheyTalk(net);

      assertThat(gateway.gatehouse("status").expected().out())
          .contains("staff        1 session")
          .doesNotContain("! ");
      assertThat(inClear(gateway)).as("in clear on the outside device").isEmpty();
      gateway.script("kill $(cat /run/witness)").expected(); // it looked until now
    }
  }

  private static String inClear(Host gateway) {
    return gateway
        .script(
            "sleep 1; tcpdump -Z root -nr /var/log/clear.pcap 2>&1 | grep -v '^reading from\\|^dropped privs' | head -5")
        .expected()
        .out();
  }

  private static final String DESCRIPTION =
      GroupsIT.DESCRIPTION
          .replace("reach: office/tcp/80\n", "reach: office\n")
          .replace("[office/tcp/80, office/tcp/1433]", "office");

  /**
   * The client gets answers that it had not got before; what the LAN host sends is on the way too.
   */
  private static void assertTheyTalk(Network net) {
    net.host("anna")
        .script(
            """
            before=$(grep -c ttl= /var/log/ping)
            until [ $(grep -c ttl= /var/log/ping) -gt $((before + 5)) ]; do sleep 0.2; done
            """)
        .expected();
  }

  /** Without anything of ours, and without the tunnel, the same capture is not empty. */
  private static void assertThatTheWitnessSees(Network net) {
    Host gateway = net.host("gw");
    gateway
        .script(
            "sysctl -qw net.ipv4.ip_forward=1; ip route add 10.0.3.0/24 via 203.0.113.20\n"
                + WITNESS)
        .expected();
    net.host("files").script("ping -c 3 -i 0.2 -W 1 10.0.3.1; true").expected();
    assertThat(inClear(gateway))
        .as(gateway.script("ip route get 10.0.3.1; cat /var/log/tcpdump.log; ls -l /var/log").out())
        .contains("10.0.1.20 > 10.0.3.1: ICMP echo request");
    gateway
        .script(
            "kill $(cat /run/witness); ip route del 10.0.3.0/24; sysctl -qw net.ipv4.ip_forward=0")
        .expected();
  }
}
