package io.gatehouse.it;

import io.gatehouse.model.Address;
import io.gatehouse.model.Family;
import io.gatehouse.model.Origin;
import io.gatehouse.model.Prefix;
import io.gatehouse.ruleset.Chain;
import io.gatehouse.ruleset.Chain.Base;
import io.gatehouse.ruleset.Chain.Hook;
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
import io.gatehouse.ruleset.NftSet;
import io.gatehouse.ruleset.NftSet.Element;
import io.gatehouse.ruleset.NftSet.Flag;
import io.gatehouse.ruleset.NftSet.Holds;
import io.gatehouse.ruleset.NftText;
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
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.stream.Stream;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;

/** Tables that nobody would write, of everything that ours may have in them. */
final class Tables {
  private static final Payload SADDR = new Payload("ip", "saddr");
  private static final Payload DADDR = new Payload("ip", "daddr");
  private static final Payload SADDR6 = new Payload("ip6", "saddr");
  private static final Payload DADDR6 = new Payload("ip6", "daddr");
  private static final Payload UDP_DPORT = new Payload("udp", "dport");
  private static final Payload TCP_DPORT = new Payload("tcp", "dport");
  private static final Meta MARK = meta(Meta.Key.MARK);
  private static final Ct STATE = new Ct("state", Optional.empty());
  private static final Ct STATUS = new Ct("status", Optional.empty());
  private static final Ct CT_MARK = new Ct("mark", Optional.empty());
  private static final TcpOption MAXSEG = new TcpOption("maxseg", "size");
  private static final Concat PAIR = new Concat(List.of(SADDR, new Payload("udp", "sport")));

  private static final Chain END = new Chain("end", Optional.empty(), List.of());

  private Tables() {}

  static Arbitrary<Table> any() {
    Arbitrary<List<NftSet>> sets =
        Combinators.combine(
                elements(prefixes(Family.V4)),
                elements(prefixes(Family.V6)),
                elements(devices()),
                elements(ports()),
                elements(pairs()),
                prefixes(Family.V4).flatMap(Tables::verdicts),
                prefixes(Family.V4).flatMap(Tables::marks))
            .as((v4, v6, devices, ports, pairs, verdicts, marks) ->
                List.of(
                    set("v4", SADDR, Set.of(Flag.INTERVAL), v4),
                    set("v6", SADDR6, Set.of(Flag.INTERVAL), v6),
                    set("devs", meta(Meta.Key.IIFNAME), Set.of(), devices),
                    set("ports", UDP_DPORT, Set.of(Flag.INTERVAL), ports),
                    set("pairs", PAIR, Set.of(Flag.TIMEOUT), pairs),
                    map("verdicts", SADDR, new Holds.Verdicts(), Set.of(Flag.INTERVAL), verdicts),
                    map("marks", SADDR, new Holds.Values(MARK), Set.of(Flag.INTERVAL), marks)));
    Arbitrary<List<Statement>> forward = statements(Hook.FORWARD, verdict());
    Arbitrary<List<Chain>> chains =
        Combinators.combine(
                chain("c0", Optional.empty(), forward),
                chain("input", base("filter", Hook.INPUT), statements(Hook.INPUT, verdict())),
                chain("forward", base("filter", Hook.FORWARD), forward),
                chain(
                    "guard",
                    base("filter", Hook.POSTROUTING),
                    statements(Hook.POSTROUTING, verdict())),
                chain(
                    "raw",
                    base("filter", Hook.PREROUTING),
                    statements(Hook.PREROUTING, untracked())),
                chain("mangle", base("route", Hook.OUTPUT), statements(Hook.OUTPUT, verdict())),
                chain(
                    "nat_in",
                    base("nat", Hook.PREROUTING),
                    statements(Hook.PREROUTING, destination())),
                chain(
                    "nat_out",
                    base("nat", Hook.POSTROUTING),
                    statements(Hook.POSTROUTING, source())))
            .as((a, b, c, d, e, f, g, h) -> List.of(END, a, b, c, d, e, f, g, h));
    return Combinators.combine(sets, chains).as((s, c) -> new Table("inet", "gatehouse", s, c));
  }

  // ---- chains

  private static Arbitrary<Chain> chain(
      String name, Optional<Base> base, Arbitrary<List<Statement>> statements) {
    return Combinators.combine(statements, Arbitraries.strings().ofMaxLength(150))
        .as((list, why) -> new Rule(list, why, new Origin("office.yaml", 12, 5, "")))
        .list()
        .ofMaxSize(6)
        .map(rules -> new Chain(name, base, rules));
  }

  private static Optional<Base> base(String type, Hook hook) {
    boolean drop = hook == Hook.FORWARD;
    int priority =
        switch (hook) {
          case PREROUTING -> type.equals("nat") ? -100 : -300;
          case POSTROUTING -> type.equals("nat") ? 99 : 320;
          default -> hook == Hook.OUTPUT ? -150 : 0;
        };
    return Optional.of(new Base(type, hook, priority, drop, Optional.empty()));
  }

  /** Conditions of different layers, so that none makes another superfluous; then what is done. */
  private static Arbitrary<List<Statement>> statements(Hook hook, Arbitrary<List<Statement>> end) {
    return Combinators.combine(
            network().list().ofMaxSize(1).map(Tables::flat),
            beside(hook).list().uniqueElements(Tables::subject).ofMaxSize(2),
            transport().list().ofMaxSize(1).map(Tables::flat),
            Arbitraries.of(
                List.<Statement>of(),
                List.of(new Statement.Counter()),
                List.of(new Statement.Limit(10, "minute", 5, false)),
                List.of(new Statement.Limit(1, "hour", 10, true), new Statement.Counter())),
            end)
        .as((network, beside, transport, counter, last) ->
            ofOneFamily(
                Stream.of(network, beside, transport, counter, last)
                    .flatMap(List::stream)
                    .map(Statement.class::cast)
                    .toList()));
  }

  /** Without what contradicts the family of a later statement, or says it again. */
  private static List<Statement> ofOneFamily(List<Statement> statements) {
    List<Statement> kept = new ArrayList<>();
    Set<Family> families = EnumSet.noneOf(Family.class);
    for (Statement statement : statements.reversed()) {
      Optional<Family> family = family(statement);
      boolean again = !families.isEmpty() && subject(statement).equals(meta(Meta.Key.NFPROTO));
      if (family.isEmpty() || families.isEmpty() || (families.contains(family.get()) && !again)) {
        kept.addFirst(statement);
        family.ifPresent(families::add);
      }
    }
    return kept;
  }

  private static Optional<Family> family(Statement statement) {
    String text = NftText.statement(statement);
    if (Stream.of("ip6", "ipv6", "icmpv6", "exthdr").anyMatch(text::contains)) {
      return Optional.of(Family.V6);
    }
    return Stream.of("ip ", "ipv4", "icmp ").anyMatch(text::contains)
        ? Optional.of(Family.V4)
        : Optional.empty();
  }

  private static List<Statement> flat(List<List<Statement>> lists) {
    return lists.stream().flatMap(List::stream).toList();
  }

  private static Object subject(Statement statement) {
    return switch (statement) {
      case Match match when match.left() instanceof Binary binary -> binary.left();
      case Match match -> match.left();
      default -> statement.getClass();
    };
  }

  // ---- conditions

  private static Arbitrary<List<Statement>> network() {
    Arbitrary<List<Statement>> v4 =
        Combinators.combine(
                match(SADDR, addresses(Family.V4, "v4")), match(DADDR, addresses(Family.V4, "v4")))
            .as((a, b) -> List.of(a, b));
    Arbitrary<List<Statement>> v6 =
        Combinators.combine(
                match(SADDR6, addresses(Family.V6, "v6")),
                match(DADDR6, addresses(Family.V6, "v6")))
            .as((a, b) -> List.of(a, b));
    return Arbitraries.oneOf(
        v4,
        v6,
        v4.map(both -> both.subList(1, 2)),
        v6.map(both -> both.subList(0, 1)),
        one(match(new Payload("ip6", "hoplimit"), Arbitraries.just(num(255)))),
        one(match(new Payload("ip", "ttl"), numbers(1, 255))),
        one(match(meta(Meta.Key.NFPROTO), Arbitraries.of(sym("ipv4"), sym("ipv6")))),
        one(
            Arbitraries.of(Relation.EQUAL, Relation.NOT)
                .map(r ->
                    new Match(
                        new Binary(new Payload("ip", "frag-off"), Operator.AND, num(0x1fff)),
                        r,
                        num(0)))));
  }

  private static Arbitrary<List<Statement>> transport() {
    Arbitrary<Value> port =
        Arbitraries.oneOf(
            numbers(0, 65535), ports().filter(list -> list.size() > 0).map(AnyOf::new));
    return Arbitraries.oneOf(
        one(match(UDP_DPORT, port)),
        one(match(UDP_DPORT, Arbitraries.just(new SetRef("ports")))),
        one(match(new Payload("th", "dport"), numbers(0, 65535))),
        Combinators.combine(match(new Payload("udp", "sport"), port), match(UDP_DPORT, port))
            .as((a, b) -> List.of(a, b)),
        one(match(TCP_DPORT, port)),
        one(
            match(
                meta(Meta.Key.L4PROTO),
                some("udp", "esp", "tcp", "gre", "ah", "icmp", "ipv6-icmp", "sctp", "ipcomp"))),
        one(
            match(
                new Payload("icmp", "type"),
                some(
                    "echo-request",
                    "destination-unreachable",
                    "time-exceeded",
                    "parameter-problem",
                    "echo-reply"))),
        one(
            match(
                new Payload("icmpv6", "type"),
                some(
                    "packet-too-big",
                    "nd-neighbor-solicit",
                    "nd-router-advert",
                    "echo-request",
                    "mld2-listener-report",
                    "nd-redirect",
                    "destination-unreachable"))),
        one(match(new Payload("esp", "spi"), numbers(256, Integer.MAX_VALUE))),
        one(flags()),
        one(compare(MAXSEG, 500, 1500)),
        one(match(new RawPayload("th", 64, 8), numbers(0, 255))),
        one(match(PAIR, Arbitraries.just(new SetRef("pairs")))));
  }

  private static Arbitrary<Statement> flags() {
    return Combinators.combine(
            subset("ack", "fin", "syn", "rst", "psh", "urg"),
            Arbitraries.of(Relation.EQUAL, Relation.NOT),
            Arbitraries.of(true, false))
        .as((mask, relation, zero) ->
            new Match(
                new Binary(new Payload("tcp", "flags"), Operator.AND, new AnyOf(mask)),
                relation,
                zero ? num(0) : mask.getFirst()));
  }

  private static Arbitrary<Statement> beside(Hook hook) {
    List<Arbitrary<? extends Statement>> all = new ArrayList<>();
    all.add(match(STATE, some("established", "related", "new", "invalid", "untracked")));
    all.add(Arbitraries.of(sym("dnat"), sym("snat")).map(v -> new Match(STATUS, Relation.IS, v)));
    all.add(
        subset("dnat", "snat", "assured").map(v -> new Match(STATUS, Relation.IS, new AnyOf(v))));
    all.add(marks(MARK));
    all.add(marks(CT_MARK));
    all.add(match(new Ct("ip saddr", Optional.of(Direction.ORIGINAL)), addresses(Family.V4, "v4")));
    all.add(match(new Ct("zone", Optional.empty()), numbers(0, 65535)));
    all.add(
        match(
            new Ct("direction", Optional.empty()), Arbitraries.of(sym("original"), sym("reply"))));
    all.add(match(new Rt("ipsec"), Arbitraries.of(sym("exists"), sym("missing"))));
    all.add(match(new ExtensionHeader("frag", ""), Arbitraries.of(sym("exists"), sym("missing"))));
    all.add(match(meta(Meta.Key.PKTTYPE), some("multicast", "host", "broadcast", "other")));
    all.add(compare(meta(Meta.Key.LENGTH), 20, 65535));
    all.add(
        match(
            new Fib(List.of("daddr"), "type"), some("local", "broadcast", "multicast", "unicast")));
    all.add(match(meta(Meta.Key.CPU), numbers(0, 64)));
    if (hook != Hook.OUTPUT && hook != Hook.POSTROUTING) {
      all.add(match(meta(Meta.Key.IIFNAME), names()));
      all.add(match(meta(Meta.Key.IPSEC), Arbitraries.of(sym("exists"), sym("missing"))));
      all.add(match(new Ipsec(true, 0, "reqid"), numbers(1, 1000)));
      all.add(
          Arbitraries.of(List.of("iif", "daddr"), List.of("saddr", "iif"))
              .map(flags -> new Match(new Fib(flags, "type"), Relation.IS, sym("local"))));
    } else {
      all.add(match(new Ipsec(false, 1, "reqid"), numbers(1, 1000)));
    }
    if (hook != Hook.INPUT && hook != Hook.PREROUTING) {
      all.add(match(meta(Meta.Key.OIFNAME), names()));
      all.add(compare(new Rt("mtu"), 500, 1500));
    }
    return Arbitraries.oneOf(all.stream().map(a -> a.map(Statement.class::cast)).toList());
  }

  private static Arbitrary<Statement> marks(Selector mark) {
    Arbitrary<Long> bits = Arbitraries.longs().between(1, 0xffffffffL);
    return Arbitraries.oneOf(
        match(mark, bits.map(Tables::num)),
        match(
            mark,
            bits.list()
                .ofMinSize(2)
                .ofMaxSize(4)
                .uniqueElements()
                .map(l -> new AnyOf(l.stream().map(Tables::num).map(Value.class::cast).toList()))),
        Combinators.combine(
                Arbitraries.of(0xff000000L, 0x00ffffffL, 0x0000ff00L, 0xffff0000L, 0xffffffffL),
                bits,
                Arbitraries.of(Relation.IS, Relation.NOT))
            .as((mask, value, relation) ->
                new Match(new Binary(mark, Operator.AND, num(mask)), relation, num(value & mask))));
  }

  private static Arbitrary<Statement> match(Selector left, Arbitrary<? extends Value> right) {
    return Combinators.combine(right, Arbitraries.of(Relation.IS, Relation.NOT))
        .as((value, relation) -> new Match(left, relation, value));
  }

  private static Arbitrary<Statement> compare(Selector left, int least, int most) {
    return Combinators.combine(
            numbers(least, most),
            Arbitraries.of(
                Relation.LESS, Relation.GREATER, Relation.LESS_OR_EQUAL, Relation.GREATER_OR_EQUAL))
        .as((value, relation) -> new Match(left, relation, value));
  }

  // ---- what is done

  private static Arbitrary<List<Statement>> verdict() {
    return Arbitraries.oneOf(
        one(
            Arbitraries.<Statement>of(
                new Verdict.Accept(),
                new Verdict.Drop(),
                new Verdict.Return(),
                new Verdict.Continue(),
                new Verdict.Jump("end"),
                new Verdict.Goto("end"),
                new VerdictMap(SADDR, new VerdictSource.Named("verdicts")),
                new Assign(MARK, CT_MARK),
                new Assign(MARK, new Mapped(SADDR, "marks")),
                new Assign(CT_MARK, new Binary(MARK, Operator.AND, num(0xffffff))),
                new Statement.Log("gatehouse $drop \"x\": ", OptionalInt.empty()),
                new Statement.Log("", OptionalInt.of(7)))),
        one(
            Combinators.combine(
                    Arbitraries.longs().between(0, 0xffffffffL),
                    Arbitraries.longs().between(1, 0xffffffL))
                .as((mask, set) ->
                    new Assign(
                        MARK,
                        new Binary(
                            new Binary(MARK, Operator.AND, num(mask)), Operator.OR, num(set))))),
        one(Arbitraries.longs().between(0, 0xffffffffL).map(v -> new Assign(CT_MARK, num(v)))),
        one(inline(STATE, subset("established", "related", "new", "invalid"))),
        one(inline(meta(Meta.Key.L4PROTO), subset("udp", "tcp", "esp"))),
        one(inline(DADDR6, prefixes(Family.V6).filter(l -> !l.isEmpty()))));
  }

  private static Arbitrary<Statement> inline(Selector key, Arbitrary<List<Value>> values) {
    return values.map(list ->
        new VerdictMap(
            key,
            new VerdictSource.Inline(
                list.stream()
                    .map(v -> new VerdictSource.Entry(v, new Verdict.Goto("end")))
                    .toList())));
  }

  private static Arbitrary<List<Statement>> untracked() {
    return Arbitraries.of(
        List.of(new Statement.NoTrack()),
        List.of(new Assign(new Ct("zone", Optional.of(Direction.ORIGINAL)), num(0x1000))),
        List.of(new Assign(new Ct("zone", Optional.empty()), num(5))),
        List.of(new Verdict.Accept()));
  }

  private static Arbitrary<List<Statement>> source() {
    Match tcp = new Match(meta(Meta.Key.L4PROTO), Relation.IS, sym("sctp"));
    Range ports = new Range(num(1024), num(65535));
    return Arbitraries.of(
        List.of(new Nat.Masquerade(Optional.empty(), List.of())),
        List.of(new Nat.Masquerade(Optional.empty(), List.of("persistent", "fully-random"))),
        List.of(tcp, new Nat.Masquerade(Optional.of(ports), List.of("random"))),
        List.of(
            new Nat.Source(
                Optional.of(addr("192.0.2.1")), Optional.empty(), List.of("persistent"))),
        List.of(new Nat.Source(Optional.of(addr("2001:db8::1")), Optional.empty(), List.of())),
        List.of(
            new Nat.Source(
                Optional.of(new Range(addr("192.0.2.1"), addr("192.0.2.9"))),
                Optional.empty(),
                List.of())),
        List.of(
            tcp, new Nat.Source(Optional.of(addr("2001:db8::1")), Optional.of(ports), List.of())),
        List.of(new Verdict.Accept()));
  }

  private static Arbitrary<List<Statement>> destination() {
    Match tcp = new Match(meta(Meta.Key.L4PROTO), Relation.IS, sym("sctp"));
    return Arbitraries.of(
        List.of(new Nat.Destination(Optional.of(addr("10.0.0.5")), Optional.empty(), List.of())),
        List.of(
            tcp,
            new Nat.Destination(Optional.of(addr("10.0.0.5")), Optional.of(num(80)), List.of())),
        List.of(
            tcp,
            new Nat.Destination(Optional.of(addr("2001:db8::5")), Optional.of(num(80)), List.of())),
        List.of(new Nat.Redirect(Optional.empty(), List.of())),
        List.of(tcp, new Nat.Redirect(Optional.of(num(8080)), List.of())),
        List.of(new Verdict.Return()));
  }

  // ---- values

  private static Arbitrary<Value> addresses(Family family, String set) {
    return Arbitraries.oneOf(
        Arbitraries.just(new SetRef(set)),
        prefixes(family).filter(l -> !l.isEmpty()).map(List::getFirst),
        prefixes(family).filter(l -> !l.isEmpty()).map(AnyOf::new));
  }

  /** Prefixes, ranges and hosts that do not overlap; some touch. */
  private static Arbitrary<List<Value>> prefixes(Family family) {
    Arbitrary<Long> block = Arbitraries.longs().between(0, 40);
    return Combinators.combine(block, Arbitraries.integers().between(0, 4))
        .as((at, kind) -> new long[] {at, kind})
        .list()
        .uniqueElements(pair -> pair[0])
        .ofMaxSize(6)
        .map(list -> list.stream().map(pair -> prefix(family, pair[0], (int) pair[1])).toList());
  }

  private static Value prefix(Family family, long block, int kind) {
    Address start =
        family == Family.V4
            ? Address.of("10.0.0.0").plus(block * 256)
            : new Address(Family.V6, 0x20010db800000000L + block, 0);
    int rest = family == Family.V4 ? 24 : 64;
    return switch (kind) {
      case 0 -> new Addr(start.plus(7));
      case 1 -> new Range(new Addr(start.plus(3)), new Addr(start.plus(99)));
      case 2 -> new Range(new Addr(start), new Addr(start.plus(127)));
      default -> new Net(Prefix.masked(start, rest));
    };
  }

  private static Arbitrary<List<Value>> ports() {
    return Arbitraries.integers()
        .between(0, 600)
        .list()
        .uniqueElements()
        .ofMaxSize(5)
        .map(list ->
            list.stream()
                .<Value>map(
                    i -> i % 3 == 0 ? new Range(num(i * 100L), num(i * 100L + 60)) : num(i * 100L))
                .toList());
  }

  private static Arbitrary<Value> names() {
    return Arbitraries.oneOf(
        Arbitraries.just(new SetRef("devs")),
        device(),
        Arbitraries.just(new Text("wg*")),
        device()
            .list()
            .uniqueElements()
            .ofMinSize(2)
            .ofMaxSize(4)
            .map(l -> new AnyOf(l.stream().map(Value.class::cast).toList())));
  }

  private static Arbitrary<Text> device() {
    return Arbitraries.strings()
        .withCharRange('a', 'e')
        .withCharRange('0', '3')
        .withChars('.', '-', '_')
        .ofMinLength(1)
        .ofMaxLength(15)
        .filter(s -> !s.startsWith("-") && !s.startsWith("."))
        .map(Text::new);
  }

  private static Arbitrary<List<Value>> devices() {
    return device()
        .list()
        .uniqueElements()
        .ofMaxSize(6)
        .map(l -> l.stream().map(Value.class::cast).toList());
  }

  private static Arbitrary<List<Value>> pairs() {
    return Combinators.combine(
            Arbitraries.integers().between(0, 255), Arbitraries.integers().between(1, 65535))
        .as((host, port) ->
            (Value) new Tuple(List.of(new Addr(Address.of("10.0.0.0").plus(host)), num(port))))
        .list()
        .uniqueElements()
        .ofMaxSize(5);
  }

  private static Arbitrary<Value> some(String... names) {
    return subset(names).map(list -> list.size() == 1 ? list.getFirst() : new AnyOf(list));
  }

  private static Arbitrary<List<Value>> subset(String... names) {
    return Arbitraries.subsetOf(names)
        .filter(set -> !set.isEmpty())
        .flatMap(set -> Arbitraries.shuffle(List.copyOf(set).stream().sorted().toList()))
        .map(list -> list.stream().<Value>map(Symbol::new).toList());
  }

  private static Arbitrary<Number> numbers(int least, int most) {
    return Arbitraries.integers().between(least, most).map(Tables::num);
  }

  // ---- sets

  private static Arbitrary<List<Element>> elements(Arbitrary<List<Value>> keys) {
    return keys.map(
        list -> list.stream().map(key -> Element.of(key, Origin.builtIn("test"))).toList());
  }

  private static Arbitrary<List<Element>> verdicts(List<Value> keys) {
    return Arbitraries.of(
            new Verdict.Goto("end"),
            new Verdict.Drop(),
            new Verdict.Jump("end"),
            new Verdict.Accept())
        .list()
        .ofSize(keys.size())
        .map(verdicts -> {
          List<Element> elements = new ArrayList<>();
          for (int i = 0; i < keys.size(); i++) {
            elements.add(
                new Element(
                    keys.get(i),
                    Optional.of(verdicts.get(i)),
                    Optional.empty(),
                    Origin.builtIn("test")));
          }
          return elements;
        });
  }

  private static Arbitrary<List<Element>> marks(List<Value> keys) {
    return Arbitraries.longs()
        .between(0, 0xffffffffL)
        .list()
        .ofSize(keys.size())
        .map(marks -> {
          List<Element> elements = new ArrayList<>();
          for (int i = 0; i < keys.size(); i++) {
            elements.add(
                new Element(
                    keys.get(i),
                    Optional.empty(),
                    Optional.of(num(marks.get(i))),
                    Origin.builtIn("test")));
          }
          return elements;
        });
  }

  private static NftSet set(String name, Selector key, Set<Flag> flags, List<Element> elements) {
    return new NftSet(
        name, key, Optional.empty(), flags, elements, Optional.empty(), Origin.builtIn("test"));
  }

  private static NftSet map(
      String name, Selector key, Holds holds, Set<Flag> flags, List<Element> elements) {
    return new NftSet(
        name, key, Optional.of(holds), flags, elements, Optional.empty(), Origin.builtIn("test"));
  }

  // ---- short forms

  private static Arbitrary<List<Statement>> one(Arbitrary<? extends Statement> statement) {
    return statement.map(List::of);
  }

  private static Meta meta(Meta.Key key) {
    return new Meta(key);
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
}
