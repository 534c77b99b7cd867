package io.gatehouse.snapshot;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * What a host's tools and files say about its network, without secrets, as something that a user
 * can send.
 *
 * @param texts by the name of their file
 * @param remarks on what could not be had
 */
public record Collected(Map<String, String> texts, List<Remark> remarks) {
  /** Larger files are not read: 10,000 peers make 10 MB. */
  private static final long MOST_BYTES = 64L << 20;

  private static final int MOST_FILES = 500;

  /** Key material of {@code ip xfrm state}. */
  private static final Pattern KEY =
      Pattern.compile("(?m)^(\\s*(?:auth|auth-trunc|enc|aead)\\s.*)$");

  private static final Pattern HEX = Pattern.compile("0x[0-9A-Fa-f]+");

  /** Whatever is this long is no number of ours, but may be a key. */
  private static final Pattern LONG_HEX = Pattern.compile("0x[0-9A-Fa-f]{17,}");

  /** What one file of the collection is made of. */
  private enum Part {
    NFT("nft.json", "nft -j list ruleset"),
    IPTABLES("iptables-save.txt", "iptables-save"),
    IP6TABLES("ip6tables-save.txt", "ip6tables-save"),
    IPTABLES_LEGACY("iptables-legacy-save.txt", "iptables-legacy-save"),
    IP6TABLES_LEGACY("ip6tables-legacy-save.txt", "ip6tables-legacy-save"),
    IP_TABLES_NAMES("ip_tables_names.txt", "/proc/net/ip_tables_names"),
    IP6_TABLES_NAMES("ip6_tables_names.txt", "/proc/net/ip6_tables_names"),
    RULES("ip-rule.json", "ip -N -j -4 rule show"),
    RULES6("ip-rule-6.json", "ip -N -j -6 rule show"),
    ROUTES("ip-route.json", "ip -N -j -4 route show table all"),
    ROUTES6("ip-route-6.json", "ip -N -j -6 route show table all"),
    ADDRESSES("ip-addr.json", "ip -j addr show"),
    POLICIES("xfrm-policy.txt", "ip xfrm policy list"),
    STATES("xfrm-state.txt", "ip xfrm state list"),
    DEFAULTS("xfrm-default.txt", "ip xfrm policy getdefault"),
    XFRM_STAT("xfrm_stat.txt", "/proc/net/xfrm_stat"),
    CONNECTIONS("conntrack-count.txt", "/proc/sys/net/netfilter/nf_conntrack_count"),
    CONNECTION_STATISTICS("nf_conntrack.txt", "/proc/net/stat/nf_conntrack"),
    KERNEL("kernel.txt", "/proc/version"),
    NFT_VERSION("nft-version.txt", "nft --version"),
    IPTABLES_VERSION("iptables-version.txt", "iptables --version");

    private final String file;
    private final String source;

    Part(String file, String source) {
      this.file = file;
      this.source = source;
    }

    private boolean isFile() {
      return source.startsWith("/");
    }

    /** Whether a host without it lacks nothing. */
    private boolean isOptional() {
      return isFile() || source.contains("--version") || source.contains("legacy");
    }
  }

  /** Settings that decide where a packet goes. */
  private static final List<String> SYSCTLS =
      List.of(
          "net/ipv4/ip_forward",
          "net/ipv4/conf/*/forwarding",
          "net/ipv4/conf/*/rp_filter",
          "net/ipv4/conf/*/src_valid_mark",
          "net/ipv4/conf/*/route_localnet",
          "net/ipv4/conf/*/accept_local",
          "net/ipv4/conf/*/send_redirects",
          "net/ipv4/conf/*/proxy_arp",
          "net/ipv4/conf/*/disable_policy",
          "net/ipv4/conf/*/disable_xfrm",
          "net/ipv4/fwmark_reflect",
          "net/ipv4/tcp_fwmark_accept",
          "net/ipv6/conf/*/forwarding",
          "net/ipv6/conf/*/accept_ra",
          "net/ipv6/conf/*/disable_ipv6",
          "net/ipv6/conf/*/proxy_ndp");

  static final String SYSCTL_FILE = "sysctl.txt";

  public Collected {
    texts = Map.copyOf(texts);
    remarks = List.copyOf(remarks);
  }

  /** Asks the machine. */
  public static Collected of(Machine machine) {
    Map<String, String> texts = new TreeMap<>();
    List<Remark> remarks = new ArrayList<>();
    for (Part part : Part.values()) {
      Optional<String> text =
          part.isFile() ? machine.read(part.source) : said(part, machine, remarks);
      text.ifPresent(t -> texts.put(part.file, withoutSecrets(t)));
    }
    StringBuilder settings = new StringBuilder();
    Snapshot.sysctls(machine, SYSCTLS)
        .forEach((key, value) -> settings.append(key).append(" = ").append(value).append('\n'));
    if (!settings.isEmpty()) {
      texts.put(SYSCTL_FILE, settings.toString());
    }
    return new Collected(texts, remarks);
  }

  private static Optional<String> said(Part part, Machine machine, List<Remark> remarks) {
    Machine.Answer answer = machine.run(part.source.split(" ", -1));
    if (answer.ok()) {
      return Optional.of(answer.out());
    }
    if (!part.isOptional()) {
      String why = answer.err().lines().findFirst().orElse("status " + answer.status());
      remarks.add(Remark.unreadable(part.file, 0, 0, "`" + part.source + "`: " + why));
    }
    return Optional.empty();
  }

  /**
   * The text without what encrypts: keys of SAs, and anything else as long as a key, which may have
   * got into a file by hand.
   */
  static String withoutSecrets(String text) {
    String keyless =
        KEY.matcher(text)
            .replaceAll(
                line -> Matcher.quoteReplacement(HEX.matcher(line.group(1)).replaceAll("<key>")));
    return LONG_HEX.matcher(keyless).replaceAll("<removed>");
  }

  /** Reads a directory: ours, or files by hand under names that tell what is in them. */
  public static Collected in(Path directory) throws IOException {
    List<Path> files;
    try (Stream<Path> all = Files.list(directory)) {
      files = all.filter(Files::isRegularFile).sorted().limit(MOST_FILES + 1L).toList();
    }
    Map<String, String> texts = new TreeMap<>();
    List<Remark> remarks = new ArrayList<>();
    if (files.size() > MOST_FILES) {
      remarks.add(Remark.unreadable(directory.toString(), 0, 0, "more than 500 files"));
    }
    for (Path file : files) {
      String name = String.valueOf(file.getFileName());
      if (Files.size(file) > MOST_BYTES) {
        remarks.add(Remark.unreadable(name, 0, 0, "larger than 64 MiB"));
      } else {
        // Bytes that are no UTF-8 stand in names and comments at most.
        texts.put(name, new String(Files.readAllBytes(file), UTF_8));
      }
    }
    return new Collected(texts, remarks);
  }

  /** Writes all of it; files of these names are replaced. */
  public void write(Path directory) throws IOException {
    Files.createDirectories(directory);
    for (Map.Entry<String, String> text : new TreeMap<>(texts).entrySet()) {
      Files.writeString(directory.resolve(text.getKey()), text.getValue(), UTF_8);
    }
  }
}
