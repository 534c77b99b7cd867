package io.gatehouse.ruleset;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.gatehouse.model.Address;
import io.gatehouse.model.Origin;
import io.gatehouse.model.Prefix;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import org.junit.jupiter.api.Test;

class NftTextTest {
  private static final Origin LINE = new Origin("office.yaml", 12, 5, "tunnels.staff");
  private static final Expression.Selector SADDR = new Expression.Payload("ip", "saddr");
  private static final Statement.Verdict DROP = new Statement.Verdict.Drop();

  @Test
  void printsATableAsNftListsOne() {
    NftSet far =
        new NftSet(
            "far4",
            SADDR,
            Optional.empty(),
            Set.of(NftSet.Flag.INTERVAL),
            List.of(
                NftSet.Element.of(new Expression.Net(Prefix.of("10.0.3.0/24")), LINE),
                NftSet.Element.of(new Expression.Net(Prefix.of("10.20.0.1/32")), LINE)),
            Optional.empty(),
            LINE);
    NftSet from =
        new NftSet(
            "from4",
            SADDR,
            Optional.of(new NftSet.Holds.Verdicts()),
            Set.of(),
            List.of(
                new NftSet.Element(
                    new Expression.Addr(Address.of("10.0.3.7")),
                    Optional.of(new Statement.Verdict.Goto("from_staff")),
                    Optional.empty(),
                    LINE)),
            Optional.empty(),
            LINE);
    Rule spoof =
        new Rule(
            List.of(
                is(SADDR, new Expression.SetRef("far4")),
                is(
                    new Expression.Meta(Expression.Meta.Key.IPSEC),
                    new Expression.Symbol("missing")),
                new Statement.Counter(),
                DROP),
            "far source without a tunnel",
            LINE);
    Chain forward =
        new Chain(
            "forward",
            Optional.of(new Chain.Base("filter", Chain.Hook.FORWARD, 0, true, Optional.empty())),
            List.of(spoof));
    Chain staff = new Chain("from_staff", Optional.empty(), List.of());

    assertThat(
            NftText.of(new Table("inet", "gatehouse", List.of(far, from), List.of(forward, staff))))
        .isEqualTo(
            """
            table inet gatehouse {
            \tset far4 {
            \t\ttypeof ip saddr
            \t\tflags interval
            \t\telements = { 10.0.3.0/24,
            \t\t\t10.20.0.1 }
            \t}

            \tmap from4 {
            \t\ttypeof ip saddr : verdict
            \t\telements = { 10.0.3.7 : goto from_staff }
            \t}

            \tchain forward {
            \t\ttype filter hook forward priority 0; policy drop;
            \t\tip saddr @far4 meta ipsec missing counter drop comment "far source without a tunnel, office.yaml:12:5"
            \t}

            \tchain from_staff {
            \t}

            }
            """);
  }

  @Test
  void printsEveryKindOfStatement() {
    assertThat(
            List.of(
                print(
                    is(
                        new Expression.Ct("state", Optional.empty()),
                        new Expression.AnyOf(
                            List.of(
                                new Expression.Symbol("established"),
                                new Expression.Symbol("related"))))),
                print(
                    is(
                        new Expression.Payload("udp", "dport"),
                        new Expression.AnyOf(
                            List.of(
                                new Expression.Number(500),
                                new Expression.Range(
                                    new Expression.Number(4500), new Expression.Number(4501)))))),
                print(
                    new Statement.Match(
                        new Expression.Meta(Expression.Meta.Key.IIFNAME),
                        Statement.Relation.NOT,
                        new Expression.Text("lo"))),
                print(
                    new Statement.Assign(
                        new Expression.Meta(Expression.Meta.Key.MARK), new Expression.Number(255))),
                print(new Statement.Limit(5, "minute", 10, true)),
                print(new Statement.Log("dropped: ", OptionalInt.of(3))),
                print(
                    is(
                        new Expression.Fib(List.of("daddr", "iif"), "type"),
                        new Expression.Symbol("local"))),
                print(
                    new Statement.Nat.Destination(
                        Optional.of(new Expression.Addr(Address.of("2001:db8::9"))),
                        Optional.of(new Expression.Number(80)),
                        List.of())),
                print(
                    new Statement.Nat.Source(
                        Optional.of(new Expression.Addr(Address.of("192.0.2.1"))),
                        Optional.empty(),
                        List.of("persistent"))),
                print(new Statement.Nat.Masquerade(Optional.empty(), List.of())),
                print(new Statement.VerdictMap(SADDR, new Statement.VerdictSource.Named("from4"))),
                print(new Statement.Verdict.Reject("icmpx admin-prohibited"))))
        .containsExactly(
            "ct state established,related",
            "udp dport { 500, 4500-4501 }",
            "iifname != \"lo\"",
            "meta mark set 0x000000ff",
            "limit rate over 5/minute burst 10 packets",
            "log prefix \"dropped: \" group 3",
            "fib daddr . iif type local",
            "dnat ip6 to [2001:db8::9]:80",
            "snat ip to 192.0.2.1 persistent",
            "masquerade",
            "ip saddr vmap @from4",
            "reject with icmpx admin-prohibited");
  }

  @Test
  void keepsThePlaceOfARuleWhoseReasonIsTooLongForTheKernel() {
    String comment = NftText.comment("é".repeat(200), LINE);

    assertThat(comment.getBytes(UTF_8)).hasSizeLessThanOrEqualTo(127);
    assertThat(comment).endsWith("é.., office.yaml:12:5");
  }

  @Test
  void keepsQuotesAndLineEndsOutOfStrings() {
    assertThat(NftText.rule(new Rule(List.of(DROP), "a \"b\"\n\\", Origin.builtIn("test"))))
        .isEqualTo("drop comment \"a 'b' /\"");
  }

  private static String print(Statement statement) {
    return NftText.statement(statement);
  }

  private static Statement is(Expression left, Expression right) {
    return new Statement.Match(left, Statement.Relation.IS, right);
  }
}
