package io.gatehouse.snapshot;

import static io.gatehouse.snapshot.IptablesRule.is;

import io.gatehouse.model.Address;
import io.gatehouse.model.Family;
import io.gatehouse.model.Prefix;
import io.gatehouse.ruleset.Expression;
import io.gatehouse.ruleset.Expression.Binary;
import io.gatehouse.ruleset.Expression.Meta;
import io.gatehouse.ruleset.Expression.Operator;
import io.gatehouse.ruleset.Expression.Value;
import io.gatehouse.ruleset.Statement;
import io.gatehouse.ruleset.Statement.Match;
import io.gatehouse.ruleset.Statement.Relation;
import io.gatehouse.snapshot.IptablesRule.Group;
import io.gatehouse.snapshot.IptablesRule.Option;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** Matches of iptables as conditions; nothing where one of their options has no equal. */
final class IptablesMatch {
  private static final long ALL_BITS = 0xffffffffL;

  private static final Set<String> PORTED = Set.of("tcp", "udp", "udplite", "sctp", "dccp");

  private static final Map<String, Long> FLAGS =
      Map.of("FIN", 1L, "SYN", 2L, "RST", 4L, "PSH", 8L, "ACK", 16L, "URG", 32L, "ALL", 63L);

  private static final Map<String, String> ICMP4 =
      Map.ofEntries(
          Map.entry("echo-reply", "0"),
          Map.entry("pong", "0"),
          Map.entry("destination-unreachable", "3"),
          Map.entry("network-unreachable", "3/0"),
          Map.entry("host-unreachable", "3/1"),
          Map.entry("protocol-unreachable", "3/2"),
          Map.entry("port-unreachable", "3/3"),
          Map.entry("fragmentation-needed", "3/4"),
          Map.entry("source-quench", "4"),
          Map.entry("redirect", "5"),
          Map.entry("echo-request", "8"),
          Map.entry("ping", "8"),
          Map.entry("router-advertisement", "9"),
          Map.entry("router-solicitation", "10"),
          Map.entry("time-exceeded", "11"),
          Map.entry("ttl-exceeded", "11"),
          Map.entry("parameter-problem", "12"),
          Map.entry("timestamp-request", "13"),
          Map.entry("timestamp-reply", "14"));

  private static final Map<String, String> ICMP6 =
      Map.ofEntries(
          Map.entry("destination-unreachable", "1"),
          Map.entry("packet-too-big", "2"),
          Map.entry("time-exceeded", "3"),
          Map.entry("ttl-exceeded", "3"),
          Map.entry("parameter-problem", "4"),
          Map.entry("echo-request", "128"),
          Map.entry("ping", "128"),
          Map.entry("echo-reply", "129"),
          Map.entry("pong", "129"),
          Map.entry("router-solicitation", "133"),
          Map.entry("router-advertisement", "134"),
          Map.entry("neighbour-solicitation", "135"),
          Map.entry("neighbor-solicitation", "135"),
          Map.entry("neighbour-advertisement", "136"),
          Map.entry("neighbor-advertisement", "136"),
          Map.entry("redirect", "137"));

  private final Group group;
  private final Optional<String> protocol;
  private final Family family;
  private final Map<String, Ipset> ipsets;
  private final List<Statement> made = new ArrayList<>();

  private IptablesMatch(
      Group group, Optional<String> protocol, Family family, Map<String, Ipset> ipsets) {
    this.group = group;
    this.protocol = protocol;
    this.family = family;
    this.ipsets = ipsets;
  }

  /**
   * @param protocol that the rule asks for
   * @param ipsets by name
   */
  static Optional<List<Statement>> conditions(
      Group group, Optional<String> protocol, Family family, Map<String, Ipset> ipsets) {
    IptablesMatch match = new IptablesMatch(group, protocol, family, ipsets);
    return match.understood() ? Optional.of(List.copyOf(match.made)) : Optional.empty();
  }

  private boolean understood() {
    return switch (group.name()) {
      case "", "tcp", "udp", "udplite", "sctp", "dccp", "icmp", "icmp6", "icmpv6", "ipv6-icmp" ->
          each(this::ofProtocol);
      case "multiport" -> group.options().size() == 1 && each(this::ports);
      case "state" -> group.options().size() == 1 && each(this::state);
      case "conntrack" -> each(this::connection);
      case "policy" -> policy();
      case "mark" -> group.hasOnly("--mark") && each(o -> mark(new Meta(Meta.Key.MARK), o));
      case "connmark" ->
          group.hasOnly("--mark")
              && each(o -> mark(new Expression.Ct("mark", Optional.empty()), o));
      case "limit" -> limit();
      case "addrtype" -> addressType();
      case "set" -> set();
      case "iprange" -> each(this::range);
      case "mac" -> each(this::hardware);
      case "pkttype" ->
          each(o ->
              o.name().equals("--pkt-type")
                  && Set.of("unicast", "broadcast", "multicast").contains(o.value())
                  && add(is(new Meta(Meta.Key.PKTTYPE), o.negated(), symbol(o.value()))));
      case "length" ->
          each(o ->
              o.name().equals("--length")
                  && numbers(o.value(), 0xffff)
                      .map(v -> add(is(new Meta(Meta.Key.LENGTH), o.negated(), v)))
                      .orElse(false));
      case "tcpmss" ->
          each(o ->
              o.name().equals("--mss")
                  && numbers(o.value(), 0xffff)
                      .map(v -> add(is(new Expression.TcpOption("maxseg", "size"), o.negated(), v)))
                      .orElse(false));
      case "esp" ->
          each(o ->
              o.name().equals("--espspi")
                  && numbers(o.value(), ALL_BITS)
                      .map(v -> add(is(new Expression.Payload("esp", "spi"), o.negated(), v)))
                      .orElse(false));
      case "owner" ->
          each(o ->
              o.name().equals("--uid-owner")
                  && o.value().matches("[0-9]{1,9}")
                  && add(
                      is(
                          new Meta(Meta.Key.SKUID),
                          o.negated(),
                          new Expression.Number(Long.parseLong(o.value())))));
      default -> false;
    };
  }

  private interface Reader {
    boolean reads(Option option);
  }

  private boolean each(Reader reader) {
    return group.options().stream().allMatch(reader::reads);
  }

  private boolean add(Statement statement) {
    made.add(statement);
    return true;
  }

  private static Value symbol(String name) {
    return new Expression.Symbol(name.toLowerCase(Locale.ROOT));
  }

  // ---- sets of ipset
  // ------------------------------------------------------------------------------------------------------------------

  /**
   * What counts and what is given back of an element is passed by; the rest of its options is not.
   */
  private boolean set() {
    List<Option> asked =
        group.options().stream().filter(o -> !o.name().equals("--update-counters")).toList();
    if (asked.size() != 1
        || !Set.of("--match-set", "--set").contains(asked.getFirst().name())
        || asked.getFirst().values().size() != 2) {
      return false;
    }
    Option option = asked.getFirst();
    List<String> directions = Arrays.asList(option.values().get(1).split(",", -1));
    Optional<Ipset> known =
        Optional.ofNullable(ipsets.get(option.values().getFirst()))
            .filter(set -> set.unclear().isEmpty());
    if (known.isEmpty() || !Set.of("src", "dst").containsAll(directions)) {
      return false;
    }
    Ipset set = known.get();
    if (!set.isAskedBy(family, directions.size())) {
      return add(
          is(
              new Expression.Payload(family.nft(), "saddr"),
              option.negated(),
              new Expression.SetRef(Ipset.nothing(family).name())));
    }
    // What has no ports is not in it, where nftables would leave the rule.
    return !(option.negated() && set.hasPorts())
        && add(
            is(
                set.key(family, directions.stream().map("src"::equals).toList()),
                option.negated(),
                new Expression.SetRef(set.name())));
  }

  // ---- ports, flags, types
  // ------------------------------------------------------------------------------------------------------------

  private boolean ofProtocol(Option option) {
    String header = protocol.orElse("");
    return switch (option.name()) {
      case "--sport", "--source-port" -> port(header, "sport", option);
      case "--dport", "--destination-port" -> port(header, "dport", option);
      case "--tcp-flags" -> header.equals("tcp") && tcpFlags(option);
      case "--syn" ->
          header.equals("tcp") && option.values().isEmpty() && add(flags(23, 2, option.negated()));
      case "--icmp-type" -> header.equals("icmp") && icmp("icmp", ICMP4, option);
      case "--icmpv6-type" -> header.equals("ipv6-icmp") && icmp("icmpv6", ICMP6, option);
      default -> false;
    };
  }

  private boolean port(String header, String field, Option option) {
    Optional<Value> ports = numbers(option.value(), 0xffff);
    return PORTED.contains(header)
        && ports.isPresent()
        && add(is(new Expression.Payload(header, field), option.negated(), ports.get()));
  }

  private boolean ports(Option option) {
    String field =
        switch (option.name()) {
          case "--dports", "--destination-ports" -> "dport";
          case "--sports", "--source-ports" -> "sport";
          default -> "";
        };
    List<Value> values = new ArrayList<>();
    for (String part : option.value().split(",", -1)) {
      Optional<Value> one = numbers(part, 0xffff);
      if (one.isEmpty()) {
        return false;
      }
      values.add(one.get());
    }
    String header = protocol.orElse("");
    return !field.isEmpty()
        && PORTED.contains(header)
        && add(
            is(
                new Expression.Payload(header, field),
                option.negated(),
                values.size() == 1 ? values.getFirst() : new Expression.AnyOf(values)));
  }

  /** {@code 80}, {@code 1024:2047}, {@code :1023}, {@code 1024:}. */
  private static Optional<Value> numbers(String text, long most) {
    int colon = text.indexOf(':');
    if (colon < 0) {
      return number(text, most).map(Expression.Number::new);
    }
    String from = text.substring(0, colon);
    String to = text.substring(colon + 1);
    Optional<Long> first = from.isEmpty() ? Optional.of(0L) : number(from, most);
    Optional<Long> last = to.isEmpty() ? Optional.of(most) : number(to, most);
    return first.flatMap(f ->
        last.filter(l -> f <= l)
            .map(l -> new Expression.Range(new Expression.Number(f), new Expression.Number(l))));
  }

  static Optional<Long> number(String text, long most) {
    return text.matches("[0-9]{1,12}|0[xX][0-9A-Fa-f]{1,12}")
        ? Optional.of(
                text.startsWith("0x") || text.startsWith("0X")
                    ? Long.parseLong(text.substring(2), 16)
                    : Long.parseLong(text))
            .filter(n -> n <= most)
        : Optional.empty();
  }

  private boolean tcpFlags(Option option) {
    if (option.values().size() != 2) {
      return false;
    }
    Optional<Long> mask = flags(option.values().get(0));
    Optional<Long> set = flags(option.values().get(1));
    return mask.isPresent()
        && set.isPresent()
        && add(flags(mask.get(), set.get(), option.negated()));
  }

  private static Match flags(long mask, long set, boolean negated) {
    return new Match(
        new Binary(
            new Expression.Payload("tcp", "flags"), Operator.AND, new Expression.Number(mask)),
        negated ? Relation.NOT : Relation.EQUAL,
        new Expression.Number(set));
  }

  private static Optional<Long> flags(String text) {
    long bits = 0;
    for (String name : text.split(",", -1)) {
      Long bit = name.equals("NONE") ? Long.valueOf(0) : FLAGS.get(name);
      if (bit == null) {
        return number(text, 255);
      }
      bits |= bit;
    }
    return Optional.of(bits);
  }

  private boolean icmp(String header, Map<String, String> names, Option option) {
    String text = names.getOrDefault(option.value(), option.value());
    if (text.equals("any")) {
      return !option.negated();
    }
    int slash = text.indexOf('/');
    Optional<Long> type = number(slash < 0 ? text : text.substring(0, slash), 254);
    Optional<Long> code = slash < 0 ? Optional.empty() : number(text.substring(slash + 1), 255);
    // "Not this type and code" is no conjunction.
    if (type.isEmpty() || (slash >= 0 && (code.isEmpty() || option.negated()))) {
      return false;
    }
    add(
        is(
            new Expression.Payload(header, "type"),
            option.negated(),
            new Expression.Number(type.get())));
    return code.isEmpty()
        || add(
            is(new Expression.Payload(header, "code"), false, new Expression.Number(code.get())));
  }

  // ---- connections
  // --------------------------------------------------------------------------------------------------------------------

  private boolean state(Option option) {
    if (!option.name().equals("--state") && !option.name().equals("--ctstate")) {
      return false;
    }
    List<String> names = Arrays.asList(option.value().split(",", -1));
    if (names.size() == 1 && !option.negated() && Set.of("SNAT", "DNAT").contains(option.value())) {
      return add(
          is(new Expression.Ct("status", Optional.empty()), false, symbol(names.getFirst())));
    }
    if (!Set.of("NEW", "ESTABLISHED", "RELATED", "INVALID", "UNTRACKED").containsAll(names)) {
      return false;
    }
    List<Value> values = names.stream().map(IptablesMatch::symbol).toList();
    return add(
        is(
            new Expression.Ct("state", Optional.empty()),
            option.negated(),
            values.size() == 1 && !option.negated()
                ? values.getFirst()
                : new Expression.AnyOf(values)));
  }

  private boolean connection(Option option) {
    return switch (option.name()) {
      case "--ctstate" -> state(option);
      case "--ctdir" ->
          Set.of("ORIGINAL", "REPLY").contains(option.value())
              && add(
                  is(
                      new Expression.Ct("direction", Optional.empty()),
                      option.negated(),
                      symbol(option.value())));
      case "--ctorigsrc" -> tuple("saddr", option);
      case "--ctorigdst" -> tuple("daddr", option);
      default -> false;
    };
  }

  private boolean tuple(String field, Option option) {
    return IptablesRule.prefix(option.value())
        .filter(p -> p.family() == family)
        .map(prefix ->
            add(
                is(
                    new Expression.Ct(
                        family.nft() + " " + field, Optional.of(Expression.Direction.ORIGINAL)),
                    option.negated(),
                    new Expression.Net(prefix))))
        .orElse(false);
  }

  private static final Set<String> OF_SA =
      Set.of("--reqid", "--mode", "--proto", "--tunnel-src", "--tunnel-dst");

  /** The policy match (xt_policy.c); what it asks of several SAs in their order stays open. */
  private boolean policy() {
    Optional<String> direction = group.option("--dir").filter(o -> !o.negated()).map(Option::value);
    Optional<String> pol = group.option("--pol").filter(o -> !o.negated()).map(Option::value);
    boolean in = direction.equals(Optional.of("in"));
    boolean protects = pol.equals(Optional.of("ipsec"));
    if (!(in || direction.equals(Optional.of("out")))
        || !(protects || pol.equals(Optional.of("none")))) {
      return false;
    }
    Expression.Selector selector = in ? new Meta(Meta.Key.IPSEC) : new Expression.Rt("ipsec");
    add(is(selector, false, symbol(protects ? "exists" : "missing")));
    List<Option> more =
        group.options().stream()
            .filter(o -> !o.name().equals("--dir") && !o.name().equals("--pol"))
            .toList();
    if (!protects) {
      return more.isEmpty();
    }
    // Of several SAs one that fits would do; with `--strict` or `--next` it is about each.
    boolean one =
        more.stream().map(Option::name).distinct().count() == more.size()
            && more.stream().allMatch(o -> OF_SA.contains(o.name()));
    if (!one) {
      add(Opaque.condition(group.text("-m ")));
      return true;
    }
    return more.stream().allMatch(o -> ofSa(in, o));
  }

  private boolean ofSa(boolean in, Option option) {
    return switch (option.name()) {
      case "--reqid" ->
          number(option.value(), Integer.MAX_VALUE)
              .map(n -> asks(in, "reqid", option, new Expression.Number(n)))
              .orElse(false);
      case "--mode" ->
          Set.of("tunnel", "transport").contains(option.value())
              && asks(
                  in,
                  "mode",
                  option,
                  new Expression.Number(option.value().equals("tunnel") ? 1 : 0));
      case "--proto" -> {
        int protocol = List.of("esp", "50").contains(option.value()) ? 50 : 51;
        yield Set.of("esp", "ah", "50", "51").contains(option.value())
            && asks(in, "proto", option, new Expression.Number(protocol));
      }
      default -> {
        String end = option.name().equals("--tunnel-src") ? "saddr" : "daddr";
        Optional<Prefix> prefix =
            IptablesRule.prefix(option.value()).filter(p -> p.family() == family);
        // Everything is in 0.0.0.0/0.
        boolean any = prefix.filter(Prefix::isAll).isPresent() && !option.negated();
        yield any
            || prefix
                .map(p -> asks(in, family.nft() + " " + end, option, new Expression.Net(p)))
                .orElse(false);
      }
    };
  }

  private boolean asks(boolean in, String key, Option option, Value value) {
    return add(is(new Expression.Ipsec(in, 0, key), option.negated(), value));
  }

  // ---- the rest
  // -----------------------------------------------------------------------------------------------------------------------

  private boolean mark(Expression.Selector selector, Option option) {
    String[] parts = option.value().split("/", -1);
    Optional<Long> value = number(parts[0], ALL_BITS);
    Optional<Long> mask = parts.length == 2 ? number(parts[1], ALL_BITS) : Optional.of(ALL_BITS);
    if (parts.length > 2 || value.isEmpty() || mask.isEmpty()) {
      return false;
    }
    return add(
        is(
            mask.get() == ALL_BITS
                ? selector
                : new Binary(selector, Operator.AND, new Expression.Number(mask.get())),
            option.negated(),
            new Expression.Number(value.get())));
  }

  private boolean limit() {
    String rate = group.option("--limit").map(Option::value).orElse("3/hour");
    Optional<Long> burst =
        group
            .option("--limit-burst")
            .map(o -> number(o.value(), 1_000_000))
            .orElse(Optional.of(5L));
    int slash = rate.indexOf('/');
    String per = slash < 0 ? "second" : rate.substring(slash + 1);
    Optional<String> unit =
        per.isEmpty()
            ? Optional.empty()
            : List.of("second", "minute", "hour", "day").stream()
                .filter(u -> u.startsWith(per))
                .findFirst();
    Optional<Long> count = number(slash < 0 ? rate : rate.substring(0, slash), 1_000_000);
    boolean plain =
        group.hasOnly("--limit", "--limit-burst")
            && group.options().stream().noneMatch(Option::negated);
    return plain
        && unit.isPresent()
        && count.isPresent()
        && burst.isPresent()
        && add(new Statement.Limit(count.get(), unit.get(), burst.get(), false));
  }

  private boolean addressType() {
    if (!group.hasOnly("--src-type", "--dst-type", "--limit-iface-in")) {
      return false;
    }
    boolean here = group.option("--limit-iface-in").isPresent();
    Set<String> known =
        Set.of(
            "UNICAST",
            "LOCAL",
            "BROADCAST",
            "ANYCAST",
            "MULTICAST",
            "BLACKHOLE",
            "UNREACHABLE",
            "PROHIBIT");
    for (Option option : group.options()) {
      if (option.name().equals("--limit-iface-in")) {
        continue;
      }
      List<String> types = Arrays.asList(option.value().split(",", -1));
      if (!known.containsAll(types)) {
        return false;
      }
      String field = option.name().equals("--src-type") ? "saddr" : "daddr";
      List<Value> values = types.stream().map(IptablesMatch::symbol).toList();
      add(
          is(
              new Expression.Fib(here ? List.of(field, "iif") : List.of(field), "type"),
              option.negated(),
              values.size() == 1 ? values.getFirst() : new Expression.AnyOf(values)));
    }
    return true;
  }

  private boolean range(Option option) {
    String field =
        switch (option.name()) {
          case "--src-range" -> "saddr";
          case "--dst-range" -> "daddr";
          default -> "";
        };
    String[] ends = option.value().split("-", -1);
    Optional<Address> first = Address.parse(ends[0]);
    Optional<Address> last = Address.parse(ends[ends.length - 1]);
    return !field.isEmpty()
        && ends.length <= 2
        && first.isPresent()
        && last.isPresent()
        && first.get().family() == family
        && last.get().family() == family
        && add(
            is(
                new Expression.Payload(family.nft(), field),
                option.negated(),
                new Expression.Range(
                    new Expression.Addr(first.get()), new Expression.Addr(last.get()))));
  }

  private boolean hardware(Option option) {
    return option.name().equals("--mac-source")
        && NftTerms.hardware(option.value()) instanceof Expression.Number address
        && add(is(new Expression.Payload("ether", "saddr"), option.negated(), address));
  }
}
