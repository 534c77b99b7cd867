package io.gatehouse.it.compile;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatehouse.it.lab.Fate;
import io.gatehouse.it.lab.Feature;
import io.gatehouse.it.lab.Host;
import io.gatehouse.it.lab.Lab;
import io.gatehouse.it.lab.Network;
import io.gatehouse.it.lab.Sightings;
import io.gatehouse.model.Family;
import io.gatehouse.ruleset.IpText;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * Hosts with more than one way out, or a way out that others tell them: identities, uplinks, router
 * advertisements, and leases. All check reverse paths strictly where a description does not say
 * otherwise.
 */
class WaysIT {
  private static final String WORLD =
      """
      wire isp:near 203.0.113.1/24 -- desk:eth0 203.0.113.5/24 -- up:eth0 203.0.113.2/24
      wire isp:web 198.18.0.1/24 2001:db8:f8::1/64 -- web:eth0 198.18.0.10/24 2001:db8:f8::10/64
      wire isp:sites 198.51.100.1/24 -- sites:eth0 198.51.100.7/24 198.51.100.8/24
      wire isp:vpn 198.51.102.1/24 -- vpn:isp 198.51.102.2/24
      wire vpn:desk 192.0.2.65/27 -- desk:tun0 192.0.2.77/32
      wire vpn:corp 192.0.2.129/25 -- corp:eth0 192.0.2.130/25
      wire isp:second 198.51.103.1/24 -- up:eth2 198.51.103.2/24
      wire up:eth1 10.0.1.1/24 -- pc:eth0 10.0.1.20/24
      wire isp:six 2001:db8:f6::1/64 -- six:eth0 2001:db8:f6::2/64
      wire six:eth1 2001:db8:1::1/64 -- pc6:eth0 2001:db8:1::20/64
      wire isp:home 100.64.0.2/24 -- home:ppp0 100.64.0.1/24
      wire home:eth1 192.168.1.1/24 fd00:1::1/64 -- lap:eth0
      route desk default via 203.0.113.1
      route desk 192.0.2.128/25 dev tun0
      route web default via 198.18.0.1
      route sites default via 198.51.100.1
      route web default via 2001:db8:f8::1
      route corp default via 192.0.2.129
      route vpn default via 198.51.102.1
      route isp 192.0.2.64/27 via 198.51.102.2
      route isp 192.0.2.128/25 via 198.51.102.2
      route isp 2001:db8:1::/64 via 2001:db8:f6::2
      route up default via 203.0.113.1
      route up default via 198.51.103.1 metric 100
      route pc default via 10.0.1.1
      route pc6 default via 2001:db8:1::1
      set isp net.ipv4.ip_forward=1
      set isp net.ipv6.conf.all.forwarding=1
      set vpn net.ipv4.ip_forward=1
      set vpn net.ipv4.conf.all.rp_filter=0
      set vpn net.ipv4.conf.default.rp_filter=0
      set isp net.ipv4.conf.all.rp_filter=0
      set isp net.ipv4.conf.default.rp_filter=0
      set vpn net.ipv4.conf.default.proxy_arp=1
      set desk net.ipv4.conf.default.rp_filter=1
      set up net.ipv4.conf.default.rp_filter=1
      """;

  private static Network net;

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
  }

  @AfterAll
  static void tearDown() {
    if (net != null) {
      net.close();
    }
  }

  private static void with(Host host, String example, Runnable test) {
    Examples.load(host, example);
    try {
      test.run();
    } finally {
      Examples.unload(host, example);
    }
  }

  /** From the inside address to where only main's route says eth0, and the other way round. */
  private static final String[] IDENTITIES = {
    "inside-out udp from=desk to=web dst=198.18.0.10:443 src=192.0.2.77",
    "outside-out udp from=desk to=corp dst=192.0.2.130:53 src=203.0.113.5",
    "to-inside icmp from=web to=desk dst=192.0.2.77",
    "to-outside tcp from=corp to=desk dst=203.0.113.5:22"
  };

  @Test
  void eachIdentityLeavesByItsOwnPath() {
    Host desk = net.host("desk");
    // The control: by destination alone, both go wrong.
    Sightings by = net.probe(Probes.and(IDENTITIES, "watch desk"));
    assertThat(by.of("inside-out").left("desk", "eth0")).isTrue();
    assertThat(by.of("outside-out").left("desk", "tun0")).isTrue();
    assertThat(by.of("to-inside").replied() && by.of("to-outside").replied()).isFalse();

    with(
        desk,
        "two-identities",
        () -> {
          Sightings seen =
              Probes.sent(
                  net,
                  Probes.and(
                      IDENTITIES,
                      "watch desk",
                      "no-admin tcp from=web to=desk dst=203.0.113.5:23",
                      "unbound udp from=desk to=web dst=198.18.0.10:53",
                      "unbound-corp udp from=desk to=corp dst=192.0.2.130:54"));
          Probes.assertReplied(
              seen,
              "inside-out",
              "outside-out",
              "to-inside",
              "to-outside",
              "unbound",
              "unbound-corp");
          Probes.assertFrom(seen, "inside-out", "192.0.2.77");
          Probes.assertFrom(seen, "outside-out", "203.0.113.5");
          Probes.assertFrom(seen, "unbound", "203.0.113.5");
          Probes.assertFrom(seen, "unbound-corp", "192.0.2.77");
          assertThat(seen.of("inside-out").left("desk", "tun0")).isTrue();
          assertThat(seen.of("outside-out").left("desk", "eth0")).isTrue();
          assertAnswered(seen.of("to-inside"), "desk", "tun0");
          assertAnswered(seen.of("to-outside"), "desk", "eth0");

          // With its path gone an identity is silent: the route refuses, and the guard behind it.
          String gone = "no-path udp from=desk to=web dst=198.18.0.10:53 src=192.0.2.77";
          desk.run("ip", "link", "set", "tun0", "down").expected();
          Probes.assertNothingLeft(Probes.sent(net, "watch desk", gone), "desk", "eth0");
          desk.run("ip", "rule", "delete", "priority", "5000").expected();
          Probes.assertNothingLeft(Probes.sent(net, "watch desk", gone), "desk", "eth0");
          desk.run("nft", "flush", "chain", "inet", "gatehouse", "guard").expected();
          assertThat(net.probe("watch desk", gone).of("no-path").left("desk", "eth0")).isTrue();
        });
  }

  private static void assertAnswered(Fate fate, String host, String device) {
    assertThat(fate.back())
        .filteredOn(place -> place.host().equals(host) && place.out())
        .isNotEmpty()
        .allMatch(place -> place.device().equals(device));
  }

  @Test
  void twoUplinks() {
    Host up = net.host("up");
    String[] second = {
      "ike2 udp from=web to=up dst=198.51.103.2:500 src=198.18.0.10:4711",
      "nat-t2 udp from=web to=up dst=198.51.103.2:4500"
    };
    // The control: the way back to the world is by eth0, so nothing from there comes in by eth2.
    Probes.sent(net, Probes.none(second));
    with(
        up,
        "two-uplinks",
        () -> {
          Sightings seen =
              Probes.sent(
                  net,
                  Probes.and(
                      second,
                      "watch up",
                      "ike1 udp from=web to=up dst=203.0.113.2:500",
                      "lan tcp from=pc to=web dst=198.18.0.10:80",
                      "near icmp from=pc to=up dst=203.0.113.2",
                      "no-crosswise udp from=web to=up dst=10.0.1.1:500"));
          Probes.assertReplied(seen, "ike1", "lan", "near", "ike2", "nat-t2");
          Probes.assertFrom(seen, "lan", "203.0.113.2");
          assertAnswered(seen.of("near"), "up", "eth1");
          assertAnswered(seen.of("ike1"), "up", "eth0");
          assertAnswered(seen.of("ike2"), "up", "eth2");
          up.run("ip", "route", "delete", "default", "via", "203.0.113.1").expected();
          Sightings rest = Probes.sent(net, "lan tcp from=pc to=web dst=198.18.0.10:81");
          Probes.assertReplied(rest, "lan");
          Probes.assertFrom(rest, "lan", "198.51.103.2");
          up.run("ip", "route", "add", "default", "via", "203.0.113.1").expected();
          oneFails(up);
        });
  }

  /** One of the two fails, while a connection goes by it. */
  private static void oneFails(Host up) {
    String flow = "udp from=pc to=web dst=198.18.0.10:53 src=10.0.1.20:4711";
    Probes.assertFrom(Probes.sent(net, "flow " + flow), "flow", "203.0.113.2");
    up.run("ip", "link", "set", "eth0", "down").expected();
    Sightings seen =
        Probes.sent(
            net,
            "watch up",
            "lan tcp from=pc to=web dst=198.18.0.10:80",
            "ours udp from=up to=web dst=198.18.0.10:54",
            "ike2 udp from=web to=up dst=198.51.103.2:500 src=198.18.0.10:4712",
            "no-flow " + flow,
            "no-first udp from=up to=web dst=198.18.0.10:55 src=203.0.113.2");
    Probes.assertReplied(seen, "lan", "ours", "ike2");
    Probes.assertFrom(seen, "lan", "198.51.103.2");
    Probes.assertFrom(seen, "ours", "198.51.103.2");
    // Nothing leaves by the other one in the name of what has failed, not even what began before.
    for (String probe : List.of("no-flow", "no-first")) {
      assertThat(seen.of(probe).left("up", "eth2")).as(probe).isFalse();
    }
    up.run("nft", "flush", "chain", "inet", "gatehouse", "guard").expected();
    assertThat(net.probe("watch up", "flow " + flow).of("flow").left("up", "eth2"))
        .as("the control")
        .isTrue();

    // It comes back; `gatehouse run`, or the unit of late devices, adds its routes again.
    up.script(
            "ip link set eth0 up && ip route add default via 203.0.113.1 && ip -batch - <<'END'\n"
                + routesBy("eth0")
                + "END")
        .expected();
    Sightings back =
        Probes.sent(
            net,
            "watch up",
            "ike1 udp from=web to=up dst=203.0.113.2:500",
            "again tcp from=pc to=web dst=198.18.0.10:81");
    assertAnswered(back.of("ike1"), "up", "eth0");
    Probes.assertFrom(back, "again", "203.0.113.2");
  }

  /** What a server inside answers leaves by the uplink that it was asked by. */
  @Test
  void serversBehindTwoUplinks() {
    Host up = net.host("up");
    String first = "first tcp from=web to=pc dst=203.0.113.2:443 at=10.0.1.20:8443";
    String second = "second tcp from=web to=pc dst=198.51.103.2:443 at=10.0.1.20:8443";
    String again = second.replace(":443 ", ":2222 ").replace(":8443", ":22");
    with(
        up,
        "uplink-servers",
        () -> {
          Sightings seen =
              Probes.sent(
                  net,
                  "watch up",
                  first,
                  second,
                  again.replace("second", "pinned"),
                  "no-pinned tcp from=web to=pc dst=203.0.113.2:2222 at=10.0.1.20:22",
                  "lan udp from=pc to=web dst=198.18.0.10:53");
          Probes.assertReplied(seen, "first", "second", "pinned", "lan");
          assertAnswered(seen.of("first"), "up", "eth0");
          assertAnswered(seen.of("second"), "up", "eth2");
          assertAnswered(seen.of("pinned"), "up", "eth2");
          assertThat(seen.of("lan").left("up", "eth0")).isTrue();
          sitesByTheirUplinks();

          // The other way round, when the default route is by the second.
          up.script("ip route delete default via 203.0.113.1").expected();
          seen = Probes.sent(net, "watch up", first, second);
          Probes.assertReplied(seen, "first", "second");
          assertAnswered(seen.of("first"), "up", "eth0");
          assertAnswered(seen.of("second"), "up", "eth2");
          up.script("ip route add default via 203.0.113.1").expected();

          // The control: by destination alone the answer leaves by neither.
          up.script("while ip rule delete priority 5099; do :; done").expected();
          seen = net.probe("watch up", second);
          assertThat(seen.of("second").replied()).isFalse();
          Probes.assertNothingLeft(seen, "up", "eth0");
        });
    // Settings stay: the other tests look at a host that checks strictly.
    up.script("for at in eth0 eth2; do echo 1 > /proc/sys/net/ipv4/conf/$at/rp_filter; done")
        .expected();
  }

  /** The tunnel that is pinned to one uplink is negotiated by that alone. */
  private static void sitesByTheirUplinks() {
    String north = "udp from=sites to=up src=198.51.100.7:500 dst=";
    String south = "udp from=sites to=up src=198.51.100.8:500 dst=";
    Sightings seen =
        Probes.sent(
            net,
            "north " + north + "203.0.113.2:500",
            "north2 " + north.replace(":500 ", ":4500 ") + "198.51.103.2:4500",
            "south2 " + south + "198.51.103.2:500",
            "no-south " + south.replace(":500 ", ":4500 ") + "203.0.113.2:4500");
    Probes.assertReplied(seen, "north", "north2", "south2");
  }

  private static String routesBy(String device) {
    return IpText.add(Examples.compiled("two-uplinks"), Family.V4)
        .lines()
        .filter(line -> line.startsWith("route ") && line.contains(" dev " + device + " "))
        .map(line -> line + "\n")
        .collect(Collectors.joining());
  }

  /** A router advertisement for a prefix, by a device. */
  private static final String ADVERTISE =
      """
      python3 - %s %s <<'END'
      import socket, struct, sys
      router = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)
      index = socket.if_nametoindex(sys.argv[1])
      router.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 255)
      router.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, index)
      router.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_LOOP, 0)
      # RFC 4861, 4.2 and 4.6.2: half an hour as a router, a prefix on the link to take an address from.
      head = struct.pack("!BBHBBHII", 134, 0, 0, 64, 0, 1800, 0, 0)
      prefix = struct.pack("!BBBBIII", 3, 4, 64, 0xC0, 1800, 1800, 0)
      router.sendto(head + prefix + socket.inet_pton(socket.AF_INET6, sys.argv[2]), ("ff02::1", 0, 0, index))
      END
      """;

  private static boolean six(String question) {
    return net.host("six")
            .script(
                "for i in $(seq 50); do %s && exit; sleep 0.1; done; exit 1".formatted(question))
            .status()
        == 0;
  }

  @Test
  void theRouteThatRoutersAdvertiseStays() {
    Host six = net.host("six");
    String route = "ip -6 route show default | grep -q 'proto ra'";
    net.host("isp").script(ADVERTISE.formatted("six", "2001:db8:f6::")).expected();
    assertThat(six(route)).isTrue();
    // The control: forwarding alone takes the route away.
    six.script("echo 1 > /proc/sys/net/ipv6/conf/all/forwarding").expected();
    assertThat(six.script(route).status()).isNotZero();
    six.script("echo 0 > /proc/sys/net/ipv6/conf/all/forwarding").expected();
    net.host("isp").script(ADVERTISE.formatted("six", "2001:db8:f6::")).expected();
    assertThat(six(route)).isTrue();

    with(
        six,
        "ipv6",
        () -> {
          assertThat(six.script(route).status()).isZero();
          // The next ones are heard through closed rules.
          net.host("isp").script(ADVERTISE.formatted("six", "2001:db8:f5::")).expected();
          assertThat(six("ip -6 address show dev eth0 | grep -q 2001:db8:f5:")).isTrue();
          // Not from inside, where nobody tells us a way out.
          net.host("pc6").script(ADVERTISE.formatted("eth0", "2001:db8:f4::")).expected();
          Sightings seen =
              Probes.sent(
                  net,
                  "out udp from=pc6 to=web dst=[2001:db8:f8::10]:53",
                  "in tcp from=web to=pc6 dst=[2001:db8:1::20]:443",
                  "no-in tcp from=web to=pc6 dst=[2001:db8:1::20]:80");
          Probes.assertReplied(seen, "out", "in");
          Probes.assertFrom(seen, "out", "2001:db8:1::20");
          assertThat(six.script("ip -6 address | grep -q 2001:db8:f4:").status()).isNotZero();
          whatIsTooBigIsTold();
        });
  }

  /** No router cuts IPv6's packets into pieces: their senders have to hear of a narrow link. */
  private static void whatIsTooBigIsTold() {
    Host isp = net.host("isp");
    isp.script("ip -6 route add 2001:db8:f8::10/128 dev web mtu 1300").expected();
    try {
      String[] large = {
        "quiet 3", "large tcp from=pc6 to=web dst=[2001:db8:f8::10]:443 bytes=50000"
      };
      // The control.
      net.host("six").nft(TOO_BIG_IS_LOST);
      assertThat(net.probe(large).of("large").details().get("sent")).isNotEqualTo("50000");
      net.host("six").nft("delete table inet deaf");
      assertThat(Probes.sent(net, large).of("large").details())
          .containsEntry("received", "50000")
          .containsEntry("sent", "50000");
    } finally {
      isp.script("ip -6 route del 2001:db8:f8::10/128 dev web").expected();
    }
  }

  private static final String TOO_BIG_IS_LOST =
      """
      table inet deaf {
        chain forward {
          type filter hook forward priority -10;
          icmpv6 type packet-too-big drop
        }
      }
      """;

  /** What a DHCP server offers who asks by a device: an address, or nothing. */
  private static final String ASK =
      """
      python3 - %s <<'END'
      import os, socket, struct, sys
      device, xid, mac = sys.argv[1], os.urandom(4), b"\\2\\0\\0\\0\\0\\1"
      asker = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
      for option, value in ((socket.SO_BROADCAST, 1), (socket.SO_BINDTODEVICE, device.encode())):
          asker.setsockopt(socket.SOL_SOCKET, option, value)
      asker.bind(("", 68))
      asker.settimeout(3)
      # RFC 2131, 2: a DISCOVER that wants its answer by broadcast.
      head = struct.pack("!BBBB4sHH16x16s192x4s", 1, 1, 6, 0, xid, 0, 0x8000, mac, b"\\x63\\x82\\x53\\x63")
      asker.sendto(head + b"\\x35\\1\\1\\xff", ("255.255.255.255", 67))
      try:
          while True:
              offer = asker.recv(1500)
              if offer[4:8] == xid:
                  print("4", socket.inet_ntoa(offer[16:20]))
                  break
      except TimeoutError:
          pass
      six = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
      index = socket.if_nametoindex(device)
      six.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, device.encode())
      six.bind(("::", 546))
      six.settimeout(3)
      # RFC 8415, 16.2: a SOLICIT with who asks, since when, and for what.
      solicit = b"\\1" + xid[:3] + struct.pack("!HH", 1, 10) + b"\\0\\3\\0\\1" + mac
      solicit += struct.pack("!HHH", 8, 2, 0) + struct.pack("!HHIII", 3, 12, 1, 0, 0)
      six.sendto(solicit, ("ff02::1:2", 547, 0, index))
      try:
          while True:
              advertise = six.recv(1500)
              if advertise[:4] == b"\\2" + xid[:3]:
                  print("6")
                  break
      except TimeoutError:
          pass
      END
      """;

  @Test
  void leasesForTheLanAndNobodyElse() {
    Host home = net.host("home");
    home.script(
            "dnsmasq --user=root --pid-file= --port=0 --no-ping --dhcp-leasefile=/run/leases"
                + " --dhcp-range=192.168.1.100,192.168.1.150 --dhcp-range=100.64.0.100,100.64.0.150"
                + " --dhcp-range=fd00:1::100,fd00:1::150 < /dev/null > /dev/null 2>&1 3>&-")
        .expected();
    // The control: by itself the server would serve the outside too.
    assertThat(net.host("isp").script(ASK.formatted("home")).expected().out())
        .contains("4 100.64.");
    with(
        home,
        "lan-services",
        () -> {
          assertThat(net.host("lap").script(ASK.formatted("eth0")).expected().out())
              .contains("4 192.168.1.1", "6");
          assertThat(net.host("isp").script(ASK.formatted("home")).expected().out()).isEmpty();
        });
  }
}
