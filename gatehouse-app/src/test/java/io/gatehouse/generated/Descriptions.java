package io.gatehouse.generated;

import io.gatehouse.config.Description;
import io.gatehouse.config.Reading;
import io.gatehouse.config.Source;
import io.gatehouse.model.Gateway;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * Descriptions drawn by lot: every kind of interface, network, service, tunnel and identity, in any
 * combination that is allowed. The same seed gives the same text.
 */
public final class Descriptions {
  private static final List<String> SERVICES =
      List.of("ssh", "dns", "https", "files", "tcp/8000-8100", "udp/5060", "esp", "icmp", "ntp");

  private final Random lot;
  private final StringBuilder text = new StringBuilder();
  private final List<String> outside = new ArrayList<>();
  private final List<String> inside = new ArrayList<>();
  private final List<String> networks = new ArrayList<>();
  private final List<String> sites = new ArrayList<>();
  private final boolean four;
  private final boolean six;

  private Descriptions(long seed) {
    lot = new Random(seed);
    // Random's first numbers of neighbouring seeds are alike.
    for (int i = 0; i < 10; i++) {
      lot.nextInt();
    }
    int families = lot.nextInt(4);
    four = families != 1;
    six = families != 0;
  }

  /** The description of a seed, as YAML. */
  public static String drawn(long seed) {
    return new Descriptions(seed).draw();
  }

  /** The gateway of a seed's description; a refusal is an error of the lot. */
  public static Gateway gateway(long seed) {
    return gateway("drawn-" + seed + ".yaml", drawn(seed));
  }

  private static final Path EXAMPLES =
      Path.of(System.getProperty("gatehouse.home", "..")).resolve("examples");

  /** The files of the examples. */
  public static List<String> examples() throws IOException {
    try (Stream<Path> files = Files.list(EXAMPLES)) {
      return files
          .map(file -> file.getFileName().toString())
          .filter(name -> name.endsWith(".yaml"))
          .sorted()
          .toList();
    }
  }

  /** An example, by its file. */
  public static Gateway example(String file) {
    return gateway(file, text(file));
  }

  /** An example as it stands there. */
  public static String text(String file) {
    try {
      return Files.readString(EXAMPLES.resolve(file));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** An example with other words in the place of some. */
  public static Gateway changedExample(String file, String words, String others) {
    String text = text(file);
    if (!text.contains(words)) {
      throw new AssertionError(file + " has no " + words);
    }
    return gateway(file, text.replace(words, others));
  }

  /** A description's gateway. */
  public static Gateway gateway(String file, String text) {
    return switch (Description.read(file, new WithParts(file, text))) {
      case Reading.Understood understood -> understood.gateway();
      case Reading.Refused refused ->
          throw new AssertionError(file + ": " + refused.problems() + "\n" + text);
    };
  }

  /** One file, and beside it the parts that examples include. */
  private record WithParts(String main, String text) implements Source {
    @Override
    public Content read(String file, int limit) {
      String content = file.equals(main) ? text : Descriptions.text(file);
      return new Content.Bytes(ByteBuffer.wrap(content.getBytes(StandardCharsets.UTF_8)));
    }

    @Override
    public List<String> names(String directory) {
      return List.of();
    }
  }

  private String draw() {
    line("version: 1");
    line("gateway: drawn");
    interfaces();
    networks();
    line("services: { files: [tcp/445, tcp/139], all-files: [files, udp/137] }");
    tunnels();
    host();
    identities();
    if (chance(4)) {
      line(
          "numbers: { rule-priorities: 6000-6099, route-tables: 300-399, route-protocol: %d }"
              .formatted(150 + lot.nextInt(50)));
    }
    return text.toString();
  }

  // ---- interfaces and networks
  // --------------------------------------------------------------------------------------------------------

  private void interfaces() {
    line("interfaces:");
    int ways = 1 + lot.nextInt(2);
    boolean oneArmed = ways == 1 && chance(6);
    for (int i = 0; i < ways; i++) {
      String name = "wan" + i;
      outside.add(name);
      List<String> keys = new ArrayList<>();
      keys.add("device: eth" + 2 * i);
      keys.add(oneArmed ? "role: [inside, outside]" : "role: outside");
      List<String> addresses = new ArrayList<>();
      List<String> gateways = new ArrayList<>();
      if (four && (oneArmed || chance(2))) {
        addresses.add("192.0.2.%d/24".formatted(2 + 64 * i));
        gateways.add("192.0.2.%d".formatted(1 + 64 * i));
        if (ways == 2) {
          addresses.set(i > 0 ? addresses.size() - 1 : 0, "198.51.%d.2/24".formatted(100 + i));
          gateways.set(gateways.size() - 1, "198.51.%d.1".formatted(100 + i));
        }
      }
      if (six && chance(2)) {
        addresses.add("2001:db8:f%d::2/64".formatted(i));
        gateways.add(chance(2) ? "fe80::1" : "2001:db8:f%d::1".formatted(i));
      }
      if (!addresses.isEmpty()) {
        keys.add("addresses: " + list(addresses));
        if (chance(2)) {
          keys.add("gateway: " + list(gateways));
        }
      } else if (chance(2)) {
        keys.add("dhcp: " + four);
      }
      maybe(keys, 3, () -> "router-advertisements: " + lot.nextBoolean());
      maybe(keys, 4, () -> "mtu: " + pick(List.of(1280, 1400, 1492, 9000)));
      if (four && chance(6)) {
        keys.add("public: 203.0.113." + (9 + i));
      }
      line("  %s: { %s }".formatted(name, String.join(", ", keys)));
    }
    if (oneArmed) {
      inside.add("wan0");
      return;
    }
    int legs = 1 + lot.nextInt(2);
    for (int i = 0; i < legs; i++) {
      String name = "lan" + i;
      inside.add(name);
      List<String> addresses = new ArrayList<>();
      if (four) {
        addresses.add("10.0.%d.1/24".formatted(i + 1));
      }
      if (six) {
        addresses.add("2001:db8:%d::1/64".formatted(i + 1));
      }
      line(
          "  %s: { device: eth%d, role: inside, addresses: %s }"
              .formatted(name, 2 * i + 1, list(addresses)));
    }
  }

  private void networks() {
    line("networks:");
    for (int i = 0; i < inside.size(); i++) {
      boolean oneArmed = inside.get(i).startsWith("wan");
      List<String> prefixes = new ArrayList<>();
      if (four) {
        prefixes.add(oneArmed ? "192.0.2.0/24" : "10.0.%d.0/24".formatted(i + 1));
      }
      if (six && !oneArmed) {
        prefixes.add("2001:db8:%d::/64".formatted(i + 1));
      }
      if (prefixes.isEmpty()) {
        prefixes.add("10.0.200.0/24");
      }
      String router = oneArmed && four && chance(2) ? ", router: 192.0.2.1" : "";
      networks.add("net" + i);
      line(
          "  net%d: { on: %s, prefixes: %s%s }"
              .formatted(i, inside.get(i), list(prefixes), router));
    }
    if (four && chance(2)) {
      String hop = inside.getFirst().startsWith("wan") ? "192.0.2.254" : "10.0.1.254";
      String next = chance(2) ? ", next-hop: " + hop : "";
      networks.add("far");
      line("  far: { via: %s, prefixes: [192.168.88.0/24]%s }".formatted(inside.getFirst(), next));
    }
  }

  // ---- tunnels
  // ------------------------------------------------------------------------------------------------------------------------

  private void tunnels() {
    int count = lot.nextInt(6);
    if (count == 0) {
      return;
    }
    line("tunnels:");
    boolean l2tp = false;
    for (int i = 0; i < count; i++) {
      int kind = lot.nextInt(6);
      if (kind == 0 && !l2tp) {
        l2tp = true;
        line("  t%d:".formatted(i));
        line("    type: l2tp");
        common(i);
      } else if (kind < 3) {
        site(i);
      } else {
        access(i);
      }
    }
  }

  private void site(int i) {
    line("  t%d:".formatted(i));
    line("    type: site-to-site");
    common(i);
    String peer =
        switch (lot.nextInt(4)) {
          case 0 -> "any";
          case 1 -> four ? "203.0.113.%d".formatted(100 + i) : "\"2001:db8:ffff::%d\"".formatted(i);
          case 2 -> "branch%d.example.org".formatted(i);
          default -> six ? "\"2001:db8:ffff::%d\"".formatted(i + 1) : "198.18.%d.7".formatted(i);
        };
    line("    peer: %s".formatted(peer));
    line("    local: %s".formatted(list(some(networks))));
    List<String> remote = new ArrayList<>();
    if (four) {
      remote.add("10.%d.0.0/16".formatted(20 + i));
      if (chance(2)) {
        remote.add("172.20.%d.0/24".formatted(i));
      }
    }
    if (six) {
      remote.add("2001:db8:%d::/48".formatted(2000 + i));
    }
    line("    remote: %s".formatted(list(remote)));
    sites.add("t" + i);
    if (chance(3)) {
      line("    outbound: %s".formatted(list(some(SERVICES))));
    }
  }

  private void access(int i) {
    boolean proxy = !inside.getFirst().startsWith("wan") && chance(4);
    List<String> pools = new ArrayList<>();
    if (four) {
      pools.add(proxy ? "10.0.1.%d/29".formatted(128 + 8 * i) : "10.64.%d.0/24".formatted(i));
    }
    if (six) {
      pools.add(
          proxy
              ? "2001:db8:1::%x0/124".formatted(0xf0 + i)
              : "2001:db8:%d::/64".formatted(3000 + i));
    }
    line("  t%d:".formatted(i));
    line("    type: remote-access");
    common(i);
    line("    pools: %s".formatted(list(pools)));
    if (proxy) {
      line("    return: proxy");
    } else if (!inside.getFirst().startsWith("wan") && chance(4)) {
      line("    return: nat");
    }
    line("    reach: %s".formatted(list(places())));
    if (chance(3)) {
      line("    groups:");
      for (int g = 0; g <= lot.nextInt(3); g++) {
        line(
            "      g%d: { match: { eap-id: \"*@g%d\" }, reach: %s, services: %s }"
                .formatted(g, g, list(places()), list(some(SERVICES))));
      }
    }
  }

  /** What every type of tunnel may have. */
  private void common(int i) {
    if (chance(2)) {
      line("    ike: { connection: c%d }".formatted(i));
    }
    if (chance(3)) {
      line("    on: %s".formatted(list(some(outside))));
    }
    if (chance(2)) {
      line("    services: %s".formatted(list(some(SERVICES))));
    }
    if (chance(3)) {
      line(
          "    esp: { proposals: [%s], encapsulation: %s }"
              .formatted(
                  pick(
                      List.of(
                          "aes128gcm16", "aes256-sha256-x25519", "3des-md5", "chacha20poly1305")),
                  pick(List.of("auto", "always", "never"))));
    }
    if (chance(4)) {
      line("    mss: %s".formatted(pick(List.of("off", "1200", "auto"))));
    }
  }

  private List<String> places() {
    List<String> places = new ArrayList<>();
    for (String network : some(networks)) {
      places.add(chance(3) ? network + "/" + pick(SERVICES) : network);
    }
    if (chance(3)) {
      places.add(chance(3) ? "internet/https" : "internet");
    }
    if (!sites.isEmpty() && chance(4)) {
      places.add(pick(sites));
    }
    return places;
  }

  // ---- host
  // ---------------------------------------------------------------------------------------------------------------------------

  private void host() {
    List<String> lines = new ArrayList<>();
    maybe(lines, 2, () -> "input: " + pick(List.of("closed", "open")));
    if (chance(2)) {
      lines.add("output: closed");
      maybe(lines, 2, () -> "outgoing: " + list(some(SERVICES)));
    }
    maybe(lines, 2, () -> "forward: " + pick(List.of("ours", "all")));
    maybe(lines, 2, () -> "ping: " + pick(List.of("nobody", "inside", "anybody")));
    maybe(
        lines, 2, () -> "admin: { from: %s, services: ssh }".formatted(list(some(withInternet()))));
    maybe(
        lines,
        2,
        () ->
            "services: [{ from: %s, services: [%s] }]"
                .formatted(list(some(networks)), pick(List.of("dns", "dns, dhcp", "ntp, https"))));
    maybe(lines, 2, () -> "internet: " + list(some(networks)));
    maybe(
        lines,
        3,
        () ->
            "flows: [{ from: %s, to: %s }]"
                .formatted(list(List.of(pick(networks))), list(places())));
    if (four && !inside.getFirst().startsWith("wan")) {
      maybe(
          lines,
          3,
          () ->
              "port-forwards: [{ service: https, to: 10.0.1.80%s }]"
                  .formatted(pick(List.of("", ", port: 8443", ", from: 192.0.2.0/24"))));
    }
    maybe(
        lines,
        3,
        () ->
            "log: { rate: %s%s }"
                .formatted(
                    pick(List.of("10/minute", "3/second")),
                    pick(List.of("", ", burst: 20", ", until: 2031-12-01T18:00:00Z"))));
    if (!lines.isEmpty()) {
      line("host:");
      lines.forEach(l -> line("  " + l));
    }
  }

  private List<String> withInternet() {
    List<String> all = new ArrayList<>(networks);
    all.add("internet");
    return all;
  }

  private void identities() {
    if (four && chance(4)) {
      line("identities:");
      line("  inner: { address: 10.8.0.2, via: tun0 }");
      if (chance(2)) {
        line("  outer: { address: 203.0.113.77, via: wan0 }");
      }
    }
  }

  // ---- lots
  // ---------------------------------------------------------------------------------------------------------------------------

  /** True once in so many. */
  private boolean chance(int oneIn) {
    return lot.nextInt(oneIn) == 0;
  }

  private void maybe(List<String> lines, int oneIn, Supplier<String> line) {
    if (chance(oneIn)) {
      lines.add(line.get());
    }
  }

  private <T> T pick(List<T> all) {
    return all.get(lot.nextInt(all.size()));
  }

  /** At least one of them, in their order. */
  private List<String> some(List<String> all) {
    int certain = lot.nextInt(all.size());
    return IntStream.range(0, all.size())
        .filter(i -> i == certain || chance(3))
        .mapToObj(all::get)
        .toList();
  }

  private static String list(List<String> words) {
    return words.stream()
        .map(w -> w.contains(":") ? '"' + w + '"' : w)
        .collect(Collectors.joining(", ", "[", "]"));
  }

  private void line(String line) {
    text.append(line).append('\n');
  }
}
