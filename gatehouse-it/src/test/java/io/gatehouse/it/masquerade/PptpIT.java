package io.gatehouse.it.masquerade;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatehouse.it.Described;
import io.gatehouse.it.lab.Answer;
import io.gatehouse.it.lab.Feature;
import io.gatehouse.it.lab.Lab;
import io.gatehouse.it.lab.Network;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Two pptp-linux clients behind Gatehouse to one pptpd: PPP comes up, and data goes both ways. And
 * what the kernel's helper makes of calls that ordinary clients do not make, played without PPP.
 */
@Tag("full")
class PptpIT {
  static final String DESCRIPTION =
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
    twoClients((net, description) -> {
      net.host("gw").write("/etc/gw.yaml", description);
      net.host("gw").gatehouse("apply", "/etc/gw.yaml").expected();
    });
  }

  @Test
  void twoClientsToOneServerByTheDaemon() {
    twoClients((net, description) ->
        new Gate(net.lab(), net.host("gw"))
            .run(description.replace("pptp: true", "pptp: true, pptp-by: daemon")));
  }

  private static void twoClients(BiConsumer<Network, String> begun) {
    Lab lab =
        Lab.with(
            Feature.VETH,
            Feature.NFT_NAT,
            Feature.CT_ZONES,
            Feature.NFT_QUEUE,
            Feature.CT_PPTP,
            Feature.PPP);
    try (Network net = lab.network(WIRES)) {
      begun.accept(net, DESCRIPTION);
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

  /** Without peers: {@code s} inside is a server, {@code far} outside one, and calls as well. */
  static final String PLAYED =
      """
      wire gw:eth0 203.0.113.2/24 -- far:eth0 203.0.113.1/24 -- road:eth0 203.0.113.9/24
      wire gw:eth1 10.0.1.1/24 -- a:eth0 10.0.1.11/24 -- b:eth0 10.0.1.12/24 -- s:eth0 10.0.1.80/24
      route gw default via 203.0.113.1
      route a default via 10.0.1.1
      route b default via 10.0.1.1
      route s default via 10.0.1.1
      set gw net.ipv4.ip_forward=1
      """;

  /** A server inside beside the clients: from which GRE leaves unasked, as its own flow. */
  private static final String WITH_SERVER =
      DESCRIPTION
          + """
          host:
            internet: { from: office, services: gre }
            port-forwards: [{ service: pptp, to: 10.0.1.80 }]
          """;

  private static void in(String description, Consumer<Network> story) {
    Lab lab =
        Lab.with(
            Feature.VETH, Feature.NFT_NAT, Feature.CT_ZONES, Feature.NFT_QUEUE, Feature.CT_PPTP);
    try (Network net = lab.network(PLAYED)) {
      // Else the helper expects calls and translates nothing; `apply` does it.
      lab.run("modprobe nf_nat_pptp").expected();
      net.host("gw").nft(Described.of(description).nft());
      story.accept(net);
    }
  }

  /** Where each call and each packet came to, by its name. */
  static Map<String, String> played(Network net, String script) {
    String name = net.host("gw").namespace().replaceFirst("-gw$", "");
    Answer answer =
        net.lab().run("lab-pptp <<'END'%nnet %s%n%s%nEND%n".formatted(name, script)).expected();
    Map<String, String> came = new LinkedHashMap<>();
    answer.out().lines().forEach(line -> came.put(line.split(" ", 2)[0], line.split(" ", 2)[1]));
    return came;
  }

  private static final String EQUAL =
      """
      serve far
      A call a 203.0.113.1 id=7
      B call b 203.0.113.1 id=7
      a-out out A
      b-out out B
      b-back back B
      a-back back A
      """;

  private static void assertEachHasItsOwn(Map<String, String> came) {
    assertThat(came)
        .containsEntry("A", "far/203.0.113.2")
        .containsEntry("B", "far/203.0.113.2")
        .containsEntry("a-out", "far/203.0.113.2 A")
        .containsEntry("b-out", "far/203.0.113.2 B")
        .containsEntry("b-back", "b/203.0.113.1 B")
        .containsEntry("a-back", "a/203.0.113.1 A");
  }

  @Test
  void equalCallIdsOfTwoClientsAreEachItsOwn() {
    in(DESCRIPTION, net -> assertEachHasItsOwn(played(net, EQUAL)));
  }

  /** As docs/masquerade.md says: the helper gives both the one Call ID, and forgets the first. */
  @Test
  void aSecondCallInASessionIsLostAndTheFirstGoesOn() {
    in(
        DESCRIPTION,
        net ->
            assertThat(
                    played(
                        net,
                        """
                        serve far
                        A call a 203.0.113.1 id=7
                        first-out out A
                        first-back back A
                        again again A id=8
                        out out again
                        back back again
                        still-out out A
                        still-back back A
                        """))
                .containsEntry("first-out", "far/203.0.113.2 A")
                .containsEntry("first-back", "a/203.0.113.1 A")
                .containsEntry("again", "far/203.0.113.2")
                .containsEntry("out", "nowhere")
                .as("under the first one's Call ID")
                .containsEntry("back", "a/203.0.113.1 A")
                .containsEntry("still-out", "far/203.0.113.2 A")
                .containsEntry("still-back", "a/203.0.113.1 A"));
  }

  @Test
  void aServerInsideAndClientsInsideGoOnTogether() {
    in(
        WITH_SERVER,
        net -> {
          Map<String, String> came =
              played(
                  net,
                  EQUAL
                      + """
                      serve s first=300
                      S call far 203.0.113.2 id=7
                      R call road 203.0.113.2 id=7
                      s-out out S
                      s-back back S
                      r-out out R
                      r-back back R
                      a-still-out out A
                      a-still-back back A
                      b-still-out out B
                      b-still-back back B
                      s-still-out out S
                      """);
          assertEachHasItsOwn(came);
          assertThat(came)
              .containsEntry("S", "s/203.0.113.1")
              .containsEntry("R", "s/203.0.113.9")
              .containsEntry("s-out", "s/203.0.113.1 S")
              .containsEntry("s-back", "far/203.0.113.2 S")
              .containsEntry("r-out", "s/203.0.113.9 R")
              .containsEntry("r-back", "road/203.0.113.2 R")
              .containsEntry("a-still-out", "far/203.0.113.2 A")
              .containsEntry("a-still-back", "a/203.0.113.1 A")
              .containsEntry("b-still-out", "far/203.0.113.2 B")
              .containsEntry("b-still-back", "b/203.0.113.1 B")
              .containsEntry("s-still-out", "s/203.0.113.1 S");
        });
  }

  /** The helper looks for a Call ID that no other client's call has: its source port. */
  @Test
  void aServerInsideThatChoosesTheCallIdOfAClientsCallWithTheSameRemoteLosesIt() {
    in(
        WITH_SERVER,
        net ->
            assertThat(
                    played(
                        net,
                        """
                        serve far
                        serve s first=40000
                        A call a 203.0.113.1 id=7 port=40000
                        a-out out A
                        a-back back A
                        S call far 203.0.113.2 id=9
                        R call road 203.0.113.2 id=9
                        s-out out S
                        r-out out R
                        a-still-back back A
                        """))
                .containsEntry("a-back", "a/203.0.113.1 A")
                .containsEntry("S", "s/203.0.113.1")
                .containsEntry("s-out", "a/203.0.113.1 A")
                .containsEntry("r-out", "s/203.0.113.9 R")
                .containsEntry("a-still-back", "a/203.0.113.1 A"));
  }
}
