package io.gatehouse.it.diagnose;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatehouse.capture.FrameStream;
import io.gatehouse.diagnose.Diagnosis;
import io.gatehouse.diagnose.Finding;
import io.gatehouse.diagnose.Kind;
import io.gatehouse.diagnose.Point;
import io.gatehouse.diagnose.Watch;
import io.gatehouse.it.lab.Answer;
import io.gatehouse.it.lab.Feature;
import io.gatehouse.it.lab.Lab;
import io.gatehouse.it.lab.Network;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Real strongSwan from a client's LAN to a server behind a firewall, broken and captured. */
class DiagnoseIT {
  private static final List<Point> POINTS = List.of(Point.values());

  /** Host and device of each point. */
  private static final List<String> TAPS = List.of("cfw lan", "cfw wan", "sfw wan", "sfw dmz");

  private static final String WIRES =
      """
      wire laptop:eth0 192.0.2.7/24 -- cfw:lan 192.0.2.1/24
      wire cfw:wan 198.51.100.2/24 -- isp:c 198.51.100.254/24
      wire isp:s 203.0.113.254/24 -- sfw:wan 203.0.113.1/24
      wire sfw:dmz 203.0.114.1/24 -- gw:eth0 203.0.114.2/24
      wire gw:lan 10.9.1.1/24 -- files:eth0 10.9.1.20/24
      route laptop default via 192.0.2.1
      route cfw default via 198.51.100.254
      route isp 203.0.114.0/24 via 203.0.113.1
      route isp 192.0.2.0/24 via 198.51.100.2
      route sfw default via 203.0.113.254
      route gw default via 203.0.114.1
      route files default via 10.9.1.1
      set cfw net.ipv4.ip_forward=1
      set isp net.ipv4.ip_forward=1
      set sfw net.ipv4.ip_forward=1
      set gw net.ipv4.ip_forward=1
      """;

  private static final String SERVER =
      """
      connections {
        rw {
          version = 2
          local_addrs = 203.0.114.2
          pools = p
          local { auth = psk }
          remote { auth = psk }
          children { net { local_ts = 10.9.1.0/24
                           esp_proposals = aes128gcm16 } }
        }
      }
      pools { p { addrs = 10.3.0.0/24 } }
      secrets { ike { secret = "lab" } }
      """;

  private static final String CLIENT =
      """
      connections {
        rw {
          version = 2
          remote_addrs = 203.0.114.2
          vips = 0.0.0.0
          local { auth = psk }
          remote { auth = psk }
          children { net { remote_ts = 10.9.1.0/24
                           esp_proposals = aes128gcm16 } }
        }
        stranger {
          version = 2
          remote_addrs = 203.0.114.2
          vips = 0.0.0.0
          proposals = aes192-sha384-modp8192
          local { auth = psk }
          remote { auth = psk }
          children { none { remote_ts = 10.9.1.0/24 } }
        }
        elsewhere {
          version = 2
          remote_addrs = 203.0.114.2
          vips = 0.0.0.0
          local { auth = psk }
          remote { auth = psk }
          children { far { remote_ts = 10.77.0.0/24
                           esp_proposals = aes128gcm16 } }
        }
      }
      secrets { ike { secret = "lab" } }
      """;

  private static final String MASQUERADE =
      "table ip t { chain p { type nat hook postrouting priority srcnat; oifname wan masquerade; }; }";

  /**
   * A break.
   *
   * @param nat whether the client's firewall translates, so that ESP goes in UDP
   * @param host where rules are put
   * @param rules of nftables within a forward chain; empty for none
   * @param before further commands, run outside of every host, with $N as the network's name
   * @param child what the client initiates
   * @param expected the verdict; empty for none
   */
  private record Trial(
      String name,
      boolean nat,
      String host,
      String rules,
      String before,
      String child,
      String traffic,
      List<Kind> expected) {}

  private static final String PINGS = "ping -c 6 -i 0.3 -W 1 10.9.1.20";

  private static Trial trial(String name, boolean nat, String host, String rules, Kind... expected) {
    return new Trial(name, nat, host, rules, "", "net", PINGS, List.of(expected));
  }

  private static final List<Trial> FEW =
      List.of(
          trial("whole-nat", true, "", ""),
          trial("esp-at-the-server", false, "sfw", "ip protocol esp drop", Kind.ESP_LOST));

  private static final List<Trial> MANY =
      List.of(
          trial("whole", false, "", ""),
          trial("esp-at-the-client", false, "cfw", "ip protocol esp drop", Kind.ESP_LOST),
          trial("esp-on-the-way", false, "isp", "ip protocol esp drop", Kind.ESP_LOST),
          trial(
              "esp-back", false, "isp", "iifname s ip protocol esp drop", Kind.ESP_LOST),
          trial("500-at-the-client", true, "cfw", "udp dport 500 drop", Kind.UDP_500_LOST),
          trial("500-on-the-way", false, "isp", "udp dport 500 drop", Kind.UDP_500_LOST),
          trial("500-at-the-server", true, "sfw", "udp dport 500 drop", Kind.UDP_500_LOST),
          trial("500-back", false, "sfw", "udp sport 500 drop", Kind.UDP_500_LOST),
          trial("4500-on-the-way", true, "isp", "udp dport 4500 drop", Kind.UDP_4500_LOST),
          trial(
              "500-rejected",
              true,
              "sfw",
              "udp dport 500 reject with icmp type admin-prohibited",
              Kind.REFUSED),
          new Trial(
              "large-on-the-way",
              true,
              "isp",
              "udp dport 4500 ip length > 900 drop",
              "",
              "net",
              "bash -c \"" + PINGS + "; ping -c 5 -i 0.3 -W 1 -s 1100 10.9.1.20\"",
              List.of(Kind.MTU)),
          new Trial(
              "forwarding-off",
              true,
              "",
              "",
              "lab-in $N-cfw sysctl -q -w net.ipv4.ip_forward=0",
              "net",
              PINGS,
              List.of(Kind.UDP_500_LOST, Kind.EVERYTHING_LOST)),
          new Trial(
              "no-daemon", true, "", "", "lab-in $N-gw lab-charon stop", "net", PINGS,
              List.of(Kind.REFUSED, Kind.NO_ANSWER)),
          new Trial("no-common-proposal", true, "", "", "", "none", "", List.of(Kind.NO_PROPOSAL)),
          new Trial(
              "wrong-selector", true, "", "", "", "far", "",
              List.of(Kind.DELETED_AT_ONCE, Kind.AUTH_REFUSED)),
          new Trial(
              "wrong-secret",
              true,
              "",
              "",
              "lab-in $N-laptop bash -c \"sed -i s/lab/wrong/ /etc/swanctl/swanctl.conf;"
                  + " swanctl --load-creds --clear\" > /dev/null",
              "net",
              "",
              List.of(Kind.AUTH_REFUSED)),
          new Trial(
              "no-way-back",
              true,
              "",
              "",
              "lab-in $N-files ip route del default",
              "net",
              PINGS,
              List.of(Kind.ESP_UNANSWERED)),
          trial(
              "replies-dropped",
              true,
              "gw",
              "ip saddr 10.9.1.0/24 drop",
              Kind.ESP_UNANSWERED));

  @Test
  void namesAFewBreaksAndRaisesNothingOnAWholeSession() throws IOException {
    judge(FEW);
  }

  @Test
  @Tag("full")
  void namesEachBreak() throws IOException {
    judge(MANY);
  }

  private static void judge(List<Trial> trials) throws IOException {
    Lab lab = Lab.with(Feature.VETH, Feature.ESP, Feature.NFT_NAT);
    List<String> wrong = new ArrayList<>();
    try (Network net = lab.network(WIRES)) {
      String name = net.host("cfw").namespace().replaceAll("-cfw$", "");
      for (Trial trial : trials) {
        Map<Point, Watch> seen = run(lab, name, trial);
        Diagnosis diagnosis =
            Diagnosis.of(POINTS.stream().map(seen::get).toList(), POINTS);
        String verdict =
            diagnosis.findings().stream()
                .map(f -> f.kind().word() + ": " + f.text())
                .collect(Collectors.joining("\n    "));
        boolean right =
            trial.expected().isEmpty()
                ? diagnosis.findings().isEmpty()
                : diagnosis.findings().stream()
                    .map(Finding::kind)
                    .limit(1)
                    .anyMatch(trial.expected()::contains);
        if (!right) {
          wrong.add(
              trial.name() + " is said to be\n    " + verdict + "\n    " + diagnosis.tables());
        }
        for (Watch watch : seen.values()) {
          assertThat(watch.frames()).as(trial.name()).isPositive();
        }
      }
    }
    assertThat(wrong).isEmpty();
  }

  private static Map<Point, Watch> run(Lab lab, String net, Trial trial) throws IOException {
    StringBuilder script = new StringBuilder("N=%s\n".formatted(net));
    // Five tries within the first eight seconds, instead of three within eleven.
    script.append("export CHARON_OPTIONS='retransmit_timeout = 1.0\nretransmit_base = 1.4'\n");
    script.append("cat > /tmp/server.conf <<'END'\n%sEND\n".formatted(SERVER));
    script.append("cat > /tmp/client.conf <<'END'\n%sEND\n".formatted(CLIENT));
    script.append("lab-in $N-gw lab-charon start /tmp/server.conf & one=$!\n");
    script.append("lab-in $N-laptop lab-charon start /tmp/client.conf & two=$!\nwait $one $two\n");
    if (trial.nat()) {
      script.append("lab-in $N-cfw bash -c \"echo '%s' | nft -f -\"\n".formatted(MASQUERADE));
    }
    for (int i = 0; i < TAPS.size(); i++) {
      String[] tap = TAPS.get(i).split(" ", 2);
      script.append(
          "lab-in $N-%s tcpdump -q -n -i %s -U -w /tmp/tap%d.pcap 2>/tmp/tap%d.err & taps+=($!)\n"
              .formatted(tap[0], tap[1], i, i));
    }
    script.append("for i in 0 1 2 3; do until grep -q listening /tmp/tap$i.err; do sleep 0.1; done; done\n");
    if (!trial.rules().isEmpty()) {
      script.append(
          "lab-in $N-%s bash -c \"echo 'table ip x { chain f { type filter hook forward priority 0; %s; }; }' | nft -f -\"\n"
              .formatted(trial.host(), trial.rules()));
    }
    script.append(trial.before()).append('\n');
    script.append(
        "lab-in $N-laptop swanctl --initiate --child %s --timeout 7 > /dev/null 2>&1\n"
            .formatted(trial.child()));
    if (!trial.traffic().isEmpty()) {
      script.append("lab-in $N-laptop %s > /dev/null 2>&1\n".formatted(trial.traffic()));
    }
    script.append("lab-in $N-laptop ping -c 1 -W 1 192.0.2.1 > /dev/null\n");
    script.append("lab-in $N-gw ping -c 1 -W 1 203.0.114.1 > /dev/null\n");
    script.append("lab-in $N-cfw ping -c 1 -W 1 203.0.113.1 > /dev/null\n");
    script.append("lab-in $N-laptop lab-charon stop\nlab-in $N-gw lab-charon stop\n");
    script.append("sleep 0.3\nkill ${taps[@]}\nwait ${taps[@]} 2> /dev/null\n");
    // As it was.
    script.append("for h in cfw isp sfw gw; do lab-in $N-$h nft flush ruleset; done\n");
    script.append("lab-in $N-cfw sysctl -q -w net.ipv4.ip_forward=1\n");
    script.append("lab-in $N-files ip route replace default via 10.9.1.1\n");
    script.append("for i in 0 1 2 3; do echo \"tap $i $(base64 -w0 /tmp/tap$i.pcap)\"; done\n");
    Answer answer = lab.run(script.toString(), Duration.ofMinutes(3));
    Map<Point, Watch> seen = new HashMap<>();
    for (String line : answer.out().lines().filter(l -> l.startsWith("tap ")).toList()) {
      String[] words = line.split(" ", 3);
      Watch watch = new Watch();
      assertThat(words[2]).as(trial.name() + ": " + answer.err()).isNotEmpty();
      FrameStream.read(
          new ByteArrayInputStream(Base64.getDecoder().decode(words[2])),
          2048,
          frame ->
              frame
                  .packet()
                  .ifPresentOrElse(
                      packet -> watch.packet(frame.time(), packet),
                      () -> watch.other(frame.time())));
      seen.put(POINTS.get(Integer.parseInt(words[1])), watch);
    }
    assertThat(seen).as(trial.name() + ": " + answer.err()).hasSize(4);
    return seen;
  }
}
