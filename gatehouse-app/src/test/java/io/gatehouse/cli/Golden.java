package io.gatehouse.cli;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/** Answers word by word; {@code -Dgolden.update=true} writes them anew: read their diff. */
final class Golden {
  private static final Path HOME = Path.of(System.getProperty("gatehouse.home", ".."));
  private static final Path FILES = HOME.resolve("gatehouse-app/src/test/resources/golden/cli");
  private static final boolean UPDATE = Boolean.getBoolean("golden.update");

  private Golden() {}

  static void same(String name, String text) throws IOException {
    Path file = FILES.resolve(name + ".txt");
    if (UPDATE) {
      Files.createDirectories(FILES);
      Files.writeString(file, text, UTF_8);
    }
    assertThat(text).isEqualTo(Files.readString(file, UTF_8));
  }
}
