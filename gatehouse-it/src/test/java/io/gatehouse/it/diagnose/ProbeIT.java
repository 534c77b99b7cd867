package io.gatehouse.it.diagnose;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatehouse.it.lab.Answer;
import io.gatehouse.it.lab.Feature;
import io.gatehouse.it.lab.Lab;
import io.gatehouse.it.lab.Network;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** {@code gatehouse probe} over routers of a kernel, one of which drops. */
class ProbeIT {
  @Test
  void namesTheRouterThatDropsAndWhatAnswers() {
    Lab lab = Lab.with(Feature.VETH, Feature.NFT_NAT);
    try (Network net =
        lab.network(
            """
            wire pc:eth0 192.0.2.7/24 -- one:e0 192.0.2.1/24
            wire one:e1 198.51.100.1/24 -- two:e0 198.51.100.2/24
            wire two:e1 203.0.113.1/24 -- three:e0 203.0.113.2/24
            wire three:e1 203.0.114.1/24 -- server:eth0 203.0.114.2/24
            route pc default via 192.0.2.1
            route one default via 198.51.100.2
            route two default via 203.0.113.2
            route two 192.0.2.0/24 via 198.51.100.1
            route three default via 203.0.113.1
            route server default via 203.0.114.1
            set one net.ipv4.ip_forward=1
            set two net.ipv4.ip_forward=1
            set three net.ipv4.ip_forward=1
            """)) {
      // Between the second and the third router ESP ends, and GRE is rejected by the second.
      net.host("two")
          .nft(
              "table ip x { chain f { type filter hook forward priority 0;"
                  + " ip protocol esp drop;"
                  + " ip protocol gre reject with icmp type admin-prohibited; }; }");
      net.host("server")
          .script("socat UDP4-LISTEN:4500,fork EXEC:cat > /dev/null 2>&1 & sleep 0.5")
          .expected();

      Answer answer = net.host("pc").gatehouse("probe", "--json", "203.0.114.2");

      JsonNode told = new JsonMapper().readTree(answer.out());
      assertThat(told.path("way"))
          .extracting(JsonNode::asString)
          .containsExactly("192.0.2.1", "198.51.100.2", "203.0.113.2");
      assertThat(told.path("pings").asBoolean()).isTrue();
      assertThat(told.path("results"))
          .extracting(r ->
              r.path("protocol").asString()
                  + " "
                  + r.path("verdict").asString()
                  + " "
                  + r.path("where").asString())
          .containsExactly(
              "udp-500 refused 203.0.114.2",
              "udp-4500 answers ",
              "esp ends 203.0.113.2",
              "tcp-1723 refused 203.0.114.2",
              "gre refused 198.51.100.2");
      assertThat(answer.status()).isEqualTo(1);
    }
  }
}
