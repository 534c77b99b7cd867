package io.gatehouse.cli;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.gatehouse.compile.Companion;
import io.gatehouse.config.ProblemText;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Model.CommandSpec;

/**
 * {@code gatehouse demo}: an office, a branch and two road warriors in a lab of its own, with real
 * tunnels and real packets. Each row is tried with our rules and without the one that it is about.
 */
final class Demo {
  /** After which the lab is given up; two minutes are usual, also in emulation. */
  private static final String SECONDS = "600";

  private static final String DESCRIPTION = "office.yaml";
  private static final String FRAGMENTS = "swanctl.conf";
  private static final String BEHIND = "vpn-masquerade.yaml";

  private final List<DemoRow> rows = new ArrayList<>();
  private Optional<String> failure = Optional.empty();

  static CommandSpec spec() {
    return Subcommand.of(
        "demo",
        "Shows the whole thing on a real kernel, with real peers, in a lab of its own.",
        call -> new Demo().run(call.out(), call.err()));
  }

  private int run(PrintWriter out, PrintWriter err) throws IOException, InterruptedException {
    Optional<Path> home = Optional.ofNullable(System.getenv("GATEHOUSE_HOME")).map(Path::of);
    Optional<Path> lab =
        home.map(h -> h.resolve("lab")).filter(l -> Files.isExecutable(l.resolve("run")));
    if (lab.isEmpty()) {
      err.println(
          "gatehouse demo: no lab here: it comes with a checkout and is started by its launcher, ./gatehouse demo");
      return ExitStatus.LACKING;
    }
    Path root = lab.get();
    long began = System.nanoTime();
    Path given = Files.createTempDirectory("gatehouse-demo");
    // Also where somebody interrupts it; the directory last.
    given.toFile().deleteOnExit();
    for (String file : List.of(DESCRIPTION, FRAGMENTS)) {
      given.resolve(file).toFile().deleteOnExit();
    }
    if (!prepare(root, given)) {
      return verdict(out, 0);
    }
    int status = play(root, given, out, err);
    if (status != 0 && failure.isEmpty()) {
      failure = Optional.of("the lab ended with status " + status);
    }
    return status == ExitStatus.LACKING
        ? status
        : verdict(out, (System.nanoTime() - began) / 1_000_000_000);
  }

  /**
   * Writes what the lab is given: the example with the demo's own tunnel, and its fragments for
   * strongSwan, which take many seconds in emulation.
   */
  private boolean prepare(Path root, Path given) throws IOException {
    Path description = given.resolve(DESCRIPTION);
    Files.writeString(
        description,
        Files.readString(root.resolveSibling("examples").resolve(DESCRIPTION))
            + Files.readString(root.resolve("demo/legacy.yaml")));
    List<String> fragments = new ArrayList<>();
    Described.read(
        description.toString(),
        new Disk(given),
        problems -> failure = Optional.of(ProblemText.of(problems, Described.WIDTH)),
        described -> {
          fragments.add(described.companions(Companion.SwanctlFragment.class));
          return ExitStatus.FINE;
        });
    Files.write(given.resolve(FRAGMENTS), fragments);
    return failure.isEmpty();
  }

  /** Runs the lab, and tells what it tells. Returns its exit status. */
  private int play(Path root, Path given, PrintWriter out, PrintWriter err)
      throws IOException, InterruptedException {
    try (Progress progress = Progress.on(err)) {
      ProcessBuilder builder =
          new ProcessBuilder(
                  root.resolve("run").toString(),
                  "--needs",
                  "esp,nft-nat,ct-zones,nft-queue",
                  "--layers",
                  "strongswan",
                  "--beside",
                  "libreswan",
                  root.resolve("demo/run.sh").toString(),
                  root.resolveSibling("gatehouse").toString(),
                  given.resolve(DESCRIPTION).toString(),
                  given.resolve(FRAGMENTS).toString(),
                  root.resolveSibling("examples").resolve(BEHIND).toString())
              .redirectError(ProcessBuilder.Redirect.INHERIT);
      builder.environment().putIfAbsent("GATEHOUSE_LAB_TIMEOUT", SECONDS);
      Process process = builder.start();
      out.println("gatehouse demo  ·  an office, a branch and two road warriors behind one NAT");
      progress.step("starting the machine; the first time its parts are fetched");
      try (BufferedReader events = process.inputReader(UTF_8)) {
        for (String line = events.readLine(); line != null; line = events.readLine()) {
          event(line, out, progress);
        }
      }
      return process.waitFor();
    }
  }

  private void event(String line, PrintWriter out, Progress progress) {
    String[] field = line.split("\t", -1);
    switch (field[0]) {
      case "step" -> progress.step(field[1]);
      case "fail" -> failure = Optional.of(field[1]);
      case "row" -> {
        DemoRow row = DemoRow.of(field);
        progress.clear();
        if (rows.isEmpty()) {
          out.println(DemoRow.HEADER);
        }
        rows.add(row);
        out.println(row.text());
        out.flush();
      }
      default -> failure = Optional.of("the lab said: " + line);
    }
  }

  private int verdict(PrintWriter out, long seconds) {
    long good = rows.stream().filter(DemoRow::asExpected).count();
    failure.ifPresent(why -> out.println("✗ " + why));
    out.println(good + " of " + rows.size() + " as expected, " + seconds + " s");
    return failure.isEmpty() && !rows.isEmpty() && good == rows.size()
        ? ExitStatus.FINE
        : ExitStatus.NO;
  }
}
