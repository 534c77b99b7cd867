package io.gatehouse.snapshot;

import io.gatehouse.model.Address;
import io.gatehouse.model.Family;
import io.gatehouse.model.Origin;
import io.gatehouse.model.Prefix;
import io.gatehouse.ruleset.Expression;
import io.gatehouse.ruleset.Expression.Meta;
import io.gatehouse.ruleset.Rule;
import io.gatehouse.ruleset.Statement;
import io.gatehouse.ruleset.Statement.Match;
import io.gatehouse.ruleset.Statement.Relation;
import io.gatehouse.ruleset.Statement.Verdict;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * A rule of iptables, in nftables' words. An option that has none of ours becomes an open
 * condition, a target an open statement; no option is passed over.
 */
final class IptablesRule {
  private static final Set<String> OF_PROTOCOL =
      Set.of(
          "--sport",
          "--source-port",
          "--dport",
          "--destination-port",
          "--tcp-flags",
          "--syn",
          "--tcp-option",
          "--icmp-type",
          "--icmpv6-type");

  private final Family family;
  private final Collection<String> chains;
  private final Map<String, Ipset> ipsets;
  private final List<Statement> conditions = new ArrayList<>();
  private final List<Group> groups = new ArrayList<>();
  private String why = "";
  private Optional<String> protocol = Optional.empty();
  private Optional<Group> target = Optional.empty();
  private boolean goes;

  /** An option with what stands behind it. */
  record Option(String name, boolean negated, List<String> values) {
    /** The only value, or nothing. */
    String value() {
      return values.size() == 1 ? values.getFirst() : "";
    }

    String text() {
      return (negated ? "! " : "")
          + name
          + values.stream().map(v -> " " + v).collect(Collectors.joining());
    }
  }

  /** A match, a target, or what goes by the protocol itself, with its options. */
  record Group(String name, List<Option> options) {
    String text(String before) {
      return before
          + name
          + options.stream().map(o -> " " + o.text()).collect(Collectors.joining());
    }

    Optional<Option> option(String wanted) {
      return options.stream().filter(o -> o.name.equals(wanted)).findFirst();
    }

    /** Whether it has these options and no others. */
    boolean hasOnly(String... known) {
      Set<String> names = Set.of(known);
      return options.stream().allMatch(o -> names.contains(o.name))
          && options.stream().map(Option::name).distinct().count() == options.size();
    }
  }

  private IptablesRule(Family family, Collection<String> chains, Map<String, Ipset> ipsets) {
    this.family = family;
    this.chains = chains;
    this.ipsets = ipsets;
  }

  /**
   * @param words of its line, behind the chain's name
   * @param chains of its table, to which it may jump
   * @param ipsets by name, of which it may ask whether a packet is in them
   */
  static Rule read(
      List<Words.Word> words,
      Family family,
      Collection<String> chains,
      Map<String, Ipset> ipsets,
      Origin where) {
    IptablesRule rule = new IptablesRule(family, chains, ipsets);
    rule.split(words);
    return rule.rule(where);
  }

  // ---- words
  // --------------------------------------------------------------------------------------------------------------------------

  private void split(List<Words.Word> words) {
    Group ofProtocol = new Group("", new ArrayList<>());
    groups.add(ofProtocol);
    Group current = ofProtocol;
    int i = 0;
    while (i < words.size()) {
      boolean negated = words.get(i).isNot();
      if (negated) {
        i++;
      }
      if (i >= words.size() || !words.get(i).isOption()) {
        String stray = i < words.size() ? words.get(i).text() : "!";
        conditions.add(Opaque.condition((negated ? "! " : "") + stray));
        i++;
        continue;
      }
      String name = words.get(i++).text();
      // `--option=value`, as the C library's own parser takes it.
      List<String> values = new ArrayList<>();
      int equals = name.startsWith("--") ? name.indexOf('=') : -1;
      if (equals > 0) {
        values.add(name.substring(equals + 1));
        name = name.substring(0, equals);
      }
      // Before iptables 1.4.3 the negation stood behind: `-s ! 10.0.0.0/8`.
      if (i < words.size() && words.get(i).isNot() && follows(words, i)) {
        negated = true;
        i++;
      }
      while (i < words.size() && !words.get(i).isOption() && !words.get(i).isNot()) {
        values.add(words.get(i++).text());
      }
      Option option = new Option(name, negated, List.copyOf(values));
      switch (name) {
        case "-m", "--match" -> {
          current = new Group(option.value(), new ArrayList<>());
          groups.add(current);
          if (negated || option.values().size() != 1) {
            conditions.add(Opaque.condition(option.text()));
          }
        }
        case "-j", "--jump", "-g", "--goto" -> {
          current = new Group(option.value(), new ArrayList<>());
          goes = name.startsWith("-g") || name.equals("--goto");
          if (negated || option.values().size() != 1 || target.isPresent()) {
            conditions.add(Opaque.condition(option.text()));
            current.options.add(new Option("(more than one target)", false, List.of()));
          }
          target = Optional.of(current);
        }
        default -> {
          // The policy match has a `--proto` of its own.
          boolean own = name.equals("--proto") && current.name.equals("policy");
          if (own || !base(option)) {
            boolean implicit =
                OF_PROTOCOL.contains(name) && (target.isEmpty() || !current.equals(target.get()));
            (implicit ? ofProtocol : current).options.add(option);
          }
        }
      }
    }
  }

  /** Whether a value of this option stands behind the `!`. */
  private static boolean follows(List<Words.Word> words, int not) {
    return not + 1 < words.size() && !words.get(not + 1).isOption();
  }

  private boolean base(Option option) {
    switch (option.name) {
      case "-s", "--source", "--src" -> address("saddr", option);
      case "-d", "--destination", "--dst" -> address("daddr", option);
      case "-i", "--in-interface" -> device(Meta.Key.IIFNAME, option);
      case "-o", "--out-interface" -> device(Meta.Key.OIFNAME, option);
      case "-p", "--protocol", "--proto" -> protocol(option);
      case "-f", "--fragment" -> conditions.add(Opaque.condition(option.text()));
      case "-c", "--set-counters" -> conditions.add(new Statement.Counter());
      default -> {
        return false;
      }
    }
    return true;
  }

  private void address(String field, Option option) {
    Optional<Prefix> prefix = prefix(option.value()).filter(p -> p.family() == family);
    if (prefix.isEmpty()) {
      conditions.add(Opaque.condition(option.text()));
    } else if (!prefix.get().isAll() || option.negated) {
      conditions.add(
          is(
              new Expression.Payload(family.nft(), field),
              option.negated,
              new Expression.Net(prefix.get())));
    }
  }

  /** Also with a mask in quads, and with host bits set, which the kernel clears. */
  static Optional<Prefix> prefix(String text) {
    int slash = text.indexOf('/');
    if (slash < 0) {
      return Address.parse(text).map(Prefix::host);
    }
    String behind = text.substring(slash + 1);
    return Address.parse(text.substring(0, slash))
        .flatMap(address -> {
          Optional<Integer> length =
              behind.matches("[0-9]{1,3}")
                  ? Optional.of(Integer.parseInt(behind))
                  : Address.parse(behind).flatMap(IptablesRule::length);
          return length
              .filter(l -> l <= address.family().bits())
              .map(l -> Prefix.masked(address, l));
        });
  }

  private static Optional<Integer> length(Address mask) {
    int length = 0;
    while (length < mask.family().bits() && mask.bit(length)) {
      length++;
    }
    Prefix all = mask.family() == Family.V4 ? Prefix.ALL_V4 : Prefix.ALL_V6;
    return Prefix.masked(all.last(), length).first().equals(mask)
        ? Optional.of(length)
        : Optional.empty();
  }

  private void device(Meta.Key key, Option option) {
    String name = option.value();
    boolean wildcard = name.endsWith("+");
    // nft takes a trailing asterisk for any ending; a device may have one in its name.
    Expression.Value value =
        name.isEmpty() || name.contains("*")
            ? new Expression.Opaque(option.text())
            : NftTerms.quoted(wildcard ? name.substring(0, name.length() - 1) + "*" : name);
    if (value instanceof Expression.Opaque) {
      conditions.add(Opaque.condition(option.text()));
    } else if (!name.equals("+") || option.negated) {
      conditions.add(is(new Meta(key), option.negated, value));
    }
  }

  private void protocol(Option option) {
    String name = option.value().toLowerCase(Locale.ROOT);
    if (name.equals("all") || name.equals("0")) {
      if (option.negated) {
        conditions.add(Opaque.condition(option.text()));
      }
      return;
    }
    if (!name.matches("[a-z0-9-]{1,32}")) {
      conditions.add(Opaque.condition(option.text()));
      return;
    }
    String same = name.equals("icmpv6") ? "ipv6-icmp" : name;
    Expression.Value value =
        same.matches("[0-9]{1,3}")
            ? new Expression.Number(Long.parseLong(same))
            : new Expression.Symbol(same);
    conditions.add(is(new Meta(Meta.Key.L4PROTO), option.negated, value));
    if (!option.negated) {
      protocol = Optional.of(same);
    }
  }

  static Match is(Expression.Selector selector, boolean negated, Expression value) {
    return new Match(selector, negated ? Relation.NOT : Relation.IS, value);
  }

  // ---- together
  // -----------------------------------------------------------------------------------------------------------------------

  private Rule rule(Origin where) {
    List<Statement> statements = new ArrayList<>(conditions);
    for (Group group : groups) {
      if (group.name.equals("comment") && group.hasOnly("--comment")) {
        why = group.option("--comment").map(o -> String.join(" ", o.values())).orElse("");
      } else if (!group.name.isEmpty() || !group.options.isEmpty()) {
        String text = group.text(group.name.isEmpty() ? "" : "-m ").strip();
        statements.addAll(
            IptablesMatch.conditions(group, protocol, family, ipsets)
                .orElseGet(() -> List.of(Opaque.condition(text))));
      }
    }
    target.ifPresent(t -> statements.addAll(target(t)));
    return new Rule(statements, why, where);
  }

  private List<Statement> target(Group group) {
    String text = group.text(goes ? "-g " : "-j ");
    // A chain of somebody's may have the name of an extension that is not loaded.
    if (chains.contains(group.name) && !Set.of("ACCEPT", "DROP", "RETURN").contains(group.name)) {
      return group.options.isEmpty()
          ? List.of(goes ? new Verdict.Goto(group.name) : new Verdict.Jump(group.name))
          : List.of(Opaque.anything(text));
    }
    return (goes ? Optional.<List<Statement>>empty() : IptablesTarget.statements(group, family))
        .orElseGet(() -> List.of(Opaque.anything(text)));
  }
}
