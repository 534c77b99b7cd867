package io.gatehouse.path;

import static io.gatehouse.path.Hosts.*;
import static org.assertj.core.api.Assertions.assertThat;

import io.gatehouse.model.Family;
import io.gatehouse.model.Prefix;
import io.gatehouse.ruleset.Chain.Hook;
import io.gatehouse.ruleset.Expression.Concat;
import io.gatehouse.ruleset.Expression.Mapped;
import io.gatehouse.ruleset.Expression.Payload;
import io.gatehouse.ruleset.Expression.Range;
import io.gatehouse.ruleset.Expression.Selector;
import io.gatehouse.ruleset.Expression.Tuple;
import io.gatehouse.ruleset.Expression.Value;
import io.gatehouse.ruleset.NftSet;
import io.gatehouse.ruleset.NftSet.Contract;
import io.gatehouse.ruleset.Statement;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;

/**
 * Zones out of live maps, destinations out of live maps by zone, and packets that are asked about.
 */
class MasqueradePathTest {
  private static final Selector ZONE = ct("zone");
  private static final Selector SPI = new Payload("esp", "spi");
  private static final Value ZONES = new Range(number(0x8000), number(0x8fff));
  private static final Prefix ONE_OF_THEM = Prefix.of("10.0.1.16/30");
  private static final int ESP = 50;

  private static NftSet map(String name, Selector key, Selector to, Value keys, Value data) {
    return new NftSet(
        name,
        key,
        Optional.of(new NftSet.Holds.Values(to)),
        Set.of(),
        List.of(),
        Optional.of(new Contract(List.of(keys), List.of(), List.of(data))),
        HERE);
  }

  private static Concat remoteAndSpi() {
    return new Concat(List.of(saddr(), SPI));
  }

  private static Hosts hosts(Statement... behind) {
    List<NftSet> sets =
        List.of(
            map(
                "spis",
                remoteAndSpi(),
                ZONE,
                new Tuple(List.of(net(Prefix.ALL_V4), new Range(number(1), number(0xffffffffL)))),
                ZONES),
            map("hosts", ZONE, daddr(), ZONES, net(ONE_OF_THEM)));
    Hosts hosts = gateway();
    return hosts.table(
        "inet",
        "t",
        sets,
        base(
            "filter",
            Hook.PREROUTING,
            -300,
            rule(iif(WAN), new Statement.Assign(ZONE, new Mapped(remoteAndSpi(), "spis")), ACCEPT),
            rule(behind)),
        base(
            "nat",
            Hook.PREROUTING,
            -100,
            rule(
                iif(WAN),
                is(ZONE, ZONES),
                new Statement.Nat.Destination(
                    Optional.of(new Mapped(ZONE, "hosts", Optional.of(Family.V4))),
                    Optional.empty(),
                    List.of()))));
  }

  private static HeaderSpace.Packet esp(String destination) {
    return packet(WAN, Optional.empty(), ESP, "198.51.100.7", destination, 0, 0);
  }

  private static boolean reaches(Hosts hosts, Prefix there) {
    return hosts.ask(path -> {
      HeaderSpace space = path.space();
      Journey journey = path.received(space.only(esp("203.0.113.1")));
      return journey.leftWithDestination(List.of(there)) != 0;
    });
  }

  @Test
  void whatTheMapMayHoldIsReachedAndNothingElse() {
    Hosts hosts = hosts(ACCEPT);
    assertThat(reaches(hosts, ONE_OF_THEM)).isTrue();
    assertThat(reaches(hosts, Prefix.of("10.0.1.20/30"))).isFalse();
    // A map that does not know the SPI leaves the packet to this host.
    assertThat(hosts.fates(esp("203.0.113.1"))).contains("here 198.51.100.7 > 203.0.113.1");
  }

  @Test
  void whoeverListensMayThrowAwayWhatIsAsked() {
    Hosts hosts = hosts(new Statement.Queue(7171, 7171, true));
    assertThat(hosts.fates(esp("203.0.113.1")))
        .contains("here 198.51.100.7 > 203.0.113.1")
        .anyMatch(fate -> fate.startsWith("dropped by inet t"));
    assertThat(reaches(hosts, Prefix.of("10.0.1.20/30"))).isFalse();
  }

  @Test
  void aRuleThatLearnsChangesNothing() {
    Statement update =
        new Statement.Update("seen", saddr(), Optional.empty(), Duration.ofMinutes(1));
    Hosts hosts = gateway();
    hosts.table("t", base("filter", Hook.PREROUTING, -150, rule(iif(WAN), update)));
    assertThat(hosts.fates(esp("203.0.113.1"))).containsExactly("here 198.51.100.7 > 203.0.113.1");
  }

  @Test
  void noStandingConnectionLeadsBeyondWhatTheMapMayHold() {
    Hosts hosts = hosts(ACCEPT);
    boolean beyond =
        hosts.ask(path -> {
          HeaderSpace space = path.space();
          int established =
              space
                  .bdd()
                  .and(
                      space.bdd().and(space.established(), space.inClear()),
                      space.destination(Prefix.of("203.0.113.1/32")));
          Journey journey = path.received(established);
          return journey.leftWithDestination(List.of(Prefix.of("10.0.1.20/30"))) != 0;
        });
    assertThat(beyond).isFalse();
  }
}
