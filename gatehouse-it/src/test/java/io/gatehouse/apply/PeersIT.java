package io.gatehouse.apply;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatehouse.compile.Compiler;
import io.gatehouse.generated.Descriptions;
import io.gatehouse.generated.Sizes;
import io.gatehouse.ruleset.Ruleset;
import java.nio.file.Path;
import java.time.Clock;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Hundreds of peers on a kernel. */
class PeersIT {
  @TempDir Path temp;

  private static Ruleset compiled(String description) {
    return Compiler.compile(Descriptions.gateway("hub.yaml", description)).ruleset();
  }

  /** Every line of the table that is no element of a set; chains that were made anew come later. */
  private static List<String> rules(String listing) {
    return listing
        .replaceAll("(?s)elements = \\{.*?}", "elements")
        .lines()
        .filter(line -> !line.isBlank())
        .sorted()
        .toList();
  }

  private Applier applier(Namespace namespace) {
    return new Applier(
        namespace.machine,
        namespace.prefix(),
        new Directories(temp.resolve("state"), temp.resolve("run")),
        Clock.systemUTC(),
        Map.of());
  }

  /** With networks of which none is the other half of another: each has policies of its own. */
  private static String scattered(int peers) {
    return Sizes.peers(peers).replaceAll("(10\\.\\d+\\.\\d+\\.0)/24", "$1/25");
  }

  @Test
  void aChangedPeerChangesElementsOnly() {
    String text = scattered(300);
    try (Namespace namespace = Namespace.create()) {
      Applier applier = applier(namespace);
      done(applier, compiled(scattered(10)));
      List<String> ofTen = rules(namespace.sh("nft -s list table inet gatehouse"));
      done(applier, compiled(text));
      String before = namespace.sh("nft -s list table inet gatehouse");
      String policies = namespace.sh("ip xfrm policy list");

      done(applier, compiled(text.replace("10.0.121.0/25", "10.99.7.0/25")));
      String after = namespace.sh("nft -s list table inet gatehouse");

      assertThat(rules(before)).isEqualTo(ofTen);
      assertThat(before).contains("10.0.121.0/25").doesNotContain("10.99.7.0/25");
      assertThat(after).contains("10.99.7.0/25").doesNotContain("10.0.121.0/25");
      assertThat(rules(after)).isEqualTo(rules(before));
      assertThat(Namespace.difference(policies, namespace.sh("ip xfrm policy list")))
          .filteredOn(line -> line.contains("src "))
          .hasSize(12)
          .allMatch(line -> line.contains(line.startsWith("-") ? "10.0.121.0/25" : "10.99.7.0/25"));
      assertThat(applier.status().drift()).isEmpty();
    }
  }

  @Test
  void networksInARowAreFewPolicies() {
    try (Namespace namespace = Namespace.create()) {
      Applier applier = applier(namespace);
      done(applier, compiled(Sizes.peers(300)));
      String count = "ip xfrm policy list | grep -c ^src";
      assertThat(Integer.parseInt(namespace.sh(count).strip())).isLessThan(6 * 10);

      done(applier, compiled(Sizes.peers(300).replace("10.0.121.0/24", "10.99.7.0/24")));
      assertThat(Integer.parseInt(namespace.sh(count).strip())).isLessThan(6 * 20);
      assertThat(applier.status().drift()).isEmpty();
    }
  }

  @Test
  void removeTakesAllOfThemAndNobodyElses() {
    try (Namespace namespace = Namespace.create().withForeignEntries()) {
      String before = namespace.everything();
      Applier applier = applier(namespace);
      done(applier, compiled(scattered(300)));
      assertThat(namespace.sh("ip xfrm policy list | grep -c ^src").strip().length())
          .isGreaterThan(3);
      assertThat(applier.remove("gatehouse remove").kind()).isEqualTo(Outcome.Kind.DONE);
      assertThat(Namespace.difference(before, namespace.everything())).isEmpty();

      // Twins of ours that the addresses alone do not tell apart.
      done(applier, compiled(scattered(300)));
      String twins =
          """
          set -- $(ip xfrm policy list | grep -A 1 '^src 10.0.121.0/25 ' | head -n 2)
          ip xfrm policy add src $2 dst $4 dir $6 mark 7 action block priority 77
          ip xfrm policy add src $2 dst $4 dir $6 if_id 7 action block priority 77
          """;
      namespace.sh(twins);
      assertThat(applier.remove("gatehouse remove").kind()).isEqualTo(Outcome.Kind.DONE);
      assertThat(Namespace.difference(before, namespace.everything()))
          .filteredOn(line -> line.contains("src "))
          .hasSize(2)
          .allMatch(line -> line.startsWith("+ src 10.0.121.0/25"));
    }
  }

  private static void done(Applier applier, Ruleset ruleset) {
    Outcome outcome = applier.apply(ApplyIT.request(ruleset, OptionalInt.empty()));
    assertThat(outcome.kind()).as(String.join("\n", outcome.lines())).isEqualTo(Outcome.Kind.DONE);
  }
}
