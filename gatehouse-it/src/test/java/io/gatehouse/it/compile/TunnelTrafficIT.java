package io.gatehouse.it.compile;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatehouse.compile.Companion;
import io.gatehouse.compile.Compiled;
import io.gatehouse.compile.Compiler;
import io.gatehouse.generated.Descriptions;
import io.gatehouse.it.lab.Fate;
import io.gatehouse.it.lab.Feature;
import io.gatehouse.it.lab.Host;
import io.gatehouse.it.lab.Lab;
import io.gatehouse.it.lab.Network;
import io.gatehouse.it.lab.Sightings;
import io.gatehouse.ruleset.Ruleset;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * What comes and goes through tunnels, and what only says so. SAs are laid by hand, as an IKE
 * daemon would lay them.
 */
class TunnelTrafficIT {
  private static final String WORLD =
      """
      wire gw:eth0 203.0.113.2/24 203.0.113.9/24 203.0.113.20/24 2001:db8:f0::2/64 -- net:gw 203.0.113.1/24 2001:db8:f0::1/64
      wire gw:eth1 10.0.1.1/24 2001:db8:1::1/64 -- pc:eth0 10.0.1.20/24 2001:db8:1::20/64 -- one:eth0 10.0.1.2/24 -- printer:eth0 10.0.1.30/24
      wire gw:eth2 172.30.0.1/24 10.0.2.1/24 -- cloud:ens5 172.30.0.10/24 -- bench:eth0 10.0.2.20/24
      wire cloud:ens6 172.31.16.10/20 -- server:eth0 172.31.16.20/20
      wire net:roam 198.51.101.1/24 2001:db8:f1::1/64 -- roam:eth0 198.51.101.20/24 10.0.3.5/32 10.0.3.10/32 10.0.3.11/32 10.0.3.12/32 10.0.4.5/32 10.0.5.5/32 192.168.3.5/32 2001:db8:f1::20/64 2001:db8:3::5/128 2001:db8:4::5/128 fd00:3::5/128
      wire net:branch 198.51.100.1/24 2001:db8:f7::1/64 -- branch:eth0 198.51.100.7/24 10.20.0.10/32 10.30.0.10/32 10.31.0.10/32 10.0.3.6/32 10.0.1.201/32 2001:db8:f7::7/64 2001:db8:20::10/128 -- south:eth0 198.51.100.8/24 10.40.0.10/32
      wire net:web 198.18.0.1/24 2001:db8:f8::1/64 -- web:eth0 198.18.0.10/24 2001:db8:f8::10/64
      wire net:home 198.51.102.1/24 -- home:ppp0 198.51.102.2/24
      wire home:eth1 192.168.1.1/24 fd00:1::1/64 -- lap:eth0 192.168.1.20/24
      route gw default via 203.0.113.1
      route gw default via 2001:db8:f0::1
      route pc default via 10.0.1.1
      route pc default via 2001:db8:1::1
      route one default via 10.0.1.1
      route printer default via 10.0.1.1
      route printer 10.0.3.0/24 via 10.0.1.2
      route cloud default via 172.30.0.1
      route server default via 172.31.16.10
      route roam default via 198.51.101.1
      route roam default via 2001:db8:f1::1
      route branch default via 198.51.100.1
      route south default via 198.51.100.1
      route bench default via 10.0.2.1
      route home default via 198.51.102.1
      route lap default via 192.168.1.1
      route branch default via 2001:db8:f7::1
      route web default via 198.18.0.1
      route web default via 2001:db8:f8::1
      route net 10.0.0.0/8 via 203.0.113.2
      route net 10.20.0.0/16 via 198.51.100.7
      route net 10.30.0.0/16 via 198.51.100.7
      route net 10.40.0.0/16 via 198.51.100.8
      route net 192.168.0.0/16 via 198.51.102.2
      route net 2001:db8:1::/64 via 2001:db8:f0::2
      route net 2001:db8:4::/64 via 2001:db8:f0::2
      route net 2001:db8:20::/48 via 2001:db8:f7::7
      set net net.ipv4.ip_forward=1
      set net net.ipv6.conf.all.forwarding=1
      """;

  private static final String GW = "203.0.113.2";
  private static final String ROAM = "198.51.101.20";
  private static final String BRANCH = "198.51.100.7";
  private static final Laid STAFF = Laid.tunnel(1, GW, ROAM, "10.0.1.0/24", "10.0.3.5/32");
  private static final Laid SITE = Laid.tunnel(2, GW, BRANCH, "10.0.1.0/24", "10.20.0.0/16");

  private static Network net;
  private static Host gw;

  @BeforeAll
  static void build() {
    net =
        Lab.with(Feature.VETH, Feature.BRIDGE, Feature.NFT_NAT, Feature.NFT_IPSEC, Feature.ESP)
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
    try {
      test.run();
    } finally {
      Examples.unload(gw, ruleset);
      clear("gw", "roam", "branch", "south", "one", "cloud");
    }
  }

  /** Takes all tunnels out of several hosts. */
  private static void clear(String... hosts) {
    lay(
        Stream.of(hosts)
            .collect(
                Collectors.toMap(host -> host, host -> "xfrm state flush\nxfrm policy flush\n")));
  }

  /** Lays lines of {@code ip -batch} in several hosts. */
  private static void lay(Map<String, String> lines) {
    StringBuilder script = new StringBuilder("set -e\n");
    lines.forEach((host, batch) ->
        script.append(
            "ip -n %s -batch - <<'END'%n%sEND%n".formatted(net.host(host).namespace(), batch)));
    net.lab().run(script.toString()).expected();
  }

  private static Sightings probe(String... lines) {
    return Probes.sent(net, lines);
  }

  private static final String[] STAFF_PASSES = {
    "staff udp from=roam to=pc dst=10.0.1.20:445 src=10.0.3.5",
    "dns udp from=roam to=gw dst=10.0.1.1:53 src=10.0.3.5"
  };

  @Test
  void eachTunnelCarriesItsOwnSourcesOnly() {
    with(
        "office",
        () -> {
          // The client sends everything through it, though it may not.
          Laid staff = Laid.tunnel(1, GW, ROAM, "0.0.0.0/0", "10.0.3.5/32");
          lay(
              Map.of(
                  "gw", staff.all() + SITE.all(),
                  "roam", staff.other("0.0.0.0/0", "0.0.0.0/0").all(),
                  "branch", SITE.other("0.0.0.0/0", "10.0.1.0/24").all()));
          Sightings seen =
              probe(
                  Probes.and(
                      STAFF_PASSES,
                      "watch net",
                      "branch udp from=branch to=pc dst=10.0.1.20:446 src=10.20.0.10",
                      "to-branch udp from=pc to=branch dst=10.20.0.10:53",
                      "no-ssh tcp from=roam to=gw dst=10.0.1.1:22 src=10.0.3.5",
                      "no-dns udp from=branch to=gw dst=10.0.1.1:53 src=10.20.0.10",
                      "no-begin udp from=pc to=roam dst=10.0.3.5:53",
                      "no-internet udp from=roam to=web dst=198.18.0.10:53 src=10.0.3.5"));
          Probes.assertReplied(seen, "staff", "dns", "branch", "to-branch");
          Probes.assertFrom(seen, "to-branch", "10.0.1.20"); // exempt from NAT
          for (String probe : List.of("staff", "dns", "branch", "to-branch")) {
            assertThat(seen.of(probe).seenAt("net")).as(probe).isFalse();
          }
          // Each in the other's name, and in those of nobody, of a LAN host, of the world.
          Sightings forged =
              probe(
                  "watch net",
                  "no-as-branch udp from=roam to=pc dst=10.0.1.20:447 src=10.20.0.10 spoof",
                  "no-as-staff udp from=branch to=pc dst=10.0.1.20:448 src=10.0.3.5 spoof",
                  "no-unassigned udp from=roam to=pc dst=10.0.1.20:449 src=10.0.3.77 spoof",
                  "no-other-pool udp from=roam to=pc dst=10.0.1.20:450 src=10.0.4.5 spoof",
                  "no-as-lan udp from=roam to=pc dst=10.0.1.20:451 src=10.0.1.30 spoof",
                  "no-as-world udp from=roam to=pc dst=10.0.1.20:452 src=198.18.0.10 spoof",
                  "no-dns-as-staff udp from=branch to=gw dst=10.0.1.1:53 src=10.0.3.5 spoof");
          assertThat(forged.esp("net", "gw")).isGreaterThanOrEqualTo(7);
        });
  }

  private static final String[] TOWARDS_BRANCH = {
    "to-branch udp from=pc to=branch dst=10.20.0.10:53 silent",
    "from-branch udp from=branch to=pc dst=10.0.1.20:446 src=10.20.0.10 silent"
  };

  @Test
  void oneTunnelIsDownAloneAndNothingOfItIsInClear() {
    with(
        "office",
        () -> {
          lay(
              Map.of(
                  "gw",
                  STAFF.all() + SITE.all(),
                  "roam",
                  STAFF.other("10.0.3.5/32", "10.0.1.0/24").all()));
          // Of the branch's end nothing stands: it sends in clear.
          String[] probes =
              Probes.and(Probes.and(STAFF_PASSES, Probes.none(TOWARDS_BRANCH)), "watch gw");
          lay(Map.of("gw", SITE.withoutPolicies()));
          Sightings gone = probe(probes);
          Probes.assertReplied(gone, "staff", "dns");
          Probes.assertNothingLeft(gone, "gw", "eth0");

          // The policy stands, its SAs have expired.
          gw.script(
                  "ip xfrm state deleteall reqid 2 && ip -batch - <<'END'\n"
                      + SITE.policies()
                      + "END")
              .expected();
          Sightings bare = probe(probes);
          Probes.assertReplied(bare, "staff", "dns");
          Probes.assertNothingLeft(bare, "gw", "eth0");

          // The control.
          lay(Map.of("gw", SITE.withoutPolicies()));
          Examples.unload(gw, "office");
          probe(TOWARDS_BRANCH);
        });
  }

  private static final String FOREIGN_NAT =
      """
      table inet foreign {
        chain before { type nat hook postrouting priority 90; %s }
        chain after { type nat hook postrouting priority 110; %s }
      }
      """;
  private static final String MASQUERADE = "oifname eth0 counter masquerade;";

  @Test
  void aForeignMasqueradeBringsNothingOutInClear() {
    with(
        "office",
        () -> {
          lay(
              Map.of(
                  "gw", SITE.all(),
                  "branch", SITE.other("10.20.0.0/16", "10.0.1.0/24").all()));
          // The guard alone: the policies of lowest precedence would stop it too.
          gw.script(
                  "for each in 0.0.0.0/1 128.0.0.0/1; do ip xfrm policy delete src $each dst 10.20.0.0/16 dir out || exit; done")
              .expected();
          String towards = "towards udp from=pc to=branch dst=10.20.0.10:53";
          Probes.assertReplied(probe(towards), "towards");

          gw.nft(FOREIGN_NAT.formatted("", MASQUERADE));
          Probes.assertNothingLeft(probe("watch gw", "no-" + towards), "gw", "eth0");
          gw.nft("delete table inet foreign\n" + FOREIGN_NAT.formatted(MASQUERADE, ""));
          Probes.assertNothingLeft(probe("watch gw", "no-" + towards), "gw", "eth0");

          gw.run("nft", "flush", "chain", "inet", "gatehouse", "guard").expected();
          Probes.assertFrom(probe(towards + " silent"), "towards", GW);
          gw.nft("delete table inet foreign");
        });
  }

  @Test
  void groupsReachTheirOwn() {
    with(
        "groups",
        () -> {
          Laid clients = Laid.tunnel(3, GW, ROAM, "0.0.0.0/0", "10.0.3.8/29");
          lay(Map.of("gw", clients.all(), "roam", clients.other().all()));
          gw.nft(
              """
              add element inet gatehouse from_staff.groups4 { 10.0.3.10 : goto from_staff.finance, 10.0.3.11 : goto from_staff.admins }
              add element inet gatehouse in_staff.groups4 { 10.0.3.10 : goto in_staff.finance, 10.0.3.11 : goto in_staff.admins }
              """);
          Sightings seen =
              probe(
                  "intranet tcp from=roam to=pc dst=10.0.1.20:80 src=10.0.3.12",
                  "no-files tcp from=roam to=pc dst=10.0.1.20:445 src=10.0.3.12",
                  "no-database tcp from=roam to=pc dst=10.0.1.20:1433 src=10.0.3.12",
                  "no-internet tcp from=roam to=web dst=198.18.0.10:80 src=10.0.3.12",
                  "no-ssh tcp from=roam to=gw dst=10.0.1.1:22 src=10.0.3.12",
                  "finance-intranet tcp from=roam to=pc dst=10.0.1.20:80 src=10.0.3.10",
                  "finance-database tcp from=roam to=pc dst=10.0.1.20:1433 src=10.0.3.10",
                  "no-finance-files tcp from=roam to=pc dst=10.0.1.20:445 src=10.0.3.10",
                  "no-finance-internet tcp from=roam to=web dst=198.18.0.10:80 src=10.0.3.10",
                  "no-finance-ssh tcp from=roam to=gw dst=10.0.1.1:22 src=10.0.3.10",
                  "finance-dns udp from=roam to=gw dst=10.0.1.1:53 src=10.0.3.10",
                  "admins-files tcp from=roam to=pc dst=10.0.1.20:445 src=10.0.3.11",
                  "admins-ssh tcp from=roam to=gw dst=10.0.1.1:22 src=10.0.3.11",
                  "admins-internet tcp from=roam to=web dst=198.18.0.10:80 src=10.0.3.11");
          Probes.assertFrom(seen, "admins-internet", GW);
        });
  }

  @Test
  void everythingOfAFullTunnelGoesOutUnderOurAddress() {
    Laid roaming = Laid.tunnel(11, GW, ROAM, "0.0.0.0/0", "10.0.4.5/32");
    Laid six = Laid.tunnel(12, "2001:db8:f0::2", "2001:db8:f1::20", "::/0", "2001:db8:4::5/128");
    Laid guests = Laid.tunnel(13, GW, ROAM, "0.0.0.0/0", "10.0.5.5/32");
    with(
        "full-tunnel",
        () -> {
          lay(
              Map.of(
                  "gw", roaming.all() + six.all() + guests.all(),
                  "roam", roaming.other().all() + six.other().all() + guests.other().all()));
          Sightings seen =
              probe(
                  "all udp from=roam to=web dst=198.18.0.10:53 src=10.0.4.5",
                  "six udp from=roam to=web dst=[2001:db8:f8::10]:53 src=[2001:db8:4::5]",
                  "guest tcp from=roam to=web dst=198.18.0.10:80 src=10.0.5.5",
                  "no-guest-dns udp from=roam to=web dst=198.18.0.10:54 src=10.0.5.5",
                  "no-lan udp from=roam to=pc dst=10.0.1.20:53 src=10.0.4.5",
                  "no-begin udp from=web to=roam dst=10.0.4.5:53",
                  "no-in-clear udp from=web to=pc dst=10.0.1.20:54 src=10.0.4.5 spoof");
          Probes.assertReplied(seen, "all", "six", "guest");
          Probes.assertFrom(seen, "all", GW);
          Probes.assertFrom(seen, "six", "2001:db8:4::5");
          Probes.assertFrom(seen, "guest", GW);
        });
  }

  /** The LAN's own router is another host of it, and gets the routes that `plan` shows. */
  @Test
  @Tag("full")
  void anotherRouterOfTheLanSendsItsHostsToUs() {
    Compiled beside =
        Compiler.compile(
            Descriptions.gateway(
                "other-router.yaml",
                Descriptions.text("other-router.yaml")
                    .replace("10.0.1.1", "@")
                    .replace("10.0.1.2/24", "10.0.1.1/24")
                    .replace("@", "10.0.1.2")));
    String routes =
        beside.companions().stream()
            .filter(Companion.StaticRoutes.class::isInstance)
            .flatMap(text -> ((Companion.StaticRoutes) text).routes().stream())
            .map(route -> route + "\n")
            .collect(Collectors.joining());
    Host router = net.host("one");
    Host printer = net.host("printer");
    String[] answered = {
      "client udp from=roam to=printer dst=10.0.1.30:445 src=10.0.3.5",
      "files tcp from=roam to=printer dst=10.0.1.30:446 src=10.0.3.5 bytes=20000",
      "branch tcp from=branch to=printer dst=10.0.1.30:447 src=10.20.0.10",
      "to-branch tcp from=printer to=branch dst=10.20.0.10:80"
    };
    router
        .script(
            "echo 1 > /proc/sys/net/ipv4/ip_forward; for each in /proc/sys/net/ipv4/conf/*/send_redirects; do echo 0 > $each; done")
        .expected();
    printer.script("ip route replace default via 10.0.1.2; ip route del 10.0.3.0/24").expected();
    try {
      with(
          beside.ruleset(),
          () -> {
            lay(
                Map.of(
                    "gw", STAFF.all() + SITE.all(),
                    "roam", STAFF.other().all(),
                    "branch", SITE.other().all()));
            // The control: the router sends what it does not know out into the world.
            router.script("ip route replace default via 10.0.1.20").expected();
            assertThat(net.probe("watch net", answered[0]).of("client").replied()).isFalse();
            assertThat(routes).contains("10.0.3.0/24 via 10.0.1.1", "10.20.0.0/16 via 10.0.1.1");
            router.script(routes).expected();
            Probes.assertReplied(probe(answered), "client", "files", "branch", "to-branch");
            Probes.assertFrom(probe(answered[0]), "client", "10.0.3.5");
          });
    } finally {
      router
          .script(
              "ip route replace default via 10.0.1.1; ip route del 10.0.3.0/24; ip route del 10.20.0.0/16; echo 0 > /proc/sys/net/ipv4/ip_forward; true")
          .expected();
      printer
          .script("ip route replace default via 10.0.1.1; ip route add 10.0.3.0/24 via 10.0.1.2")
          .expected();
    }
  }

  @Test
  void clientsAppearInsideAsTheGateway() {
    Laid four = Laid.tunnel(4, GW, ROAM, "10.0.1.0/24", "10.0.3.5/32");
    Laid six =
        Laid.tunnel(5, "2001:db8:f0::2", "2001:db8:f1::20", "2001:db8:1::/64", "fd00:3::5/128");
    with(
        "nat-return",
        () -> {
          lay(
              Map.of(
                  "gw", four.all() + six.all(),
                  "roam", four.other().all() + six.other().all()));
          Sightings seen =
              probe(
                  "watch net",
                  "four tcp from=roam to=pc dst=10.0.1.20:445 src=10.0.3.5",
                  "six tcp from=roam to=pc dst=[2001:db8:1::20]:445 src=[fd00:3::5]",
                  "no-back udp from=pc to=roam dst=10.0.3.5:53");
          Probes.assertFrom(seen, "four", "10.0.1.1");
          Probes.assertFrom(seen, "six", "2001:db8:1::1");
          Probes.assertReplied(seen, "four", "six");
          assertThat(seen.of("four").seenAt("net")).isFalse();
        });
  }

  @Tag("full")
  @Test
  void leasedAddressesComeThroughTheirTunnelOnly() {
    Laid client = Laid.tunnel(9, GW, ROAM, "10.0.1.0/24", "10.0.1.200/32");
    Laid second = Laid.tunnel(17, GW, BRANCH, "10.0.1.0/24", "10.0.1.201/32");
    String nobodys = "lease-of-nobody udp from=roam to=pc dst=10.0.1.20:449 src=10.0.1.202 spoof";
    with(
        "dhcp-pool",
        () -> {
          // One client sends everything into its tunnel, in whose name it likes.
          lay(
              Map.of(
                  "gw", client.all() + second.all(),
                  "roam", client.other("0.0.0.0/0", "0.0.0.0/0").all(),
                  "branch", second.other().all()));
          // What `gatehouse run` does for these clients.
          for (String leased : List.of("10.0.1.200", "10.0.1.201")) {
            gw.run("ip", "neigh", "add", "proxy", leased, "dev", "eth1").expected();
          }
          net.host("roam").run("ip", "address", "add", "10.0.1.200/32", "dev", "eth0").expected();
          try {
            Sightings seen =
                probe(
                    "watch net",
                    "quiet 3", // proxy ARP is answered after a random delay (proxy_delay)
                    "client udp from=roam to=pc dst=10.0.1.20:445 src=10.0.1.200",
                    "second udp from=branch to=pc dst=10.0.1.20:450 src=10.0.1.201",
                    "ping icmp from=roam to=gw dst=10.0.1.1 src=10.0.1.200",
                    "no-as-second udp from=roam to=pc dst=10.0.1.20:448 src=10.0.1.201 spoof",
                    "no-ping-as-second icmp from=roam to=gw dst=10.0.1.1 src=10.0.1.201 spoof",
                    "no-" + nobodys,
                    "no-as-lan udp from=roam to=pc dst=10.0.1.20:446 src=10.0.1.77 spoof",
                    "no-as-client udp from=pc to=web dst=198.18.0.10:53 src=10.0.1.200 spoof",
                    "no-in-clear udp from=web to=pc dst=10.0.1.20:447 src=10.0.1.200 spoof",
                    "no-internet udp from=roam to=web dst=198.18.0.10:53 src=10.0.1.200",
                    "offer udp from=pc to=gw dst=10.0.1.1:68 src=10.0.1.20:67",
                    "no-offer-outside udp from=web to=gw dst=203.0.113.2:68 src=198.18.0.10:67");
            // Each by itself: they come from the same port.
            probe("relayed udp from=pc to=gw dst=10.0.1.1:67 src=10.0.1.20:67");
            probe("no-other-port udp from=pc to=gw dst=10.0.1.1:69 src=10.0.1.20:67");
            // The same ports the other way round.
            probe(
                "asks udp from=gw to=pc dst=10.0.1.20:67 src=10.0.1.1:68",
                "no-asks-outside udp from=gw to=web dst=198.18.0.10:67 src=203.0.113.2:68");
            Probes.assertReplied(seen, "client", "second", "ping");
            assertThat(seen.of("client").seenAt("net")).isFalse();
            // The control: our rules know the tunnel, each client's own policies know the address.
            lay(Map.of("gw", Laid.tunnel(9, GW, ROAM, "10.0.1.0/24", "10.0.1.202/32").policies()));
            probe(nobodys + " silent");
          } finally {
            for (String leased : List.of("10.0.1.200", "10.0.1.201")) {
              gw.run("ip", "neigh", "del", "proxy", leased, "dev", "eth1");
            }
            net.host("roam").run("ip", "address", "del", "10.0.1.200/32", "dev", "eth0");
          }
        });
  }

  /** Policies that carry more than the description lets pass; the other ends send everything. */
  private static Laid north(String remote) {
    return Laid.tunnel(14, GW, BRANCH, "10.0.0.0/8", remote);
  }

  private static final Laid NORTH = north("10.20.0.0/16");
  private static final Laid NORTH_SECOND = north("10.30.0.0/16");
  private static final Laid NORTH_SIX =
      Laid.tunnel(14, GW, BRANCH, "2001:db8:1::/64", "2001:db8:20::/48");
  private static final Laid SOUTH =
      Laid.tunnel(15, GW, "198.51.100.8", "10.0.0.0/8", "10.40.0.0/16");

  private static void betweenSites(Runnable test) {
    with(
        "site-to-site",
        () -> {
          lay(
              Map.of(
                  "gw", NORTH.all() + NORTH_SECOND.policies() + NORTH_SIX.policies() + SOUTH.all(),
                  "branch",
                      NORTH.other("10.0.0.0/8", "10.0.0.0/8").all() + NORTH_SIX.other().policies(),
                  "south", SOUTH.other("10.0.0.0/8", "10.0.0.0/8").all()));
          test.run();
        });
  }

  @Test
  void networksOfSitesReachEachOther() {
    betweenSites(() -> {
      String[] pass = {
        "office udp from=branch to=pc dst=10.0.1.20:445 src=10.20.0.10",
        "second tcp from=branch to=pc dst=10.0.1.20:446 src=10.30.0.10",
        "lab tcp from=branch to=bench dst=10.0.2.20:8022 src=10.20.0.10",
        "six udp from=branch to=pc dst=[2001:db8:1::20]:447 src=[2001:db8:20::10]",
        "to-second tcp from=pc to=branch dst=10.30.0.10:80",
        "to-six udp from=pc to=branch dst=[2001:db8:20::10]:53",
        "to-south udp from=bench to=south dst=10.40.0.10:53",
        "https tcp from=south to=bench dst=10.0.2.20:443 src=10.40.0.10",
        "between tcp from=branch to=south dst=10.40.0.10:445 src=10.30.0.10",
        "back udp from=south to=branch dst=10.20.0.10:54 src=10.40.0.10"
      };
      Sightings seen =
          probe(
              Probes.and(
                  pass,
                  "watch net",
                  "ssh tcp from=pc to=bench dst=10.0.2.20:22",
                  "no-http tcp from=south to=bench dst=10.0.2.20:80 src=10.40.0.10",
                  "no-lab-to-office tcp from=bench to=pc dst=10.0.1.20:22",
                  "no-unlisted udp from=branch to=pc dst=10.0.1.20:448 src=10.31.0.10",
                  "no-unlisted-between udp from=branch to=south dst=10.40.0.10:55 src=10.31.0.10",
                  "no-as-south udp from=branch to=pc dst=10.0.1.20:449 src=10.40.0.10 spoof",
                  "no-as-north udp from=south to=pc dst=10.0.1.20:450 src=10.20.0.10 spoof",
                  "no-as-office udp from=branch to=south dst=10.40.0.10:56 src=10.0.1.20 spoof",
                  "no-in-clear udp from=web to=pc dst=10.0.1.20:451 src=10.40.0.10:9 spoof"));
      for (String line : pass) {
        String probe = line.split(" ", 2)[0];
        Probes.assertReplied(seen, probe);
        assertThat(seen.of(probe).seenAt("net")).as(probe).isFalse();
      }
      Probes.assertFrom(seen, "to-second", "10.0.1.20");
      Probes.assertFrom(seen, "between", "10.30.0.10");
    });
  }

  @Test
  @Tag("full")
  void itIsTheDescriptionThatLetsSites() {
    with(
        Compiler.compile(Descriptions.changedExample("site-to-site.yaml", ", lab, south]", "]"))
            .ruleset(),
        () -> {
          lay(
              Map.of(
                  "gw", NORTH.all() + SOUTH.all(),
                  "branch", NORTH.other("10.0.0.0/8", "10.0.0.0/8").all(),
                  "south", SOUTH.other("10.0.0.0/8", "10.0.0.0/8").all()));
          probe(
              "office udp from=branch to=pc dst=10.0.1.20:445 src=10.20.0.10",
              "no-lab tcp from=branch to=bench dst=10.0.2.20:8022 src=10.20.0.10",
              "no-between tcp from=branch to=south dst=10.40.0.10:445 src=10.20.0.10");
        });
  }

  @Test
  @Tag("full")
  void nothingOfASiteThatIsDownLeavesInClear() {
    String[] towards = {
      "to-north udp from=pc to=branch dst=10.20.0.10:53 silent",
      "to-second udp from=bench to=branch dst=10.30.0.10:54 silent",
      "to-six udp from=pc to=branch dst=[2001:db8:20::10]:53 silent",
      "between udp from=south to=branch dst=10.30.0.10:55 src=10.40.0.10 silent",
      "as-north udp from=web to=pc dst=10.0.1.20:451 src=10.30.0.10:9 spoof silent"
    };
    String[] none = Probes.and(Probes.none(towards), "watch gw");
    String south = "south udp from=south to=pc dst=10.0.1.20:452 src=10.40.0.10";
    betweenSites(() -> {
      lay(
          Map.of(
              "gw",
                  NORTH.withoutPolicies()
                      + NORTH_SECOND.withoutPolicies()
                      + NORTH_SIX.withoutPolicies(),
              "branch",
                  NORTH.other("10.0.0.0/8", "10.0.0.0/8").withoutPolicies()
                      + NORTH_SIX.other().withoutPolicies()));
      Sightings down = probe(Probes.and(none, south));
      Probes.assertReplied(down, "south");
      Probes.assertNothingLeft(probe(none), "gw", "eth0");
      gw.run("nft", "flush", "ruleset").expected();
      Probes.assertNothingLeft(probe(none), "gw", "eth0"); // the backstop holds alone
      // The control: nothing else stops it.
      gw.run("ip", "xfrm", "policy", "flush").expected();
      lay(Map.of("gw", SOUTH.policies()));
      probe(towards);
    });
  }

  /** The LAN of the same gateway is in WaysIT. */
  @Test
  void usersHaveNameServerAndClockOfTheGateway() {
    Host home = net.host("home");
    Laid user = Laid.tunnel(16, "198.51.102.2", ROAM, "0.0.0.0/0", "192.168.3.5/32");
    Examples.load(home, "lan-services");
    try {
      lay(Map.of("home", user.all(), "roam", user.other().all()));
      Sightings seen =
          probe(
              "watch net",
              "dns udp from=roam to=home dst=192.168.1.1:53 src=192.168.3.5",
              "dns-tcp tcp from=roam to=home dst=192.168.1.1:53 src=192.168.3.5",
              "clock udp from=roam to=home dst=192.168.1.1:123 src=192.168.3.5",
              "lan udp from=roam to=lap dst=192.168.1.20:445 src=192.168.3.5",
              "no-dhcp udp from=roam to=home dst=192.168.1.1:67 src=192.168.3.5",
              "no-ssh tcp from=roam to=home dst=192.168.1.1:22 src=192.168.3.5",
              "no-as-lan udp from=roam to=home dst=192.168.1.1:54 src=192.168.1.20 spoof",
              "no-dns-outside udp from=web to=home dst=198.51.102.2:53",
              "no-clock-outside udp from=web to=home dst=198.51.102.2:123",
              "no-dns-in-clear udp from=web to=home dst=192.168.1.1:53 src=192.168.3.5:9 spoof",
              "no-clock-in-clear udp from=web to=home dst=192.168.1.1:123 src=192.168.3.5:10 spoof");
      Probes.assertReplied(seen, "dns", "dns-tcp", "clock", "lan");
      for (String probe : List.of("dns", "dns-tcp", "clock", "lan")) {
        assertThat(seen.of(probe).seenAt("net")).as(probe).isFalse();
      }
    } finally {
      Examples.unload(home, "lan-services");
      clear("home", "roam");
    }
  }

  private static final Laid HQ = Laid.tunnel(7, GW, BRANCH, "10.20.255.7/32", "10.20.0.0/16");

  private static final Laid HQ6 =
      Laid.tunnel(8, "2001:db8:f0::2", "2001:db8:f7::7", "2001:db8:8::7/128", "2001:db8:20::/48");

  private static final String[] AS_CLIENT = {
    "lan udp from=pc to=branch dst=10.20.0.10:53 src=10.0.1.20:5300",
    "lan-again udp from=pc to=branch dst=10.20.0.10:53",
    "ours udp from=gw to=branch dst=10.20.0.10:54 src=10.20.255.7",
    "lan-six udp from=pc to=branch dst=[2001:db8:20::10]:53 src=[2001:db8:1::20]:5300",
    "lan-tcp tcp from=pc to=branch dst=10.20.0.10:445"
  };

  /** The server's end; it sends whatever it likes into the tunnel. */
  private static void layClient() {
    lay(
        Map.of(
            "gw", HQ.all() + HQ6.all(),
            "branch",
                HQ.other("10.20.0.0/16", "0.0.0.0/0").all()
                    + HQ6.other("2001:db8:20::/48", "::/0").all()));
  }

  private static void asClient(Runnable test) {
    asClient("client", test);
  }

  private static void asClient(String example, Runnable test) {
    String addresses =
        "ip address %1$s 10.20.255.7/32 dev eth0; ip address %1$s 2001:db8:8::7/128 dev eth0 %2$s";
    with(
        example,
        () -> {
          gw.script(addresses.formatted("add", "nodad")).expected();
          try {
            test.run();
          } finally {
            gw.script(addresses.formatted("del", "")).expected();
          }
        });
  }

  @Test
  void aLanUsesTheTunnelOfWhichThisHostIsTheClient() {
    asClient(() -> {
      layClient();
      Sightings seen =
          probe(
              Probes.and(
                  AS_CLIENT,
                  "watch net",
                  "admin tcp from=branch to=gw dst=10.20.255.7:22 src=10.20.0.10",
                  "internet udp from=pc to=web dst=198.18.0.10:53",
                  "no-other-service tcp from=branch to=gw dst=10.20.255.7:80 src=10.20.0.10",
                  "no-service-inside tcp from=branch to=gw dst=10.0.1.1:22 src=10.20.0.10",
                  "no-unlisted udp from=pc to=branch dst=10.20.0.10:123",
                  "no-begin udp from=branch to=pc dst=10.0.1.20:446 src=10.20.0.10",
                  "no-guest udp from=pc to=branch dst=10.20.0.10:53 src=10.0.9.20 spoof",
                  "no-as-virtual udp from=pc to=branch dst=10.20.0.10:53 src=10.20.255.7 spoof",
                  "no-as-outside udp from=gw to=branch dst=10.20.0.10:55 src=203.0.113.2",
                  "no-virtual-in-clear udp from=gw to=web dst=198.18.0.10:53 src=10.20.255.7"));
      Probes.assertReplied(
          seen, "lan", "lan-again", "lan-tcp", "lan-six", "ours", "admin", "internet");
      Probes.assertFrom(seen, "lan", "10.20.255.7");
      Probes.assertFrom(seen, "lan-tcp", "10.20.255.7");
      Probes.assertFrom(seen, "lan-six", "2001:db8:8::7");
      Probes.assertFrom(seen, "internet", GW);
      for (Fate fate : seen.fates().values()) {
        assertThat(fate.seenAt("net"))
            .as(fate.toString())
            .isEqualTo(fate.probe().equals("internet"));
      }
    });
  }

  private static final Laid ALL = Laid.tunnel(7, GW, BRANCH, "10.20.255.7/32", "0.0.0.0/0");

  private static final String[] INTO_IT = {
    "lan udp from=pc to=branch dst=10.20.0.10:53 src=10.0.1.20:5300",
    "ours udp from=gw to=branch dst=10.20.0.10:54 src=10.20.255.7"
  };

  /** Whatever happens, none of these leave in clear. */
  private static final String[] PAST_IT = {
    "watch gw",
    "no-lan-world udp from=pc to=web dst=198.18.0.10:53",
    "no-lan-world-six udp from=pc to=web dst=[2001:db8:f8::10]:53",
    "no-lan-router udp from=pc to=net dst=203.0.113.1:53",
    "no-host-world udp from=gw to=web dst=198.18.0.10:54",
    "no-host-world-six udp from=gw to=web dst=[2001:db8:f8::10]:54",
    "no-host-server udp from=gw to=branch dst=198.51.100.7:53 src=203.0.113.2",
    "no-ike-elsewhere udp from=gw to=web dst=198.18.0.10:500 src=203.0.113.2:500",
    "no-world-in udp from=web to=gw dst=203.0.113.2:53"
  };

  @Test
  @Tag("full")
  void everythingGoesIntoTheTunnelOrNowhere() {
    asClient(
        "full-client",
        () -> {
          lay(
              Map.of(
                  "gw", ALL.all(),
                  "branch", ALL.other("10.20.0.0/16", "0.0.0.0/0").all()));
          Sightings up = probe(Probes.and(INTO_IT, PAST_IT));
          Probes.assertReplied(up, "lan", "ours");
          Probes.assertFrom(up, "lan", "10.20.255.7");
          Probes.assertNothingLeft(up, "gw", "eth0");
          // The LAN is not among everything.
          Probes.assertReplied(
              probe(
                  "admin tcp from=pc to=gw dst=10.0.1.1:22",
                  "back udp from=gw to=pc dst=10.0.1.20:7"),
              "admin");

          lay(Map.of("gw", ALL.withoutPolicies()));
          String[] down = Probes.and(Probes.none(INTO_IT), PAST_IT);
          Probes.assertNothingLeft(probe(down), "gw", "eth0");
          // All that is let out and in: its own IKE. Sockets of IKE daemons have a bypass.
          gw.script("nft flush ruleset").expected();
          Probes.assertNothingLeft(probe(down), "gw", "eth0");
          gw.script("ip xfrm policy flush").expected();
          probe("host-world udp from=gw to=web dst=198.18.0.10:54");
        });
  }

  @Test
  void whileTheTunnelOfAClientIsDownNothingOfTheLanIsInClear() {
    String[] down = Probes.and(Probes.none(AS_CLIENT), "watch gw");
    asClient(() -> {
      layClient();
      Probes.assertReplied(probe(AS_CLIENT), "lan", "lan-six");
      // The connections stand, with their translation.
      lay(Map.of("gw", HQ.withoutPolicies() + HQ6.withoutPolicies()));
      Probes.assertNothingLeft(probe(down), "gw", "eth0");
      // The policies stand, without SAs.
      gw.script(
              "ip xfrm state flush && ip -batch - <<'END'\n"
                  + HQ.policies()
                  + HQ6.policies()
                  + "END")
          .expected();
      Probes.assertNothingLeft(probe(down), "gw", "eth0");
      // All is up but our rules, which alone give the virtual IP.
      lay(Map.of("gw", HQ.states() + HQ6.states()));
      gw.run("nft", "flush", "ruleset").expected();
      String lan = "lan udp from=pc to=branch dst=10.20.0.10:53 silent";
      Probes.assertNothingLeft(probe("watch gw", "no-" + lan), "gw", "eth0");
      // The control: the backstop was what stopped it.
      gw.script("ip xfrm policy flush").expected();
      net.host("branch").run("ip", "xfrm", "policy", "flush").expected();
      probe(lan);
    });
  }

  private static final String[] FOR_VIRTUAL = {
    "host udp from=gw to=branch dst=10.20.255.7:53",
    "host-six udp from=gw to=branch dst=[2001:db8:8::7]:53",
    "lan udp from=pc to=branch dst=10.20.255.7:54",
    "lan-six udp from=pc to=branch dst=[2001:db8:8::7]:54",
    "forged udp from=pc to=branch dst=10.20.255.7:55 src=10.20.255.7 spoof",
    "forged-six udp from=pc to=branch dst=[2001:db8:8::7]:55 src=[2001:db8:8::7] spoof"
  };

  /** One virtual IP is within a remote network, the other is not. */
  @Test
  @Tag("full")
  void whatIsForAVirtualIpThatIsNotThereLeavesNowhere() {
    String addresses =
        "ip address %1$s 10.20.255.7/32 dev lo; ip address %1$s 2001:db8:8::7/128 dev lo";
    Host branch = net.host("branch");
    String[] none = Probes.and(Probes.none(FOR_VIRTUAL), "watch gw");
    with(
        "client",
        () -> {
          branch.script(addresses.formatted("add")).expected();
          try {
            Probes.assertNothingLeft(probe(none), "gw", "eth0");
            gw.run("nft", "flush", "ruleset").expected();
            Probes.assertNothingLeft(probe(none), "gw", "eth0");
            // The control: the backstop was what stopped it.
            gw.run("ip", "xfrm", "policy", "flush").expected();
            Sightings open = net.probe(Probes.and(FOR_VIRTUAL, "watch gw"));
            for (String probe : List.of("host", "host-six", "lan", "lan-six", "forged")) {
              assertThat(open.of(probe).left("gw", "eth0")).as(probe).isTrue();
            }
          } finally {
            branch.script(addresses.formatted("del")).expected();
          }
        });
  }

  @Test
  @Tag("full")
  void thisHostSpeaksToItselfUnderItsVirtualIp() {
    asClient(() -> {
      String itself =
          """
          set -e
          ping -q -c 1 -W 5 10.20.255.7
          ping -q -c 1 -W 5 -I 10.0.1.1 10.20.255.7
          ping -q -c 1 -W 5 -I 10.20.255.7 10.0.1.1
          ping -q -c 1 -W 5 2001:db8:8::7
          """;
      layClient();
      gw.script(itself).expected();
      lay(Map.of("gw", HQ.withoutPolicies() + HQ6.withoutPolicies()));
      gw.script(itself).expected();
    });
  }

  @Test
  void l2tpCountsOnlyUnderIpsec() {
    Laid client = Laid.transport(6, GW, ROAM);
    with(
        "l2tp",
        () -> {
          probe(
              "no-plain udp from=roam to=gw dst=203.0.113.2:1701 src=198.51.101.20:1701",
              "no-plain-any-port udp from=roam to=gw dst=203.0.113.2:1701");
          lay(Map.of("gw", client.all(), "roam", client.other().all()));
          Sightings seen =
              probe(
                  "watch net",
                  "l2tp udp from=roam to=gw dst=203.0.113.2:1701 src=198.51.101.20:1701",
                  "no-other udp from=roam to=gw dst=203.0.113.2:1702",
                  "no-dns udp from=roam to=gw dst=203.0.113.2:53",
                  "no-plain udp from=web to=gw dst=203.0.113.2:1701 src=198.18.0.10:1701");
          Probes.assertReplied(seen, "l2tp");
          assertThat(seen.of("l2tp").seenAt("net")).isFalse();
          Probes.assertReplied(
              probe("ours udp from=gw to=roam dst=198.51.101.20:4711 src=203.0.113.2:1701"),
              "ours");
          // When the tunnel is gone, nothing goes on in clear, though conntrack knows it.
          net.each(List.of("gw", "roam"), "ip", "xfrm", "policy", "flush").expected();
          String more =
              "more udp from=roam to=gw dst=203.0.113.2:1701 src=198.51.101.20:1701 silent";
          String answer =
              "answer udp from=gw to=roam dst=198.51.101.20:4711 src=203.0.113.2:1701 silent";
          gw.nft("insert rule inet gatehouse output accept");
          probe("no-" + more);
          probe("no-" + answer);
          // The control: without the two rules that say so.
          gw.script(
                  """
                  rule=$(nft -a list chain inet gatehouse input | sed -n '/L2TP in clear/s/.*handle //p')
                  nft delete rule inet gatehouse input handle $rule && nft flush chain inet gatehouse guard
                  """)
              .expected();
          probe(more);
          probe(answer);
        });
  }

  @Test
  void theSameForIpv6() {
    Laid staff =
        Laid.tunnel(7, "2001:db8:f0::2", "2001:db8:f1::20", "2001:db8:1::/64", "2001:db8:3::5/128");
    Laid site =
        Laid.tunnel(8, "2001:db8:f0::2", "2001:db8:f7::7", "2001:db8:1::/64", "2001:db8:20::/48");
    with(
        "ipv6",
        () -> {
          lay(
              Map.of(
                  "gw", staff.all() + site.all(),
                  "roam", staff.other("::/0", "2001:db8:1::/64").all(),
                  "branch", site.other().all()));
          String towards = "towards udp from=pc to=branch dst=[2001:db8:20::10]:53";
          Sightings seen =
              probe(
                  "watch net",
                  "staff udp from=roam to=pc dst=[2001:db8:1::20]:445 src=[2001:db8:3::5]",
                  "branch udp from=branch to=pc dst=[2001:db8:1::20]:446 src=[2001:db8:20::10]",
                  towards,
                  "office udp from=pc to=web dst=[2001:db8:f8::10]:53",
                  "https tcp from=web to=pc dst=[2001:db8:1::20]:443",
                  "no-http tcp from=web to=pc dst=[2001:db8:1::20]:80",
                  "ike udp from=web to=gw dst=[2001:db8:f0::2]:500 src=[2001:db8:f8::10]:4711",
                  "no-ike-to-inside udp from=web to=gw dst=[2001:db8:1::1]:500",
                  "no-begin udp from=pc to=roam dst=[2001:db8:3::5]:53",
                  "no-as-branch udp from=roam to=pc dst=[2001:db8:1::20]:447 src=[2001:db8:20::10] spoof",
                  "no-unassigned udp from=roam to=pc dst=[2001:db8:1::20]:448 src=[2001:db8:3::77] spoof",
                  "no-in-clear udp from=web to=pc dst=[2001:db8:1::20]:449 src=[2001:db8:3::5]:9 spoof",
                  "no-in-clear-as-branch udp from=web to=pc dst=[2001:db8:1::20]:450 src=[2001:db8:20::10]:9 spoof");
          Probes.assertReplied(seen, "staff", "branch", "towards", "office", "https", "ike");
          Probes.assertFrom(seen, "office", "2001:db8:1::20");
          for (String probe : List.of("staff", "branch", "towards")) {
            assertThat(seen.of(probe).seenAt("net")).as(probe).isFalse();
          }

          gw.nft(FOREIGN_NAT.formatted(MASQUERADE, MASQUERADE));
          Probes.assertNothingLeft(probe("watch gw", "no-" + towards), "gw", "eth0");
          gw.nft("delete table inet foreign");

          whoSendsTooMuchIntoItIsTold();

          // The tunnel down, and then no rule either: the backstop.
          lay(Map.of("gw", site.withoutPolicies(), "branch", site.other().withoutPolicies()));
          String[] down = {
            towards + " silent",
            "forged udp from=web to=pc dst=[2001:db8:1::20]:451 src=[2001:db8:20::10]:9 spoof silent"
          };
          Probes.assertNothingLeft(probe(Probes.and(Probes.none(down), "watch gw")), "gw", "eth0");
          gw.run("nft", "flush", "ruleset").expected();
          probe(Probes.none(down));
          gw.run("ip", "-6", "xfrm", "policy", "flush").expected();
          probe(down); // the control: nothing else stops it
        });
  }

  /** Both when the packet is too big for the tunnel, and when ESP is for a router on its way. */
  private static void whoSendsTooMuchIntoItIsTold() {
    String large = "no-large udp from=pc to=branch dst=[2001:db8:20::10]:53 df count=3 size=";
    Fate own = probe(large + 1452).of("no-large");
    assertThat(own.details()).containsEntry("offender", "2001:db8:1::1");
    int fits = Integer.parseInt(own.details().get("mtu"));
    assertThat(fits).isBetween(1400, 1450);

    net.host("net").script("ip -6 route add 2001:db8:f7::7/128 dev branch mtu 1400").expected();
    try {
      // The control: it is the router's word that we go by.
      String narrow = large + (fits - 48);
      gw.nft(
          "table inet deaf { chain in { type filter hook input priority -10; icmpv6 type packet-too-big drop; }; }");
      assertThat(probe(narrow).of("no-large").details()).doesNotContainKey("mtu");
      gw.nft("delete table inet deaf");
      Fate told = probe(narrow).of("no-large");
      assertThat(told.details()).containsEntry("offender", "2001:db8:1::1");
      assertThat(Integer.parseInt(told.details().get("mtu"))).isBetween(fits - 110, fits - 90);
    } finally {
      net.host("net").script("ip -6 route del 2001:db8:f7::7/128 dev branch").expected();
    }
  }

  /** A NAT router in front of both: it forwards UDP 500 and 4500 and nothing else. */
  private static final String HOME_ROUTER =
      """
      table ip home {
        chain in {
          type nat hook prerouting priority -100;
          iifname eth0 ip daddr 203.0.113.9 udp dport { 500, 4500 } dnat to 10.0.1.2
          iifname eth0 ip daddr 203.0.113.20 udp dport { 500, 4500 } dnat to 172.30.0.10
        }
        chain out {
          type nat hook postrouting priority 100;
          oifname eth0 masquerade
        }
      }
      """;

  /** Takes ESP out of UDP 4500, as an IKE daemon's socket does; ready when it returns. */
  private static final String DAEMON =
      """
      python3 - <<'END' > /dev/null 2>&1 3>&-
      import os, signal, socket
      daemon = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
      daemon.setsockopt(17, 100, 2)  # UDP_ENCAP, UDP_ENCAP_ESPINUDP
      daemon.bind(("0.0.0.0", 4500))
      if os.fork():
          os._exit(0)
      signal.pause()
      END
      """;

  @Test
  void oneArmedAndBehindNat() {
    // As each end sees the other, through the router's two addresses.
    Laid armed = Laid.tunnel(9, "10.0.1.2", ROAM, "0.0.0.0/0", "10.0.3.5/32").throughUdp();
    Laid cloud =
        Laid.tunnel(10, "172.30.0.10", BRANCH, "172.31.16.0/20", "10.0.3.6/32").throughUdp();
    gw.script("echo 1 > /proc/sys/net/ipv4/ip_forward").expected();
    gw.nft(HOME_ROUTER);
    Examples.load(net.host("one"), "one-armed");
    Examples.load(net.host("cloud"), "behind-nat");
    try {
      net.each(List.of("roam", "branch", "one", "cloud"), "bash", "-c", DAEMON).expected();
      lay(
          Map.of(
              "one", armed.all(),
              "roam", armed.other().seeing("203.0.113.9").all(),
              "cloud", cloud.all(),
              "branch", cloud.other().seeing("203.0.113.20").all()));
      Sightings seen =
          probe(
              "watch one cloud",
              "office udp from=roam to=printer dst=10.0.1.30:445 src=10.0.3.5",
              "internet tcp from=roam to=web dst=198.18.0.10:80 src=10.0.3.5",
              "no-lan-to-pool udp from=printer to=roam dst=10.0.3.5:53",
              "no-unassigned udp from=printer to=roam dst=10.0.3.77:53",
              "ike udp from=web to=one dst=203.0.113.9:500 at=10.0.1.2:500",
              "ssh tcp from=printer to=one dst=10.0.1.2:22",
              "no-ssh tcp from=web to=one dst=10.0.1.2:22",
              "no-bare-esp ip from=web to=one dst=10.0.1.2",
              "no-forged udp from=web to=one dst=10.0.1.2:500 src=10.0.3.5:9 spoof",
              "server tcp from=branch to=server dst=172.31.16.20:445 src=10.0.3.6",
              "cloud-ike udp from=web to=cloud dst=203.0.113.20:500 at=172.30.0.10:500",
              "no-cloud-bare-esp ip from=gw to=cloud dst=172.30.0.10",
              "no-cloud-ike-to-inside udp from=gw to=cloud dst=172.31.16.10:500",
              "no-cloud-ssh tcp from=gw to=cloud dst=172.30.0.10:22");
      Probes.assertReplied(seen, "office", "internet", "ike", "server", "cloud-ike");
      Probes.assertFrom(seen, "office", "10.0.3.5");
      Probes.assertFrom(seen, "internet", "203.0.113.2"); // the router's NAT behind ours
      Probes.assertFrom(seen, "server", "10.0.3.6");
      assertThat(seen.of("no-unassigned").left("one", "eth0")).isFalse();
      assertThat(seen.of("server").left("cloud", "ens5")).isFalse();
    } finally {
      Examples.unload(net.host("one"), "one-armed");
      Examples.unload(net.host("cloud"), "behind-nat");
      gw.nft("delete table ip home");
      clear("roam", "branch", "one", "cloud");
    }
  }
}
