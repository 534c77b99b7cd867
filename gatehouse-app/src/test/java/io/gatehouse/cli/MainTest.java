package io.gatehouse.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.Map;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;

class MainTest {
  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  private int run(String... args) {
    return Main.commandLine(Map.of(), new PrintWriter(out), new PrintWriter(err)).execute(args);
  }

  private int runFaulty(Map<String, String> environment) {
    return Main.dress(
            new CommandLine(new Faulty()),
            environment,
            new PrintWriter(out, true),
            new PrintWriter(err, true))
        .execute();
  }

  @Test
  void versionIsThatOfTheBuild() {
    assertThat(run("--version")).isEqualTo(ExitStatus.FINE);
    assertThat(out.toString()).matches("gatehouse \\d+\\.\\d+\\.\\d+(-SNAPSHOT)?\\R");
    assertThat(err.toString()).isEmpty();
  }

  @Test
  void helpFitsEightyColumns() {
    assertThat(run("--help")).isEqualTo(ExitStatus.FINE);
    assertThat(out.toString()).contains("gatehouse").contains("--version");
    assertThat(out.toString().lines()).allMatch(line -> line.length() <= 80);
  }

  @Test
  void unknownOptionIsWrongUsageAndNamesTheNearest() {
    assertThat(run("--versoin")).isEqualTo(ExitStatus.USAGE);
    assertThat(err.toString())
        .contains("Unknown option: '--versoin'")
        .contains("--version")
        .endsWith("Try: gatehouse --help" + System.lineSeparator());
    assertThat(out.toString()).isEmpty();
  }

  @Test
  void noCommandIsWrongUsage() {
    assertThat(run()).isEqualTo(ExitStatus.USAGE);
    assertThat(err.toString()).startsWith("gatehouse: no command given");
  }

  @Test
  void faultOfOursIsOneLine() {
    assertThat(runFaulty(Map.of())).isEqualTo(ExitStatus.FAULT);
    assertThat(err.toString().lines())
        .containsExactly(
            "gatehouse: our own fault: IllegalStateException: the first line"
                + " (GATEHOUSE_DEBUG=1 shows where)");
  }

  @Test
  void debugShowsTheStack() {
    assertThat(runFaulty(Map.of("GATEHOUSE_DEBUG", "1"))).isEqualTo(ExitStatus.FAULT);
    assertThat(err.toString()).contains("\tat " + Faulty.class.getName());
  }

  @CommandLine.Command(name = "faulty")
  private static final class Faulty implements Runnable {
    @Override
    public void run() {
      throw new IllegalStateException("the first line\nthe second");
    }
  }
}
