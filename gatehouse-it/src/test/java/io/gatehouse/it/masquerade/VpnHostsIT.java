package io.gatehouse.it.masquerade;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatehouse.it.Described;
import io.gatehouse.it.lab.Answer;
import io.gatehouse.it.lab.Feature;
import io.gatehouse.it.lab.Lab;
import io.gatehouse.it.lab.Network;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

/**
 * Packets of hosts without keys, through the compiled rules, while no daemon runs: what stands in
 * the maps goes on, what is new does not begin.
 */
class VpnHostsIT {
  private static final String DESCRIPTION =
      """
      version: 1
      gateway: masq
      interfaces:
        wan: { device: eth0, role: outside, addresses: 203.0.113.2/24, router-advertisements: false }
        lan: { device: eth1, role: inside, addresses: 10.0.1.1/24 }
      networks:
        office: { on: lan, prefixes: 10.0.1.0/24 }
      host: { output: closed }
      masquerade: { clients: office }
      """;

  private static final String WIRES =
      """
      wire gw:eth0 203.0.113.2/24 -- far:eth0 203.0.113.1/24 10.0.3.5/32 -- road:eth0 203.0.113.9/24
      wire gw:eth1 10.0.1.1/24 -- a:eth0 10.0.1.11/24 -- b:eth0 10.0.1.12/24
      route gw default via 203.0.113.1
      route a default via 10.0.1.1
      route b default via 10.0.1.1
      set gw net.ipv4.ip_forward=1
      """;

  private static void in(Consumer<Network> story) {
    Lab lab =
        Lab.with(Feature.VETH, Feature.ESP, Feature.NFT_NAT, Feature.CT_ZONES, Feature.NFT_QUEUE);
    try (Network net = lab.network(WIRES)) {
      story.accept(net);
    }
  }

  /** What stands, for a failure. */
  private static String state(Network net) {
    return net.host("gw").script("nft list table inet gatehouse; conntrack -L 2>&1").out();
  }

  /** Where each packet came to, by its name. */
  private static Map<String, String> played(Network net, String script) {
    String name = net.host("gw").namespace().replaceFirst("-gw$", "");
    Answer answer =
        net.lab()
            .run(
                "lab-ipsec <<'END'%nnet %s%nhear a b far road gw%n%s%nEND%n"
                    .formatted(name, script))
            .expected();
    Map<String, String> came = new LinkedHashMap<>();
    answer.out().lines().forEach(line -> came.put(line.split(" ", 2)[0], line.split(" ", 2)[1]));
    return came;
  }

  /** With IKE and ESP of both, known and new, while no daemon runs. */
  private static final String ORPHANED =
      """
      spiA3 esp far 203.0.113.2 spi=0xa100 seq=3
      spiB3 esp far 203.0.113.2 spi=0xb100 seq=3
      long esp far 203.0.113.2 spi=0xb100 seq=4 size=4000
      outA2 esp a 203.0.113.1 spi=0xa200 seq=2
      outB2 esp b 203.0.113.1 spi=0xb200 seq=2
      ikeB ike far 203.0.113.2 i=0xb r=0xfb exchange=37 inner=42 size=80
      ikeA ike a 203.0.113.1 i=0xa r=0xfa exchange=37 message=2 inner=42 size=80
      then
      patience 2
      error error far 203.0.113.2 about=203.0.113.2>203.0.113.1 spi=0xb200
      newA esp a 203.0.113.1 spi=0xa201 seq=1
      newB ike b 203.0.113.1 i=0xbb exchange=34
      newFar esp far 203.0.113.2 spi=0xdead seq=1
      """;

  private static void orphaned(Network net) {
    assertThat(played(net, ORPHANED))
        .as(() -> state(net))
        .containsEntry("spiA3", "a/203.0.113.1")
        .containsEntry("spiB3", "b/203.0.113.1")
        .containsEntry("long", "b/203.0.113.1")
        .containsEntry("outA2", "far/203.0.113.2")
        .containsEntry("outB2", "far/203.0.113.2")
        .containsEntry("ikeB", "b/203.0.113.1:500")
        .containsEntry("ikeA", "far/203.0.113.2:500")
        .containsEntry("error", "b/203.0.113.1")
        .containsEntry("newA", "nowhere")
        .containsEntry("newB", "nowhere")
        .containsEntry("newFar", "nowhere");
  }

  /** What a daemon that has died has left. */
  private static final String LEFT =
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

  @Test
  void theKernelAloneBringsEachItsOwnAndLetsNothingNewBegin() {
    in(net -> {
      net.host("gw").nft(Described.of(DESCRIPTION).nft() + LEFT);
      orphaned(net);
    });
  }

  @Test
  void whatIsOpenWithoutADaemonGoesOutAsEver() {
    in(net -> {
      String open =
          DESCRIPTION.replace(
              "clients: office", "clients: office, ipsec: { without-daemon: open }");
      net.host("gw").nft(Described.of(open).nft());
      assertThat(
              played(
                  net,
                  """
                  newA esp a 203.0.113.1 spi=0xa201 seq=1
                  newB ike b 203.0.113.1 i=0xbb exchange=34
                  then
                  answer ike far 203.0.113.2 i=0xbb r=0xfb exchange=34 answer
                  back esp far 203.0.113.2 spi=0xa101 seq=1
                  """))
          .as(() -> state(net))
          .containsEntry("newA", "far/203.0.113.2")
          .containsEntry("newB", "far/203.0.113.2:500")
          .containsEntry("answer", "b/203.0.113.1:500")
          .containsEntry("back", "a/203.0.113.1");
    });
  }
}
