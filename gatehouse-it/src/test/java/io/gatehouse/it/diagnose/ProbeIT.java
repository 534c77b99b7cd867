package io.gatehouse.it.diagnose;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatehouse.it.lab.Answer;
import io.gatehouse.it.lab.Feature;
import io.gatehouse.it.lab.Lab;
import io.gatehouse.it.lab.Network;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** {@code gatehouse probe} over routers of a kernel, one of which drops. */
class ProbeIT {
  private static final String WIRES =
      """
      wire pc:eth0 192.0.2.7/24 2001:db8:1::7/64 -- one:e0 192.0.2.1/24 2001:db8:1::1/64
      wire one:e1 198.51.100.1/24 2001:db8:2::1/64 -- two:e0 198.51.100.2/24 2001:db8:2::2/64
      wire two:e1 203.0.113.1/24 2001:db8:3::1/64 -- three:e0 203.0.113.2/24 2001:db8:3::2/64
      wire three:e1 203.0.114.1/24 2001:db8:4::1/64 -- server:eth0 203.0.114.2/24 2001:db8:4::2/64
      route pc default via 192.0.2.1
      route one default via 198.51.100.2
      route two default via 203.0.113.2
      route two 192.0.2.0/24 via 198.51.100.1
      route three default via 203.0.113.1
      route server default via 203.0.114.1
      route pc default via 2001:db8:1::1
      route one default via 2001:db8:2::2
      route two default via 2001:db8:3::2
      route two 2001:db8:1::/64 via 2001:db8:2::1
      route three default via 2001:db8:3::1
      route server default via 2001:db8:4::1
      set one net.ipv4.ip_forward=1
      set two net.ipv4.ip_forward=1
      set three net.ipv4.ip_forward=1
      set one net.ipv6.conf.all.forwarding=1
      set two net.ipv6.conf.all.forwarding=1
      set three net.ipv6.conf.all.forwarding=1
      """;

  @Test
  void namesTheRouterThatDropsAndWhatAnswers() {
    probes(
        "ip protocol esp drop; ip protocol gre reject with icmp type admin-prohibited;",
        "UDP4-LISTEN:4500,fork",
        "203.0.114.2",
        List.of("192.0.2.1", "198.51.100.2", "203.0.113.2"));
  }

  @Test
  @Tag("full")
  void theSameWithIpv6() {
    probes(
        "meta l4proto esp drop; meta l4proto gre reject with icmpv6 type admin-prohibited;",
        "UDP6-LISTEN:4500,fork",
        "2001:db8:4::2",
        List.of("2001:db8:1::1", "2001:db8:2::2", "2001:db8:3::2"));
  }

  /** Between the second and the third router ESP ends, and GRE is rejected by the second. */
  private static void probes(String rules, String listens, String server, List<String> way) {
    Lab lab = Lab.with(Feature.VETH, Feature.NFT_NAT);
    try (Network net = lab.network(WIRES)) {
      net.host("two")
          .nft("table inet x { chain f { type filter hook forward priority 0; " + rules + " }; }");
      net.host("server")
          .script("socat " + listens + " EXEC:cat > /dev/null 2>&1 & sleep 0.5")
          .expected();

      Answer answer = net.host("pc").gatehouse("probe", "--json", server);

      JsonNode told = new JsonMapper().readTree(answer.out());
      assertThat(told.path("way")).extracting(JsonNode::asString).isEqualTo(way);
      assertThat(told.path("pings").asBoolean()).isTrue();
      assertThat(told.path("results"))
          .extracting(r ->
              r.path("protocol").asString()
                  + " "
                  + r.path("verdict").asString()
                  + " "
                  + r.path("where").asString())
          .containsExactly(
              "udp-500 refused " + server,
              "udp-4500 answers ",
              "esp ends " + way.getLast(),
              "tcp-1723 refused " + server,
              "gre refused " + way.get(1));
      assertThat(answer.status()).isEqualTo(1);
    }
  }
}
