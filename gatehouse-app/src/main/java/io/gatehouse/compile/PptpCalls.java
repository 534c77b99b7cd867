package io.gatehouse.compile;

import static io.gatehouse.compile.VpnHostMaps.CALLED;
import static io.gatehouse.compile.VpnHostMaps.CALLS;
import static io.gatehouse.compile.VpnHostMaps.CALL_ID;
import static io.gatehouse.compile.VpnHostMaps.CALL_IDS;
import static io.gatehouse.compile.VpnHostMaps.DADDR;
import static io.gatehouse.compile.VpnHostMaps.SADDR;
import static io.gatehouse.compile.VpnHostMaps.concat;

import io.gatehouse.model.Family;
import io.gatehouse.model.Gateway;
import io.gatehouse.model.Host.PortForward;
import io.gatehouse.model.Interface;
import io.gatehouse.model.Masquerade;
import io.gatehouse.model.Network;
import io.gatehouse.model.Origin;
import io.gatehouse.model.PortRange;
import io.gatehouse.model.Protocol;
import io.gatehouse.ruleset.Chain.Hook;
import io.gatehouse.ruleset.Expression.AnyOf;
import io.gatehouse.ruleset.Expression.Binary;
import io.gatehouse.ruleset.Expression.Ct;
import io.gatehouse.ruleset.Expression.Mapped;
import io.gatehouse.ruleset.Expression.Operator;
import io.gatehouse.ruleset.Expression.Payload;
import io.gatehouse.ruleset.Expression.RawPayload;
import io.gatehouse.ruleset.Expression.SetRef;
import io.gatehouse.ruleset.Expression.Symbol;
import io.gatehouse.ruleset.Rule;
import io.gatehouse.ruleset.Statement;
import io.gatehouse.ruleset.Statement.Match;
import io.gatehouse.ruleset.Statement.Relation;
import io.gatehouse.ruleset.Statement.Verdict;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Calls of PPTP that the daemon translates: it reads and writes the control connections; data go by
 * maps from the Call ID, which is to GRE what an SPI is to ESP. Chains of their own look at GRE's
 * bytes: nft 1.0.6 cannot list a rule that asks for GRE and for its bytes.
 */
final class PptpCalls {
  private static final String TO_HOSTS = "masq_calls_in";
  private static final String FROM_HOSTS = "masq_calls_out";
  private static final String TRANSLATED = "masq_call_ids";
  private static final String LET_IN = "masq_calls_to";
  private static final int MANGLE = -150;

  private static final Statement IS_GRE = Nft.protocol(Protocol.GRE);

  /** RFC 2637, 4.1: version 1, protocol type 0x880B. */
  private static final Statement IS_PPTP =
      new Match(
          new Binary(new RawPayload("th", 8, 24), Operator.AND, Nft.number(0x7ffff)),
          Relation.EQUAL,
          Nft.number(0x1_880b));

  /** What conntrack takes for part of another connection, or of none, changes nothing. */
  private static final Statement VALID =
      Nft.is(
          new Ct("state", Optional.empty()),
          new AnyOf(List.of(new Symbol("new"), new Symbol("established"))));

  private final Draft draft;
  private final Masquerade wish;

  private PptpCalls(Draft draft, Masquerade wish) {
    this.draft = draft;
    this.wish = wish;
  }

  private static Optional<PptpCalls> of(Draft draft) {
    return draft
        .gateway
        .masquerade()
        .filter(wish -> wish.calls() == Masquerade.Calls.BY_DAEMON)
        .map(wish -> new PptpCalls(draft, wish));
  }

  /** Servers in the hosts' networks: their calls are translated together with those of hosts. */
  static List<PortForward> servers(Gateway gateway, Masquerade wish) {
    return gateway.host().portForwards().stream()
        .filter(PortForwards::isUsable)
        .filter(forward -> wish.on().contains(forward.on()))
        .filter(forward ->
            wish.prefixes().stream()
                .anyMatch(prefix -> prefix.value().contains(forward.to().value())))
        .filter(forward ->
            forward.service().protocol() == Protocol.TCP
                && forward
                    .service()
                    .ports()
                    .filter(PortRange.of(Masquerade.PPTP_CONTROL)::equals)
                    .isPresent())
        .toList();
  }

  static void write(Draft draft) {
    of(draft)
        .ifPresent(calls -> {
          draft.chain(
              TO_HOSTS,
              List.of(
                  calls.rule(
                      "to whom the call is",
                      IS_PPTP,
                      new Statement.Nat.Destination(
                          Optional.of(
                              new Mapped(concat(SADDR, CALL_ID), CALLS, Optional.of(Family.V4))),
                          Optional.empty(),
                          List.of()))));
          draft.chain(
              FROM_HOSTS,
              List.of(
                  calls.rule(
                      "of a call of its own",
                      IS_PPTP,
                      Nft.is(concat(SADDR, DADDR, CALL_ID), new SetRef(CALLED)),
                      Nft.ACCEPT)));
          draft.chain(TRANSLATED, calls.translated());
          draft.chain(LET_IN, List.of(calls.rule("of a call that stands", IS_PPTP, Nft.ACCEPT)));
          draft.base("masq_calls", "filter", Hook.FORWARD, MANGLE, false, calls.seen());
        });
  }

  /** Conntrack leads data of a call to its host for a while when that is over, or another's. */
  private List<Rule> translated() {
    return List.of(
        rule(
            "as the host calls it",
            IS_PPTP,
            new Statement.Assign(CALL_ID, new Mapped(concat(SADDR, DADDR, CALL_ID), CALL_IDS)),
            Nft.ACCEPT),
        rule("of a call that is over", IS_PPTP, Nft.state("new"), VpnHosts.TRANSLATED, Nft.DROP));
  }

  private Rule rule(String why, Statement... does) {
    return Nft.rule(why, wish.origin(), does);
  }

  private Rule rule(Origin origin, String why, List<Statement> where, Statement... does) {
    return Nft.rule(why, origin, Nft.all(where, List.of(does)));
  }

  /** Control connections go by the daemon, in both directions; then data get the host's ID. */
  private List<Rule> seen() {
    List<Rule> rules = new ArrayList<>();
    for (Network network : wish.clients()) {
      control(
          rules,
          wish.origin(),
          network.name(),
          new Way(
              draft.places.from(draft.places.target(network), Family.V4),
              draft.places.towards(draft.places.target(network), Family.V4)),
          Masquerade.PPTP_CONTROL,
          /* server= */ false);
    }
    for (PortForward forward : servers(draft.gateway, wish)) {
      int port = forward.toPort().orElse(Masquerade.PPTP_CONTROL);
      String host = forward.to().value().toString();
      for (Network network : wish.clients()) {
        if (network.prefixes().stream().anyMatch(p -> p.value().contains(forward.to().value()))) {
          Statement from = Nft.is(SADDR, Nft.address(forward.to().value()));
          Statement to = Nft.is(DADDR, Nft.address(forward.to().value()));
          control(
              rules,
              forward.origin(),
              host,
              new Way(
                  draft
                      .places
                      .from(draft.places.target(network), Family.V4)
                      .map(inside -> Nft.all(inside, List.of(from))),
                  Optional.of(List.of(to))),
              port,
              /* server= */ true);
        }
      }
    }
    for (Network network : wish.clients()) {
      draft
          .places
          .towards(draft.places.target(network), Family.V4)
          .ifPresent(inside ->
              rules.add(
                  rule(
                      wish.origin(),
                      "calls under the hosts' own Call IDs",
                      Nft.all(fromWorld(), inside),
                      IS_GRE,
                      new Verdict.Jump(TRANSLATED))));
    }
    return rules;
  }

  /** From hosts, and towards them. */
  private record Way(Optional<List<Statement>> from, Optional<List<Statement>> to) {}

  private void control(
      List<Rule> rules, Origin origin, String whose, Way way, int port, boolean server) {
    String why = "control of PPTP of " + whose;
    Match atServer = Nft.is(new Payload("tcp", "dport"), Nft.number(port));
    Match fromServer = Nft.is(new Payload("tcp", "sport"), Nft.number(port));
    int queue = draft.gateway.numbers().queue();
    Optional<List<Statement>> world = VpnHosts.towardsWorld(draft, wish);
    if (way.from.isPresent() && world.isPresent()) {
      rules.add(
          rule(
              origin,
              why,
              Nft.all(List.of(server ? fromServer : atServer, VALID), way.from.get(), world.get()),
              new Statement.Queue(queue + 1, queue + 1, false)));
    }
    if (way.to.isPresent()) {
      rules.add(
          rule(
              origin,
              why,
              Nft.all(List.of(server ? atServer : fromServer, VALID), fromWorld(), way.to.get()),
              new Statement.Queue(queue, queue, false)));
    }
  }

  /** Of remotes, as they sent it: not out of a tunnel of ours. */
  private List<Statement> fromWorld() {
    boolean own = wish.on().stream().anyMatch(at -> VpnHosts.isOwn(draft.gateway, at));
    return Nft.all(
        VpnHosts.arrivedOutside(draft, wish), own ? List.of(Nft.NOT_DECRYPTED) : List.of());
  }

  /** To our address there, under an ID that stands for a call of a host. */
  static List<Rule> natIn(Draft draft) {
    return of(draft).map(PptpCalls::begun).orElse(List.of());
  }

  private List<Rule> begun() {
    List<Rule> rules = new ArrayList<>();
    for (Interface at : wish.on()) {
      rules.add(
          rule(
              wish.origin(),
              "calls of PPTP",
              VpnHosts.toOurs(draft, wish, at),
              IS_GRE,
              new Verdict.Jump(TO_HOSTS)));
    }
    return rules;
  }

  /** Both directions of the calls of a network's hosts. */
  static List<Rule> forward(
      Draft draft, Network network, List<Statement> from, List<Statement> world) {
    return of(draft).map(calls -> calls.forward(network, from, world)).orElse(List.of());
  }

  private List<Rule> forward(Network network, List<Statement> from, List<Statement> world) {
    String why = "calls of PPTP of hosts of " + network.name();
    List<Rule> rules = new ArrayList<>();
    rules.add(rule(wish.origin(), why, Nft.all(from, world), IS_GRE, new Verdict.Jump(FROM_HOSTS)));
    draft
        .places
        .towards(draft.places.target(network), Family.V4)
        .ifPresent(inside ->
            rules.add(
                rule(
                    wish.origin(),
                    why,
                    Nft.all(fromWorld(), inside),
                    IS_GRE,
                    Nft.state("new"),
                    VpnHosts.TRANSLATED,
                    new Verdict.Jump(LET_IN))));
    return rules;
  }
}
