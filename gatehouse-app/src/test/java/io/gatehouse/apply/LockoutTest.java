package io.gatehouse.apply;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatehouse.ruleset.Chain;
import io.gatehouse.ruleset.Ruleset;
import io.gatehouse.ruleset.Statement;
import io.gatehouse.ruleset.Statement.Verdict;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class LockoutTest {
  private static final String ADMIN = "10.0.1.9 40000 10.0.1.1 22";
  private static final Ruleset OFFICE = OfficeHost.example("office");

  private static Optional<String> reason(Ruleset ruleset, String ssh) {
    return Lockout.reason(ruleset, ssh, OfficeHost.snapshot());
  }

  @Test
  void whoIsLetInIsNoReason() {
    assertThat(reason(OFFICE, ADMIN)).isEmpty();
  }

  @Test
  void theInputChainRefuses() {
    assertThat(reason(OFFICE, "198.51.100.7 40000 203.0.113.2 22"))
        .hasValue(
            "the new rules refuse a new connection like your own"
                + " (198.51.100.7 -> 203.0.113.2 port 22)");
    assertThat(reason(OFFICE, "10.0.1.9 40000 10.0.1.1 2222"))
        .hasValueSatisfying(why -> assertThat(why).startsWith("the new rules refuse"));
  }

  @Test
  void aPortForwardInFrontOfItRefuses() {
    Ruleset forwards =
        OfficeHost.with(
            OFFICE, OfficeHost.natIn(OfficeHost.toPort(22, OfficeHost.dnat("10.0.1.80", 22))));

    assertThat(reason(forwards, ADMIN))
        .hasValueSatisfying(why -> assertThat(why).startsWith("the new rules refuse"));
  }

  @Test
  void anotherPortOfThisHostIsNotTheOneAskedFor() {
    Statement redirect =
        new Statement.Nat.Redirect(
            Optional.of(new io.gatehouse.ruleset.Expression.Number(2222)), List.of());
    Ruleset forwards =
        OfficeHost.before(
            OfficeHost.with(OFFICE, OfficeHost.natIn(OfficeHost.toPort(22, redirect))),
            "input",
            OfficeHost.toPort(2222, new Verdict.Accept()));

    assertThat(reason(forwards, ADMIN))
        .hasValueSatisfying(why -> assertThat(why).startsWith("the new rules refuse"));
  }

  @Test
  void aGotoThatRunsOutEndsInThePolicyAndNotBehindTheRule() {
    Chain empty = new Chain("empty", Optional.empty(), List.of());
    Ruleset lost =
        OfficeHost.before(
            OfficeHost.with(OFFICE, empty),
            "input",
            OfficeHost.toPort(22, new Verdict.Goto("empty")));
    Ruleset jumps =
        OfficeHost.before(
            OfficeHost.with(OFFICE, empty),
            "input",
            OfficeHost.toPort(22, new Verdict.Jump("empty")));

    assertThat(reason(lost, ADMIN))
        .hasValueSatisfying(why -> assertThat(why).startsWith("the new rules refuse"));
    assertThat(reason(jumps, ADMIN)).isEmpty();
  }

  @Test
  void whatIsOpenCountsAgainstIt() {
    Ruleset strange =
        OfficeHost.before(
            OFFICE, "input", OfficeHost.rule(new Statement.Opaque("xt match \"recent\"")));
    Ruleset slow =
        OfficeHost.before(
            OFFICE,
            "input",
            OfficeHost.rule(new Statement.Limit(1, "minute", 5, true), new Verdict.Drop()));

    for (Ruleset open : List.of(strange, slow)) {
      assertThat(reason(open, ADMIN))
          .hasValueSatisfying(why -> assertThat(why).startsWith("the new rules may refuse"));
    }
  }

  @Test
  void withoutItsDeviceKnownAllDevicesCount() {
    // The address of the other side: by whichever device.
    assertThat(reason(OFFICE, "10.0.1.9 40000 203.0.113.2 22"))
        .hasValueSatisfying(why -> assertThat(why).startsWith("the new rules may refuse"));
  }

  @Test
  void whoComesThroughATunnelMayLoseTheWay() {
    Ruleset services =
        OfficeHost.before(OFFICE, "in_staff", OfficeHost.toPort(22, new Verdict.Accept()));

    assertThat(reason(services, "10.0.3.7 40000 10.0.1.1 22"))
        .hasValueSatisfying(why -> assertThat(why).startsWith("the new rules may refuse"));
    assertThat(reason(OFFICE, "10.0.3.7 40000 10.0.1.1 22"))
        .hasValueSatisfying(why -> assertThat(why).startsWith("the new rules refuse"));
  }

  @Test
  void whatCannotBeLookedUpIsSaid() {
    for (String ssh :
        List.of("who knows", "10.0.1.9 40000 10.0.1.1 ssh", "127.0.0.1 40000 127.0.0.1 22")) {
      assertThat(reason(OFFICE, ssh))
          .hasValueSatisfying(why -> assertThat(why).contains("cannot be looked up"));
    }
  }
}
