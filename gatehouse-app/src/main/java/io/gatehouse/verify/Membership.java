package io.gatehouse.verify;

import io.gatehouse.model.Gateway;
import io.gatehouse.model.Located;
import io.gatehouse.model.Reach;
import io.gatehouse.model.Service;
import io.gatehouse.model.Tunnel;
import io.gatehouse.model.Tunnel.Group;
import io.gatehouse.ruleset.Expression.Value;
import io.gatehouse.ruleset.NftSet;
import io.gatehouse.ruleset.NftSet.Element;
import io.gatehouse.ruleset.NftSet.Flag;
import io.gatehouse.ruleset.Ruleset;
import io.gatehouse.ruleset.Statement.Verdict;
import io.gatehouse.ruleset.Table;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/**
 * Who is known of the clients: nobody, or all clients of one tunnel as members of one group. A
 * client is in one group or in none, so that these cases together are all.
 */
record Membership(Optional<String> tunnel, Optional<Group> group) {

  /** What a client may do. */
  record Share(List<Reach> reach, List<Located<Service>> services) {}

  static Membership unknown() {
    return new Membership(Optional.empty(), Optional.empty());
  }

  /** Every case of a gateway. */
  static List<Membership> of(Gateway gateway) {
    Stream<Membership> known =
        gateway.tunnels().stream()
            .flatMap(tunnel ->
                groups(tunnel).stream()
                    .map(group -> new Membership(Optional.of(tunnel.name()), Optional.of(group))));
    return Stream.concat(Stream.of(unknown()), known).toList();
  }

  private static List<Group> groups(Tunnel tunnel) {
    return tunnel instanceof Tunnel.RemoteAccess access ? access.groups() : List.of();
  }

  /** The shares whose common part a client of the tunnel has. */
  List<Share> shares(Gateway gateway, Tunnel of) {
    if (tunnel.filter(of.name()::equals).isPresent()) {
      return group.stream().map(g -> new Share(g.reach(), g.services())).toList();
    }
    List<Share> all = new ArrayList<>();
    all.add(
        new Share(
            switch (of) {
              case Tunnel.RemoteAccess access -> access.reach();
              case Tunnel.SiteToSite site -> site.reach();
              case Tunnel.L2tp l2tp -> List.of();
            },
            of.services()));
    groups(of).forEach(g -> all.add(new Share(g.reach(), g.services())));
    return all;
  }

  /** Its words in a sentence about the tunnel. */
  String of(Tunnel of) {
    return tunnel
        .filter(of.name()::equals)
        .flatMap(t -> group)
        .map(g -> ", group " + g.name() + ",")
        .orElse("");
  }

  /** The ruleset as it stands in this case: live maps hold what they would hold. */
  Ruleset in(Ruleset ruleset) {
    return ruleset.withTables(ruleset.tables().stream().map(this::in).toList());
  }

  private Table in(Table table) {
    return new Table(
        table.family(),
        table.name(),
        table.sets().stream().map(set -> set.isLive() ? settled(set) : set).toList(),
        table.chains());
  }

  private NftSet settled(NftSet map) {
    List<Element> elements = new ArrayList<>();
    map.contract()
        .ifPresent(contract ->
            contract.verdicts().stream()
                .filter(this::isMine)
                .findFirst()
                .ifPresent(verdict -> {
                  for (Value key : contract.keys()) {
                    elements.add(
                        new Element(key, Optional.of(verdict), Optional.empty(), map.origin()));
                  }
                }));
    return new NftSet(
        map.name(),
        map.key(),
        map.holds(),
        Set.of(Flag.INTERVAL),
        elements,
        Optional.empty(),
        map.origin());
  }

  /** Chains of groups end in {@code _TUNNEL.GROUP}. */
  private boolean isMine(Verdict verdict) {
    return tunnel.isPresent()
        && group.isPresent()
        && verdict instanceof Verdict.Goto to
        && to.chain().endsWith("_" + tunnel.get() + "." + group.get().name());
  }
}
