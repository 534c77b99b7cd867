package io.gatehouse.bench;

import io.gatehouse.compile.Compiler;
import io.gatehouse.compile.LiveMaps;
import io.gatehouse.daemon.Daemon;
import io.gatehouse.daemon.Model;
import io.gatehouse.model.Gateway;
import io.gatehouse.netlink.Answer;
import io.gatehouse.netlink.Bytes;
import io.gatehouse.netlink.ElementChange;
import io.gatehouse.netlink.Frame;
import io.gatehouse.netlink.Kernel;
import io.gatehouse.netlink.KernelEvents;
import io.gatehouse.netlink.NftCodec;
import io.gatehouse.netlink.NftMessage;
import io.gatehouse.netlink.SetElement;
import io.gatehouse.netlink.SetId;
import io.gatehouse.ruleset.NftText;
import io.gatehouse.ruleset.Ruleset;
import java.io.IOException;
import java.io.OutputStream;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.TimeUnit;

/**
 * The daemon against a scripted VICI socket: how long until all tunnels stand, how long from an
 * event to the kernel beside a fork of {@code nft} and a replacement of connmark's whole table, and
 * what a million events leave behind. Prints tables for docs/results.
 *
 * <p>{@code unshare -n java -Xmx256m -cp … io.gatehouse.bench.DaemonSpeed EXAMPLES [EVENTS]}, as
 * root. Both sides of the socket are in this one JVM.
 */
public final class DaemonSpeed {
  private static final SetId ZONES = SetId.inet(LiveMaps.TABLE, "l2tp.zones");

  /** A map of the same kind that no daemon has to do with. */
  private static final SetId BARE = SetId.inet("bare", "zones");

  private static final int MOST = 10_000;
  private static final int LATENCIES = 2_000;
  private static final int FORKS = 41;

  private final Model model;
  private final Path directory;

  private DaemonSpeed(Model model, Path directory) {
    this.model = model;
    this.directory = directory;
  }

  public static void main(String[] arguments) throws IOException, InterruptedException {
    Path file = Path.of(arguments[0]).resolve("l2tp.yaml");
    int events = arguments.length > 1 ? Integer.parseInt(arguments[1]) : 1_000_000;
    Gateway gateway = new OneText(Files.readString(file)).gateway();
    Ruleset ruleset = Compiler.compile(gateway).ruleset();
    Path directory = Files.createTempDirectory("daemon-speed");
    run(NftText.of(ruleset.tables().getFirst()), "nft", "-f", "-");
    DaemonSpeed speed =
        new DaemonSpeed(new Model(1, gateway, LiveMaps.of(gateway, ruleset)), directory);
    System.out.printf("load before: %s%n%n", Files.readString(Path.of("/proc/loadavg")).strip());
    speed.latencies();
    speed.churn(events);
    Files.deleteIfExists(directory.resolve("control"));
    Files.delete(directory);
  }

  /** A daemon that runs, and the socket that it follows. */
  private record Running(Daemon daemon, ScriptedCharon charon, Thread thread)
      implements AutoCloseable {
    @Override
    public void close() throws IOException {
      daemon.end(true);
      try {
        thread.join();
      } catch (InterruptedException e) {
        throw new IOException(e);
      }
      charon.close();
    }
  }

  private Running start(int clients) throws IOException {
    Path vici = directory.resolve("vici");
    ScriptedCharon charon = new ScriptedCharon(vici, clients);
    Daemon daemon =
        new Daemon(
            new Daemon.Hands() {
              @Override
              public Model model() {
                return model;
              }

              @Override
              public void repair(int generation) {}

              @Override
              public void late() {}

              @Override
              public void say(String line) {}

              @Override
              public void alive() {}
            },
            vici,
            directory.resolve("control"),
            InstantSource.system());
    Thread thread =
        Thread.ofPlatform()
            .start(() -> {
              try {
                daemon.run(() -> {});
              } catch (IOException | InterruptedException e) {
                throw new IllegalStateException(e);
              }
            });
    return new Running(daemon, charon, thread);
  }

  // ---- until all stand, and from an event to the kernel ----

  private void latencies() throws IOException, InterruptedException {
    System.out.println(
        "| tunnels | all stand, ms | event to kernel, µs: median | p99 | the change alone: median | p99"
            + " | beside the others: median | p99 | `nft` forked, ms: median | table replaced, ms:"
            + " median | heap, MiB |");
    System.out.println("|---|---|---|---|---|---|---|---|---|---|---|");
    for (int clients : new int[] {1, 100, 1_000, MOST}) {
      long began = System.nanoTime();
      try (Running running = start(clients);
          Kernel kernel = told(Kernel.open())) {
        while (standing(kernel) < clients) {
          Thread.onSpinWait();
        }
        double settled = (System.nanoTime() - began) / 1e6;
        long heap = heap();
        Measured measured = measure(running, clients);
        System.out.printf(
            Locale.ROOT,
            "| %,d | %.0f | %.0f | %.0f | %.0f | %.0f | %.0f | %.0f | %.2f | %.1f | %d |%n",
            clients,
            settled,
            percentile(measured.alone(), 50) / 1e3,
            percentile(measured.alone(), 99) / 1e3,
            percentile(measured.bare(), 50) / 1e3,
            percentile(measured.bare(), 99) / 1e3,
            percentile(measured.ours(), 50) / 1e3,
            percentile(measured.ours(), 99) / 1e3,
            percentile(measured.forks(), 50) / 1e6,
            percentile(measured.replaced(), 50) / 1e6,
            heap >> 20);
        System.out.println(
            "<!-- one of ours beside one fork and one replacement, ratios of neighbours: "
                + ratios(measured.forks(), measured)
                + "; "
                + ratios(measured.replaced(), measured)
                + " -->");
      }
    }
    System.out.println();
  }

  /**
   * Nanoseconds.
   *
   * @param alone one event after the other, and nothing else but the next
   * @param bare in turn with those, such a change by a call from here, without a daemon between
   * @param ours between each two of the others as many as fit: the kernel still tears down the
   *     replaced table when the first of them comes
   */
  @SuppressWarnings("ArrayRecordComponent") // short-lived, never compared
  private record Measured(long[] alone, long[] bare, long[] ours, long[] forks, long[] replaced) {}

  /** The median of how many times slower, with the interval that holds nine tenths of medians. */
  private static String ratios(long[] other, Measured measured) {
    int together = measured.ours().length / other.length;
    double[] ratios = new double[other.length];
    for (int i = 0; i < other.length; i++) {
      long[] beside = Arrays.copyOfRange(measured.ours(), i * together, (i + 1) * together);
      ratios[i] = (double) other[i] / percentile(beside, 50);
    }
    Arrays.sort(ratios);
    // Ranks of the sign test's interval at 95 %: n/2 ± 0.98·√n.
    int aside = (int) Math.ceil(0.98 * Math.sqrt(ratios.length));
    int middle = ratios.length / 2;
    return String.format(
        Locale.ROOT,
        "%.0f times (%.0f–%.0f)",
        ratios[middle],
        ratios[Math.max(0, middle - aside)],
        ratios[Math.min(ratios.length - 1, middle + aside)]);
  }

  private Measured measure(Running running, int clients) throws IOException, InterruptedException {
    int one = clients + 1;
    Path up = directory.resolve("up");
    Path down = directory.resolve("down");
    Files.writeString(up, "add element inet other zones { 0x00fffff0 : 0x1fff }\n");
    Files.writeString(down, "delete element inet other zones { 0x00fffff0 }\n");
    run(
        """
        add table inet other; add map inet other zones { typeof meta mark : ct zone; }
        add table inet bare; add map inet bare zones { typeof meta mark : ct zone; }
        """,
        "nft",
        "-f",
        "-");
    String table = connmarks(clients);
    long[] ours = new long[LATENCIES / FORKS / 2 * 2 * FORKS];
    long[] alone = new long[LATENCIES];
    long[] bare = new long[LATENCIES];
    long[] forks = new long[FORKS];
    long[] replaced = new long[FORKS];
    try (Watch watch = new Watch();
        Kernel kernel = told(Kernel.open())) {
      for (int i = 0; i < 200; i++) { // warms what the JVM compiles
        watch.time(running.charon(), one, i % 2 == 0);
        watch.time(kernel, i % 2 == 0);
      }
      for (int i = 0; i < alone.length; i++) {
        alone[i] = watch.time(running.charon(), one, i % 2 == 0);
        bare[i] = watch.time(kernel, i % 2 == 0);
      }
      int next = 0;
      for (int round = 0; round < FORKS; round++) {
        // The table's thousands of events may be more than the watch has room for.
        watch.untilItHears(running.charon(), one);
        for (int i = 0; i < ours.length / FORKS; i++) {
          ours[next] = watch.time(running.charon(), one, i % 2 == 0);
          next++;
        }
        long began = System.nanoTime();
        run("", "nft", "-f", (round % 2 == 0 ? up : down).toString());
        forks[round] = System.nanoTime() - began;
        began = System.nanoTime();
        run(table, "nft", "-f", "-");
        replaced[round] = System.nanoTime() - began;
      }
    }
    run(
        "delete table ip connmark; delete table inet other; delete table inet bare\n",
        "nft",
        "-f",
        "-");
    Files.delete(up);
    Files.delete(down);
    return new Measured(alone, bare, ours, forks, replaced);
  }

  /** As the plugin has them: three rules to an SA, all of them written anew for each change. */
  private static String connmarks(int clients) {
    StringBuilder text = new StringBuilder("table ip connmark\ndelete table ip connmark\n");
    text.append("table ip connmark {\n");
    chain(text, "pre", "type filter hook prerouting priority mangle");
    for (int mark = 1; mark <= clients; mark++) {
      text.append("ip saddr 198.51.100.1 udp sport ")
          .append(1024 + mark % 60000)
          .append(" udp dport 4500 meta mark set ")
          .append(mark)
          .append('\n');
    }
    chain(text.append("}\n"), "in", "type filter hook input priority mangle");
    for (int mark = 1; mark <= clients; mark++) {
      text.append("meta mark ").append(mark).append(" ct mark set ").append(mark).append('\n');
    }
    chain(text.append("}\n"), "out", "type route hook output priority mangle");
    for (int mark = 1; mark <= clients; mark++) {
      text.append("ct mark ").append(mark).append(" meta mark set ").append(mark).append('\n');
    }
    return text.append("}\n}\n").toString();
  }

  private static void chain(StringBuilder text, String name, String base) {
    text.append("chain ").append(name).append(" {\n").append(base).append(";\n");
  }

  /** Hears of our element as soon as the kernel tells of it. */
  private static final class Watch implements AutoCloseable {
    private final SynchronousQueue<Long> heard = new SynchronousQueue<>();
    private final Thread thread;
    private volatile boolean over;

    Watch() throws InterruptedException {
      SynchronousQueue<Boolean> ready = new SynchronousQueue<>();
      thread =
          Thread.ofPlatform()
              .daemon()
              .start(() -> {
                try (KernelEvents events = told(KernelEvents.about(KernelEvents.About.NFTABLES))) {
                  ready.put(true);
                  while (!over) {
                    if (events.next(Duration.ofMillis(100))
                            instanceof KernelEvents.Heard.Messages messages
                        && messages.messages().stream().anyMatch(Watch::isOurs)) {
                      heard.offer(System.nanoTime(), 5, TimeUnit.SECONDS);
                    }
                  }
                } catch (InterruptedException e) {
                  // closed
                }
              });
      ready.take();
    }

    private static boolean isOurs(Frame.Content message) {
      return NftCodec.read(message) instanceof NftMessage.Elements elements
          && (elements.set().equals(ZONES) || elements.set().equals(BARE));
    }

    /** Nanoseconds from the event's first byte until the kernel has told of the change. */
    long time(ScriptedCharon charon, int client, boolean up)
        throws IOException, InterruptedException {
      ByteBuffer event = ScriptedCharon.updown(client, up);
      long began = System.nanoTime();
      charon.send(event);
      return heardAt() - began;
    }

    /** Nanoseconds from a call that changes an element until the kernel has told of it. */
    long time(Kernel kernel, boolean up) throws IOException, InterruptedException {
      SetElement element = SetElement.of(Bytes.int32(0), new SetElement.Data.Value(Bytes.int16(1)));
      ElementChange change =
          up ? new ElementChange.Add(BARE, element) : new ElementChange.Remove(BARE, element);
      long began = System.nanoTime();
      told(kernel.change(List.of(change), OptionalLong.empty()));
      return heardAt() - began;
    }

    private long heardAt() throws IOException, InterruptedException {
      return Optional.ofNullable(heard.poll(20, TimeUnit.SECONDS))
          .orElseThrow(() -> new IOException("the kernel told of no change"));
    }

    /** Sends events until both of a pair are heard. */
    void untilItHears(ScriptedCharon charon, int client) throws IOException, InterruptedException {
      boolean both = false;
      while (!both) {
        charon.send(ScriptedCharon.updown(client, true));
        both = heard.poll(3, TimeUnit.SECONDS) != null;
        charon.send(ScriptedCharon.updown(client, false));
        both &= heard.poll(3, TimeUnit.SECONDS) != null;
      }
    }

    @Override
    public void close() throws IOException {
      over = true;
      try {
        thread.join();
      } catch (InterruptedException e) {
        throw new IOException(e);
      }
    }
  }

  // ---- a million events ----

  private void churn(int events) throws IOException, InterruptedException {
    try (Running running = start(MOST);
        Kernel kernel = told(Kernel.open())) {
      while (standing(kernel) < MOST) {
        Thread.onSpinWait();
      }
      System.out.println("| events | seconds | heap, MiB | descriptors | elements |");
      System.out.println("|---|---|---|---|---|");
      state(kernel, 0, 0);
      long began = System.nanoTime();
      int sent = 0;
      for (int part = 0; part < 10; part++) {
        for (int i = 0; i < events / 20; i++) {
          int client = MOST + 1 + sent / 2 % MOST;
          running.charon().tell(client, true);
          running.charon().tell(client, false);
          sent += 2;
        }
        // All of them were heard when one more stands.
        int last = 3 * MOST + part;
        running.charon().tell(last, true);
        while (!stands(kernel, last)) {
          Thread.sleep(1);
        }
        state(kernel, sent, System.nanoTime() - began);
      }
    }
  }

  private static void state(Kernel kernel, int sent, long nanos) throws IOException {
    try (var descriptors = Files.list(Path.of("/proc/self/fd"))) {
      System.out.printf(
          Locale.ROOT,
          "| %,d | %.1f | %d | %d | %,d |%n",
          sent,
          nanos / 1e9,
          heap() >> 20,
          descriptors.count(),
          standing(kernel));
    }
  }

  // ---- the machine ----

  private static int standing(Kernel kernel) {
    List<SetElement> elements = told(kernel.elements(ZONES));
    return elements.size();
  }

  private static boolean stands(Kernel kernel, int mark) {
    return told(kernel.elements(ZONES)).stream().anyMatch(element -> element.key().u32(0) == mark);
  }

  /** Bytes that are left after a collection. */
  private static long heap() {
    System.gc();
    return ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed();
  }

  private static long percentile(long[] values, int percent) {
    long[] sorted = values.clone();
    Arrays.sort(sorted);
    return sorted[Math.min(sorted.length - 1, sorted.length * percent / 100)];
  }

  private static <T> T told(Answer<T> answer) {
    return switch (answer) {
      case Answer.Told<T>(T value) -> value;
      case Answer.Failed<T>(io.gatehouse.netlink.Failure why) ->
          throw new IllegalStateException(why.toString());
    };
  }

  private static void run(String input, String... command)
      throws IOException, InterruptedException {
    Process process =
        new ProcessBuilder(command)
            .redirectOutput(ProcessBuilder.Redirect.INHERIT)
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    try (OutputStream to = process.getOutputStream()) {
      to.write(input.getBytes(java.nio.charset.StandardCharsets.UTF_8));
    }
    if (process.waitFor() != 0) {
      throw new IOException(String.join(" ", command) + " failed");
    }
  }
}
