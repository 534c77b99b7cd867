package io.gatehouse.compile;

import io.gatehouse.compile.Partition.Claim;
import io.gatehouse.model.Family;
import io.gatehouse.model.Origin;
import io.gatehouse.model.Tunnel;
import io.gatehouse.ruleset.Chain.Hook;
import io.gatehouse.ruleset.Expression.Binary;
import io.gatehouse.ruleset.Expression.Operator;
import io.gatehouse.ruleset.Expression.Payload;
import io.gatehouse.ruleset.Expression.Selector;
import io.gatehouse.ruleset.Expression.Symbol;
import io.gatehouse.ruleset.Expression.TcpOption;
import io.gatehouse.ruleset.Rule;
import io.gatehouse.ruleset.Statement;
import io.gatehouse.ruleset.Statement.Match;
import io.gatehouse.ruleset.Statement.Relation;
import io.gatehouse.ruleset.Statement.Verdict;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.TreeMap;

/**
 * Keeps TCP from announcing segments that do not fit into a tunnel: routers that lose ICMP would
 * else stall it. Both directions, because each side announces its own.
 */
final class MssClamp {
  /** nft's mangle. */
  private static final int PRIORITY = -150;

  /** {@code tcp flags & (syn | rst) == syn}: SYN and SYN-ACK. */
  private static final Match OPENS =
      new Match(
          new Binary(
              new Payload("tcp", "flags"),
              Operator.AND,
              new Binary(new Symbol("syn"), Operator.OR, new Symbol("rst"))),
          Relation.EQUAL,
          new Symbol("syn"));

  private static final Selector SIZE = new TcpOption("maxseg", "size");

  private MssClamp() {}

  static void write(Draft draft, Map<String, MssReckoning> reckonings) {
    List<Rule> rules = new ArrayList<>();
    Map<String, List<Rule>> chains = new TreeMap<>();
    for (Family family : Family.values()) {
      List<Claim<Verdict>> verdicts = new ArrayList<>();
      for (Claim<Tunnel> part : draft.space.far(family)) {
        MssReckoning reckoning = reckonings.get(part.owner().name());
        OptionalInt size = reckoning == null ? OptionalInt.empty() : reckoning.clamp(family);
        if (size.isPresent()) {
          // A jump, because a packet from one tunnel into another has to fit into both.
          String chain = "mss_" + size.getAsInt();
          verdicts.add(new Claim<>(part.prefix(), new Verdict.Jump(chain), part.origin()));
          chains.computeIfAbsent(
              chain, c -> List.of(clamp(size.getAsInt(), part.owner().origin())));
        }
      }
      draft
          .sets
          .verdicts("mss_from", family, verdicts)
          .ifPresent(map -> rules.add(opening(Nft.DECRYPTED, Nft.saddr(family), map)));
      if (!verdicts.isEmpty()) {
        draft
            .sets
            .verdicts("mss_to", family, verdicts)
            .ifPresent(map -> {
              rules.add(opening(Nft.PROTECTED, Nft.daddr(family), map));
              if (draft.gateway.tunnels().stream().anyMatch(tunnel -> tunnel.maps(family))) {
                // Its source has not changed yet, so that no policy protects it here.
                rules.add(opening(Nft.IN_CLEAR, Nft.daddr(family), map));
              }
              if (SharedClient.isUsed(draft)) {
                // Protected only when it has the virtual IP.
                rules.add(opening(SharedClient.marked(draft), Nft.daddr(family), map));
              }
            });
      }
    }
    draft.base("mss", "filter", Hook.FORWARD, PRIORITY, false, rules);
    chains.forEach(draft::chain);
  }

  private static Rule opening(Match evidence, Selector address, String map) {
    return Nft.rule(
        "a TCP connection through a tunnel opens",
        Origin.builtIn("mss"),
        OPENS,
        evidence,
        Nft.vmap(address, map));
  }

  private static Rule clamp(int size, Origin origin) {
    Statement larger = new Match(SIZE, Relation.GREATER, Nft.number(size));
    return Nft.rule(
        "segments of " + size + " bytes at most",
        origin,
        larger,
        new Statement.Assign(SIZE, Nft.number(size)));
  }
}
