package io.gatehouse.apply;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatehouse.ruleset.Ruleset;
import java.nio.file.Path;
import java.time.Clock;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * What a boot loads. A fresh namespace stands for the kernel after a boot: to the journal it is as
 * strange as one.
 */
class BootIT {
  @TempDir Path temp;
  private Namespace before;
  private Namespace after;

  @BeforeEach
  void create() {
    before = Namespace.create();
    after = Namespace.create().withForeignEntries();
  }

  @AfterEach
  void end() {
    before.close();
    after.close();
  }

  private Directories directories(String run) {
    return new Directories(temp.resolve("state"), temp.resolve(run));
  }

  private Applier applier(Namespace namespace) {
    return new Applier(
        namespace.machine,
        namespace.prefix(),
        directories(namespace == before ? "before" : "after"),
        Clock.systemUTC(),
        Map.of());
  }

  private void apply(Ruleset ruleset, OptionalInt within) {
    done(
        applier(before)
            .apply(
                new Request(
                    ruleset,
                    "version: 1\n",
                    "office.yaml",
                    "gatehouse apply",
                    within,
                    Optional.empty(),
                    true)));
  }

  private static void done(Outcome outcome) {
    assertThat(outcome.kind()).as(outcome.toString()).isEqualTo(Outcome.Kind.DONE);
  }

  /** As the unit does, with nothing of the environment and no Java. */
  private void boot(String command) {
    after.sh(
        "exec env -i GATEHOUSE_STATE='%s' GATEHOUSE_RUN='%s' PATH=/usr/sbin:/usr/bin /bin/sh '%s' %s"
            .formatted(
                temp.resolve("state"),
                temp.resolve("after"),
                temp.resolve("state").resolve("boot.sh"),
                command));
  }

  @Test
  void theConfirmedStateIsLoadedAndRemoved() {
    String fresh = after.everything();
    apply(Rulesets.office(), OptionalInt.empty());
    String table = before.sh("nft -s list table inet gatehouse");

    boot("boot");

    assertThat(after.sh("nft -s list table inet gatehouse")).isEqualTo(table);
    Status status = applier(after).status();
    assertThat(status.generation()).isEqualTo(1);
    assertThat(status.drift()).isEmpty();
    assertThat(status.waiting()).isEmpty();
    boot("boot");
    done(applier(after).remove("gatehouse remove"));
    assertThat(Namespace.difference(fresh, after.everything())).isEmpty();
    assertThat(applier(after).atBoot()).isZero();
  }

  @Test
  void whatWaitsIsNotLoaded() {
    apply(Rulesets.office(), OptionalInt.empty());
    String office = before.sh("nft -s list table inet gatehouse");
    apply(Rulesets.moved(), OptionalInt.of(3600));
    assertThat(applier(before).atBoot()).isEqualTo(1);

    done(applier(before).confirm("gatehouse confirm"));
    assertThat(applier(before).atBoot()).isEqualTo(2);
    done(applier(before).rollback("gatehouse rollback"));
    assertThat(applier(before).atBoot()).isEqualTo(1);

    apply(Rulesets.grown(), OptionalInt.of(3600));
    boot("boot");
    assertThat(after.sh("nft -s list table inet gatehouse")).isEqualTo(office);
    assertThat(applier(after).status().secondsToConfirm()).isEmpty();
  }

  @Test
  void devicesThatComeLaterGetTheirEntriesThen() {
    apply(Rulesets.office(), OptionalInt.empty());
    after.sh("ip link del eth1");

    boot("boot");
    Status early = applier(after).status();
    // The filter stands before there is a network.
    assertThat(early.drift()).isEmpty();
    assertThat(early.waiting())
        .anyMatch(line -> line.contains("neigh ip proxy 10.0.1.60 dev eth1"))
        .anyMatch(line -> line.startsWith("net/ipv4/conf/eth1/send_redirects"));
    after.sh(
        """
        ip link add eth1 type veth peer name far1
        ip link set eth1 up; ip link set far1 up
        ip addr add 10.0.1.1/24 dev eth1
        """);
    boot("late");

    Status late = applier(after).status();
    assertThat(late.drift()).isEmpty();
    assertThat(late.waiting()).isEmpty();
  }
}
