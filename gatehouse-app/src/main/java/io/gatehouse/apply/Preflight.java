package io.gatehouse.apply;

import io.gatehouse.ruleset.Expression;
import io.gatehouse.ruleset.Ruleset;
import io.gatehouse.ruleset.Statement;
import io.gatehouse.ruleset.Sysctl;
import io.gatehouse.snapshot.Machine;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.stream.Stream;

/** Looks, before anything is touched, whether the host has what a ruleset needs. */
final class Preflight {

  /** As a module, or built in; loaded it is with the rules (hand.sh). */
  private static final String PPTP =
      """
      modprobe -n -q nf_nat_pptp 2> /dev/null || [ -d /sys/module/nf_nat_pptp ] ||
        grep -qw pptp_outbound_pkt /proc/kallsyms
      """;

  private Preflight() {}

  /** What is missing, each with its name; empty where nothing is. */
  static List<String> missing(Machine machine, Optional<Ruleset> ruleset) {
    List<String> missing = new ArrayList<>(tools(machine, ruleset));
    if (!missing.isEmpty()) {
      return missing;
    }
    // For `list tables` nft 1.0.6 fetches every element of every set.
    Machine.Answer chains = machine.run("nft", "list", "chains");
    if (!chains.ok()) {
      return List.of(
          chains.err().contains("Operation not permitted")
              ? "the right to change the network (root, or CAP_NET_ADMIN)"
              : "nftables in the kernel (nf_tables): " + first(chains.err()));
    }
    ruleset.ifPresent(r -> {
      missing.addAll(features(machine, r));
      missing.addAll(unwritable(machine, r));
    });
    return missing;
  }

  /** Settings that are to change and cannot: where /proc/sys is read-only, in containers mostly. */
  private static List<String> unwritable(Machine machine, Ruleset ruleset) {
    List<String> command =
        new ArrayList<>(
            List.of(
                "sh",
                "-c",
                """
                while [ $# != 0 ]; do
                  if [ -e "/proc/sys/$1" ] && ! [ -w "/proc/sys/$1" ] &&
                    [ "$(cat "/proc/sys/$1")" != "$2" ]; then echo "$1"; fi
                  shift 2
                done
                """,
                "sh"));
    for (Sysctl sysctl : ruleset.sysctls()) {
      command.add(sysctl.key());
      command.add(sysctl.value());
    }
    return machine
        .run(command.toArray(String[]::new))
        .outOrEmpty()
        .lines()
        .map(key -> "the right to write /proc/sys/" + key)
        .toList();
  }

  private static List<String> tools(Machine machine, Optional<Ruleset> ruleset) {
    Map<String, String> needed = new LinkedHashMap<>();
    needed.put("nft", "nft (package nftables)");
    needed.put("ip", "ip (package iproute2)");
    needed.put("flock", "flock (package util-linux)");
    needed.put("timeout", "timeout (package coreutils)");
    needed.put("setsid", "setsid (package util-linux)");
    needed.put("readlink", "readlink (package coreutils)");
    if (ruleset.isPresent() && uses(ruleset.get(), s -> s instanceof Statement.Nat)) {
      needed.put(
          "conntrack",
          "conntrack (package conntrack): connections with an old translation would stay");
    }
    List<String> missing = new ArrayList<>();
    // One shell asks for all of them.
    String script =
        "PATH=$PATH:/usr/sbin:/sbin; for tool; do command -v \"$tool\" > /dev/null || echo \"$tool\"; done";
    List<String> command = new ArrayList<>(List.of("sh", "-c", script, "sh"));
    command.addAll(needed.keySet());
    machine
        .run(command, "", Duration.ofSeconds(10))
        .out()
        .lines()
        .forEach(tool -> missing.add(needed.getOrDefault(tool, tool)));
    return missing;
  }

  private static List<String> features(Machine machine, Ruleset ruleset) {
    List<String> missing = new ArrayList<>();
    if (!ruleset.backstop().isEmpty() && !machine.run("ip", "xfrm", "policy", "list").ok()) {
      missing.add("IPsec policies in the kernel (CONFIG_XFRM_USER)");
    }
    if (uses(ruleset, s -> s instanceof Statement.CtHelper)
        && !machine.run("sh", "-c", PPTP).ok()) {
      missing.add("PPTP's translation in the kernel (nf_nat_pptp)");
    }
    boolean v6 = ruleset.sysctls().stream().anyMatch(s -> s.key().startsWith("net/ipv6/"));
    if (v6 && machine.list("/proc/sys/net/ipv6").isEmpty()) {
      missing.add("IPv6 in the kernel: the description uses it (ipv6.disable=1?)");
    }
    return missing;
  }

  /**
   * Names the features for lack of which the kernel refuses a text, by asking for each that the
   * ruleset uses. Empty where every one is there: then the text itself is at fault.
   */
  static List<String> refused(Machine machine, Ruleset ruleset) {
    record Feature(Predicate<Statement> usedBy, String probe, String name) {}
    String base = "table inet gatehouse_probe { chain c { type %s hook %s priority 0; %s; }; }";
    List<Feature> features =
        List.of(
            new Feature(
                s -> true,
                base.formatted("filter", "forward", "accept"),
                "the inet family (nf_tables_inet)"),
            new Feature(
                s -> s instanceof Statement.Nat,
                base.formatted("nat", "postrouting", "masquerade"),
                "NAT (nft_chain_nat, nft_masq)"),
            new Feature(
                s -> has(s, e -> e instanceof Expression.Ct),
                base.formatted("filter", "forward", "ct state established accept"),
                "connection tracking (nft_ct)"),
            new Feature(
                s -> has(s, e -> e instanceof Expression.Rt),
                base.formatted("filter", "forward", "rt ipsec exists accept"),
                "`rt ipsec` (nft_rt, since Linux 5.0)"),
            new Feature(
                s ->
                    has(
                        s,
                        e ->
                            e instanceof Expression.Meta meta
                                && meta.key() == Expression.Meta.Key.IPSEC),
                base.formatted("filter", "forward", "meta ipsec exists accept"),
                "`meta ipsec` (nft_meta with CONFIG_XFRM)"),
            new Feature(
                s -> has(s, e -> e instanceof Expression.Fib),
                base.formatted("filter", "input", "fib daddr type local accept"),
                "`fib` (nft_fib_inet)"),
            new Feature(
                s -> s instanceof Statement.Queue,
                base.formatted("filter", "prerouting", "queue to 1"),
                "`queue` (nft_queue)"),
            new Feature(
                s -> s instanceof Statement.CtHelper,
                "table inet gatehouse_probe { ct helper h { type \"pptp\" protocol tcp; l3proto ip; }; }",
                "the helper of PPTP (nf_conntrack_pptp)"),
            new Feature(
                s -> s instanceof Statement.Update,
                "table inet gatehouse_probe { set s { type ipv4_addr; flags dynamic,timeout; };"
                    + " chain c { type filter hook prerouting priority 0;"
                    + " update @s { ip saddr timeout 1m }; }; }",
                "sets that rules fill (nft_dynset)"),
            new Feature(
                s -> s instanceof Statement.Log,
                base.formatted("filter", "forward", "log prefix \"x\""),
                "`log` (nft_log)"),
            new Feature(
                s -> s instanceof Statement.Limit,
                base.formatted("filter", "forward", "limit rate 1/second accept"),
                "`limit` (nft_limit)"),
            new Feature(
                s -> s instanceof Statement.Assign a && a.target() instanceof Expression.TcpOption,
                base.formatted(
                    "filter", "forward", "tcp flags syn tcp option maxseg size set 1300"),
                "MSS clamping (nft_exthdr)"));
    return features.stream()
        .filter(feature -> uses(ruleset, feature.usedBy()))
        .filter(feature ->
            !machine
                .run(
                    List.of("nft", "-c", "-f", "-"), feature.probe() + "\n", Duration.ofSeconds(10))
                .ok())
        .map(feature -> "in the kernel: " + feature.name())
        .toList();
  }

  private static boolean uses(Ruleset ruleset, Predicate<Statement> predicate) {
    return statements(ruleset).anyMatch(predicate);
  }

  private static Stream<Statement> statements(Ruleset ruleset) {
    return ruleset.tables().stream()
        .flatMap(table -> table.chains().stream())
        .flatMap(chain -> chain.rules().stream())
        .flatMap(rule -> rule.statements().stream());
  }

  private static boolean has(Statement statement, Predicate<Expression> predicate) {
    return expressions(statement).flatMap(Preflight::parts).anyMatch(predicate);
  }

  /** What a statement looks at or writes to. */
  private static Stream<? extends Expression> expressions(Statement statement) {
    return switch (statement) {
      case Statement.Match match -> Stream.of(match.left(), match.right());
      case Statement.Assign assign -> Stream.of(assign.target(), assign.value());
      case Statement.VerdictMap map -> Stream.of(map.key());
      case Statement.Nat.Source nat -> both(nat.address(), nat.ports());
      case Statement.Nat.Destination nat -> both(nat.address(), nat.ports());
      case Statement.Nat.Masquerade nat -> nat.ports().stream();
      case Statement.Nat.Redirect nat -> nat.ports().stream();
      case Statement.Nat.Prefixed nat -> Stream.of();
      case Statement.Counter counter -> Stream.of();
      case Statement.Limit limit -> Stream.of();
      case Statement.Log log -> Stream.of();
      case Statement.NoTrack noTrack -> Stream.of();
      case Statement.CtHelper helper -> Stream.of();
      case Statement.Update update ->
          Stream.concat(Stream.of(update.key()), update.data().stream());
      case Statement.Queue queue -> Stream.of();
      case Statement.Verdict verdict -> Stream.of();
      case Statement.Opaque opaque -> Stream.of();
    };
  }

  private static Stream<Expression> both(Optional<Expression> first, Optional<Expression> second) {
    return Stream.concat(first.stream(), second.stream());
  }

  /** An expression and all that it is made of. */
  private static Stream<Expression> parts(Expression expression) {
    Stream<? extends Expression> inside =
        switch (expression) {
          case Expression.Concat concat -> concat.parts().stream();
          case Expression.Binary binary -> Stream.of(binary.left(), binary.right());
          case Expression.Mapped mapped -> Stream.of(mapped.key());
          default -> Stream.of();
        };
    return Stream.concat(Stream.of(expression), inside.flatMap(Preflight::parts));
  }

  private static String first(String text) {
    return text.lines().findFirst().orElse("");
  }
}
