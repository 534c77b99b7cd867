package io.gatehouse.it.lab;

import static java.util.stream.Collectors.joining;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.opentest4j.TestAbortedException;

/**
 * The laboratory: scripts as root on a kernel that has what a test needs, the running one where
 * that suffices, else a stock Debian kernel in emulation. One machine of each serves the whole test
 * run; it starts when first asked for. Where the host cannot have one, the test is skipped and says
 * why.
 *
 * <p>An emulated machine runs tens of times slower, and starting a process is what it is slowest
 * at: put what belongs together into one script, and many probes into one {@link Network#probe}.
 */
public final class Lab {
  /** Where the checkout is; the lab sees it under the same name. */
  public static final Path HOME = Path.of(System.getProperty("gatehouse.home"));

  /**
   * Long, for a machine that is emulated on a host that has other work: nothing waits this long.
   */
  private static final Duration LIMIT = Duration.ofMinutes(3);

  private static final List<String> LAYERS =
      List.of("--layers", "strongswan,l2tp", "--beside", "systemd,libreswan,pptp");

  private static final Map<Kernel, Lab> STANDING = new EnumMap<>(Kernel.class);
  private static final Map<String, Lab> ALONE = new HashMap<>();

  /** Which kernel a lab runs on. */
  public enum Kernel {
    RUNNING("inside"),
    EMULATED("boot");

    private final String program;

    Kernel(String program) {
      this.program = program;
    }
  }

  private final Kernel kernel;
  private final Machine machine;
  private final AtomicInteger networks = new AtomicInteger();

  private Lab(Kernel kernel, Machine machine) {
    this.kernel = kernel;
    this.machine = machine;
  }

  /** A lab whose kernel has all these; it may have stood for other tests already. */
  public static Lab with(Feature... needs) {
    return standing(choose(needs));
  }

  /**
   * A lab whose kernel is nobody's: its process 1, clocks and global settings may be played with.
   */
  public static Lab emulated() {
    return standing(Kernel.EMULATED);
  }

  /**
   * A lab of its own on the running kernel, or the test is skipped: hosts may stand beside a layer
   * that the others do without, because it is large.
   *
   * @param layer of {@code lab/layers}
   */
  public static synchronized Lab beside(String layer, Feature... needs) {
    if (choose(needs) != Kernel.RUNNING) {
      throw new TestAbortedException("the running kernel lacks what " + layer + " needs");
    }
    return ALONE.computeIfAbsent(
        layer,
        name ->
            new Lab(
                Kernel.RUNNING,
                Machine.start(
                    HOME.resolve("lab").resolve(Kernel.RUNNING.program),
                    List.of("--beside", name))));
  }

  private static synchronized Lab standing(Kernel kernel) {
    Lab lab = STANDING.get(kernel);
    if (lab == null) {
      if (kernel == Kernel.EMULATED) {
        makeCache();
      }
      System.out.printf("lab: the %s kernel%n", kernel.name().toLowerCase(Locale.ROOT));
      Machine machine = Machine.start(HOME.resolve("lab").resolve(kernel.program), LAYERS);
      lab = new Lab(kernel, machine);
      STANDING.put(kernel, lab);
    }
    return lab;
  }

  private static Kernel choose(Feature... needs) {
    String words = Arrays.stream(needs).map(Feature::word).collect(joining(","));
    Answer answer = onHost(HOME.resolve("lab/kernel").toString(), "--needs", words);
    if (answer.status() == 77) {
      throw new TestAbortedException(answer.err().strip());
    }
    return answer.expected().out().strip().equals("running") ? Kernel.RUNNING : Kernel.EMULATED;
  }

  /** The launcher makes its cache of classes on first start; in emulation that takes a minute. */
  private static void makeCache() {
    onHost(HOME.resolve("gatehouse").toString(), "--version");
  }

  private static Answer onHost(String... command) {
    try {
      Path out = Files.createTempFile("lab", "out");
      Path err = Files.createTempFile("lab", "err");
      Process process =
          new ProcessBuilder(command)
              .redirectInput(Path.of("/dev/null").toFile())
              .redirectOutput(out.toFile())
              .redirectError(err.toFile())
              .start();
      if (!process.waitFor(10, TimeUnit.MINUTES)) {
        process.destroyForcibly();
        throw new AssertionError("no end: " + String.join(" ", command));
      }
      Answer answer = new Answer(process.exitValue(), Files.readString(out), Files.readString(err));
      Files.delete(out);
      Files.delete(err);
      return answer;
    } catch (IOException | InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  public Kernel kernel() {
    return kernel;
  }

  /** Runs a bash script as root, outside every host. */
  public Answer run(String script) {
    return machine.run(script, LIMIT);
  }

  /** Runs a bash script; one that has not ended within the limit is killed, and the test fails. */
  public Answer run(String script, Duration limit) {
    return machine.run(script, limit);
  }

  /**
   * Makes hosts and wires from a description, one statement to a line: {@code
   * lab/guest/bin/lab-net} tells its words. Close it to take them away.
   */
  public Network network(String description) {
    Network network = new Network(this, "n" + networks.incrementAndGet());
    network.up(description);
    return network;
  }

  /** A word of a script, whatever it contains. */
  static String quoted(String word) {
    return "'" + word.replace("'", "'\\''") + "'";
  }

  /** Several words of a script. */
  static String quoted(List<String> words) {
    return words.stream().map(Lab::quoted).collect(joining(" "));
  }
}
