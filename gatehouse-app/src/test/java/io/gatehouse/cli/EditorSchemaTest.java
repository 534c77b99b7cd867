package io.gatehouse.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** {@code -Dgatehouse.golden=write} writes the copy in docs/ anew. */
class EditorSchemaTest {
  private static final Path COPY =
      Path.of(System.getProperty("gatehouse.home", ".."), "docs", "description.schema.json");

  @Test
  void theCopyInTheDocumentsIsWhatTheCommandPrints() throws IOException {
    if ("write".equals(System.getProperty("gatehouse.golden"))) {
      Files.writeString(COPY, EditorSchema.text());
    }
    StringWriter out = new StringWriter();
    StringWriter err = new StringWriter();
    int status =
        Main.commandLine(Map.of(), new PrintWriter(out), new PrintWriter(err)).execute("schema");
    assertThat(err.toString()).isEmpty();
    assertThat(out.toString()).isEqualTo(Files.readString(COPY));
    assertThat(status).isEqualTo(ExitStatus.FINE);
  }
}
