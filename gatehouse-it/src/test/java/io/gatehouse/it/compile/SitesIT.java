package io.gatehouse.it.compile;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatehouse.compile.Compiler;
import io.gatehouse.generated.Descriptions;
import io.gatehouse.it.lab.Feature;
import io.gatehouse.it.lab.Host;
import io.gatehouse.it.lab.Lab;
import io.gatehouse.it.lab.Network;
import io.gatehouse.it.lab.Sightings;
import io.gatehouse.model.Gateway;
import io.gatehouse.ruleset.Ruleset;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Sites and the forms in which they are joined: two that have the same addresses, each a gateway of
 * ours, so that what is .20 here is .20 there too; a hub and its spokes.
 */
class SitesIT {
  private static final String WORLD =
      """
      wire here:eth0 203.0.113.2/24 2001:db8:f0::2/64 -- net:here 203.0.113.1/24 2001:db8:f0::1/64
      wire there:eth0 198.51.100.7/24 2001:db8:f7::7/64 -- net:there 198.51.100.1/24 2001:db8:f7::1/64 -- north:eth0 198.51.100.17/24 10.20.0.10/32 10.30.0.10/32 10.31.0.10/32 -- south:eth0 198.51.100.18/24 10.40.0.10/32 -- east:eth0 198.51.100.19/24 10.50.0.10/32
      wire hub:eth0 192.0.2.2/24 -- net:hub 192.0.2.1/24
      wire hub:eth1 10.0.1.1/24 -- files:eth0 10.0.1.20/24
      wire net:web 198.18.0.1/24 -- web:eth0 198.18.0.10/24
      wire here:eth1 10.0.1.1/24 fd00:1::1/64 -- pc:eth0 10.0.1.20/24 fd00:1::20/64 -- tv:eth0 10.0.1.30/24 fd00:1::30/64
      wire there:eth1 10.0.1.1/24 fd00:1::1/64 -- server:eth0 10.0.1.20/24 fd00:1::20/64 -- disk:eth0 10.0.1.30/24 fd00:1::30/64
      route here default via 203.0.113.1
      route here default via 2001:db8:f0::1
      route there default via 198.51.100.1
      route there default via 2001:db8:f7::1
      route web default via 198.18.0.1
      route pc default via 10.0.1.1
      route pc default via fd00:1::1
      route tv default via 10.0.1.1
      route tv default via fd00:1::1
      route server default via 10.0.1.1
      route server default via fd00:1::1
      route disk default via 10.0.1.1
      route disk default via fd00:1::1
      route hub default via 192.0.2.1
      route files default via 10.0.1.1
      route north default via 198.51.100.1
      route south default via 198.51.100.1
      route east default via 198.51.100.1
      route net 10.99.1.0/24 via 203.0.113.2
      route net 10.99.2.0/24 via 198.51.100.7
      set net net.ipv4.ip_forward=1
      set net net.ipv6.conf.all.forwarding=1
      """;

  private static final Laid FOUR =
      Laid.tunnel(1, "203.0.113.2", "198.51.100.7", "10.99.1.0/24", "10.99.2.0/24");
  private static final Laid SIX =
      Laid.tunnel(2, "2001:db8:f0::2", "2001:db8:f7::7", "fd00:99:1::/64", "fd00:99:2::/64");

  private static final String DISK =
      "disk tcp from=pc to=disk dst=10.99.2.30:445 at=10.0.1.30:445 bytes=100000";
  private static final String TV = "tv tcp from=server to=tv dst=10.99.1.30:445 at=10.0.1.30:445";
  private static final String DISK6 =
      "disk6 tcp from=pc to=disk dst=[fd00:99:2::30]:445 at=[fd00:1::30]:445";

  private static final Ruleset HERE = Examples.compiled("same-network");
  private static final Ruleset THERE = Compiler.compile(mirrored()).ruleset();

  private static Network net;
  private static Host here;
  private static Host there;

  /** The other end's description: what is ours here is theirs there. */
  private static Gateway mirrored() {
    String text = Descriptions.text("same-network.yaml");
    List<List<String>> ends =
        List.of(
            List.of("203.0.113.2", "198.51.100.7"),
            List.of("2001:db8:f0::2", "2001:db8:f7::7"),
            List.of("10.99.1.0", "10.99.2.0"),
            List.of("fd00:99:1::", "fd00:99:2::"));
    for (List<String> both : ends) {
      text = text.replace(both.getFirst(), "@").replace(both.getLast(), both.getFirst());
      text = text.replace("@", both.getLast());
    }
    return Descriptions.gateway("there.yaml", text);
  }

  @BeforeAll
  static void build() {
    net =
        Lab.with(Feature.VETH, Feature.BRIDGE, Feature.NFT_NAT, Feature.NFT_IPSEC, Feature.ESP)
            .network(WORLD);
    here = net.host("here");
    there = net.host("there");
  }

  @AfterAll
  static void tearDown() {
    if (net != null) {
      net.close();
    }
  }

  private static void joined(Runnable test) {
    Examples.load(here, HERE);
    Examples.load(there, THERE);
    lay(here, FOUR.all() + SIX.all());
    lay(there, FOUR.other().all() + SIX.other().all());
    try {
      test.run();
    } finally {
      net.each(List.of("here", "there"), "bash", "-c", "nft flush ruleset; ip xfrm state flush");
      Examples.unload(here, HERE);
      Examples.unload(there, THERE);
    }
  }

  private static void lay(Host host, String lines) {
    host.script("ip -batch - <<'END'\n" + lines + "END\n").expected();
  }

  private static Sightings probe(String... lines) {
    return Probes.sent(net, lines);
  }

  @Test
  void eachAppearsToTheOtherInItsPlace() {
    joined(() -> {
      Sightings seen =
          probe(
              "watch net",
              DISK,
              TV,
              DISK6,
              "same tcp from=pc to=server dst=10.99.2.20:445 at=10.0.1.20:445",
              "tv6 tcp from=server to=tv dst=[fd00:99:1::30]:445 at=[fd00:1::30]:445",
              "world udp from=pc to=web dst=198.18.0.10:53",
              "no-http tcp from=pc to=disk dst=10.99.2.30:80 at=10.0.1.30:80",
              "no-http6 tcp from=pc to=disk dst=[fd00:99:2::30]:80 at=[fd00:1::30]:80",
              "no-in-clear tcp from=web to=tv dst=10.99.1.30:445 at=10.0.1.30:445",
              "no-forged tcp from=web to=tv dst=10.99.1.30:445 src=10.99.2.20:9 at=10.0.1.30:445 spoof",
              "no-own-name udp from=there to=tv dst=10.99.1.30:445 at=10.0.1.30:445");
      Probes.assertReplied(seen, "disk", "tv", "disk6", "same", "tv6", "world");
      Probes.assertFrom(seen, "disk", "10.99.1.20");
      Probes.assertFrom(seen, "same", "10.99.1.20");
      Probes.assertFrom(seen, "tv", "10.99.2.20");
      Probes.assertFrom(seen, "disk6", "fd00:99:1::20");
      Probes.assertFrom(seen, "tv6", "fd00:99:2::20");
      Probes.assertFrom(seen, "world", "203.0.113.2");
      for (String probe : List.of("disk", "tv", "disk6", "same", "tv6")) {
        assertThat(seen.of(probe).seenAt("net")).as(probe).isFalse();
      }
    });
  }

  @Test
  @Tag("full")
  void whatTheTunnelSendsToOtherAddressesArrivesNowhere() {
    joined(() -> {
      // The other end sends everything into the tunnel, in whose name it likes.
      lay(there, FOUR.other().withoutPolicies());
      lay(there, FOUR.other("0.0.0.0/0", "10.0.0.0/8").policies());
      there.run("nft", "flush", "ruleset").expected();
      Sightings forged =
          probe(
              "watch here",
              "no-real-address udp from=there to=tv dst=10.0.1.30:445 src=10.99.2.20:9 dev=eth0 spoof",
              "no-as-lan udp from=there to=tv dst=10.99.1.30:445 src=10.0.1.20:9 at=10.0.1.30:445 spoof",
              "no-as-image udp from=there to=tv dst=10.99.1.30:445 src=10.99.1.20:9 at=10.0.1.30:445 spoof");
      assertThat(forged.esp("here", "eth0")).isGreaterThan(0);
    });
  }

  @Test
  @Tag("full")
  void nothingOfItLeavesInClear() {
    String[] silent = {
      "out udp from=pc to=disk dst=10.99.2.30:53 at=10.0.1.30:53 silent",
      "out6 udp from=pc to=disk dst=[fd00:99:2::30]:53 at=[fd00:1::30]:53 silent"
    };
    joined(() -> {
      // The tunnel is down.
      lay(here, FOUR.withoutPolicies() + SIX.withoutPolicies());
      Sightings down = probe(Probes.and(Probes.none(silent), "watch here"));
      Probes.assertNothingLeft(down, "here", "eth0");

      // It is up, and its rules are gone, those on both ends.
      lay(here, FOUR.policies() + SIX.policies());
      Probes.assertReplied(probe(DISK), "disk");
      net.each(List.of("here", "there"), "nft", "flush", "ruleset").expected();
      lay(there, FOUR.other().withoutPolicies());
      lay(there, FOUR.other("10.0.0.0/8", "10.0.0.0/8").policies());
      Sightings flushed =
          probe(
              Probes.and(
                  Probes.none(silent),
                  "watch here",
                  "no-in udp from=there to=tv dst=10.99.1.30:53 src=10.99.2.20:9 at=10.0.1.30:53 spoof silent"));
      Probes.assertNothingLeft(flushed, "here", "eth0");

      // The control: without the backstop either, both leave.
      here.run("ip", "xfrm", "policy", "flush").expected();
      assertThat(net.probe(silent[0], "watch here").of("out").left("here", "eth0")).isTrue();
    });
  }

  @Test
  @Tag("full")
  void withoutTheMarkOrTheImageNothingPasses() {
    for (String chain : List.of("images", "nat_out", "nat_in")) {
      joined(() -> {
        here.run("nft", "flush", "chain", "inet", "gatehouse", chain).expected();
        boolean out = !chain.equals("nat_in");
        Sightings seen = probe("watch here", "no-" + (out ? DISK : TV));
        Probes.assertNothingLeft(seen, "here", "eth0");
      });
    }
  }

  @Test
  @Tag("full")
  void routersThatLoseNothingNeedNoClamp() {
    joined(() -> {
      net.each(List.of("here", "there"), "nft", "flush", "chain", "inet", "gatehouse", "mss")
          .expected();
      // Packet-too-big about what has its image already finds the host behind it.
      Probes.assertReplied(probe(DISK, DISK6), "disk", "disk6");
    });
  }

  /** The hub's end of a spoke, with policies that carry more than the description lets pass. */
  private static String spoke(int id, String name, String address, String... remote) {
    Laid first = Laid.tunnel(id, "192.0.2.2", address, "10.0.0.0/8", remote[0]);
    StringBuilder lines = new StringBuilder(first.states());
    for (String far : remote) {
      lines.append(Laid.tunnel(id, "192.0.2.2", address, "10.0.0.0/8", far).policies());
    }
    // The spoke sends everything into it.
    lay(net.host(name), first.other("10.0.0.0/8", "10.0.0.0/8").all());
    return lines.toString();
  }

  private static void around(Ruleset hub, Runnable test) {
    Host host = net.host("hub");
    Examples.load(host, hub);
    lay(
        host,
        spoke(3, "north", "198.51.100.17", "10.20.0.0/16", "10.30.0.0/16")
            + spoke(4, "south", "198.51.100.18", "10.40.0.0/16")
            + spoke(5, "east", "198.51.100.19", "10.50.0.0/16"));
    try {
      test.run();
    } finally {
      Examples.unload(host, hub);
      net.each(
          List.of("hub", "north", "south", "east"),
          "bash",
          "-c",
          "ip xfrm state flush; ip xfrm policy flush");
    }
  }

  private static final String SPOKES =
      "spokes tcp from=north to=south dst=10.40.0.10:445 src=10.20.0.10";

  @Test
  void spokesReachEachOtherAsDescribed() {
    around(
        Examples.compiled("hub-and-spokes"),
        () -> {
          Sightings seen =
              probe(
                  "watch net",
                  SPOKES,
                  "second tcp from=north to=south dst=10.40.0.10:445 src=10.30.0.10",
                  "back udp from=south to=north dst=10.20.0.10:53 src=10.40.0.10",
                  "back-second tcp from=south to=north dst=10.30.0.10:22 src=10.40.0.10",
                  "office udp from=north to=files dst=10.0.1.20:53 src=10.30.0.10",
                  "of-east udp from=east to=files dst=10.0.1.20:54 src=10.50.0.10",
                  "to-second udp from=files to=north dst=10.30.0.10:55",
                  "no-other-service udp from=north to=south dst=10.40.0.10:53 src=10.20.0.10",
                  "no-to-east udp from=north to=east dst=10.50.0.10:53 src=10.20.0.10",
                  "no-from-east udp from=east to=south dst=10.40.0.10:54 src=10.50.0.10",
                  "no-unlisted udp from=north to=files dst=10.0.1.20:56 src=10.31.0.10",
                  "no-to-unlisted udp from=files to=north dst=10.31.0.10:57",
                  "no-as-south udp from=north to=files dst=10.0.1.20:58 src=10.40.0.10 spoof",
                  "no-as-office udp from=north to=south dst=10.40.0.10:59 src=10.0.1.20 spoof");
          Probes.assertReplied(seen, "spokes", "second", "back", "back-second", "office");
          Probes.assertFrom(seen, "spokes", "10.20.0.10");
          for (String probe : List.of("spokes", "second", "back", "office", "of-east")) {
            assertThat(seen.of(probe).seenAt("net")).as(probe).isFalse();
          }
        });
  }

  @Test
  @Tag("full")
  void itIsTheDescriptionThatLetsSpokes() {
    around(
        Compiler.compile(Descriptions.changedExample("hub-and-spokes.yaml", ", south/tcp/445", ""))
            .ruleset(),
        () ->
            probe(
                "of-east udp from=east to=files dst=10.0.1.20:54 src=10.50.0.10", "no-" + SPOKES));
  }
}
