package io.gatehouse.config;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.gatehouse.model.Address;
import io.gatehouse.model.Origin;
import io.gatehouse.model.Prefix;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Test;

/** The parts that have rules of their own. */
class PartsTest {

  @Test
  void theNearestWord() {
    List<String> known = List.of("reach", "return", "remote", "office");
    assertThat(Nearest.to("reech", known)).contains("reach");
    assertThat(Nearest.to("raech", known)).contains("reach");
    assertThat(Nearest.to("Reach", known)).contains("reach");
    assertThat(Nearest.to("retrun", known)).contains("return");
    assertThat(Nearest.to("ofice", known)).contains("office");
    assertThat(Nearest.to("colour", known)).isEmpty();
    assertThat(Nearest.to("", known)).isEmpty();
    assertThat(Nearest.to("reach", List.of("reach"))).isEmpty();
    assertThat(Nearest.to("port_forwards", List.of("port-forwards"))).contains("port-forwards");
  }

  @Property
  void distanceIsAMetricOnEqualAndSwappedWords(
      @ForAll @Size(max = 12) String a, @ForAll @Size(max = 12) String b) {
    assertThat(Nearest.distance(a, a)).isZero();
    assertThat(Nearest.distance(a, b)).isEqualTo(Nearest.distance(b, a));
    assertThat(Nearest.distance(a, b))
        .isBetween(Math.abs(a.length() - b.length()), Math.max(a.length(), b.length()));
    assertThat(Nearest.distance(a, a + "x")).isEqualTo(1);
  }

  @Test
  void wildcards() {
    assertThat(Includes.matches("*.yaml", "a.yaml")).isTrue();
    assertThat(Includes.matches("*.yaml", ".yaml")).isFalse();
    assertThat(Includes.matches(".*", ".a")).isTrue();
    assertThat(Includes.matches("*.yaml", "a.yml")).isFalse();
    assertThat(Includes.matches("a?c", "abc")).isTrue();
    assertThat(Includes.matches("a?c", "ac")).isFalse();
    assertThat(Includes.matches("*a*b*", "xxaxbx")).isTrue();
    assertThat(Includes.matches("*a*b*", "xxbxax")).isFalse();
    assertThat(Includes.matches("*", "")).isTrue();
  }

  @Test
  void oneFileHasOneName() {
    assertThat(Includes.normal("a/../b.yaml")).isEqualTo("b.yaml");
    assertThat(Includes.normal("./a//b.yaml")).isEqualTo("a/b.yaml");
    assertThat(Includes.normal("../../b.yaml")).isEqualTo("../../b.yaml");
    assertThat(Includes.normal("/etc/../b.yaml")).isEqualTo("/b.yaml");
  }

  @Test
  void includesAreRelativeToTheFileThatAsks() {
    Map<String, byte[]> files =
        Map.of(
            "etc/main.yaml",
            "version: 1\ngateway: g\ninclude: sub/one.yaml\n".getBytes(UTF_8),
            "etc/sub/one.yaml",
            "include: ../two.yaml\ninterfaces: { wan: { device: eth0, role: outside } }\n"
                .getBytes(UTF_8),
            "etc/two.yaml",
            "host: { ping: anybody }\n".getBytes(UTF_8));
    Reading reading = Description.read("etc/main.yaml", new Fixed(files));
    assertThat(reading.problems()).isEmpty();
    assertThat(((Reading.Understood) reading).gateway().host().origin().file())
        .isEqualTo("etc/two.yaml");
  }

  @Test
  void sectionsOfSeveralFilesAreOne() {
    Map<String, byte[]> files =
        Map.of(
            "main",
            "version: 1\ngateway: g\ninclude: [a, b]\ninterfaces: { wan: { device: eth0, role: outside } }\nhost: { ping: nobody }\n"
                .getBytes(UTF_8),
            "a",
            "interfaces: { lan: { device: eth1, role: inside } }\nhost: { forward: all }\n"
                .getBytes(UTF_8),
            "b",
            "networks:\ninterfaces: { dmz: { device: eth2, role: inside } }\nhost: { forward: ours }\n"
                .getBytes(UTF_8));
    Reading reading = Description.read("main", new Fixed(files));
    assertThat(ProblemText.of(reading.problems(), 80))
        .isEqualTo(
            """
            b:3:9  `forward` comes twice
                3 | host: { forward: ours }
                  |         ^^^^^^^  it stands at a:2:9 already
            """);
  }

  /** Against every pair: the sweep tells of an overlap exactly where there is one. */
  @Property(tries = 500)
  void theSweepFindsWhatPairsFind(
      @ForAll @Size(min = 1, max = 12) List<@IntRange(max = 255) Integer> firsts,
      @ForAll @Size(min = 12, max = 12) List<@IntRange(min = 26, max = 32) Integer> lengths) {
    Problems problems = new Problems();
    Overlaps overlaps = new Overlaps(problems);
    Text text = Text.empty("x", 0);
    List<Prefix> prefixes = new ArrayList<>();
    for (int i = 0; i < firsts.size(); i++) {
      Prefix prefix = Prefix.masked(Address.v4(0x0a000000 + firsts.get(i)), lengths.get(i));
      prefixes.add(prefix);
      overlaps.remote(prefix, "t" + i, new Spot(text, i + 1, 1, 1, Path.TOP));
    }
    boolean some = false;
    for (int i = 0; i < prefixes.size(); i++) {
      for (int k = 0; k < i; k++) {
        some |= prefixes.get(i).overlaps(prefixes.get(k));
      }
    }
    overlaps.check();
    assertThat(problems.errors() > 0).isEqualTo(some);
  }

  private static Problem problem(
      String line, int column, int length, String message, String wayOut) {
    return new Problem(
        new Origin("a.yaml", 7, column, ""),
        length,
        Problem.Severity.ERROR,
        message,
        Optional.of(wayOut).filter(w -> !w.isEmpty()),
        Optional.of(new Problem.Excerpt(line, 1)));
  }

  @Test
  void tabsAndWideAndControlCharactersKeepTheCaretsInPlace() {
    assertThat(ProblemText.of(List.of(problem("\tx: y", 5, 1, "no", "")), 80))
        .isEqualTo("a.yaml:7:5  no\n    7 |     x: y\n      |        ^\n");
    assertThat(ProblemText.of(List.of(problem("名: 前x", 4, 1, "no", "")), 80))
        .isEqualTo("a.yaml:7:4  no\n    7 | 名: 前x\n      |     ^^\n");
    assertThat(ProblemText.of(List.of(problem("e\u0301 \u001b[2J!", 8, 1, "no", "")), 80))
        .isEqualTo("a.yaml:7:8  no\n    7 | e\u0301 \\x1b[2J!\n      |          ^\n");
    assertThat(ProblemText.of(List.of(problem("a\u202eb", 3, 1, "no\u0007", "")), 80))
        .isEqualTo("a.yaml:7:3  no\\x07\n    7 | a\\u{202e}b\n      |          ^\n");
  }

  @Test
  void aSpotBehindTheLastCharacterIsStillShown() {
    assertThat(ProblemText.of(List.of(problem("abc", 4, 1, "no", "")), 80))
        .isEqualTo("a.yaml:7:4  no\n    7 | abc\n      |    ^\n");
  }

  @Property
  void noLineIsTooWide(
      @ForAll @Size(max = 300) String line,
      @ForAll @IntRange(min = 1, max = 320) int column,
      @ForAll @IntRange(max = 400) int length,
      @ForAll @Size(max = 200) String message,
      @ForAll @Size(max = 200) String wayOut,
      @ForAll @IntRange(min = 40, max = 120) int width) {
    String text = ProblemText.of(List.of(problem(line, column, length, message, wayOut)), width);
    assertThat(text.lines()).allMatch(shown -> Cells.width(shown) <= width);
    assertThat(text.codePoints())
        .noneMatch(c -> c != '\n' && c != ' ' && Character.getType(c) == Character.CONTROL);
    assertThat(text.lines().filter(shown -> shown.startsWith("      | "))).hasSize(1);
  }

  @Test
  void plainValuesForJson() {
    Problem.Plain plain = problem("x: y", 4, 1, "no", "yes").plain();
    assertThat(plain)
        .isEqualTo(new Problem.Plain("a.yaml", 7, 4, 1, "", "error", "no", "yes", "x: y"));
  }

  @Test
  void counts() {
    Problem error = problem("x", 1, 1, "no", "");
    Problem warning =
        new Problem(
            error.origin(), 1, Problem.Severity.WARNING, "m", Optional.empty(), Optional.empty());
    assertThat(ProblemText.count(List.of())).isEmpty();
    assertThat(ProblemText.count(List.of(error))).isEqualTo("1 error");
    assertThat(ProblemText.count(List.of(error, error, warning))).isEqualTo("2 errors, 1 warning");
  }
}
