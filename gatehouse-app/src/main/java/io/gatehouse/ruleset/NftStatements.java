package io.gatehouse.ruleset;

import io.gatehouse.model.Family;
import io.gatehouse.ruleset.Statement.Nat;
import io.gatehouse.ruleset.Statement.Verdict;
import io.gatehouse.ruleset.Statement.VerdictSource;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/** Statements in nft's spelling. */
final class NftStatements {
  /** nft leaves it away. */
  private static final long BURST_BY_DEFAULT = 5;

  private static final List<String> NAT_FLAGS = List.of("random", "fully-random", "persistent");

  private NftStatements() {}

  static String spell(Statement statement) {
    return switch (statement) {
      case Statement.Match match -> NftExpressions.match(match);
      case Statement.Counter counter -> "counter";
      case Statement.Limit limit ->
          "limit rate "
              + (limit.over() ? "over " : "")
              + limit.rate()
              + "/"
              + limit.unit()
              + (limit.burst() == BURST_BY_DEFAULT ? "" : " burst " + limit.burst() + " packets");
      case Statement.Log log -> log(log);
      case Statement.Assign assign ->
          NftExpressions.spell(assign.target())
              + " set "
              + NftExpressions.spell(assign.value(), assign.target());
      case Statement.NoTrack noTrack -> "notrack";
      case Statement.CtHelper helper -> "ct helper set " + NftValues.quoted(helper.name());
      case Statement.Update update ->
          "update @"
              + update.set()
              + " { "
              + NftExpressions.spell(update.key(), update.key())
              + " timeout "
              + time(update.timeout())
              + update.data().map(data -> " : " + NftExpressions.spell(data, data)).orElse("")
              + " }";
      case Statement.Queue queue ->
          "queue "
              + (queue.bypass() ? "flags bypass " : "")
              + "to "
              + queue.first()
              + (queue.last() == queue.first() ? "" : "-" + queue.last());
      case Statement.VerdictMap map ->
          NftExpressions.spell(map.key(), map.key())
              + " vmap "
              + verdicts(map.verdicts(), map.key());
      case Nat nat -> nat(nat);
      case Verdict verdict -> spell(verdict);
      case Statement.Opaque opaque -> opaque.text();
    };
  }

  /** {@code 1h5m}: no unit with nothing in it. */
  private static String time(Duration time) {
    StringBuilder text = new StringBuilder();
    part(text, time.toDaysPart(), "d");
    part(text, time.toHoursPart(), "h");
    part(text, time.toMinutesPart(), "m");
    part(text, time.toSecondsPart(), "s");
    return text.toString();
  }

  private static void part(StringBuilder text, long number, String unit) {
    if (number != 0) {
      text.append(number).append(unit);
    }
  }

  static String spell(Verdict verdict) {
    return switch (verdict) {
      case Verdict.Accept accept -> "accept";
      case Verdict.Drop drop -> "drop";
      case Verdict.Reject reject ->
          reject.with().isEmpty() ? "reject" : "reject with " + reject.with();
      case Verdict.Return back -> "return";
      case Verdict.Continue on -> "continue";
      case Verdict.Jump jump -> "jump " + jump.chain();
      case Verdict.Goto to -> "goto " + to.chain();
    };
  }

  private static String log(Statement.Log log) {
    String prefix = NftComment.logPrefix(log.prefix());
    return "log"
        + (prefix.isEmpty() ? "" : " prefix \"" + prefix + "\"")
        + (log.group().isPresent() ? " group " + log.group().getAsInt() : "");
  }

  private static String verdicts(VerdictSource source, Expression key) {
    return switch (source) {
      case VerdictSource.Named named -> "@" + named.map();
      case VerdictSource.Inline inline ->
          inline.entries().stream()
              .sorted(
                  Comparator.comparing(
                      VerdictSource.Entry::key,
                      NftValues.order(
                          inline.entries().stream().map(VerdictSource.Entry::key).toList(), key)))
              .map(entry -> NftValues.spell(entry.key(), key) + " : " + spell(entry.verdict()))
              .collect(Collectors.joining(", ", "{ ", " }"));
    };
  }

  private static String nat(Nat nat) {
    return switch (nat) {
      case Nat.Source s -> rewrite("snat", s.address(), s.ports(), s.flags());
      case Nat.Destination d -> rewrite("dnat", d.address(), d.ports(), d.flags());
      case Nat.Masquerade m -> rewrite("masquerade", Optional.empty(), m.ports(), m.flags());
      case Nat.Prefixed p ->
          (p.source() ? "snat " : "dnat ")
              + p.to().family().nft()
              + " prefix to "
              + NftExpressions.spell(new Expression.Net(p.to()), new Expression.Net(p.to()));
      case Nat.Redirect r -> rewrite("redirect", Optional.empty(), r.ports(), r.flags());
    };
  }

  private static String rewrite(
      String word, Optional<Expression> address, Optional<Expression> ports, List<String> flags) {
    Optional<Family> family = address.flatMap(NftStatements::family);
    StringBuilder text = new StringBuilder(word);
    // An inet table has to be told which family the address is of.
    family.ifPresent(f -> text.append(' ').append(f.nft()));
    if (address.isPresent() || ports.isPresent()) {
      String to = address.map(a -> NftExpressions.spell(a, a)).orElse("");
      boolean bracket = ports.isPresent() && family.equals(Optional.of(Family.V6));
      text.append(" to ").append(bracket ? "[" + to + "]" : to);
      ports.ifPresent(p -> text.append(':').append(NftExpressions.spell(p, p)));
    }
    if (!flags.isEmpty()) {
      text.append(' ')
          .append(
              flags.stream()
                  .sorted(Comparator.comparingInt(NAT_FLAGS::indexOf))
                  .collect(Collectors.joining(",")));
    }
    return text.toString();
  }

  private static Optional<Family> family(Expression address) {
    return switch (address) {
      case Expression.Addr addr -> Optional.of(addr.address().family());
      case Expression.Net net -> Optional.of(net.prefix().family());
      case Expression.Range range -> family(range.first());
      case Expression.Mapped mapped -> mapped.addresses().or(() -> family(mapped.key()));
      case Expression.Concat concat ->
          concat.parts().stream().flatMap(p -> family(p).stream()).findFirst();
      case Expression.Payload payload when payload.header().equals("ip") -> Optional.of(Family.V4);
      case Expression.Payload payload when payload.header().equals("ip6") -> Optional.of(Family.V6);
      default -> Optional.empty();
    };
  }
}
