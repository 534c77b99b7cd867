package io.gatehouse.it.masquerade;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.gatehouse.generated.Descriptions;
import io.gatehouse.it.Described;
import io.gatehouse.it.lab.Answer;
import io.gatehouse.it.lab.Feature;
import io.gatehouse.it.lab.Lab;
import io.gatehouse.it.lab.Network;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BiConsumer;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Packets of hosts without keys, through the compiled rules and the daemon: whose is what, what the
 * kernel does alone, what becomes of it when the daemon dies. Real peers are elsewhere.
 */
class VpnHostsIT {
  private static final String DESCRIPTION =
      """
      version: 1
      gateway: masq
      interfaces:
        wan: { device: eth0, role: outside, addresses: 203.0.113.2/24, router-advertisements: false }
        lan: { device: eth1, role: inside, addresses: 10.0.1.1/24 }
      networks:
        office: { on: lan, prefixes: 10.0.1.0/24 }
      host: { output: closed }
      masquerade: { clients: office }
      """;

  private static final String WIRES =
      """
      wire gw:eth0 203.0.113.2/24 -- far:eth0 203.0.113.1/24 10.0.3.5/32 -- road:eth0 203.0.113.9/24
      wire gw:eth1 10.0.1.1/24 -- a:eth0 10.0.1.11/24 -- b:eth0 10.0.1.12/24
      route gw default via 203.0.113.1
      route a default via 10.0.1.1
      route b default via 10.0.1.1
      set gw net.ipv4.ip_forward=1
      """;

  /** Both hosts log on at the same time; then b's pair of SAs is ready, and a's. */
  private static final String LOGON =
      """
      a1 ike a 203.0.113.1 i=0xa exchange=34
      b1 ike b 203.0.113.1 i=0xb exchange=34
      then
      a2 ike far 203.0.113.2 i=0xa r=0xfa exchange=34 answer
      b2 ike far 203.0.113.2 i=0xb r=0xfb exchange=34 answer
      then
      b3 ike b 203.0.113.1 i=0xb r=0xfb exchange=35 message=1 inner=35
      then
      b4 ike far 203.0.113.2 i=0xb r=0xfb exchange=35 message=1 inner=36 answer
      then
      spiB1 esp far 203.0.113.2 spi=0xb100 seq=1
      spiB2 esp far 203.0.113.2 spi=0xb100 seq=2
      then
      a3 ike a 203.0.113.1 i=0xa r=0xfa exchange=35 message=1 inner=35
      then
      a4 ike far 203.0.113.2 i=0xa r=0xfa exchange=35 message=1 inner=36 answer
      then
      spiA1 esp far 203.0.113.2 spi=0xa100 seq=1
      spiA2 esp far 203.0.113.2 spi=0xa100 seq=2
      outA1 esp a 203.0.113.1 spi=0xa200 seq=1
      outB1 esp b 203.0.113.1 spi=0xb200 seq=1
      """;

  private static void in(BiConsumer<Network, Gate> story) {
    Lab lab =
        Lab.with(Feature.VETH, Feature.ESP, Feature.NFT_NAT, Feature.CT_ZONES, Feature.NFT_QUEUE);
    try (Network net = lab.network(WIRES)) {
      story.accept(net, new Gate(lab, net.host("gw")));
    }
  }

  /** Where each packet came to, by its name. */
  static Map<String, String> played(Network net, String script) {
    String name = net.host("gw").namespace().replaceFirst("-gw$", "");
    Answer answer =
        net.lab()
            .run(
                "lab-ipsec <<'END'%nnet %s%nhear a b far road gw%n%s%nEND%n"
                    .formatted(name, script))
            .expected();
    Map<String, String> came = new LinkedHashMap<>();
    answer.out().lines().forEach(line -> came.put(line.split(" ", 2)[0], line.split(" ", 2)[1]));
    return came;
  }

  static void loggedOn(Network net, Gate gate) {
    Map<String, String> came = played(net, LOGON);
    Map<String, String> expected = new LinkedHashMap<>();
    expected.put("a1", "far/203.0.113.2:500");
    expected.put("b1", "far/203.0.113.2:500");
    expected.put("a2", "a/203.0.113.1:500");
    expected.put("b2", "b/203.0.113.1:500");
    expected.put("b3", "far/203.0.113.2:500");
    expected.put("b4", "b/203.0.113.1:500");
    expected.put("spiB1", "b/203.0.113.1");
    expected.put("spiB2", "b/203.0.113.1");
    expected.put("a3", "far/203.0.113.2:500");
    expected.put("a4", "a/203.0.113.1:500");
    expected.put("spiA1", "a/203.0.113.1");
    expected.put("spiA2", "a/203.0.113.1");
    expected.put("outA1", "far/203.0.113.2");
    expected.put("outB1", "far/203.0.113.2");
    assertThat(came).as(gate::state).isEqualTo(expected);
  }

  /** With IKE and ESP of both, known and new, while no daemon runs. */
  private static final String ORPHANED =
      """
      spiA3 esp far 203.0.113.2 spi=0xa100 seq=3
      spiB3 esp far 203.0.113.2 spi=0xb100 seq=3
      long esp far 203.0.113.2 spi=0xb100 seq=4 size=4000
      outA2 esp a 203.0.113.1 spi=0xa200 seq=2
      outB2 esp b 203.0.113.1 spi=0xb200 seq=2
      outB16 esp b 203.0.113.1 spi=0xb200 seq=16
      spiB16 esp far 203.0.113.2 spi=0xb100 seq=16
      longOut esp a 203.0.113.1 spi=0xa200 seq=3 size=4000
      ikeB ike far 203.0.113.2 i=0xb r=0xfb exchange=37 inner=42 size=80
      ikeA ike a 203.0.113.1 i=0xa r=0xfa exchange=37 message=2 inner=42 size=80
      then
      patience 2
      error error far 203.0.113.2 about=203.0.113.2>203.0.113.1 spi=0xb200
      newA esp a 203.0.113.1 spi=0xa201 seq=1
      newB ike b 203.0.113.1 i=0xbb exchange=34
      newFar esp far 203.0.113.2 spi=0xdead seq=1
      ahOut ah a 203.0.113.1 spi=0x5101
      ahIn ah far 203.0.113.2 spi=0x5102
      """;

  private static void orphaned(Network net, Gate gate) {
    assertThat(played(net, ORPHANED))
        .as(gate::state)
        .containsEntry("spiA3", "a/203.0.113.1")
        .containsEntry("spiB3", "b/203.0.113.1")
        .containsEntry("long", "b/203.0.113.1")
        .containsEntry("outA2", "far/203.0.113.2")
        .containsEntry("outB2", "far/203.0.113.2")
        .containsEntry("outB16", "far/203.0.113.2")
        .containsEntry("spiB16", "b/203.0.113.1")
        .containsEntry("longOut", "far/203.0.113.2")
        .containsEntry("ikeB", "b/203.0.113.1:500")
        .containsEntry("ikeA", "far/203.0.113.2:500")
        .containsEntry("error", "b/203.0.113.1")
        .containsEntry("newA", "nowhere")
        .containsEntry("newB", "nowhere")
        .containsEntry("newFar", "nowhere")
        .containsEntry("ahOut", "nowhere")
        .containsEntry("ahIn", "nowhere");
  }

  /** It goes nowhere, with a reason; each host's and the world's. */
  private static void ahIsRefused(Network net, Gate gate) {
    assertThat(
            played(
                net,
                """
                patience 2
                ahOut ah a 203.0.113.1 spi=0x5101
                ahIn ah far 203.0.113.2 spi=0x5102
                """))
        .as(gate::state)
        .containsEntry("ahOut", "nowhere")
        .containsEntry("ahIn", "nowhere");
    assertThat(gate.masquerade("status"))
        .contains("AH covers the addresses: no translator can let it through")
        .containsPattern("2 .*AH covers|AH covers.* 2\\b");
  }

  /** Elements that an heir knows nothing of, and that no time takes away. */
  private static final String WATCHED =
      "nft add element inet gatehouse masq.watched '{ 10.0.1.11 . 203.0.113.1 }'";

  /** What a daemon that has died has left. */
  private static final String LEFT =
      """
      add element inet gatehouse masq.zones { 10.0.1.11 : 32768, 10.0.1.12 : 32769 }
      add element inet gatehouse masq.hosts { 32768 : 10.0.1.11, 32769 : 10.0.1.12 }
      add element inet gatehouse masq.spis {
        203.0.113.1 . 0xa100 timeout 1h : 32768, 203.0.113.1 . 0xb100 timeout 1h : 32769 }
      add element inet gatehouse masq.direct {
        203.0.113.1 . 0xa100 timeout 1h : 10.0.1.11, 203.0.113.1 . 0xb100 timeout 1h : 10.0.1.12 }
      add element inet gatehouse masq.cookies {
        203.0.113.1 . 0xa timeout 1h : 32768, 203.0.113.1 . 0xb timeout 1h : 32769 }
      add element inet gatehouse masq.sent {
        10.0.1.11 . 203.0.113.1 . 0xa200 timeout 1h, 10.0.1.12 . 203.0.113.1 . 0xb200 timeout 1h }
      add element inet gatehouse masq.known {
        10.0.1.11 . 203.0.113.1 . 0xa timeout 1h, 10.0.1.12 . 203.0.113.1 . 0xb timeout 1h }
      """;

  @Test
  void theKernelAloneBringsEachItsOwnAndLetsNothingNewBegin() {
    in((net, gate) -> {
      net.host("gw").nft(Described.of(DESCRIPTION).nft() + LEFT);
      orphaned(net, gate);
    });
  }

  @Test
  void fifteenPacketsOfSixteenGoPastConntrack() {
    in((net, gate) -> {
      net.host("gw").nft(Described.of(DESCRIPTION).nft() + LEFT);
      StringBuilder script = new StringBuilder();
      for (int sequence = 1; sequence <= 32; sequence++) {
        script.append("in%d esp far 203.0.113.2 spi=0xa100 seq=%d\n".formatted(sequence, sequence));
        script.append("out%d esp b 203.0.113.1 spi=0xb200 seq=%d\n".formatted(sequence, sequence));
      }
      Map<String, String> came = played(net, script.toString());
      assertThat(came).as(gate::state).hasSize(64);
      came.forEach((name, where) ->
          assertThat(where)
              .as(name)
              .isEqualTo(name.startsWith("in") ? "a/203.0.113.1" : "far/203.0.113.2"));
      String forward =
          net.host("gw")
              .run("nft", "list", "chain", "inet", "gatehouse", "forward")
              .expected()
              .out();
      assertThat(forward.lines().filter(line -> line.contains("past conntrack")))
          .hasSize(2)
          .allMatch(line -> line.contains("counter packets 30 "), "30 of 32");
    });
  }

  @Test
  void whatIsOpenWithoutADaemonGoesOutAsEver() {
    in((net, gate) -> {
      String open =
          DESCRIPTION.replace(
              "clients: office", "clients: office, ipsec: { without-daemon: open }");
      net.host("gw").nft(Described.of(open).nft());
      assertThat(
              played(
                  net,
                  """
                  newA esp a 203.0.113.1 spi=0xa201 seq=1
                  newB ike b 203.0.113.1 i=0xbb exchange=34
                  then
                  answer ike far 203.0.113.2 i=0xbb r=0xfb exchange=34 answer
                  back esp far 203.0.113.2 spi=0xa101 seq=1
                  """))
          .as(gate::state)
          .containsEntry("newA", "far/203.0.113.2")
          .containsEntry("newB", "far/203.0.113.2:500")
          .containsEntry("answer", "b/203.0.113.1:500")
          .containsEntry("back", "a/203.0.113.1");
    });
  }

  /** One remote is named, and what stands of another in the maps helps that as little. */
  @Test
  void onlyNamedPeersHaveSessions() {
    in((net, gate) -> {
      String named =
          DESCRIPTION.replace(
              "clients: office",
              "clients: office, peers: 203.0.113.1, ipsec: { without-daemon: open },"
                  + " servers: [{ host: 10.0.1.12 }]");
      String others =
          """
          add element inet gatehouse masq.spis {
            203.0.113.9 . 0xa100 timeout 1h : 32768 }
          add element inet gatehouse masq.direct {
            203.0.113.9 . 0xa100 timeout 1h : 10.0.1.11 }
          add element inet gatehouse masq.sent { 10.0.1.11 . 203.0.113.9 . 0xa200 timeout 1h }
          """;
      net.host("gw").nft(Described.of(named).nft() + LEFT + others);
      assertThat(
              played(
                  net,
                  """
                  known esp far 203.0.113.2 spi=0xa100 seq=3
                  sent esp a 203.0.113.1 spi=0xa200 seq=3
                  new esp a 203.0.113.1 spi=0xa201 seq=1
                  ike ike b 203.0.113.1 i=0xbb exchange=34
                  then
                  patience 2
                  otherKnown esp road 203.0.113.2 spi=0xa100 seq=5
                  otherSixteenth esp road 203.0.113.2 spi=0xa100 seq=16
                  otherSent esp a 203.0.113.9 spi=0xa200 seq=5
                  otherNew esp a 203.0.113.9 spi=0xa202 seq=1
                  otherIke ike b 203.0.113.9 i=0xbc exchange=34
                  """))
          .as(gate::state)
          .containsEntry("known", "a/203.0.113.1")
          .containsEntry("sent", "far/203.0.113.2")
          .containsEntry("new", "far/203.0.113.2")
          .containsEntry("ike", "far/203.0.113.2:500")
          .containsEntry("otherKnown", "nowhere")
          .containsEntry("otherSixteenth", "nowhere")
          .containsEntry("otherSent", "nowhere")
          .containsEntry("otherNew", "nowhere")
          .containsEntry("otherIke", "nowhere");
      net.probe(
          "nat-t udp from=a to=far dst=203.0.113.1:4500 src=10.0.1.11:4500",
          "no-nat-t udp from=a to=road dst=203.0.113.9:4500 src=10.0.1.11:4500",
          // A remote that sees the NAT goes on at the server inside there.
          "server udp from=far to=b dst=203.0.113.2:4500 at=10.0.1.12:4500 src=203.0.113.1:4500",
          "no-server udp from=road to=b dst=203.0.113.2:4500 at=10.0.1.12:4500 src=203.0.113.9:4500");
    });
  }

  @Test
  @Tag("full")
  void theDaemonDecidesDiesAndIsSucceeded() {
    in((net, gate) -> {
      gate.run(DESCRIPTION);
      loggedOn(net, gate);
      assertThat(gate.asked()).as("the second is asked about, and comes again").isEqualTo(4);
      assertThat(gate.masquerade("status"))
          .contains("0x0000a100 from 203.0.113.1 is for 10.0.1.11")
          .contains("0x0000b100 from 203.0.113.1 is for 10.0.1.12")
          .contains("its host alone had finished an exchange");

      ahIsRefused(net, gate);

      gate.kill();
      orphaned(net, gate);
      assertThat(gate.asked()).as("only what is new").isEqualTo(5);
      net.host("gw").script(WATCHED).expected();

      certificates(net);
      gate.run(DESCRIPTION.replace("clients: office", "clients: office, register: " + REGISTER));
      assertThat(gate.masquerade("status")).contains("it stood already");
      assertThat(
              net.host("gw").run("nft", "list", "set", "inet", "gatehouse", "masq.watched").out())
          .as("of nobody that it knows")
          .contains("masq.watched")
          .doesNotContain("elements");
      rekeyed(net, gate);
      told(net, gate);
    });
  }

  /** Both hosts have finished an exchange: the SPI may be either's. */
  private static void rekeyed(Network net, Gate gate) {
    assertThat(
            played(
                net,
                """
                spiA5 esp far 203.0.113.2 spi=0xa100 seq=5
                spiB5 esp far 203.0.113.2 spi=0xb100 seq=5
                rekey1 ike a 203.0.113.1 i=0xa r=0xfa exchange=36 message=2 inner=41
                rekey2 ike b 203.0.113.1 i=0xb r=0xfb exchange=36 message=2 inner=41
                then
                rekey3 ike far 203.0.113.2 i=0xa r=0xfa exchange=36 message=2 inner=33 answer
                rekey4 ike far 203.0.113.2 i=0xb r=0xfb exchange=36 message=2 inner=33 answer
                then
                either1 esp far 203.0.113.2 spi=0xab01 seq=1
                either2 esp far 203.0.113.2 spi=0xab01 seq=2
                """))
        .as(gate::state)
        .containsEntry("spiA5", "a/203.0.113.1")
        .containsEntry("spiB5", "b/203.0.113.1")
        .containsEntry("rekey3", "a/203.0.113.1:500")
        .containsEntry("rekey4", "b/203.0.113.1:500")
        .containsEntry("either1", "a/203.0.113.1 b/203.0.113.1")
        .containsEntry("either2", "a/203.0.113.1 b/203.0.113.1");
    assertThat(gate.masquerade("status")).contains("0x0000ab01 from 203.0.113.1 is not decided");
  }

  private static final String REGISTER =
      "{ at: 10.0.1.1, certificate: /run/gw.pem, key: /run/gw.key, authorities: /run/b.pem }";

  /** The gateway's, and b's, which are each other's authorities. */
  private static void certificates(Network net) {
    String made =
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 9 -subj /CN=%1$s"
            + " -addext subjectAltName=IP:%2$s -keyout %1$s.key -out %1$s.pem%n";
    net.lab()
        .run(
            "mkdir -p /tmp/register && cd /tmp/register || exit 1%n".formatted()
                + made.formatted("gw", "10.0.1.1")
                + made.formatted("b", "10.0.1.12"))
        .expected();
    for (String host : List.of("gw", "a", "b")) {
      net.host(host).script("cp /tmp/register/* /run/").expected();
    }
  }

  /** Of hosts that sent something, by what the kernel has learned. */
  private static String learned(Network net) {
    return net.host("gw")
        .script("nft list set inet gatehouse masq.sent && nft list set inet gatehouse masq.known")
        .expected()
        .out();
  }

  @Test
  @Tag("full")
  void parallelSessionsThatAreForbiddenLateLeaveOneHostToGoOn() {
    in((net, gate) -> {
      gate.run(DESCRIPTION);
      loggedOn(net, gate);
      gate.kill();
      gate.run(
          DESCRIPTION.replace(
              "clients: office", "clients: office, ipsec: { parallel-sessions: false }"));
      Map<String, String> came =
          played(
              net,
              """
              spiA3 esp far 203.0.113.2 spi=0xa100 seq=3
              spiB3 esp far 203.0.113.2 spi=0xb100 seq=3
              then
              patience 2
              newA esp a 203.0.113.1 spi=0xa201 seq=1
              newB esp b 203.0.113.1 spi=0xb201 seq=1
              then
              againA esp a 203.0.113.1 spi=0xa201 seq=2
              againB esp b 203.0.113.1 spi=0xb201 seq=2
              """);
      assertThat(came)
          .as(gate::state)
          .containsEntry("spiA3", "a/203.0.113.1")
          .containsEntry("spiB3", "b/203.0.113.1");
      boolean first = came.containsValue("far/203.0.113.2") && !came.get("newA").equals("nowhere");
      String one = first ? "A" : "B";
      String other = first ? "B" : "A";
      assertThat(came)
          .as(gate::state)
          .containsEntry("new" + one, "far/203.0.113.2")
          .containsEntry("again" + one, "far/203.0.113.2")
          .containsEntry("new" + other, "nowhere")
          .containsEntry("again" + other, "nowhere");
      String refused = first ? "10.0.1.12" : "10.0.1.11";
      await()
          .untilAsserted(() ->
              assertThat(
                      net.host("gw").run("cat", "/var/log/gatehouse.log").expected().out().lines())
                  .filteredOn(line -> line.contains(" gets no session with 203.0.113.1: "))
                  .singleElement()
                  .satisfies(line -> assertThat(line).startsWith(refused)));
    });
  }

  /** A host says whose it is, another one may not, and the other's dead session is released. */
  private static void told(Network net, Gate gate) {
    // The daemon's first handshake loads classes, which takes its time in emulation.
    String forged = "";
    for (int attempt = 0; attempt < 4 && forged.isBlank(); attempt++) {
      forged =
          net.host("a")
              .script(
                  """
                  printf 'register 203.0.113.1 0xab01\n' | openssl s_client -quiet -connect 10.0.1.1:4510 \
                    -verify_return_error -verify_ip 10.0.1.1 -CAfile /run/gw.pem -cert /run/b.pem -key /run/b.key
                  """)
              .out();
    }
    assertThat(forged).as(gate::state).contains("refused: the certificate does not name 10.0.1.11");
    assertThat(gate.masquerade("status")).contains("0x0000ab01 from 203.0.113.1 is not decided");
    new Gate(net.lab(), net.host("b"))
        .masquerade(
            "register --to 10.0.1.1 --certificate /run/b.pem --key /run/b.key"
                + " --authorities /run/gw.pem 203.0.113.1 0xab01");
    assertThat(learned(net)).contains("10.0.1.11 . 203.0.113.1");
    gate.masquerade("release 10.0.1.11 203.0.113.1");
    assertThat(learned(net))
        .as("what it sends is asked about again")
        .contains("10.0.1.12 . 203.0.113.1")
        .doesNotContain("10.0.1.11 . 203.0.113.1");
    assertThat(
            played(
                net,
                """
                either3 esp far 203.0.113.2 spi=0xab01 seq=3
                spiB6 esp far 203.0.113.2 spi=0xb100 seq=6
                then
                patience 2
                spiA6 esp far 203.0.113.2 spi=0xa100 seq=6
                """))
        .as(gate::state)
        .containsEntry("either3", "b/203.0.113.1")
        .containsEntry("spiB6", "b/203.0.113.1")
        .doesNotContainEntry("spiA6", "a/203.0.113.1");
    assertThat(gate.masquerade("status"))
        .contains("the host registered it")
        .doesNotContain("is for 10.0.1.11");
  }

  @Test
  @Tag("full")
  void aServerInsideClientsInsideAndThisHostsOwnGoOnTogether() {
    in((net, gate) -> {
      gate.run(Descriptions.text("gateway-and-hosts.yaml"));
      loggedOn(net, gate);
      serverInside(net, gate);
      ownSessions(net, gate);
      assertThat(
              played(
                  net,
                  """
                  spiA3 esp far 203.0.113.2 spi=0xa100 seq=3
                  spiB3 esp far 203.0.113.2 spi=0xb100 seq=3
                  ikeB ike far 203.0.113.2 i=0xb r=0xfb exchange=37 inner=42 size=80
                  """))
          .as(gate::state)
          .containsEntry("spiA3", "a/203.0.113.1")
          .containsEntry("spiB3", "b/203.0.113.1")
          .containsEntry("ikeB", "b/203.0.113.1:500");
    });
  }

  /** Each new SA of one host ends what the other gets: to the remote both are one address. */
  @Test
  @Tag("full")
  void whatTransportModeLooksLikeIsNamed() {
    in((net, gate) -> {
      gate.run(DESCRIPTION);
      assertThat(protectedPings(net, "a", 1)).as(gate::state).isEqualTo(PINGS);
      assertThat(protectedPings(net, "b", 2)).as(gate::state).isEqualTo(PINGS);
      assertThat(pings(net, "a")).as(gate::state).isZero();
      assertThat(protectedPings(net, "a", 3)).as(gate::state).isEqualTo(PINGS);
      assertThat(pings(net, "b")).as(gate::state).isZero();
      await()
          .atMost(Duration.ofMinutes(4))
          .pollInterval(Duration.ofSeconds(5))
          .untilAsserted(() ->
              assertThat(gate.masquerade("status"))
                  .contains("203.0.113.1 seems to serve one host at a time")
                  .contains("Hosts in transport mode are one to it"));
    });
  }

  private static final int PINGS = 4;

  /** A host logs on, and then protects what it sends to the remote in transport mode. */
  private static int protectedPings(Network net, String host, int session) {
    played(
        net,
        """
        one ike HOST 203.0.113.1 i=0xeN exchange=34
        then
        two ike far 203.0.113.2 i=0xeN r=0xfN exchange=34 answer
        then
        three ike HOST 203.0.113.1 i=0xeN r=0xfN exchange=35 message=1 inner=35
        then
        four ike far 203.0.113.2 i=0xeN r=0xfN exchange=35 message=1 inner=36 answer
        """
            .replace("HOST", host)
            .replace("N", String.valueOf(session)));
    net.host("far").script(transport("203.0.113.1", "203.0.113.2", session)).expected();
    net.host(host)
        .script(transport(host.equals("a") ? "10.0.1.11" : "10.0.1.12", "203.0.113.1", -session))
        .expected();
    return pings(net, host);
  }

  /**
   * One end's pair of SAs, and that pings to the other end are for it.
   *
   * @param session negative at the host's end
   */
  private static String transport(String near, String far, int session) {
    String sa =
        "ip xfrm state add src %s dst %s proto esp spi 0x%s00%d reqid 9 mode transport"
            + " aead 'rfc4106(gcm(aes))' 0x0102030405060708090a0b0c0d0e0f1011121314 128%n";
    int number = Math.abs(session);
    boolean atHost = session < 0;
    return sa.formatted(near, far, atHost ? "7" : "6", number)
        + sa.formatted(far, near, atHost ? "6" : "7", number)
        + "ip xfrm policy update src %s dst %s proto icmp dir out tmpl proto esp reqid 9 mode transport%n"
            .formatted(near, far);
  }

  /** How many of a few are answered. */
  private static int pings(Network net, String host) {
    String out =
        net.host(host)
            .run("ping", "-n", "-c", String.valueOf(PINGS), "-i", "0.3", "-W", "2", "203.0.113.1")
            .out();
    return (int) out.lines().filter(line -> line.contains("icmp_seq=")).count();
  }

  /** A remote begins with the server that is described for it. */
  private static void serverInside(Network net, Gate gate) {
    assertThat(
            played(
                net,
                """
                s1 ike road 203.0.113.2 i=0xd exchange=34
                then
                s2 ike b 203.0.113.9 i=0xd r=0xfd exchange=34 answer
                then
                s3 ike road 203.0.113.2 i=0xd r=0xfd exchange=35 message=1 inner=35
                then
                s4 ike b 203.0.113.9 i=0xd r=0xfd exchange=35 message=1 inner=36 answer
                then
                spiS1 esp road 203.0.113.2 spi=0xd100 seq=1
                spiS2 esp road 203.0.113.2 spi=0xd100 seq=2
                outS esp b 203.0.113.9 spi=0xd200 seq=1
                """))
        .as(gate::state)
        .containsEntry("s1", "b/203.0.113.9:500")
        .containsEntry("s2", "road/203.0.113.2:500")
        .containsEntry("s3", "b/203.0.113.9:500")
        .containsEntry("s4", "road/203.0.113.2:500")
        .containsEntry("spiS1", "b/203.0.113.9")
        .containsEntry("spiS2", "b/203.0.113.9")
        .containsEntry("outS", "road/203.0.113.2");
  }

  /** With the very remote that clients have sessions with: real SAs, and IKE without keys. */
  private static void ownSessions(Network net, Gate gate) {
    net.host("gw").script(own(true)).expected();
    net.host("far").script(own(false)).expected();
    assertThat(
            net.probe("own udp from=far to=a dst=10.0.1.11:445 src=10.0.3.5").of("own").replied())
        .as(gate::state)
        .isTrue();
    assertThat(
            played(
                net,
                """
                c1 ike far 203.0.113.2 i=0xc exchange=34
                then
                c2 ike gw 203.0.113.1 i=0xc r=0xfc exchange=34 answer
                then
                c3 ike far 203.0.113.2 i=0xc r=0xfc exchange=35 message=1 inner=35
                """))
        .as(gate::state)
        .containsEntry("c1", "gw/203.0.113.1:500")
        .containsEntry("c2", "far/203.0.113.2:500")
        .containsEntry("c3", "gw/203.0.113.1:500");
  }

  /**
   * The road warrior's end, and this host's, of a pair of SAs with the remote that clients have.
   */
  private static String own(boolean gateway) {
    String sa =
        "ip xfrm state add src %s dst %s proto esp spi %s reqid 7 mode tunnel"
            + " aead 'rfc4106(gcm(aes))' 0x0102030405060708090a0b0c0d0e0f1011121314 128%n";
    String policy =
        "ip xfrm policy add src %s dst %s dir %s tmpl src %s dst %s proto esp reqid 7 mode tunnel%n";
    String us = "203.0.113.2";
    String them = "203.0.113.1";
    String lan = "10.0.1.0/24";
    String user = "10.0.3.5/32";
    String states = sa.formatted(them, us, "0xc100") + sa.formatted(us, them, "0xc200");
    return gateway
        ? states
            + policy.formatted(lan, user, "out", us, them)
            + policy.formatted(user, lan, "in", them, us)
            + policy.formatted(user, lan, "fwd", them, us)
        : states
            + policy.formatted(user, lan, "out", them, us)
            + policy.formatted(lan, user, "in", us, them)
            + "ip route add %s via %s%n".formatted(lan, us); // else nobody asks for a policy
  }
}
