package io.gatehouse.verify;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatehouse.compile.Compiler;
import io.gatehouse.generated.Descriptions;
import io.gatehouse.generated.Weakened;
import io.gatehouse.model.Gateway;
import io.gatehouse.path.Journey.Outcome;
import io.gatehouse.ruleset.Ruleset;
import io.gatehouse.ruleset.XfrmPolicy;
import java.util.List;
import org.junit.jupiter.api.Test;

/** A host that is a VPN client for its LAN: what holds of it, and what each part is there for. */
class ClientProofsTest {
  private static final Gateway CLIENT = Descriptions.example("client.yaml");
  private static final Ruleset RULESET = Compiler.compile(CLIENT).ruleset();

  private static List<Verdict> notProved(Ruleset ruleset) {
    return Proofs.of(CLIENT, ruleset).stream()
        .filter(verdict -> !(verdict instanceof Verdict.Holds))
        .toList();
  }

  private static List<Property> broken(Ruleset ruleset) {
    return notProved(ruleset).stream().map(Verdict::property).toList();
  }

  private static Verdict.Broken broken(Ruleset ruleset, Property property) {
    Verdict verdict =
        notProved(ruleset).stream().filter(v -> v.property() == property).findFirst().orElseThrow();
    assertThat(verdict).isInstanceOf(Verdict.Broken.class);
    return (Verdict.Broken) verdict;
  }

  @Test
  void everyPropertyHolds() {
    assertThat(notProved(RULESET)).isEmpty();
  }

  @Test
  void everyPropertyHoldsWhereEverythingGoesIntoTheTunnel() {
    Gateway full = Descriptions.example("full-client.yaml");

    assertThat(Proofs.of(full, Compiler.compile(full).ruleset()))
        .allMatch(verdict -> verdict instanceof Verdict.Holds);
  }

  @Test
  void withoutTheMarkTheBackstopLetsTheLanOutInClear() {
    List<XfrmPolicy> unmarked =
        RULESET.backstop().stream()
            .map(policy ->
                new XfrmPolicy(
                    policy.direction(),
                    policy.source(),
                    policy.destination(),
                    policy.priority(),
                    policy.block(),
                    policy.origin()))
            .toList();
    Ruleset weaker =
        new Ruleset(
            RULESET.gateway(),
            RULESET.tables(),
            unmarked,
            RULESET.rules(),
            RULESET.routes(),
            RULESET.neighbours(),
            RULESET.sysctls(),
            RULESET.numbers());

    Outcome outcome = broken(weaker, Property.FLUSHED).witness().outcome().orElseThrow();
    assertThat(outcome.tunnel()).isEmpty();
    assertThat(outcome.device()).contains("eth0");
  }

  @Test
  void withoutNatNobodyOfTheLanGetsThere() {
    Weakened weaker = new Weakened(RULESET).without("home appears as");

    assertThat(broken(weaker.ruleset()))
        .contains(Property.TOO_LITTLE)
        .doesNotContain(Property.IN_CLEAR);
  }

  @Test
  void withoutItsGuardTheVirtualIpLeavesInClear() {
    Weakened weaker = new Weakened(RULESET).without("virtual IP, leaves in clear");

    assertThat(broken(weaker.ruleset(), Property.IN_CLEAR).what()).contains("virtual IP");
  }

  @Test
  void whatIsForTheVirtualIpInClearIsNoticed() {
    Weakened weaker = new Weakened(RULESET).without("for a virtual IP, in clear");

    assertThat(broken(weaker.ruleset(), Property.EVIDENCE).what())
        .isEqualTo("is for a virtual IP of this host, came from outside in clear, and arrives");
  }

  @Test
  void whoeverElseNatMovesIntoTheTunnelIsNoticed() {
    // The guests are marked too, let through, and given the virtual IP.
    Weakened weaker =
        new Weakened(RULESET)
            .conditionless("home on its way into hq")
            .without("for a tunnel, would leave in clear")
            .without("nobody may begin towards this tunnel")
            .conditionless("home may reach hq")
            .conditionless("home appears as")
            .withoutBackstop();

    assertThat(broken(weaker.ruleset())).contains(Property.REWRITTEN, Property.TOO_MUCH);
  }
}
