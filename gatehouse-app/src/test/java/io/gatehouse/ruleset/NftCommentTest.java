package io.gatehouse.ruleset;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.gatehouse.model.Origin;
import java.util.List;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.StringLength;
import org.junit.jupiter.api.Test;

class NftCommentTest {
  private static final Origin LINE = new Origin("office.yaml", 12, 5, "tunnels.staff");

  @Test
  void saysWhatForAndWhere() {
    assertThat(NftComment.of("spoofed source", LINE)).isEqualTo("spoofed source, office.yaml:12:5");
    assertThat(NftComment.of("", LINE)).isEqualTo("office.yaml:12:5");
  }

  @Test
  void namesNoPlaceForWhatNoLineAsksFor() {
    assertThat(NftComment.of("loopback", Origin.builtIn("lo"))).isEqualTo("loopback");
  }

  @Test
  void losesItsMiddleWhereItIsTooLongAndKeepsTheLine() {
    String comment = NftComment.of("é".repeat(200), LINE);

    assertThat(comment.getBytes(UTF_8)).hasSizeBetween(127, 128);
    assertThat(comment).startsWith("ééé").endsWith("é...office.yaml:12:5");
  }

  @Test
  void losesTheFrontOfAPathThatAloneIsTooLong() {
    Origin deep = new Origin("d/".repeat(100) + "office.yaml", 12, 5, "");

    assertThat(NftComment.of("why", deep)).hasSize(128).endsWith("d/office.yaml:12:5");
  }

  @Test
  void keepsQuotesLineEndsAndCursorMovesOutOfStrings() {
    Rule rule =
        new Rule(
            List.of(new Statement.Verdict.Drop()),
            "a \"b\"\n\u001b[31m\u202e\ud800 c",
            Origin.builtIn("test"));

    assertThat(NftText.rule(rule)).isEqualTo("drop comment \"a 'b'  [31m?? c\"");
  }

  @Test
  void keepsVariablesOutOfLogPrefixes() {
    assertThat(NftComment.logPrefix("to $who: ")).isEqualTo("to _who: ");
    assertThat(NftComment.logPrefix("ü".repeat(100)).getBytes(UTF_8)).hasSize(126);
  }

  @Property
  void neverGoesBeyondWhatTheKernelTakes(
      @ForAll @StringLength(max = 300) String why,
      @ForAll @StringLength(min = 1, max = 300) String file,
      @ForAll @IntRange(min = 1) int line) {
    String comment = NftComment.of(why, new Origin(file, line, 1, ""));

    assertThat(comment.getBytes(UTF_8)).hasSizeLessThanOrEqualTo(NftComment.MOST_BYTES);
    assertThat(comment).endsWith(":" + line + ":1").doesNotContain("\"", "\n", "\r");
    assertThat(new String(comment.getBytes(UTF_8), UTF_8)).isEqualTo(comment);
  }
}
