package io.gatehouse.it;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** {@code ./gatehouse demo}, as a newcomer starts it. */
@Tag("full")
class DemoIT {
  @Test
  void everyRowIsAsExpected() throws IOException, InterruptedException {
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("gatehouse.home")).resolve("gatehouse").toString(),
                "demo")
            .redirectErrorStream(true)
            .start();
    process.getOutputStream().close();
    List<String> lines = process.inputReader().lines().toList();

    assertThat(process.waitFor(1, TimeUnit.MINUTES)).isTrue();
    assertThat(process.exitValue()).as(String.join("\n", lines)).isZero();
    assertThat(lines).last().asString().startsWith("17 of 17 as expected");
    assertThat(lines.stream().filter(line -> line.startsWith("✓"))).hasSize(17);
  }
}
