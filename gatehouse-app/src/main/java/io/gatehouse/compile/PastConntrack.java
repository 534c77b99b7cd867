package io.gatehouse.compile;

import static io.gatehouse.compile.VpnHostMaps.DADDR;
import static io.gatehouse.compile.VpnHostMaps.DIRECT;
import static io.gatehouse.compile.VpnHostMaps.SADDR;
import static io.gatehouse.compile.VpnHostMaps.SENT;
import static io.gatehouse.compile.VpnHostMaps.SPI;
import static io.gatehouse.compile.VpnHostMaps.WATCHED;
import static io.gatehouse.compile.VpnHostMaps.concat;

import io.gatehouse.model.Gateway;
import io.gatehouse.model.Host;
import io.gatehouse.model.Interface;
import io.gatehouse.model.Masquerade;
import io.gatehouse.model.Network;
import io.gatehouse.model.Protocol;
import io.gatehouse.ruleset.Expression.Binary;
import io.gatehouse.ruleset.Expression.Mapped;
import io.gatehouse.ruleset.Expression.Operator;
import io.gatehouse.ruleset.Expression.Payload;
import io.gatehouse.ruleset.Expression.SetRef;
import io.gatehouse.ruleset.Rule;
import io.gatehouse.ruleset.Statement;
import io.gatehouse.ruleset.Statement.Update;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * ESP of VPN hosts under SPIs that are known, translated without conntrack: an SPI says whose a
 * packet is, and needs no connection for that.
 */
final class PastConntrack {
  /**
   * One packet of so many of an SA goes through conntrack all the same: that keeps alive its
   * connection, by which errors find their host, and what was learned of it.
   */
  private static final int THROUGH_CONNTRACK = 16;

  /** By its number, RFC 4303 2.2, so that no SA has its turn by chance. */
  private static final Statement NOT_ITS_TURN =
      Nft.isNot(
          new Binary(
              new Payload("esp", "sequence"), Operator.AND, Nft.number(THROUGH_CONNTRACK - 1)),
          Nft.number(0));

  private static final Statement UNTRACKED = Nft.state("untracked");
  private static final Statement IS_ESP = Nft.protocol(Protocol.ESP);

  private final Draft draft;
  private final Masquerade wish;

  private PastConntrack(Draft draft, Masquerade wish) {
    this.draft = draft;
    this.wish = wish;
  }

  /**
   * Nothing where it cannot be done: each outside interface has to have one address, that is known,
   * and nothing of this host's own may have a policy for what leaves under it, because xfrm is not
   * asked again. Nor may answers leave by the uplink that was asked: a connection remembers it.
   */
  static Optional<PastConntrack> of(Draft draft) {
    Gateway gateway = draft.gateway;
    List<Interface> outside = gateway.outside();
    boolean can =
        gateway.tunnels().isEmpty()
            && gateway.uplinks().isEmpty()
            && outside.stream().allMatch(at -> VpnHosts.own(at).size() == 1)
            && gateway.host().internet().stream()
                .allMatch(access -> access.nat() instanceof Host.SourceNat.Masquerade);
    return gateway
        .masquerade()
        .filter(wish -> can && wish.on().containsAll(outside))
        .map(wish -> new PastConntrack(draft, wish));
  }

  /** Before conntrack: what is known gets its host's address, or leaves as it is. */
  List<Rule> asking() {
    List<Rule> rules = new ArrayList<>();
    for (Interface at : wish.on()) {
      rules.add(
          rule(
              "ESP of a known SPI, past conntrack",
              List.of(IS_ESP, NOT_ITS_TURN),
              List.of(
                  Nft.is(Nft.IIFNAME, Nft.device(at.device())),
                  Nft.is(DADDR, Nft.anyOf(VpnHosts.own(at)))),
              new Statement.Assign(DADDR, new Mapped(concat(SADDR, SPI), DIRECT)),
              new Statement.NoTrack(),
              new Update(DIRECT, concat(SADDR, SPI), Optional.of(DADDR), wish.lifetime()),
              Nft.ACCEPT));
    }
    for (Network network : wish.clients()) {
      rules.add(
          rule(
              "ESP of a known SPI, past conntrack",
              List.of(IS_ESP, NOT_ITS_TURN),
              List.of(cameFrom(network), Nft.NOT_DECRYPTED),
              Nft.is(concat(SADDR, DADDR, SPI), new SetRef(SENT)),
              Nft.isNot(concat(SADDR, DADDR), new SetRef(WATCHED)),
              new Statement.NoTrack(),
              Nft.ACCEPT));
    }
    return rules;
  }

  /** The same may go through, in both directions; the maps have said whose it is. */
  static List<Rule> forward(Draft draft) {
    return of(draft).map(PastConntrack::forward).orElse(List.of());
  }

  private List<Rule> forward() {
    List<Rule> rules = new ArrayList<>();
    List<Statement> what = List.of(IS_ESP, UNTRACKED);
    Optional<List<Statement>> world = VpnHosts.towardsWorld(draft, wish);
    for (Network network : wish.clients()) {
      world.ifPresent(to ->
          rules.add(
              rule(
                  "IPsec of hosts of " + network.name() + ", past conntrack",
                  what,
                  Nft.all(List.of(cameFrom(network)), to),
                  Nft.ACCEPT)));
      rules.add(
          rule(
              "IPsec towards hosts of " + network.name() + ", past conntrack",
              what,
              VpnHosts.arrivedOutside(draft, wish),
              Nft.is(Nft.OIFNAME, Nft.device(network.on().device())),
              Nft.ACCEPT));
    }
    return rules;
  }

  /** The maps hold only addresses of the network: its device is enough. */
  private static Statement cameFrom(Network network) {
    return Nft.is(Nft.IIFNAME, Nft.device(network.on().device()));
  }

  /** Behind routing: the outside interface's address. */
  List<Rule> leaving() {
    List<Rule> rules = new ArrayList<>();
    for (Interface at : wish.on()) {
      for (Network network : wish.clients()) {
        rules.add(
            rule(
                "appears as the outside interface's address",
                List.of(IS_ESP, UNTRACKED),
                List.of(cameFrom(network), Nft.is(Nft.OIFNAME, Nft.device(at.device()))),
                new Statement.Assign(SADDR, VpnHosts.own(at).getFirst())));
      }
    }
    return rules;
  }

  private Rule rule(String why, List<Statement> where, List<Statement> what, Statement... does) {
    return Nft.rule(why, wish.origin(), Nft.all(where, what, List.of(does)));
  }
}
