package io.gatehouse.it;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.gatehouse.ruleset.NftText;
import io.gatehouse.ruleset.Table;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import net.jqwik.api.AfterFailureMode;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.ShrinkingMode;
import net.jqwik.api.lifecycle.BeforeContainer;
import org.junit.jupiter.api.Assumptions;

/** What NftText prints is what a kernel lists back. */
class NftTextIT {
  private static final Path NFT = Path.of("/usr/sbin/nft");

  @BeforeContainer
  static void needsNftAsRoot() {
    Assumptions.assumeTrue(
        System.getProperty("user.name").equals("root") && Files.isExecutable(NFT),
        "needs root and nft: the tables go into a network namespace");
  }

  @Provide
  Arbitrary<Table> tables() {
    return Tables.any();
  }

  @Property(
      tries = 60,
      shrinking = ShrinkingMode.BOUNDED,
      afterFailure = AfterFailureMode.RANDOM_SEED)
  void theKernelListsTheTextThatItWasGiven(@ForAll("tables") Table table) throws Exception {
    String text = NftText.of(table);

    assertThat(differences(plain(text), plain(loadedAndListed(text)))).isEmpty();
  }

  private static List<String> differences(List<String> given, List<String> listed) {
    return IntStream.range(0, Math.max(given.size(), listed.size()))
        .mapToObj(i -> List.of(line(given, i), line(listed, i)))
        .filter(pair -> !pair.getFirst().equals(pair.getLast()))
        .map(pair -> "given  " + pair.getFirst() + "\nlisted " + pair.getLast())
        .toList();
  }

  private static String line(List<String> lines, int i) {
    return i < lines.size() ? lines.get(i) : "";
  }

  /** In a namespace that ends with the process. */
  private static String loadedAndListed(String text) throws IOException, InterruptedException {
    Path input = Files.createTempFile("nft", "");
    Path output = Files.createTempFile("nft", "");
    try {
      Files.writeString(input, text);
      Process process =
          new ProcessBuilder(
                  "unshare", "-n", "sh", "-c", "nft -f - && nft -s list table inet gatehouse")
              .redirectInput(input.toFile())
              .redirectOutput(output.toFile())
              .redirectErrorStream(true)
              .start();
      if (!process.waitFor(30, TimeUnit.SECONDS)) {
        process.destroyForcibly();
      }
      assertThat(process.waitFor()).as(() -> read(output)).isZero();
      return Files.readString(output, UTF_8);
    } finally {
      Files.delete(input);
      Files.delete(output);
    }
  }

  private static String read(Path path) {
    try {
      return Files.readString(path, UTF_8);
    } catch (IOException e) {
      return e.toString();
    }
  }

  /** Without white space that carries nothing; tuples sorted, whose order is the machine's. */
  private static List<String> plain(String text) {
    return text.replaceAll(",\\s+", ", ")
        .lines()
        .map(String::strip)
        .filter(line -> !line.isEmpty())
        .map(NftTextIT::sorted)
        .toList();
  }

  private static String sorted(String line) {
    return line.startsWith("elements = { ") && line.contains(" . ")
        ? Stream.of(line.replaceAll("elements = \\{ | \\}", "").split(", "))
            .sorted()
            .collect(Collectors.joining(", "))
        : line;
  }
}
