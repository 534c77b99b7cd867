package io.gatehouse.it.daemon;

import static io.gatehouse.it.lab.OwnNamespace.sh;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.gatehouse.it.lab.OwnNamespace;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import org.awaitility.core.ConditionTimeoutException;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * The host around a running daemon moves: clients in the LAN come and go, an address changes, the
 * device of an identity comes late and goes, the description is written anew.
 */
@Tag("full")
@Timeout(180)
class MovingIT {
  private static final String DESCRIPTION =
      """
      version: 1
      gateway: moving
      interfaces:
        wan: { device: eth0, role: outside }
        lan: { device: eth1, role: inside, addresses: [10.0.1.1/24, "2001:db8:1::1/64"] }
      networks:
        office: { on: lan, prefixes: [10.0.1.0/24, "2001:db8:1::/64"] }
      tunnels:
        staff:
          type: remote-access
          pools: [10.0.1.248/29]
          return: proxy
          reach: office
          groups:
            finance: { match: { eap-id: "*@fin" }, reach: [office/tcp/1433] }
      identities:
        inside: { address: 10.8.0.2, via: tun0 }
      """;

  private static final Duration SOON = Duration.ofSeconds(40);

  @TempDir Path directory;

  private static void soon(Callable<String> what, String contains) {
    await()
        .pollInSameThread() // which is in the namespace
        .atMost(SOON)
        .untilAsserted(() -> assertThat(what.call()).contains(contains));
  }

  private static void soonNot(Callable<String> what, String contains) {
    await()
        .pollInSameThread()
        .atMost(SOON)
        .untilAsserted(() -> assertThat(what.call()).doesNotContain(contains));
  }

  private static String answered() throws Exception {
    return sh("ip neigh show proxy");
  }

  private static String inside() throws Exception {
    return sh("ip route show table 7100");
  }

  /** Another host on the LAN, in a namespace that ends with its process. */
  private static Process lan() throws Exception {
    Process host = new ProcessBuilder("unshare", "-n", "sleep", "170").start();
    await()
        .pollInSameThread()
        .until(() -> {
          try {
            sh("ip link set fareth1 netns " + host.pid());
            return true;
          } catch (AssertionError notYetUnshared) {
            return false;
          }
        });
    sh(
        """
        nsenter -t %1$d -n sh -ec '
          ip link set lo up
          ip link set fareth1 up
          ip addr add 10.0.1.20/24 dev fareth1
        '
        """
            .formatted(host.pid()));
    return host;
  }

  @Test
  void theDaemonFollowsTheHost() {
    OwnNamespace.in(() -> {
      sh(
          OwnNamespace.TWO_LINKS
              + """
              ip addr add 203.0.113.2/24 dev eth0
              ip addr add 10.0.1.1/24 dev eth1
              """);
      Path file = directory.resolve("moving.yaml");
      Files.writeString(file, DESCRIPTION);
      Path vici = directory.resolve("charon.vici");
      Gatehouse gatehouse = new Gatehouse(directory, vici, file);
      Process lan = lan();
      try (PlayedCharon charon = new PlayedCharon(vici, "10.0.1.")) {
        Process daemon = gatehouse.run("--at-end", "clear");
        clientsInTheLan(lan, charon);
        identity();
        outsideDown();
        outsideAddress();
        anotherDescription(gatehouse, daemon, file, lan);
        status(gatehouse, charon);
        cleared(daemon);
        outsideAddressMeanwhile(gatehouse);
      } finally {
        gatehouse.end();
        lan.destroyForcibly().waitFor();
      }
    });
  }

  /** They answer there while they are here, and nobody else of the pool does. */
  private static void clientsInTheLan(Process lan, PlayedCharon charon) throws Exception {
    charon.comes(250, "anna@fin");
    charon.comes(99, "mallory"); // in no pool
    soon(MovingIT::answered, "10.0.1.250 dev eth1 proxy");
    assertThat(answered()).doesNotContain("10.0.1.99", "10.0.1.251");
    assertThat(asked(lan, 250)).contains("lladdr");
    assertThat(asked(lan, 251)).doesNotContain("lladdr");
    charon.leaves(250);
    soonNot(MovingIT::answered, "10.0.1.250");
    assertThat(asked(lan, 250)).doesNotContain("lladdr");
    charon.comes(252, "anna@fin");
    soon(MovingIT::answered, "10.0.1.252 dev eth1 proxy");
  }

  /** What a host of the LAN learns of an address when it asks for it anew. */
  private static String asked(Process lan, int number) throws Exception {
    return sh(
        """
        nsenter -t %1$d -n sh -c '
          ip neigh flush dev fareth1
          ping -c 1 -W 1 10.0.1.%2$d > /dev/null
          ip neigh show 10.0.1.%2$d'
        """
            .formatted(lan.pid(), number));
  }

  private static final String TUNNEL_COMES =
      """
      ip link add tun0 type veth peer name fartun0
      ip link set fartun0 up; ip link set tun0 up
      ip addr add 10.8.0.2/32 dev tun0
      """;

  /** Its address leaves by its own path or not at all, whichever of them comes first. */
  private static void identity() throws Exception {
    assertThat(inside()).contains("unreachable default").doesNotContain("tun0");
    for (int times = 0; times < 2; times++) {
      sh(TUNNEL_COMES);
      soon(MovingIT::inside, "default dev tun0");
      assertThat(sh("ip route get 198.51.100.7 from 10.8.0.2")).contains("dev tun0");
      soon(() -> sh("cat /proc/sys/net/ipv4/conf/tun0/rp_filter"), "2\n");
      assertThat(sh("ip route get 198.51.100.7 from 203.0.113.2 || true")).doesNotContain("tun0");
      sh("ip link del tun0; ip addr add 10.8.0.2/32 dev lo");
      assertThat(inside()).doesNotContain("tun0");
      assertThat(sh("ip route get 198.51.100.7 from 10.8.0.2 2>&1 || true"))
          .contains("No route to host");
      sh("ip addr del 10.8.0.2/32 dev lo");
    }
  }

  private static String connections() throws Exception {
    return sh("conntrack -L 2> /dev/null");
  }

  /**
   * An uplink goes down and keeps its address: what hosts inside have under it begins anew, which
   * this host's own need not.
   */
  private static void outsideDown() throws Exception {
    sh(
        """
        conntrack -I -p udp -t 600 -s 10.0.1.20 -d 198.51.100.7 --sport 4711 --dport 53 \
          -r 198.51.100.7 -q 203.0.113.2 --reply-port-src 53 --reply-port-dst 4711
        conntrack -I -p udp -t 600 -s 203.0.113.2 -d 198.51.100.8 --sport 4712 --dport 53
        """);
    assertThat(connections()).contains("198.51.100.7", "198.51.100.8");
    sh("ip link set eth0 down");
    soonNot(MovingIT::connections, "198.51.100.7");
    assertThat(connections()).contains("198.51.100.8");
    sh("ip link set eth0 up");
  }

  /** Connections of the old address end, those of others go on. */
  private static void outsideAddress() throws Exception {
    for (String address : new String[] {"203.0.113.2", "10.0.1.1"}) {
      sh("bash -c 'echo x > /dev/udp/" + address + "/9999'");
    }
    assertThat(connections()).contains("203.0.113.2", "10.0.1.1");
    sh("ip addr del 203.0.113.2/24 dev eth0; ip addr add 203.0.113.7/24 dev eth0");
    soonNot(MovingIT::connections, "203.0.113.2");
    assertThat(connections()).contains("10.0.1.1");
  }

  /** An address that goes while no daemon runs is missed by the next. */
  private static void outsideAddressMeanwhile(Gatehouse gatehouse) throws Exception {
    sh("sysctl -qw net.netfilter.nf_conntrack_udp_timeout=600"); // none ends by itself
    for (String address : new String[] {"203.0.113.7", "10.0.1.1"}) {
      sh("bash -c 'echo x > /dev/udp/" + address + "/9999'");
    }
    sh("ip addr del 203.0.113.7/24 dev eth0; ip addr add 203.0.113.9/24 dev eth0");
    assertThat(connections()).contains("203.0.113.7");
    Files.writeString(gatehouse.file(), DESCRIPTION);
    gatehouse.runWithoutHangup();
    assertThat(gatehouse.said()).contains("hears no SIGHUP");
    soonNot(MovingIT::connections, "203.0.113.7");
    assertThat(connections()).contains("10.0.1.1");
  }

  /** SIGHUP: not one echo is lost while the new rules come. */
  private static void anotherDescription(
      Gatehouse gatehouse, Process daemon, Path file, Process lan) throws Exception {
    Path heard = gatehouse.directory().resolve("pings");
    Process pings =
        new ProcessBuilder(
                "nsenter",
                "-t",
                "" + lan.pid(),
                "-n",
                "ping",
                "-i",
                "0.01",
                "-c",
                "100000",
                "10.0.1.1")
            .redirectOutput(heard.toFile())
            .start();
    try {
      await().until(() -> Files.readString(heard).contains("icmp_seq=20 "));
      Files.writeString(file, DESCRIPTION.replace("tcp/1433", "tcp/1434"));
      // Somebody else is just changing the kernel: it waits, and is not forgotten.
      Process other =
          new ProcessBuilder("flock", gatehouse.directory().resolve("run/lock").toString(), "cat")
              .start();
      try {
        await()
            .pollInSameThread()
            .until(
                () -> sh("flock -n " + gatehouse.directory() + "/run/lock true || echo held"),
                "held\n"::equals);
        sh("kill -HUP " + daemon.pid());
        await().atMost(SOON).until(() -> gatehouse.said().contains("holds the lock"));
      } finally {
        other.destroy();
      }
      try {
        soon(() -> sh("nft list chain inet gatehouse from_staff.finance"), "1434");
      } catch (ConditionTimeoutException e) {
        throw new AssertionError("the daemon said: " + gatehouse.said(), e);
      }
      soon(() -> sh("nft list map inet gatehouse from_staff.groups4"), "10.0.1.252 ");
      Files.writeString(file, "version: 1\ngateway: broken\n  nonsense");
      sh("kill -HUP " + daemon.pid());
      await().atMost(SOON).until(() -> gatehouse.said().contains("nothing was touched"));
      assertThat(sh("nft list chain inet gatehouse from_staff.finance")).contains("1434");
      long last = Files.readString(heard).lines().count();
      await().until(() -> Files.readString(heard).lines().count() > last + 20);
    } finally {
      sh("kill -INT " + pings.pid());
      pings.waitFor();
    }
    long answers =
        Files.readString(heard).lines().filter(line -> line.contains("icmp_seq=")).count();
    assertThat(Files.readString(heard))
        .containsPattern("icmp_seq=" + answers + " ttl")
        .doesNotContainPattern("icmp_seq=" + (answers + 1) + " ");
  }

  private static void status(Gatehouse gatehouse, PlayedCharon charon) throws Exception {
    assertThat(gatehouse.ask("status"))
        .contains("generation 2 stands", "staff        2 sessions", "IKE daemon: connected")
        .contains("staff of anna@fin is up")
        .doesNotContain("differences");
    assertThat(gatehouse.ask("metrics"))
        .contains(
            "gatehouse_sessions{tunnel=\"staff\"} 2",
            "gatehouse_answered_for 1",
            "gatehouse_ike_daemon_connected 1");
    watched(gatehouse, charon);
  }

  private static void watched(Gatehouse gatehouse, PlayedCharon charon) throws Exception {
    Path lines = gatehouse.directory().resolve("watched");
    Process watch = gatehouse.command("sessions", "--watch").redirectOutput(lines.toFile()).start();
    Path screen = gatehouse.directory().resolve("screen");
    Process terminal = onATerminal(gatehouse.command("sessions", "--watch"), screen);
    try {
      await().atMost(SOON).until(() -> lastDrawn(screen).contains("staff  mallory  10.0.1.99\r\n"));
      assertThat(lastDrawn(screen)).contains("staff  anna@fin  10.0.1.252\r\n");
      await()
          .atMost(SOON)
          .until(() -> Files.readString(lines).contains("here  staff  anna@fin  10.0.1.252\n"));
      charon.leaves(99);
      await()
          .atMost(SOON)
          .until(() -> Files.readString(lines).contains("left  staff  mallory  10.0.1.99\n"));
      sh("kill -INT " + watch.pid()); // Ctrl-C
      assertThat(watch.waitFor(30, TimeUnit.SECONDS)).isTrue();
      await().atMost(SOON).until(() -> lastDrawn(screen).endsWith("\r\n1 session\r\n"));
      assertThat(lastDrawn(screen)).contains("anna@fin").doesNotContain("mallory");
      terminal.getOutputStream().write(3); // Ctrl-C
      terminal.getOutputStream().flush();
      assertThat(terminal.waitFor(30, TimeUnit.SECONDS)).isTrue();
    } finally {
      watch.destroyForcibly();
      terminal.destroyForcibly();
    }
  }

  private static final String FROM_THE_TOP = "\033[H\033[J";

  /** A command on a terminal of its own, which script(1) makes. */
  private static Process onATerminal(ProcessBuilder command, Path screen) throws Exception {
    ProcessBuilder builder =
        new ProcessBuilder("script", "-qfc", String.join(" ", command.command()), "/dev/null")
            .redirectErrorStream(true)
            .redirectOutput(screen.toFile());
    builder.environment().putAll(command.environment());
    return builder.start();
  }

  /** What stands on the screen now: each picture is drawn over the last. */
  private static String lastDrawn(Path screen) throws Exception {
    String all = Files.readString(screen);
    int top = all.lastIndexOf(FROM_THE_TOP);
    return top < 0 ? "" : all.substring(top + FROM_THE_TOP.length());
  }

  /** With `--at-end clear`, what tunnels brought goes with the daemon; the rules stay. */
  private static void cleared(Process daemon) throws Exception {
    String map = "nft list map inet gatehouse in_staff.groups4";
    assertThat(sh(map)).contains("10.0.1.252 ", "timeout 1m");
    daemon.destroy(); // SIGTERM
    assertThat(daemon.waitFor(30, TimeUnit.SECONDS)).isTrue();
    assertThat(sh(map)).doesNotContain("10.0.1.252");
    assertThat(answered()).isEmpty();
  }
}
