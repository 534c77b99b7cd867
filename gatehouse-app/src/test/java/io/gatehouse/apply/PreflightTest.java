package io.gatehouse.apply;

import static org.assertj.core.api.Assertions.assertThat;

import io.gatehouse.model.Numbers;
import io.gatehouse.model.Origin;
import io.gatehouse.model.Prefix;
import io.gatehouse.ruleset.Chain;
import io.gatehouse.ruleset.Expression;
import io.gatehouse.ruleset.Rule;
import io.gatehouse.ruleset.Ruleset;
import io.gatehouse.ruleset.Statement;
import io.gatehouse.ruleset.Sysctl;
import io.gatehouse.ruleset.Table;
import io.gatehouse.ruleset.XfrmPolicy;
import io.gatehouse.snapshot.Machine;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.BiFunction;
import org.junit.jupiter.api.Test;

/** Machines that lack something: each thing is named. */
class PreflightTest {
  private static final Origin ORIGIN = new Origin("office.yaml", 1, 1, "");
  private static final Machine.Answer YES = new Machine.Answer(0, "", "");

  /** Answers each command, given its words and what it reads. */
  private record Told(BiFunction<String, String, Machine.Answer> answer, List<String> ipv6)
      implements Machine {
    @Override
    public Answer run(List<String> command, String stdin, Duration limit) {
      return answer.apply(String.join(" ", command), stdin);
    }

    @Override
    public Optional<String> read(String path) {
      return Optional.empty();
    }

    @Override
    public List<String> list(String directory) {
      return ipv6;
    }

    @Override
    public Optional<String> link(String path) {
      return Optional.empty();
    }
  }

  private static Ruleset ruleset(Statement... statements) {
    Chain chain =
        new Chain(
            "nat_out",
            Optional.of(new Chain.Base("nat", Chain.Hook.POSTROUTING, 99, false, Optional.empty())),
            List.of(new Rule(List.of(statements), "why", ORIGIN)));
    return new Ruleset(
        "office",
        List.of(new Table("inet", "gatehouse", List.of(), List.of(chain))),
        List.of(
            new XfrmPolicy(
                XfrmPolicy.Direction.IN, Prefix.of("10.0.3.0/24"), Prefix.ALL_V4, 1, true, ORIGIN)),
        List.of(),
        List.of(),
        List.of(),
        List.of(new Sysctl("net/ipv6/conf/all/forwarding", "1", ORIGIN)),
        Numbers.DEFAULT);
  }

  private static final Statement MASQUERADE =
      new Statement.Nat.Masquerade(Optional.empty(), List.of());

  private static List<String> missing(BiFunction<String, String, Machine.Answer> answer) {
    return Preflight.missing(new Told(answer, List.of("conf")), Optional.of(ruleset(MASQUERADE)));
  }

  @Test
  void nothingIsMissingWhereEverythingAnswers() {
    assertThat(missing((command, in) -> YES)).isEmpty();
  }

  @Test
  void everyToolIsAskedForAndNamedWithItsPackage() {
    // A shell that finds none of the tools it is asked for.
    List<String> missing =
        missing((command, in) ->
            command.startsWith("sh -c ")
                ? new Machine.Answer(
                    0,
                    String.join(
                        "\n", command.substring(command.lastIndexOf(" sh ") + 4).split(" ")),
                    "")
                : YES);

    assertThat(missing)
        .satisfiesExactly(
            line -> assertThat(line).isEqualTo("nft (package nftables)"),
            line -> assertThat(line).isEqualTo("ip (package iproute2)"),
            line -> assertThat(line).isEqualTo("flock (package util-linux)"),
            line -> assertThat(line).isEqualTo("timeout (package coreutils)"),
            line -> assertThat(line).isEqualTo("setsid (package util-linux)"),
            line -> assertThat(line).isEqualTo("readlink (package coreutils)"),
            line -> assertThat(line).startsWith("conntrack (package conntrack)"));
  }

  @Test
  void namesWhatTheKernelLacks() {
    assertThat(
            missing((command, in) ->
                command.equals("nft list chains")
                    ? new Machine.Answer(1, "", "netlink: cache initialization failed\nmore")
                    : YES))
        .containsExactly(
            "nftables in the kernel (nf_tables): netlink: cache initialization failed");
    assertThat(
            missing((command, in) ->
                command.equals("ip xfrm policy list")
                    ? new Machine.Answer(2, "", "Protocol not supported")
                    : YES))
        .containsExactly("IPsec policies in the kernel (CONFIG_XFRM_USER)");
    assertThat(
            Preflight.missing(
                new Told((command, in) -> YES, List.of()), Optional.of(ruleset(MASQUERADE))))
        .singleElement()
        .asString()
        .startsWith("IPv6 in the kernel");
  }

  @Test
  void namesEachExpressionThatTheKernelRefusesAndThatIsUsed() {
    Machine noNatNoIpsec =
        new Told(
            (command, in) ->
                in.contains("masquerade") || in.contains("rt ipsec") || in.contains("log prefix")
                    ? new Machine.Answer(1, "", "Could not process rule: No such file")
                    : YES,
            List.of("conf"));
    Ruleset used =
        ruleset(
            new Statement.Match(
                new Expression.Rt("ipsec"), Statement.Relation.IS, new Expression.Symbol("exists")),
            MASQUERADE);

    assertThat(Preflight.refused(noNatNoIpsec, used))
        .containsExactly(
            "in the kernel: NAT (nft_chain_nat, nft_masq)",
            "in the kernel: `rt ipsec` (nft_rt, since Linux 5.0)");
  }

  @Test
  void findsExpressionsInOthersAndNotInTexts() {
    Machine old =
        new Told(
            (command, in) ->
                in.contains("ct state") || in.contains("meta ipsec") || in.contains("fib daddr")
                    ? new Machine.Answer(1, "", "Could not process rule: No such file")
                    : YES,
            List.of("conf"));
    Ruleset used =
        ruleset(
            new Statement.Log("Ct[", OptionalInt.empty()),
            new Statement.Match(
                new Expression.Concat(
                    List.of(
                        new Expression.Meta(Expression.Meta.Key.IPSEC),
                        new Expression.Fib(List.of("daddr"), "type"))),
                Statement.Relation.IS,
                new Expression.SetRef("known")));

    assertThat(Preflight.refused(old, used))
        .containsExactly(
            "in the kernel: `meta ipsec` (nft_meta with CONFIG_XFRM)",
            "in the kernel: `fib` (nft_fib_inet)");
  }
}
