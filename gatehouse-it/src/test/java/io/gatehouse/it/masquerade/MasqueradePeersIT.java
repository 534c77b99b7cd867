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
@Tag("full")
class MasqueradePeersIT {
  private static final int PINGS = 8;

  private static List<Integer> all(int clients, int count) {
    return Collections.nCopies(clients, count);
  }

  @Test
  void twoClientsHaveTheirOwnAndKeepItWithoutTheDaemon() {
    try (Peers peers = Peers.of(2, i -> 2)) {
      peers.gatehouse();
      assertThat(peers.initiate(60)).as(peers::logs).isEqualTo(2);

      // Both have begun at once, and the server speaks first.
      assertThat(peers.pings(true, PINGS)).as(peers::logs).isEqualTo(all(2, PINGS));
      assertThat(peers.pings(false, PINGS)).as(peers::logs).isEqualTo(all(2, PINGS));
      peers.pingsOf(1, 12); // both asked in one rhythm; now one of them is told
      String status = peers.gate().masquerade("status");
      for (int i = 1; i <= 2; i++) {
        for (String spi : peers.spis("c" + i)) {
          assertThat(status).contains(spi + " from 203.0.113.1 is for 10.0.1.1" + i);
        }
      }
      assertThat(
              peers.arrived(
                  "ours ip from=c1 to=other dst=203.0.113.9",
                  "ah ip from=c1 to=other dst=203.0.113.9 proto=51",
                  "web tcp from=c1 to=other dst=203.0.113.9:80",
                  "routed ip from=other to=c2 dst=10.0.1.12",
                  "unknown ip from=other to=c2 dst=203.0.113.2 at=10.0.1.12"))
          .containsExactly("ours");

      peers.gate().kill();
      assertThat(peers.pings(false, PINGS)).isEqualTo(all(2, PINGS));
      assertThat(peers.arrived("new ip from=c2 to=other dst=203.0.113.9")).isEmpty();

      peers.stock();
      peers.restart();
      peers.initiate(30);
      List<Integer> stock = peers.pings(false, PINGS);
      System.out.println("stock masquerade, answers of " + PINGS + ": " + stock);
      assertThat(stock).as("stock masquerade").contains(0);
    }
  }

  @Test
  void eightClientsRekeyAndOneIsReplaced() {
    try (Peers peers = Peers.of(8, i -> i > 6 ? 1 : 2)) {
      peers.gatehouse();
      assertThat(peers.initiate(240)).as(peers::logs).isEqualTo(8);
      assertThat(peers.pings(false, PINGS)).as(peers::logs).isEqualTo(all(8, PINGS));
      assertThat(peers.pings(true, PINGS)).as(peers::logs).isEqualTo(all(8, PINGS));

      for (int i = 1; i <= 6; i++) {
        peers.whack("c" + i, "--name vpn --rekey-ipsec").expected();
        peers.whack("srv", "--name c" + i + " --rekey-ipsec").expected();
      }
      assertThat(peers.pings(false, PINGS)).as(peers::logs).isEqualTo(all(8, PINGS));
      assertThat(peers.pings(true, PINGS)).as(peers::logs).isEqualTo(all(8, PINGS));

      // Nobody told the server that it has gone.
      peers.replace("c3");
      assertThat(peers.initiate(IntStream.of(3), 60)).as(peers::logs).isEqualTo(1);
      assertThat(peers.pings(false, PINGS)).as(peers::logs).isEqualTo(all(8, PINGS));
    }
  }
}
