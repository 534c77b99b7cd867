package io.gatehouse.apply;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatehouse.model.Address;
import io.gatehouse.model.Prefix;
import io.gatehouse.ruleset.Chain;
import io.gatehouse.ruleset.Ruleset;
import io.gatehouse.ruleset.Statement;
import io.gatehouse.ruleset.Statement.Verdict;
import io.gatehouse.ruleset.XfrmPolicy.Direction;
import io.gatehouse.snapshot.Connection;
import io.gatehouse.snapshot.Seen;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;

class StaleConnectionsTest {
  private static final Ruleset OFFICE = OfficeHost.example("office");
  private static final Ruleset FORWARDS = OfficeHost.example("port-forward");

  /** {@code 10.0.1.20:4000 198.51.100.5:53}, of the first packet and of its answer. */
  private static Connection connection(String protocol, String original, String reply) {
    return new Connection(protocol, tuple(original), tuple(reply), OptionalInt.empty());
  }

  private static Connection.Tuple tuple(String text) {
    String[] words = text.split("[ :]", -1);
    return words.length == 4
        ? new Connection.Tuple(
            Address.of(words[0]),
            Address.of(words[2]),
            OptionalInt.of(Integer.parseInt(words[1])),
            OptionalInt.of(Integer.parseInt(words[3])))
        : new Connection.Tuple(
            Address.of(words[0]), Address.of(words[1]), OptionalInt.empty(), OptionalInt.empty());
  }

  private static boolean isStale(Ruleset ruleset, String protocol, String original, String reply) {
    StaleConnections.Found found =
        StaleConnections.of(
            List.of(connection(protocol, original, reply)), ruleset, OfficeHost.snapshot());
    assertThat(found.complete()).isTrue();
    return !found.connections().isEmpty();
  }

  @Test
  void whatWouldBeMasqueradedAndIsNot() {
    String from = "10.0.1.20:4000 198.51.100.5:53";
    assertThat(isStale(OFFICE, "udp", from, "198.51.100.5:53 10.0.1.20:4000")).isTrue();
    assertThat(isStale(OFFICE, "udp", from, "198.51.100.5:53 203.0.113.2:4000")).isFalse();
    assertThat(isStale(OFFICE, "udp", from, "198.51.100.5:53 203.0.113.9:4000")).isTrue();
    // The kernel chose another port.
    assertThat(isStale(OFFICE, "udp", from, "198.51.100.5:53 203.0.113.2:1024")).isFalse();
    assertThat(isStale(OFFICE, "icmp", "10.0.1.20 198.51.100.5", "198.51.100.5 10.0.1.20"))
        .isTrue();
    assertThat(isStale(OFFICE, "unknown", "10.0.1.20 198.51.100.5", "198.51.100.5 203.0.113.2"))
        .isFalse();
  }

  @Test
  void whatATunnelWillProtectAndHasAnotherSource() {
    String from = "10.0.1.20:4000 10.20.0.5:53";
    assertThat(isStale(OFFICE, "udp", from, "10.20.0.5:53 203.0.113.2:4000")).isTrue();
    assertThat(isStale(OFFICE, "udp", from, "10.20.0.5:53 10.0.1.20:4000")).isFalse();
  }

  @Test
  void whatOurRulesDoNotTranslateIsLeftToOthers() {
    // Somebody else's masquerade, of a network that is not ours, and of this host.
    assertThat(
            isStale(
                OFFICE,
                "udp",
                "172.17.0.2:4000 198.51.100.5:53",
                "198.51.100.5:53 203.0.113.2:4000"))
        .isFalse();
    assertThat(
            isStale(
                OFFICE,
                "udp",
                "203.0.113.2:4000 198.51.100.5:53",
                "198.51.100.5:53 203.0.113.77:4000"))
        .isFalse();
    // Somebody else's redirect of what would leave by our masquerade.
    assertThat(
            isStale(
                OFFICE, "tcp", "10.0.1.20:4000 198.51.100.5:80", "10.0.1.80:3128 10.0.1.20:4000"))
        .isFalse();
    // To this host.
    assertThat(isStale(OFFICE, "tcp", "10.0.1.20:4001 10.0.1.1:22", "10.0.1.1:22 10.0.1.20:4001"))
        .isFalse();
  }

  @Test
  void whatATunnelBesideOursMayProtectStays() {
    Seen.Policy policy =
        new Seen.Policy(
            Direction.OUT,
            Prefix.of("10.0.1.0/24"),
            Prefix.of("10.99.0.0/16"),
            1000,
            /* block= */ false,
            /* mark= */ Optional.empty(),
            /* byAddresses= */ true,
            /* plain= */ false);
    List<Connection> connections =
        List.of(
            connection("udp", "10.0.1.20:4000 10.99.0.5:53", "10.99.0.5:53 10.0.1.20:4000"),
            connection("udp", "10.0.1.20:4000 10.98.0.5:53", "10.98.0.5:53 10.0.1.20:4000"));

    assertThat(StaleConnections.of(connections, OFFICE, OfficeHost.snapshot(policy)).connections())
        .containsExactly(connections.getLast());
  }

  @Test
  void whatAPortForwardLeadsElsewhere() {
    String from = "198.51.100.7:4000 203.0.113.2:443";
    assertThat(isStale(FORWARDS, "tcp", from, "10.0.1.80:8443 198.51.100.7:4000")).isFalse();
    assertThat(isStale(FORWARDS, "tcp", from, "10.0.1.81:8443 198.51.100.7:4000")).isTrue();
    assertThat(isStale(FORWARDS, "tcp", from, "10.0.1.80:443 198.51.100.7:4000")).isTrue();
    assertThat(isStale(FORWARDS, "tcp", from, "203.0.113.2:443 198.51.100.7:4000")).isTrue();
    // No rule of ours is about this port.
    assertThat(
            isStale(
                FORWARDS,
                "tcp",
                "198.51.100.7:4000 203.0.113.2:25",
                "10.0.1.25:25 198.51.100.7:4000"))
        .isFalse();
  }

  @Test
  void aGotoThatRunsOutInATranslatingChainTranslatesNothing() {
    Ruleset lost =
        OfficeHost.before(
            OfficeHost.with(OFFICE, new Chain("empty", Optional.empty(), List.of())),
            "nat_out",
            OfficeHost.rule(new Verdict.Goto("empty")));

    assertThat(
            isStale(
                lost, "udp", "10.0.1.20:4000 198.51.100.5:53", "198.51.100.5:53 10.0.1.20:4000"))
        .isFalse();
  }

  @Test
  void whatMayBeAsItIsStays() {
    Ruleset strange =
        OfficeHost.before(
            OFFICE,
            "nat_out",
            OfficeHost.rule(new Statement.Opaque("xt match \"x\""), new Verdict.Accept()));

    assertThat(
            isStale(
                strange, "udp", "10.0.1.20:4000 198.51.100.5:53", "198.51.100.5:53 10.0.1.20:4000"))
        .isFalse();
  }

  @Test
  void aRulesetWithoutTranslationEndsNothing() {
    assertThat(
            isStale(
                OfficeHost.without(OFFICE, "nat_out"),
                "udp",
                "10.0.1.20:4000 198.51.100.5:53",
                "198.51.100.5:53 203.0.113.2:4000"))
        .isFalse();
  }

  @Test
  void oneWalkAnswersForThousands() {
    List<Connection> many = new ArrayList<>();
    for (int i = 0; i < 20_000; i++) {
      String from = "10.0.1." + (2 + i % 250) + ":" + (1024 + i);
      String to = "198.51." + (i % 200) + "." + (i / 200) + ":53";
      many.add(
          connection("udp", from + " " + to, to + (i % 2 == 0 ? " " + from : " 203.0.113.2:" + i)));
    }

    StaleConnections.Found found = StaleConnections.of(many, OFFICE, OfficeHost.snapshot());

    assertThat(found.complete()).isTrue();
    assertThat(found.connections()).hasSize(10_000).allMatch(c -> !c.sourceTranslated());
  }
}
