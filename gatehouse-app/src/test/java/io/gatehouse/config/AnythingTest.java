package io.gatehouse.config;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;

/** Whatever the bytes are, the answer is a gateway or located problems, never an exception. */
class AnythingTest {
  private static final List<String> FILES =
      List.of("office.yaml", "branches/depot.yaml", "branches/kiosk.yaml");

  private static final List<String> WORDS =
      List.of(
          "on",
          "lan",
          "wan",
          "office",
          "internet",
          "staff",
          "depot",
          "[]",
          "{}",
          "[",
          "}",
          ": ",
          "\n",
          "- ",
          "*a",
          "&a ",
          "!x ",
          "fd00::",
          "::1",
          "10.0.1.0/24",
          "10.0.3.7/24",
          "0.0.0.0/0",
          "tcp/22",
          "tcp/99999",
          "dns",
          "any",
          "null",
          "~",
          "\"",
          "'",
          "#",
          "|",
          "\t",
          "<<: {}",
          "---\n",
          "\u0000",
          "\ud83d\ude00",
          "type",
          "l2tp",
          "site-to-site",
          "psk",
          "reach",
          "8-7",
          "0x10");

  static void checkReading(Map<String, byte[]> files) {
    Reading reading = Description.read("office.yaml", new Fixed(files));
    for (Problem problem : reading.problems()) {
      assertThat(problem.message()).isNotBlank();
      assertThat(problem.origin().file()).isNotEmpty();
      assertThat(problem.origin().line()).isGreaterThanOrEqualTo(0);
      assertThat(problem.origin().column()).isGreaterThanOrEqualTo(0);
      assertThat(problem.length()).isGreaterThanOrEqualTo(0);
      assertThat(problem.wayOut().orElse("none")).isNotBlank();
    }
    String shown = ProblemText.of(reading.problems(), 80);
    assertThat(shown.lines()).allMatch(line -> Cells.width(line) <= 80);
    assertThat(shown.codePoints())
        .noneMatch(c -> c != '\n' && Character.getType(c) == Character.CONTROL);
    if (reading instanceof Reading.Understood understood) {
      assertThat(understood.problems()).noneMatch(Problem::isError);
    }
  }

  @Property(tries = 1000)
  void randomBytes(@ForAll byte[] bytes) {
    checkReading(Map.of("office.yaml", bytes));
  }

  @Property(tries = 1000)
  void randomWords(@ForAll("words") List<String> words) {
    checkReading(Map.of("office.yaml", String.join("", words).getBytes(UTF_8)));
  }

  @Provide
  Arbitrary<List<String>> words() {
    return Arbitraries.of(WORDS).list().ofMaxSize(40);
  }

  @Property(tries = 1000)
  void aValidDescriptionWithMistakes(@ForAll long seed) {
    Map<String, byte[]> files = new HashMap<>();
    Random random = new Random(seed);
    for (String file : FILES) {
      byte[] bytes = valid(file);
      int changes = random.nextInt(4);
      for (int i = 0; i < changes; i++) {
        bytes = change(bytes, random);
      }
      files.put(file, bytes);
    }
    checkReading(files);
  }

  private static byte[] valid(String file) {
    try {
      return Files.readAllBytes(Directory.fixtures("valid").resolve(file));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static byte[] change(byte[] bytes, Random random) {
    String text = new String(bytes, UTF_8);
    if (text.isBlank()) {
      return bytes;
    }
    List<String> lines = new ArrayList<>(Arrays.asList(text.split("\n")));
    int line = random.nextInt(lines.size());
    int at = random.nextInt(text.length() + 1);
    switch (random.nextInt(8)) {
      case 0 -> lines.remove(line);
      case 1 -> lines.add(line, lines.get(random.nextInt(lines.size())));
      case 2 -> lines.set(line, " ".repeat(random.nextInt(6)) + lines.get(line).strip());
      case 3 -> {
        return (text.substring(0, at)
                + WORDS.get(random.nextInt(WORDS.size()))
                + text.substring(at))
            .getBytes(UTF_8);
      }
      case 4 -> {
        return text.substring(0, at).getBytes(UTF_8);
      }
      case 5 -> {
        String[] words = text.split("(?<=\\W)|(?=\\W)");
        words[random.nextInt(words.length)] = WORDS.get(random.nextInt(WORDS.size()));
        return String.join("", words).getBytes(UTF_8);
      }
      case 6 -> {
        String[] words = text.split("(?<=\\W)|(?=\\W)");
        words[random.nextInt(words.length)] = words[random.nextInt(words.length)];
        return String.join("", words).getBytes(UTF_8);
      }
      default -> {
        byte[] flipped = bytes.clone();
        flipped[random.nextInt(flipped.length)] ^= (byte) (1 << random.nextInt(8));
        return flipped;
      }
    }
    return (String.join("\n", lines) + "\n").getBytes(UTF_8);
  }
}
