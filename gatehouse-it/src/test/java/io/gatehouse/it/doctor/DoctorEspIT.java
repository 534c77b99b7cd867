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
    return swanctl("encap = yes", own, other, near, far, "esp_proposals = aes128gcm16");
  }

  private static String swanctl(
      String more, String own, String other, String near, String far, String proposals) {
    return """
    connections {
      tunnel {
        version = 2
        dpd_delay = 30s
        %s
        local_addrs = %s
        remote_addrs = %s
        local { auth = psk }
        remote { auth = psk }
        children {
          net {
            local_ts = %s
            remote_ts = %s
            %s
          }
        }
      }
    }
    secrets { ike { secret = "lab" } }
    """
        .formatted(more, own, other, near, far, proposals);
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
    namedAndCured(gw, kind);
  }

  private static void namedAndCured(Host gw, String... kinds) {
    JsonNode sick = doctor(gw);
    assertThat(kinds(sick)).as("%s", sick).containsExactlyInAnyOrder(kinds);
    List<String> remedy = new ArrayList<>();
    for (JsonNode finding : sick.path("findings")) {
      finding.path("remedy").forEach(command -> remedy.add(command.asString()));
    }
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

  /** ESP by itself, without UDP. */
  @Test
  void findingsAboutWhatPassesAreMadeNamedCuredAndGone() {
    String esp = "esp_proposals = aes128gcm16";
    String own = swanctl("", "203.0.113.1", "203.0.113.7", "10.0.1.0/24", "10.20.0.0/24", esp);
    String other = swanctl("", "203.0.113.7", "203.0.113.1", "10.20.0.0/24", "10.0.1.0/24", esp);
    try (Network net =
        Lab.with(Feature.VETH, Feature.ESP, Feature.NFT_INET, Feature.NETEM).network(WORLD)) {
      Host gw = net.host("gw");
      Host pc = net.host("pc");
      Host branch = net.host("branch");
      gw.script(RULES).expected();
      gw.script("iptables -A INPUT -i eth0 -p esp -j ACCEPT").expected();
      gw.write("/etc/swanctl/swanctl.conf", own);
      net.charon(new Network.Peer("gw", own), new Network.Peer("branch", other));
      gw.initiate("net").expected();
      pc.script("ping -c 3 -W 5 10.20.0.20 >&2").expected();
      assertThat(kinds(doctor(gw))).as("the tunnel is up").isEmpty();

      // It answers, and on the way protocol 50 is dropped.
      branch
          .script(
              "nft 'table ip t { chain o { type filter hook postrouting priority 0; ip protocol esp drop; }; }'")
          .expected();
      pc.script("ping -c 8 -i 0.1 -W 1 10.20.0.20 > /dev/null; true");
      gw.script("swanctl --terminate --child net; swanctl --initiate --child net >&2").expected();
      pc.script("ping -c 8 -i 0.1 -W 1 10.20.0.20 > /dev/null; true");
      namedAndCured(gw, "no-esp-arrives");
      pc.script("ping -c 3 -W 5 10.20.0.20 >&2").expected();

      // charon believes that the tunnel stands.
      pc.script("ping -i 0.2 -w 60 10.20.0.20 > /dev/null 2>&1 &");
      madeAndCured(gw, "policy-without-sa", "ip xfrm state flush");
      pc.script("ping -c 3 -W 5 10.20.0.20 >&2").expected();

      branch.script("tc qdisc add dev eth0 root netem delay 400ms reorder 20%").expected();
      net.host("shop").script("ping -i 0.005 -w 90 10.0.1.20 > /dev/null 2>&1 &");
      namedAndCured(gw, "replay-window");
      branch.script("tc qdisc del dev eth0 root").expected();
    }
  }

  /** charon itself refuses to negotiate AH through a NAT; others, and hands, do not. */
  @Test
  void authenticationHeadersBehindNatAreNamedAndCured() {
    String world =
        """
        wire gw:eth0 192.168.7.2/24 -- nat:in 192.168.7.1/24
        wire nat:out 203.0.113.1/24 -- branch:eth0 203.0.113.7/24
        wire gw:eth1 10.0.1.1/24 -- pc:eth0 10.0.1.20/24
        wire branch:eth1 10.20.0.1/24 -- shop:eth0 10.20.0.20/24
        route gw default via 192.168.7.1
        route nat default via 203.0.113.7
        route pc default via 10.0.1.1
        route shop default via 10.20.0.1
        set branch net.ipv4.ip_forward=1
        set nat net.ipv4.ip_forward=1
        """;
    String near = "10.0.1.0/24";
    String far = "10.20.0.0/24";
    String own = swanctl("", "192.168.7.2", "203.0.113.7", near, far, "ah_proposals = sha256");
    String other = swanctl("", "203.0.113.7", "%any", far, near, "esp_proposals = default");
    try (Network net =
        Lab.with(Feature.VETH, Feature.ESP, Feature.NFT_INET, Feature.NFT_NAT).network(world)) {
      Host gw = net.host("gw");
      net.host("nat")
          .script(
              "nft 'table ip n { chain p { type nat hook postrouting priority 100; oifname out masquerade; }; }'")
          .expected();
      gw.script(RULES).expected();
      gw.script("iptables -A INPUT -i eth0 -p esp -j ACCEPT").expected();
      gw.write("/etc/swanctl/swanctl.conf", own);
      net.charon(new Network.Peer("gw", own), new Network.Peer("branch", other));
      assertThat(gw.initiate("net").out()).contains("NO_PROPOSAL_CHOSEN");
      gw.script(
              "ip xfrm state add src 192.168.7.2 dst 203.0.113.7 proto ah spi 0x777 reqid 7 mode tunnel"
                  + " auth 'hmac(sha256)' 0x000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f")
          .expected();
      namedAndCured(gw, "ah-behind-nat");
      net.host("pc").script("ping -c 3 -W 5 10.20.0.20 >&2").expected();
    }
  }

  /** NAT moves packets into the tunnel when they have passed the check of their size. */
  @Test
  void whatIsTooLargeOnceItIsEncryptedIsNamedAndCured() {
    String own = swanctl("203.0.113.1", "203.0.113.7", "10.0.1.0/24", "10.20.0.0/24");
    String other = swanctl("203.0.113.7", "203.0.113.1", "10.20.0.0/24", "10.0.1.0/24");
    try (Network net =
        Lab.with(Feature.VETH, Feature.ESP, Feature.NFT_INET, Feature.NFT_NAT).network(WORLD)) {
      Host gw = net.host("gw");
      gw.script(RULES).expected();
      gw.write("/etc/swanctl/swanctl.conf", own);
      net.charon(new Network.Peer("gw", own), new Network.Peer("branch", other));
      gw.initiate("net").expected();
      net.host("shop")
          .script(
              "perl -MIO::Socket::INET -e '$SIG{CHLD} = \"IGNORE\"; $s = IO::Socket::INET->new(LocalPort => 5000,"
                  + " Listen => 99); while ($c = $s->accept) { fork or do { 1 while sysread($c, $b, 65536);"
                  + " exit }; close $c }' > /dev/null 2>&1 &");
      net.host("pc")
          .script(
              """
              set -e
              # What hangs is given up soon.
              echo 1 > /proc/sys/net/ipv4/tcp_orphan_retries
              echo 3 > /proc/sys/net/ipv4/tcp_retries2
              ip addr add 10.0.9.20/24 dev eth0
              ip route replace default via 10.0.1.1 src 10.0.9.20
              nft 'table ip t { chain i { type filter hook input priority 0; icmp type destination-unreachable drop; }; }'
              while :; do timeout 2 bash -c 'head -c 60000 /dev/zero > /dev/tcp/10.20.0.20/5000' || true; sleep 0.2; done > /dev/null 2>&1 &
              """)
          .expected();
      gw.script(
              """
              set -e
              ip route add 10.0.9.0/24 dev eth1
              # Not held back before NAT gives it the address that belongs into the tunnel.
              ip xfrm policy add src 10.0.9.0/24 dst 10.20.0.0/24 dir out action allow priority 100000
              iptables -t mangle -F FORWARD
              iptables -A FORWARD -s 10.0.9.0/24 -d 10.20.0.0/24 -i eth1 -j ACCEPT
              iptables -t nat -A POSTROUTING -s 10.0.9.0/24 -d 10.20.0.0/24 -j SNAT --to-source 10.0.1.1
              """)
          .expected();
      namedAndCured(gw, "mode-error", "no-mss-clamp");
    }
  }
}
