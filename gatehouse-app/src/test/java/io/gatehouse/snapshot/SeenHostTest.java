package io.gatehouse.snapshot;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatehouse.bdd.Bounded;
import io.gatehouse.model.Address;
import io.gatehouse.model.Family;
import io.gatehouse.model.Prefix;
import io.gatehouse.path.HeaderSpace;
import io.gatehouse.path.HostState.PolicyAction;
import io.gatehouse.path.HostState.Route;
import io.gatehouse.path.HostState.RouteKind;
import io.gatehouse.path.HostState.RuleAction;
import io.gatehouse.path.HostState.SpdState;
import io.gatehouse.path.Journey;
import io.gatehouse.path.PacketPath;
import io.gatehouse.ruleset.XfrmPolicy.Direction;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.BiFunction;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Somebody's gateway, from the texts of its tools to what becomes of its packets. */
class SeenHostTest {
  private static final String POLICIES =
      """
      src 10.0.1.0/24 dst 10.0.3.0/24\s
      \tdir out priority 375423 ptype main\s
      \ttmpl src 203.0.113.1 dst 198.51.100.7
      \t\tproto esp spi 0xc0ffee01 reqid 1 mode tunnel
      src 10.0.3.0/24 dst 10.0.1.0/24\s
      \tdir fwd priority 375423 ptype main\s
      \ttmpl src 198.51.100.7 dst 203.0.113.1
      \t\tproto esp reqid 1 mode tunnel
      src 10.0.3.0/24 dst 10.0.1.0/24\s
      \tdir in priority 375423 ptype main\s
      \ttmpl src 198.51.100.7 dst 203.0.113.1
      \t\tproto esp reqid 1 mode tunnel
      src 0.0.0.0/0 dst 0.0.0.0/0\s
      \tsocket in priority 0 ptype main\s
      """;

  private static final String STATES =
      """
      src 203.0.113.1 dst 198.51.100.7
      \tproto esp spi 0xc0ffee01 reqid 1 mode tunnel
      \treplay-window 0 flag af-unspec
      \taead rfc4106(gcm(aes)) 0x000102030405060708090a0b0c0d0e0f10111213 128
      \tanti-replay context: seq 0x0, oseq 0x0, bitmap 0x00000000
      """;

  /** An office behind eth1, the world at eth0, and a MASQUERADE that nobody told of IPsec. */
  private static Map<String, String> files() {
    Map<String, String> files = new HashMap<>();
    files.put(
        "iptables-save.txt",
        """
        *nat
        :PREROUTING ACCEPT [0:0]
        :INPUT ACCEPT [0:0]
        :OUTPUT ACCEPT [0:0]
        :POSTROUTING ACCEPT [0:0]
        -A POSTROUTING -o eth0 -j MASQUERADE
        COMMIT
        """);
    files.put("xfrm-policy.txt", POLICIES);
    files.put("xfrm-state.txt", STATES);
    files.put("sysctl.txt", "net.ipv4.ip_forward = 1\nnet/ipv6/conf/all/forwarding = 1\n");
    files.put(
        "ip-addr.json",
        """
        [{"ifname": "lo", "addr_info": [{"local": "127.0.0.1", "prefixlen": 8}]},
         {"ifname": "eth0", "addr_info": [{"local": "203.0.113.1", "prefixlen": 24}]},
         {"ifname": "eth1", "addr_info": [{"local": "10.0.1.1", "prefixlen": 24}]}]
        """);
    files.put(
        "ip-route.json",
        """
        [{"dst": "default", "gateway": "203.0.113.254", "dev": "eth0", "flags": []},
         {"dst": "203.0.113.0/24", "dev": "eth0", "protocol": "kernel", "scope": "link", "flags": []},
         {"dst": "10.0.1.0/24", "dev": "eth1", "protocol": "kernel", "scope": "link", "flags": []}]
        """);
    files.put("ip-rule.json", "[]");
    files.put("ip-rule-6.json", "[]");
    files.put("ip-route-6.json", "[]");
    return files;
  }

  private static SeenHost host(Map<String, String> files) {
    return SeenHost.of(new Collected(files, List.of()));
  }

  /** From the office to a client, as a first packet. */
  private static <T> T toTheClient(SeenHost seen, BiFunction<PacketPath, Journey, T> question) {
    Bounded<T> answer =
        PacketPath.ask(
            seen.host(),
            Family.V4,
            2_000_000,
            path ->
                question.apply(
                    path,
                    path.received(
                        path.space()
                            .only(
                                new HeaderSpace.Packet(
                                    arrival(path),
                                    Optional.empty(),
                                    HeaderSpace.Connection.NEW,
                                    false,
                                    17,
                                    Address.of("10.0.1.5"),
                                    Address.of("10.0.3.5"),
                                    40000,
                                    53,
                                    0,
                                    0)))));
    return switch (answer) {
      case Bounded.Answer<T> a -> a.value();
      case Bounded.GaveUp<T> gaveUp -> throw new AssertionError("gave up: " + gaveUp);
    };
  }

  /** By the office's device, or where nobody mentions it, by any that is not known. */
  private static String arrival(PacketPath path) {
    return path.space().devices().contains("eth1") ? "eth1" : HeaderSpace.ANOTHER_DEVICE;
  }

  private static boolean leaks(SeenHost seen) {
    return toTheClient(
        seen, (path, journey) -> path.space().lowerBound(journey.leftInClear()) != 0);
  }

  private static boolean mayLeak(SeenHost seen) {
    return toTheClient(seen, (path, journey) -> journey.leftInClear() != 0);
  }

  private static boolean isProtected(SeenHost seen) {
    return toTheClient(seen, (path, journey) -> journey.leftThrough("reqid 1") != 0);
  }

  @Test
  void aMasqueradeWithoutExemptionTakesPacketsOutOfTheirTunnel() {
    SeenHost seen = host(files());

    assertThat(seen.host().tunnels()).hasSize(1);
    assertThat(leaks(seen)).isTrue();
    assertThat(isProtected(seen)).isFalse();
  }

  @Test
  void withTheExemptionTheyStay() {
    Map<String, String> files = files();
    files.computeIfPresent(
        "iptables-save.txt",
        (name, text) ->
            text.replace(
                "-A POSTROUTING -o eth0 -j MASQUERADE",
                "-A POSTROUTING -o eth0 -m policy --dir out --pol ipsec -j ACCEPT\n"
                    + "-A POSTROUTING -o eth0 -j MASQUERADE"));
    SeenHost seen = host(files);

    assertThat(mayLeak(seen)).isFalse();
    assertThat(isProtected(seen)).isTrue();
    // The client gone, nothing holds the packets back.
    assertThat(mayLeak(seen.withTunnelsInAnyState())).isTrue();
  }

  @Test
  void aFileCutOffIsNeverAYes() {
    Map<String, String> files = files();
    files.put("nft.json", "{\"nftables\": [");
    files.put("iptables-save.txt", "*filter\nCOMMIT\n");
    SeenHost seen = host(files);

    assertThat(mayLeak(seen)).isTrue();
    assertThat(seen.remarks()).anyMatch(r -> r.kind() == Remark.Kind.UNREADABLE);
  }

  @Test
  void whatIsMissingIsSaidAndHidesNothing() {
    SeenHost seen = host(Map.of("iptables-save.txt", "*filter\n:FORWARD DROP\nCOMMIT\n"));

    assertThat(seen.remarks())
        .extracting(r -> r.where().file())
        .contains(
            "nft.json",
            "ip6tables-save.txt",
            "ip-rule.json",
            "ip-rule-6.json",
            "ip-route.json",
            "ip-route-6.json",
            "ip-addr.json",
            "xfrm-policy.txt",
            "sysctl.txt");
    assertThat(seen.host().sysctls()).containsEntry("net/ipv4/ip_forward", "1");
    assertThat(mayLeak(seen)).isFalse();
    assertThat(mayLeak(host(Map.of("iptables-save.txt", "*filter\nCOMMIT\n")))).isTrue();
    assertThat(mayLeak(host(Map.of()))).isTrue();
  }

  @Test
  void tablesOfLegacyIptablesThatNoFileTellsAreOpen() {
    Map<String, String> files = files();
    files.remove("iptables-save.txt");
    files.put("nft.json", "{\"nftables\": []}");
    files.put("ip_tables_names.txt", "");
    assertThat(mayLeak(host(files))).isFalse();
    files.put("ip_tables_names.txt", "nat\n");
    assertThat(mayLeak(host(files))).isTrue();
  }

  @Test
  void nftsNamesOfIptablesMatchesAreSpelledOutByTheOtherFile() {
    Map<String, String> files = files();
    files.put(
        "nft.json",
        """
        {"nftables": [{"table": {"family": "ip", "name": "nat"}},
        {"chain": {"family": "ip", "table": "nat", "name": "POSTROUTING", "type": "nat",
          "hook": "postrouting", "prio": 100, "policy": "accept"}},
        {"rule": {"family": "ip", "table": "nat", "chain": "POSTROUTING", "handle": 3,
          "expr": [{"xt": {"type": "target", "name": "MASQUERADE"}}]}}]}
        """);
    SeenHost seen = host(files);

    assertThat(seen.host().tables()).hasSize(1);
    assertThat(seen.host().tables().getFirst().ruleCount()).isEqualTo(1);
    assertThat(seen.remarks()).noneMatch(r -> r.kind() == Remark.Kind.NOT_UNDERSTOOD);
    assertThat(leaks(seen)).isTrue();
    files.remove("iptables-save.txt");
    assertThat(host(files).remarks()).anyMatch(r -> r.kind() == Remark.Kind.NOT_UNDERSTOOD);
  }

  /** As the maps of our groups are: whose members end by themselves, and no packet adds one. */
  @Test
  void verdictsOfAMapWhoseElementsEndByThemselvesAreThoseThatStand() {
    Map<String, String> files = files();
    files.remove("iptables-save.txt");
    String maps =
        """
        {"nftables": [{"table": {"family": "inet", "name": "t"}},
        {"map": {"family": "inet", "table": "t", "name": "members", "type": "ipv4_addr",
          "map": "verdict", "flags": ["timeout"],
          "elem": [[{"elem": {"val": "10.0.1.%d", "timeout": 60, "expires": 41}}, {"drop": null}]]}},
        {"chain": {"family": "inet", "table": "t", "name": "forward", "type": "filter",
          "hook": "forward", "prio": 0, "policy": "accept"}},
        {"rule": {"family": "inet", "table": "t", "chain": "forward", "handle": 3,
          "expr": [{"vmap": {"key": {"payload": {"protocol": "ip", "field": "saddr"}},
            "data": "@members"}}]}}]}
        """;
    files.put("nft.json", maps.formatted(5));
    assertThat(isProtected(host(files))).as("dropped before").isFalse();
    files.put("nft.json", maps.formatted(6));
    assertThat(isProtected(host(files))).isTrue();
    assertThat(mayLeak(host(files))).isFalse();
  }

  // ---- entries of the kernel
  // ----------------------------------------------------------------------------------------------------------

  @Test
  void policiesOfOneReqidMakeATunnel() {
    SeenHost seen = host(files());

    assertThat(seen.host().policies())
        .hasSize(3)
        .allMatch(p -> p.tunnel().equals(Optional.of("reqid 1")));
    assertThat(seen.host().tunnels().getFirst().states()).containsExactly(SpdState.UP);
    Map<String, String> files = files();
    files.put("xfrm-state.txt", "");
    assertThat(host(files).host().tunnels().getFirst().states()).containsExactly(SpdState.NO_SA);
    files.remove("xfrm-state.txt");
    assertThat(host(files).host().tunnels().getFirst().states())
        .containsExactlyInAnyOrder(SpdState.values());
  }

  @Test
  void aPolicyIsReadWithAllThatNarrowsIt() {
    Map<String, String> files = files();
    files.put(
        "xfrm-policy.txt",
        """
        src 0.0.0.0/0 dst 203.0.113.1/32 proto udp dport 1701\s
        \tdir in priority 7 ptype main\s
        \tmark 0x1/0xff\s
        \ttmpl src 0.0.0.0 dst 0.0.0.0
        \t\tproto esp reqid 4 mode transport
        src 10.0.3.0/24 dst 0.0.0.0/0\s
        \tdir out action block priority 4294967280 ptype main\s
        src 10.9.0.0/16 dst 10.0.1.0/24\s
        \tdir in priority 3 ptype main\s
        src 10.9.0.0/16 dst 10.0.1.0/24 dev eth0\s
        \tdir in action block priority 3 ptype main\s
        """);
    files.put("xfrm-default.txt", "Default policies:\n in:  accept\n fwd: block\n out: accept\n");
    SeenHost seen = host(files);

    assertThat(seen.host().policies())
        .extracting(p -> p.direction() + " " + p.action() + " " + p.priority())
        .containsExactly("IN PROTECT 7", "OUT BLOCK 4294967280", "IN BYPASS 3");
    assertThat(seen.host().policies().getFirst().mark()).isPresent();
    assertThat(seen.host().policies().getFirst().destinationPorts()).isPresent();
    assertThat(seen.host().tunnels().getFirst().tunnelMode()).isFalse();
    assertThat(seen.host().blockedByDefault()).isEqualTo(Set.of(Direction.FWD));
    assertThat(seen.remarks()).anyMatch(r -> r.text().startsWith("left out"));
  }

  /** As the kernel leaves it when the SA of a policy that names an SPI is flushed. */
  @Test
  void anSaThatWaitsForTheDaemonIsNone() {
    Map<String, String> files = files();
    files.put(
        "xfrm-state.txt",
        """
        src 203.0.113.1 dst 198.51.100.7
        \tproto esp spi 0xc0ffee01 reqid 1 mode tunnel
        \treplay-window 0\s
        \tanti-replay context: seq 0x0, oseq 0x0, bitmap 0x00000000
        \tsel src 10.0.1.20/32 dst 10.0.3.5/32 proto icmp type 8 code 0 dev eth0\s
        """);

    assertThat(host(files).host().tunnels().getFirst().states()).containsExactly(SpdState.NO_SA);
    assertThat(host(files()).host().tunnels().getFirst().states()).doesNotContain(SpdState.NO_SA);
  }

  @Test
  void aTemplateThatIsOptionalProtectsNothing() {
    Map<String, String> files = files();
    files.put(
        "xfrm-policy.txt",
        """
        src 10.0.1.0/24 dst 10.0.3.0/24
        \tdir out priority 1
        \ttmpl src 203.0.113.1 dst 198.51.100.7
        \t\tproto esp reqid 1 mode tunnel
        \t\tlevel use
        """);

    assertThat(host(files).host().policies().getFirst().action()).isEqualTo(PolicyAction.BYPASS);
  }

  @Test
  void rulesAndRoutesAreRead() {
    Map<String, String> files = files();
    files.put(
        "ip-rule.json",
        """
        [{"priority": 0, "src": "all", "table": "local"},
         {"priority": 100, "not": null, "src": "10.0.1.0", "srclen": 24, "fwmark": "0x1",
          "fwmask": "0xff", "iif": "eth1", "table": "7", "suppress_prefixlen": 0},
         {"priority": 101, "src": "all", "uid_start": 0, "uid_end": 9, "table": "office"},
         {"priority": 102, "src": "all", "action": "unreachable"},
         {"priority": 103, "src": "all", "goto": 32766}]
        """);
    files.put(
        "ip-route.json",
        """
        [{"type": "unreachable", "dst": "10.0.0.0/8", "table": "7", "metric": 5},
         {"type": "6", "dst": "10.1.0.0/16"},
         {"dst": "default", "nexthops": [{"dev": "eth0"}, {"dev": "eth2"}]},
         {"dst": "10.2.0.0/16", "dev": "eth0", "tos": "0x10"}]
        """);
    SeenHost seen = host(files);

    assertThat(seen.host().rules().stream().filter(r -> r.family() == Family.V4).toList())
        .satisfies(rules -> {
          assertThat(rules).hasSize(5);
          assertThat(rules.get(1).inverted()).isTrue();
          assertThat(rules.get(1).from()).contains(Prefix.of("10.0.1.0/24"));
          assertThat(rules.get(1).mark().orElseThrow().mask()).isEqualTo(255);
          assertThat(rules.get(2).opaque()).isPresent();
          assertThat(rules.get(3).action()).isEqualTo(new RuleAction.Refuse("unreachable"));
          assertThat(rules.get(4).action()).isEqualTo(new RuleAction.Goto(32766));
        });
    assertThat(seen.host().routes())
        .contains(
            new Route(Prefix.of("10.0.0.0/8"), 7, 5, new RouteKind.Refuse("unreachable")),
            new Route(Prefix.of("10.1.0.0/16"), 254, 0, new RouteKind.Refuse("blackhole")),
            new Route(Prefix.ALL_V4, 254, 0, new RouteKind.Via(List.of("eth0", "eth2"))));
    assertThat(seen.remarks()).anyMatch(r -> r.text().contains("0x10"));
  }

  // ---- files
  // --------------------------------------------------------------------------------------------------------------------------

  @Test
  void keysOfSecurityAssociationsAreTakenOut() {
    String clean = Collected.withoutSecrets(STATES + "\tauth-trunc hmac(sha256) 0x0011 128\n");

    assertThat(clean)
        .contains("spi 0xc0ffee01", "aead rfc4106(gcm(aes)) <key> 128", "hmac(sha256) <key> 128")
        .doesNotContain("0x0001", "0x0011");
  }

  @Test
  void whatIsWrittenIsReadAgain(@TempDir Path directory) throws Exception {
    new Collected(files(), List.of()).write(directory.resolve("made"));

    assertThat(SeenHost.of(Collected.in(directory.resolve("made")))).isEqualTo(host(files()));
  }
}
