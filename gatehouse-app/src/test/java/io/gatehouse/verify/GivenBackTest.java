package io.gatehouse.verify;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatehouse.bdd.Bdd;
import io.gatehouse.bdd.Bounded;
import io.gatehouse.compile.Compiler;
import io.gatehouse.generated.Descriptions;
import io.gatehouse.generated.Weakened;
import io.gatehouse.model.Address;
import io.gatehouse.model.Family;
import io.gatehouse.model.Gateway;
import io.gatehouse.path.DescribedHost;
import io.gatehouse.path.HeaderSpace.Connection;
import io.gatehouse.path.HeaderSpace.Packet;
import io.gatehouse.path.HostState;
import io.gatehouse.path.HostState.SpdState;
import io.gatehouse.path.PacketPath;
import io.gatehouse.ruleset.Ruleset;
import java.lang.management.ManagementFactory;
import java.lang.ref.Reference;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import javax.management.JMException;
import javax.management.ObjectName;
import org.junit.jupiter.api.Test;

/** Nothing of a question's decision diagrams outlives it, nor does its answer hold them. */
class GivenBackTest {
  private static final Gateway OFFICE = Descriptions.example("office.yaml");
  private static final Ruleset RULES = Compiler.compile(OFFICE).ruleset();

  /** Arenas that something still refers to, as the collector finds them. */
  private static long arenas() {
    try {
      Object[] none = {new String[0]};
      String histogram =
          (String)
              ManagementFactory.getPlatformMBeanServer()
                  .invoke(
                      new ObjectName("com.sun.management:type=DiagnosticCommand"),
                      "gcClassHistogram",
                      none,
                      new String[] {String[].class.getName()});
      // Such as "  17:   1   56  io.gatehouse.bdd.Bdd".
      return histogram
          .lines()
          .map(line -> line.strip().split("\\s+", -1))
          .filter(words -> words.length > 3 && words[3].equals(Bdd.class.getName()))
          .mapToLong(words -> Long.parseLong(words[1]))
          .sum();
    } catch (JMException e) {
      throw new AssertionError(e);
    }
  }

  private static HostState host(Gateway gateway, Ruleset ruleset) {
    return DescribedHost.of(gateway, ruleset, tunnel -> EnumSet.allOf(SpdState.class));
  }

  private static <T> T heldAlone(Supplier<T> question) {
    long before = arenas();
    T answer = question.get();
    try {
      assertThat(arenas()).as("arenas that outlive the question").isEqualTo(before);
    } finally {
      Reference.reachabilityFence(answer);
    }
    return answer;
  }

  @Test
  void aQuestionHoldsItsArenaWhileItIsAsked() {
    long before = arenas();

    Bounded<Long> during =
        PacketPath.ask(
            host(OFFICE, RULES),
            Family.V4,
            Proofs.NODES,
            path -> {
              try {
                return arenas();
              } finally {
                Reference.reachabilityFence(path);
              }
            });

    assertThat(during).isEqualTo(new Bounded.Answer<>(before + 1));
  }

  @Test
  void proofsGiveTheirArenasBack() {
    List<Verdict> verdicts = heldAlone(() -> Proofs.of(OFFICE, RULES));

    assertThat(verdicts).allMatch(verdict -> verdict instanceof Verdict.Holds);
  }

  @Test
  void soDoProofsThatFindWitnesses() {
    Ruleset open =
        new Weakened(RULES)
            .without("for a tunnel, would leave in clear")
            .withoutBackstop()
            .ruleset();

    List<Verdict> verdicts = heldAlone(() -> Proofs.of(OFFICE, open));

    assertThat(verdicts).anyMatch(verdict -> verdict instanceof Verdict.Broken);
  }

  @Test
  void soDoProofsThatGiveUp() {
    List<Verdict> verdicts = heldAlone(() -> Proofs.of(OFFICE, RULES, 5_000));

    assertThat(verdicts).anyMatch(verdict -> verdict instanceof Verdict.Unknown);
  }

  @Test
  void soDoTraces() {
    Packet packet =
        new Packet(
            "eth1",
            Optional.empty(),
            Connection.NEW,
            false,
            6,
            Address.of("10.0.1.9"),
            Address.of("192.0.2.9"),
            40_000,
            443,
            0,
            0);
    Follow follow = Follow.described(OFFICE, RULES);

    Optional<Follow.Ends> ends =
        heldAlone(() -> follow.packet(packet, /* made= */ false, Optional.empty()));

    assertThat(ends.flatMap(Follow.Ends::arrives)).isPresent();
  }

  @Test
  void soDoComparisons() {
    HostState one = host(OFFICE, RULES);
    HostState other = host(OFFICE, RULES.withTables(List.of()));

    Comparison.Outcome outcome =
        heldAlone(() -> Comparison.of(one, other, List.of(Family.V4, Family.V6)));

    assertThat(outcome.differences()).isNotEmpty();
  }
}
