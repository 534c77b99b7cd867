package io.gatehouse.path;

import io.gatehouse.bdd.Bdd;
import io.gatehouse.ruleset.Chain;
import io.gatehouse.ruleset.NftSet;
import io.gatehouse.ruleset.Rule;
import io.gatehouse.ruleset.Statement.Verdict;
import io.gatehouse.ruleset.Table;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Lets walks of several hosts share variables for what is open where it is the same on both: the
 * same rule of the same chain, wherever it stands in it, met for the same time. Two hosts are then
 * compared in the same circumstances, and a ruleset with a rate limit is equal to itself.
 */
final class Pairing {
  /** In the text of what is open about bytes that a fragment has where others have a header. */
  static final String LATER_FRAGMENT = "a later fragment";

  private final Map<String, Integer> variables = new HashMap<>();
  private final List<Map<String, Unknown>> notUnderstood = new ArrayList<>();
  private final List<Map<String, String>> places = new ArrayList<>();
  private final Map<String, Integer> met = new HashMap<>();

  /** By a live map's name: a verdict has to be the same number on all hosts. */
  private final Map<String, Set<Verdict>> verdicts = new HashMap<>();

  private int host = 0;
  private String walk = "";

  Pairing(List<HostState> hosts) {
    for (HostState one : hosts) {
      Map<String, String> rules = new HashMap<>();
      for (Table table : one.tables()) {
        for (NftSet set : table.sets()) {
          set.contract()
              .ifPresent(contract ->
                  verdicts
                      .computeIfAbsent(set.name(), n -> new LinkedHashSet<>())
                      .addAll(contract.verdicts()));
        }
        for (Chain chain : table.chains()) {
          rules(table, chain, rules);
        }
      }
      places.add(rules);
      notUnderstood.add(new LinkedHashMap<>());
    }
  }

  private static void rules(Table table, Chain chain, Map<String, String> rules) {
    int number = 0;
    for (Rule rule : chain.rules()) {
      number++;
      String place =
          new Journey.Decider.ByRule(table.family(), table.name(), chain.name(), number, rule)
              .toString();
      rules.put(
          place, table.family() + " " + table.name() + " " + chain.name() + rule.statements());
    }
  }

  /** What opens now does so on this host, on a way of this name. */
  void begin(int number, String name) {
    host = number;
    walk = name;
    met.clear();
  }

  /**
   * The variable for something that is open.
   *
   * @param bit of a number, the highest first
   */
  int variable(Unknown unknown, int bit, Bdd bdd) {
    if (unknown.text().contains(LATER_FRAGMENT)) {
      // Whichever rule reads them, they are the packet's own bytes.
      return variables.computeIfAbsent(unknown.text() + "|" + bit, k -> bdd.newVariable());
    }
    String place = places.get(host).getOrDefault(unknown.place(), unknown.place());
    String what = walk + "|" + unknown.kind() + "|" + unknown.text() + "|" + place;
    String key = what + "|" + met.merge(what, 1, Integer::sum);
    if (unknown.kind() == Unknown.Kind.NOT_UNDERSTOOD) {
      notUnderstood.get(host).put(key, unknown);
    }
    return variables.computeIfAbsent(key, k -> bdd.newVariable());
  }

  /** What a live map of that name may hold on any of the hosts. */
  List<Verdict> verdicts(String map) {
    return List.copyOf(verdicts.getOrDefault(map, Set.of()));
  }

  /** What is not understood on one of the hosts and does not stand on all. */
  List<Unknown> unpaired() {
    List<Unknown> alone = new ArrayList<>();
    for (Map<String, Unknown> one : notUnderstood) {
      one.forEach((key, unknown) -> {
        if (!notUnderstood.stream().allMatch(other -> other.containsKey(key))) {
          alone.add(unknown);
        }
      });
    }
    return alone.stream().distinct().toList();
  }
}
