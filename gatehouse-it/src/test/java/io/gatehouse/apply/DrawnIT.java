package io.gatehouse.apply;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatehouse.compile.Compiler;
import io.gatehouse.generated.Descriptions;
import io.gatehouse.it.lab.Answer;
import io.gatehouse.it.lab.Feature;
import io.gatehouse.it.lab.Lab;
import io.gatehouse.ruleset.NftText;
import io.gatehouse.ruleset.Ruleset;
import java.nio.file.Path;
import java.time.Clock;
import java.util.Map;
import java.util.OptionalInt;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What holds for every description, on descriptions drawn by lot and a real kernel. */
class DrawnIT {
  @TempDir Path temp;

  private static Ruleset ruleset(int seed) {
    return Compiler.compile(Descriptions.gateway(seed)).ruleset();
  }

  @Test
  void theKernelTakesEveryTable() {
    load(0, 60);
  }

  @Test
  @Tag("full")
  void theKernelTakesEveryTableOfManyMore() {
    for (int first = 1000; first < 2000; first += 100) {
      load(first, first + 100);
    }
  }

  private static void load(int first, int end) {
    StringBuilder script = new StringBuilder();
    for (int seed = first; seed < end; seed++) {
      script.append("unshare -n nft -c -f - <<'END' || echo seed %d\n".formatted(seed));
      ruleset(seed).tables().forEach(table -> script.append(NftText.of(table)).append('\n'));
      script.append("END\n");
    }
    Lab lab = Lab.with(Feature.VETH, Feature.NFT_INET, Feature.NFT_NAT, Feature.NFT_IPSEC);
    Answer answer = lab.run(script.toString());

    assertThat(answer.out() + answer.err()).isEmpty();
  }

  /** One description after the other on the same host, and then the host as it was. */
  @Test
  void applyThenRemoveIsTheIdentity() {
    applyAndRemove(0, 12);
  }

  @Test
  @Tag("full")
  void applyThenRemoveIsTheIdentityForManyMore() {
    applyAndRemove(1000, 1200);
  }

  private void applyAndRemove(int first, int end) {
    try (Namespace namespace = Namespace.create().withForeignEntries()) {
      // The addresses that descriptions are drawn with, or the kernel refuses their routers.
      namespace.sh(
          """
          ip addr add 198.51.100.2/24 dev eth0
          ip -6 addr add 2001:db8:f0::2/64 dev eth0 nodad
          """);
      Applier applier =
          new Applier(
              namespace.machine,
              namespace.prefix(),
              new Directories(temp.resolve("state"), temp.resolve("run")),
              Clock.systemUTC(),
              Map.of());
      String before = namespace.everything();
      for (int seed = first; seed < end; seed++) {
        // Each second one comes on top of the one before.
        done(seed, applier.apply(ApplyIT.request(ruleset(seed), OptionalInt.empty())));
        assertThat(namespace.everything()).as("seed %d", seed).isNotEqualTo(before);
        assertThat(applier.plan(ruleset(seed)).different()).as("seed %d", seed).isFalse();
        if (seed % 2 == 1) {
          done(seed, applier.remove("gatehouse remove"));
          assertThat(Namespace.difference(before, namespace.everything()))
              .as("seed %d", seed)
              .isEmpty();
        }
      }
    }
  }

  private static void done(int seed, Outcome outcome) {
    assertThat(outcome.kind())
        .as("seed %d: %s", seed, String.join("\n", outcome.lines()))
        .isEqualTo(Outcome.Kind.DONE);
  }
}
