package io.gatehouse.snapshot;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.gatehouse.model.Family;
import io.gatehouse.ruleset.Chain;
import io.gatehouse.ruleset.Rule;
import io.gatehouse.ruleset.Table;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Real firewalls: every rule is understood, or named with what is not. */
class CorpusTest {

  @Test
  void everyRuleIsUnderstoodOrNamed() throws IOException {
    String corpus = System.getenv().getOrDefault("GATEHOUSE_CORPUS", "");
    assumeTrue(!corpus.isEmpty(), "needs GATEHOUSE_CORPUS, a directory of real rulesets");
    Path[] files;
    try (Stream<Path> all = Files.walk(Path.of(corpus))) {
      files =
          all.filter(f -> f.getFileName().toString().equals("iptables-save.txt"))
              .sorted()
              .toArray(Path[]::new);
    }
    assertThat(files).isNotEmpty();
    for (Path file : files) {
      String text = Files.readString(file);
      TablesRead read = IptablesSave.read("iptables-save.txt", text, Family.V4);

      long lines = text.lines().filter(l -> l.startsWith("-A ")).count();
      assertThat(read.tables().stream().mapToLong(Table::ruleCount).sum())
          .as("%s", file)
          .isEqualTo(lines);
      assertThat(read.remarks()).noneMatch(r -> r.kind() == Remark.Kind.UNREADABLE);
      long open = 0;
      for (Table table : read.tables()) {
        for (Chain chain : table.chains()) {
          for (Rule rule : chain.rules()) {
            open += Unclear.texts(rule).isEmpty() ? 0 : 1;
          }
        }
      }
      Map<String, Long> named =
          read.remarks().stream()
              .filter(r -> r.kind() == Remark.Kind.NOT_UNDERSTOOD)
              .collect(
                  Collectors.groupingBy(
                      r -> r.text().replaceAll("[0-9]+", "N"),
                      TreeMap::new,
                      Collectors.counting()));
      assertThat(open).isLessThanOrEqualTo(named.values().stream().mapToLong(n -> n).sum());
      System.out.printf(
          "corpus: %s: %d rules, %d with something open: %s%n",
          file.getName(file.getNameCount() - 2), lines, open, named);
    }
  }
}
