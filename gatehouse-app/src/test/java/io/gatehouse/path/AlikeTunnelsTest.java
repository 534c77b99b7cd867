package io.gatehouse.path;

import static io.gatehouse.path.Hosts.*;
import static org.assertj.core.api.Assertions.assertThat;

import io.gatehouse.bdd.Bdd;
import io.gatehouse.bdd.Bounded;
import io.gatehouse.model.Address;
import io.gatehouse.model.Family;
import io.gatehouse.model.Prefix;
import io.gatehouse.path.HeaderSpace.Connection;
import io.gatehouse.path.HeaderSpace.Packet;
import io.gatehouse.path.HostState.SpdState;
import io.gatehouse.path.Journey.Decider;
import io.gatehouse.path.Journey.Outcome;
import io.gatehouse.ruleset.Chain.Hook;
import io.gatehouse.ruleset.Expression;
import io.gatehouse.ruleset.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.function.Function;
import org.junit.jupiter.api.Test;

/** Tunnels that only their far addresses tell apart are one class, and no answer changes by it. */
class AlikeTunnelsTest {
  private static final int BRANCHES = 12;
  private final Hosts hosts = branches(SpdState.values());

  private static Prefix far(int branch) {
    return Prefix.of("10.20." + branch + ".0/24");
  }

  private static Hosts branches(SpdState... states) {
    Hosts hosts = gateway();
    for (int branch = 0; branch < BRANCHES; branch++) {
      hosts.tunnel("b" + branch, OFFICE, far(branch), states);
    }
    return hosts;
  }

  private static TunnelClasses classes(Hosts hosts) {
    HostState state = hosts.state();
    return TunnelClasses.of(state, Family.V4, Mentions.in(state, Family.V4));
  }

  @Test
  void branchesAreOneClass() {
    assertThat(classes(hosts).count()).isEqualTo(1);
  }

  @Test
  void oneInAnotherStateIsApart() {
    hosts.tunnel("down", OFFICE, Prefix.of("10.30.0.0/24"), SpdState.NO_SA);
    assertThat(classes(hosts).count()).isEqualTo(2);
  }

  @Test
  void thoseWhoseAddressesMeetAreApart() {
    hosts.tunnel("wide", OFFICE, Prefix.of("10.20.0.0/22"), SpdState.values());
    // The wide one, the four within it, and all others.
    assertThat(classes(hosts).count()).isEqualTo(6);
  }

  @Test
  void aRuleThatWritesAddressesKeepsThemApart() {
    hosts.table(
        "t",
        base(
            "filter",
            Hook.PREROUTING,
            -300,
            false,
            rule(new Statement.Assign(saddr(), new Expression.Addr(Address.of("10.20.1.1"))))));
    assertThat(classes(hosts).count()).isEqualTo(BRANCHES);
  }

  @Test
  void onlyTheBranchThatASourceBelongsToMayBringIt() {
    Hosts up = branches(SpdState.UP);
    assertThat(up.fates(udpIn("b3", "10.20.3.5", "10.0.1.20", 445)))
        .containsExactly("eth1 10.20.3.5 > 10.0.1.20");
    assertThat(up.fates(udpIn("b4", "10.20.3.5", "10.0.1.20", 445)))
        .containsExactly("dropped by XfrmInTmplMismatch");
    assertThat(up.fates(udpIn("b4", "198.51.100.9", "10.0.1.20", 445)))
        .containsExactly("dropped by XfrmInNoPols");
  }

  @Test
  void aPacketForABranchGoesThroughThatOneAndNamesItsPolicy() {
    Hosts up = branches(SpdState.UP);
    up.ask(path -> {
      Journey journey = path.received(path.space().only(udp(LAN, "10.0.1.20", "10.20.7.9", 80)));
      assertThat(journey.leftThrough("b7")).isEqualTo(journey.started());
      assertThat(journey.leftThrough("b8")).isEqualTo(Bdd.FALSE);
      Journey.Trace trace = journey.trace(journey.left()).orElseThrow();
      assertThat(trace.outcome().flatMap(Outcome::tunnel)).contains("b7");
      assertThat(trace.steps().stream().map(Journey.Step::by))
          .anyMatch(by ->
              by instanceof Decider.ByXfrmPolicy policy
                  && policy.policy().destination().equals(far(7)));
      return 0;
    });
  }

  @Test
  void whoeverIsSaidToHaveBroughtIt() {
    hosts.ask(path -> {
      HeaderSpace space = path.space();
      int foreign = space.bdd().difference(space.through("b2"), space.throughItsOwn(List.of("b2")));
      Packet packet = space.witness(foreign).orElseThrow();
      // Of a source that is another's, or nobody's, some branch that does not own it.
      assertThat(far(Integer.parseInt(packet.tunnel().orElseThrow().substring(1))))
          .matches(prefix -> !prefix.contains(packet.source()));
      return 0;
    });
  }

  @Test
  void everyPacketFaresAsItDoesWhereTunnelsAreKeptApart() {
    hosts.table("nat", base("nat", Hook.POSTROUTING, 100, rule(oif(WAN), masquerade())));
    Random lot = new Random(3);
    List<Packet> packets = new ArrayList<>();
    for (int i = 0; i < 150; i++) {
      packets.add(packet(lot));
    }
    Function<PacketPath, List<List<Boolean>>> question =
        path -> packets.stream().map(packet -> ends(path, packet)).toList();
    assertThat(answer(PacketPath.ask(hosts.state(), Family.V4, 4_000_000, question)))
        .isEqualTo(
            answer(
                PacketPath.together(
                    List.of(hosts.state()),
                    Family.V4,
                    4_000_000,
                    paths -> question.apply(paths.getFirst()))));
  }

  private static <T> T answer(Bounded<T> bounded) {
    return switch (bounded) {
      case Bounded.Answer<T> answer -> answer.value();
      case Bounded.GaveUp<T> gaveUp -> throw new AssertionError("gave up: " + gaveUp);
    };
  }

  private static Packet packet(Random lot) {
    String device = lot.nextBoolean() ? WAN : LAN;
    Optional<String> tunnel =
        lot.nextInt(3) == 0 ? Optional.empty() : Optional.of("b" + lot.nextInt(BRANCHES));
    return new Packet(
        device, tunnel, Connection.NEW, false, 17, address(lot), address(lot), 4000, 80, 0, 0);
  }

  private static Address address(Random lot) {
    return Address.of(
        switch (lot.nextInt(4)) {
          case 0 -> "10.0.1.20";
          case 1 -> "198.51.100.7";
          default -> "10.20." + lot.nextInt(BRANCHES + 1) + ".5";
        });
  }

  /** What may become of it, each in some circumstances. */
  private static List<Boolean> ends(PacketPath path, Packet packet) {
    Bdd bdd = path.space().bdd();
    Journey journey = path.received(path.space().only(packet));
    List<Boolean> ends = new ArrayList<>();
    ends.add(journey.started() != Bdd.FALSE);
    ends.add(journey.delivered() != Bdd.FALSE);
    ends.add(journey.leftInClear() != Bdd.FALSE);
    ends.add(
        bdd.difference(journey.started(), bdd.or(journey.left(), journey.delivered()))
            != Bdd.FALSE);
    for (int branch = 0; branch < BRANCHES; branch++) {
      ends.add(journey.leftThrough("b" + branch) != Bdd.FALSE);
    }
    return ends;
  }
}
