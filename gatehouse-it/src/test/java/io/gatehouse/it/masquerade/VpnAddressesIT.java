package io.gatehouse.it.masquerade;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.entry;
import static org.awaitility.Awaitility.await;

import io.gatehouse.it.Described;
import io.gatehouse.it.lab.Feature;
import io.gatehouse.it.lab.Host;
import io.gatehouse.it.lab.Lab;
import io.gatehouse.it.lab.Network;
import java.time.Duration;
import java.util.function.Consumer;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Which address hosts behind this one have out there: the one described, or whichever there is. */
@Tag("full")
class VpnAddressesIT {
  private static final String DESCRIPTION =
      """
      version: 1
      gateway: masq
      interfaces:
        wan: { device: eth0, role: outside, router-advertisements: false%s }
        lan: { device: eth1, role: inside, addresses: 10.0.1.1/24 }
      networks:
        office: { on: lan, prefixes: 10.0.1.0/24 }
      host: { output: closed%s }
      masquerade: { clients: office, ipsec: { without-daemon: open } }
      """;

  private static final String WIRES =
      """
      wire gw:eth0 203.0.113.2/24 203.0.113.3/24 -- far:eth0 203.0.113.1/24 -- road:eth0 203.0.113.9/24
      wire gw:eth1 10.0.1.1/24 -- a:eth0 10.0.1.11/24 -- b:eth0 10.0.1.12/24
      route gw default via 203.0.113.1
      route a default via 10.0.1.1
      route b default via 10.0.1.1
      set gw net.ipv4.ip_forward=1
      """;

  private static void in(String description, Consumer<Network> story) {
    Lab lab =
        Lab.with(Feature.VETH, Feature.ESP, Feature.NFT_NAT, Feature.CT_ZONES, Feature.NFT_QUEUE);
    try (Network net = lab.network(WIRES)) {
      net.host("gw").nft(Described.of(description).nft());
      story.accept(net);
    }
  }

  /** Both ways, as a session's first packets. */
  private static void assertSpokenTo(Network net, String as) {
    assertThat(
            VpnHostsIT.played(
                net,
                """
                ike ike a 203.0.113.1 i=0xa exchange=34
                esp esp a 203.0.113.1 spi=0xa201 seq=1
                then
                answer ike far %1$s i=0xa r=0xfa exchange=34 answer
                back esp far %1$s spi=0xa101 seq=1
                """
                    .formatted(as)))
        .containsEntry("ike", "far/" + as + ":500")
        .containsEntry("esp", "far/" + as)
        .containsEntry("answer", "a/203.0.113.1:500")
        .containsEntry("back", "a/203.0.113.1");
  }

  /** The provider gives it another address. */
  private static void moved(Network net) {
    net.host("gw")
        .script(
            "ip address flush dev eth0; ip address add 203.0.113.77/24 dev eth0; ip route add default via 203.0.113.1")
        .expected();
  }

  @Test
  void aFixedAddressIsTheHosts() {
    String description =
        DESCRIPTION.formatted(
            ", addresses: [203.0.113.2/24, 203.0.113.3/24]",
            ", internet: { from: office, services: https, snat: 203.0.113.3 }");
    in(description, net -> assertSpokenTo(net, "203.0.113.3"));
  }

  @Test
  void aNewAddressIsTheirsAtOnce() {
    in(
        DESCRIPTION.formatted("", ""),
        net -> {
          assertSpokenTo(net, "203.0.113.2");
          moved(net);
          assertSpokenTo(net, "203.0.113.77");
        });
  }

  /** Sessions that stand: as the daemon and the kernel know them. */
  private static final String STANDING =
      """
      add element inet gatehouse masq.zones { 10.0.1.11 : 32768, 10.0.1.12 : 32769 }
      add element inet gatehouse masq.hosts { 32768 : 10.0.1.11, 32769 : 10.0.1.12 }
      add element inet gatehouse masq.spis {
        203.0.113.1 . 0xa100 timeout 1h : 32768, 203.0.113.1 . 0xb100 timeout 1h : 32769 }
      add element inet gatehouse masq.cookies {
        203.0.113.1 . 0xa timeout 1h : 32768, 203.0.113.1 . 0xb timeout 1h : 32769 }
      add element inet gatehouse masq.sent {
        10.0.1.11 . 203.0.113.1 . 0xa200 timeout 1h, 10.0.1.12 . 203.0.113.1 . 0xb200 timeout 1h }
      add element inet gatehouse masq.known {
        10.0.1.11 . 203.0.113.1 . 0xa timeout 1h, 10.0.1.12 . 203.0.113.1 . 0xb timeout 1h }
      """;

  /**
   * Of both hosts, both ways.
   *
   * @param farFirst whether b hears before it speaks: conntrack's entry is then of the other making
   */
  private static void assertSessionsGoOn(Network net, String as, int sequence, boolean farFirst) {
    String out =
        """
        outA esp a 203.0.113.1 spi=0xa200 seq=%2$d
        ikeA ike a 203.0.113.1 i=0xa r=0xfa exchange=37 message=%2$d inner=42 size=80
        outB esp b 203.0.113.1 spi=0xb200 seq=%2$d
        """;
    String in =
        """
        inA esp far %1$s spi=0xa100 seq=%2$d
        inB esp far %1$s spi=0xb100 seq=%2$d
        """;
    String ike = "ikeB ike %s i=0xb r=0xfb exchange=37 message=%d inner=42 size=80%n";
    String script =
        farFirst
            ? in + ike.formatted("far " + as, sequence) + "then\n" + out
            : out + ike.formatted("b 203.0.113.1", sequence) + "then\n" + in;
    assertThat(VpnHostsIT.played(net, script.formatted(as, sequence)))
        .containsOnly(
            entry("outA", "far/" + as),
            entry("inB", "b/203.0.113.1"),
            entry("inA", "a/203.0.113.1"),
            entry("outB", "far/" + as),
            entry("ikeA", "far/" + as + ":500"),
            entry("ikeB", farFirst ? "b/203.0.113.1:500" : "far/" + as + ":500"));
  }

  private static void assertTheOldAddressIsNobodys(Network net) {
    assertThat(
            VpnHostsIT.played(
                net,
                """
                patience 2
                old esp far 203.0.113.2 spi=0xa100 seq=999
                """))
        .containsEntry("old", "nowhere");
  }

  @Test
  void aNewAddressTakesSessionsAlongWithoutTheDaemonWhereHostsSpeak() {
    in(
        DESCRIPTION.formatted("", ""),
        net -> {
          net.host("gw").nft(STANDING);
          assertSessionsGoOn(net, "203.0.113.2", 100, false);
          moved(net);
          assertSessionsGoOn(net, "203.0.113.77", 101, false);
          assertTheOldAddressIsNobodys(net);
        });
  }

  /** An entry that a remote's packet has made does not end with the address: the daemon ends it. */
  @Test
  void aNewAddressTakesSessionsAlongWhoeverSpokeFirst() {
    String description = DESCRIPTION.formatted("", "");
    in(
        description,
        net -> {
          Host gw = net.host("gw");
          Gate gate = new Gate(net.lab(), gw);
          gate.run(description);
          VpnHostsIT.loggedOn(net, gate);
          gw.run("conntrack", "-F").expected(); // the remote is first, also where it was not
          assertSessionsGoOn(net, "203.0.113.2", 100, true);
          moved(net);
          await()
              .atMost(Duration.ofMinutes(2))
              .until(() -> !gw.run("conntrack", "-L").out().contains("203.0.113.2 "));
          assertSessionsGoOn(net, "203.0.113.77", 101, true);
          assertTheOldAddressIsNobodys(net);
          assertThat(gw.run("conntrack", "-L").out()).doesNotContain("203.0.113.2 ");
        });
  }
}
