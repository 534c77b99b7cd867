package io.gatehouse.config;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/**
 * One fixture for each mistake, and beside it what is said about it. {@code
 * -Dgatehouse.golden=write} writes the texts anew; then read the difference.
 */
class MistakesTest {
  private static final Path FIXTURES = Directory.fixtures("mistakes");
  private static final boolean WRITE = "write".equals(System.getProperty("gatehouse.golden"));

  @TestFactory
  List<DynamicTest> isToldAtItsPlace() throws IOException {
    return fixtures().map(f -> DynamicTest.dynamicTest(f.name, () -> check(f))).toList();
  }

  /** Directories hold a description of several files, which begins with {@code main.yaml}. */
  private record Fixture(String name, Path directory, String file, Path golden) {}

  private static Stream<Fixture> fixtures() throws IOException {
    try (Stream<Path> all = Files.list(FIXTURES)) {
      return all
          .sorted()
          .filter(path -> !path.toString().endsWith(".txt"))
          .map(path -> {
            String file = path.getFileName().toString();
            String name = file.replace(".yaml", "");
            return Files.isDirectory(path)
                ? new Fixture(name, path, "main.yaml", path.resolve("expected.txt"))
                : new Fixture(name, FIXTURES, file, FIXTURES.resolve(name + ".txt"));
          })
          .toList()
          .stream();
    }
  }

  private static void check(Fixture fixture) throws IOException {
    Reading reading = Description.read(fixture.file, new Directory(fixture.directory));
    String text =
        ProblemText.of(reading.problems(), 80) + ProblemText.count(reading.problems()) + "\n";
    if (WRITE) {
      Files.writeString(fixture.golden, text);
    }
    assertThat(text).isEqualTo(Files.readString(fixture.golden, UTF_8));
    assertThat(text.lines()).allMatch(line -> Cells.width(line) <= 80);
    boolean warning =
        fixture.name.startsWith("warning-") || fixture.name.equals("include-nothing-matches");
    assertThat(reading).isInstanceOf(warning ? Reading.Understood.class : Reading.Refused.class);
    assertThat(reading.problems()).isNotEmpty();
  }

  @Test
  void everyFixtureHasAMistakeOfItsOwn() throws IOException {
    List<String> texts =
        fixtures()
            .map(f -> Description.read(f.file, new Directory(f.directory)).problems().toString())
            .toList();
    assertThat(texts).doesNotHaveDuplicates();
  }

  @Test
  void noSecretIsShown() throws IOException {
    try (Stream<Path> all = Files.walk(FIXTURES)) {
      for (Path golden : all.filter(p -> p.toString().endsWith(".txt")).toList()) {
        assertThat(Files.readString(golden)).doesNotContain("hunter2");
      }
    }
  }
}
