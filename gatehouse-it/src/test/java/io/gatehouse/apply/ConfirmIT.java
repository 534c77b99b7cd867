package io.gatehouse.apply;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.gatehouse.ruleset.Ruleset;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.Map;
import java.util.OptionalInt;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What waits for confirmation, where there is no systemd: a process of its own takes it back. */
class ConfirmIT {
  private static final OptionalInt LONG = OptionalInt.of(3600);
  private static final OptionalInt SHORT = OptionalInt.of(1);

  @TempDir Path temp;
  private Namespace namespace;
  private Directories directories;
  private String office;

  @BeforeEach
  void create() {
    namespace = Namespace.create();
    directories = new Directories(temp.resolve("state"), temp.resolve("run"));
    done(apply(Rulesets.office(), OptionalInt.empty()));
    office = namespace.everything();
  }

  @AfterEach
  void end() {
    namespace.close();
  }

  private Applier applier(Map<String, String> environment) {
    return new Applier(
        namespace.machine, namespace.prefix(), directories, Clock.systemUTC(), environment);
  }

  private Outcome apply(Ruleset ruleset, OptionalInt within) {
    return applier(Map.of()).apply(ApplyIT.request(ruleset, within));
  }

  private static void done(Outcome outcome) {
    assertThat(outcome.kind()).as(outcome.toString()).isEqualTo(Outcome.Kind.DONE);
  }

  private Journal journal() {
    return Journal.read(directories).orElseThrow();
  }

  /** Somebody else takes it back: nothing of ours runs meanwhile. */
  private void isTakenBack() {
    await()
        .atMost(Duration.ofMinutes(2))
        .until(() -> journal().waiting().isEmpty() && journal().doing().isEmpty());
    assertThat(Namespace.difference(office, namespace.everything())).isEmpty();
    assertThat(applier(Map.of()).status().generation()).isEqualTo(1);
  }

  @Test
  void unconfirmedIsTakenBack() {
    done(apply(Rulesets.moved(), SHORT));

    isTakenBack();
    assertThat(applier(Map.of()).confirm("gatehouse confirm").kind())
        .isEqualTo(Outcome.Kind.REFUSED);
  }

  @Test
  void confirmedStays() {
    done(apply(Rulesets.moved(), LONG));
    String moved = namespace.everything();
    assertThat(applier(Map.of()).status().secondsToConfirm()).isPresent();
    // Meanwhile nothing else may be begun.
    assertThat(apply(Rulesets.office(), OptionalInt.empty()).kind())
        .isEqualTo(Outcome.Kind.REFUSED);

    done(applier(Map.of()).confirm("gatehouse confirm"));

    assertThat(applier(Map.of()).status().secondsToConfirm()).isEmpty();
    // Who comes too late finds nothing to take back.
    hand("expire 2");
    assertThat(Namespace.difference(moved, namespace.everything())).isEmpty();
  }

  @Test
  void whatWaitsCanBeRolledBackByHand() {
    done(apply(Rulesets.moved(), LONG));

    done(applier(Map.of()).rollback("gatehouse rollback"));

    isTakenBack();
  }

  @Test
  void takenBackWhenAllOfUsWasKilledInTheMiddle() {
    // Armed is step 2; this one is between the fence and the final rules.
    Outcome outcome =
        applier(Map.of("GATEHOUSE_KILL_AT", "6"))
            .apply(ApplyIT.request(Rulesets.moved(), OptionalInt.of(3)));
    assertThat(outcome.kind()).isEqualTo(Outcome.Kind.FAILED);
    assertThat(namespace.sh("nft list tables")).contains("gatehouse_fence");
    assertThat(journal().doing()).isPresent();

    isTakenBack();
  }

  private void hand(String command) {
    namespace.sh(
        "GATEHOUSE_STATE='%s' GATEHOUSE_RUN='%s' sh '%s' %s"
            .formatted(
                directories.state(),
                directories.run(),
                directories.run().resolve("hand.sh"),
                command));
  }
}
