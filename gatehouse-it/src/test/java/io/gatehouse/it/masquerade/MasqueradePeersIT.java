package io.gatehouse.it.masquerade;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Raw ESP of real clients to one real server: each has its own. */
@Tag("full")
class MasqueradePeersIT {
  private static final int PINGS = 8;

  private static List<Integer> all(int clients, int count) {
    return Collections.nCopies(clients, count);
  }

  @Test
  void twoClientsThatBeginAtOnceHaveTheirOwnWhoeverSpeaksFirst() {
    try (Peers peers = Peers.of(2, i -> 2)) {
      peers.gatehouse();
      assertThat(peers.initiate(60)).as(peers::logs).isEqualTo(2);
      assertThat(peers.pings(true, PINGS)).as(peers::logs).isEqualTo(all(2, PINGS));
      assertThat(peers.pings(false, PINGS)).as(peers::logs).isEqualTo(all(2, PINGS));
      assertThat(peers.gate().masquerade("status")).contains("2 hosts, 2 IKE sessions");
    }
  }
}
