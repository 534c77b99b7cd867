package io.gatehouse.it.diagnose;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatehouse.diagnose.Diagnosis;
import io.gatehouse.diagnose.Finding;
import io.gatehouse.diagnose.Kind;
import io.gatehouse.diagnose.Point;
import io.gatehouse.doctor.Doctor;
import io.gatehouse.doctor.Report;
import io.gatehouse.it.lab.Feature;
import io.gatehouse.it.lab.Lab;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * A VPN of real peers that is broken: by captures of the four points, or of fewer, `diagnose` names
 * the break, the doctor what captures cannot tell, and both say nothing of the unbroken one.
 */
class BreaksIT {
  private static final String HEAD =
      "| what was done | `diagnose` at all four points | `doctor` on the gateway |\n|---|---|---|\n";

  /** What is true of a break, and all that can be known where its place has no capture. */
  private static final Set<Kind> SYMPTOMS =
      EnumSet.of(
          Kind.NOTHING_SEEN,
          Kind.NO_ANSWER,
          Kind.AUTH_UNANSWERED,
          Kind.NO_ESP,
          Kind.ESP_UNANSWERED,
          Kind.GRE_UNANSWERED,
          Kind.DEAD_PEER);

  static final List<Break> BREAKS =
      List.of(
          Break.of("whole", "nothing")
              .examined("gw")
              .acting("connect rw net\npings 0.2 6\nback 0.2 4"),
          Break.of("whole-translated", "nothing; the client is behind NAT")
              .translated()
              .examined("gw")
              .quick(),
          Break.of("esp-at-the-client", "the client's firewall drops ESP", Kind.ESP_LOST)
              .dropping("cfw", "ip protocol esp drop"),
          Break.of("esp-on-the-way", "the internet drops ESP", Kind.ESP_LOST)
              .dropping("isp", "ip protocol esp drop")
              .quick(),
          Break.of("esp-at-the-server", "the server's firewall drops ESP", Kind.ESP_LOST)
              .dropping("sfw", "ip protocol esp drop"),
          Break.of("esp-back", "ESP from the server is dropped", Kind.ESP_LOST)
              .dropping("isp", "iifname s ip protocol esp drop"),
          Break.of(
                  "esp-in-udp",
                  "UDP 4500 is dropped from the first packet of data on",
                  Kind.ESP_IN_UDP_LOST)
              .translated()
              .acting(
                  "connect rw net\ndrop isp forward 'udp dport 4500 @th,64,32 != 0 drop'\npings 0.2"
                      + " 6"),
          Break.of("500-at-the-client", "the client's firewall drops UDP 500", Kind.UDP_500_LOST)
              .translated()
              .dropping("cfw", "udp dport 500 drop"),
          Break.of("500-on-the-way", "the internet drops UDP 500", Kind.UDP_500_LOST)
              .dropping("isp", "udp dport 500 drop"),
          Break.of("500-back", "UDP 500 from the server is dropped", Kind.UDP_500_LOST)
              .dropping("sfw", "udp sport 500 drop"),
          Break.of("4500-on-the-way", "the internet drops UDP 4500", Kind.UDP_4500_LOST)
              .translated()
              .dropping("isp", "udp dport 4500 drop"),
          Break.of("500-rejected", "the server's firewall rejects UDP 500", Kind.REFUSED)
              .dropping("sfw", "udp dport 500 reject with icmp type admin-prohibited"),
          Break.of("large-on-the-way", "the internet drops what is large, silently", Kind.MTU)
              .translated()
              .dropping("isp", "udp dport 4500 ip length > 900 drop")
              .acting("connect rw net\npings 0.2 4\npings 0.2 5 -s 1100"),
          Break.of("fragmented", "nothing; a router on the way makes fragments")
              .making("at isp ip route replace 203.0.114.0/24 via 203.0.113.1 mtu lock 800")
              .acting("connect rw net\npings 0.2 4\npings 0.2 5 -s 1100 -M dont")
              .undoing("at isp ip route replace 203.0.114.0/24 via 203.0.113.1"),
          Break.of(
                  "fragments",
                  "a router on the way makes fragments, the server's firewall drops them",
                  Kind.FRAGMENTS_LOST)
              .making("at isp ip route replace 203.0.114.0/24 via 203.0.113.1 mtu lock 800")
              .dropping("sfw", "ip frag-off & 0x1fff != 0 drop")
              .acting("connect rw net\npings 0.2 4\npings 0.2 5 -s 1100 -M dont")
              .undoing("at isp ip route replace 203.0.114.0/24 via 203.0.113.1"),
          Break.of(
                  "forwarding-at-the-client",
                  "forwarding is off at the client's firewall",
                  Kind.EVERYTHING_LOST,
                  Kind.UDP_500_LOST)
              .making("at cfw sysctl -q -w net.ipv4.ip_forward=0")
              .undoing("at cfw sysctl -q -w net.ipv4.ip_forward=1"),
          Break.of(
                  "forwarding-at-the-gateway",
                  "forwarding is off at the gateway",
                  Kind.ESP_UNANSWERED)
              .making("at gw sysctl -q -w net.ipv4.ip_forward=0")
              .examined("gw", io.gatehouse.doctor.Kind.FORWARDING_OFF)
              .undoing("at gw sysctl -q -w net.ipv4.ip_forward=1"),
          Break.of("replies-dropped", "the gateway drops the LAN's answers", Kind.ESP_UNANSWERED)
              .dropping("gw", "ip saddr 10.9.1.0/24 drop")
              .examined("gw", io.gatehouse.doctor.Kind.REPLIES_DROPPED)
              .quick(),
          Break.of(
                  "no-way-back", "the file server has no route to the clients", Kind.ESP_UNANSWERED)
              .translated()
              .making("at files ip route del default")
              .examined("gw")
              .undoing("at files ip route add default via 10.9.1.1"),
          Break.of("server-gone", "no IKE daemon runs at the server", Kind.REFUSED)
              .making("at gw lab-charon stop")
              .undoing("at gw rm -f /run/charon.vici\nat gw lab-charon start /tmp/$N-gw.conf"),
          Break.of("no-common-proposal", "IKE proposals have nothing in common", Kind.NO_PROPOSAL)
              .acting("connect stranger strange")
              .quick(),
          Break.of("wrong-secret", "the pre-shared keys differ", Kind.AUTH_REFUSED)
              .acting("connect thief stolen")
              .quick(),
          Break.of("ikev1-secret", "IKEv1: the pre-shared keys differ", Kind.PHASE_1_STUCK)
              .making(
                  "at laptop bash -c 'sed -i s/lab/wrong/ /etc/swanctl/swanctl.conf; swanctl"
                      + " --load-creds --clear' > /dev/null")
              .acting("connect old quick")
              .undoing(
                  "at laptop bash -c 'sed -i s/wrong/lab/ /etc/swanctl/swanctl.conf; swanctl"
                      + " --load-creds --clear' > /dev/null"),
          Break.of("ikev1-selector", "IKEv1: the selectors differ", Kind.PHASE_2_STUCK)
              .acting("connect old-elsewhere quicker"),
          Break.of(
                  "not-translated",
                  "the client's firewall does not masquerade a private address, and the provider"
                      + " drops it",
                  Kind.NOT_TRANSLATED)
              .orByFewer(Kind.UDP_500_LOST)
              .dropping("isp", "ip saddr 192.168.0.0/16 drop")
              .making(
                  "at laptop ip addr add 192.168.7.7/24 dev eth0\n"
                      + "at laptop ip route replace default via 192.0.2.1 src 192.168.7.7")
              .undoing(
                  "at laptop ip route replace default via 192.0.2.1\n"
                      + "at laptop ip addr del 192.168.7.7/24 dev eth0"),
          Break.of(
                  "association-expired",
                  "the client's firewall forgets a session that is silent, and no keepalive is sent",
                  Kind.ASSOCIATION_EXPIRED)
              .translated()
              .dropping("cfw", "ct state new ip saddr 203.0.114.2 drop")
              .making(
                  "at cfw sysctl -q -w net.netfilter.nf_conntrack_udp_timeout=2"
                      + " net.netfilter.nf_conntrack_udp_timeout_stream=2\n"
                      + "at cfw nft 'add chain ip x g { type filter hook input priority 0; }; add rule"
                      + " ip x g iifname wan udp dport 4500 drop'")
              .acting("connect rw net\npings 0.2 4\nsleep 27\nback 0.3 6")
              .undoing(
                  "at cfw sysctl -q -w net.netfilter.nf_conntrack_udp_timeout=30"
                      + " net.netfilter.nf_conntrack_udp_timeout_stream=120"),
          Break.of("dead-peer", "the server hangs", Kind.DEAD_PEER)
              .translated()
              .acting("connect rw net\npings 0.2 4\ndrop gw input drop\npings 1.5 13"),
          Break.of("ah-behind-nat", "AH from a client behind NAT", Kind.AH_BEHIND_NAT)
              .translated()
              .making("authenticated laptop 192.0.2.7\nauthenticated gw 198.51.100.2")
              .acting("at laptop ping -q -n -i 0.2 -c 5 -W 1 203.0.114.2")
              .undoing("for host in laptop gw; do authenticated_no_more $host; done"),
          Break.of("esp-proposals", "ESP proposals have nothing in common", Kind.NO_ESP)
              .acting("connect misfit weak\nin_clear 12"),
          Break.of("selectors", "the selectors have nothing in common", Kind.NO_ESP)
              .acting("connect elsewhere far\nin_clear 12"),
          Break.of("nat-before-ipsec", "the gateway masquerades in front of IPsec", Kind.NO_ESP)
              .making("at gw iptables -t nat -A POSTROUTING -o eth0 -j MASQUERADE")
              .acting("connect rw net\nback 0.2 6\nin_clear 12")
              .examined("gw", io.gatehouse.doctor.Kind.NAT_EATS_TUNNEL)
              .undoing("at gw iptables -t nat -F POSTROUTING"),
          Break.of(
                  "second-client",
                  "two clients of raw ESP behind stock masquerade",
                  Kind.SECOND_SESSION)
              .orByFewer(Kind.ESP_LOST)
              .translated()
              .making(
                  "raw laptop 192.0.2.7 203.0.114.2 1\nraw laptop 192.0.2.8 203.0.114.2 2\n"
                      + "raw gw 203.0.114.2 198.51.100.2 1\nraw gw 203.0.114.2 198.51.100.2 2")
              .acting("raw_pings 1 &\nsleep 1\nraw_pings 2\nwait $!")
              .undoing("for host in laptop gw; do raw_no_more $host; done"),
          Break.of("pptp", "nothing; PPTP").acting("dial\nppp_pings"),
          Break.of("pptp-control", "the internet drops TCP 1723", Kind.TCP_1723_LOST)
              .dropping("isp", "tcp dport 1723 drop")
              .acting("dial"),
          Break.of("pptp-gre", "the internet drops GRE", Kind.GRE_LOST)
              .dropping("isp", "ip protocol gre drop")
              .acting("dial"),
          Break.of("pptp-gre-back", "GRE from the server is dropped", Kind.GRE_LOST)
              .dropping("isp", "iifname s ip protocol gre drop")
              .acting("dial"),
          Break.of("pptp-password", "PPTP: the passwords differ", Kind.PASSWORD_REFUSED)
              .making("at gw sed -i 's/ lab / other /' /etc/ppp/chap-secrets")
              .acting("dial")
              .undoing("at gw sed -i 's/ other / lab /' /etc/ppp/chap-secrets"),
          Break.of(
                  "pptp-mppe",
                  "PPTP: the server insists on MPPE, the client has none",
                  Kind.MPPE_REFUSED)
              .making("at gw sed -i s/noccp/require-mppe-128/ /etc/ppp/options.lab")
              .acting("dial")
              .undoing("at gw sed -i s/require-mppe-128/noccp/ /etc/ppp/options.lab"));

  @Test
  void aFewBreaksAreNamedAndNothingIsSaidOfTheWholeSession() throws IOException {
    judge(BREAKS.stream().filter(each -> !each.slow()).toList());
  }

  @Test
  @Tag("full")
  void everyBreakIsNamed() throws IOException {
    judge(BREAKS);
  }

  private static void judge(List<Break> breaks) throws IOException {
    Lab lab = Lab.with(Feature.VETH, Feature.BRIDGE, Feature.ESP, Feature.NFT_NAT, Feature.PPP);
    Map<String, Broken.Shown> shown = Broken.all(lab, breaks, Duration.ofMinutes(12));
    List<String> wrong = new ArrayList<>();
    List<String> rows = new ArrayList<>();
    for (Break each : breaks) {
      Broken.Shown seen = shown.get(each.name());
      assertThat(seen).as(each.name()).isNotNull();
      judge(each, seen, rows, wrong);
    }
    assertThat(String.join("\n", wrong)).isEmpty();
    assertDocumented(rows, breaks.size() == BREAKS.size());
  }

  /** Adds the table's row, and what is wrong with the verdicts. */
  static void judge(Break made, Broken.Shown seen, List<String> rows, List<String> wrong) {
    String doctor = "";
    if (!made.patient().isEmpty()) {
      Report report = Doctor.examine(seen.host(), Optional.empty(), List.of());
      Set<io.gatehouse.doctor.Kind> found =
          report.findings().stream()
              .map(io.gatehouse.doctor.Finding::kind)
              .collect(Collectors.toCollection(TreeSet::new));
      if (!found.equals(made.doctor())) {
        wrong.add(made.name() + ": the doctor finds " + report.findings() + report.notJudged());
      }
      doctor =
          found.isEmpty()
              ? "nothing"
              : found.stream()
                  .map(kind -> "`" + kind.word() + "`")
                  .collect(Collectors.joining(", "));
    }
    for (List<Point> points : Broken.choices()) {
      Diagnosis diagnosis = seen.by(points);
      boolean all = points.size() == Point.values().length;
      if (!isRight(made, diagnosis, all)) {
        wrong.add(made.name() + " at " + points + said(diagnosis) + (all ? seen.log() : ""));
      }
      if (all) {
        rows.add("| %s | %s | %s |".formatted(made.made(), verdicts(diagnosis), doctor));
      }
    }
  }

  /** At all points the break is named and nothing else; at fewer nothing wrong is said. */
  private static boolean isRight(Break made, Diagnosis diagnosis, boolean all) {
    Set<Kind> kinds =
        diagnosis.findings().stream()
            .map(Finding::kind)
            .collect(Collectors.toCollection(() -> EnumSet.noneOf(Kind.class)));
    Set<Kind> allowed = EnumSet.noneOf(Kind.class);
    allowed.addAll(made.kinds());
    if (all) {
      return made.isWhole() ? kinds.isEmpty() : kinds.size() == 1 && allowed.containsAll(kinds);
    }
    allowed.addAll(made.fewer());
    if (!made.isWhole()) {
      allowed.addAll(SYMPTOMS);
    }
    return allowed.containsAll(kinds);
  }

  private static String verdicts(Diagnosis diagnosis) {
    if (diagnosis.findings().isEmpty()) {
      return "nothing";
    }
    return diagnosis.findings().stream()
        .map(finding ->
            "`%s`%s"
                .formatted(
                    finding.kind().word(),
                    finding
                        .from()
                        .flatMap(from ->
                            finding.to().map(to -> ", " + from.title() + " → " + to.title()))
                        .orElse("")))
        .collect(Collectors.joining("; "));
  }

  private static String said(Diagnosis diagnosis) {
    return diagnosis.findings().stream()
            .map(f -> "\n    " + f.kind().word() + ": " + f.text())
            .collect(Collectors.joining())
        + "\n    "
        + diagnosis.tables().stream().map(Diagnosis.Table::rows).toList()
        + "\n";
  }

  /** The table in the documentation is what was seen; -Dgolden.update=true writes it. */
  private static void assertDocumented(List<String> rows, boolean all) throws IOException {
    Path page = Lab.HOME.resolve("docs/diagnose.md");
    String text = Files.readString(page);
    int from = text.indexOf(HEAD) + HEAD.length();
    int to = text.indexOf("\n\n", from);
    assertThat(from).isGreaterThan(HEAD.length());
    String table = text.substring(from, to);
    String made = String.join("\n", rows);
    if (all && Boolean.getBoolean("golden.update")) {
      Files.writeString(page, text.substring(0, from) + made + text.substring(to));
    } else if (all) {
      assertThat(made).isEqualTo(table);
    } else {
      assertThat(table.lines()).containsAll(rows);
    }
  }
}
