package io.gatehouse.ruleset;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import io.gatehouse.model.Address;
import io.gatehouse.model.Family;
import io.gatehouse.model.Prefix;
import io.gatehouse.ruleset.Expression.Addr;
import io.gatehouse.ruleset.Expression.AnyOf;
import io.gatehouse.ruleset.Expression.Binary;
import io.gatehouse.ruleset.Expression.Concat;
import io.gatehouse.ruleset.Expression.Ct;
import io.gatehouse.ruleset.Expression.Direction;
import io.gatehouse.ruleset.Expression.ExtensionHeader;
import io.gatehouse.ruleset.Expression.Fib;
import io.gatehouse.ruleset.Expression.Ipsec;
import io.gatehouse.ruleset.Expression.Mapped;
import io.gatehouse.ruleset.Expression.Meta;
import io.gatehouse.ruleset.Expression.Net;
import io.gatehouse.ruleset.Expression.Number;
import io.gatehouse.ruleset.Expression.Operator;
import io.gatehouse.ruleset.Expression.Payload;
import io.gatehouse.ruleset.Expression.Range;
import io.gatehouse.ruleset.Expression.RawPayload;
import io.gatehouse.ruleset.Expression.Rt;
import io.gatehouse.ruleset.Expression.Selector;
import io.gatehouse.ruleset.Expression.SetRef;
import io.gatehouse.ruleset.Expression.Symbol;
import io.gatehouse.ruleset.Expression.TcpOption;
import io.gatehouse.ruleset.Expression.Text;
import io.gatehouse.ruleset.Expression.Tuple;
import io.gatehouse.ruleset.Expression.Value;
import io.gatehouse.ruleset.Statement.Assign;
import io.gatehouse.ruleset.Statement.Limit;
import io.gatehouse.ruleset.Statement.Log;
import io.gatehouse.ruleset.Statement.Match;
import io.gatehouse.ruleset.Statement.Nat;
import io.gatehouse.ruleset.Statement.Relation;
import io.gatehouse.ruleset.Statement.Verdict;
import io.gatehouse.ruleset.Statement.VerdictMap;
import io.gatehouse.ruleset.Statement.VerdictSource;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Every text on the right was printed by nft 1.0.6 for a rule in a kernel. */
class NftStatementsTest {
  private static final Meta MARK = new Meta(Meta.Key.MARK);
  private static final Meta IIFNAME = new Meta(Meta.Key.IIFNAME);
  private static final Meta L4PROTO = new Meta(Meta.Key.L4PROTO);
  private static final Ct STATE = ct("state");
  private static final Payload SADDR = new Payload("ip", "saddr");
  private static final Payload SADDR6 = new Payload("ip6", "saddr");
  private static final Payload DPORT = new Payload("udp", "dport");
  private static final Payload FLAGS = new Payload("tcp", "flags");
  private static final Payload FRAG = new Payload("ip", "frag-off");
  private static final TcpOption MAXSEG = new TcpOption("maxseg", "size");

  static Stream<Arguments> statements() {
    return Stream.of(
        arguments(is(IIFNAME, new Text("lo")), "iifname \"lo\""),
        arguments(not(IIFNAME, new Text("wg*")), "iifname != \"wg*\""),
        arguments(
            is(IIFNAME, anyOf(text("zz"), text("b"), text("eth10"), text("eth2"), text("lo"))),
            "iifname { \"b\", \"lo\", \"zz\", \"eth2\", \"eth10\" }"),
        arguments(is(IIFNAME, anyOf(text("ba"), text("ab"))), "iifname { \"ba\", \"ab\" }"),
        arguments(is(IIFNAME, anyOf(text("wg*"), text("eth0"))), "iifname { \"eth0\", \"wg*\" }"),
        arguments(is(new Meta(Meta.Key.OIF), text("lo")), "oif \"lo\""),
        arguments(is(new Meta(Meta.Key.IPSEC), sym("missing")), "meta ipsec missing"),
        arguments(is(new Rt("ipsec"), sym("exists")), "rt ipsec exists"),
        arguments(new Match(new Rt("mtu"), Relation.LESS, num(1400)), "rt mtu < 1400"),
        // l4proto: names, by number
        arguments(is(L4PROTO, sym("esp")), "meta l4proto esp"),
        arguments(is(L4PROTO, num(50)), "meta l4proto esp"),
        arguments(is(L4PROTO, num(200)), "meta l4proto 200"),
        arguments(
            is(L4PROTO, anyOf(sym("ipv6-icmp"), sym("udp"), sym("esp"), sym("tcp"))),
            "meta l4proto { tcp, udp, esp, ipv6-icmp }"),
        arguments(is(new Payload("ip", "protocol"), num(47)), "ip protocol gre"),
        arguments(is(new Meta(Meta.Key.NFPROTO), sym("ipv4")), "meta nfproto ipv4"),
        arguments(
            is(new Meta(Meta.Key.PROTOCOL), anyOf(sym("ip6"), sym("arp"), sym("ip"))),
            "meta protocol { ip, arp, ip6 }"),
        arguments(
            is(new Meta(Meta.Key.PKTTYPE), anyOf(sym("multicast"), sym("broadcast"))),
            "meta pkttype { broadcast, multicast }"),
        arguments(
            new Match(new Meta(Meta.Key.LENGTH), Relation.GREATER, num(1400)),
            "meta length > 1400"),
        arguments(is(new Meta(Meta.Key.SKUID), num(0)), "meta skuid 0"),
        // conntrack
        arguments(is(STATE, sym("established")), "ct state established"),
        arguments(
            is(STATE, anyOf(sym("related"), sym("established"))), "ct state established,related"),
        arguments(
            not(STATE, anyOf(sym("related"), sym("established"))),
            "ct state != { established, related }"),
        arguments(new Match(STATE, Relation.EQUAL, sym("new")), "ct state == new"),
        arguments(is(ct("status"), anyOf(sym("dnat"), sym("snat"))), "ct status snat,dnat"),
        arguments(
            is(
                new Binary(ct("status"), Operator.AND, anyOf(sym("dnat"), sym("snat"))),
                sym("dnat")),
            "ct status dnat / snat,dnat"),
        arguments(
            new Match(new Binary(ct("status"), Operator.AND, sym("dnat")), Relation.EQUAL, num(0)),
            "ct status ! dnat"),
        arguments(is(ct("mark"), num(5)), "ct mark 0x00000005"),
        arguments(is(ct("zone"), num(4096)), "ct zone 4096"),
        arguments(
            is(new Ct("ip saddr", Optional.of(Direction.ORIGINAL)), new SetRef("far4")),
            "ct original ip saddr @far4"),
        // marks
        arguments(is(MARK, num(5)), "meta mark 0x00000005"),
        arguments(
            is(MARK, anyOf(num(0x200), new Range(num(0), num(255)))),
            "meta mark { 0x00000000/24, 0x00000200 }"),
        arguments(is(masked(0xff000000L), num(0x01000000)), "meta mark 0x01000000/8"),
        arguments(not(masked(0xff000000L), num(0x01000000)), "meta mark != 0x01000000/8"),
        arguments(is(masked(0xffffffffL), num(1)), "meta mark 0x00000001"),
        arguments(is(masked(0xffffff), num(5)), "meta mark & 0x00ffffff == 0x00000005"),
        arguments(not(masked(0xffffff), num(0)), "meta mark & 0x00ffffff != 0x00000000"),
        arguments(new Assign(MARK, num(17)), "meta mark set 0x00000011"),
        arguments(new Assign(MARK, ct("mark")), "meta mark set ct mark"),
        arguments(new Assign(ct("mark"), masked(0xffffff)), "ct mark set meta mark & 0x00ffffff"),
        arguments(
            new Assign(MARK, new Binary(masked(0xffffff), Operator.OR, num(0x01000000))),
            "meta mark set meta mark & 0x01ffffff | 0x01000000"),
        arguments(new Assign(MARK, new Mapped(SADDR, "m")), "meta mark set ip saddr map @m"),
        arguments(
            new Assign(
                new Ct("zone", Optional.of(Direction.ORIGINAL)),
                new Mapped(new Concat(List.of(SADDR, new Payload("esp", "spi"))), "zz")),
            "ct original zone set ip saddr . esp spi map @zz"),
        arguments(
            new Statement.Update(
                "spis",
                new Concat(List.of(SADDR, new Payload("esp", "spi"))),
                Optional.of(ct("zone")),
                Duration.ofMinutes(65)),
            "update @spis { ip saddr . esp spi timeout 1h5m : ct zone }"),
        arguments(
            new Statement.Update("seen", SADDR, Optional.empty(), Duration.ofSeconds(86_461)),
            "update @seen { ip saddr timeout 1d1m1s }"),
        arguments(
            new Statement.Nat.Destination(
                Optional.of(new Mapped(ct("zone"), "hosts", Optional.of(Family.V4))),
                Optional.empty(),
                List.of()),
            "dnat ip to ct zone map @hosts"),
        arguments(new Statement.Queue(7171, 7171, true), "queue flags bypass to 7171"),
        // headers
        arguments(is(DPORT, anyOf(num(4500), num(500))), "udp dport { 500, 4500 }"),
        arguments(is(DPORT, anyOf(num(500))), "udp dport 500"),
        arguments(is(DPORT, new Range(num(1000), num(2000))), "udp dport 1000-2000"),
        arguments(
            is(DPORT, anyOf(num(501), num(500), new Range(num(1000), num(1005)))),
            "udp dport { 500-501, 1000-1005 }"),
        arguments(new Match(DPORT, Relation.GREATER_OR_EQUAL, num(1024)), "udp dport >= 1024"),
        arguments(is(SADDR, net("10.0.0.1/32")), "ip saddr 10.0.0.1"),
        arguments(is(SADDR, net("0.0.0.0/0")), "ip saddr 0.0.0.0/0"),
        arguments(
            is(SADDR, anyOf(net("192.168.0.0/16"), net("10.0.0.0/8"))),
            "ip saddr { 10.0.0.0/8, 192.168.0.0/16 }"),
        arguments(
            is(SADDR, anyOf(net("10.0.1.0/24"), net("10.0.0.0/24"), net("12.0.0.0/8"))),
            "ip saddr { 10.0.0.0/23, 12.0.0.0/8 }"),
        arguments(
            is(SADDR, anyOf(addr("10.0.0.2"), addr("10.0.0.1"), net("12.0.0.0/8"))),
            "ip saddr { 10.0.0.1-10.0.0.2, 12.0.0.0/8 }"),
        arguments(
            is(SADDR, anyOf(addr("10.0.0.2"), addr("10.0.0.1"))),
            "ip saddr { 10.0.0.1, 10.0.0.2 }"),
        arguments(
            is(SADDR, anyOf(new Range(addr("10.0.0.0"), addr("10.0.0.255")), net("12.0.0.0/8"))),
            "ip saddr { 10.0.0.0/24, 12.0.0.0/8 }"),
        arguments(not(SADDR, new SetRef("far4")), "ip saddr != @far4"),
        arguments(is(SADDR6, addr("::ffff:1.2.3.4")), "ip6 saddr ::ffff:1.2.3.4"),
        arguments(is(SADDR6, net("::ffff:0:0/96")), "ip6 saddr ::ffff:0.0.0.0/96"),
        arguments(is(SADDR6, addr("::102:304")), "ip6 saddr ::1.2.3.4"),
        arguments(is(SADDR6, addr("::5")), "ip6 saddr ::5"),
        arguments(is(new Payload("icmp", "type"), num(8)), "icmp type echo-request"),
        arguments(
            is(
                new Payload("icmpv6", "type"),
                anyOf(sym("nd-neighbor-solicit"), sym("nd-router-advert"), sym("packet-too-big"))),
            "icmpv6 type { packet-too-big, nd-router-advert, nd-neighbor-solicit }"),
        arguments(
            is(new Payload("icmp", "code"), anyOf(sym("admin-prohibited"), sym("frag-needed"))),
            "icmp code { frag-needed, admin-prohibited }"),
        arguments(
            new Match(new Binary(FRAG, Operator.AND, num(0x1fff)), Relation.EQUAL, num(0)),
            "ip frag-off & 8191 == 0"),
        arguments(
            is(new Binary(FRAG, Operator.AND, num(0x1fff)), num(0)), "ip frag-off & 8191 == 0"),
        arguments(is(new Payload("esp", "spi"), num(256)), "esp spi 256"),
        arguments(is(new RawPayload("th", 64, 8), num(5)), "@th,64,8 0x5"),
        arguments(is(new ExtensionHeader("frag", ""), sym("exists")), "exthdr frag exists"),
        arguments(is(new ExtensionHeader("frag", "nexthdr"), sym("esp")), "frag nexthdr esp"),
        arguments(is(new Ipsec(true, 0, "reqid"), num(5)), "ipsec in reqid 5"),
        arguments(
            is(new Ipsec(false, 1, "ip daddr"), addr("10.0.0.1")),
            "ipsec out spnum 1 ip daddr 10.0.0.1"),
        arguments(
            is(new Fib(List.of("iif", "daddr"), "type"), sym("local")),
            "fib daddr . iif type local"),
        arguments(
            is(new Fib(List.of("daddr"), "type"), anyOf(sym("multicast"), sym("local"))),
            "fib daddr type { local, multicast }"),
        arguments(
            is(new Fib(List.of("saddr", "iif"), "oif"), sym("missing")),
            "fib saddr . iif oif missing"),
        arguments(
            is(
                new Concat(List.of(SADDR, DPORT)),
                anyOf(new Tuple(List.of(addr("10.0.0.1"), num(22))))),
            "ip saddr . udp dport 10.0.0.1 . 22"),
        // TCP
        arguments(
            new Match(
                new Binary(FLAGS, Operator.AND, new Binary(sym("syn"), Operator.OR, sym("rst"))),
                Relation.EQUAL,
                sym("syn")),
            "tcp flags syn / syn,rst"),
        arguments(
            not(
                new Binary(
                    FLAGS, Operator.AND, anyOf(sym("ack"), sym("rst"), sym("syn"), sym("fin"))),
                sym("syn")),
            "tcp flags != syn / fin,syn,rst,ack"),
        arguments(
            is(new Binary(FLAGS, Operator.AND, sym("syn")), sym("syn")), "tcp flags & syn == syn"),
        arguments(
            not(new Binary(FLAGS, Operator.AND, anyOf(sym("syn"), sym("ack"))), num(0)),
            "tcp flags syn,ack"),
        arguments(is(FLAGS, sym("syn")), "tcp flags syn"),
        arguments(new Match(MAXSEG, Relation.GREATER, num(1358)), "tcp option maxseg size > 1358"),
        arguments(new Assign(MAXSEG, num(1358)), "tcp option maxseg size set 1358"),
        arguments(new Assign(MAXSEG, new Rt("mtu")), "tcp option maxseg size set rt mtu"),
        // the rest
        arguments(new Statement.Counter(), "counter"),
        arguments(new Limit(10, "minute", 5, false), "limit rate 10/minute"),
        arguments(new Limit(10, "second", 20, true), "limit rate over 10/second burst 20 packets"),
        arguments(new Log("gatehouse: ", OptionalInt.empty()), "log prefix \"gatehouse: \""),
        arguments(new Log("", OptionalInt.of(5)), "log group 5"),
        arguments(new Statement.NoTrack(), "notrack"),
        arguments(new Statement.CtHelper("pptp"), "ct helper set \"pptp\""),
        arguments(new Statement.Queue(5, 9, true), "queue flags bypass to 5-9"),
        arguments(new VerdictMap(SADDR, new VerdictSource.Named("from4")), "ip saddr vmap @from4"),
        arguments(
            new VerdictMap(
                SADDR,
                new VerdictSource.Inline(
                    List.of(
                        new VerdictSource.Entry(net("10.0.0.0/8"), new Verdict.Goto("x")),
                        new VerdictSource.Entry(addr("1.2.3.4"), new Verdict.Drop())))),
            "ip saddr vmap { 1.2.3.4 : drop, 10.0.0.0/8 : goto x }"),
        arguments(
            new VerdictMap(
                STATE,
                new VerdictSource.Inline(
                    List.of(
                        new VerdictSource.Entry(sym("established"), new Verdict.Accept()),
                        new VerdictSource.Entry(sym("invalid"), new Verdict.Drop())))),
            "ct state vmap { invalid : drop, established : accept }"),
        arguments(
            new Nat.Destination(
                Optional.of(addr("2001:db8::5")), Optional.of(num(8080)), List.of()),
            "dnat ip6 to [2001:db8::5]:8080"),
        arguments(
            new Nat.Destination(Optional.of(addr("10.0.0.5")), Optional.empty(), List.of()),
            "dnat ip to 10.0.0.5"),
        arguments(
            new Nat.Source(Optional.of(addr("1.2.3.4")), Optional.empty(), List.of("persistent")),
            "snat ip to 1.2.3.4 persistent"),
        arguments(
            new Nat.Source(
                Optional.of(new Range(addr("1.2.3.4"), addr("1.2.3.9"))),
                Optional.empty(),
                List.of()),
            "snat ip to 1.2.3.4-1.2.3.9"),
        arguments(
            new Nat.Prefixed(/* source= */ true, Prefix.of("10.99.1.0/24")),
            "snat ip prefix to 10.99.1.0/24"),
        arguments(
            new Nat.Prefixed(/* source= */ false, Prefix.of("fd00:1::/64")),
            "dnat ip6 prefix to fd00:1::/64"),
        arguments(
            new Nat.Masquerade(
                Optional.of(new Range(num(1024), num(65535))), List.of("persistent", "random")),
            "masquerade to :1024-65535 random,persistent"),
        arguments(new Nat.Masquerade(Optional.empty(), List.of()), "masquerade"),
        arguments(new Nat.Redirect(Optional.of(num(8080)), List.of()), "redirect to :8080"),
        arguments(
            new Verdict.Reject("icmpx admin-prohibited"), "reject with icmpx admin-prohibited"),
        arguments(new Verdict.Reject(""), "reject"),
        arguments(new Verdict.Return(), "return"),
        arguments(new Verdict.Jump("ours"), "jump ours"),
        arguments(new Statement.Opaque("xt match \"policy\""), "xt match \"policy\""));
  }

  @ParameterizedTest
  @MethodSource("statements")
  void printsAsNftListsIt(Statement statement, String text) {
    assertThat(NftText.statement(statement)).isEqualTo(text);
  }

  @Test
  void setsParenthesesWhereNftWouldBindOtherwise() {
    Selector either = new Binary(MARK, Operator.OR, num(1));

    assertThat(NftText.statement(new Assign(MARK, new Binary(either, Operator.AND, num(3)))))
        .isEqualTo("meta mark set (meta mark | 0x00000001) & 0x00000003");
  }

  @Test
  void doesNotRenameADeviceThatNftCannotSpell() {
    Statement match = is(IIFNAME, text("a\" accept comment \""));

    assertThatThrownBy(() -> NftText.statement(match)).isInstanceOf(IllegalArgumentException.class);
  }

  private static Match is(Expression left, Expression right) {
    return new Match(left, Relation.IS, right);
  }

  private static Match not(Expression left, Expression right) {
    return new Match(left, Relation.NOT, right);
  }

  private static Binary masked(long mask) {
    return new Binary(MARK, Operator.AND, num(mask));
  }

  private static Ct ct(String key) {
    return new Ct(key, Optional.empty());
  }

  private static Text text(String text) {
    return new Text(text);
  }

  private static Symbol sym(String name) {
    return new Symbol(name);
  }

  private static Number num(long value) {
    return new Number(value);
  }

  private static Addr addr(String text) {
    return new Addr(Address.of(text));
  }

  private static Net net(String text) {
    return new Net(Prefix.of(text));
  }

  private static AnyOf anyOf(Value... values) {
    return new AnyOf(Arrays.asList(values));
  }
}
