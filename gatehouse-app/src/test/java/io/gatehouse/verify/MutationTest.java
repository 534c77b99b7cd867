package io.gatehouse.verify;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatehouse.compile.Compiler;
import io.gatehouse.generated.Descriptions;
import io.gatehouse.generated.Mutation;
import io.gatehouse.model.Family;
import io.gatehouse.model.Gateway;
import io.gatehouse.path.DescribedHost;
import io.gatehouse.path.HostState;
import io.gatehouse.path.HostState.SpdState;
import io.gatehouse.ruleset.Ruleset;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Whatever is taken from the rules of an example breaks a property, or lets every packet fare as
 * before. The exceptions let nothing more through.
 */
class MutationTest {

  /** Mutations that no property speaks of, by what they are called, and why. */
  private static final Map<String, String> EXCEPTIONS = exceptions();

  private static Map<String, String> exceptions() {
    Map<String, String> reasons = new LinkedHashMap<>();
    reasons.put(
        "error about a tunnel's packet, in clear: without ct state related",
        "drops answers in clear of connections with an address of a tunnel: there are such only"
            + " where a tunnel reaches the internet through us, and then a property breaks");
    reasons.put(
        "error about a tunnel's packet, in clear: without iifname @outside",
        "drops errors about a tunnel's packet that a router inside sends with an address that no"
            + " network has: the tunnel's selectors would not let them in either");
    reasons.put(
        "error about a tunnel's packet, in clear: without meta ipsec missing",
        "drops errors that one tunnel sends into another: where that is described, a property"
            + " breaks");
    for (String family : List.of("ip", "ip6")) {
      reasons.put(
          "in clear: without ct original " + family + " daddr @ours",
          "drops errors about a client's connections to the world that are for this host itself:"
              + " NAT hands them to the client, and where it does not, a property breaks");
    }
    reasons.put(
        "leaves in clear: without oifname @outside",
        "drops what a tunnel sends to somebody else's device in clear: nothing describes that");
    reasons.put(
        "leaves in clear: without rt ipsec missing",
        "drops what one tunnel sends into another: where that is described, a property breaks");
    reasons.put(
        "its address means nothing out there: without",
        "drops what goes from network to network, or from this host with an inside address to the"
            + " world: where that is described, a property breaks");
    return reasons;
  }

  private static HostState host(Gateway gateway, Ruleset ruleset) {
    return DescribedHost.of(gateway, ruleset, tunnel -> EnumSet.allOf(SpdState.class));
  }

  private record Tally(int broken, int equal, int excepted, List<String> unnoticed) {}

  /**
   * @param every how many of the mutations are tried: each one, or one in so many
   */
  private static Tally tried(String example, int every) {
    Gateway gateway = Descriptions.example(example);
    Ruleset whole = Compiler.compile(gateway).ruleset();
    HostState before = host(gateway, whole);
    List<Mutation> mutations = Mutation.of(whole);
    List<String> unnoticed = new ArrayList<>();
    int broken = 0;
    int equal = 0;
    int excepted = 0;
    for (int i = 0; i < mutations.size(); i += every) {
      Mutation mutation = mutations.get(i);
      if (Proofs.of(gateway, mutation.ruleset()).stream()
          .anyMatch(verdict -> verdict instanceof Verdict.Broken)) {
        broken++;
        continue;
      }
      Comparison.Outcome outcome =
          Comparison.of(before, host(gateway, mutation.ruleset()), List.of(Family.V4, Family.V6));
      if (outcome.isEqual()) {
        equal++;
      } else if (isExcepted(mutation, outcome)) {
        excepted++;
      } else {
        unnoticed.add(example + ": " + mutation.what() + "\n  " + words(outcome) + "\n");
      }
    }
    System.out.printf(
        "%s: %d mutations; %d break a property, %d change nothing, %d are excepted%n",
        example, (mutations.size() + every - 1) / every, broken, equal, excepted);
    return new Tally(broken, equal, excepted, unnoticed);
  }

  /** Only what drops more than before. */
  private static boolean isExcepted(Mutation mutation, Comparison.Outcome outcome) {
    return outcome.unknown().isEmpty()
        && outcome.more() == 0
        && outcome.differences().stream()
            .allMatch(difference -> difference.kind() == Comparison.Kind.FIRST_ALONE)
        && EXCEPTIONS.keySet().stream().anyMatch(mutation.what()::contains);
  }

  private static List<String> words(Comparison.Outcome outcome) {
    List<String> words = new ArrayList<>(outcome.unknown());
    outcome
        .differences()
        .forEach(
            one -> words.add(one.flow() + " " + one.kind() + " " + one.way().first().packet()));
    return words;
  }

  @Test
  void someThingsTakenFromAClosedHostAreNoticed() {
    Tally tally = tried("closed-host.yaml", 6);

    assertThat(tally.unnoticed()).isEmpty();
    assertThat(tally.broken()).isGreaterThan(15);
  }

  @Tag("full")
  @Test
  void everythingTakenFromAClosedHostIsNoticed() {
    Tally tally = tried("closed-host.yaml", 1);

    assertThat(tally.unnoticed()).isEmpty();
    assertThat(tally.broken()).isGreaterThan(100);
  }
}
