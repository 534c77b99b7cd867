package io.gatehouse.it.masquerade;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatehouse.it.masquerade.Peers.Keying;
import io.gatehouse.it.masquerade.Peers.Lost;
import java.util.ArrayList;
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

  private static final List<Integer> BY_CLIENT = List.of(1, 2, 3);
  private static final List<Integer> BY_SERVER = List.of(4, 5, 6);

  private static List<Integer> all(int clients) {
    return Collections.nCopies(clients, PINGS);
  }

  @Test
  void twoClientsHaveTheirOwnWhoeverSpeaksFirstAndKeepItWithoutTheDaemon() {
    try (Peers peers = Peers.behindGatehouse(2, i -> Keying.V2)) {
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
    try (Peers peers = Peers.behindStock(2, i -> Keying.V2)) {
      assertThat(peers.initiate(120)).as(peers::logs).isEqualTo(2);
      List<Integer> answered = peers.pings(false, PINGS);
      System.out.println("stock masquerade, answers of " + PINGS + ": " + answered);
      assertThat(answered).as(peers::logs).containsExactlyInAnyOrder(0, PINGS);
    }
  }

  /**
   * What a single client under stock masquerade loses: the yardstick. libreswan that is asked sends
   * under the new SA before its answer is there, which loses a packet now and then without any NAT.
   *
   * @return at most, of any client in any round, and one in any case
   */
  private static int lostBySingleClientUnderStock(Keying keying) {
    List<Lost> all = new ArrayList<>();
    try (Peers peers = Peers.behindStock(1, i -> keying)) {
      assertThat(peers.initiate(120)).as(peers::logs).isEqualTo(1);
      assertThat(peers.pings(false, PINGS)).as(peers::logs).isEqualTo(all(1));
      List<Integer> one = List.of(1);
      if (keying.version() == 1) {
        all.addAll(peers.lostMeanwhile(IntStream.of(1), List.of(), List.of(), one));
      } else {
        for (int round = 0; round < 3; round++) {
          all.addAll(peers.lostMeanwhile(IntStream.of(1), one, List.of(), one));
          all.addAll(peers.lostMeanwhile(IntStream.of(1), List.of(), one, one));
        }
      }
    }
    System.out.println("a single client under stock masquerade, rekeyed: " + all);
    return Math.max(1, all.stream().mapToInt(Lost::lost).max().orElseThrow());
  }

  /**
   * What clients lose whose SAs the server replaces in one moment where nothing is translated: they
   * send under their new SA while the server still reckons with the answers of others.
   */
  private static int lostByServersManyWithoutTranslation() {
    List<Lost> all = new ArrayList<>();
    try (Peers peers = Peers.routed(6, i -> Keying.V2)) {
      assertThat(peers.initiate(240)).isEqualTo(6);
      for (int round = 0; round < 3; round++) {
        all.addAll(
            peers
                .lostMeanwhile(
                    IntStream.rangeClosed(1, 6), BY_CLIENT, BY_SERVER, List.of(1, 2, 3, 4, 5, 6))
                .subList(3, 6));
      }
    }
    System.out.println("three at once by the server, nothing translated: " + all);
    return all.stream().mapToInt(Lost::lost).max().orElseThrow();
  }

  @Test
  @Tag("full")
  void twoIkeV1ClientsRekeyByLifetimeWhileTheySpeak() {
    int yardstick = lostBySingleClientUnderStock(Keying.V1_SOON);
    try (Peers peers = Peers.behindGatehouse(2, i -> Keying.V1_SOON)) {
      assertThat(peers.initiate(240)).as(peers::logs).isEqualTo(2);
      List<Lost> lost =
          peers.lostMeanwhile(IntStream.of(1, 2), List.of(), List.of(), List.of(1, 2));
      System.out.println("two of IKEv1 behind Gatehouse, rekeyed by lifetime: " + lost);
      assertThat(lost).as(peers::logs).allMatch(one -> one.lost() <= yardstick);
      assertThat(peers.pings(true, PINGS)).as(peers::logs).isEqualTo(all(2));
    }
  }

  @Test
  @Tag("full")
  void aServerInsideAndClientsAtOneRemoteWithRawEsp() {
    serverInside(false);
  }

  @Test
  @Tag("full")
  void aServerInsideByNatTraversalAndClientsWithRawEsp() {
    serverInside(true);
  }

  /** A client before it, one behind it, and all go on. */
  private static void serverInside(boolean natT) {
    try (Peers peers = Peers.behindGatehouseWithAServer(2, natT)) {
      assertThat(peers.initiate(IntStream.of(1), 120)).as(peers::logs).isEqualTo(1);
      assertThat(peers.pings(IntStream.of(1), false, PINGS)).as(peers::logs).isEqualTo(all(1));
      int remotes = natT ? 1 : 2;
      assertThat(peers.begunWithSite("road")).as(peers::logs).isTrue();
      if (!natT) {
        assertThat(peers.begunWithSite("srv")).as(peers::logs).isTrue();
      }
      assertThat(peers.sitePings(true, PINGS)).as(peers::logs).isEqualTo(all(remotes));
      assertThat(peers.sitePings(false, PINGS)).as(peers::logs).isEqualTo(all(remotes));
      assertThat(peers.encapsulated("site"))
          .as("in UDP, and not: a pair of SAs with each remote")
          .isEqualTo(natT ? List.of(2, 0) : List.of(0, 4));

      assertThat(peers.initiate(IntStream.of(2), 120)).as(peers::logs).isEqualTo(1);
      for (boolean outsideFirst : new boolean[] {false, true}) {
        assertThat(peers.pings(outsideFirst, PINGS)).as(peers::logs).isEqualTo(all(2));
        assertThat(peers.sitePings(outsideFirst, PINGS)).as(peers::logs).isEqualTo(all(remotes));
      }
      assertThat(peers.encapsulated("c1"))
          .as("clients encapsulate nothing")
          .isEqualTo(List.of(0, 2));
    }
  }

  @Test
  @Tag("full")
  void eightClientsRekeyAndOneIsReplaced() {
    int yardstick = lostBySingleClientUnderStock(Keying.V2);
    int atOnce = Math.max(yardstick, lostByServersManyWithoutTranslation());
    try (Peers peers = Peers.behindGatehouse(8, i -> i > 6 ? Keying.V1 : Keying.V2)) {
      // They log on and speak at once: copies are what brings each its own.
      assertThat(peers.initiate(240)).as(peers::logs).isEqualTo(8);
      assertThat(peers.pings(false, PINGS)).as(peers::logs).isEqualTo(all(8));
      assertThat(peers.pings(true, PINGS)).as(peers::logs).isEqualTo(all(8));
      // libreswan cannot be told to rekey IKEv1: the test above.
      List<Lost> lost =
          peers.lostMeanwhile(
              IntStream.rangeClosed(1, 8), BY_CLIENT, BY_SERVER, List.of(1, 2, 3, 4, 5, 6));
      System.out.println("eight behind Gatehouse, six rekeyed: " + lost);
      assertThat(lost.subList(0, 3)).as(peers::logs).allMatch(one -> one.lost() <= yardstick);
      assertThat(lost.subList(3, 6)).as(peers::logs).allMatch(one -> one.lost() <= atOnce);
      assertThat(lost.subList(6, 8)).as("nothing was replaced").allMatch(one -> one.lost() == 0);
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
