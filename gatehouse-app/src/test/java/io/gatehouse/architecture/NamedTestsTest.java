package io.gatehouse.architecture;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** A test that the documents name is there, and runs when they say it does. */
class NamedTestsTest {
  private static final Path HOME = Path.of(System.getProperty("gatehouse.home", ".."));

  private static final Pattern NAMED = Pattern.compile("`([A-Z]\\w*(?:Test|IT))(?:#(\\w+))?`");

  /** In words behind it, or in italics, as a link too. */
  private static final Pattern SAID_TO_BE_FULL =
      Pattern.compile("(?:]\\([^)]*\\))?_|[^;|]*`--full`");

  private static final Pattern IN_ITALICS = Pattern.compile("_\\[?$");

  private static final Pattern TEST =
      Pattern.compile(
          "^ *@(Test|ParameterizedTest|Property|RepeatedTest|TestFactory)\\b", Pattern.MULTILINE);
  private static final Pattern FULL = Pattern.compile("^ +@Tag\\(\"full\"\\)", Pattern.MULTILINE);
  private static final Pattern CLASS_IS_FULL =
      Pattern.compile("^@Tag\\(\"full\"\\)", Pattern.MULTILINE);

  @Test
  void eachIsThereAndSaidToBeFullWhereOnlyTheFullRunHasIt() throws IOException {
    Map<String, String> sources = sources();
    List<String> wrong = new ArrayList<>();
    int named = 0;
    for (Path document : documents()) {
      int number = 0;
      for (String line : Files.readAllLines(document)) {
        number++;
        Matcher matcher = NAMED.matcher(line);
        while (matcher.find()) {
          named++;
          String place = document.getFileName() + ":" + number + ": " + matcher.group();
          wrong.addAll(
              mistakes(sources, matcher.toMatchResult(), line).stream()
                  .map(mistake -> place + " " + mistake)
                  .toList());
        }
      }
    }
    assertThat(wrong).isEmpty();
    assertThat(named).isGreaterThan(200);
  }

  private static List<String> mistakes(Map<String, String> sources, MatchResult name, String line) {
    String source = sources.get(name.group(1));
    if (source == null) {
      return List.of("is no test");
    }
    if (name.group(2) != null && !source.contains(" " + name.group(2) + "(")) {
      return List.of("is no method of it");
    }
    boolean onlyFull = name.group(2) == null ? onlyFull(source) : onlyFull(source, name.group(2));
    if (onlyFull && !SAID_TO_BE_FULL.matcher(line.substring(name.end())).lookingAt()) {
      return List.of("runs with `--full` alone, which is not said");
    }
    return !onlyFull && IN_ITALICS.matcher(line.substring(0, name.start())).find()
        ? List.of("is in italics, and runs without `--full` too")
        : List.of();
  }

  /** All that is in a class. */
  private static boolean onlyFull(String source) {
    return CLASS_IS_FULL.matcher(source).find()
        || FULL.matcher(source).results().count() >= TEST.matcher(source).results().count();
  }

  /** One method, by the annotations between it and what stands before. */
  private static boolean onlyFull(String source, String method) {
    if (CLASS_IS_FULL.matcher(source).find()) {
      return true;
    }
    String before = source.substring(0, source.indexOf(" " + method + "("));
    String annotations = before.substring(before.lastIndexOf("\n\n") + 1);
    return FULL.matcher(annotations).find();
  }

  @Test
  void aMethodIsJudgedByItsOwnTag() {
    String source =
        """
        class XIT {
          @Test
          void quick() {}

          @Test
          @Tag("full")
          void long() {}

          @Test
          void last() {}
        }
        """;
    Map<String, String> sources = Map.of("XIT", source);
    Map<String, Boolean> right =
        Map.of(
            "`XIT`", true,
            "`XIT#quick`", true,
            "`XIT#last` |", true,
            "`XIT#long`", false,
            "`XIT#long` (`--full`)", true,
            "_[`XIT#long`](a/XIT.java)_", true,
            "[`XIT#long`](a/XIT.java)", false,
            "_`XIT#quick`_", false,
            "_[`XIT`](a/XIT.java)_", false,
            "`XIT#none`", false);
    right.forEach((line, fine) -> {
      Matcher matcher = NAMED.matcher(line);
      assertThat(matcher.find()).isTrue();
      assertThat(mistakes(sources, matcher.toMatchResult(), line).isEmpty())
          .as(line)
          .isEqualTo(fine);
    });
  }

  private static List<Path> documents() throws IOException {
    try (Stream<Path> docs = Files.list(HOME.resolve("docs"))) {
      return Stream.concat(
              Stream.of(HOME.resolve("README.md"), HOME.resolve("ARCHITECTURE.md")),
              docs.filter(file -> file.toString().endsWith(".md")))
          .sorted()
          .toList();
    }
  }

  private static Map<String, String> sources() throws IOException {
    Map<String, String> sources = new HashMap<>();
    for (String module : List.of("gatehouse-app", "gatehouse-it")) {
      try (Stream<Path> files = Files.walk(HOME.resolve(module).resolve("src/test/java"))) {
        for (Path file : files.filter(f -> f.toString().endsWith(".java")).toList()) {
          String name = file.getFileName().toString();
          sources.put(name.substring(0, name.length() - ".java".length()), Files.readString(file));
        }
      }
    }
    return sources;
  }
}
