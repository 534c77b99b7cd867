import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.TreeMap;
import java.util.function.Predicate;
import java.util.stream.Stream;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.parsers.ParserConfigurationException;
import org.w3c.dom.Element;
import org.w3c.dom.NodeList;
import org.xml.sax.SAXException;

/**
 * Counts what the tests reported: {@code Tally ALLOWED-SKIPS [--strict] [--record FILE TITLE]
 * MODULE...}.
 *
 * <p>Reads the XML reports of surefire and failsafe below each module, prints a line for each
 * module, every failure with its message, every skipped test with its reason, and last {@code N
 * passed, N failed, N skipped}. With {@code --strict} a skip is a failure unless a line of the file
 * ALLOWED-SKIPS is how its reason begins. A module that has tests of which none ran has failed: an
 * engine that finds nothing is silent about it.
 */
final class Tally {

  private record Case(String module, String type, String name, double seconds, Outcome outcome) {

    String title() {
      return type.substring(type.lastIndexOf('.') + 1) + "." + name;
    }
  }

  private sealed interface Outcome {}

  private record Passed() implements Outcome {}

  private record Failed(String message) implements Outcome {}

  private record Skipped(String reason) implements Outcome {}

  private Tally() {}

  public static void main(String[] args)
      throws IOException, ParserConfigurationException, SAXException {
    List<String> allowed =
        Files.exists(Path.of(args[0]))
            ? Files.readAllLines(Path.of(args[0])).stream()
                .map(String::strip)
                .filter(line -> !line.isEmpty() && !line.startsWith("#"))
                .toList()
            : List.of();
    boolean strict = false;
    Path record = null;
    String title = "";
    List<String> modules = new ArrayList<>();
    for (int i = 1; i < args.length; i++) {
      switch (args[i]) {
        case "--strict" -> strict = true;
        case "--record" -> {
          record = Path.of(args[++i]);
          title = args[++i];
        }
        default -> modules.add(args[i]);
      }
    }

    PrintStream out = new PrintStream(System.out, true, UTF_8);
    List<Case> all = new ArrayList<>();
    boolean bad = false;
    for (String module : modules) {
      List<Case> cases = casesOf(module);
      all.addAll(cases);
      out.printf(
          Locale.ROOT,
          "%-16s %s   %.0f s in tests%n",
          module,
          counts(cases),
          cases.stream().mapToDouble(Case::seconds).sum());
      if (cases.isEmpty() && hasTests(module)) {
        out.println("  ✗ " + module + " has tests, and none ran");
        bad = true;
      }
    }
    for (Case c : all) {
      switch (c.outcome()) {
        case Passed() -> {}
        case Failed(String message) -> {
          out.println("✗ " + c.module() + "  " + c.title());
          message.strip().lines().limit(6).forEach(line -> out.println("    " + line));
          bad = true;
        }
        case Skipped(String reason) -> {
          boolean expected = allowed.stream().anyMatch(reason::startsWith);
          out.println("- skipped" + (expected ? "" : ", unexpectedly") + ": " + c.title());
          out.println("    " + (reason.isEmpty() ? "it gives no reason" : reason));
          bad |= strict && !expected;
        }
      }
    }
    out.println(counts(all));
    if (record != null) {
      record(record, title, modules, all);
    }
    System.exit(bad ? 1 : 0);
  }

  private static String counts(List<Case> cases) {
    return "%d passed, %d failed, %d skipped"
        .formatted(
            count(cases, Passed.class::isInstance),
            count(cases, Failed.class::isInstance),
            count(cases, Skipped.class::isInstance));
  }

  private static long count(List<Case> cases, Predicate<Outcome> predicate) {
    return cases.stream().map(Case::outcome).filter(predicate).count();
  }

  private static boolean hasTests(String module) throws IOException {
    Path tests = Path.of(module, "src/test/java");
    if (!Files.isDirectory(tests)) {
      return false;
    }
    try (Stream<Path> files = Files.walk(tests)) {
      return files.anyMatch(file -> file.getFileName().toString().matches(".*(Test|IT)\\.java"));
    }
  }

  private static List<Case> casesOf(String module)
      throws IOException, ParserConfigurationException, SAXException {
    List<Case> cases = new ArrayList<>();
    for (String reports : List.of("target/surefire-reports", "target/failsafe-reports")) {
      Path directory = Path.of(module, reports);
      if (!Files.isDirectory(directory)) {
        continue;
      }
      List<Path> files;
      try (Stream<Path> listed = Files.list(directory)) {
        files =
            listed
                .filter(file -> file.getFileName().toString().matches("TEST-.*\\.xml"))
                .sorted()
                .toList();
      }
      for (Path file : files) {
        Element suite =
            DocumentBuilderFactory.newDefaultInstance()
                .newDocumentBuilder()
                .parse(file.toFile())
                .getDocumentElement();
        NodeList found = suite.getElementsByTagName("testcase");
        for (int i = 0; i < found.getLength(); i++) {
          cases.add(caseOf(module, (Element) found.item(i)));
        }
      }
    }
    return cases;
  }

  private static Case caseOf(String module, Element element) {
    String seconds = element.getAttribute("time").replace(",", "");
    return new Case(
        module,
        element.getAttribute("classname"),
        element.getAttribute("name"),
        seconds.isEmpty() ? 0 : Double.parseDouble(seconds),
        outcomeOf(element));
  }

  private static Outcome outcomeOf(Element element) {
    for (String tag : List.of("error", "failure")) {
      NodeList found = element.getElementsByTagName(tag);
      if (found.getLength() > 0) {
        Element failure = (Element) found.item(0);
        String message = failure.getAttribute("message");
        return new Failed(message.isBlank() ? failure.getTextContent() : message);
      }
    }
    NodeList skipped = element.getElementsByTagName("skipped");
    if (skipped.getLength() > 0) {
      Element skip = (Element) skipped.item(0);
      String reason = skip.getAttribute("message");
      reason = reason.isBlank() ? skip.getTextContent() : reason;
      return new Skipped(
          reason
              .lines()
              .findFirst()
              .orElse("")
              .strip()
              .replaceFirst("^org\\.opentest4j\\.TestAbortedException: ", "")
              .replaceFirst("^Assumption failed: ", ""));
    }
    return new Passed();
  }

  /** Writes what ran, class by class, as a page of {@code docs/results}. */
  private static void record(Path file, String title, List<String> modules, List<Case> all)
      throws IOException {
    StringBuilder page = new StringBuilder();
    page.append("# ").append(title).append("\n\n").append(counts(all)).append("\n");
    for (String module : modules) {
      TreeMap<String, List<Case>> byType = new TreeMap<>(Comparator.naturalOrder());
      all.stream()
          .filter(c -> c.module().equals(module))
          .forEach(c -> byType.computeIfAbsent(c.type(), t -> new ArrayList<>()).add(c));
      if (byType.isEmpty()) {
        continue;
      }
      page.append("\n## ")
          .append(module)
          .append("\n\n| tests | outcome | seconds |\n|---|---|--:|\n");
      byType.forEach((type, cases) ->
          page.append(
              String.format(
                  Locale.ROOT,
                  "| %s | %s | %.1f |%n",
                  type,
                  counts(cases),
                  cases.stream().mapToDouble(Case::seconds).sum())));
    }
    Files.createDirectories(file.toAbsolutePath().getParent());
    Files.writeString(file, page.toString());
  }
}
