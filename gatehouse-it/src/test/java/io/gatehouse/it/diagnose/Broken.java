package io.gatehouse.it.diagnose;

import io.gatehouse.capture.FrameStream;
import io.gatehouse.diagnose.Diagnosis;
import io.gatehouse.diagnose.Point;
import io.gatehouse.diagnose.Watch;
import io.gatehouse.it.lab.Answer;
import io.gatehouse.it.lab.Lab;
import io.gatehouse.it.lab.Network;
import io.gatehouse.snapshot.Collected;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * A client's LAN, its firewall, the internet, the server's firewall and a gateway in its DMZ, with
 * charon at both ends and something that listens at the four points. What is tried there one after
 * the other is seen apart.
 */
final class Broken {
  private static final List<Point> POINTS = List.of(Point.values());

  /** A session and six pings through it. */
  static final String CONNECT = "connect rw net\npings 0.2 6";

  static final String WIRES =
      """
      host laptop beside pptp
      host gw beside pptp
      wire cfw:lan 192.0.2.1/24 -- laptop:eth0 192.0.2.7/24
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
        staff {
          version = 2
          local_addrs = 203.0.114.2
          proposals = aes128-sha256-curve25519
          dpd_delay = 60s
          pools = p
          local { auth = psk
                  id = office }
          remote { auth = psk
                   id = laptop }
          children { net { local_ts = 10.9.1.0/24
                           esp_proposals = aes128gcm16 } }
        }
        thief {
          version = 2
          local_addrs = 203.0.114.2
          proposals = aes128-sha256-curve25519
          dpd_delay = 60s
          pools = p
          local { auth = psk
                  id = office }
          remote { auth = psk
                   id = thief }
          children { net { local_ts = 10.9.1.0/24
                           esp_proposals = aes128gcm16 } }
        }
        old {
          version = 1
          local_addrs = 203.0.114.2
          proposals = aes128-sha256-curve25519
          dpd_delay = 60s
          local { auth = psk
                  id = 203.0.114.2 }
          remote { auth = psk
                   id = 192.0.2.7 }
          children { net { local_ts = 10.9.1.0/24
                           remote_ts = 10.4.0.0/24
                           esp_proposals = aes128gcm16 } }
        }
      }
      pools { p { addrs = 10.3.0.0/24 } }
      secrets {
        ike-laptop { id = laptop
                     secret = "lab" }
        ike-thief { id = thief
                    secret = "right" }
        ike-old { id = 192.0.2.7
                  secret = "lab" }
      }
      """;

  /** A connection of the client's: name, what stands in it, child, what stands in that. */
  private static String connection(
      String name, String identity, String more, String child, String selectors) {
    return """
    connections { %s {
      remote_addrs = 203.0.114.2
      %s
      local { auth = psk
              id = %s }
      remote { auth = psk
               id = %s }
      children { %s { %s } }
    } }
    """
        .formatted(
            name,
            more,
            identity,
            name.startsWith("old") ? "203.0.114.2" : "office",
            child,
            selectors);
  }

  private static final String SUITES = "proposals = aes128-sha256-curve25519";
  private static final String SECOND = "version = 2\nvips = 0.0.0.0\n" + SUITES;
  private static final String FIRST = "version = 1\n" + SUITES;
  private static final String NET = "remote_ts = 10.9.1.0/24\nesp_proposals = aes128gcm16";

  private static final String CLIENT =
      connection("rw", "laptop", SECOND, "net", NET)
          + connection("thief", "thief", SECOND, "stolen", NET)
          + connection(
              "stranger",
              "laptop",
              "version = 2\nvips = 0.0.0.0\nproposals = aes256-sha384-ecp256",
              "strange",
              NET)
          + connection(
              "misfit",
              "laptop",
              SECOND,
              "weak",
              "remote_ts = 10.9.1.0/24\nesp_proposals = aes256-sha512")
          + connection(
              "elsewhere",
              "laptop",
              SECOND,
              "far",
              "remote_ts = 10.77.0.0/24\nesp_proposals = aes128gcm16")
          + connection("old", "192.0.2.7", FIRST, "quick", "local_ts = 10.4.0.0/24\n" + NET)
          + connection(
              "old-elsewhere",
              "192.0.2.7",
              FIRST,
              "quicker",
              "local_ts = 10.66.0.0/24\nremote_ts = 10.77.0.0/24\nesp_proposals = aes128gcm16")
          + """
          secrets {
            ike-laptop { id = laptop
                         secret = "lab" }
            ike-thief { id = thief
                        secret = "wrong" }
            ike-old { id = 192.0.2.7
                      secret = "lab" }
          }
          """;

  /** A gateway by hand that the doctor finds nothing to say about. */
  private static final String GATEWAY =
      """
      set -e
      for device in all default eth0 lan; do
        echo 0 > /proc/sys/net/ipv4/conf/$device/send_redirects
        echo 0 > /proc/sys/net/ipv4/conf/$device/rp_filter
      done
      for direction in in fwd; do
        ip xfrm policy add src 10.3.0.0/24 dst 0.0.0.0/0 dir $direction action block priority 4294967280
      done
      ip xfrm policy add src 0.0.0.0/0 dst 10.3.0.0/24 dir out action block priority 4294967280
      iptables-restore <<'RULES'
      *mangle
      -A FORWARD -p tcp -m policy --dir in --pol ipsec -m tcp --tcp-flags SYN,RST SYN -j TCPMSS --set-mss 1300
      -A FORWARD -p tcp -m policy --dir out --pol ipsec -m tcp --tcp-flags SYN,RST SYN -j TCPMSS --set-mss 1300
      COMMIT
      *filter
      :INPUT DROP
      :FORWARD DROP
      -A INPUT -i lo -j ACCEPT
      -A INPUT -i eth0 -p udp -m multiport --dports 500,4500 -j ACCEPT
      -A INPUT -i eth0 -p esp -j ACCEPT
      -A INPUT -i eth0 -p tcp --dport 1723 -j ACCEPT
      -A INPUT -i eth0 -p gre -j ACCEPT
      -A INPUT -i ppp+ -p icmp -j ACCEPT
      -A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
      -A FORWARD -s 10.3.0.0/24 -i eth0 -m policy --dir in --pol ipsec -j ACCEPT
      -A FORWARD -d 10.3.0.0/24 -i lan -m policy --dir out --pol ipsec -j ACCEPT
      COMMIT
      RULES
      """;

  private static final String WORDS =
      """
      at() { local host=$1; shift; lab-in "$N-$host" "$@"; }
      tap() { echo "$*" >&"${TAP[1]}"; read -r _ <&"${TAP[0]}"; }
      drop() { at "$1" nft "table ip x { chain f { type filter hook $2 priority 0; $3; }; }"; }
      masquerade() { at cfw nft 'table ip t { chain p { type nat hook postrouting priority srcnat; oifname wan masquerade; }; }'; }
      connect() { used=$1; at laptop swanctl --initiate --ike "$1" --child "$2" --timeout 20 > "/tmp/$N-connect" 2>&1 || { cat "/tmp/$N-connect"; return 1; }; }
      pings() { at laptop ping -q -n -i "$1" -c "$2" -W 1 "${@:3}" 10.9.1.20 | tail -n 2; }
      in_clear() { at laptop ping -q -n -i 1 -c "$1" -W 1 203.0.114.2 | tail -n 2; }
      own() { at laptop ip -4 -o addr show to 10.3.0.0/24 | sed 's/.*inet \\([0-9.]*\\).*/\\1/'; }
      back() { at files ping -q -n -i "$1" -c "$2" -W 1 "$(own)" | tail -n 2; }
      authenticated() {
        at "$1" bash -c '
          sa() { ip xfrm state add src "$1" dst "$2" proto ah spi "$3" reqid 31 mode transport \\
            auth "hmac(sha1)" 0x000102030405060708090a0b0c0d0e0f10111213; }
          sa $1 203.0.114.2 0x3001; sa 203.0.114.2 $1 0x3002
          [ $1 = 198.51.100.2 ] ||
            ip xfrm policy add src $1 dst 203.0.114.2 dir out tmpl proto ah reqid 31 mode transport
        ' - "$2"
      }
      authenticated_no_more() {
        at "$1" bash -c 'ip xfrm state deleteall proto ah
          ip xfrm policy delete src 192.0.2.7 dst 203.0.114.2 dir out 2> /dev/null'
      }
      raw() {
        at "$1" bash -c 'local=$1 remote=$2 own=$1 inner=10.6.$3
          key="rfc4106(gcm(aes)) 0x$(printf "%040d" "$3") 128"
          sa() { ip xfrm state add src "$1" dst "$2" proto esp spi "$3" reqid 4$4 mode tunnel aead $key; }
          policy() { ip xfrm policy add src "$1" dst "$2" dir "$3" tmpl src "$4" dst "$5" proto esp reqid 4$6 mode tunnel; }
          if [ "$remote" = 203.0.114.2 ]; then
            ip addr replace "$local/24" dev eth0; ip addr replace "$inner.7/32" dev lo
            sa "$local" "$remote" "0x400$3" "$3"; sa "$remote" "$local" "0x500$3" "$3"
            policy "$inner.7" "$inner.1" out "$local" "$remote" "$3"
            policy "$inner.1" "$inner.7" in "$remote" "$local" "$3"
            ip route replace "$inner.1" via 192.0.2.1 src "$inner.7"
          else
            ip addr replace "$inner.1/32" dev lo
            sa "$remote" "$local" "0x400$3" "$3"; sa "$local" "$remote" "0x500$3" "$3"
            policy "$inner.1" "$inner.7" out "$local" "$remote" "$3"
            policy "$inner.7" "$inner.1" in "$remote" "$local" "$3"
            iptables -C INPUT -s 10.6.0.0/16 -j ACCEPT 2> /dev/null || iptables -A INPUT -s 10.6.0.0/16 -j ACCEPT
          fi' - "$2" "$3" "$4"
      }
      raw_pings() { at laptop ping -q -n -i 0.3 -c 8 -W 1 -I "10.6.$1.7" "10.6.$1.1" | tail -n 2; }
      raw_no_more() {
        at "$1" bash -c 'for n in 1 2; do
            ip xfrm state deleteall reqid 4$n
            for end in 7 1; do
              for way in out in; do
                ip xfrm policy delete src 10.6.$n.$end dst 10.6.$n.$((8 - end)) dir $way 2> /dev/null
              done
              ip addr del 10.6.$n.$end/32 dev lo 2> /dev/null
            done
          done
          ip addr del 192.0.2.8/24 dev eth0 2> /dev/null
          iptables -D INPUT -s 10.6.0.0/16 -j ACCEPT 2> /dev/null'
        true
      }
      pptp_server() {
        modprobe -a ppp_generic ppp_async ppp_mppe
        at laptop mkdir -p /run/pptp /var/run/pptp
        at laptop bash -c 'echo "laptop office lab *" > /etc/ppp/chap-secrets'
        at gw bash -c 'mkdir -p /run/pptp /var/run/pptp
          echo "laptop office lab *" > /etc/ppp/chap-secrets
          printf "%s\\n" "name office" auth require-mschap-v2 nodefaultroute noccp novj nodetach > /etc/ppp/options.lab
          printf "option /etc/ppp/options.lab\\nlocalip 10.8.0.1\\nremoteip 10.8.0.11-20\\n" > /etc/pptpd.conf
          setsid pptpd -f -c /etc/pptpd.conf > /var/log/pptpd.log 2>&1 < /dev/null &'
        until at gw ss -Htln sport = :1723 | grep -q 1723; do sleep 0.2; done
      }
      dial() {
        at laptop bash -c 'setsid pppd noauth nodefaultroute noccp novj nodetach user laptop remotename office "$@" \\
          pty "pptp 203.0.114.2 --nolaunchpppd" > /var/log/ppp.log 2>&1 < /dev/null &' - "$@"
        for ((n = 0; n < 20; n++)); do
          at laptop ip -4 addr show | grep -q 'peer 10.8.0.1' && break
          sleep 0.5
        done
        at laptop cat /var/log/ppp.log
      }
      ppp_pings() { at laptop ping -q -n -i 0.2 -c 5 -W 1 10.8.0.1 | tail -n 2; }
      seen() {
        at "$2" bash -c 'cd /proc/sys && echo "=== seen '"$1"' sysctl.txt"
          for f in net/ipv4/ip_forward net/ipv4/conf/*/{forwarding,rp_filter,send_redirects,proxy_arp,disable_policy,disable_xfrm}; do
            echo "${f//\\//.} = $(<$f)"; done
          while read -r file command; do echo "=== seen '"$1"' $file"; $command; done <<< "nft.json nft -j list ruleset
      iptables-save.txt iptables-save
      ip-rule.json ip -N -j -4 rule show
      ip-route.json ip -N -j -4 route show table all
      ip-addr.json ip -j addr show
      xfrm-policy.txt ip xfrm policy list
      xfrm-state.txt ip xfrm state list"' 2> /dev/null
      }
      clean() {
        local each all=()
        for each in cfw isp sfw gw laptop; do
          at "$each" nft 'add table ip x; delete table ip x; add table ip t; delete table ip t' & all+=($!)
        done
        wait "${all[@]}"
        all=()
        [ -z "$used" ] ||
          { at laptop swanctl --terminate --ike "$used" --force --timeout 2 > /dev/null 2>&1 & all+=($!); }
        pkill -x pppd
        pkill -x pptp
        # A caller that still stands would serve the next one too.
        for ((n = 0; n < 50; n++)); do pgrep -x 'pppd|pptp|pptpctrl' > /dev/null || break; sleep 0.1; done
        at cfw conntrack -F > /dev/null 2>&1 & all+=($!)
        at gw conntrack -F > /dev/null 2>&1 & all+=($!)
        wait "${all[@]}"
        used=
      }
      """;

  private Broken() {}

  /**
   * What one break shows.
   *
   * @param host what stood on the examined host
   * @param log what the commands said, and how long they took
   */
  record Shown(Map<Point, Watch> seen, Collected host, String log) {
    Diagnosis by(List<Point> points) {
      return Diagnosis.of(points.stream().map(seen::get).toList(), points);
    }
  }

  /** Tries one after the other. */
  static Map<String, Shown> all(Lab lab, List<Break> breaks, Duration limit) throws IOException {
    try (Network net = lab.network(WIRES)) {
      String name = net.host("gw").namespace().replaceFirst("-gw$", "");
      Answer answer = lab.run(script(name, breaks), limit).expected();
      return shown(answer.out());
    }
  }

  /** All of it in one script, for a network of {@link #WIRES}. */
  static String script(String name, List<Break> breaks) {
    StringBuilder script = new StringBuilder("N=" + name + "\n" + WORDS);
    script.append("at gw bash <<'END' || exit\n").append(GATEWAY).append("END\n");
    script.append("cat > /tmp/$N-gw.conf <<'END'\n").append(SERVER).append("END\n");
    script.append("cat > /tmp/$N-laptop.conf <<'END'\n").append(CLIENT).append("END\n");
    script.append(
        """
        export CHARON_OPTIONS='retransmit_timeout = 2.0
        retransmit_base = 1.3
        retransmit_tries = 3
        keep_alive = 0'
        at gw lab-charon start /tmp/$N-gw.conf & one=$!
        at laptop lab-charon start /tmp/$N-laptop.conf & two=$!
        wait $one && wait $two || exit
        connect rw net || connect rw net || connect rw net || exit # the first SA loads modules, which takes seconds
        pings 0.2 2
        clean
        coproc TAP { exec lab-tap $N /tmp/taps-$N cfw:lan cfw:wan sfw:wan sfw:dmz; }
        read -r _ <&${TAP[0]}
        """);
    if (breaks.stream().anyMatch(each -> each.act().startsWith("dial"))) {
      script.append("pptp_server\n");
    }
    for (Break each : breaks) {
      script.append("echo '=== log ").append(each.name()).append("'\nbegan=$EPOCHREALTIME\n{\n");
      script.append(each.make()).append("tap drop\n");
      script.append(each.act()).append("\ntap take ").append(each.name()).append("\n} 2>&1\n");
      script.append("echo \"from $began to $EPOCHREALTIME\"\necho '=== taps'\ncat /tmp/taps-$N\n");
      if (!each.patient().isEmpty()) {
        script.append("seen %s %s\n".formatted(each.name(), each.patient()));
      }
      script.append(each.undo()).append("\nclean\n");
    }
    script.append("exec {TAP[1]}>&-\n");
    return script.toString();
  }

  static Map<String, Shown> shown(String out) throws IOException {
    Map<String, Map<Point, Watch>> watches = new TreeMap<>();
    Map<String, Map<String, String>> hosts = new TreeMap<>();
    Map<String, String> logs = new TreeMap<>();
    for (String part : out.split("(?m)^=== ", -1)) {
      int end = part.indexOf('\n');
      List<String> words = List.of(part.substring(0, Math.max(end, 0)).split(" ", -1));
      String text = part.substring(end + 1);
      switch (words.getFirst()) {
        case "log" -> logs.put(words.get(1), text);
        case "seen" ->
            hosts.computeIfAbsent(words.get(1), w -> new TreeMap<>()).put(words.get(2), text);
        case "taps" -> {
          for (String line : text.lines().toList()) {
            List<String> tap = List.of(line.split(" ", 3));
            watches
                .computeIfAbsent(tap.getFirst(), w -> new TreeMap<>())
                .put(POINTS.get(Integer.parseInt(tap.get(1))), watch(tap.get(2)));
          }
        }
        default -> {}
      }
    }
    Map<String, Shown> shown = new TreeMap<>();
    watches.forEach((name, seen) ->
        shown.put(
            name,
            new Shown(
                seen,
                new Collected(hosts.getOrDefault(name, Map.of()), List.of()),
                logs.getOrDefault(name, ""))));
    return shown;
  }

  private static Watch watch(String capture) throws IOException {
    Watch watch = new Watch();
    FrameStream.read(
        new ByteArrayInputStream(Base64.getDecoder().decode(capture)),
        2048,
        frame ->
            frame
                .packet()
                .ifPresentOrElse(
                    packet -> watch.packet(frame.time(), packet), () -> watch.other(frame.time())));
    return watch;
  }

  /** Every choice of points, all four first. */
  static List<List<Point>> choices() {
    List<List<Point>> choices = new ArrayList<>();
    for (int bits = 15; bits > 0; bits--) {
      int chosen = bits;
      choices.add(
          POINTS.stream().filter(point -> (chosen >> POINTS.indexOf(point) & 1) == 1).toList());
    }
    return choices;
  }
}
