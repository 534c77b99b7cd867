package io.gatehouse.config;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * {@code docs/description.md} says what the reader does. {@code -Dgatehouse.golden=write} writes
 * its tables anew.
 */
class HandbookTest {
  private static final Path HANDBOOK =
      Path.of(System.getProperty("gatehouse.home", ".."), "docs", "description.md");

  private static final Pattern TABLE =
      Pattern.compile(
          "<!-- (keys: ?([^\\n]*?)|services) -->\\n(.*?)<!-- /\\w+ -->", Pattern.DOTALL);

  private static final Pattern YAML = Pattern.compile("```yaml\\n(.*?)```", Pattern.DOTALL);

  /** What examples stand on that say less. */
  private static final List<String> BASE =
      List.of(
          "version: 1\n",
          "gateway: office\n",
          "interfaces: { wan: { device: eth0, role: outside }, lan: { device: eth1, role: inside } }\n",
          "networks: { office: { on: lan, prefixes: [10.0.1.0/24, \"2001:db8:1::/64\"] }, storage: { via: lan, prefixes: 192.168.88.0/24 } }\n");

  private static String row(Key key) {
    String standard =
        switch (key.presence()) {
          case REQUIRED -> "required";
          case NOT_YET -> "not yet";
          case OPTIONAL -> key.standard().isEmpty() ? "–" : key.standard();
        };
    return Stream.of(
            "`" + key.name() + "`",
            key.form().text(),
            standard,
            key.meaning(),
            "`" + key.example() + "`")
        .map(cell -> cell.replace("|", "\\|"))
        .collect(Collectors.joining(" | ", "| ", " |\n"));
  }

  private static String table(String path) {
    Section section =
        Description.language().stream()
            .filter(s -> s.path().equals(path))
            .findFirst()
            .orElseThrow(() -> new AssertionError("no section " + path));
    return "\n| key | takes | without it | what it says | example |\n|---|---|---|---|---|\n"
        + section.keys().stream().map(HandbookTest::row).collect(Collectors.joining())
        + "\n";
  }

  private static String services() {
    return "\n| name | stands for |\n|---|---|\n"
        + Language.SERVICES.entrySet().stream()
            .map(e ->
                "| `"
                    + e.getKey()
                    + "` | "
                    + e.getValue().stream()
                        .map(s -> "`" + s + "`")
                        .collect(Collectors.joining(", "))
                    + " |\n")
            .collect(Collectors.joining())
        + "\n";
  }

  @Test
  void theTablesAreTheReadersOwn() throws IOException {
    String text = Files.readString(HANDBOOK);
    Matcher matcher = TABLE.matcher(text);
    StringBuilder expected = new StringBuilder();
    List<String> paths = new ArrayList<>();
    while (matcher.find()) {
      boolean services = matcher.group(1).equals("services");
      if (!services) {
        paths.add(matcher.group(2));
      }
      String begin = matcher.group().substring(0, matcher.group().indexOf('\n') + 1);
      String end = matcher.group().substring(matcher.group().lastIndexOf('<'));
      matcher.appendReplacement(
          expected,
          Matcher.quoteReplacement(
              begin + (services ? services() : table(matcher.group(2))) + end));
    }
    matcher.appendTail(expected);
    if ("write".equals(System.getProperty("gatehouse.golden"))) {
      Files.writeString(HANDBOOK, expected);
    }
    assertThat(Files.readString(HANDBOOK)).isEqualTo(expected.toString());
    assertThat(new TreeSet<>(paths))
        .isEqualTo(
            Description.language().stream()
                .map(Section::path)
                .collect(Collectors.toCollection(TreeSet::new)));
  }

  @Test
  void theExamplesAreUnderstood() throws IOException {
    Matcher matcher = YAML.matcher(Files.readString(HANDBOOK));
    int count = 0;
    while (matcher.find()) {
      String example = matcher.group(1);
      String base =
          BASE.stream()
              .filter(line -> !example.startsWith("version:"))
              .filter(line -> !example.startsWith(line.substring(0, line.indexOf(':') + 1)))
              .collect(Collectors.joining());
      Reading reading = Description.read("example", new Fixed(base + example));
      assertThat(ProblemText.of(reading.problems().stream().filter(Problem::isError).toList(), 80))
          .isEmpty();
      count++;
    }
    assertThat(count).isGreaterThan(6);
  }

  /** The examples of the tables are values that their keys take. */
  @Test
  void everyKeysExampleHasTheFormOfTheKey() {
    for (Section section : Description.language()) {
      for (Key key : section.keys()) {
        Problems problems = new Problems();
        Text text =
            Text.decode("example", 0, ByteBuffer.wrap(key.example().getBytes(UTF_8)), problems)
                .orElseThrow();
        Node node = Tree.parse(text, new Tree.Budget(100), problems).orElseThrow();
        new Shape(problems).check(node, key);
        assertThat(problems.sorted()).as(section.path() + "." + key.name()).isEmpty();
      }
    }
  }

  /** Required and optional keys are told apart, and what holds without a key is said. */
  @Test
  void everyKeyIsExplained() {
    for (Section section : Description.language()) {
      for (Key key : section.keys()) {
        assertThat(key.meaning()).as(section.path() + "." + key.name()).isNotBlank();
        assertThat(key.form().text()).as(section.path() + "." + key.name()).isNotBlank();
        assertThat(key.example()).as(section.path() + "." + key.name()).isNotBlank();
        if (key.presence() == Key.Presence.REQUIRED) {
          assertThat(key.standard()).as(section.path() + "." + key.name()).isEmpty();
        }
      }
    }
  }
}
