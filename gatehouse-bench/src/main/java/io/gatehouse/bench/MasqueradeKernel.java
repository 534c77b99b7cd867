package io.gatehouse.bench;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.gatehouse.compile.Compiler;
import io.gatehouse.compile.LiveMaps;
import io.gatehouse.model.Family;
import io.gatehouse.model.Gateway;
import io.gatehouse.netlink.Answer;
import io.gatehouse.netlink.Bytes;
import io.gatehouse.netlink.PacketSender;
import io.gatehouse.ruleset.NftText;
import io.gatehouse.ruleset.Ruleset;
import io.gatehouse.slowpath.Plan;
import io.gatehouse.slowpath.SlowPath;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/**
 * The masquerade on the running kernel: established packets a second with 10,000 bindings, beside
 * stock masquerade and beside the same firewall with stock masquerade; and how long the first
 * packet of an SA takes, which goes by NFQUEUE through the daemon's slow path. Stand-in ESP:
 * nothing is encrypted, and the gateway does not look inside.
 *
 * <p>{@code java --enable-native-access=ALL-UNNAMED -cp … io.gatehouse.bench.MasqueradeKernel PAGE
 * [ROUNDS [SAMPLES]]}, as root; writes the page. Traffic stays in three namespaces that end with
 * the program.
 */
public final class MasqueradeKernel {
  private static final int HOSTS = 10_000;
  private static final int PACKETS = 20_000;

  /** Of an ESP packet, as of one that carries a call. */
  private static final int SIZE = 200;

  private static final int REMOTES = 0xc6120000; // 198.18.0.0
  private static final int INSIDE = 0x0a400000; // 10.64.0.0
  private static final int PUBLIC = 0xcb007102; // 203.0.113.2
  private static final int FIRST_ZONE = 0x8000;

  private static final String INTERFACES =
      """
      version: 1
      gateway: bench
      interfaces:
        wan: { device: eth0, role: outside, addresses: 203.0.113.2/24, router-advertisements: false }
        lan: { device: eth1, role: inside, addresses: 10.63.0.1/24 }
      networks:
        office: { via: lan, prefixes: 10.64.0.0/16 }
      """;

  private static final String OURS = INTERFACES + "masquerade: { clients: office }\n";

  private static final String FIREWALL =
      INTERFACES + "host: { internet: { from: office, services: [esp] } }\n";

  private static final String STOCK =
      """
      table ip nat {
        chain out { type nat hook postrouting priority 100; oifname "eth0" masquerade; }
      }
      """;

  /** Where the kernel has no `queue` for nftables: iptables' asks, about everything. */
  private static final String STAND_IN =
      """
      iptables -t raw -A PREROUTING -i eth0 -p esp -j NFQUEUE --queue-num 7171
      iptables -t raw -A PREROUTING -i eth0 -p udp --dport 500 -j NFQUEUE --queue-num 7171
      iptables -t raw -A PREROUTING -i eth1 -p udp --dport 500 -j NFQUEUE --queue-num 7172
      """;

  private final Namespace gateway = new Namespace();
  private final Namespace inside = new Namespace();
  private final Namespace outside = new Namespace();
  private final Path directory;
  private final boolean queues;
  private int sequence;

  /** Rules, and which remote a host's packets are for. */
  private record Variant(String name, Path rules, boolean eachItsRemote) {
    int remote(int host) {
      return REMOTES + (eachItsRemote ? number(host) : 1);
    }
  }

  private MasqueradeKernel(Path directory) {
    this.directory = directory;
    queues =
        gateway.call(() ->
            new ProcessBuilder(
                        "sh",
                        "-c",
                        "echo 'table inet t { chain c { type filter hook input priority 0;"
                            + " queue to 1; }; }' | nft -c -f - 2> /dev/null")
                    .start()
                    .waitFor()
                == 0);
  }

  public static void main(String[] arguments) throws IOException {
    Path page = Path.of(arguments[0]);
    int rounds = arguments.length > 1 ? Integer.parseInt(arguments[1]) : 20;
    int samples = arguments.length > 2 ? Integer.parseInt(arguments[2]) : 2_000;
    Path directory = Files.createTempDirectory("masquerade-kernel");
    MasqueradeKernel bench = new MasqueradeKernel(directory);
    bench.wires();
    List<String> lines = new ArrayList<>();
    lines.add("# Masquerade on a kernel, " + LocalDate.now(ZoneOffset.UTC));
    lines.add("");
    lines.add(
        "`MasqueradeKernel`, %d rounds, Linux %s, load before: %s, %s."
            .formatted(
                rounds,
                Files.readString(Path.of("/proc/sys/kernel/osrelease")).strip(),
                Files.readString(Path.of("/proc/loadavg")).strip().substring(0, 14),
                isRealTime() ? "all threads at real-time priority" : "ordinary priority"));
    lines.addAll(bench.established(rounds));
    lines.addAll(bench.first(samples));
    Files.write(page, lines);
    lines.forEach(System.out::println);
    for (String file : new String[] {"stock", "firewall", "ours", "ours-one"}) {
      Files.deleteIfExists(directory.resolve(file));
    }
    Files.delete(directory);
    System.exit(0); // the namespaces' threads wait for ever
  }

  /** By the policy, the 41st number that proc(5) lists: SCHED_FIFO is 1, SCHED_RR 2. */
  private static boolean isRealTime() throws IOException {
    String all = Files.readString(Path.of("/proc/thread-self/stat"));
    String[] behindTheName = all.substring(all.lastIndexOf(')') + 2).split(" ", -1);
    String policy = behindTheName[41 - 3];
    return policy.equals("1") || policy.equals("2");
  }

  private void wires() {
    gateway.sh(
        """
        ip link set lo up
        ip link add eth0 type veth peer name far
        ip link set far netns %s
        ip link add eth1 type veth peer name near
        ip link set near netns %s
        ip link set eth0 up
        ip link set eth1 up
        ip addr add 203.0.113.2/24 dev eth0
        ip addr add 10.63.0.1/24 dev eth1
        ip route add default via 203.0.113.1
        ip route add 10.64.0.0/16 via 10.63.0.2
        echo 1 > /proc/sys/net/ipv4/ip_forward
        for each in all default eth0 eth1; do echo 0 > /proc/sys/net/ipv4/conf/$each/rp_filter; done
        """
            .formatted(outside.number, inside.number));
    outside.sh(end("far", "203.0.113.1/24", "198.18.0.0/15", "203.0.113.2"));
    inside.sh(end("near", "10.63.0.2/24", "10.64.0.0/16", "10.63.0.1"));
  }

  private static String end(String device, String address, String many, String gateway) {
    return """
    ip link set lo up
    ip link set %1$s up
    ip addr add %2$s dev %1$s
    ip route add local %3$s dev lo
    ip route add default via %4$s
    for each in all default %1$s; do echo 0 > /proc/sys/net/ipv4/conf/$each/rp_filter; done
    """
        .formatted(device, address, many, gateway);
  }

  private static final String COUNTS =
      """
      table ip count { chain c {
        type filter hook prerouting priority -300; meta l4proto esp counter drop; }; }
      """;

  // ---- established ----

  private List<String> established(int rounds) throws IOException {
    List<Variant> variants =
        List.of(
            new Variant("stock masquerade, no other rule", rules("stock", STOCK), true),
            new Variant("our firewall, stock masquerade", rules("firewall", text(FIREWALL)), true),
            new Variant("ours, 10,000 bindings, a remote each", ours(true), true),
            new Variant("ours, 10,000 bindings, one remote", ours(false), false));
    outside.sh("nft -f - <<'END'\n" + COUNTS + "END\n");
    inside.sh("nft -f - <<'END'\n" + COUNTS + "END\n");
    for (Variant variant : variants) {
      gateway.nft(variant.rules);
      turn(variant, false, HOSTS); // conntrack's entries stay, whatever rules come
      turn(variant, true, HOSTS);
    }
    Map<String, List<Double>> in = new LinkedHashMap<>();
    Map<String, List<Double>> out = new LinkedHashMap<>();
    double lost = 0;
    for (int round = -1; round < rounds; round++) {
      for (Variant variant : round % 2 == 0 ? variants : variants.reversed()) {
        gateway.nft(variant.rules);
        for (boolean inbound : new boolean[] {true, false}) {
          double[] rate = turn(variant, inbound, PACKETS);
          lost = Math.max(lost, rate[1]);
          if (round >= 0) {
            (inbound ? in : out).computeIfAbsent(variant.name, n -> new ArrayList<>()).add(rate[0]);
          }
        }
      }
    }
    outside.sh("nft delete table ip count");
    inside.sh("nft delete table ip count");
    return page(in, out, lost);
  }

  /** Packets a second that arrived, and the share that did not. */
  private double[] turn(Variant variant, boolean inbound, int packets) throws IOException {
    Namespace from = inbound ? outside : inside;
    Namespace to = inbound ? inside : outside;
    sequence += packets / HOSTS + 1;
    Bytes[] all = new Bytes[HOSTS];
    for (int host = 0; host < HOSTS; host++) {
      int remote = variant.remote(host);
      all[host] =
          inbound
              // Each SA at another number: some have their turn with conntrack.
              ? esp(remote, PUBLIC, inboundSpi(host), sequence + host)
              : esp(INSIDE + number(host), remote, outboundSpi(host), sequence + host);
    }
    long before = arrived(to);
    double seconds = from.call(() -> send(all, packets));
    long came = arrived(to) - before;
    return new double[] {came / seconds, 1 - came / (double) packets};
  }

  private static double send(Bytes[] all, int packets) throws IOException {
    try (PacketSender sender = sender()) {
      long began = System.nanoTime();
      for (int i = 0; i < packets; i++) {
        sender.send(all[i % HOSTS]);
      }
      return (System.nanoTime() - began) / 1e9;
    }
  }

  private static PacketSender sender() throws IOException {
    return switch (PacketSender.open(Family.V4)) {
      case Answer.Told<PacketSender>(PacketSender sender) -> sender;
      case Answer.Failed<PacketSender> failed -> throw new IOException(failed.toString());
    };
  }

  private static long arrived(Namespace namespace) {
    String text =
        namespace.call(() -> {
          Process process = new ProcessBuilder("nft", "list", "chain", "ip", "count", "c").start();
          return new String(process.getInputStream().readAllBytes(), UTF_8);
        });
    int at = text.indexOf("packets ") + "packets ".length();
    return Long.parseLong(text.substring(at, text.indexOf(' ', at)));
  }

  private List<String> page(
      Map<String, List<Double>> in, Map<String, List<Double>> out, double lost) {
    List<String> lines = new ArrayList<>();
    lines.add("");
    lines.add("## Established");
    lines.add("");
    lines.add(
        String.format(
            Locale.ROOT,
            "Packets a second through one gateway, %d bytes, 10,000 hosts in turn, one sender that does all the kernel's work itself;"
                + " rules changed before each turn, there and back. At most %.2f %% of a turn's packets did not arrive.",
            SIZE,
            100 * lost));
    lines.add("");
    lines.add(
        "| rules | from outside, median | least | most | from inside, median | least | most |");
    lines.add("|---|---|---|---|---|---|---|");
    in.forEach((name, rates) ->
        lines.add(
            String.format(
                Locale.ROOT,
                "| %s | %s | %s |",
                name,
                three(rates),
                three(out.getOrDefault(name, List.of())))));
    List<String> names = List.copyOf(in.keySet());
    lines.add("");
    for (int other : new int[] {0, 1}) {
      for (int ours : new int[] {2, 3}) {
        lines.add(
            "- %s, to %s: from outside %s, from inside %s"
                .formatted(
                    names.get(ours),
                    names.get(other),
                    ratio(in, names.get(ours), names.get(other)),
                    ratio(out, names.get(ours), names.get(other))));
      }
    }
    lines.add("");
    lines.add(
        "The aim is 0.9 of plain masquerade at least. The first two ratios say whether it is met against plain masquerade without a firewall: "
            + (met(in, names, 0) && met(out, names, 0) ? "it is." : "it is missed.")
            + " Against the same firewall with plain masquerade, by the medians: "
            + (met(in, names, 1) && met(out, names, 1) ? "it is met." : "it is missed."));
    return lines;
  }

  private static String three(List<Double> rates) {
    double[] sorted = sorted(rates);
    return String.format(
        Locale.ROOT,
        "%,.0f | %,.0f | %,.0f",
        sorted[sorted.length / 2],
        sorted[0],
        sorted[sorted.length - 1]);
  }

  private static double[] sorted(List<Double> some) {
    return some.stream().mapToDouble(Double::doubleValue).sorted().toArray();
  }

  /** Whether both of ours reach 0.9 of another, by the medians of pairs. */
  private static boolean met(Map<String, List<Double>> rates, List<String> names, int other) {
    return Double.parseDouble(ratio(rates, names.get(2), names.get(other)).split(" ", 2)[0]) >= 0.9
        && Double.parseDouble(ratio(rates, names.get(3), names.get(other)).split(" ", 2)[0]) >= 0.9;
  }

  /** Of pairs of one round: the median, and the sign test's interval at 95 %, n/2 ± 0.98·√n. */
  private static String ratio(Map<String, List<Double>> rates, String one, String other) {
    List<Double> ones = rates.getOrDefault(one, List.of());
    List<Double> others = rates.getOrDefault(other, List.of());
    List<Double> ratios = new ArrayList<>();
    for (int i = 0; i < ones.size(); i++) {
      ratios.add(ones.get(i) / others.get(i));
    }
    double[] sorted = sorted(ratios);
    int aside = (int) Math.ceil(0.98 * Math.sqrt(sorted.length));
    int middle = sorted.length / 2;
    return String.format(
        Locale.ROOT,
        "%.3f (%.3f to %.3f)",
        sorted[middle],
        sorted[Math.max(0, middle - aside)],
        sorted[Math.min(sorted.length - 1, middle + aside)]);
  }

  // ---- first packets ----

  private List<String> first(int samples) throws IOException {
    Gateway described = new OneText(OURS).gateway();
    Ruleset ruleset = Compiler.compile(described).ruleset();
    gateway.sh(
        "nft -f - <<'END'\nflush ruleset\n"
            + withoutQueues(NftText.of(ruleset.tables().getFirst()))
            + "END\n");
    RawReceiver receiver = inside.call(RawReceiver::open);
    double[] established = new double[samples];
    double[] first = new double[samples];
    long lost = 0;
    try (SlowPath slowPath = new SlowPath(line -> {})) {
      slowPath.follow(Plan.of(described, LiveMaps.of(described, ruleset)));
      gateway.call(() -> {
        slowPath.start();
        slowPath.untilItWorks();
        return true;
      });
      if (!queues) {
        gateway.sh(iptables() + "\n" + STAND_IN.replace("iptables ", "$iptables "));
      }
      for (int i = -200; i < samples; i++) {
        int host = Math.floorMod(i, HOSTS);
        logOn(host);
        long took =
            took(
                receiver,
                esp(REMOTES + 0x10000 + number(host), PUBLIC, 0x40000000 + i, 1),
                0x40000000 + i);
        if (i >= 0) {
          first[i] = took / 1000.0;
          lost += took < 0 ? 1 : 0;
        }
      }
    }
    // The same road without the daemon: a host that stock masquerade knows.
    gateway.sh("nft flush ruleset\nnft -f - <<'END'\n" + STOCK + "END\n");
    Bytes known = esp(REMOTES + 1, PUBLIC, 1, 1);
    inside.call(() -> send(new Bytes[] {esp(INSIDE + 257, REMOTES + 1, 1, 1)}, 1, 1));
    for (int i = -200; i < samples; i++) {
      long took = took(receiver, known, 1);
      if (i >= 0) {
        established[i] = took / 1000.0;
      }
    }
    return List.of(
        "",
        "## First packets",
        "",
        "From the call that sends a packet to the return of the call that receives it, %d each, one at a time; %d lost. %s"
            .formatted(
                samples,
                lost,
                queues
                    ? "The rules are the compiled ones."
                    : "This kernel has no `queue` for nftables: iptables' asks in its place."),
        "",
        "| packet | p50, µs | p99, µs | most, µs |",
        "|---|---|---|---|",
        "| the first of an SA, by NFQUEUE and the engine | " + quantiles(first) + " |",
        "| established, by stock masquerade | " + quantiles(established) + " |");
  }

  private static double send(Bytes[] all, int times, int each) throws IOException {
    try (PacketSender sender = sender()) {
      for (int i = 0; i < times * each; i++) {
        sender.send(all[i % all.length]);
      }
      return times;
    }
  }

  private long took(RawReceiver receiver, Bytes packet, int spi) {
    return outside.call(() -> {
      try (PacketSender sender = sender()) {
        long began = System.nanoTime();
        sender.send(packet);
        long at = receiver.arrived(spi, 1);
        return at < 0 ? -1 : at - began;
      }
    });
  }

  private static String quantiles(double[] micros) {
    double[] sorted = micros.clone();
    Arrays.sort(sorted);
    return String.format(
        Locale.ROOT,
        "%.0f | %.0f | %.0f",
        sorted[sorted.length / 2],
        sorted[(int) (sorted.length * 0.99)],
        sorted[sorted.length - 1]);
  }

  /** IKE_SA_INIT and IKE_AUTH between a host and a remote of its own: one SPI is to come. */
  private void logOn(int host) {
    int remote = REMOTES + 0x10000 + number(host);
    int address = INSIDE + number(host);
    long cookie = ++sequence * 0x100000000L + host + 1;
    for (int exchange : new int[] {34, 35}) {
      inside.call(() -> send(new Bytes[] {ike(address, remote, cookie, exchange, false)}, 1, 1));
      outside.call(() -> send(new Bytes[] {ike(remote, PUBLIC, cookie, exchange, true)}, 1, 1));
    }
  }

  // ---- packets ----

  /** Host numbers as the lower half of an address: none of them ends with 0 or 255. */
  private static int number(int host) {
    return (1 + host / 250) << 8 | (1 + host % 250);
  }

  private static int inboundSpi(int host) {
    return 0x10000000 + host;
  }

  private static int outboundSpi(int host) {
    return 0x20000000 + host;
  }

  private static ByteBuffer ip(int from, int to, int protocol, int length) {
    return ByteBuffer.allocate(length)
        .putShort((short) 0x4500)
        .putShort((short) length)
        .putInt(0x00014000)
        .put((byte) 64)
        .put((byte) protocol)
        .putShort((short) 0)
        .putInt(from)
        .putInt(to);
  }

  private static Bytes esp(int from, int to, int spi, int sequence) {
    return Bytes.of(ip(from, to, 50, SIZE).putInt(spi).putInt(sequence).array());
  }

  private static Bytes ike(int from, int to, long cookie, int exchange, boolean answer) {
    int length = 300;
    boolean encrypted = exchange == 35;
    return Bytes.of(
        ip(from, to, 17, 28 + length)
            .putShort((short) 500)
            .putShort((short) 500)
            .putShort((short) (8 + length))
            .putShort((short) 0)
            .putLong(cookie)
            .putLong(encrypted || answer ? ~cookie : 0)
            .put((byte) (encrypted ? 46 : 33))
            .put((byte) 0x20)
            .put((byte) exchange)
            .put((byte) (answer ? 0x20 : 8))
            .putInt(exchange - 34)
            .putInt(length)
            .put((byte) (encrypted ? (answer ? 36 : 35) : 0))
            .put((byte) 0)
            .putShort((short) (length - 28))
            .array());
  }

  // ---- rules ----

  private Path rules(String name, String text) throws IOException {
    return Files.writeString(directory.resolve(name), "flush ruleset\n" + text);
  }

  private String text(String description) throws IOException {
    Gateway gateway = new OneText(description).gateway();
    return NftText.of(Compiler.compile(gateway).ruleset().tables().getFirst());
  }

  /** Established packets get to no rule that asks. */
  private String withoutQueues(String text) {
    return queues
        ? text
        : text.replaceAll("counter queue (flags bypass )?to \\d+", "counter accept");
  }

  private Path ours(boolean eachItsRemote) throws IOException {
    StringBuilder text = new StringBuilder(withoutQueues(text(OURS)));
    Variant variant = new Variant("", Path.of(""), eachItsRemote);
    elements(text, "masq.zones", host -> address(INSIDE + number(host)) + " : " + zone(host));
    elements(text, "masq.hosts", host -> zone(host) + " : " + address(INSIDE + number(host)));
    elements(
        text,
        "masq.spis",
        host ->
            "%s . %d timeout 65m : %d"
                .formatted(address(variant.remote(host)), inboundSpi(host), zone(host)));
    elements(
        text,
        "masq.direct",
        host ->
            "%s . %d timeout 65m : %s"
                .formatted(
                    address(variant.remote(host)),
                    inboundSpi(host),
                    address(INSIDE + number(host))));
    elements(
        text,
        "masq.sent",
        host ->
            "%s . %s . %d timeout 65m"
                .formatted(
                    address(INSIDE + number(host)),
                    address(variant.remote(host)),
                    outboundSpi(host)));
    // Established: the kernel has learned it. Else a turn measures how ten thousand are learned.
    elements(
        text,
        "masq.quoted",
        host ->
            "%s . 0x%08x timeout 65m : %d"
                .formatted(hex(variant.remote(host)), outboundSpi(host), zone(host)));
    return rules(eachItsRemote ? "ours" : "ours-one", text.toString());
  }

  private interface Element {
    String of(int host);
  }

  private static void elements(StringBuilder text, String set, Element element) {
    text.append("add element inet gatehouse ").append(set).append(" { ");
    for (int host = 0; host < HOSTS; host++) {
      text.append(host == 0 ? "" : ", ").append(element.of(host));
    }
    text.append(" }\n");
  }

  private static int zone(int host) {
    return FIRST_ZONE + host;
  }

  /** What is compared as raw bytes has no type that nft reads otherwise. */
  private static String hex(int number) {
    return "0x%08x".formatted(number);
  }

  private static String address(int number) {
    return (number >>> 24)
        + "."
        + (number >> 16 & 255)
        + "."
        + (number >> 8 & 255)
        + "."
        + (number & 255);
  }

  /** The host's own iptables, or that of the lab's tools. */
  private static String iptables() {
    Path lab =
        Path.of(
            Optional.ofNullable(System.getenv("GATEHOUSE_LAB_CACHE"))
                .orElse(System.getProperty("user.home") + "/.cache/gatehouse/lab"),
            "root-tools/usr");
    Path tool = lab.resolve("sbin/xtables-nft-multi");
    if (!Files.isExecutable(tool)) {
      return "iptables=iptables";
    }
    Path libraries =
        lab.resolve(
            "lib/"
                + System.getProperty("os.arch")
                    .replace("amd64", "x86_64")
                    .replace("arm64", "aarch64")
                + "-linux-gnu");
    return """
    export LD_LIBRARY_PATH=%s XTABLES_LIBDIR=%s/xtables
    iptables='%s iptables'
    """
        .formatted(libraries, libraries, tool);
  }
}
