package io.gatehouse.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * The examples are a tour: each has its row in the README with tests of its own, and its golden
 * texts. {@code AnswersTest} proves all of them, {@code AcceptedByKernelIT} loads them.
 */
class TourTest {
  private static final Path HOME = Path.of(System.getProperty("gatehouse.home", ".."));
  private static final Path GOLDEN = HOME.resolve("gatehouse-app/src/test/resources/golden");

  private static final Pattern EXAMPLE =
      Pattern.compile("\\[[^]]+]\\(examples/([a-z0-9-]+)\\.yaml\\)");
  private static final Pattern TEST = Pattern.compile("`([A-Z][A-Za-z0-9]*(?:Test|IT))`");

  /** A row of the README's table: what is asked, its examples, its tests. */
  private record Row(String text, Set<String> examples, Set<String> tests) {}

  private static Set<String> all(Pattern pattern, String text) {
    Set<String> found = new TreeSet<>();
    Matcher matcher = pattern.matcher(text);
    while (matcher.find()) {
      found.add(matcher.group(1));
    }
    return found;
  }

  private static List<Row> rows() throws IOException {
    String readme = Files.readString(HOME.resolve("README.md"));
    int from = readme.indexOf("\n## The tour\n");
    assertThat(from).isPositive();
    int to = readme.indexOf("\n## ", from + 4);
    List<Row> rows = new ArrayList<>();
    for (String line : readme.substring(from, to).lines().toList()) {
      if (line.startsWith("|") && !line.startsWith("|---") && line.contains("examples/")) {
        rows.add(new Row(line, all(EXAMPLE, line), all(TEST, line)));
      }
    }
    return rows;
  }

  private static Set<String> examples() throws IOException {
    try (Stream<Path> files = Files.list(HOME.resolve("examples"))) {
      return files
          .map(file -> file.getFileName().toString())
          .filter(name -> name.endsWith(".yaml"))
          .map(name -> name.substring(0, name.length() - ".yaml".length()))
          .collect(Collectors.toCollection(TreeSet::new));
    }
  }

  private static Set<String> tests() throws IOException {
    Set<String> names = new TreeSet<>();
    for (String module : List.of("gatehouse-app", "gatehouse-it")) {
      try (Stream<Path> files = Files.walk(HOME.resolve(module).resolve("src/test/java"))) {
        files
            .map(file -> file.getFileName().toString())
            .filter(name -> name.endsWith(".java"))
            .forEach(name -> names.add(name.substring(0, name.length() - ".java".length())));
      }
    }
    return names;
  }

  @Test
  void everyExampleHasARowAndEveryRowItsExample() throws IOException {
    Set<String> named = new TreeSet<>();
    rows().forEach(row -> named.addAll(row.examples));
    assertThat(named).isEqualTo(examples());
  }

  @Test
  void everyRowNamesTestsThatAreThere() throws IOException {
    Set<String> tests = tests();
    for (Row row : rows()) {
      assertThat(row.tests).as(row.text).isNotEmpty();
      assertThat(tests).as(row.text).containsAll(row.tests);
    }
  }

  @Test
  void everyExampleHasItsGoldenTexts() throws IOException {
    for (String example : examples()) {
      for (String golden :
          List.of(example + ".nft", example + ".txt", "cli/" + example + ".plan.txt")) {
        assertThat(GOLDEN.resolve(golden)).isRegularFile();
      }
    }
  }
}
