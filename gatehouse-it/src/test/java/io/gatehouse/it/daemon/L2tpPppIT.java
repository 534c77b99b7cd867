package io.gatehouse.it.daemon;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.gatehouse.it.lab.Host;
import io.gatehouse.it.lab.Network;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * What Windows does, with xl2tpd on both sides: clients behind one NAT, all from port 1701 to port
 * 1701, PPP on top, and one unpatched L2TP daemon. Each has its own PPP link and its own answers.
 */
@Tag("full")
class L2tpPppIT {
  /** What comes over PPP is this host's own business here: the test is about L2TP. */
  static final String DESCRIPTION =
      L2tpClientsIT.DESCRIPTION.replace(
          "host: { output: closed }", "host: { input: open, output: open }");

  private static final String PPP =
      """
      mkdir -p /etc/xl2tpd /etc/ppp /run/xl2tpd
      touch /etc/ppp/options /etc/ppp/chap-secrets /etc/ppp/pap-secrets
      printf '%%s\\n' noauth noccp novj nodeflate nobsdcomp 'mtu 1300' 'mru 1300' \
        ipcp-accept-local ipcp-accept-remote 'logfile /var/log/ppp.log' > /etc/ppp/options.l2tp
      cat > /etc/xl2tpd/xl2tpd.conf << 'C'
      [global]
      access control = no
      %s
      ppp debug = yes
      pppoptfile = /etc/ppp/options.l2tp
      C
      setsid xl2tpd -D -c /etc/xl2tpd/xl2tpd.conf -p /run/xl2tpd.pid -C /run/xl2tpd/l2tp-control \
        > /var/log/xl2tpd.log 2>&1 < /dev/null &
      """;

  private static final String SERVER =
      """
      [lns default]
      ip range = 10.9.0.10-10.9.0.30
      local ip = 10.9.0.1
      require authentication = no\
      """;

  private static final String CLIENT =
      """
      [lac office]
      lns = 203.0.113.2
      autodial = yes
      redial = yes
      redial timeout = 2\
      """;

  @Test
  void eachHasItsOwnLink() {
    int clients = 4;
    try (Network net = L2tpClientsIT.behindOneNat(L2tpClientsIT.World.FOUR, clients)) {
      L2tpClientsIT.start(L2tpClientsIT.World.FOUR, net, clients, DESCRIPTION);
      dial(net, clients);
      assertEachHasItsLink(net, clients);
      net.host("c1").run("swanctl", "--rekey", "--child", "l2tp").expected();
      assertEachHasItsLink(net, clients);

      // One of them leaves and comes back.
      Host second = net.host("c2");
      second
          .script(
              """
              kill $(cat /run/xl2tpd.pid)
              until ! ip link show ppp0 2> /dev/null; do sleep 0.2; done
              swanctl --terminate --ike office > /dev/null
              """)
          .expected();
      second.initiate("l2tp").expected();
      second.script(PPP.formatted(CLIENT)).expected();
      assertEachHasItsLink(net, clients);
    }
  }

  /** Starts the L2TP daemons on both sides; clients dial until they have a link. */
  static void dial(Network net, int clients) {
    net.host("gw").script(PPP.formatted(SERVER)).expected();
    for (Host each : all(net, clients)) {
      each.script(PPP.formatted(CLIENT)).expected();
    }
  }

  private static List<Host> all(Network net, int clients) {
    List<Host> all = new ArrayList<>();
    for (int i = 1; i <= clients; i++) {
      all.add(net.host("c" + i));
    }
    return all;
  }

  /** All of them ask at the same time; an answer that goes to another's link is none. */
  static void assertEachHasItsLink(Network net, int clients) {
    await()
        .atMost(Duration.ofMinutes(3))
        .pollInterval(Duration.ofSeconds(2))
        .untilAsserted(() -> assertThat(addresses(net, clients)).hasSize(clients));
    assertThat(addresses(net, clients)).doesNotHaveDuplicates();
    StringBuilder script = new StringBuilder();
    for (Host each : all(net, clients)) {
      script.append(
          "lab-in %s ping -q -c 10 -i 0.3 -W 10 10.9.0.1 & pings+=($!)%n"
              .formatted(each.namespace()));
    }
    script.append("wait ${pings[@]}\n");
    assertThat(net.lab().run(script.toString()).out().lines())
        .filteredOn(line -> line.contains("10 packets transmitted, 10 received"))
        .hasSize(clients);
  }

  private static List<String> addresses(Network net, int clients) {
    List<String> addresses = new ArrayList<>();
    for (Host each : all(net, clients)) {
      each.script("ip -4 -br addr show dev ppp0 2> /dev/null | awk '{ print $3 }'")
          .out()
          .lines()
          .filter(line -> !line.isBlank())
          .forEach(addresses::add);
    }
    return addresses;
  }
}
