package io.gatehouse.bench;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.DatagramChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Questions and answers a second between L2TP clients, 1701 to 1701, and a server: the rules that
 * keep clients apart, and connmark's three rules to a client, with 1 to 10,000 clients. The running
 * kernel may have no ESP: then the mark that an SA would put on a packet comes from a map by source
 * address, in ours; connmark's rules set it themselves. Prints a table for docs/results.
 *
 * <p>{@code java --enable-native-access=ALL-UNNAMED -cp … io.gatehouse.bench.DaemonPackets
 * [ROUNDS]}, as root; traffic stays in two namespaces that end with the program.
 */
public final class DaemonPackets {
  private static final int[] CLIENTS = {1, 100, 1_000, 10_000};

  /** Who speaks; one client, so that only the rules differ. */
  private static final int SPEAKER = 5_000;

  private static final long TURN = 400_000_000L; // nanoseconds
  private static final int WINDOW = 16;
  private static final InetSocketAddress SERVER = new InetSocketAddress("192.0.2.1", 1701);

  private DaemonPackets() {}

  public static void main(String[] arguments) throws IOException {
    int rounds = arguments.length > 0 ? Integer.parseInt(arguments[0]) : 20;
    System.out.printf("load before: %s%n%n", Files.readString(Path.of("/proc/loadavg")).strip());
    Namespace gateway = new Namespace();
    Namespace clients = new Namespace();
    gateway.sh(
        """
        ip link set lo up
        ip link add eth0 type veth peer name far
        ip link set far netns %s
        ip link set eth0 up
        ip addr add 192.0.2.1/24 dev eth0
        ip route add 10.64.0.0/16 via 192.0.2.2
        """
            .formatted(clients.number));
    clients.sh(
        """
        ip link set lo up
        ip link set far up
        ip addr add 192.0.2.2/24 dev far
        ip route add local 10.64.0.0/16 dev lo
        """);
    Path directory = Files.createTempDirectory("daemon-packets");
    Map<String, Path> rules = new LinkedHashMap<>();
    for (int count : CLIENTS) {
      int first = SPEAKER - (count - 1) / 2;
      for (boolean ours : new boolean[] {true, false}) {
        String text = ours ? ours(first, first + count - 1) : theirs(first, first + count - 1);
        rules.put(
            name(ours, count),
            Files.writeString(directory.resolve(count + (ours ? "-ours" : "-theirs")), text));
      }
    }
    Map<String, List<Double>> rates = measured(gateway, clients, rules, rounds);
    System.out.println("| rules, clients | answers a second, median | least | most |");
    System.out.println("|---|---|---|---|");
    rates.forEach((name, some) -> {
      double[] sorted = sorted(some);
      System.out.printf(
          Locale.ROOT,
          "| %s | %,.0f | %,.0f | %,.0f |%n",
          name,
          sorted[sorted.length / 2],
          sorted[0],
          sorted[sorted.length - 1]);
    });
    System.out.println();
    for (int count : CLIENTS) {
      ratio("ours to connmark's, " + count, rates, name(true, count), name(false, count));
    }
    ratio("ours, 10000 to 1", rates, name(true, 10_000), name(true, 1));
    for (Path file : rules.values()) {
      Files.delete(file);
    }
    Files.delete(directory);
    System.exit(0); // the echo waits for ever
  }

  private static String name(boolean ours, int clients) {
    return String.format(Locale.ROOT, "%s, %,d", ours ? "ours" : "connmark's", clients);
  }

  /** Forward and back in turn, so that a drift of the machine meets all of them alike. */
  private static Map<String, List<Double>> measured(
      Namespace gateway, Namespace clients, Map<String, Path> rules, int rounds) {
    gateway.nft(rules.values().iterator().next());
    gateway.call(DaemonPackets::echo);
    DatagramChannel speaker = clients.call(DaemonPackets::speaker);
    Map<String, List<Double>> rates = new LinkedHashMap<>();
    rules.keySet().forEach(name -> rates.put(name, new ArrayList<>()));
    List<String> there = List.copyOf(rules.keySet());
    for (int round = -1; round < rounds; round++) {
      for (String name : round % 2 == 0 ? there : there.reversed()) {
        gateway.nft(rules.getOrDefault(name, Path.of("")));
        double rate = clients.call(() -> rate(speaker));
        if (round >= 0) {
          rates.getOrDefault(name, new ArrayList<>()).add(rate);
        }
      }
    }
    return rates;
  }

  private static void ratio(
      String what, Map<String, List<Double>> rates, String one, String other) {
    List<Double> ratios = new ArrayList<>();
    List<Double> ones = rates.getOrDefault(one, List.of());
    List<Double> others = rates.getOrDefault(other, List.of());
    for (int i = 0; i < ones.size(); i++) {
      ratios.add(ones.get(i) / others.get(i));
    }
    double[] sorted = sorted(ratios);
    // Ranks of the sign test's interval at 95 %: n/2 ± 0.98·√n.
    int aside = (int) Math.ceil(0.98 * Math.sqrt(sorted.length));
    int middle = sorted.length / 2;
    System.out.printf(
        Locale.ROOT,
        "%s: %.3f (%.3f–%.3f), %d pairs%n",
        what,
        sorted[middle],
        sorted[Math.max(0, middle - aside)],
        sorted[Math.min(sorted.length - 1, middle + aside)],
        sorted.length);
  }

  private static double[] sorted(List<Double> values) {
    double[] sorted = values.stream().mapToDouble(Double::doubleValue).toArray();
    Arrays.sort(sorted);
    return sorted;
  }

  // ---- who speaks ----

  /** Answers everybody, in a thread of its own; its socket is the namespace's that made it. */
  private static boolean echo() throws IOException {
    DatagramChannel server = DatagramChannel.open().bind(SERVER);
    Thread.ofPlatform()
        .daemon()
        .start(() -> {
          ByteBuffer packet = ByteBuffer.allocateDirect(2048);
          try {
            while (true) {
              var from = server.receive(packet.clear());
              server.send(packet.flip(), from);
            }
          } catch (IOException e) {
            // The program ends.
          }
        });
    return true;
  }

  private static DatagramChannel speaker() throws IOException {
    DatagramChannel channel =
        DatagramChannel.open().bind(new InetSocketAddress(address(SPEAKER), 1701));
    channel.connect(SERVER);
    return channel;
  }

  /** Answers a second; a fixed number of questions is always under way. */
  private static double rate(DatagramChannel speaker) throws IOException {
    ByteBuffer packet = ByteBuffer.allocateDirect(64);
    for (int i = 0; i < WINDOW; i++) {
      speaker.write(packet.clear());
    }
    long began = System.nanoTime();
    long answers = 0;
    while (System.nanoTime() - began < TURN) {
      speaker.read(packet.clear());
      speaker.write(packet.clear());
      answers++;
    }
    double rate = answers * 1e9 / (System.nanoTime() - began);
    for (int i = 0; i < WINDOW; i++) { // what is still under way
      speaker.read(packet.clear());
    }
    return rate;
  }

  // ---- rules ----

  private static String address(int client) {
    return "10.64." + (client >> 8) + "." + (client & 255);
  }

  private static String ours(int first, int last) {
    StringBuilder marks = new StringBuilder();
    StringBuilder zones = new StringBuilder();
    for (int client = first; client <= last; client++) {
      marks
          .append(client == first ? "" : ", ")
          .append(address(client))
          .append(" : ")
          .append(client);
      zones.append(client == first ? "" : ", ").append(client).append(" : ").append(0xfff + client);
    }
    return """
    flush ruleset
    table ip l2tp {
      map marks { type ipv4_addr : mark; elements = { %s }; }
      map zones { typeof meta mark : ct zone; elements = { %s }; }
      chain stand_in {
        type filter hook prerouting priority -301;
        udp dport 1701 meta mark set ip saddr map @marks
      }
      chain zone {
        type filter hook prerouting priority -300;
        udp dport 1701 ct original zone set meta mark map @zones
      }
      chain in {
        type filter hook input priority -150;
        udp dport 1701 meta mark & 0x00ffffff != 0 ct original zone != 4096-32767 drop
        udp dport 1701 ct original zone 4096-32767 ct mark set meta mark
      }
      chain port {
        type nat hook input priority 100;
        udp dport 1701 ct original zone 4096-32767 snat to :20000-32767
      }
      chain back {
        type route hook output priority -150;
        udp sport 1701 ct original zone 4096-32767 meta mark set ct mark
      }
    }
    """
        .formatted(marks, zones);
  }

  private static String theirs(int first, int last) {
    StringBuilder text = new StringBuilder("flush ruleset\ntable ip connmark {\nchain pre {\n");
    text.append("type filter hook prerouting priority -150;\n");
    for (int client = first; client <= last; client++) {
      text.append("ip saddr ")
          .append(address(client))
          .append(" udp sport 1701 udp dport 1701 meta mark set ")
          .append(client)
          .append('\n');
    }
    text.append("}\nchain in {\ntype filter hook input priority -150;\n");
    for (int client = first; client <= last; client++) {
      text.append("meta mark ").append(client).append(" ct mark set ").append(client).append('\n');
    }
    text.append("}\nchain out {\ntype route hook output priority -150;\n");
    for (int client = first; client <= last; client++) {
      text.append("udp sport 1701 ct mark ")
          .append(client)
          .append(" meta mark set ")
          .append(client)
          .append('\n');
    }
    return text.append("}\n}\n").toString();
  }
}
