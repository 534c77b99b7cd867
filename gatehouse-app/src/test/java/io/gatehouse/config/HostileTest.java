package io.gatehouse.config;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import java.time.Duration;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/**
 * Input that was made to hurt: refused for its first mistake, or understood. The time after which a
 * reading is given up is no measure: what is quadratic takes hours, and a run must end.
 */
class HostileTest {
  private static final Duration LONG = Duration.ofSeconds(90);

  private static final String HEAD =
      "version: 1\ngateway: g\ninterfaces: { wan: { device: a, role: outside }, lan: { device: b, role: inside } }\n";

  private static final String UNDERSTOOD = "understood";

  /**
   * What each input is answered, by its name, and by its scale where that decides: the first
   * message, so that a limit that is dropped shows. Some are long and without a mistake.
   */
  private static final Map<String, String> ANSWERS =
      Map.ofEntries(
          Map.entry("a chain of services", "service `s257` stands for more than 256 others"),
          Map.entry(
              "a chain of services, backwards", "services stand for each other more than 32 deep"),
          Map.entry(
              "a host's name without end",
              "`a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.…` is neither an address, a prefix nor a host's name"),
          Map.entry(
              "a proposal without end",
              "`a-a-a-a-a-a-a-a-a-a-a-a-a-a-a-a-a-a-a-a-a-a-a-a-a-a-a-a-a-a-…` is not a proposal in strongSwan's words"),
          Map.entry("a web of services", "no service is called `s30`"),
          Map.entry("addresses of one interface", "more than 64 addresses"),
          Map.entry("comments", UNDERSTOOD),
          Map.entry("deep block", "nested too deeply"),
          Map.entry("deep flow", "nested too deeply"),
          Map.entry("deep maps", "nested too deeply"),
          Map.entry("empty lines", UNDERSTOOD),
          Map.entry("flows, squared", "more than 4096 flows"),
          Map.entry("groups times reach", UNDERSTOOD),
          Map.entry(
              "include of everything", "`gateway` belongs into the file that includes this one"),
          Map.entry("locals times reach", UNDERSTOOD),
          Map.entry("long keys", "not YAML: mapping values are not allowed here"),
          Map.entry("long words", "unknown key `k0` at the top of the description"),
          Map.entry("long words in quotes", "unknown key `k0` at the top of the description"),
          Map.entry("many mistakes on a line", "unknown key `k0` in `host`"),
          Map.entry(
              "many mistakes on a line beyond the plane", "unknown key `k0\ud83d\ude00` in `host`"),
          Map.entry("many near names", "no service is called `bbbbbbbbbbbbbbbbbbbbbbbb0`"),
          Map.entry("many of the same network", "10.0.0.0/8 is network `n0` too (line 5)"),
          Map.entry("many of the same pool", "10.0.0.0/24 is the pool of tunnel `t0` too (line 6)"),
          Map.entry("many unknown names", "no interface is called `lam`"),
          Map.entry("one block of many lines", "`host` takes keys, not a single value"),
          Map.entry("one key, many times", "`a` comes twice"),
          Map.entry("one long comment", "the line has more than 100000 characters"),
          Map.entry("one long line", "the line has more than 100000 characters"),
          Map.entry("one word of many lines", "`host` takes keys, not a single value"),
          Map.entry("port forwards, cubed (1)", "10.0.0.1 is in no network of this description"),
          Map.entry("port forwards, cubed (10)", "more than 4096 port forwards"),
          Map.entry("too many values (1)", "`host` takes keys, not a list"),
          Map.entry("too many values (10)", "the description has too many values"),
          Map.entry("tunnels times interfaces", UNDERSTOOD),
          Map.entry("wildcards", "more than 8 wildcards in a file's name"));

  private static Reading read(String text) {
    return read(text.getBytes(UTF_8));
  }

  private static Reading read(byte[] bytes) {
    return assertTimeoutPreemptively(
        LONG,
        () -> {
          Reading reading = Description.read("x.yaml", new Fixed(bytes));
          String shown = ProblemText.of(reading.problems(), 80);
          assertThat(shown.lines()).allMatch(line -> Cells.width(line) <= 80);
          return reading;
        });
  }

  private static List<String> messages(Reading reading) {
    return reading.problems().stream().map(Problem::message).toList();
  }

  private static String times(int count, Function<Integer, String> text) {
    return IntStream.range(0, count).mapToObj(text::apply).collect(Collectors.joining());
  }

  @TestFactory
  Stream<DynamicTest> isAnsweredAsItShouldBe() {
    return inputs(1);
  }

  /** Each about as large as a file can be. */
  @TestFactory
  @Tag("full")
  Stream<DynamicTest> isAnsweredAsItShouldBeAtFullSize() {
    return inputs(10);
  }

  private static Stream<DynamicTest> inputs(int scale) {
    int few = 200 * scale;
    int some = 2_000 * scale;
    int many = 20_000 * scale;
    int bytes = 500_000 * scale;
    String wans = times(10 * scale, i -> "w%d: { device: d%d, role: outside }, ".formatted(i, i));
    Map<String, String> all = new TreeMap<>();
    all.put("deep flow", lines("[", bytes));
    all.put("deep maps", lines("{a: ", bytes / 4));
    all.put("deep block", times(few, i -> " ".repeat(i) + "a:\n"));
    all.put("one long line", HEAD + "host: { input: " + "x".repeat(bytes) + " }\n");
    all.put("one long comment", HEAD + "# " + "x".repeat(bytes));
    all.put("long words", times(bytes / 99_000, i -> "k" + i + ": " + "x".repeat(98_000) + "\n"));
    all.put(
        "long words in quotes",
        times(bytes / 99_000, i -> "k" + i + ": '" + "x ".repeat(49_000) + "'\n"));
    all.put("long keys", times(bytes / 99_000, i -> "x".repeat(98_000) + ": a\n"));
    all.put("one word of many lines", HEAD + "host: '" + "x\n ".repeat(bytes / 3) + "'\n");
    all.put("one block of many lines", HEAD + "host: |\n" + "  x\n".repeat(bytes / 4));
    all.put(
        "many mistakes on a line",
        HEAD + "host: { " + times(5_000, i -> "k" + i + ": v, ") + "}\n");
    all.put(
        "many mistakes on a line beyond the plane",
        HEAD + "host: { " + times(5_000, i -> "k" + i + "\ud83d\ude00: v, ") + "}\n");
    all.put("one key, many times", HEAD + "services:\n" + times(many, i -> "  a: tcp/1\n"));
    all.put(
        "many unknown names",
        HEAD
            + "networks:\n"
            + times(some, i -> "  n%d: { on: lam, prefixes: 10.0.0.0/8 }\n".formatted(i)));
    all.put(
        "many near names",
        HEAD
            + "services:\n"
            + times(
                some,
                i ->
                    "  aaaaaaaaaaaaaaaaaaaaaaaaa%d: bbbbbbbbbbbbbbbbbbbbbbbb%d\n".formatted(i, i)));
    all.put(
        "many of the same network",
        HEAD
            + "networks:\n"
            + times(
                some,
                i -> "  n%d: { on: lan, prefixes: 10.0.0.0/8, router: 10.0.0.1 }\n".formatted(i)));
    all.put(
        "many of the same pool",
        HEAD
            + "networks: { n: { on: lan, prefixes: 10.0.0.0/8 } }\ntunnels:\n"
            + times(
                some,
                i ->
                    "  t%d: { type: remote-access, return: proxy, pools: 10.0.0.0/24, reach: n }\n"
                        .formatted(i)));
    all.put(
        "a chain of services",
        HEAD
            + "services:\n  s0: tcp/1\n"
            + times(some, i -> "  s%d: [s%d, tcp/%d]\n".formatted(i + 1, i, i + 1)));
    all.put(
        "a chain of services, backwards",
        HEAD
            + "services:\n"
            + times(some, i -> "  s%d: [s%d, tcp/%d]\n".formatted(i, i + 1, i + 1)));
    all.put(
        "a web of services",
        HEAD
            + "services:\n"
            + times(
                30, i -> "  s%d: [%s]\n".formatted(i, times(few, k -> "s%d, ".formatted(i + 1)))));
    all.put(
        "flows, squared",
        HEAD
            + "host:\n  flows:\n    - from: ["
            + lines("internet, ", many)
            + "]\n      to: ["
            + lines("internet, ", many)
            + "]\n");
    all.put(
        "port forwards, cubed",
        HEAD.replace("wan:", wans + "wan:")
            + "services: { s: ["
            + times(250, i -> "tcp/%d, ".formatted(i + 1))
            + "] }\nhost:\n  port-forwards:\n"
            + times(some, i -> "    - { service: s, to: 10.0.0.1 }\n"));
    all.put(
        "groups times reach",
        HEAD
            + "tunnels:\n  t:\n    type: remote-access\n    pools: 10.0.0.0/24\n    reach: ["
            + lines("internet, ", many)
            + "]\n    groups:\n"
            + times(some, i -> "      g%d: { match: { ike-id: a%d } }\n".formatted(i, i)));
    all.put(
        "locals times reach",
        HEAD
            + "networks: { n: { on: lan, prefixes: 10.0.0.0/8 } }\ntunnels:\n  t:\n    type: site-to-site\n    peer: any\n    remote: 11.0.0.0/8\n    local: ["
            + lines("n, ", many)
            + "]\n    reach: ["
            + lines("n, ", many)
            + "]\n    on: ["
            + lines("wan, ", many)
            + "]\n");
    all.put(
        "tunnels times interfaces",
        HEAD.replace("wan:", wans + "wan:")
            + "tunnels:\n"
            + times(some, i -> "  t%d: { type: l2tp }\n".formatted(i)));
    all.put(
        "addresses of one interface",
        HEAD.replace("device: a", "device: a, addresses: [" + lines("192.0.2.1/24, ", many) + "]"));
    all.put(
        "a proposal without end",
        HEAD
            + "tunnels: { t: { type: l2tp, esp: { proposals: ["
            + "a-".repeat(49_000)
            + "a] } } }\n");
    all.put(
        "a host's name without end",
        HEAD + "tunnels: { t: { type: l2tp, peers: " + "a.".repeat(49_000) + "a } }\n");
    all.put("too many values", HEAD + "host: [" + lines("a,", 400_000 * scale) + "]\n");
    all.put("comments", HEAD + "# a\n".repeat(bytes / 4));
    all.put("empty lines", HEAD + "\n".repeat(bytes));
    all.put("include of everything", HEAD + "include: [" + lines("'*', ", many) + "]\n");
    all.put("wildcards", HEAD + "include: '" + "*a".repeat(4000) + "'\n");
    return all.entrySet().stream()
        .map(e ->
            DynamicTest.dynamicTest(
                e.getKey(),
                () -> {
                  Reading reading = read(e.getValue());
                  String byScale = "%s (%d)".formatted(e.getKey(), scale);
                  assertThat(answer(reading))
                      .isEqualTo(
                          ANSWERS.getOrDefault(
                              byScale, ANSWERS.getOrDefault(e.getKey(), "no such input")));
                  assertThat(reading.problems()).hasSizeLessThanOrEqualTo(1001);
                }));
  }

  private static String answer(Reading reading) {
    return reading instanceof Reading.Understood ? UNDERSTOOD : messages(reading).getFirst();
  }

  /** The text again and again, on lines that are not too long. */
  private static String lines(String text, int count) {
    int perLine = 5_000 / text.length();
    return times(count / perLine + 1, i -> text.repeat(perLine) + "\n          ");
  }

  @Test
  void aFileLargerThanTheLimitIsNotEvenDecoded() {
    assertThat(messages(read(new byte[Description.LARGEST_FILE + 1])))
        .containsExactly("`x.yaml` is larger than 16 MiB");
  }

  @Test
  void manyProblemsAreCutOffAndTheCutIsTold() {
    Reading reading = read(HEAD + "host:\n" + times(5000, i -> "  k" + i + ": v\n"));
    assertThat(reading.problems()).hasSize(1001);
    assertThat(messages(reading).getLast())
        .isEqualTo("more than 1000 problems; those found later are not shown");
  }

  @Test
  void unicodeSurvives() {
    assertThat(messages(read(HEAD + "host: { input: \"\ud83d\ude00\u0301\" }\n")))
        .containsExactly("`input` cannot be `\ud83d\ude00\u0301`");
  }

  @Test
  void aByteOrderMarkIsNoMistake() {
    assertThat(read("\ufeff" + HEAD)).isInstanceOf(Reading.Understood.class);
    assertThat(messages(read(HEAD + "\ufeff")))
        .containsExactly("U+FEFF is not allowed in a description");
  }

  @Test
  void lineEndsOfOtherSystemsCountAsTheYamlReaderCountsThem() {
    for (String end : List.of("\n", "\r\n", "\r")) {
      String text = (HEAD + "# \u2028 \u0085\nhost: { input: shut }\n").replace("\n", end);
      Problem problem = read(text).problems().getFirst();
      assertThat(problem.origin().place()).isEqualTo("x.yaml:5:16");
      assertThat(problem.excerpt().orElseThrow().text()).isEqualTo("host: { input: shut }");
    }
  }

  @Test
  void textIsNotTakenForWhatYamlGuesses() {
    String text =
        """
        version: 1
        gateway: no
        interfaces: { on: { device: "010", role: outside }, off: { device: null, role: inside } }
        networks: { yes: { on: off, prefixes: 10.0.0.0/8 }, y: { on: off, prefixes: 11.0.0.0/8 } }
        tunnels: { n: { type: remote-access, on: on, pools: 12.0.0.0/24, reach: [yes, y] } }
        """;
    Reading reading = read(text);
    assertThat(messages(reading)).isEmpty();
    assertThat(((Reading.Understood) reading).gateway().interfaces().getFirst().device())
        .isEqualTo("010");
  }

  @Test
  void mistakesOfASecretsNeighbourDoNotShowIt() {
    for (String line :
        List.of(
            "host: { psk: hunter2, input: shut }",
            "host: { \"secret\" : 'hunter2', input: shut }",
            "host: { pre-shared-key: x, Password: hunter2, input: shut }",
            "host: { psk: hunter2, \tinput: @shut }",
            "host: { private_key: \"hunter2")) {
      Reading reading = read(HEAD + line + "\n");
      assertThat(reading.problems()).isNotEmpty();
      assertThat(reading.problems().toString()).doesNotContain("hunter2");
    }
  }

  @Test
  void filesTogetherAreBoundedToo() {
    Map<String, byte[]> files = new HashMap<>();
    for (int i = 0; i < 8; i++) {
      byte[] bytes = new byte[12_000_000];
      Arrays.fill(bytes, (byte) 0xff);
      files.put("part" + i, bytes);
    }
    files.put("main", (HEAD + "include: 'part*'\n").getBytes(UTF_8));
    Reading reading = Description.read("main", new Fixed(files));
    assertThat(messages(reading)).contains("the files are larger than 64 MiB together");
  }
}
