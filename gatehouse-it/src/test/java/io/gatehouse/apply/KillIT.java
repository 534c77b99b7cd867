package io.gatehouse.apply;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatehouse.ruleset.Ruleset;
import io.gatehouse.snapshot.Machine;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Kills at steps of a change (at every one in a full run), and again while it is taken back.
 * Between, a fence stands or the state is wholly the old or the new one; afterwards it is the old
 * one, or the new one where all was done.
 */
class KillIT {
  private static final int KILLED = 137;

  @TempDir Path temp;
  private Namespace namespace;
  private Directories directories;

  @BeforeEach
  void create() {
    namespace = Namespace.create().withForeignEntries();
    directories = new Directories(temp.resolve("state"), temp.resolve("run"));
  }

  @AfterEach
  void end() {
    namespace.close();
  }

  private Applier applier(Map<String, String> environment) {
    return new Applier(
        namespace.machine, namespace.prefix(), directories, Clock.systemUTC(), environment);
  }

  private void apply(Ruleset ruleset) {
    Outcome outcome = applier(Map.of()).apply(ApplyIT.request(ruleset, OptionalInt.empty()));
    assertThat(outcome.kind()).as(outcome.toString()).isEqualTo(Outcome.Kind.DONE);
  }

  /** Everything but the first step. */
  private void prepare(Ruleset ruleset) {
    Outcome outcome =
        applier(Map.of("GATEHOUSE_KILL_AT", "1"))
            .apply(ApplyIT.request(ruleset, OptionalInt.empty()));
    assertThat(outcome.kind()).isEqualTo(Outcome.Kind.FAILED);
  }

  private int hand(int killAt, String command) {
    String script =
        "export GATEHOUSE_STATE='%s' GATEHOUSE_RUN='%s' GATEHOUSE_KILL_AT=%s; exec sh '%s' %s"
            .formatted(
                directories.state(),
                directories.run(),
                killAt == 0 ? "" : killAt,
                directories.run().resolve("hand.sh"),
                command);
    Machine.Answer answer =
        namespace.machine.run(List.of("sh", "-c", script), "", Duration.ofSeconds(30));
    assertThat(answer.status()).as(command + " at " + killAt + ": " + answer).isIn(0, KILLED);
    return answer.status();
  }

  private boolean fenced() {
    return namespace.machine.run("nft", "list", "table", "inet", "gatehouse_fence").ok();
  }

  /**
   * Kills {@code command} at each step in turn, and the way back at another, until it comes to its
   * end.
   *
   * @param stride 1 for every step
   * @param again brings the kernel from {@code old} to where the command starts
   */
  private void killAtEveryStep(
      String command, String start, String old, String young, int stride, Runnable again) {
    int step = 1;
    int boot = applier(Map.of()).atBoot();
    while (hand(step, command) == KILLED) {
      String between = namespace.everything();
      if (!fenced()) {
        assertThat(
                Namespace.difference(start, between).isEmpty()
                    || Namespace.difference(young, between).isEmpty())
            .as(
                "step %d of %s: unfenced, and neither: %s",
                step, command, Namespace.difference(start, between))
            .isTrue();
      }
      hand(1 + step * 7 % 23, "recover");
      hand(0, "recover");
      String now = namespace.everything();
      assertThat(fenced()).isFalse();
      // Before the first step nothing has begun; behind the last all is done.
      boolean done =
          Namespace.difference(young, now).isEmpty()
              || (step == 1 && Namespace.difference(start, now).isEmpty());
      assertThat(done ? List.of() : Namespace.difference(old, now))
          .as("killed at step %d of %s", step, command)
          .isEmpty();
      if (old.equals(start)) {
        assertThat(applier(Map.of()).atBoot())
            .as("after a boot")
            .isEqualTo(Namespace.difference(old, now).isEmpty() ? boot : 0);
      }
      again.run();
      step += stride;
    }
    assertThat(step).isGreaterThan(15);
    assertThat(Namespace.difference(young, namespace.everything())).isEmpty();
  }

  private void ensure(int generation, String command) {
    int now = Journal.read(directories).orElseThrow().now();
    if (now != generation) {
      hand(0, command);
    }
  }

  @Test
  void firstApply() {
    firstApply(4);
  }

  @Test
  @Tag("full")
  void firstApplyAtEveryStep() {
    firstApply(1);
  }

  private void firstApply(int stride) {
    String before = namespace.everything();
    apply(Rulesets.office());
    String office = namespace.everything();
    hand(0, "undo 1");

    killAtEveryStep("redo 1", before, before, office, stride, () -> ensure(0, "undo 1"));
  }

  @Test
  void changeAndItsWayBack() {
    changeAndItsWayBack(3);
  }

  @Test
  @Tag("full")
  void changeAndItsWayBackAtEveryStep() {
    changeAndItsWayBack(1);
  }

  private void changeAndItsWayBack(int stride) {
    apply(Rulesets.office());
    String office = namespace.everything();
    apply(Rulesets.moved());
    String moved = namespace.everything();
    hand(0, "undo 2");
    assertThat(Namespace.difference(office, namespace.everything())).isEmpty();

    killAtEveryStep("redo 2", office, office, moved, stride, () -> ensure(1, "undo 2"));
    killAtEveryStep("undo 2", moved, office, office, stride, () -> ensure(2, "redo 2"));
  }

  @Test
  void remove() {
    remove(4);
  }

  @Test
  @Tag("full")
  void removeAtEveryStep() {
    remove(1);
  }

  private void remove(int stride) {
    String before = namespace.everything();
    applyForBoot();
    String office = namespace.everything();
    Outcome outcome = applier(Map.of("GATEHOUSE_KILL_AT", "1")).remove("gatehouse remove");
    assertThat(outcome.kind()).isEqualTo(Outcome.Kind.FAILED);

    killAtEveryStep("redo 2", office, office, before, stride, () -> ensure(1, "undo 2"));
  }

  @Test
  void boot() {
    boot(5);
  }

  @Test
  @Tag("full")
  void bootAtEveryStep() {
    boot(1);
  }

  /** A boot has no fence: its filter comes first. What was cut off goes on. */
  private void boot(int stride) {
    prepareBoot();
    String fresh = namespace.everything();
    // Twice: the first way back writes keys of each interface, which from then on follow `default`
    // no more.
    hand(0, "boot");
    hand(0, "undo 1");
    assertThat(bootAgain(0)).isZero();
    String booted = namespace.everything();
    hand(0, "undo 1");
    assertThat(Namespace.difference(fresh, namespace.everything())).isEmpty();

    int step = 1;
    while (bootAgain(step) == KILLED) {
      String between = namespace.everything();
      // What forwards, or leads anywhere, has the whole filter before it.
      boolean filtered = between.contains("table inet gatehouse ");
      assertThat(filtered || Namespace.difference(fresh, between).isEmpty()).isTrue();
      boolean begun = step > 1;
      hand(1 + step * 7 % 23, "recover");
      hand(0, "recover");
      assertThat(Namespace.difference(begun ? booted : fresh, namespace.everything())).isEmpty();
      assertThat(applier(Map.of()).atBoot()).isEqualTo(1);
      // A second boot script of the same boot, as `systemctl start` does.
      assertThat(bootAgain(0)).isZero();
      assertThat(Namespace.difference(booted, namespace.everything())).isEmpty();
      hand(0, "undo 1");
      assertThat(Namespace.difference(fresh, namespace.everything())).isEmpty();
      step += stride;
    }
    assertThat(step).isGreaterThan(15);
    assertThat(Namespace.difference(booted, namespace.everything())).isEmpty();
  }

  /** The state of a boot before: nothing of it is in this kernel. */
  private void prepareBoot() {
    applyForBoot();
    namespace.close();
    namespace = Namespace.create().withForeignEntries();
  }

  private void applyForBoot() {
    Outcome outcome =
        applier(Map.of())
            .apply(
                new Request(
                    Rulesets.office(),
                    "version: 1\n",
                    "office.yaml",
                    "gatehouse apply",
                    OptionalInt.empty(),
                    Optional.empty(),
                    true));
    assertThat(outcome.kind()).isEqualTo(Outcome.Kind.DONE);
  }

  /** What is taken back is not loaded any more: it is named again first. */
  private int bootAgain(int killAt) {
    namespace.sh("echo 1 > '" + directories.state().resolve("boot") + "'");
    return hand(killAt, "boot");
  }

  @Test
  void theNextCommandTakesBackWhatWasInterrupted() {
    apply(Rulesets.office());
    String office = namespace.everything();
    prepare(Rulesets.moved());
    assertThat(hand(9, "redo 2")).isEqualTo(KILLED);
    assertThat(fenced()).isTrue();

    Outcome outcome = applier(Map.of()).confirm("gatehouse confirm");

    assertThat(outcome.lines()).first().asString().contains("taking back what was interrupted");
    assertThat(Namespace.difference(office, namespace.everything())).isEmpty();
  }

  @Test
  void whatAnotherBootHasBegunIsNotTakenBackHere() {
    apply(Rulesets.office());
    prepare(Rulesets.moved());
    assertThat(hand(9, "redo 2")).isEqualTo(KILLED);
    String between = namespace.everything();
    namespace.sh(
        "sed -i 's/^boot .*/boot 00000000-0000-0000-0000-000000000000/' '"
            + directories.state().resolve("journal")
            + "'");

    hand(0, "recover");

    assertThat(namespace.everything()).isEqualTo(between);
  }
}
