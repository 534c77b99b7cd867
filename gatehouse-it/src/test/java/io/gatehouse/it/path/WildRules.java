package io.gatehouse.it.path;

import io.gatehouse.model.Origin;
import io.gatehouse.model.Prefix;
import io.gatehouse.ruleset.Chain;
import io.gatehouse.ruleset.Chain.Hook;
import io.gatehouse.ruleset.Expression;
import io.gatehouse.ruleset.Expression.Addr;
import io.gatehouse.ruleset.Expression.AnyOf;
import io.gatehouse.ruleset.Expression.Binary;
import io.gatehouse.ruleset.Expression.Concat;
import io.gatehouse.ruleset.Expression.Ct;
import io.gatehouse.ruleset.Expression.Fib;
import io.gatehouse.ruleset.Expression.Mapped;
import io.gatehouse.ruleset.Expression.Meta;
import io.gatehouse.ruleset.Expression.Net;
import io.gatehouse.ruleset.Expression.Number;
import io.gatehouse.ruleset.Expression.Operator;
import io.gatehouse.ruleset.Expression.Payload;
import io.gatehouse.ruleset.Expression.Range;
import io.gatehouse.ruleset.Expression.Rt;
import io.gatehouse.ruleset.Expression.Selector;
import io.gatehouse.ruleset.Expression.SetRef;
import io.gatehouse.ruleset.Expression.Symbol;
import io.gatehouse.ruleset.Expression.Text;
import io.gatehouse.ruleset.Expression.Tuple;
import io.gatehouse.ruleset.Expression.Value;
import io.gatehouse.ruleset.NftSet;
import io.gatehouse.ruleset.Rule;
import io.gatehouse.ruleset.Statement;
import io.gatehouse.ruleset.Statement.Assign;
import io.gatehouse.ruleset.Statement.Match;
import io.gatehouse.ruleset.Statement.Nat;
import io.gatehouse.ruleset.Statement.Relation;
import io.gatehouse.ruleset.Statement.Verdict;
import io.gatehouse.ruleset.Statement.VerdictMap;
import io.gatehouse.ruleset.Statement.VerdictSource;
import io.gatehouse.ruleset.Table;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Random;
import java.util.Set;

/** Tables that nobody would write, for a host of {@link Wild}. */
final class WildRules {
  static final Origin HERE = new Origin("wild", 1, 1, "");
  private static final Meta MARK = new Meta(Meta.Key.MARK);
  private static final Ct CT_MARK = new Ct("mark", Optional.empty());
  private static final List<Hook> HOOKS =
      List.of(Hook.PREROUTING, Hook.INPUT, Hook.FORWARD, Hook.OUTPUT, Hook.POSTROUTING);

  /** Conditions that say which protocol the packet has: nft takes one of them in a rule. */
  private static final Set<Integer> SPEAKING = Set.of(2, 9, 10, 14, 16, 17, 18, 19);

  private final Random random;

  /** Whether the rule that is being drawn has said which protocol. */
  private boolean spoken;

  /** {@code inet}, {@code ip} or {@code ip6}. */
  private final String family;

  private final List<NftSet> sets = new ArrayList<>();

  /** Which family the addresses are of that its rules and sets mention. */
  private final boolean six;

  private WildRules(Random random, String family) {
    this.random = random;
    this.family = family;
    six = family.equals("ip6") || (family.equals("inet") && random.nextInt(3) == 0);
  }

  static Table table(Random random, String family, String name) {
    return new WildRules(random, family).table(name);
  }

  private Table table(String name) {
    sets();
    List<Chain> chains = new ArrayList<>();
    // Each chain may jump only to those that stand before it, and only where all of it may stand.
    for (Hook hook : HOOKS) {
      chains.add(
          new Chain(
              hook.name().toLowerCase(java.util.Locale.ROOT) + "_sub",
              Optional.empty(),
              rules(hook, 0, "filter", 1 + random.nextInt(3), Optional.empty())));
    }
    int count = 1 + random.nextInt(4);
    for (int i = 0; i < count; i++) {
      chains.add(base("c" + i));
    }
    return new Table(family, name, sets, chains);
  }

  private Chain base(String name) {
    Hook hook = pick(HOOKS);
    boolean nat = hook != Hook.FORWARD && random.nextInt(3) == 0;
    boolean route = !nat && hook == Hook.OUTPUT && random.nextInt(3) == 0;
    String type = nat ? "nat" : route ? "route" : "filter";
    int priority =
        nat
            ? pick(List.of(-110, -100, 90, 100))
            : pick(List.of(-300, -250, -150, -99, -10, 0, 0, 10, 99, 101, 300));
    if (route) {
      priority = -150;
    }
    Chain.Base base =
        new Chain.Base(type, hook, priority, !nat && random.nextInt(6) == 0, Optional.empty());
    return new Chain(
        name,
        Optional.of(base),
        rules(
            hook,
            priority,
            type,
            1 + random.nextInt(5),
            nat
                ? Optional.empty()
                : Optional.of(hook.name().toLowerCase(java.util.Locale.ROOT) + "_sub")));
  }

  private List<Rule> rules(
      Hook hook, int priority, String type, int count, Optional<String> below) {
    List<Rule> rules = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      List<Statement> statements = new ArrayList<>();
      spoken = false;
      int conditions = random.nextInt(3);
      for (int c = 0; c < conditions; c++) {
        statements.add(condition(hook));
      }
      if (random.nextInt(4) == 0) {
        statements.add(new Statement.Counter());
      }
      if (random.nextInt(12) == 0) {
        statements.add(new Statement.Limit(1, "hour", 5, random.nextBoolean()));
      }
      if (random.nextInt(20) == 0) {
        statements.add(new Statement.Log("wild", OptionalInt.of(78)));
      }
      if (type.equals("nat")) {
        statements.add(
            random.nextInt(4) == 0
                ? pick(List.of(new Verdict.Accept(), new Verdict.Return()))
                : nat(hook));
      } else {
        change(hook, priority).ifPresent(statements::add);
        end(hook, below).ifPresent(statements::add);
      }
      if (!statements.isEmpty()) {
        rules.add(new Rule(statements, "", HERE));
      }
    }
    return rules;
  }

  // ---- conditions

  private Statement condition(Hook hook) {
    int kind = random.nextInt(20);
    if (SPEAKING.contains(kind)) {
      kind = spoken ? 5 : kind;
      spoken = true;
    }
    return switch (kind) {
      case 0 -> is(meta(Meta.Key.IIFNAME), text(pick(List.of("eth0", "eth1", "eth2", "eth*"))));
      case 1 -> is(meta(Meta.Key.OIFNAME), text(pick(List.of("eth0", "eth1", "eth2", "lo"))));
      case 2 -> is(meta(Meta.Key.L4PROTO), symbols("tcp", "udp", "icmp", "ipv6-icmp", "gre"));
      case 3 -> is(MARK, new Number(random.nextInt(4)));
      case 4 ->
          new Match(
              new Binary(MARK, Expression.Operator.AND, new Number(3)),
              pick(List.of(Relation.EQUAL, Relation.NOT)),
              new Number(random.nextInt(4)));
      case 5, 6, 7 -> is(address(), net());
      case 8 -> new Match(address(), any(Relation.IS, Relation.NOT), new SetRef("nets"));
      case 9 -> new Match(transport(), ordered(), new Number(port()));
      case 10 ->
          is(
              transport(),
              pick(
                  List.of(
                      new Range(new Number(20), new Number(60)),
                      new AnyOf(List.of(new Number(53), new Number(80), new Number(443))))));
      case 11 -> is(ct("state"), symbols("new", "established", "invalid", "untracked"));
      case 12 ->
          pick(
              List.of(
                  is(CT_MARK, new Number(random.nextInt(3))),
                  is(ct("zone"), new Number(random.nextInt(2))),
                  is(ct("direction"), symbol(pick(List.of("original", "reply")))),
                  is(ct("status"), symbols("snat", "dnat", "confirmed")),
                  is(
                      new Ct(
                          six ? "ip6 daddr" : "ip daddr",
                          Optional.of(Expression.Direction.ORIGINAL)),
                      net())));
      case 13 -> is(new Rt("ipsec"), symbol(pick(List.of("exists", "missing"))));
      case 14 ->
          hook == Hook.PREROUTING || hook == Hook.INPUT || hook == Hook.FORWARD
              ? is(meta(Meta.Key.IPSEC), symbol(pick(List.of("exists", "missing", "missing"))))
              : is(new Payload("tcp", "flags"), symbol(pick(List.of("syn", "ack"))));
      case 15 ->
          is(
              new Fib(List.of(random.nextBoolean() ? "daddr" : "saddr"), "type"),
              symbols("local", "unicast", "broadcast", "multicast"));
      case 16 ->
          hook == Hook.PREROUTING
              ? is(
                  new Fib(random.nextBoolean() ? List.of("saddr", "iif") : List.of("saddr"), "oif"),
                  symbol(pick(List.of("exists", "missing"))))
              : new Match(
                  new Payload("tcp", "flags"), any(Relation.EQUAL, Relation.NOT), symbol("syn"));
      case 17 ->
          new Match(
              new Concat(List.of(address(), new Payload("udp", "dport"))),
              any(Relation.IS, Relation.NOT),
              new SetRef("pairs"));
      case 18 ->
          pick(
              List.of(
                  is(
                      six ? new Payload("icmpv6", "type") : new Payload("icmp", "type"),
                      symbols("echo-request", "echo-reply")),
                  family.equals("inet")
                      ? new Match(
                          meta(Meta.Key.NFPROTO), Relation.IS, symbol(six ? "ipv6" : "ipv4"))
                      : is(MARK, new Number(1)),
                  is(meta(Meta.Key.PROTOCOL), symbol(pick(List.of("ip", "ip6")))),
                  new Match(meta(Meta.Key.LENGTH), ordered(), new Number(50)),
                  is(six ? new Payload("ip6", "dscp") : new Payload("ip", "dscp"), new Number(0))));
      default ->
          is(
              six ? new Payload("ip6", "nexthdr") : new Payload("ip", "protocol"),
              symbols("tcp", "udp"));
    };
  }

  private Relation ordered() {
    return pick(
        List.of(
            Relation.LESS,
            Relation.GREATER,
            Relation.LESS_OR_EQUAL,
            Relation.GREATER_OR_EQUAL,
            Relation.NOT,
            Relation.IS));
  }

  private Match is(Selector left, Value right) {
    return new Match(left, any(Relation.IS, Relation.IS, Relation.NOT), right);
  }

  // ---- changes and ends

  private Optional<Statement> change(Hook hook, int priority) {
    boolean early = priority < -200 && (hook == Hook.PREROUTING || hook == Hook.OUTPUT);
    return switch (random.nextInt(12)) {
      case 0, 1 -> Optional.of(new Assign(MARK, new Number(random.nextInt(4))));
      case 2 ->
          Optional.of(
              new Assign(
                  MARK,
                  new Binary(
                      new Binary(MARK, Expression.Operator.AND, new Number(0xfffffff0L)),
                      Operator.OR,
                      new Number(random.nextInt(4)))));
      case 3 ->
          Optional.of(
              new Assign(CT_MARK, random.nextBoolean() ? MARK : new Number(random.nextInt(3))));
      case 4 -> Optional.of(new Assign(MARK, CT_MARK));
      case 5 -> Optional.of(new Assign(MARK, new Mapped(address(), "marks")));
      case 6 -> early ? Optional.of(new Statement.NoTrack()) : Optional.empty();
      case 7 ->
          early
              ? Optional.of(new Assign(ct("zone"), new Number(random.nextInt(2))))
              : Optional.empty();
      case 8 ->
          random.nextInt(3) != 0
              ? Optional.empty()
              : Optional.of(
                  random.nextBoolean() && speak()
                      ? new Assign(new Payload("udp", "dport"), new Number(port()))
                      : new Assign(
                          six ? new Payload("ip6", "daddr") : new Payload("ip", "daddr"),
                          new Addr(Wild.somebody(random, six))));
      default -> Optional.empty();
    };
  }

  private Optional<Statement> end(Hook hook, Optional<String> below) {
    return switch (random.nextInt(10)) {
      case 0 -> Optional.of(new Verdict.Accept());
      case 1, 2 -> Optional.of(new Verdict.Drop());
      case 3 ->
          hook == Hook.POSTROUTING || hook == Hook.PREROUTING
              ? Optional.of(new Verdict.Return())
              : Optional.of(new Verdict.Reject(""));
      case 4, 5 -> below.map(Verdict.Jump::new);
      case 6 -> below.map(Verdict.Goto::new);
      case 7 -> Optional.of(verdicts(below));
      case 8 -> Optional.of(new Verdict.Return());
      default -> Optional.empty();
    };
  }

  private Statement verdicts(Optional<String> below) {
    if (random.nextBoolean() || !speak()) {
      return new VerdictMap(address(), new VerdictSource.Named("verdicts"));
    }
    Verdict other = below.<Verdict>map(Verdict.Jump::new).orElse(new Verdict.Continue());
    return new VerdictMap(
        new Payload("udp", "dport"),
        new VerdictSource.Inline(
            List.of(
                new VerdictSource.Entry(new Number(53), new Verdict.Drop()),
                new VerdictSource.Entry(new Number(80), new Verdict.Accept()),
                new VerdictSource.Entry(new Number(443), other))));
  }

  private Statement nat(Hook hook) {
    boolean source = hook == Hook.POSTROUTING || hook == Hook.INPUT;
    Expression to = new Addr(Wild.somebody(random, six));
    // Ports ask for a protocol that has them, in nft as in the kernel.
    Optional<Expression> none = Optional.empty();
    if (source) {
      return hook == Hook.POSTROUTING && random.nextInt(2) == 0
          ? new Nat.Masquerade(none, List.of())
          : new Nat.Source(Optional.of(to), none, List.of());
    }
    return random.nextInt(3) == 0
        ? new Nat.Redirect(none, List.of())
        : new Nat.Destination(Optional.of(to), none, List.of());
  }

  // ---- sets

  private void sets() {
    Set<Prefix> prefixes = new LinkedHashSet<>();
    for (int i = 0; i < 3; i++) {
      Prefix next = Wild.prefix(random, six);
      if (prefixes.stream().noneMatch(p -> p.overlaps(next))) {
        prefixes.add(next);
      }
    }
    Selector key = six ? new Payload("ip6", "saddr") : new Payload("ip", "saddr");
    List<Value> keys = prefixes.stream().<Value>map(Net::new).toList();
    sets.add(
        new NftSet(
            "nets",
            key,
            Optional.empty(),
            Set.of(NftSet.Flag.INTERVAL),
            keys.stream().map(k -> NftSet.Element.of(k, HERE)).toList(),
            Optional.empty(),
            HERE));
    sets.add(
        new NftSet(
            "verdicts",
            key,
            Optional.of(new NftSet.Holds.Verdicts()),
            Set.of(NftSet.Flag.INTERVAL),
            keys.stream()
                .map(k ->
                    new NftSet.Element(
                        k,
                        Optional.of(
                            pick(
                                List.of(
                                    new Verdict.Accept(),
                                    new Verdict.Drop(),
                                    new Verdict.Continue(),
                                    new Verdict.Return()))),
                        Optional.empty(),
                        HERE))
                .toList(),
            Optional.empty(),
            HERE));
    sets.add(
        new NftSet(
            "marks",
            key,
            Optional.of(new NftSet.Holds.Values(MARK)),
            Set.of(NftSet.Flag.INTERVAL),
            keys.stream()
                .map(k ->
                    new NftSet.Element(
                        k, Optional.empty(), Optional.of(new Number(random.nextInt(4))), HERE))
                .toList(),
            Optional.empty(),
            HERE));
    Set<Value> pairs = new LinkedHashSet<>();
    for (int i = 0; i < 4; i++) {
      pairs.add(
          new Tuple(
              List.of(
                  new Addr(Wild.somebody(random, six)), new Number(pick(List.of(53, 80, 443))))));
    }
    sets.add(
        new NftSet(
            "pairs",
            new Concat(List.of(key, new Payload("udp", "dport"))),
            Optional.empty(),
            Set.of(),
            pairs.stream().map(k -> NftSet.Element.of(k, HERE)).toList(),
            Optional.empty(),
            HERE));
  }

  // ---- by lot

  /** Whether the rule may still say which protocol; then it has. */
  private boolean speak() {
    boolean may = !spoken;
    spoken = true;
    return may;
  }

  private Selector address() {
    return new Payload(six ? "ip6" : "ip", random.nextBoolean() ? "saddr" : "daddr");
  }

  private Value net() {
    return new Net(Wild.prefix(random, six));
  }

  private Selector transport() {
    return new Payload(
        pick(List.of("udp", "tcp", "udp")), random.nextInt(4) == 0 ? "sport" : "dport");
  }

  private int port() {
    return pick(Wild.PORTS);
  }

  private static Ct ct(String key) {
    return new Ct(key, Optional.empty());
  }

  private static Meta meta(Meta.Key key) {
    return new Meta(key);
  }

  private static Value text(String text) {
    return new Text(text);
  }

  private static Value symbol(String name) {
    return new Symbol(name);
  }

  /** One or two of the names. */
  private Value symbols(String... names) {
    String one = names[random.nextInt(names.length)];
    String other = names[random.nextInt(names.length)];
    return one.equals(other) || random.nextBoolean()
        ? symbol(one)
        : new AnyOf(List.of(symbol(one), symbol(other)));
  }

  private Relation any(Relation... relations) {
    return relations[random.nextInt(relations.length)];
  }

  private <T> T pick(List<? extends T> of) {
    return of.get(random.nextInt(of.size()));
  }
}
