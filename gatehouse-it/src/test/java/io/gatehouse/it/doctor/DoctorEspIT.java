package io.gatehouse.it.doctor;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatehouse.it.lab.Answer;
import io.gatehouse.it.lab.Feature;
import io.gatehouse.it.lab.Host;
import io.gatehouse.it.lab.Lab;
import io.gatehouse.it.lab.Network;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** Findings about SAs and about charon, on a gateway by hand with a tunnel that is really up. */
@Tag("full")
class DoctorEspIT {
  private static final String WORLD =
      """
      wire gw:eth0 203.0.113.1/24 -- branch:eth0 203.0.113.7/24
      wire gw:eth1 10.0.1.1/24 -- pc:eth0 10.0.1.20/24
      wire branch:eth1 10.20.0.1/24 -- shop:eth0 10.20.0.20/24
      route gw default via 203.0.113.7
      route pc default via 10.0.1.1
      route shop default via 10.20.0.1
      set branch net.ipv4.ip_forward=1
      """;

  private static String swanctl(String own, String other, String near, String far) {
    return """
    connections {
      tunnel {
        version = 2
        dpd_delay = 30s
        encap = yes
        local_addrs = %s
        remote_addrs = %s
        local { auth = psk }
        remote { auth = psk }
        children {
          net {
            local_ts = %s
            remote_ts = %s
            esp_proposals = aes128gcm16
          }
        }
      }
    }
    secrets { ike { secret = "lab" } }
    """
        .formatted(own, other, near, far);
  }

  private static final String RULES =
      """
      set -e
      for device in all default eth0 eth1; do
        echo 0 > /proc/sys/net/ipv4/conf/$device/send_redirects
        echo 0 > /proc/sys/net/ipv4/conf/$device/rp_filter
      done
      echo 1 > /proc/sys/net/ipv4/ip_forward
      for direction in in fwd; do
        ip xfrm policy add src 10.20.0.0/24 dst 0.0.0.0/0 dir $direction action block priority 4294967280
      done
      ip xfrm policy add src 0.0.0.0/0 dst 10.20.0.0/24 dir out action block priority 4294967280
      iptables-restore <<'END'
      *mangle
      -A FORWARD -p tcp -m policy --dir in --pol ipsec -m tcp --tcp-flags SYN,RST SYN -j TCPMSS --set-mss 1300
      -A FORWARD -p tcp -m policy --dir out --pol ipsec -m tcp --tcp-flags SYN,RST SYN -j TCPMSS --set-mss 1300
      COMMIT
      *filter
      :INPUT DROP
      :FORWARD DROP
      -A INPUT -i lo -j ACCEPT
      -A INPUT -i eth0 -p udp -m multiport --dports 500,4500 -j ACCEPT
      -A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
      -A FORWARD -s 10.20.0.0/24 -i eth0 -m policy --dir in --pol ipsec -j ACCEPT
      -A FORWARD -d 10.20.0.0/24 -i eth1 -m policy --dir out --pol ipsec -j ACCEPT
      COMMIT
      END
      """;

  private static JsonNode doctor(Host gw) {
    Answer answer = gw.gatehouse("doctor", "live", "--json", "--watch", "2");
    assertThat(answer.err()).isEmpty();
    return new JsonMapper().readTree(answer.out());
  }

  private static List<String> kinds(JsonNode report) {
    return report.path("findings").findValuesAsString("finding");
  }

  private static void madeAndCured(Host gw, String kind, String making) {
    gw.script("set -e\n" + making).expected();
    JsonNode sick = doctor(gw);
    assertThat(kinds(sick)).as("%s", sick).containsExactly(kind);
    List<String> remedy = new ArrayList<>();
    sick.path("findings").path(0).path("remedy").forEach(c -> remedy.add(c.asString()));
    for (String command : remedy) {
      gw.script(command).expected();
    }
    JsonNode cured = doctor(gw);
    assertThat(kinds(cured)).as("after %s: %s", remedy, cured).isEmpty();
  }

  @Test
  void findingsAboutAssociationsAreMadeNamedCuredAndGone() {
    try (Network net = Lab.with(Feature.VETH, Feature.ESP, Feature.NFT_INET).network(WORLD)) {
      Host gw = net.host("gw");
      String own = swanctl("203.0.113.1", "203.0.113.7", "10.0.1.0/24", "10.20.0.0/24");
      gw.script(RULES).expected();
      gw.write("/etc/swanctl/swanctl.conf", own);
      net.charon(
          new Network.Peer("gw", own),
          new Network.Peer(
              "branch", swanctl("203.0.113.7", "203.0.113.1", "10.20.0.0/24", "10.0.1.0/24")));
      gw.initiate("net").expected();
      net.host("pc").script("ping -c 3 -W 5 10.20.0.20 >&2").expected();
      assertThat(kinds(doctor(gw))).as("the tunnel is up").isEmpty();

      madeAndCured(
          gw,
          "flow-table",
          """
          nft -f - <<'END'
          table inet fast {
            flowtable f { hook ingress priority 0; devices = { eth0, eth1 }; }
            chain forward { type filter hook forward priority 10; ct state established flow add @f; }
          }
          END
          """);
      madeAndCured(
          gw,
          "mss-too-large",
          """
          iptables -t mangle -F FORWARD
          for direction in in out; do
            iptables -t mangle -A FORWARD -p tcp -m policy --dir $direction --pol ipsec --tcp-flags SYN,RST SYN -j TCPMSS --set-mss 1460
          done
          """);
      madeAndCured(
          gw,
          "same-policy",
          "ip xfrm state add src 203.0.113.1 dst 203.0.113.99 proto esp spi 0x999 reqid 1 mode tunnel"
              + " aead 'rfc4106(gcm(aes))' 0x000102030405060708090a0b0c0d0e0f10111213 128");
      madeAndCured(
          gw,
          "dpd-off",
          "sed -i '/dpd_delay/d' /etc/swanctl/swanctl.conf && swanctl --load-conns >&2");
    }
  }
}
