package io.gatehouse.ruleset;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.gatehouse.model.Address;
import io.gatehouse.model.Family;
import io.gatehouse.model.Origin;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;

/** A table as nft(8) reads it, in the shape in which nft itself lists one. Deterministic. */
public final class NftText {

  /**
   * Bytes of a rule's comment that the kernel keeps (NFTNL_UDATA_COMMENT_MAXLEN), its closing zero
   * left out.
   */
  private static final int COMMENT = 127;

  private static final String INDENT = "\t\t";

  private NftText() {}

  /** The whole table: {@code table inet gatehouse { … }}. */
  public static String of(Table table) {
    StringBuilder text = new StringBuilder(1024);
    text.append("table ").append(table.family()).append(' ').append(table.name()).append(" {\n");
    table.sets().forEach(set -> set(set, text));
    table.chains().forEach(chain -> chain(chain, text));
    return text.append("}\n").toString();
  }

  private static void set(NftSet set, StringBuilder text) {
    String key = selector(set.key());
    text.append('\t')
        .append(set.holds().isPresent() ? "map " : "set ")
        .append(set.name())
        .append(" {\n");
    text.append(INDENT).append("typeof ").append(key);
    set.holds()
        .ifPresent(holds ->
            text.append(" : ")
                .append(
                    switch (holds) {
                      case NftSet.Holds.Verdicts verdicts -> "verdict";
                      case NftSet.Holds.Values values -> selector(values.like());
                    }));
    text.append('\n');
    if (!set.flags().isEmpty()) {
      String flags =
          set.flags().stream()
              .sorted()
              .map(flag -> flag.name().toLowerCase(Locale.ROOT))
              .collect(Collectors.joining(","));
      text.append(INDENT).append("flags ").append(flags).append('\n');
    }
    if (!set.elements().isEmpty()) {
      String elements =
          set.elements().stream()
              .map(element -> element(set, element))
              .collect(Collectors.joining(",\n" + INDENT + "\t"));
      text.append(INDENT).append("elements = { ").append(elements).append(" }\n");
    }
    text.append("\t}\n\n");
  }

  private static String element(NftSet set, NftSet.Element element) {
    boolean mark = isMark(set.key());
    return value(element.key(), mark)
        + element.verdict().map(verdict -> " : " + statement(verdict)).orElse("")
        + element.data().map(data -> " : " + value(data, holdsMark(set))).orElse("");
  }

  private static boolean holdsMark(NftSet set) {
    return set.holds().orElse(null) instanceof NftSet.Holds.Values values && isMark(values.like());
  }

  private static void chain(Chain chain, StringBuilder text) {
    text.append("\tchain ").append(chain.name()).append(" {\n");
    chain.base().ifPresent(base -> text.append(INDENT).append(base(base)).append('\n'));
    chain.rules().forEach(rule -> text.append(INDENT).append(rule(rule)).append('\n'));
    text.append("\t}\n\n");
  }

  private static String base(Chain.Base base) {
    return "type "
        + base.type()
        + " hook "
        + base.hook().name().toLowerCase(Locale.ROOT)
        + base.device().map(device -> " device " + quoted(device)).orElse("")
        + " priority "
        + base.priority()
        + "; policy "
        + (base.dropByDefault() ? "drop" : "accept")
        + ";";
  }

  /** A rule on one line, its comment last. */
  public static String rule(Rule rule) {
    String statements =
        rule.statements().stream().map(NftText::statement).collect(Collectors.joining(" "));
    String comment = comment(rule.why(), rule.origin());
    return comment.isEmpty() ? statements : statements + " comment " + quoted(comment);
  }

  /**
   * What a rule is for and which line asked for it, cut in the middle where the kernel would refuse
   * it.
   */
  static String comment(String why, Origin origin) {
    String place = origin.isBuiltIn() ? "" : origin.place();
    String reason = why;
    String comment = joined(reason, place);
    while (comment.getBytes(UTF_8).length > COMMENT && !reason.isEmpty()) {
      reason = reason.substring(0, reason.offsetByCodePoints(reason.length(), -1));
      comment = joined(reason + "..", place);
    }
    while (comment.getBytes(UTF_8).length > COMMENT) {
      comment = comment.substring(comment.offsetByCodePoints(0, 1));
    }
    return comment;
  }

  private static String joined(String why, String place) {
    return why.isEmpty() || place.isEmpty() ? why + place : why + ", " + place;
  }

  /** nft's strings know no escapes. */
  private static String quoted(String text) {
    StringBuilder clean = new StringBuilder(text.length() + 2).append('"');
    text.codePoints()
        .map(c -> c == '"' ? '\'' : c == '\\' ? '/' : Character.isISOControl(c) ? ' ' : c)
        .forEach(clean::appendCodePoint);
    return clean.append('"').toString();
  }

  /** One statement. */
  public static String statement(Statement statement) {
    return switch (statement) {
      case Statement.Match match -> match(match);
      case Statement.Counter counter -> "counter";
      case Statement.Limit limit ->
          "limit rate "
              + (limit.over() ? "over " : "")
              + limit.rate()
              + "/"
              + limit.unit()
              + " burst "
              + limit.burst()
              + " packets";
      case Statement.Log log -> {
        String prefix = log.prefix().isEmpty() ? "" : " prefix " + quoted(log.prefix());
        yield "log" + prefix + (log.group().isPresent() ? " group " + log.group().getAsInt() : "");
      }
      case Statement.Assign assign ->
          selector(assign.target()) + " set " + expression(assign.value(), isMark(assign.target()));
      case Statement.NoTrack noTrack -> "notrack";
      case Statement.CtHelper helper -> "ct helper set " + quoted(helper.name());
      case Statement.Queue queue ->
          "queue "
              + (queue.bypass() ? "flags bypass " : "")
              + "to "
              + queue.first()
              + (queue.last() == queue.first() ? "" : "-" + queue.last());
      case Statement.VerdictMap map ->
          expression(map.key(), false) + " vmap " + verdicts(map.verdicts(), isMark(map.key()));
      case Statement.Nat nat -> nat(nat);
      case Statement.Verdict verdict -> verdict(verdict);
      case Statement.Opaque opaque -> opaque.text();
    };
  }

  private static String match(Statement.Match match) {
    String relation = match.relation().text();
    // Bits side by side, not members of a set: a status has several at once.
    String right =
        match.right() instanceof Expression.AnyOf any && isBits(match.left())
            ? any.values().stream().map(v -> value(v, false)).collect(Collectors.joining(","))
            : expression(match.right(), isMark(match.left()));
    return expression(match.left(), false)
        + (relation.isEmpty() ? "" : " " + relation)
        + " "
        + right;
  }

  private static boolean isBits(Expression left) {
    return left instanceof Expression.Ct ct
        && (ct.key().equals("state") || ct.key().equals("status"));
  }

  private static boolean isMark(Expression expression) {
    return switch (expression) {
      case Expression.Meta meta -> meta.key() == Expression.Meta.Key.MARK;
      case Expression.Ct ct -> ct.key().equals("mark");
      case Expression.Binary binary -> isMark(binary.left());
      default -> false;
    };
  }

  private static String verdicts(Statement.VerdictSource source, boolean mark) {
    return switch (source) {
      case Statement.VerdictSource.Named named -> "@" + named.map();
      case Statement.VerdictSource.Inline inline ->
          inline.entries().stream()
              .map(entry -> value(entry.key(), mark) + " : " + verdict(entry.verdict()))
              .collect(Collectors.joining(", ", "{ ", " }"));
    };
  }

  private static String verdict(Statement.Verdict verdict) {
    return switch (verdict) {
      case Statement.Verdict.Accept accept -> "accept";
      case Statement.Verdict.Drop drop -> "drop";
      case Statement.Verdict.Reject reject ->
          reject.with().isEmpty() ? "reject" : "reject with " + reject.with();
      case Statement.Verdict.Return back -> "return";
      case Statement.Verdict.Continue on -> "continue";
      case Statement.Verdict.Jump jump -> "jump " + jump.chain();
      case Statement.Verdict.Goto to -> "goto " + to.chain();
    };
  }

  private static String nat(Statement.Nat nat) {
    return switch (nat) {
      case Statement.Nat.Source s -> rewrite("snat", s.address(), s.ports(), s.flags());
      case Statement.Nat.Destination d -> rewrite("dnat", d.address(), d.ports(), d.flags());
      case Statement.Nat.Masquerade m ->
          rewrite("masquerade", Optional.empty(), m.ports(), m.flags());
      case Statement.Nat.Redirect r -> rewrite("redirect", Optional.empty(), r.ports(), r.flags());
    };
  }

  private static String rewrite(
      String word, Optional<Expression> address, Optional<Expression> ports, List<String> flags) {
    String to = "";
    if (address.isPresent() || ports.isPresent()) {
      boolean bracket =
          ports.isPresent()
              && address.flatMap(NftText::family).filter(Family.V6::equals).isPresent();
      String text = address.map(a -> expression(a, false)).orElse("");
      to =
          " to "
              + (bracket ? "[" + text + "]" : text)
              + ports.map(p -> ":" + expression(p, false)).orElse("");
    }
    // An inet table has to be told which family the address is of.
    String family = address.flatMap(NftText::family).map(f -> " " + f.nft()).orElse("");
    return word + family + to + (flags.isEmpty() ? "" : " " + String.join(",", flags));
  }

  private static Optional<Family> family(Expression address) {
    return switch (address) {
      case Expression.Addr addr -> Optional.of(addr.address().family());
      case Expression.Net net -> Optional.of(net.prefix().family());
      case Expression.Range range -> family(range.first());
      case Expression.Mapped mapped -> family(mapped.key());
      case Expression.Concat concat ->
          concat.parts().stream().flatMap(p -> family(p).stream()).findFirst();
      case Expression.Payload payload when payload.header().equals("ip") -> Optional.of(Family.V4);
      case Expression.Payload payload when payload.header().equals("ip6") -> Optional.of(Family.V6);
      default -> Optional.empty();
    };
  }

  private static String expression(Expression expression, boolean mark) {
    return switch (expression) {
      case Expression.Opaque opaque -> opaque.text();
      case Expression.Selector selector -> selector(selector);
      case Expression.Value value -> value(value, mark);
    };
  }

  private static String selector(Expression.Selector selector) {
    return switch (selector) {
      case Expression.Meta meta -> meta(meta.key());
      case Expression.Payload payload -> payload.header() + " " + payload.field();
      case Expression.RawPayload raw -> "@" + raw.base() + "," + raw.offset() + "," + raw.length();
      case Expression.Ct ct ->
          "ct "
              + ct.direction().map(d -> d.name().toLowerCase(Locale.ROOT) + " ").orElse("")
              + ct.key();
      case Expression.Rt rt -> "rt " + rt.key();
      case Expression.Ipsec ipsec ->
          "ipsec "
              + (ipsec.in() ? "in" : "out")
              + (ipsec.index() == 0 ? "" : " spnum " + ipsec.index())
              + " "
              + ipsec.key();
      case Expression.Fib fib -> "fib " + String.join(" . ", fib.flags()) + " " + fib.result();
      case Expression.TcpOption option -> "tcp option " + option.kind() + " " + option.field();
      case Expression.ExtensionHeader header ->
          header.field().isEmpty()
              ? "exthdr " + header.header()
              : header.header() + " " + header.field();
      case Expression.Concat concat ->
          concat.parts().stream().map(p -> expression(p, false)).collect(Collectors.joining(" . "));
      case Expression.Binary binary ->
          operand(binary.left())
              + " "
              + binary.operator().text()
              + " "
              + (binary.right() instanceof Expression.Binary
                  ? operand(binary.right())
                  : expression(binary.right(), isMark(binary.left())));
      case Expression.Mapped mapped -> expression(mapped.key(), false) + " map @" + mapped.map();
      case Expression.Opaque opaque -> opaque.text();
    };
  }

  private static String operand(Expression side) {
    String text = expression(side, false);
    return side instanceof Expression.Binary ? "(" + text + ")" : text;
  }

  private static String meta(Expression.Meta.Key key) {
    String word = key.name().toLowerCase(Locale.ROOT);
    return switch (key) {
      case IIFNAME, OIFNAME, IIF, OIF -> word;
      default -> "meta " + word;
    };
  }

  private static String value(Expression.Value value, boolean mark) {
    return switch (value) {
      case Expression.Number number ->
          mark ? "0x%08x".formatted(number.value()) : Long.toString(number.value());
      case Expression.Symbol symbol -> symbol.name();
      case Expression.Text text -> quoted(text.text());
      case Expression.Addr addr -> address(addr.address());
      case Expression.Net net ->
          net.prefix().length() == net.prefix().family().bits()
              ? address(net.prefix().first())
              : net.prefix().toString();
      case Expression.Range range -> value(range.first(), mark) + "-" + value(range.last(), mark);
      case Expression.AnyOf any ->
          any.values().stream()
              .map(v -> value(v, mark))
              .collect(Collectors.joining(", ", "{ ", " }"));
      case Expression.Tuple tuple ->
          tuple.parts().stream().map(v -> value(v, false)).collect(Collectors.joining(" . "));
      case Expression.SetRef set -> "@" + set.name();
      case Expression.Opaque opaque -> opaque.text();
    };
  }

  private static String address(Address address) {
    return address.toString();
  }
}
