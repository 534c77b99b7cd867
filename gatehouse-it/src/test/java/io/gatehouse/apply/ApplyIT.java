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

/** Changes of a kernel's namespace that others use too. */
class ApplyIT {
  @TempDir Path temp;
  private Namespace namespace;

  @BeforeEach
  void create() {
    namespace = Namespace.create().withForeignEntries();
  }

  @AfterEach
  void end() {
    namespace.close();
  }

  private Applier applier() {
    return new Applier(
        namespace.machine,
        namespace.prefix(),
        new Directories(temp.resolve("state"), temp.resolve("run")),
        Clock.systemUTC(),
        Map.of());
  }

  static Request request(Ruleset ruleset, OptionalInt confirmWithin) {
    return new Request(
        ruleset,
        "version: 1\n",
        "office.yaml",
        "gatehouse apply",
        confirmWithin,
        Optional.empty(),
        false);
  }

  private Outcome apply(Ruleset ruleset) {
    return applier().apply(request(ruleset, OptionalInt.empty()));
  }

  private static void done(Outcome outcome) {
    assertThat(outcome.kind()).as(String.join("\n", outcome.lines())).isEqualTo(Outcome.Kind.DONE);
  }

  private void same(String state) {
    String now = namespace.everything();
    assertThat(Namespace.difference(state, now)).isEmpty();
  }

  @Test
  void removeGivesBackTheHostAsItWas() {
    String before = namespace.everything();

    done(apply(Rulesets.office()));
    String office = namespace.everything();
    done(applier().remove("gatehouse remove"));

    assertThat(office)
        .isNotEqualTo(before)
        .contains(
            "from_staff",
            "/proc/sys/net/ipv4/ip_forward:1\n",
            "10.0.1.60 dev eth1 proxy proto 171");
    assertThat(namespace.everything()).isEqualTo(before);
  }

  @Test
  void rollbackGivesBackTheGenerationBefore() {
    String before = namespace.everything();
    done(apply(Rulesets.office()));
    String office = namespace.everything();
    done(apply(Rulesets.moved()));
    assertThat(namespace.everything()).isNotEqualTo(office);

    done(applier().rollback("gatehouse rollback"));
    same(office);

    done(applier().rollback("gatehouse rollback"));
    same(before);
  }

  @Test
  void theSameAgainIsNothingToDo() {
    done(apply(Rulesets.office()));
    String office = namespace.everything();

    assertThat(applier().plan(Rulesets.office()).changes()).isEmpty();
    assertThat(applier().plan(Rulesets.office()).different()).isFalse();
    Outcome again = apply(Rulesets.office());

    assertThat(again.lines()).last().asString().contains("nothing to do");
    same(office);
  }
}
