package io.gatehouse.compile;

import io.gatehouse.compile.Partition.Claim;
import io.gatehouse.model.Family;
import io.gatehouse.model.Located;
import io.gatehouse.model.Origin;
import io.gatehouse.model.Tunnel;
import io.gatehouse.model.Tunnel.Group;
import io.gatehouse.ruleset.Expression.Selector;
import io.gatehouse.ruleset.Expression.Value;
import io.gatehouse.ruleset.NftSet;
import io.gatehouse.ruleset.Rule;
import io.gatehouse.ruleset.Statement.Match;
import io.gatehouse.ruleset.Statement.Verdict;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BiPredicate;
import java.util.function.Function;

/**
 * Verdict maps that lead packets to the chain of their tunnel's class, by address: the number of
 * rules does not depend on the number of tunnels.
 */
final class ByClass {
  /** What the chains are called that tell clients apart by group: of input and of forward. */
  static final List<String> WITH_GROUPS = List.of("in", "from");

  private ByClass() {}

  /** One rule to a family, {@code evidence ip saddr vmap @prefix4}, and the map behind it. */
  static <K> List<Rule> rules(
      Draft draft,
      String prefix,
      List<TunnelClass<K>> classes,
      Match evidence,
      Function<Family, Selector> address,
      String why) {
    return rules(draft, prefix, classes, evidence, address, (tunnel, family) -> true, why);
  }

  /**
   * The same for some tunnels and families.
   *
   * @param which of those that the classes have
   */
  static <K> List<Rule> rules(
      Draft draft,
      String prefix,
      List<TunnelClass<K>> classes,
      Match evidence,
      Function<Family, Selector> address,
      BiPredicate<Tunnel, Family> which,
      String why) {
    Map<String, Verdict> verdicts = new HashMap<>();
    for (TunnelClass<K> members : classes) {
      members
          .tunnels()
          .forEach(t -> verdicts.put(t.name(), Nft.goTo(prefix + "_" + members.name())));
    }
    List<Rule> rules = new ArrayList<>();
    for (Family family : Family.values()) {
      List<Claim<Verdict>> elements = new ArrayList<>();
      for (Claim<Tunnel> part : draft.space.far(family)) {
        Verdict verdict = verdicts.get(part.owner().name());
        if (verdict != null && which.test(part.owner(), family)) {
          elements.add(new Claim<>(part.prefix(), verdict, part.origin()));
        }
      }
      draft
          .sets
          .verdicts(prefix, family, elements)
          .ifPresent(map ->
              rules.add(
                  Nft.rule(
                      why,
                      Origin.builtIn("tunnel-evidence"),
                      evidence,
                      Nft.vmap(address.apply(family), map))));
    }
    return rules;
  }

  /** The chain of a group; a dot stands in no name of a description. */
  static String chain(String prefix, Tunnel tunnel, Group group) {
    return prefix + "_" + tunnel.name() + "." + group.name();
  }

  /** The map that leads to them, without the digit of its family. */
  static String map(String prefix, Tunnel tunnel) {
    return prefix + "_" + tunnel.name() + ".groups";
  }

  /** Clients whose group is known go to its chain: the daemon tells which, within the contract. */
  static List<Rule> groups(Draft draft, String prefix, Tunnel tunnel) {
    List<Rule> rules = new ArrayList<>();
    List<Group> groups = tunnel.groups();
    for (Family family : Family.values()) {
      List<Value> pools =
          draft.places.far(family, t -> t.name().equals(tunnel.name())).stream()
              .map(Located::value)
              .map(Nft::net)
              .toList();
      if (groups.isEmpty() || pools.isEmpty()) {
        continue;
      }
      List<Verdict> verdicts =
          groups.stream().<Verdict>map(group -> Nft.goTo(chain(prefix, tunnel, group))).toList();
      String map =
          draft.sets.live(
              map(prefix, tunnel),
              family,
              new NftSet.Contract(pools, verdicts, List.of()),
              tunnel.origin());
      rules.add(
          Nft.rule(
              "clients whose group is known", tunnel.origin(), Nft.vmap(Nft.saddr(family), map)));
    }
    return rules;
  }
}
