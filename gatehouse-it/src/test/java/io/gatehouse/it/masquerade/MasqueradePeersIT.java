package io.gatehouse.it.masquerade;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Collections;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Raw ESP of real clients to one real server: each has its own, whoever speaks first, and what is
 * decided goes on without the daemon.
 */
class MasqueradePeersIT {
  private static final int PINGS = 6;

  private static List<Integer> all(int clients) {
    return Collections.nCopies(clients, PINGS);
  }

  @Test
  void twoClientsHaveTheirOwnWhoeverSpeaksFirstAndKeepItWithoutTheDaemon() {
    try (Peers peers = Peers.behindGatehouse(2, i -> 2)) {
      assertThat(peers.initiate(IntStream.of(1), 120)).as(peers::logs).isEqualTo(1);
      assertThat(peers.pings(IntStream.of(1), true, PINGS)).as(peers::logs).isEqualTo(all(1));
      assertThat(peers.initiate(IntStream.of(2), 120)).as(peers::logs).isEqualTo(1);
      assertThat(peers.pings(false, PINGS)).as(peers::logs).isEqualTo(all(2));
      assertThat(peers.pings(true, PINGS)).as(peers::logs).isEqualTo(all(2));
      assertThat(rightBindings(peers, 2)).as(peers::logs).isEqualTo(2);
      peers.gate().kill();
      assertThat(peers.pings(false, PINGS)).as(peers::logs).isEqualTo(all(2));
    }
  }

  @Test
  @Tag("full")
  void stockMasqueradeServesOneOfTwo() {
    try (Peers peers = Peers.behindStock(2, i -> 2)) {
      assertThat(peers.initiate(120)).as(peers::logs).isEqualTo(2);
      List<Integer> answered = peers.pings(false, PINGS);
      System.out.println("stock masquerade, answers of " + PINGS + ": " + answered);
      assertThat(answered).as(peers::logs).containsExactlyInAnyOrder(0, PINGS);
    }
  }

  @Test
  @Tag("full")
  void eightClientsRekeyAndOneIsReplaced() {
    try (Peers peers = Peers.behindGatehouse(8, i -> i > 6 ? 1 : 2)) {
      // They log on and speak at once: copies are what brings each its own.
      assertThat(peers.initiate(240)).as(peers::logs).isEqualTo(8);
      assertThat(peers.pings(false, PINGS)).as(peers::logs).isEqualTo(all(8));
      assertThat(peers.pings(true, PINGS)).as(peers::logs).isEqualTo(all(8));
      // libreswan cannot be told to rekey IKEv1.
      assertThat(peers.rekeyed(IntStream.rangeClosed(1, 3), false)).as(peers::logs).isEqualTo(3);
      assertThat(peers.rekeyed(IntStream.rangeClosed(4, 6), true)).as(peers::logs).isEqualTo(3);
      assertThat(peers.pings(true, PINGS)).as(peers::logs).isEqualTo(all(8));

      // Nobody told the server that it has gone.
      peers.replace("c3");
      assertThat(peers.initiate(IntStream.of(3), 120)).as(peers::logs).isEqualTo(1);
      assertThat(peers.pings(false, PINGS)).as(peers::logs).isEqualTo(all(8));
      System.out.println("bound, and to their owners: " + rightBindings(peers, 8));
      onlyEspAndIkeGoOut(peers);
    }
  }

  /** How many of the clients' inbound SPIs are bound; all to whom their kernels say. */
  private static int rightBindings(Peers peers, int clients) {
    String status = peers.gate().masquerade("status");
    int bound = 0;
    for (int i = 1; i <= clients; i++) {
      for (String spi : peers.spis("c" + i)) {
        String binding = spi + " from 203.0.113.1 is for ";
        if (status.contains(binding)) {
          bound++;
          assertThat(status).contains(binding + "10.0.1.1" + i + ":");
        }
      }
    }
    return bound;
  }

  private static void onlyEspAndIkeGoOut(Peers peers) {
    assertThat(
            peers.arrived(
                "ours ip from=c1 to=other dst=203.0.113.9",
                "ah ip from=c1 to=other dst=203.0.113.9 proto=51",
                "web tcp from=c1 to=other dst=203.0.113.9:80",
                "routed ip from=other to=c2 dst=10.0.1.12",
                "unknown ip from=other to=c2 dst=203.0.113.2 at=10.0.1.12"))
        .containsExactly("ours");
  }
}
