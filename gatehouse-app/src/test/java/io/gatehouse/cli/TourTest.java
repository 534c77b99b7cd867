package io.gatehouse.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * The examples are a tour: each has its row in the README with links to tests of its own, and its
 * golden texts. {@code AnswersTest} proves all of them, {@code AcceptedByKernelIT} loads them.
 */
class TourTest {
  private static final Path HOME = Path.of(System.getProperty("gatehouse.home", ".."));
  private static final Path GOLDEN = HOME.resolve("gatehouse-app/src/test/resources/golden");

  private static final Pattern EXAMPLE =
      Pattern.compile("\\[[^]]+]\\(examples/([a-z0-9-]+)\\.yaml\\)");
  private static final Pattern TEST =
      Pattern.compile("\\[`([A-Z][A-Za-z0-9]*(?:Test|IT))(?:#\\w+)?`]\\(([^)]*)\\)");
  private static final Pattern WORD = Pattern.compile("`[A-Z][A-Za-z0-9]*(?:Test|IT)\\b");
  private static final Pattern CLASS = Pattern.compile("\\b[A-Z][A-Za-z0-9]*\\b");
  private static final Pattern PART = Pattern.compile("(?m)^include: (\\S+)$");

  /** Tests that have no example of their row in them, by the row's first example: why. */
  private static final Map<String, String> WITHOUT_EXAMPLE =
      Map.ofEntries(
          Map.entry("other-router DhcpClientIT", "what a client makes of the options alone"),
          Map.entry("proxy-lan MovingIT", "a host that moves in several ways"),
          Map.entry("two-uplinks MovingIT", "a host that moves in several ways"),
          Map.entry("dynamic-address MovingIT", "a host that moves in several ways"),
          Map.entry("dhcp-pool LeasesIT", "one proposal that lab's charons have"),
          Map.entry("site-to-site BrokenPathIT", "both ends, by a narrow way"),
          Map.entry("site-to-site EspMtuIT", "a description for each proposal"),
          Map.entry("site-to-site SitesIT", "hub-and-spokes: the same, with more spokes"),
          Map.entry("vpn-masquerade VpnHostsIT", "a description that changes as it goes"),
          Map.entry("vpn-masquerade VpnAddressesIT", "with and without a fixed address"),
          Map.entry("vpn-masquerade MasqueradePeersIT", "no register, which needs certificates"),
          Map.entry("roaming-client RoamingClientIT", "the world of a client has other addresses"),
          Map.entry("pptp PptpIT", "a fixed address, as its world has"),
          Map.entry("l2tp L2tpClientsIT", "one proposal that lab's charons have"),
          Map.entry("l2tp L2tpPppIT", "what comes over PPP is let in"),
          Map.entry("gateway-and-hosts OwnTunnelIT", "one proposal that lab's peers have"),
          Map.entry("groups GroupsIT", "one proposal that lab's charons have"));

  /** A row of the README's table: what is asked, its examples, its tests with their files. */
  private record Row(String text, Set<String> examples, Map<String, String> tests) {}

  private static Map<String, String> links(String text) {
    Map<String, String> found = new TreeMap<>();
    Matcher matcher = TEST.matcher(text);
    while (matcher.find()) {
      found.put(matcher.group(1), matcher.group(2));
    }
    return found;
  }

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
        rows.add(new Row(line, all(EXAMPLE, line), links(line)));
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

  /** A test, and the files beside it that it names: their words are its words. */
  private static String withWhatItUses(Path test) throws IOException {
    String own = Files.readString(test);
    StringBuilder text = new StringBuilder(own);
    Set<String> used = new TreeSet<>();
    Matcher matcher = CLASS.matcher(own);
    while (matcher.find()) {
      used.add(matcher.group());
    }
    for (String name : used) {
      Path beside = test.resolveSibling(name + ".java");
      if (!beside.equals(test) && !name.matches(".*(Test|IT)") && Files.isRegularFile(beside)) {
        text.append(Files.readString(beside));
      }
    }
    return text.toString();
  }

  private static boolean names(String source, String example) {
    return source.contains(example + ".yaml")
        // Of others that word means something else: a peer, a connection.
        || (source.contains("Examples.") && source.contains('"' + example + '"'));
  }

  @Test
  void everyExampleHasARowAndEveryRowItsExample() throws IOException {
    Set<String> named = new TreeSet<>();
    rows().forEach(row -> named.addAll(row.examples));
    assertThat(named).isEqualTo(examples());
  }

  @Test
  void everyRowLinksToItsTests() throws IOException {
    for (Row row : rows()) {
      assertThat(row.tests).as(row.text).isNotEmpty();
      row.tests.forEach((test, link) -> {
        assertThat(link).as(row.text).endsWith("/" + test + ".java");
        assertThat(HOME.resolve(link)).as(row.text).isRegularFile();
      });
      assertThat(WORD.matcher(row.text).results().count())
          .as("tests of it without a link: " + row.text)
          .isEqualTo(TEST.matcher(row.text).results().count());
    }
  }

  @Test
  void everyTestOfARowIsAboutAnExampleOfIt() throws IOException {
    Set<String> without = new TreeSet<>();
    for (Row row : rows()) {
      String main =
          all(EXAMPLE, row.text.substring(0, row.text.indexOf(".yaml)") + 6)).iterator().next();
      for (Map.Entry<String, String> test : row.tests.entrySet()) {
        String source = withWhatItUses(HOME.resolve(test.getValue()));
        if (row.examples.stream().noneMatch(example -> names(source, example))) {
          without.add(main + " " + test.getKey());
        }
      }
    }
    assertThat(without).isEqualTo(new TreeSet<>(WITHOUT_EXAMPLE.keySet()));
  }

  /** Examples that no test but those of all examples sends packets through, or proves apart. */
  @Test
  void everyExampleIsInATestOfItsRow() throws IOException {
    Set<String> alone = new TreeSet<>();
    for (Row row : rows()) {
      StringBuilder sources = new StringBuilder();
      for (String link : row.tests.values()) {
        sources.append(withWhatItUses(HOME.resolve(link)));
      }
      row.examples.stream()
          .filter(example -> !names(sources.toString(), example))
          .forEach(alone::add);
    }
    assertThat(alone).isEmpty();
  }

  /** A file without {@code gateway} is a part, and somebody's. */
  @Test
  void everyPartIsIncludedByAnExample() throws IOException {
    Path directory = HOME.resolve("examples");
    Set<String> included = new TreeSet<>();
    Set<String> parts = new TreeSet<>();
    try (Stream<Path> files = Files.walk(directory)) {
      for (Path file : files.filter(one -> one.toString().endsWith(".yaml")).toList()) {
        String text = Files.readString(file);
        included.addAll(all(PART, text));
        if (!text.contains("\ngateway: ")) {
          parts.add(directory.relativize(file).toString());
        }
      }
    }
    assertThat(parts).isNotEmpty().isEqualTo(included);
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
