package io.gatehouse.cli;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * What users see, word by word. After a change that is meant, {@code -Dgolden.update=true} writes
 * the files anew: read their diff.
 */
class AnswersTest {
  private static final Path HOME = Path.of(System.getProperty("gatehouse.home", ".."));
  private static final Path EXAMPLES = HOME.resolve("examples").toAbsolutePath();

  @TempDir private Path directory;
  private final Map<String, String> environment = new HashMap<>();
  private boolean terminal = false;
  private boolean readable = true;

  private record Answer(int status, String out, String err) {
    String text(String... args) {
      return "$ gatehouse "
          + String.join(" ", args)
          + "\n"
          + out
          + (err.isEmpty() ? "" : "--- stderr\n" + err)
          + "--- exit status "
          + status
          + "\n";
    }
  }

  @BeforeEach
  void keepStateApart() {
    environment.put("GATEHOUSE_STATE", directory.resolve("state").toString());
    environment.put("GATEHOUSE_RUN", directory.resolve("run").toString());
  }

  private Answer run(Path at, String... args) {
    StringWriter out = new StringWriter();
    StringWriter err = new StringWriter();
    Surroundings surroundings =
        new Surroundings(environment, at, new BareHost(readable), () -> terminal);
    int status =
        Main.commandLine(surroundings, new PrintWriter(out), new PrintWriter(err)).execute(args);
    return new Answer(
        status,
        out.toString().replace(System.lineSeparator(), "\n"),
        err.toString().replace(System.lineSeparator(), "\n"));
  }

  static List<String> examples() throws IOException {
    try (Stream<Path> files = Files.list(EXAMPLES)) {
      return files
          .map(f -> f.getFileName().toString())
          .filter(f -> f.endsWith(".yaml"))
          .sorted()
          .toList();
    }
  }

  @ParameterizedTest
  @MethodSource("examples")
  void everyExampleReadsAndCompiles(String file) {
    Answer answer = run(EXAMPLES, "check", file);

    assertThat(answer.status).as(answer.out + answer.err).isEqualTo(ExitStatus.FINE);
    assertThat(answer.out.lines()).allMatch(line -> line.length() <= 80);
    assertThat(answer.out).contains(": reads and compiles; ", "✓ 10 properties proved");
  }

  @ParameterizedTest
  @MethodSource("examples")
  void plans(String file) throws IOException {
    Answer answer = run(EXAMPLES, "plan", file);

    assertThat(answer.out.lines()).allMatch(line -> line.length() <= 80);
    Golden.same(file.replace(".yaml", "") + ".plan", answer.text("plan", file));
  }

  @Test
  void explainsEveryTermAndChange() throws IOException {
    Golden.same(
        "explain", run(EXAMPLES, "plan", "office.yaml", "--explain").text("plan --explain"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"nft", "ip", "sysctl", "swanctl", "routes", "json"})
  void plansInEveryFormat(String format) throws IOException {
    String[] args = {"plan", "other-router.yaml", "--format", format};

    Golden.same("format-" + format, run(EXAMPLES, args).text(args));
  }

  @Test
  void showsTheWantedSideWhereTheHostCannotBeRead() throws IOException {
    readable = false;

    Golden.same(
        "unreadable-host", run(EXAMPLES, "plan", "office.yaml").text("plan", "office.yaml"));
    assertThat(run(EXAMPLES, "plan", "office.yaml", "--format", "nft").out)
        .startsWith("table inet gatehouse {");
  }

  @ParameterizedTest
  @CsvSource({
    "no-command, ''",
    "unknown-command, chekc office.yaml",
    "unknown-option, check --jsno office.yaml",
    "no-file, check",
    "two-files, check office.yaml groups.yaml",
    "unknown-format, plan office.yaml --format nftables",
    "format-without-value, plan office.yaml --format",
    "unknown-global-option, --verzion",
    "apply-no-file, apply",
    "apply-no-time, apply office.yaml --confirm soon",
    "apply-too-long, apply office.yaml --confirm 25h",
    "rollback-no-number, rollback first",
    "rollback-confirm-alone, rollback --confirm 60s",
    "confirm-argument, confirm 7",
    "remove-argument, remove office.yaml",
    "status-unknown-option, status --watch",
    "despite-unknown, apply office.yaml --despite in-claer",
    "trace-no-file, trace udp",
    "trace-no-packet, trace --on office.yaml",
    "explain-nothing, explain --on office.yaml",
  })
  void saysHowEachMistakeOfUsageIsMended(String name, String line) throws IOException {
    String[] args = line.isEmpty() ? new String[0] : line.split(" ", -1);
    Answer answer = run(EXAMPLES, args);

    assertThat(answer.status).isEqualTo(ExitStatus.USAGE);
    assertThat(answer.out).isEmpty();
    assertThat(answer.err.lines()).allMatch(text -> text.length() <= 80);
    Golden.same("usage-" + name, answer.text(args));
  }

  @Test
  void listsWhatItProved() throws IOException {
    Golden.same(
        "proved",
        run(EXAMPLES, "check", "office.yaml", "--explain").text("check", "office.yaml", "--explain")
            + run(EXAMPLES, "check", "office.yaml", "--unproved")
                .text("check", "office.yaml", "--unproved"));
  }

  @ParameterizedTest
  @CsvSource({
    "office, office.yaml, tcp 10.0.3.5:40000 -> 10.0.1.20:445 in staff",
    "forged, office.yaml, tcp 10.0.3.5:40000 -> 10.0.1.20:445",
    "not-allowed, office.yaml, tcp 10.0.3.5 -> 192.0.2.77:443 in staff",
    "full-tunnel, office.yaml, tcp 10.0.4.5 -> 192.0.2.77:443 in roaming",
    "into-tunnel, office.yaml, tcp 10.0.1.20 -> 10.20.0.9:443",
    "internet, office.yaml, udp 10.0.1.20 -> 192.0.2.77:53",
    "ike, office.yaml, udp 192.0.2.9:4500 -> 203.0.113.2:4500",
    "own, office.yaml, tcp 203.0.113.2 -> 192.0.2.77:443",
    "own-into-tunnel, office.yaml, icmp 10.0.1.1 -> 10.20.0.9",
    "forwarded-port, port-forward.yaml, tcp 192.0.2.77 -> 203.0.113.2:443",
    "group, groups.yaml, tcp 10.0.3.5 -> 10.0.1.20:445 in staff",
    "ipv6, ipv6.yaml, icmpv6 2001:db8:1::5 -> 2001:db8:3::7",
    "impossible, office.yaml, tcp 10.0.1.20 -> 10.0.3.5:443 invalid reply",
    "no-tunnel, office.yaml, tcp 10.0.3.5 -> 10.0.1.20:445 in stuff",
    "no-arrow, office.yaml, tcp 10.0.3.5 10.0.1.20:445",
    "end, office.yaml, tcp 10.0.3.5",
  })
  void tracesAPacket(String name, String file, String words) throws IOException {
    Answer answer = run(EXAMPLES, "trace", words, "--on", file);

    assertThat(answer.out.lines()).allMatch(line -> line.length() <= 80);
    Golden.same("trace-" + name, answer.text("trace", '"' + words + '"', "--on", file));
  }

  @Test
  void tracesInJson() {
    String[] args = {"trace", "tcp 10.0.3.5 -> 10.0.1.20:445 in staff", "--on", "office.yaml"};
    JsonNode answer =
        new JsonMapper().readTree(run(EXAMPLES, args[0], "--json", args[1], args[2], args[3]).out);

    assertThat(answer.path("fine").asBoolean()).isTrue();
    assertThat(answer.path("back").asBoolean()).isTrue();
    assertThat(answer.path("path").toString()).contains("staff may reach office", "office.yaml:");
    JsonNode refused =
        new JsonMapper()
            .readTree(run(directory, "trace", "--json", args[1], "--on", "absent.yaml").out);
    assertThat(refused.path("fine").asBoolean()).isFalse();
  }

  @ParameterizedTest
  @CsvSource({
    "number, forward 3",
    "address, 10.0.3.5",
    "own, 10.0.1.1",
    "internet, 198.51.100.77",
    "comment, may reach storage",
    "nothing, forward 333",
  })
  void explains(String name, String asked) throws IOException {
    Answer answer = run(EXAMPLES, "explain", asked, "--on", "office.yaml");

    assertThat(answer.out.lines()).allMatch(line -> line.length() <= 80);
    Golden.same(
        "explain-" + name, answer.text("explain", '"' + asked + '"', "--on", "office.yaml"));
    JsonNode json =
        new JsonMapper()
            .readTree(run(EXAMPLES, "explain", "--json", asked, "--on", "office.yaml").out);
    assertThat(json.path("fine").asBoolean()).isEqualTo(answer.status == ExitStatus.FINE);
  }

  @Test
  void changesNothingWhereNothingStands() throws IOException {
    StringBuilder text = new StringBuilder();
    for (String line :
        List.of(
            "confirm",
            "rollback",
            "rollback 7",
            "remove",
            "status",
            "confirm --json",
            "remove --json",
            "status --json",
            "apply --json absent.yaml")) {
      text.append(run(EXAMPLES, line.split(" ", -1)).text(line));
    }

    Golden.same("nothing-stands", text.toString());
  }

  @Test
  void namesWhatTheHostLacks() throws IOException {
    readable = false;

    StringBuilder text = new StringBuilder();
    for (String line : List.of("apply office.yaml", "apply --json office.yaml", "remove")) {
      Answer answer = run(EXAMPLES, line.split(" ", -1));
      assertThat(answer.status).isEqualTo(ExitStatus.LACKING);
      text.append(answer.text(line));
    }
    Golden.same("host-lacks", text.toString());
  }

  @Test
  void refusesWhatIsNoDescriptionInOneLine() throws IOException {
    Files.write(directory.resolve("binary.yaml"), new byte[] {0x7f, 'E', 'L', 'F', 0, 1, 2});
    Files.writeString(directory.resolve("empty.yaml"), "");
    Files.createDirectory(directory.resolve("directory.yaml"));
    StringBuilder text = new StringBuilder();
    for (String name : List.of("absent", "binary", "directory", "empty")) {
      Answer answer = run(directory, "check", name + ".yaml");
      assertThat(answer.status).isEqualTo(ExitStatus.NO);
      text.append(answer.text("check", name + ".yaml"));
    }

    Golden.same("no-description", text.toString());
  }

  @Test
  void refusesADescriptionWithAllItsMistakes() throws IOException {
    String wrong =
        Files.readString(EXAMPLES.resolve("office.yaml"), UTF_8)
            .replace("pools: 10.0.3.0/24", "pools: 10.0.3.7/24")
            .replace("    reach: [office, internet]", "    reech: [office, internet]");
    Files.writeString(directory.resolve("office.yaml"), wrong);

    Golden.same("refused", run(directory, "check", "office.yaml").text("check", "office.yaml"));
    assertThat(run(directory, "plan", "office.yaml"))
        .isEqualTo(run(directory, "check", "office.yaml"));
    Answer exact = run(directory, "plan", "office.yaml", "--format", "nft");
    assertThat(exact.status).isEqualTo(ExitStatus.NO);
    assertThat(exact.out).as("nothing that could be piped into nft").isEmpty();
    assertThat(exact.err).contains("nothing was touched");
  }

  @Test
  void answersInJson() {
    JsonNode fine = new JsonMapper().readTree(run(EXAMPLES, "check", "--json", "office.yaml").out);
    assertThat(fine.path("fine").asBoolean()).isTrue();
    assertThat(fine.path("gateway").asString()).isEqualTo("office");
    assertThat(fine.path("tunnels").asInt()).isEqualTo(3);
    assertThat(fine.path("properties")).hasSize(10);
    assertThat(fine.path("properties").findValuesAsString("verdict")).containsOnly("holds");

    JsonNode refused =
        new JsonMapper().readTree(run(directory, "check", "--json", "absent.yaml").out);
    assertThat(refused.path("fine").asBoolean()).isFalse();
    assertThat(refused.path("problems").path(0).path("file").asString()).isEqualTo("absent.yaml");
  }

  @Test
  void coloursOnlyForATerminalThatWantsThem() throws IOException {
    Files.writeString(directory.resolve("wrong.yaml"), "version: 1\ngatewya: x\n");
    String plain = run(directory, "check", "wrong.yaml").out;
    terminal = true;
    String coloured = run(directory, "check", "wrong.yaml").out;
    environment.put("NO_COLOR", "1");

    assertThat(run(directory, "check", "wrong.yaml").out).isEqualTo(plain);
    assertThat(plain).doesNotContain("\033");
    assertThat(coloured).contains("\033[31m^");
    assertThat(coloured.replaceAll("\033\\[[0-9]*m", "")).isEqualTo(plain);
  }

  @Test
  void givesBashSomethingToComplete() {
    Answer answer = run(EXAMPLES, "completion");

    assertThat(answer.status).isEqualTo(ExitStatus.FINE);
    assertThat(answer.out).contains("_complete_gatehouse", "swanctl", "check", "serialised");
    assertThat(run(EXAMPLES, "--help").out).doesNotContain("completion");
  }
}
