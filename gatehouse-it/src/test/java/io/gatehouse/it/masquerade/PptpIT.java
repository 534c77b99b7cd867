package io.gatehouse.it.masquerade;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatehouse.it.lab.Answer;
import io.gatehouse.it.lab.Feature;
import io.gatehouse.it.lab.Lab;
import io.gatehouse.it.lab.Network;
import java.time.Duration;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Two pptp-linux clients behind Gatehouse to one pptpd: PPP comes up, and data goes both ways. */
@Tag("full")
class PptpIT {
  private static final String DESCRIPTION =
      """
      version: 1
      gateway: pptp
      interfaces:
        wan: { device: eth0, role: outside, addresses: 203.0.113.2/24, router-advertisements: false }
        lan: { device: eth1, role: inside, addresses: 10.0.1.1/24 }
      networks:
        office: { on: lan, prefixes: 10.0.1.0/24 }
      masquerade: { clients: office, pptp: true }
      """;

  private static final String WIRES =
      """
      host c1 beside pptp
      host c2 beside pptp
      host srv beside pptp
      wire gw:eth0 203.0.113.2/24 -- srv:eth0 203.0.113.1/24
      wire gw:eth1 10.0.1.1/24 -- c1:eth0 10.0.1.11/24 -- c2:eth0 10.0.1.12/24
      route gw default via 203.0.113.1
      route c1 default via 10.0.1.1
      route c2 default via 10.0.1.1
      set gw net.ipv4.ip_forward=1
      """;

  private static final String OPTIONS = "noauth nodefaultroute noccp novj nodetach";

  /** Starts the server, then both clients at once, and waits until each has an address. */
  private static final String DIAL =
      """
      modprobe -a ppp_generic ppp_async
      for host in srv c1 c2; do lab-in NET-$host mkdir -p /run/pptp /var/run/pptp; done
      lab-in NET-srv bash -c 'printf "%s\\n" OPTIONS | tr " " "\\n" > /etc/ppp/options.lab
        printf "option /etc/ppp/options.lab\\nlocalip 192.168.200.1\\nremoteip 192.168.200.11-20\\n" > /etc/pptpd.conf
        setsid pptpd -f -c /etc/pptpd.conf > /var/log/pptpd.log 2>&1 < /dev/null &'
      until lab-in NET-srv ss -Htln sport = :1723 | grep -q 1723; do :; done
      for client in c1 c2; do
        lab-in NET-$client bash -c 'setsid pppd OPTIONS pty "pptp 203.0.113.1 --nolaunchpppd" \
          > /var/log/ppp.log 2>&1 < /dev/null &'
      done
      for client in c1 c2; do
        until lab-in NET-$client ip -4 addr show 2> /dev/null | grep -q 'peer 192.168.200.1'; do
          read -r -t 0.5 < /dev/zero
        done
      done
      """;

  private static final String PINGS =
      """
      for client in c1 c2; do
        own=$(lab-in NET-$client ip -4 -o addr show | sed -n 's/.*inet \\([0-9.]*\\) peer.*/\\1/p')
        lab-in NET-$client ping -n -c 5 -i 0.3 -W 3 192.168.200.1 > /tmp/NET-$client.out &
        lab-in NET-srv ping -n -c 5 -i 0.3 -W 3 "$own" > /tmp/NET-$client.back &
      done
      wait
      cat /tmp/NET-c[12].{out,back} | grep -o '[0-9]* received'
      """;

  @Test
  void twoClientsToOneServer() {
    Lab lab =
        Lab.with(
            Feature.VETH,
            Feature.NFT_NAT,
            Feature.CT_ZONES,
            Feature.NFT_QUEUE,
            Feature.CT_PPTP,
            Feature.PPP);
    try (Network net = lab.network(WIRES)) {
      net.host("gw").write("/etc/gw.yaml", DESCRIPTION);
      net.host("gw").gatehouse("apply", "/etc/gw.yaml").expected();
      String name = net.host("gw").namespace().replaceFirst("-gw$", "");

      Answer dialled =
          lab.run(DIAL.replace("NET", name).replace("OPTIONS", OPTIONS), Duration.ofMinutes(2));
      assertThat(dialled.status()).as(dialled.err()).isZero();
      assertThat(lab.run(PINGS.replace("NET", name)).out().lines())
          .containsExactly("5 received", "5 received", "5 received", "5 received");

      assertThat(
              net.probe("other ip from=c1 to=srv dst=203.0.113.1 proto=47").of("other").arrived())
          .as("GRE that belongs to no session")
          .isFalse();
    }
  }
}
