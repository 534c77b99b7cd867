package io.gatehouse.it.lab;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The laboratory itself: what it reports is what happened. */
class LabIT {
  private static final String PAIR =
      """
      wire gw:wan 192.0.2.1/24 2001:db8::1/64 -- peer:wan 192.0.2.2/24 2001:db8::2/64
      wire gw:lan 10.0.1.1/24 -- files:eth0 10.0.1.20/24 -- pc:eth0 10.0.1.30/24
      route files default via 10.0.1.1
      route pc default via 10.0.1.1
      route peer 10.0.1.0/24 via 192.0.2.1
      set gw net.ipv4.ip_forward=1
      """;

  private static Lab running() {
    return Lab.with(Feature.VETH, Feature.BRIDGE, Feature.NFT_NAT);
  }

  @Test
  void scriptsAnswerWithTheirStatusAndBothOutputs() {
    Answer answer = running().run("echo out; echo err >&2; exit 3");
    assertThat(answer).isEqualTo(new Answer(3, "out\n", "err\n"));
  }

  @Test
  void severalScriptsRunAtTheSameTime() {
    Lab lab = running();
    // Each waits for what the other makes.
    String script = ": > /tmp/%s; until [ -e /tmp/%s ]; do sleep 0.05; done; echo met";
    var first = CompletableFuture.supplyAsync(() -> lab.run(script.formatted("a", "b")));
    Answer second = lab.run(script.formatted("b", "a"));
    assertThat(List.of(first.join().out(), second.out())).containsOnly("met\n");
  }

  @Test
  void aScriptThatDoesNotEndIsKilled() {
    Lab lab = running();
    assertThatThrownBy(
            () -> lab.run("echo begun; exec -a endless sleep 1000", Duration.ofSeconds(2)))
        .isInstanceOf(AssertionError.class)
        .hasMessageContaining("begun");
    assertThat(lab.run("for i in 1 2 3 4 5; do pgrep -f ^endless || exit 0; sleep 0.2; done").out())
        .doesNotEndWith("\n".repeat(5));
    assertThat(lab.run("pgrep -f ^endless").status()).isEqualTo(1);
  }

  @Test
  void nothingThatALabWritesReachesTheHost() {
    Path traceless = Path.of("/etc/gatehouse-lab-was-here");
    running().run("echo x > " + traceless).expected();
    assertThat(traceless).doesNotExist();
  }

  @Test
  void probesTellWhatArrivedAndFromWhere() {
    try (Network net = running().network(PAIR)) {
      net.host("gw")
          .nft(
              """
              table inet t {
                chain forward {
                  type filter hook forward priority 0
                  udp dport 9 drop
                  tcp dport 9 reject
                }
                chain prerouting {
                  type nat hook prerouting priority -100
                  ip daddr 192.0.2.1 tcp dport 80 dnat ip to 10.0.1.20:8080
                }
                chain postrouting {
                  type nat hook postrouting priority 100
                  ip saddr 10.0.1.30 oif wan masquerade
                }
              }
              """);
      Sightings sightings =
          net.probe(
              "watch gw peer",
              "udp udp from=peer to=files dst=10.0.1.20:53",
              "dropped udp from=peer to=files dst=10.0.1.20:9",
              "rejected tcp from=peer to=files dst=10.0.1.20:9",
              "tcp tcp from=peer to=files dst=10.0.1.20:22 bytes=20000",
              "forwarded tcp from=peer to=files dst=192.0.2.1:80 at=10.0.1.20:8080",
              "masqueraded udp from=pc to=peer dst=192.0.2.2:53",
              "spoofed udp from=peer to=files dst=10.0.1.20:53 src=10.9.9.9:77 spoof",
              "echo icmp from=peer to=gw dst=2001:db8::1",
              "esp ip from=peer to=files dst=10.0.1.20");

      assertThat(sightings.of("udp")).matches(Fate::arrived).matches(Fate::replied);
      assertThat(sightings.of("udp").from())
          .hasValueSatisfying(from -> assertThat(from).startsWith("192.0.2.2:"));
      assertThat(sightings.of("dropped").arrived()).isFalse();
      assertThat(sightings.of("dropped").left("peer", "wan")).isTrue();
      assertThat(sightings.of("dropped").left("gw", "lan")).isFalse();
      assertThat(sightings.of("rejected").error()).hasValue("econnrefused");
      assertThat(sightings.of("tcp").details())
          .containsEntry("sent", "20000")
          .containsEntry("received", "20000");
      assertThat(sightings.of("tcp").syn()).contains("gw/lan/out/syn/1460");
      assertThat(sightings.of("forwarded")).matches(Fate::arrived).matches(Fate::replied);
      assertThat(sightings.of("masqueraded").from())
          .hasValueSatisfying(from -> assertThat(from).startsWith("192.0.2.1:"));
      assertThat(sightings.of("spoofed").from()).hasValue("10.9.9.9:77");
      assertThat(sightings.of("spoofed").replied()).isFalse();
      assertThat(sightings.of("echo")).matches(Fate::arrived).matches(Fate::replied);
      assertThat(sightings.of("esp").arrived()).isTrue();
      assertThat(sightings.esp("gw", "lan")).isEqualTo(1);
    }
  }

  @Test
  void hostsKeepTheirFilesApartAndAreGoneWhenClosed() {
    Lab lab = running();
    try (Network net = lab.network("wire a:x 10.0.0.1/24 -- b:x 10.0.0.2/24")) {
      net.host("a").write("/var/lib/gatehouse/it's here", "a's \"own\"\n");
      assertThat(net.host("a").run("cat", "/var/lib/gatehouse/it's here").out())
          .isEqualTo("a's \"own\"\n");
      assertThat(net.host("b").run("ls", "/var/lib/gatehouse").status()).isNotZero();
      net.host("a").script("sleep 1000 & echo $! > /run/pid").expected();
      assertThat(lab.run("ip netns list").out()).contains(net.host("a").namespace());
    }
    assertThat(lab.run("ip netns list; pgrep -x sleep").out()).isEmpty();
  }

  @Test
  @Tag("full")
  void strongSwanBringsUpATunnelThatCarriesTrafficInEsp() {
    Lab lab = Lab.with(Feature.ESP, Feature.VETH, Feature.NFT_INET);
    try (Network net =
        lab.network(
            """
            wire gw:wan 192.0.2.1/24 -- isp:gw 192.0.2.254/24
            wire laptop:eth0 198.51.100.2/24 -- isp:laptop 198.51.100.254/24
            wire gw:lan 10.0.1.1/24 -- files:eth0 10.0.1.20/24
            route gw default via 192.0.2.254
            route laptop default via 198.51.100.254
            route files default via 10.0.1.1
            set gw net.ipv4.ip_forward=1
            set isp net.ipv4.ip_forward=1
            """)) {
      net.certificates("gw=gw.example", "laptop=laptop");
      net.charon(
          new Network.Peer(
              "gw",
              """
              connections { rw {
                local_addrs = 192.0.2.1
                version = 2
                proposals = aes128-sha256-x25519
                pools = net
                local { auth = pubkey
                  id = gw.example
                  certs = %s }
                remote { auth = psk }
                children { net { local_ts = 10.0.1.0/24
                  esp_proposals = aes128gcm16 } }
              } }
              pools { net { addrs = 10.0.3.0/24 } }
              secrets { ike { secret = "lab" } }
              """
                  .formatted(net.certificate("gw"))),
          new Network.Peer(
              "laptop",
              """
              connections { rw {
                remote_addrs = 192.0.2.1
                version = 2
                proposals = aes128-sha256-x25519
                vips = 0.0.0.0
                local { auth = psk
                  id = laptop }
                remote { auth = pubkey
                  id = gw.example }
                children { net { remote_ts = 10.0.1.0/24
                  esp_proposals = aes128gcm16 } }
              } }
              secrets { ike { secret = "lab" } }
              """));
      net.host("laptop").initiate("net").expected();

      Sightings up =
          net.probe(
              "watch isp",
              "echo icmp from=laptop to=files dst=10.0.1.20",
              "tcp tcp from=laptop to=files dst=10.0.1.20:445 bytes=20000");
      assertThat(up.of("echo").from()).hasValue("10.0.3.1");
      assertThat(up.of("echo").replied()).isTrue();
      assertThat(up.of("tcp").details()).containsEntry("received", "20000");
      assertThat(up.of("tcp").seenAt("isp")).isFalse();
      assertThat(up.esp("isp", "gw")).isGreaterThan(20);

      net.host("laptop").stopCharon();
      assertThat(net.probe("echo icmp from=laptop to=files dst=10.0.1.20").of("echo").arrived())
          .isFalse();
    }
  }

  @Test
  @Tag("full")
  void gatehouseItselfRunsInAHost() throws Exception {
    Lab lab = Lab.with(Feature.ESP, Feature.VETH);
    assertThat(Files.exists(Lab.HOME.resolve("gatehouse-app/target/gatehouse.jar"))).isTrue();
    try (Network net = lab.network("host gw")) {
      Answer answer = net.host("gw").gatehouse("--version").expected();
      assertThat(answer.out()).startsWith("gatehouse ");
    }
  }
}
