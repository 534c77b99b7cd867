package io.gatehouse.it.masquerade;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatehouse.it.Described;
import io.gatehouse.it.lab.Feature;
import io.gatehouse.it.lab.Host;
import io.gatehouse.it.lab.Lab;
import io.gatehouse.it.lab.Network;
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
          Host gw = net.host("gw");
          gw.script(
                  "ip address flush dev eth0; ip address add 203.0.113.77/24 dev eth0; ip route add default via 203.0.113.1")
              .expected();
          assertSpokenTo(net, "203.0.113.77");
        });
  }
}
