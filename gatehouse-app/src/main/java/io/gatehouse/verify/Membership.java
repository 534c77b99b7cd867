package io.gatehouse.verify;

import io.gatehouse.model.Gateway;
import io.gatehouse.model.Located;
import io.gatehouse.model.Reach;
import io.gatehouse.model.Service;
import io.gatehouse.model.Tunnel;
import io.gatehouse.model.Tunnel.Group;
import io.gatehouse.ruleset.NftSet;
import io.gatehouse.ruleset.Ruleset;
import io.gatehouse.ruleset.Statement.Verdict;
import io.gatehouse.ruleset.Table;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
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
                tunnel.groups().stream()
                    .map(group -> new Membership(Optional.of(tunnel.name()), Optional.of(group))));
    return Stream.concat(Stream.of(unknown()), known).toList();
  }

  /** Whether it says something of the clients of a tunnel. */
  boolean isOf(Tunnel of) {
    return tunnel.filter(of.name()::equals).isPresent();
  }

  /** The shares whose common part a client of the tunnel has. */
  List<Share> shares(Gateway gateway, Tunnel of) {
    if (isOf(of)) {
      return group.stream().map(g -> new Share(g.reach(), g.services())).toList();
    }
    List<Share> all = new ArrayList<>();
    all.add(new Share(of.reach(), of.services()));
    of.groups().forEach(g -> all.add(new Share(g.reach(), g.services())));
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

  /**
   * What the live maps of a ruleset hold in a case for every client; the others are empty.
   *
   * @param chains by what the names of a group's chains end in, and by the map that leads there
   */
  record Content(Map<String, Map<String, Verdict>> chains) {
    static Content of(Ruleset ruleset) {
      Map<String, Map<String, Verdict>> chains = new HashMap<>();
      for (Table table : ruleset.tables()) {
        for (NftSet set : table.sets()) {
          set.contract().stream()
              .flatMap(contract -> contract.verdicts().stream())
              .forEach(verdict -> {
                if (verdict instanceof Verdict.Goto to) {
                  // What stands in front says which chain it is, and has no such line in it.
                  String end = to.chain().substring(to.chain().indexOf('_') + 1);
                  chains
                      .computeIfAbsent(end, e -> new HashMap<>())
                      .putIfAbsent(set.name(), verdict);
                }
              });
        }
      }
      return new Content(chains);
    }

    Map<String, Verdict> of(Membership membership) {
      return membership.tunnel.isPresent() && membership.group.isPresent()
          ? chains.getOrDefault(
              membership.tunnel.get() + "." + membership.group.get().name(), Map.of())
          : Map.of();
    }
  }
}
