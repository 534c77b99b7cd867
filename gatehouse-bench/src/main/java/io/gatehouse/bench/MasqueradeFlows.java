package io.gatehouse.bench;

import io.gatehouse.masquerade.Masquerade;
import io.gatehouse.masquerade.Method;
import io.gatehouse.masquerade.Settings;
import io.gatehouse.masquerade.Verdict;
import io.gatehouse.model.Address;
import io.gatehouse.packet.Body;
import io.gatehouse.packet.Bytes;
import io.gatehouse.packet.Esp;
import io.gatehouse.packet.Ike;
import io.gatehouse.packet.Ip;
import io.gatehouse.packet.Udp;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.SplittableRandom;

/**
 * The masquerade's engine with a million flows: decisions a second on one core, bytes a flow. A
 * flow is a pair of SAs, its IKE SA and what is known of its host and remote. Prints a table for
 * docs/results.
 *
 * <p>{@code java -Xmx2g -XX:+UseSerialGC -cp … io.gatehouse.bench.MasqueradeFlows [FLOWS]}
 */
public final class MasqueradeFlows {
  private static final Address PUBLIC = Address.of("203.0.113.1");
  private static final int REMOTES = 1000;
  private static final int BATCH = 1 << 16;
  private static final int ROUNDS = 15;
  private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();

  private final int flows;
  private final Masquerade engine;
  private final SplittableRandom random = new SplittableRandom(1);

  private long now;
  private int begun;
  private int bound;

  private MasqueradeFlows(int flows) {
    this.flows = flows;
    this.now = flows;
    Settings.Limits limits = new Settings.Limits(8192, 4096, 1 << 20, 256, 64, 1 << 21);
    this.engine =
        new Masquerade(
            new Settings(
                Method.EVIDENCE, Duration.ofHours(2), true, Duration.ZERO, List.of(), limits),
            42);
  }

  public static void main(String[] arguments) {
    new MasqueradeFlows(arguments.length > 0 ? Integer.parseInt(arguments[0]) : 1_000_000).run();
  }

  private void run() {
    long before = heap();
    for (int flow = 0; flow < flows; flow++) {
      fill(flow);
    }
    long used = heap() - before;
    System.out.printf(Locale.ROOT, "%d flows%n%n", flows);
    System.out.println("| what | median | least | most |");
    System.out.println("|---|---|---|---|");
    System.out.printf(Locale.ROOT, "| bytes a flow | %.0f | | |%n", (double) used / flows);
    measure("established, from outside, million a second", true);
    measure("established, from inside, million a second", false);
    ticks("tick, ms");
    begin("a new SA, from its exchange to its binding, thousand a second");
    ticks("tick after these, ms");
  }

  private static Address remote(int flow) {
    return Address.v4(0x60000000 + flow % REMOTES);
  }

  private static Address host(int flow) {
    return Address.v4(0x0a000000 + flow / REMOTES);
  }

  private static int spi(int flow) {
    return flow * 0x9e3779b1 | 0x100;
  }

  private static Ip ip(Address from, Address to, int protocol, Body body) {
    return new Ip(from, to, protocol, 64, Optional.empty(), 20, 120, body);
  }

  private void fill(int flow) {
    Address host = host(flow);
    Address remote = remote(flow);
    Ike hello = new Ike(1L + flow, 2L + flow, 33, 2, 0, Ike.SA_INIT, 8, 0, 300, 0, 0);
    expect(
        engine.outbound(
            ip(host, remote, Ip.UDP, new Udp(500, 500, 308, Bytes.EMPTY, hello)), flow));
    expect(engine.outbound(ip(host, remote, Ip.ESP, new Esp(spi(flow), 1, 100)), flow));
    if (engine.register(host, remote, spi(flow), flow).isPresent()) {
      throw new IllegalStateException("flow " + flow + " was refused");
    }
    if (flow % 1000 == 0) {
      engine.changes();
    }
  }

  private static void expect(Verdict verdict) {
    if (!(verdict instanceof Verdict.Forward)) {
      throw new IllegalStateException(verdict.toString());
    }
  }

  /**
   * Packets of flows by lot, made beforehand; the processor's time for the decisions alone counts.
   */
  private void measure(String name, boolean fromOutside) {
    double[] rates = new double[ROUNDS];
    Ip[] packets = new Ip[BATCH];
    long answers = 0;
    for (int round = -5; round < ROUNDS; round++) {
      for (int i = 0; i < BATCH; i++) {
        int flow = random.nextInt(flows);
        Esp esp = new Esp(spi(flow), 1000 + i, 100);
        packets[i] =
            fromOutside
                ? ip(remote(flow), PUBLIC, Ip.ESP, esp)
                : ip(host(flow), remote(flow), Ip.ESP, esp);
      }
      long began = THREADS.getCurrentThreadCpuTime();
      for (int repeat = 0; repeat < 4; repeat++) {
        for (Ip packet : packets) {
          Verdict verdict =
              fromOutside ? engine.inbound(packet, flows) : engine.outbound(packet, flows);
          answers += verdict instanceof Verdict.Drop ? 1 : 0;
        }
      }
      double seconds = (THREADS.getCurrentThreadCpuTime() - began) / 1e9;
      if (round >= 0) {
        rates[round] = 4.0 * BATCH / seconds / 1e6;
      }
    }
    if (answers > 0) {
      throw new IllegalStateException(answers + " packets were dropped");
    }
    row(name, rates);
  }

  /** What the packet thread does each second beside packets. */
  private void ticks(String name) {
    double[] took = new double[200];
    for (int i = -50; i < took.length; i++) {
      now += 1000;
      long began = THREADS.getCurrentThreadCpuTime();
      engine.tick(now);
      if (i >= 0) {
        took[i] = (THREADS.getCurrentThreadCpuTime() - began) / 1e6;
      }
      engine.changes();
    }
    row(name, took);
  }

  /** An exchange of CREATE_CHILD_SA, and two packets under the new SPI: four decisions. */
  private void begin(String name) {
    double[] rates = new double[ROUNDS];
    int each = 4096;
    for (int round = -5; round < ROUNDS; round++) {
      long began = THREADS.getCurrentThreadCpuTime();
      for (int i = 0; i < each; i++) {
        int flow = random.nextInt(flows);
        int message = ++begun;
        now++;
        Address host = host(flow);
        Address remote = remote(flow);
        Ike ask = child(flow, message, 8, Ike.NOTIFY_PAYLOAD);
        Ike answer = child(flow, message, 0x20, Ike.SA_PAYLOAD);
        expect(
            engine.outbound(
                ip(host, remote, Ip.UDP, new Udp(500, 500, 308, Bytes.EMPTY, ask)), now));
        engine.inbound(
            ip(remote, PUBLIC, Ip.UDP, new Udp(500, 500, 308, Bytes.EMPTY, answer)), now);
        int spi = 0x10 + (message << 1);
        engine.inbound(ip(remote, PUBLIC, Ip.ESP, new Esp(spi, 1, 100)), now);
        engine.inbound(ip(remote, PUBLIC, Ip.ESP, new Esp(spi, 2, 100)), now);
        bound += engine.evidence(remote, spi).isPresent() ? 1 : 0;
      }
      double seconds = (THREADS.getCurrentThreadCpuTime() - began) / 1e9;
      engine.changes();
      if (round >= 0) {
        rates[round] = each / seconds / 1e3;
      }
    }
    row(name, rates);
    System.out.printf(
        Locale.ROOT, "| of these bound at once, %% | %.1f | | |%n", 100.0 * bound / begun);
  }

  private static Ike child(int flow, int message, int flags, int inner) {
    return new Ike(
        1L + flow, 2L + flow, 46, 2, 0, Ike.CREATE_CHILD_SA, flags, message, 300, inner, 0);
  }

  private static void row(String name, double[] figures) {
    Arrays.sort(figures);
    System.out.printf(
        Locale.ROOT,
        "| %s | %.2f | %.2f | %.2f |%n",
        name,
        figures[figures.length / 2],
        figures[0],
        figures[figures.length - 1]);
  }

  private static long heap() {
    Runtime runtime = Runtime.getRuntime();
    for (int i = 0; i < 3; i++) {
      System.gc();
    }
    return runtime.totalMemory() - runtime.freeMemory();
  }
}
