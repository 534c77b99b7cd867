package io.gatehouse.apply;

import io.gatehouse.model.Address;
import io.gatehouse.model.Family;
import io.gatehouse.ruleset.Chain;
import io.gatehouse.ruleset.Expression;
import io.gatehouse.ruleset.NftSet;
import io.gatehouse.ruleset.Rule;
import io.gatehouse.ruleset.Ruleset;
import io.gatehouse.ruleset.Statement;
import io.gatehouse.ruleset.Table;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

/**
 * What the chains of our own table may do to one flow of which not everything is known. The answer
 * is every ending that is possible: what cannot be decided counts as both. It errs to the side of
 * more endings.
 */
final class Judge {

  /** How a chain may end for a packet. */
  sealed interface Ending {
    record Accepted() implements Ending {}

    record Dropped() implements Ending {}

    record Translated(Statement.Nat nat) implements Ending {}

    /** It came to the end of the chain. */
    record Through() implements Ending {}
  }

  /**
   * The first packet of a connection.
   *
   * @param decrypted whether it came out of IPsec, where that is known
   * @param protects whether IPsec will take it, where that is known
   */
  record Flow(
      Address source,
      Address destination,
      String protocol,
      OptionalInt sourcePort,
      OptionalInt destinationPort,
      Optional<String> in,
      Optional<String> out,
      Optional<Boolean> decrypted,
      Optional<Boolean> protects) {
    Family family() {
      return source.family();
    }
  }

  /** Yes, no, or not known. */
  private enum Truth {
    YES,
    NO,
    UNKNOWN;

    static Truth of(boolean value) {
      return value ? YES : NO;
    }

    Truth not() {
      return this == YES ? NO : this == NO ? YES : UNKNOWN;
    }
  }

  private static final int DEPTH = 32;

  private final Map<String, Chain> chains = new LinkedHashMap<>();
  private final Map<String, NftSet> sets = new LinkedHashMap<>();
  private final Flow flow;

  private Judge(Table table, Flow flow) {
    table.chains().forEach(chain -> chains.put(chain.name(), chain));
    table.sets().forEach(set -> sets.put(set.name(), set));
    this.flow = flow;
  }

  /**
   * The possible endings of our base chains of that type at that hook; with none of those, the
   * packet goes through.
   */
  static Set<Ending> endings(Ruleset ruleset, String type, Chain.Hook hook, Flow flow) {
    Set<Ending> all = new LinkedHashSet<>();
    GenerationFiles.table(ruleset)
        .ifPresent(table ->
            table.chains().stream()
                .filter(chain ->
                    chain
                        .base()
                        .filter(base -> base.type().equals(type) && base.hook() == hook)
                        .isPresent())
                .forEach(chain -> all.addAll(new Judge(table, flow).base(chain))));
    if (all.isEmpty()) {
      all.add(new Ending.Through());
    }
    return all;
  }

  private Set<Ending> base(Chain chain) {
    Set<Ending> endings = new LinkedHashSet<>();
    if (walk(chain, endings, 0) && chain.base().isPresent()) {
      endings.add(chain.base().get().dropByDefault() ? new Ending.Dropped() : new Ending.Through());
    }
    return endings;
  }

  /** Adds the endings within the chain; answers whether a packet may come to its end. */
  private boolean walk(Chain chain, Set<Ending> endings, int depth) {
    if (depth > DEPTH) {
      endings.add(new Ending.Dropped());
      return true;
    }
    for (Rule rule : chain.rules()) {
      if (!rule(rule, endings, depth)) {
        return false;
      }
    }
    return true;
  }

  /** Whether a packet may go on to the next rule. */
  private boolean rule(Rule rule, Set<Ending> endings, int depth) {
    boolean certain = true;
    for (Statement statement : rule.statements()) {
      switch (statement) {
        case Statement.Match match -> {
          Truth truth = match(match);
          if (truth == Truth.NO) {
            return true;
          }
          certain &= truth == Truth.YES;
        }
        case Statement.Limit limit -> certain = false;
        case Statement.Opaque opaque -> {
          endings.add(new Ending.Dropped());
          endings.add(new Ending.Accepted());
          certain = false;
        }
        case Statement.Verdict verdict -> {
          boolean goesOn = verdict(verdict, endings, depth);
          return goesOn || !certain;
        }
        case Statement.VerdictMap map -> {
          if (!vmap(map, endings, depth)) {
            return !certain;
          }
        }
        case Statement.Nat nat -> {
          endings.add(new Ending.Translated(nat));
          return !certain;
        }
        case Statement.Queue queue -> {
          endings.add(new Ending.Dropped());
          endings.add(new Ending.Accepted());
          return !certain;
        }
        default -> {}
      }
    }
    return true;
  }

  /** Whether a packet may go on behind the verdict. */
  private boolean verdict(Statement.Verdict verdict, Set<Ending> endings, int depth) {
    return switch (verdict) {
      case Statement.Verdict.Accept accept -> {
        endings.add(new Ending.Accepted());
        yield false;
      }
      case Statement.Verdict.Drop drop -> {
        endings.add(new Ending.Dropped());
        yield false;
      }
      case Statement.Verdict.Reject reject -> {
        endings.add(new Ending.Dropped());
        yield false;
      }
      // Where a chain is left early, its caller goes on: as if it had come to the end.
      case Statement.Verdict.Return back -> true;
      case Statement.Verdict.Continue on -> true;
      case Statement.Verdict.Jump jump -> enter(jump.chain(), endings, depth);
      // Behind a goto the packet goes on in the caller's caller: not told apart from going on here.
      case Statement.Verdict.Goto to -> enter(to.chain(), endings, depth);
    };
  }

  private boolean enter(String name, Set<Ending> endings, int depth) {
    Chain chain = chains.get(name);
    return chain == null || walk(chain, endings, depth + 1);
  }

  private boolean vmap(Statement.VerdictMap map, Set<Ending> endings, int depth) {
    record Entry(Expression.Value key, Statement.Verdict verdict) {}
    List<Entry> entries =
        switch (map.verdicts()) {
          case Statement.VerdictSource.Inline inline ->
              inline.entries().stream().map(e -> new Entry(e.key(), e.verdict())).toList();
          case Statement.VerdictSource.Named named -> {
            NftSet set = sets.get(named.map());
            if (set == null) {
              yield List.of();
            }
            if (set.contract().isPresent()) {
              // Any of these may stand in it, or none.
              set.contract().get().verdicts().forEach(v -> verdict(v, endings, depth));
              yield List.of();
            }
            yield set.elements().stream()
                .flatMap(e -> e.verdict().map(v -> new Entry(e.key(), v)).stream())
                .toList();
          }
        };
    boolean goesOn = true;
    for (Entry entry : entries) {
      Truth truth = compare(map.key(), entry.key());
      if (truth == Truth.NO) {
        continue;
      }
      boolean behind = verdict(entry.verdict(), endings, depth);
      if (truth == Truth.YES) {
        goesOn = behind;
        break;
      }
    }
    return goesOn;
  }

  private Truth match(Statement.Match match) {
    // A field of a protocol that the packet has not: the rule does not apply, whatever the
    // relation.
    if (absent(match.left())) {
      return Truth.NO;
    }
    Truth equal =
        match.right() instanceof Expression.Value value
            ? compare(match.left(), value)
            : Truth.UNKNOWN;
    return switch (match.relation()) {
      case IS, EQUAL -> equal;
      case NOT -> equal.not();
      default -> Truth.UNKNOWN;
    };
  }

  private boolean absent(Expression expression) {
    return switch (expression) {
      case Expression.Payload p ->
          switch (p.header()) {
            case "ip", "icmp" ->
                flow.family() != Family.V4 || (p.header().equals("icmp") && !is("icmp"));
            case "ip6", "icmpv6" ->
                flow.family() != Family.V6
                    || (p.header().equals("icmpv6") && !flow.protocol().contains("icmp"));
            case "tcp", "udp", "esp", "ah", "sctp", "udplite", "dccp" -> !is(p.header());
            default -> false;
          };
      case Expression.Concat concat -> concat.parts().stream().anyMatch(this::absent);
      case Expression.Binary binary -> absent(binary.left());
      default -> false;
    };
  }

  private boolean is(String protocol) {
    return flow.protocol().equals(protocol);
  }

  private Truth compare(Expression left, Expression.Value value) {
    if (absent(left)) {
      return Truth.NO;
    }
    return switch (value) {
      case Expression.AnyOf any -> anyOf(any.values().stream().map(v -> compare(left, v)).toList());
      case Expression.SetRef reference -> {
        NftSet set = sets.get(reference.name());
        yield set == null || set.isLive()
            ? Truth.UNKNOWN
            : anyOf(set.elements().stream().map(e -> compare(left, e.key())).toList());
      }
      case Expression.Tuple tuple -> {
        if (!(left instanceof Expression.Concat concat)
            || concat.parts().size() != tuple.parts().size()) {
          yield Truth.UNKNOWN;
        }
        Truth all = Truth.YES;
        for (int i = 0; i < tuple.parts().size(); i++) {
          Truth part = compare(concat.parts().get(i), tuple.parts().get(i));
          if (part == Truth.NO) {
            yield Truth.NO;
          }
          all = part == Truth.UNKNOWN ? Truth.UNKNOWN : all;
        }
        yield all;
      }
      case Expression.Range range -> range(left, range);
      default -> single(left, value);
    };
  }

  private static Truth anyOf(List<Truth> truths) {
    return truths.contains(Truth.YES)
        ? Truth.YES
        : truths.contains(Truth.UNKNOWN) ? Truth.UNKNOWN : Truth.NO;
  }

  private Truth range(Expression left, Expression.Range range) {
    OptionalInt port = port(left);
    if (port.isPresent()
        && range.first() instanceof Expression.Number first
        && range.last() instanceof Expression.Number last) {
      return Truth.of(port.getAsInt() >= first.value() && port.getAsInt() <= last.value());
    }
    Optional<Address> address = address(left);
    if (address.isPresent()
        && range.first() instanceof Expression.Addr first
        && range.last() instanceof Expression.Addr last) {
      return Truth.of(
          address.get().compareTo(first.address()) >= 0
              && address.get().compareTo(last.address()) <= 0);
    }
    return Truth.UNKNOWN;
  }

  private Truth single(Expression left, Expression.Value value) {
    Optional<Address> address = address(left);
    if (address.isPresent()) {
      return switch (value) {
        case Expression.Addr a -> Truth.of(a.address().equals(address.get()));
        case Expression.Net net -> Truth.of(net.prefix().contains(address.get()));
        default -> Truth.UNKNOWN;
      };
    }
    if (port(left).isPresent()) {
      return value instanceof Expression.Number number
          ? Truth.of(number.value() == port(left).getAsInt())
          : Truth.UNKNOWN;
    }
    return switch (left) {
      case Expression.Meta meta -> meta(meta.key(), value);
      case Expression.Ct ct when ct.key().equals("state") ->
          value instanceof Expression.Symbol s ? Truth.of(s.name().equals("new")) : Truth.UNKNOWN;
      case Expression.Rt rt when rt.key().equals("ipsec") -> exists(flow.protects(), value);
      default -> Truth.UNKNOWN;
    };
  }

  private Truth meta(Expression.Meta.Key key, Expression.Value value) {
    return switch (key) {
      case IPSEC -> exists(flow.decrypted(), value);
      case IIFNAME -> device(flow.in(), value);
      case OIFNAME -> device(flow.out(), value);
      case L4PROTO ->
          switch (value) {
            case Expression.Symbol s ->
                s.name()
                        .toLowerCase(Locale.ROOT)
                        .replace("ipv6-icmp", "icmpv6")
                        .equals(flow.protocol())
                    ? Truth.YES
                    : Truth.NO;
            case Expression.Number n ->
                switch (flow.protocol()) {
                  case "tcp" -> Truth.of(n.value() == 6);
                  case "udp" -> Truth.of(n.value() == 17);
                  case "icmp" -> Truth.of(n.value() == 1);
                  case "icmpv6" -> Truth.of(n.value() == 58);
                  default -> Truth.UNKNOWN;
                };
            default -> Truth.UNKNOWN;
          };
      case NFPROTO ->
          value instanceof Expression.Symbol s
              ? Truth.of(s.name().equals(flow.family() == Family.V4 ? "ipv4" : "ipv6"))
              : Truth.UNKNOWN;
      default -> Truth.UNKNOWN;
    };
  }

  private static Truth exists(Optional<Boolean> known, Expression.Value value) {
    if (known.isEmpty() || !(value instanceof Expression.Symbol symbol)) {
      return Truth.UNKNOWN;
    }
    return Truth.of(known.get() == symbol.name().equals("exists"));
  }

  private static Truth device(Optional<String> known, Expression.Value value) {
    if (known.isEmpty() || !(value instanceof Expression.Text text)) {
      return Truth.UNKNOWN;
    }
    String name = text.text();
    return Truth.of(
        name.endsWith("*")
            ? known.get().startsWith(name.substring(0, name.length() - 1))
            : known.get().equals(name));
  }

  private Optional<Address> address(Expression left) {
    return switch (left) {
      case Expression.Payload p when p.header().equals("ip") || p.header().equals("ip6") ->
          field(p.field());
      case Expression.Ct ct
          when ct.direction().filter(d -> d == Expression.Direction.ORIGINAL).isPresent()
              && ct.key().startsWith(flow.family().nft() + " ") ->
          field(ct.key().substring(flow.family().nft().length() + 1));
      default -> Optional.empty();
    };
  }

  private Optional<Address> field(String name) {
    return switch (name) {
      case "saddr" -> Optional.of(flow.source());
      case "daddr" -> Optional.of(flow.destination());
      default -> Optional.empty();
    };
  }

  private OptionalInt port(Expression left) {
    if (left instanceof Expression.Payload p
        && (p.header().equals(flow.protocol()) || p.header().equals("th"))) {
      return switch (p.field()) {
        case "sport" -> flow.sourcePort();
        case "dport" -> flow.destinationPort();
        default -> OptionalInt.empty();
      };
    }
    return OptionalInt.empty();
  }
}
