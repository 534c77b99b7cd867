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
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * Each finding of the doctor is made on a gateway that has none, named by the doctor, cured by the
 * commands that it printed, and gone.
 */
class DoctorIT {
  private static final String WORLD =
      """
      wire gw:eth0 203.0.113.1/24 -- net:gw 203.0.113.254/24 198.51.100.7/32
      wire gw:eth1 10.0.1.1/24 -- pc:eth0 10.0.1.20/24
      wire gw:eth2 192.0.2.1/24 -- other:gw 192.0.2.254/24 198.51.100.7/32
      route gw default via 203.0.113.254
      route pc default via 10.0.1.1
      route net 10.0.0.0/8 via 203.0.113.1
      """;

  /** A gateway by hand, with nothing wrong; its tunnel has policies and needs no SA here. */
  private static final String HEALTHY =
      """
      set -e
      for device in all default eth0 eth1 eth2; do
        echo 0 > /proc/sys/net/ipv4/conf/$device/send_redirects
        echo 0 > /proc/sys/net/ipv4/conf/$device/rp_filter
      done
      echo 1 > /proc/sys/net/ipv4/ip_forward
      ip -batch - <<'END'
      route add 10.0.3.0/24 via 203.0.113.254 dev eth0 src 10.0.1.1
      xfrm policy add src 10.0.1.0/24 dst 10.0.3.0/24 dir out priority 300000 tmpl src 203.0.113.1 dst 198.51.100.7 proto esp reqid 1 mode tunnel
      xfrm policy add src 10.0.3.0/24 dst 10.0.1.0/24 dir fwd priority 300000 tmpl src 198.51.100.7 dst 203.0.113.1 proto esp reqid 1 mode tunnel
      xfrm policy add src 10.0.3.0/24 dst 10.0.1.0/24 dir in priority 300000 tmpl src 198.51.100.7 dst 203.0.113.1 proto esp reqid 1 mode tunnel
      xfrm policy add src 0.0.0.0/0 dst 10.0.3.0/24 dir out action block priority 4294967280
      xfrm policy add src 10.0.3.0/24 dst 0.0.0.0/0 dir fwd action block priority 4294967280
      xfrm policy add src 10.0.3.0/24 dst 0.0.0.0/0 dir in action block priority 4294967280
      END
      iptables-restore <<'END'
      *mangle
      -A FORWARD -p tcp -m policy --dir in --pol ipsec -m tcp --tcp-flags SYN,RST SYN -j TCPMSS --set-mss 1300
      -A FORWARD -p tcp -m policy --dir out --pol ipsec -m tcp --tcp-flags SYN,RST SYN -j TCPMSS --set-mss 1300
      COMMIT
      *nat
      -A POSTROUTING -o eth0 -m policy --dir out --pol ipsec -j ACCEPT
      -A POSTROUTING -s 10.0.1.0/24 -o eth0 -j MASQUERADE
      COMMIT
      *filter
      :INPUT DROP
      :FORWARD DROP
      -A INPUT -i lo -j ACCEPT
      -A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
      -A INPUT -i eth0 -p udp -m multiport --dports 500,4500 -j ACCEPT
      -A INPUT -i eth0 -p esp -j ACCEPT
      -A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
      -A FORWARD -s 10.0.3.0/24 -i eth0 -m policy --dir in --pol ipsec -j ACCEPT
      -A FORWARD -d 10.0.3.0/24 -i eth1 -m policy --dir out --pol ipsec -j ACCEPT
      -A FORWARD -s 10.0.1.0/24 -i eth1 -o eth0 -j ACCEPT
      COMMIT
      END
      """;

  /** Says something on one PPTP control connection all the time, from an address. */
  private static final String CALLER =
      "while sleep 0.2; do (while sleep 0.2; do echo x; done)"
          + " | socat - TCP4:203.0.113.254:1723,bind=%s; done";

  /** What a host does all the while, in words of bash. */
  private record Talk(String host, String words) {}

  /** What makes each finding, in words of bash, on the healthy gateway. */
  enum Made {
    NAT_EATS_TUNNEL("iptables -t nat -D POSTROUTING 1"),
    FORWARDING_OFF("echo 0 > /proc/sys/net/ipv4/ip_forward"),
    FORWARD_DROPPED("iptables -D FORWARD 4; iptables -D FORWARD 3; iptables -D FORWARD 2"),
    REPLIES_DROPPED("iptables -D FORWARD 4; iptables -D FORWARD 3; iptables -D FORWARD 1"),
    NO_MSS_CLAMP("iptables -t mangle -F FORWARD"),
    IKE_BLOCKED("iptables -D INPUT 3"),
    SPOOFED_SOURCE(
        "iptables -I FORWARD -s 10.0.3.0/24 -j ACCEPT; for d in in fwd; do ip xfrm policy delete"
            + " src 10.0.3.0/24 dst 0.0.0.0/0 dir $d; done"),
    CLEAR_WHEN_DOWN("ip xfrm policy delete src 0.0.0.0/0 dst 10.0.3.0/24 dir out"),
    WRONG_UPLINK("ip route add default via 192.0.2.254 dev eth2 metric 100"),
    MARK_NEVER_SET(
        "ip xfrm policy delete src 10.0.1.0/24 dst 10.0.3.0/24 dir out; ip xfrm policy add src"
            + " 10.0.1.0/24 dst 10.0.3.0/24 dir out priority 300000 mark 7 mask 0xff tmpl src"
            + " 203.0.113.1 dst 198.51.100.7 proto esp reqid 1 mode tunnel"),
    NO_FWD_POLICY("ip xfrm policy delete src 10.0.3.0/24 dst 10.0.1.0/24 dir fwd"),
    LAN_LOST(
        "ip xfrm policy add src 10.0.1.0/24 dst 0.0.0.0/0 dir out priority 400000 tmpl src"
            + " 203.0.113.1 dst 198.51.100.7 proto esp reqid 1 mode tunnel"),
    NO_SOURCE_ROUTE(
        "ip xfrm policy add src 10.0.1.1/32 dst 10.9.0.0/16 proto tcp dport 443 dir out priority"
            + " 300000 tmpl src 203.0.113.1 dst 198.51.100.7 proto esp reqid 2 mode tunnel"),
    PMTU_SOURCE("ip route replace 10.0.3.0/24 via 203.0.113.254 dev eth0"),
    NO_WAY_BACK(
        "ip xfrm policy add src 10.0.1.0/24 dst 10.0.1.200/32 dir out priority 300000 tmpl src"
            + " 203.0.113.1 dst 198.51.100.7 proto esp reqid 1 mode tunnel"),
    REDIRECTS(
        "ip addr add 10.0.1.9/24 dev eth0; echo 1 > /proc/sys/net/ipv4/conf/eth0/send_redirects"),
    UPDOWN_RULES(
        "nft add table inet gatehouse; iptables -I FORWARD -s 10.0.3.0/24 -d 10.0.1.0/24 -i eth0 -m"
            + " policy --dir in --pol ipsec --reqid 1 --proto esp -j ACCEPT"),
    FOREIGN_NUMBERS(
        "nft add table inet gatehouse; ip rule add from 10.9.0.0/16 lookup 99 priority 5005"),
    IKE_FORWARDED(
        "iptables -t nat -A PREROUTING -d 203.0.113.1 -p udp -m multiport --dports 500,4500 -j DNAT"
            + " --to-destination 10.0.1.20; iptables -A FORWARD -d 10.0.1.20 -p udp -j ACCEPT"),
    STALE_CONNECTION(
        "iptables -t nat -D POSTROUTING 1; conntrack -I -p udp -s 10.0.1.20 -d 10.0.3.5 --sport"
            + " 4000 --dport 53 -r 10.0.3.5 -q 203.0.113.1 --reply-port-src 53 --reply-port-dst"
            + " 4000 -t 600 >&2; iptables -t nat -I POSTROUTING -o eth0 -m policy --dir out --pol"
            + " ipsec -j ACCEPT"),
    TEMPLATE_MISMATCH(
        "true",
        new Talk("net", "ip addr add 10.0.3.5/32 dev gw; ping -i 0.2 -I 10.0.3.5 10.0.1.20")),
    RP_FILTER_DROPS(
        "echo 1 > /proc/sys/net/ipv4/conf/eth2/rp_filter",
        new Talk(
            "other",
            "ip route add 10.0.1.0/24 via 192.0.2.1; ping -c 1 -W 2 192.0.2.1; ping -i 0.2 -I"
                + " 198.51.100.7 10.0.1.20")),
    IKE_MASQUERADED(
        "true",
        new Talk(
            "pc",
            "while sleep 0.2; do echo x | socat -u - UDP4-SENDTO:198.51.100.7:500,sp=500; done")),
    ESP_FORGOTTEN(
        "true",
        new Talk(
            "pc", "while sleep 0.2; do echo x | socat -u - IP4-SENDTO:203.0.113.254:50; done")),
    PPTP_WITHOUT_HELPER(
        "true",
        new Talk("net", "socat TCP4-LISTEN:1723,reuseaddr,fork EXEC:cat"),
        new Talk("pc", CALLER.formatted("10.0.1.20")),
        new Talk("pc", "ip addr add 10.0.1.21/24 dev eth0; " + CALLER.formatted("10.0.1.21")));

    private final String script;

    @SuppressWarnings("ImmutableEnumChecker") // a copy
    private final List<Talk> talks;

    /**
     * @param talks that go on all the while
     */
    Made(String script, Talk... talks) {
      this.script = script;
      this.talks = List.of(talks);
    }

    String word() {
      return name().toLowerCase(java.util.Locale.ROOT).replace('_', '-');
    }
  }

  private static Network network() {
    return Lab.with(Feature.VETH, Feature.NFT_NAT, Feature.NFT_IPSEC, Feature.XFRM_POLICY)
        .network(WORLD);
  }

  private static Network network(Made made) {
    // The remedy loads a module, which a running kernel may have built in and know nothing of.
    return made == Made.PPTP_WITHOUT_HELPER ? Lab.emulated().network(WORLD) : network();
  }

  private static JsonNode doctor(Host gw, boolean watches) {
    Answer answer = gw.gatehouse("doctor", "live", "--json", "--watch", watches ? "2" : "0");
    assertThat(answer.err()).isEmpty();
    return new JsonMapper().readTree(answer.out());
  }

  private static List<String> kinds(JsonNode report) {
    return report.path("findings").findValuesAsString("finding");
  }

  /** The commands of every finding of this kind, in order. */
  private static List<String> remedy(JsonNode report, String kind) {
    List<String> commands = new ArrayList<>();
    for (JsonNode finding : report.path("findings")) {
      if (finding.path("finding").asString().equals(kind)) {
        finding.path("remedy").forEach(command -> commands.add(command.asString()));
      }
    }
    return commands;
  }

  private static void madeAndCured(Network net, Made made) {
    Host gw = net.host("gw");
    gw.script(HEALTHY).expected();
    gw.script(made.script).expected();
    boolean watches = !made.talks.isEmpty();
    for (Talk talk : made.talks) {
      net.host(talk.host).script("(" + talk.words + ") > /dev/null 2>&1 & disown").expected();
    }
    JsonNode sick = doctor(gw, watches);
    assertThat(kinds(sick)).contains(made.word());
    for (String command : remedy(sick, made.word())) {
      Answer answer = gw.script(command);
      // conntrack says that it found no entry to delete.
      if (!command.startsWith("conntrack -D")) {
        answer.expected();
      }
    }
    // What makes it may make others too; a cure makes none.
    List<String> others = new ArrayList<>(kinds(sick));
    others.removeIf(made.word()::equals);
    assertThat(kinds(doctor(gw, watches))).as("after its remedy").isSubsetOf(others);
  }

  @Test
  void nothingIsRaisedOnAHealthyGatewayAndALeakIsNamedAndCured() {
    try (Network net = network()) {
      net.host("gw").script(HEALTHY).expected();
      assertThat(kinds(doctor(net.host("gw"), false))).isEmpty();
    }
    try (Network net = network()) {
      madeAndCured(net, Made.NAT_EATS_TUNNEL);
    }
  }

  /** What `apply` installs, and a client's policies and route as charon adds them. */
  @Test
  void nothingIsRaisedOnAGatewayOfOurs() {
    try (Network net =
        Lab.with(Feature.VETH, Feature.NFT_NAT, Feature.NFT_IPSEC, Feature.XFRM_POLICY)
            .network(
                """
                wire gw:eth0 203.0.113.2/24 -- net:gw 203.0.113.1/24
                wire gw:eth1 10.0.1.1/24 -- pc:eth0 10.0.1.20/24
                route gw default via 203.0.113.1
                """)) {
      Host gw = net.host("gw");
      gw.gatehouse("apply", Lab.HOME.resolve("examples/office.yaml").toString()).expected();
      gw.script(
              """
              set -e
              ip rule add lookup 220 priority 220
              ip -batch - <<'END'
              route add 10.0.3.5 via 203.0.113.1 dev eth0 proto static src 10.0.1.1 table 220
              xfrm policy add src 10.0.1.0/24 dst 10.0.3.5/32 dir out priority 371327 tmpl src 203.0.113.2 dst 198.51.100.7 proto esp reqid 1 mode tunnel
              xfrm policy add src 10.0.3.5/32 dst 10.0.1.0/24 dir fwd priority 371327 tmpl src 198.51.100.7 dst 203.0.113.2 proto esp reqid 1 mode tunnel
              xfrm policy add src 10.0.3.5/32 dst 10.0.1.0/24 dir in priority 371327 tmpl src 198.51.100.7 dst 203.0.113.2 proto esp reqid 1 mode tunnel
              END
              """)
          .expected();

      assertThat(kinds(doctor(gw, false))).isEmpty();
    }
  }

  @Tag("full")
  @ParameterizedTest
  @EnumSource(Made.class)
  void eachFindingIsMadeNamedCuredAndGone(Made made) {
    try (Network net = network(made)) {
      madeAndCured(net, made);
    }
  }
}
