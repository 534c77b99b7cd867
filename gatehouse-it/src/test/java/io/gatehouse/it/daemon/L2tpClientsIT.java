package io.gatehouse.it.daemon;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.gatehouse.it.Described;
import io.gatehouse.it.lab.Answer;
import io.gatehouse.it.lab.Feature;
import io.gatehouse.it.lab.Host;
import io.gatehouse.it.lab.Lab;
import io.gatehouse.it.lab.Network;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Clients behind one NAT, all from port 1701 to port 1701 in transport mode as Windows' are, with
 * strongSwan on all sides: answers that come late reach the client that asked.
 */
@Tag("full")
class L2tpClientsIT {
  static final String DESCRIPTION =
      """
      version: 1
      gateway: l2tp
      interfaces:
        wan: { device: eth0, role: outside, addresses: 203.0.113.2/24, router-advertisements: false }
      host: { output: closed }
      tunnels:
        legacy:
          type: l2tp
          esp: { proposals: [aes128-sha1] }
      """;

  private static final String AUTHENTICATION =
      """
      connections { legacy { local { auth = psk } remote { auth = psk } } }
      secrets { ike { secret = "lab" } }
      """;

  private static final String CLIENT =
      """
      connections {
        office {
          version = 1
          remote_addrs = 203.0.113.2
          local { auth = psk }
          remote { auth = psk }
          children {
            l2tp {
              mode = transport
              local_ts = dynamic[udp/1701]
              remote_ts = dynamic[udp/1701]
              esp_proposals = aes128-sha1
            }
          }
        }
      }
      secrets { ike { secret = "lab" } }
      """;

  /** Answers a quarter of a second later, when the other client has spoken meanwhile. */
  private static final String SERVER =
      """
      import select, socket, sys, time
      s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
      s.bind(('::', 1701))
      late = []
      while True:
          wait = max(0, late[0][0] - time.time()) if late else 60
          if select.select([s], [], [], wait)[0]:
              data, peer = s.recvfrom(2000)
              late.append((time.time() + 0.25, data, peer))
          while late and late[0][0] <= time.time():
              _, data, peer = late.pop(0)
              try: s.sendto(b'for ' + data, peer)
              except OSError as refused: print(refused, file=sys.stderr, flush=True)
      """;

  private static final String ASKER =
      """
      import socket, sys, time
      s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
      s.bind(('::', 1701))
      s.settimeout(5)
      own = others = 0
      for i in range(6):
          mine = f'{sys.argv[1]}-{i}'.encode()
          s.sendto(mine, (sys.argv[2], 1701))
          try:
              if s.recvfrom(2000)[0] == b'for ' + mine: own += 1
              else: others += 1
          except TimeoutError: pass
      print(f'{sys.argv[1]} {own} own {others} of others', flush=True)
      """;

  /**
   * Starts the daemon with `/etc/gw.yaml`, in the background; without C2, whose work takes longer
   * in emulation than it saves.
   */
  static final String START =
      """
      GATEHOUSE_JAVA_OPTIONS=-XX:TieredStopAtLevel=1 GATEHOUSE_BUILD=never GATEHOUSE_VICI=/run/charon.vici \
        setsid %s run /etc/gw.yaml \
        > /var/log/gatehouse.log 2>&1 < /dev/null &
      """
          .formatted(Lab.HOME.resolve("gatehouse"));

  /** Reading and proving takes minutes in emulation, on a busy machine. */
  static void untilItFollows(Host gateway) {
    await()
        .atMost(Duration.ofMinutes(5))
        .pollInterval(Duration.ofSeconds(2))
        .until(() -> gateway.run("cat", "/var/log/gatehouse.log").out().contains("follows"));
  }

  /** As strongSwan's connmark plugin wants it: marks, and nothing that follows them. */
  private static final String CONNMARK =
      """
      connections {
        legacy {
          version = 1
          local_addrs = 203.0.113.2
          local { auth = psk }
          remote { auth = psk }
          children {
            l2tp {
              mode = transport
              local_ts = dynamic[udp/1701]
              remote_ts = dynamic[udp]
              mark_in = %unique
              mark_out = %unique
              esp_proposals = aes128-sha1
            }
          }
        }
      }
      secrets { ike { secret = "lab" } }
      """;

  /** A gateway, a NAT before it, and clients behind that, each in a network of its own. */
  enum World {
    FOUR("203.0.113.2", "203.0.113.1", 24, "192.168.%d."),
    SIX("2001:db8:113::2", "2001:db8:113::1", 64, "fd00:%d::");

    private final String gateway;
    private final String nat;
    private final int length; // of their network's prefix

    /** A client's network without its last part, by its number. */
    private final String client;

    World(String gateway, String nat, int length, String client) {
      this.gateway = gateway;
      this.nat = nat;
      this.length = length;
      this.client = client;
    }

    /** Text about 203.0.113.2/24, for this world. */
    String of(String text) {
      return text.replace(FOUR.gateway + "/24", "\"" + gateway + "/" + length + "\"")
          .replace(FOUR.gateway, gateway);
    }

    private String port(String address) {
      return (this == SIX ? "[" + address + "]" : address) + ":1701";
    }

    private String mapped() {
      return (this == SIX ? "" : "::ffff:") + gateway;
    }

    /** The NAT's rules; {@code how} is masquerade, with ports or without. */
    private String rules(String how) {
      return "table %s nat { chain out { type nat hook postrouting priority srcnat; oifname \"wan\" meta l4proto udp %s; }; }"
          .formatted(this == SIX ? "ip6" : "ip", how);
    }
  }

  static Network behindOneNat(World world, int clients) {
    StringBuilder wires =
        new StringBuilder(
            "wire gw:eth0 %1$s/%3$d -- nat:wan %2$s/%3$d%n"
                .formatted(world.gateway, world.nat, world.length));
    for (int i = 1; i <= clients; i++) {
      wires.append(
          """
          wire c%1$d:eth0 %2$s2/%3$d -- nat:l%1$d %2$s1/%3$d
          route c%1$d default via %2$s1
          """
              .formatted(i, world.client.formatted(i), world.length));
    }
    wires.append("set nat net.ipv4.ip_forward=1\nset nat net.ipv6.conf.all.forwarding=1\n");
    Network net =
        Lab.with(Feature.VETH, Feature.ESP, Feature.NFT_NAT, Feature.CT_ZONES)
            .network(wires.toString());
    net.host("nat").nft(world.rules("masquerade"));
    return net;
  }

  /** Starts every charon and the daemon, and brings all clients up. */
  static void start(World world, Network net, int clients, String text) {
    String description = world.of(text);
    charons(world, net, clients, description);
    Host gateway = net.host("gw");
    gateway.write("/etc/gw.yaml", description);
    gateway.script(START).expected();
    untilItFollows(gateway);
    for (int i = 1; i <= clients; i++) {
      net.host("c" + i).initiate("l2tp").expected();
    }
  }

  /** Starts every charon, and gives everybody what asks and answers. */
  static void charons(World world, Network net, int clients, String description) {
    List<Network.Peer> peers = new ArrayList<>();
    peers.add(new Network.Peer("gw", Described.of(description).swanctl() + AUTHENTICATION));
    for (int i = 1; i <= clients; i++) {
      peers.add(new Network.Peer("c" + i, world.of(CLIENT)));
    }
    net.charon(peers.toArray(Network.Peer[]::new));
    prepare(net, clients);
  }

  private static void prepare(Network net, int clients) {
    net.host("gw").write("/etc/server.py", SERVER);
    for (int i = 1; i <= clients; i++) {
      net.host("c" + i).write("/etc/asker.py", ASKER);
    }
  }

  @ParameterizedTest
  @CsvSource({"FOUR, 8", "SIX, 2"})
  void lateAnswersReachTheClientThatAsked(World world, int clients) {
    try (Network net = behindOneNat(world, clients)) {
      start(world, net, clients, DESCRIPTION);
      Host gateway = net.host("gw");
      await()
          .atMost(Duration.ofMinutes(1))
          .untilAsserted(() -> assertThat(zones(gateway)).hasSize(clients));

      // Nobody can say for which of them this is.
      assertThat(
              net.probe(
                      "ours udp from=gw to=nat dst=%s src=%s"
                          .formatted(world.port(world.nat), world.port(world.gateway)))
                  .of("ours")
                  .arrived())
          .isFalse();
      assertEachHasItsOwn(world, net, clients);

      net.host("c1").run("swanctl", "--rekey", "--child", "l2tp").expected();
      assertEachHasItsOwn(world, net, clients);
      assertThat(gateway.gatehouse("sessions").expected().out())
          .contains(world.nat, "mark ", "zone ", clients + " sessions");

      // The NAT forgets them, and gives them other ports.
      net.host("nat")
          .script(
              "set -e; nft flush ruleset; nft '"
                  + world.rules("masquerade to :40000-40099")
                  + "'; conntrack -F")
          .expected();
      asked(world, net, clients); // what is on its way meanwhile may be lost
      assertEachHasItsOwn(world, net, clients);

      net.host("c2").run("swanctl", "--terminate", "--ike", "office").expected();
      await()
          .atMost(Duration.ofMinutes(1))
          .untilAsserted(() -> assertThat(zones(gateway)).hasSize(clients - 1));
      net.host("c2").initiate("l2tp").expected();
      await()
          .atMost(Duration.ofMinutes(1))
          .untilAsserted(() -> assertThat(zones(gateway)).hasSize(clients));
      assertEachHasItsOwn(world, net, clients);
    }
  }

  /** Asked once, it answers for half a minute, ten times a second. */
  private static final String TALKER =
      """
      import socket, time
      s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
      s.bind(('::', 1701))
      _, peer = s.recvfrom(2000)
      for i in range(300):
          try: s.sendto(b'answer', peer)
          except OSError: pass
          time.sleep(0.1)
      """;

  private static final String TALK =
      """
      rm -f /var/log/tcpdump.log
      setsid tcpdump -ni eth0 -Q out --immediate-mode -U -Z root -w /var/log/clear.pcap \
        'udp src port 1701' > /dev/null 2> /var/log/tcpdump.log < /dev/null &
      echo $! > /run/witness
      setsid python3 /etc/talker.py < /dev/null > /dev/null 2>&1 &
      echo $! > /run/talker
      until ss -Huln sport = :1701 | grep -q 1701 && grep -qs listening /var/log/tcpdump.log; do sleep 0.1; done
      """;

  private static final String ASK_AND_LISTEN =
      """
      python3 -c "
      import socket
      s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
      s.bind(('', 1701))
      s.settimeout(60)
      s.sendto(b'begin', ('203.0.113.2', 1701))
      s.recvfrom(2000)
      "
      """;

  private static String inClear(Host gateway) {
    return gateway
        .script(
            """
            sleep 1
            kill $(cat /run/witness) $(cat /run/talker)
            tcpdump -Z root -nr /var/log/clear.pcap 2>&1 | grep -v '^reading from\\|^dropped privs' | head -3
            """)
        .expected()
        .out();
  }

  /** The L2TP daemon goes on talking to its client while somebody takes all rules away. */
  @Test
  void nothingLeavesInClearWhoeverFlushesTheRules() {
    try (Network net = behindOneNat(World.FOUR, 1)) {
      start(World.FOUR, net, 1, DESCRIPTION);
      Host gateway = net.host("gw");
      gateway.write("/etc/talker.py", TALKER);
      gateway.script(TALK).expected();
      net.host("c1").script(ASK_AND_LISTEN).expected();
      gateway.script("nft flush ruleset").expected();
      await()
          .atMost(Duration.ofMinutes(3))
          .untilAsserted(() ->
              assertThat(gateway.run("nft", "list", "tables").out())
                  .contains("inet gatehouse\n", "inet gatehouse_kept\n"));
      assertThat(gateway.run("nft", "list", "table", "inet", "gatehouse_kept").expected().out())
          .as("it had something to hold back")
          .doesNotContain("packets 0 ");
      assertThat(inClear(gateway)).isEmpty();

      // The witness sees what leaves where nobody holds it back: no daemon, no table of its own.
      gateway.script(KILL_THE_DAEMON).expected();
      gateway.script(TALK).expected();
      net.host("c1").script(ASK_AND_LISTEN).expected();
      gateway.script("nft flush ruleset; sleep 1").expected();
      assertThat(inClear(gateway)).contains("203.0.113.2.1701 > ");
    }
  }

  /** Of this host's network, and not the shell that looks for it. */
  static final String KILL_THE_DAEMON =
      """
      pids=$(pgrep -f '[g]atehouse.jar run /etc/gw.yaml' --ns $$ --nslist net)
      kill -9 $pids
      for pid in $pids; do
        while kill -0 $pid 2> /dev/null; do sleep 0.1; done
      done
      rm /var/log/gatehouse.log
      """;

  /** For comparison: strongSwan's own plugin, with the same clients and the same server. */
  @Test
  void connmarkMixesThemUp() {
    try (Network net = behindOneNat(World.FOUR, 2)) {
      net.charon(new Network.Peer("c1", CLIENT), new Network.Peer("c2", CLIENT));
      prepare(net, 2);
      Host gateway = net.host("gw");
      gateway.write("/etc/gw.conf", CONNMARK);
      net.lab().run("modprobe -a ip_tables iptable_mangle").expected(); // the plugin loads none
      gateway
          .script(
              """
              CHARON_PLUGINS='random nonce aes sha1 sha2 hmac kdf gcm openssl kernel-netlink socket-default vici connmark' \
                lab-charon start /etc/gw.conf
              """)
          .expected();
      net.host("c1").initiate("l2tp").expected();
      assertThat(asked(World.FOUR, net, 1).out())
          .as(() ->
              "alone; "
                  + gateway.script("iptables-legacy-save -t mangle").out()
                  + gateway.charonLog())
          .contains("c1 6 own 0 of others");
      net.host("c2").initiate("l2tp").expected();
      List<String> lines = asked(World.FOUR, net, 2).out().lines().toList();
      System.out.println("connmark: " + lines);
      assertThat(lines).hasSize(2);
      assertThat(lines.contains("c1 6 own 0 of others") && lines.contains("c2 6 own 0 of others"))
          .as("then it would do as well")
          .isFalse();
    }
  }

  private static List<String> zones(Host gateway) {
    return Pattern.compile("0x[0-9a-f]+ : ([0-9]+)")
        .matcher(
            gateway.run("nft", "list", "map", "inet", "gatehouse", "l2tp.zones").expected().out())
        .results()
        .map(match -> match.group(1))
        .toList();
  }

  /** Each client asks six questions, all at the same time. */
  private static Answer asked(World world, Network net, int clients) {
    StringBuilder script =
        new StringBuilder(
            """
            lab-in %1$s python3 /etc/server.py & server=$!
            until lab-in %1$s ss -Huln sport = :1701 | grep -q 1701; do :; done
            """
                .formatted(net.host("gw").namespace()));
    for (int i = 1; i <= clients; i++) {
      script.append(
          "lab-in %s python3 /etc/asker.py c%d %s & askers+=($!)%n"
              .formatted(net.host("c" + i).namespace(), i, world.mapped()));
    }
    script.append("wait ${askers[@]}\nkill $server\n");
    return net.lab().run(script.toString());
  }

  static void assertEachHasItsOwn(World world, Network net, int clients) {
    Answer answer = asked(world, net, clients);
    assertThat(answer.out().lines())
        .as(answer.err())
        .containsExactlyInAnyOrderElementsOf(
            IntStream.rangeClosed(1, clients)
                .mapToObj(i -> "c" + i + " 6 own 0 of others")
                .toList());
  }
}
