package io.gatehouse.it.compile;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatehouse.compile.Compiler;
import io.gatehouse.generated.Descriptions;
import io.gatehouse.it.lab.Feature;
import io.gatehouse.it.lab.Host;
import io.gatehouse.it.lab.Lab;
import io.gatehouse.it.lab.Network;
import io.gatehouse.it.lab.Sightings;
import io.gatehouse.ruleset.Ruleset;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * What needs no ESP: the host's and the LAN's ordinary traffic, and what claims to be a tunnel's
 * and is not.
 */
class OrdinaryTrafficIT {
  private static final String WORLD =
      """
      wire gw:eth0 203.0.113.2/24 203.0.113.3/24 2001:db8:f0::2/64 -- net:gw 203.0.113.1/24 2001:db8:f0::1/64
      wire gw:eth1 10.0.1.1/24 2001:db8:1::1/64 -- pc:eth0 10.0.1.20/24 10.0.1.80/24 10.0.1.81/24 2001:db8:1::20/64 -- router:eth0 10.0.1.254/24
      wire router:eth1 192.168.88.1/24 -- storage:eth0 192.168.88.10/24
      wire gw:eth2 192.0.2.65/27 2001:db8:2::1/64 -- dmz:eth0 192.0.2.70/27 192.0.2.71/27 192.0.2.72/27 2001:db8:2::70/64 2001:db8:2::71/64 2001:db8:2::72/64
      wire gw:docker0 172.17.0.1/16 -- box:eth0 172.17.0.2/16
      wire net:web 198.51.100.1/24 2001:db8:f::1/64 -- web:eth0 198.51.100.10/24 198.51.100.7/24 198.51.100.9/24 192.0.2.9/32 10.0.3.7/32 10.20.0.10/32 2001:db8:f::10/64 2001:db8:f::7/64 2001:db8:f::9/64
      route gw default via 203.0.113.1
      route gw default via 2001:db8:f0::1
      route pc default via 10.0.1.1
      route pc default via 2001:db8:1::1
      route router default via 10.0.1.1
      route storage default via 192.168.88.1
      route dmz default via 192.0.2.65
      route dmz default via 2001:db8:2::1
      route box default via 172.17.0.1
      route web default via 198.51.100.1
      route web default via 2001:db8:f::1
      route net 10.0.1.0/24 via 203.0.113.2
      route net 172.17.0.0/16 via 203.0.113.2
      route net 192.0.2.64/27 via 203.0.113.2
      route net 2001:db8:2::/64 via 2001:db8:f0::2
      route net 192.0.2.9 via 198.51.100.10
      route net 10.0.0.0/8 via 198.51.100.10
      set net net.ipv4.ip_forward=1
      set net net.ipv6.conf.all.forwarding=1
      set router net.ipv4.ip_forward=1
      """;

  private static Network net;
  private static Host gw;

  @BeforeAll
  static void build() {
    net =
        Lab.with(
                Feature.VETH,
                Feature.BRIDGE,
                Feature.NFT_INET,
                Feature.NFT_NAT,
                Feature.NFT_IPSEC,
                Feature.XFRM_POLICY)
            .network(WORLD);
    gw = net.host("gw");
  }

  @AfterAll
  static void tearDown() {
    if (net != null) {
      net.close();
    }
  }

  private static void with(String example, Runnable test) {
    with(Examples.compiled(example), test);
  }

  private static void with(Ruleset ruleset, Runnable test) {
    Examples.load(gw, ruleset);
    // What was begun before must not make an answer of what a test sends.
    gw.run("conntrack", "-F").expected();
    try {
      test.run();
    } finally {
      Examples.unload(gw, ruleset);
    }
  }

  private static Ruleset changed(String example, String words, String others) {
    return Compiler.compile(Descriptions.changedExample(example, words, others)).ruleset();
  }

  private static Sightings probe(String... lines) {
    return Probes.sent(net, lines);
  }

  @Test
  void vpnHostsWithRegisteredAddresses() {
    with(
        "registered-vpn",
        () -> {
          Sightings seen =
              probe(
                  "ike udp from=web to=dmz dst=192.0.2.70:500 src=198.51.100.7:500",
                  "nat-t udp from=web to=dmz dst=192.0.2.70:4500 src=198.51.100.7:4500",
                  "esp ip from=web to=dmz dst=192.0.2.70 src=198.51.100.7",
                  "pptp tcp from=web to=dmz dst=192.0.2.70:1723 src=198.51.100.7",
                  "gre ip from=web to=dmz dst=192.0.2.70 src=198.51.100.7 proto=47",
                  "ike-six udp from=web to=dmz dst=[2001:db8:2::70]:500 src=[2001:db8:f::7]:500",
                  "esp-six ip from=web to=dmz dst=2001:db8:2::70 src=2001:db8:f::7",
                  "pptp-six tcp from=web to=dmz dst=[2001:db8:2::70]:1723 src=[2001:db8:f::7]",
                  "gre-six ip from=web to=dmz dst=2001:db8:2::70 src=2001:db8:f::7 proto=47",
                  "no-ike-of-others udp from=web to=dmz dst=192.0.2.70:500 src=198.51.100.10:500",
                  "no-pptp-of-others tcp from=web to=dmz dst=192.0.2.70:1723 src=198.51.100.10",
                  "no-gre-of-others ip from=web to=dmz dst=192.0.2.70 src=198.51.100.10 proto=47",
                  "no-other-port udp from=web to=dmz dst=192.0.2.70:53 src=198.51.100.7",
                  "no-ah ip from=web to=dmz dst=192.0.2.70 src=198.51.100.7 proto=51",
                  "no-ike-of-others-six udp from=web to=dmz dst=[2001:db8:2::70]:500 src=[2001:db8:f::10]:500",
                  "no-gre-of-others-six ip from=web to=dmz dst=2001:db8:2::70 src=2001:db8:f::10 proto=47",
                  "no-other-port-six udp from=web to=dmz dst=[2001:db8:2::70]:53 src=[2001:db8:f::7]");
          Probes.assertReplied(seen, "ike", "nat-t", "pptp", "ike-six", "pptp-six");
          Probes.assertFrom(seen, "ike", "198.51.100.7");
          Probes.assertFrom(seen, "ike-six", "2001:db8:f::7");
        });
    // The control: without the rules they would pass.
    gw.script("echo 1 > /proc/sys/net/ipv4/ip_forward").expected();
    gw.script("echo 1 > /proc/sys/net/ipv6/conf/all/forwarding").expected();
    probe(
        "into-client udp from=web to=dmz dst=192.0.2.71:4500 src=198.51.100.7:4500",
        "gre-of-others ip from=web to=dmz dst=192.0.2.70 src=198.51.100.10 proto=47",
        "ah ip from=web to=dmz dst=192.0.2.70 src=198.51.100.7 proto=51",
        "gre-of-others-six ip from=web to=dmz dst=2001:db8:2::70 src=2001:db8:f::10 proto=47",
        "pptp-into-client tcp from=web to=dmz dst=192.0.2.72:1723 src=198.51.100.9");
  }

  /** What they begin themselves, apart: none of it is an answer to what others began. */
  @Test
  void vpnHostsWithRegisteredAddressesBegin() {
    with(
        "registered-vpn",
        () -> {
          Sightings seen =
              probe(
                  "esp-out ip from=dmz to=web dst=198.51.100.7 src=192.0.2.70",
                  "gre-out ip from=dmz to=web dst=198.51.100.7 src=192.0.2.70 proto=47",
                  "esp-out-six ip from=dmz to=web dst=2001:db8:f::7 src=2001:db8:2::70",
                  "gre-out-six ip from=dmz to=web dst=2001:db8:f::7 src=2001:db8:2::70 proto=47",
                  "client udp from=dmz to=web dst=198.51.100.10:500 src=192.0.2.71:500",
                  "client-six udp from=dmz to=web dst=[2001:db8:f::10]:500 src=[2001:db8:2::71]:500",
                  "client-esp ip from=dmz to=web dst=198.51.100.10 src=192.0.2.71",
                  "pptp tcp from=dmz to=web dst=198.51.100.9:1723 src=192.0.2.72",
                  "gre ip from=dmz to=web dst=198.51.100.9 src=192.0.2.72 proto=47",
                  "pptp-six tcp from=dmz to=web dst=[2001:db8:f::9]:1723 src=[2001:db8:2::72]",
                  "gre-six ip from=dmz to=web dst=2001:db8:f::9 src=2001:db8:2::72 proto=47",
                  "no-world tcp from=dmz to=web dst=198.51.100.10:80 src=192.0.2.70",
                  "no-gre-of-client ip from=dmz to=web dst=198.51.100.10 src=192.0.2.71 proto=47",
                  "no-pptp-of-client tcp from=dmz to=web dst=198.51.100.9:1723 src=192.0.2.71",
                  "no-pptp-elsewhere tcp from=dmz to=web dst=198.51.100.10:1723 src=192.0.2.72",
                  "no-gre-elsewhere ip from=dmz to=web dst=198.51.100.10 src=192.0.2.72 proto=47",
                  "no-gre-elsewhere-six ip from=dmz to=web dst=2001:db8:f::10 src=2001:db8:2::72 proto=47",
                  "no-ike-of-pptp udp from=dmz to=web dst=198.51.100.9:500 src=192.0.2.72");
          Probes.assertReplied(seen, "client", "client-six", "pptp", "pptp-six");
          Probes.assertFrom(seen, "client", "192.0.2.71");
          Probes.assertFrom(seen, "client-six", "2001:db8:2::71");
          Probes.assertFrom(seen, "pptp", "192.0.2.72");
          Probes.assertFrom(seen, "pptp-six", "2001:db8:2::72");

          // The remote sends first: GRE of a call may, into a client of IPsec nothing.
          gw.run("conntrack", "-F").expected();
          probe(
              "gre-in ip from=web to=dmz dst=192.0.2.72 src=198.51.100.9 proto=47",
              "gre-in-six ip from=web to=dmz dst=2001:db8:2::72 src=2001:db8:f::9 proto=47",
              "no-gre-of-others ip from=web to=dmz dst=192.0.2.72 src=198.51.100.10 proto=47",
              "no-gre-of-others-six ip from=web to=dmz dst=2001:db8:2::72 src=2001:db8:f::10 proto=47",
              "no-pptp-into-client tcp from=web to=dmz dst=192.0.2.72:1723 src=198.51.100.9",
              "no-into-client udp from=web to=dmz dst=192.0.2.71:4500 src=198.51.100.7:4500",
              "no-into-client-six udp from=web to=dmz dst=[2001:db8:2::71]:4500 src=[2001:db8:f::7]:4500",
              "no-esp-into-client ip from=web to=dmz dst=192.0.2.71 src=198.51.100.10");
        });
  }

  @Test
  void serversOfPptpByWhoCalls() {
    with(
        "pptp-servers",
        () -> {
          Sightings seen =
              probe(
                  "control tcp from=web to=pc dst=203.0.113.2:1723 at=10.0.1.80:1723 src=198.51.100.7",
                  "gre ip from=web to=pc dst=203.0.113.2 at=10.0.1.80 src=198.51.100.7 proto=47",
                  "second tcp from=web to=pc dst=203.0.113.2:1723 at=10.0.1.81:1723 src=198.51.100.10",
                  "second-gre ip from=web to=pc dst=203.0.113.2 at=10.0.1.81 src=198.51.100.10 proto=47",
                  "https tcp from=pc to=web dst=198.51.100.10:443",
                  "no-others tcp from=web to=pc dst=203.0.113.2:1723 at=10.0.1.81:1723 src=192.0.2.9",
                  "no-gre-of-others ip from=web to=pc dst=203.0.113.2 at=10.0.1.81 src=192.0.2.9 proto=47",
                  "no-esp ip from=web to=pc dst=203.0.113.2 at=10.0.1.80 src=198.51.100.7",
                  "no-http tcp from=pc to=web dst=198.51.100.10:80");
          Probes.assertReplied(seen, "control", "second", "https");
          Probes.assertFrom(seen, "control", "198.51.100.7");
          Probes.assertFrom(seen, "https", "203.0.113.2");
        });
    // The control: it is the callers' addresses that keep the others out.
    with(
        changed("pptp-servers.yaml", ", from: [198.51.100.10, 192.0.2.128/25]", ""),
        () ->
            probe(
                "others tcp from=web to=pc dst=203.0.113.2:1723 at=10.0.1.81:1723 src=192.0.2.9",
                "gre-of-others ip from=web to=pc dst=203.0.113.2 at=10.0.1.81 src=192.0.2.9 proto=47"));
  }

  /** What a server sends first is a flow of its own, under the outside address. */
  @Test
  void serversOfPptpAloneSendGre() {
    String office = "gre-of-office ip from=pc to=web dst=198.51.100.7 src=10.0.1.20 proto=47";
    String elsewhere = "gre-elsewhere ip from=pc to=web dst=192.0.2.9 src=10.0.1.80 proto=47";
    with(
        "pptp-servers",
        () -> {
          Sightings seen =
              probe(
                  "out ip from=pc to=web dst=198.51.100.7 src=10.0.1.80 proto=47",
                  "second ip from=pc to=web dst=198.51.100.10 src=10.0.1.81 proto=47",
                  "no-" + office,
                  "no-" + elsewhere,
                  "no-callers-of-the-other ip from=pc to=web dst=198.51.100.7 src=10.0.1.81 proto=47");
          assertThat(seen.of("out").from()).hasValue("203.0.113.2");
          assertThat(seen.of("second").from()).hasValue("203.0.113.2");
        });
    // The control: it is the flows that say whose, and to whom.
    with(changed("pptp-servers.yaml", "source: 10.0.1.80, ", ""), () -> probe(office));
    with(changed("pptp-servers.yaml", ", destination: 198.51.100.7", ""), () -> probe(elsewhere));
  }

  @Test
  void officeWithoutATunnelUp() {
    with(
        "office",
        () -> {
          Sightings seen =
              probe(
                  "internet tcp from=pc to=web dst=198.51.100.10:80",
                  "admin tcp from=pc to=gw dst=10.0.1.1:22",
                  "no-admin tcp from=web to=gw dst=203.0.113.2:22",
                  "ike udp from=web to=gw dst=203.0.113.2:500 src=198.51.100.10:4711",
                  "nat-t udp from=web to=gw dst=203.0.113.2:4500",
                  "no-other-port udp from=web to=gw dst=203.0.113.2:4501",
                  "no-ike-from-inside udp from=pc to=gw dst=203.0.113.2:500 src=10.0.1.20:99",
                  "no-ike-to-inside udp from=web to=gw dst=10.0.1.1:500",
                  "esp ip from=web to=gw dst=203.0.113.2",
                  "no-ah ip from=web to=gw dst=203.0.113.2 proto=51",
                  "ping icmp from=pc to=gw dst=10.0.1.1",
                  "no-ping icmp from=web to=gw dst=203.0.113.2",
                  "no-into-lan udp from=web to=pc dst=10.0.1.20:53",
                  "no-storage udp from=pc to=storage dst=192.168.88.10:445",
                  "container udp from=box to=web dst=198.51.100.10:53",
                  "no-container-into-lan udp from=box to=pc dst=10.0.1.20:53");
          Probes.assertFrom(seen, "internet", "203.0.113.2");
          Probes.assertFrom(seen, "container", "172.17.0.2");
        });
  }

  /** Its answers go past us: of each connection we see one direction only. */
  @Test
  void aHostOfTheLanLeadsToNetworksBehindATunnelOfItsOwn() {
    with(
        "inside-client",
        () -> {
          Sightings seen =
              probe(
                  "dns udp from=pc to=storage dst=192.168.88.10:53",
                  "ping icmp from=pc to=storage dst=192.168.88.10",
                  "files tcp from=pc to=storage dst=192.168.88.10:445 bytes=20000",
                  "no-other tcp from=pc to=storage dst=192.168.88.10:80",
                  "no-other-port udp from=pc to=storage dst=192.168.88.10:123",
                  "no-begin tcp from=storage to=web dst=198.51.100.10:80",
                  "no-into-it udp from=web to=storage dst=192.168.88.10:53");
          Probes.assertReplied(seen, "dns", "ping", "files");
          Probes.assertFrom(seen, "files", "10.0.1.20");
          assertThat(seen.of("files").details())
              .containsEntry("sent", "20000")
              .containsEntry("received", "20000");
        });
  }

  @Test
  void nothingOfAPoolOrARemoteNetworkInClear() {
    // The source of a pool and of a remote network, forged; and their addresses as targets.
    String[] probes = {
      "pool udp from=web to=pc dst=10.0.1.20:445 src=10.0.3.7:1000 spoof silent",
      "remote udp from=web to=pc dst=10.0.1.20:445 src=10.20.0.5:1000 spoof silent",
      "host ip from=web to=gw dst=203.0.113.2 src=10.20.0.5 spoof silent",
      "towards-pool udp from=pc to=web dst=10.0.3.7:53 silent",
      "towards-remote udp from=pc to=web dst=10.20.0.10:53 silent"
    };
    String[] none = Probes.none(probes);
    with(
        "office",
        () -> {
          probe(none);
          gw.script("nft flush ruleset").expected();
          probe(none); // the backstop holds alone
          gw.script("ip xfrm policy flush").expected();
          probe(probes); // the control: nothing else stops it
        });
  }

  @Test
  void closedInAllDirections() {
    with(
        "closed-host",
        () -> {
          Sightings seen =
              probe(
                  "dns udp from=gw to=web dst=198.51.100.10:53",
                  "https tcp from=gw to=web dst=198.51.100.10:443",
                  "no-http tcp from=gw to=web dst=198.51.100.10:80",
                  "lan-http tcp from=pc to=web dst=198.51.100.10:80",
                  "no-lan-8080 tcp from=pc to=web dst=198.51.100.10:8080",
                  "no-container udp from=box to=web dst=198.51.100.10:53",
                  "no-ping icmp from=pc to=gw dst=10.0.1.1",
                  "no-ike-from-a-stranger udp from=web to=gw dst=203.0.113.2:500"
                      + " src=198.51.100.10:500",
                  "ike udp from=web to=gw dst=203.0.113.2:4500 src=198.51.100.7:4500");
          Probes.assertFrom(seen, "lan-http", "203.0.113.2");
          assertThat(seen.of("ike").replied()).isTrue();
        });
  }

  @Test
  void dropsAreLoggedWithinTheirLimit() {
    with(
        "closed-host",
        () -> {
          gw.script("for i in $(seq 40); do echo > /dev/udp/198.51.100.10/9999; done; true");
          String chain = gw.script("nft -j list chain inet gatehouse drop.output").expected().out();
          List<Integer> counts =
              Pattern.compile("\"packets\": ?(\\d+)")
                  .matcher(chain)
                  .results()
                  .map(match -> Integer.valueOf(match.group(1)))
                  .toList();
          assertThat(counts).hasSize(2);
          assertThat(counts.getFirst()).isBetween(1, 15); // logged: a burst of 10, 30 a minute
          assertThat(counts.getLast()).isGreaterThanOrEqualTo(40); // dropped
        });
  }

  @Test
  void portForwards() {
    with(
        "port-forward",
        () -> {
          Sightings seen =
              probe(
                  "https tcp from=web to=pc dst=203.0.113.2:443 at=10.0.1.80:8443",
                  "ssh tcp from=web to=pc dst=203.0.113.2:2222 at=10.0.1.81:22 src=192.0.2.9",
                  "no-ssh tcp from=web to=pc dst=203.0.113.2:2222 at=10.0.1.81:22"
                      + " src=198.51.100.10",
                  "no-direct tcp from=web to=pc dst=10.0.1.80:8443");
          assertThat(seen.of("https").replied()).isTrue();
        });
  }

  @Test
  void fixedAndRoutedAddresses() {
    with(
        "fixed-address",
        () -> {
          Sightings seen =
              probe(
                  "lan udp from=pc to=web dst=198.51.100.10:53",
                  "servers udp from=dmz to=web dst=198.51.100.10:53",
                  "http tcp from=web to=dmz dst=192.0.2.70:80",
                  "no-ssh tcp from=web to=dmz dst=192.0.2.70:22",
                  "to-servers udp from=pc to=dmz dst=192.0.2.70:22",
                  "no-from-servers udp from=dmz to=pc dst=10.0.1.20:22");
          Probes.assertFrom(seen, "lan", "203.0.113.3");
          Probes.assertFrom(seen, "servers", "192.0.2.70");
        });
  }

  @Test
  void dynamicAddress() {
    with(
        "dynamic-address",
        () -> {
          gw.script("ip addr add 203.0.113.77/24 dev eth0").expected();
          probe(
              "ike udp from=web to=gw dst=203.0.113.77:500",
              "no-ike-to-inside udp from=web to=gw dst=10.0.1.1:500",
              "https tcp from=web to=pc dst=203.0.113.77:443 at=10.0.1.80:443");
          gw.script("ip addr del 203.0.113.77/24 dev eth0").expected();
        });
  }

  @Test
  void clientsInsideTheLanAreAnsweredForOnceTheDaemonSaysSo() {
    with(
        "proxy-lan",
        () -> {
          gw.script(
                  """
                  ip neigh add proxy 10.0.1.250 dev eth1 protocol 171
                  ip neigh add proxy 2001:db8:1::f5 dev eth1 protocol 171
                  """)
              .expected();
          String asked =
              net.host("pc")
                  .script(
                      """
                      for to in 10.0.1.250 10.0.1.251 2001:db8:1::f5 2001:db8:1::f6; do
                        ping -c 1 -W 2 $to > /dev/null &
                      done
                      wait
                      ip neigh show dev eth0
                      """)
                  .out();
          assertThat(asked).containsPattern("(?m)^10\\.0\\.1\\.250 lladdr");
          assertThat(asked).containsPattern("(?m)^2001:db8:1::f5 lladdr");
          assertThat(asked).doesNotContainPattern("(?m)^10\\.0\\.1\\.251 lladdr");
          assertThat(asked).doesNotContainPattern("(?m)^2001:db8:1::f6 lladdr");
        });
  }
}
