package io.gatehouse.it.masquerade;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatehouse.model.Address;
import io.gatehouse.packet.Ike;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Two libreswan hosts and the gateway's own strongSwan, all with raw ESP to one address: what is
 * this host's own never goes to a host inside, nor what is a host's to this host.
 */
@Tag("full")
class OwnTunnelIT {
  private static final int PINGS = 6;
  private static final Address SERVER = Address.parse("203.0.113.1").orElseThrow();

  /** Inbound, as pluto and charon write them. */
  private static final Pattern PLUTO = Pattern.compile("<0x([0-9a-f]+)");

  private static final Pattern CHARON = Pattern.compile("SPIs ([0-9a-f]{8})_i");

  /** One host after the other: what each receives under is decided, and not copied for long. */
  private static void allPing(Peers peers) {
    for (IntStream who : List.of(IntStream.of(1), IntStream.of(2))) {
      int client = who.sum();
      for (boolean serverFirst : new boolean[] {false, true}) {
        assertThat(peers.pings(IntStream.of(client), serverFirst, PINGS))
            .as(peers::logs)
            .containsExactly(PINGS);
      }
    }
    assertThat(peers.ownPings(PINGS)).as(peers::logs).containsExactly(PINGS, PINGS);
  }

  @Test
  void theOwnTunnelAndTheHostsKeepApart() {
    try (Peers peers = Peers.behindOneWithItsOwnTunnel(2)) {
      Watch watch = new Watch(peers);
      assertThat(peers.initiate(IntStream.of(1), 120)).as(peers::logs).isEqualTo(1);
      peers.host("gw").initiate("branch").expected();
      assertThat(peers.initiate(IntStream.of(2), 120)).as(peers::logs).isEqualTo(1);
      allPing(peers);
      children(peers);
      allPing(peers);
      watch.end("as they log on, and new SAs").keptApart();

      watch = new Watch(peers);
      newIkeSas(peers);
      allPing(peers);
      watch.end("new IKE SAs").keptApart();

      // What the kernel and charon know is taken over.
      watch = new Watch(peers);
      peers.gate().kill();
      peers.again();
      children(peers);
      allPing(peers);
      watch.end("after a restart").keptApart();

      // As after a restart of the machine: charon alone says what is its own.
      watch = new Watch(peers);
      forget(peers);
      servers(peers, "--rekey-ipsec", "own");
      own(peers, "--child");
      allPing(peers);
      watch.end("without cookies in the kernel").keptApart();

      // Nobody says it any more: accepted all the same, and copied until this host has sent.
      watch = new Watch(peers);
      peers.gate().kill();
      peers.againWithoutItsDaemon();
      forget(peers); // late: a sign of life that charon sends would be learned meanwhile
      servers(peers, "--rekey-ipsec", "own");
      own(peers, "--child");
      allPing(peers);
      Sorted unknown = watch.end("without cookies and charon's word");
      assertThat(unknown.of("own IKE copied")).as(unknown::toString).isEqualTo(1);
      assertThat(unknown.of("own IKE right")).as(unknown::toString).isPositive();
      unknown.otherwiseKeptApart("own IKE copied");

      assertThat(errors(peers)).isEmpty();
    }
  }

  /** Everybody's SAs, asked for by either end. */
  private static void children(Peers peers) {
    own(peers, "--child");
    servers(peers, "--rekey-ipsec", "own");
    assertThat(peers.rekeyed(IntStream.of(1), false)).as(peers::logs).isEqualTo(1);
    assertThat(peers.rekeyed(IntStream.of(2), true)).as(peers::logs).isEqualTo(1);
  }

  /** The first message under the new cookies is now the server's, now ours. */
  private static void newIkeSas(Peers peers) {
    own(peers, "--ike");
    servers(peers, "--rekey-ipsec", "own");
    servers(peers, "--rekey-ike", "own");
    servers(peers, "--rekey-ipsec", "own");
    servers(peers, "--rekey-ike", "own");
    own(peers, "--child");
    servers(peers, "--rekey-ike", "c2");
    servers(peers, "--rekey-ipsec", "c2");
    assertThat(peers.whack(List.of("c1 --name vpn --rekey-ike"), 60)).isEqualTo(1);
  }

  private static void forget(Peers peers) {
    peers.host("gw").run("nft", "flush", "set", "inet", "gatehouse", "masq.own_cookies").expected();
  }

  /** What xfrm of the gateway refused: a host's ESP would be an SPI without a state there. */
  private static List<String> errors(Peers peers) {
    return peers
        .host("gw")
        .run("cat", "/proc/net/xfrm_stat")
        .expected()
        .out()
        .lines()
        .filter(line -> line.startsWith("XfrmIn") && !line.endsWith("\t0"))
        .toList();
  }

  private static void own(Peers peers, String what) {
    peers.host("gw").run("swanctl", "--rekey", what, "branch").expected();
  }

  private static void servers(Peers peers, String what, String connection) {
    assertThat(peers.whack(List.of("srv --name " + connection + " " + what), 60))
        .as(peers::logs)
        .isEqualTo(1);
  }

  /** Captures of both sides of the gateway. */
  private static final class Watch {
    private final Peers peers;
    private final Capture outside;
    private final Capture inside;

    Watch(Peers peers) {
      this.peers = peers;
      outside = Capture.of(peers.host("gw"), "eth0");
      inside = Capture.of(peers.host("gw"), "eth1");
    }

    Sorted end(String what) {
      Sorted sorted = new Sorted(peers, outside.end(), inside.end());
      System.out.println("own tunnel, " + what + ": " + sorted);
      return sorted;
    }
  }

  /**
   * What became of the packets that the server sent, by whose they are: {@code right} to their
   * owner alone, {@code copied} to it and others, {@code gone} to nobody.
   */
  private static final class Sorted {
    private final Map<String, Integer> counts = new TreeMap<>();

    Sorted(Peers peers, List<Capture.Seen> outside, List<Capture.Seen> inside) {
      Map<Integer, String> spis = new HashMap<>();
      found(CHARON, peers.host("gw").charonLog()).forEach(spi -> spis.put(spi, "own"));
      for (String client : List.of("c1", "c2")) {
        found(PLUTO, peers.host(client).run("cat", "/var/log/pluto.log").out())
            .forEach(spi -> spis.put(spi, client));
      }
      Map<Long, String> cookies = new HashMap<>();
      for (Capture.Seen seen : inside) {
        if (seen.to().equals(SERVER)) {
          seen.ike().ifPresent(ike -> cookies.put(ike.initiator(), name(seen.from())));
        }
      }
      sort(outside, inside, spis, cookies);
    }

    private static String name(Address host) {
      return "c" + ((host.low() & 0xff) - 10);
    }

    private static List<Integer> found(Pattern pattern, String log) {
      List<Integer> all = new ArrayList<>();
      Matcher matcher = pattern.matcher(log);
      while (matcher.find()) {
        all.add(Integer.parseUnsignedInt(matcher.group(1), 16));
      }
      return all;
    }

    private void sort(
        List<Capture.Seen> outside,
        List<Capture.Seen> inside,
        Map<Integer, String> spis,
        Map<Long, String> cookies) {
      Map<String, Set<String>> came = new HashMap<>();
      for (Capture.Seen seen : inside) {
        if (seen.from().equals(SERVER)) {
          came.computeIfAbsent(key(seen), key -> new HashSet<>()).add(name(seen.to()));
        }
      }
      Map<String, String> sent = new LinkedHashMap<>();
      for (Capture.Seen seen : outside) {
        if (seen.from().equals(SERVER)) {
          String what = seen.esp().isPresent() ? " ESP" : " IKE";
          String whose =
              seen.esp()
                  .map(esp -> spis.getOrDefault(esp.spi(), "nobody"))
                  .orElseGet(
                      () -> cookies.getOrDefault(seen.ike().orElseThrow().initiator(), "own"));
          sent.put(key(seen), whose + what);
        }
      }
      sent.forEach((key, whose) -> {
        Set<String> hosts = came.getOrDefault(key, Set.of());
        String owner = whose.split(" ", 2)[0];
        boolean right = owner.equals("own") ? hosts.isEmpty() : hosts.equals(Set.of(owner));
        boolean copied = owner.equals("own") || hosts.contains(owner);
        String fate =
            right ? "right" : copied ? "copied" : hosts.isEmpty() ? "gone" : "to " + hosts;
        counts.merge(whose + " " + fate, 1, Integer::sum);
      });
    }

    private static String key(Capture.Seen seen) {
      return seen.esp()
          .map(esp -> "%08x %d".formatted(esp.spi(), esp.sequence()))
          .orElseGet(() -> {
            Ike ike = seen.ike().orElseThrow();
            return "%016x %016x %d %d %d"
                .formatted(
                    ike.initiator(), ike.responder(), ike.exchange(), ike.flags(), ike.messageId());
          });
    }

    int of(String what) {
      return counts.getOrDefault(what, 0);
    }

    /** All to their owners; those of hosts may be copied among these. */
    void keptApart() {
      otherwiseKeptApart("");
    }

    void otherwiseKeptApart(String but) {
      for (String owner : List.of("own", "c1", "c2")) {
        assertThat(of(owner + " ESP right") + of(owner + " ESP copied"))
            .as(toString())
            .isPositive();
      }
      assertThat(counts.keySet())
          .as(toString())
          .isSubsetOf(
              "own ESP right",
              "own IKE right",
              "c1 ESP right",
              "c1 IKE right",
              "c1 ESP copied",
              "c2 ESP right",
              "c2 IKE right",
              "c2 ESP copied",
              but);
    }

    @Override
    public String toString() {
      return counts.toString();
    }
  }
}
