package io.gatehouse.compile;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.gatehouse.config.Description;
import io.gatehouse.config.Reading;
import io.gatehouse.config.Source;
import io.gatehouse.model.Family;
import io.gatehouse.model.Gateway;
import io.gatehouse.ruleset.IpText;
import io.gatehouse.ruleset.NftText;
import io.gatehouse.ruleset.Ruleset;
import io.gatehouse.ruleset.SysctlText;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * What every example comes to, line by line. After a change that is meant, {@code
 * -Dgolden.update=true} writes the files anew: read their diff.
 */
class ExamplesTest {
  private static final Path HOME = Path.of(System.getProperty("gatehouse.home", ".."));
  private static final Path EXAMPLES = HOME.resolve("examples");
  private static final Path GOLDEN = HOME.resolve("gatehouse-app/src/test/resources/golden");
  private static final boolean UPDATE = Boolean.getBoolean("golden.update");

  static List<String> names() throws IOException {
    try (Stream<Path> files = Files.list(EXAMPLES)) {
      return files
          .map(file -> file.getFileName().toString())
          .filter(name -> name.endsWith(".yaml"))
          .map(name -> name.substring(0, name.length() - ".yaml".length()))
          .sorted()
          .toList();
    }
  }

  private static Compiled compile(String name) {
    Reading reading = Description.read(name + ".yaml", new Examples());
    assertThat(reading.problems()).as(name).isEmpty();
    Gateway gateway = ((Reading.Understood) reading).gateway();
    return Compiler.compile(gateway);
  }

  private record Examples() implements Source {
    @Override
    public Content read(String file, int limit) {
      try {
        return new Content.Bytes(ByteBuffer.wrap(Files.readAllBytes(EXAMPLES.resolve(file))));
      } catch (IOException e) {
        return new Content.Unreadable("no such file");
      }
    }

    @Override
    public List<String> names(String directory) {
      return List.of();
    }
  }

  @ParameterizedTest
  @MethodSource("names")
  void nftables(String name) throws IOException {
    same(name + ".nft", NftText.of(compile(name).ruleset().tables().getFirst()));
  }

  @ParameterizedTest
  @MethodSource("names")
  void everythingElse(String name) throws IOException {
    Compiled compiled = compile(name);
    Ruleset ruleset = compiled.ruleset();
    StringBuilder text = new StringBuilder();
    text.append("== sysctl\n").append(SysctlText.of(ruleset.sysctls()));
    text.append("== ip -4\n").append(IpText.add(ruleset, Family.V4));
    text.append("== ip -6\n").append(IpText.add(ruleset, Family.V6));
    for (MssReckoning mss : compiled.mss()) {
      text.append("== mss of ").append(mss.tunnel()).append('\n');
      for (Family family : Family.values()) {
        text.append(mss.arithmetic(family)).append('\n');
      }
    }
    for (Companion companion : compiled.companions()) {
      text.append("== ").append(companion.destination()).append('\n').append(companion.text());
    }
    for (Note note : compiled.notes()) {
      text.append("== note, ").append(note.origin()).append('\n').append(note.text()).append('\n');
    }
    same(name + ".txt", text.toString());
  }

  private static void same(String file, String text) throws IOException {
    Path golden = GOLDEN.resolve(file);
    if (UPDATE) {
      Files.createDirectories(GOLDEN);
      Files.writeString(golden, text);
    }
    assertThat(text).isEqualTo(Files.readString(golden, UTF_8));
  }

  @Test
  void everyGoldenFileHasItsExample() throws IOException {
    List<String> examples = names();
    try (Stream<Path> files = Files.list(GOLDEN)) {
      assertThat(
              files
                  .filter(Files::isRegularFile)
                  .map(file -> file.getFileName().toString().replaceAll("\\.(nft|txt)$", "")))
          .allMatch(examples::contains);
    }
  }

  @Test
  void examplesStayShort() throws IOException {
    for (String name : names()) {
      List<String> lines = Files.readAllLines(EXAMPLES.resolve(name + ".yaml"));
      assertThat(lines).as(name).hasSizeLessThan(60).allMatch(line -> line.length() <= 110);
      assertThat(lines.getFirst()).as(name).startsWith("# ");
    }
  }
}
