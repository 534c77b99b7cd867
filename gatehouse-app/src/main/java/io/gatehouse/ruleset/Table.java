package io.gatehouse.ruleset;

import java.util.List;

/**
 * An nftables table.
 *
 * @param family {@code inet}, {@code ip}, {@code ip6}, {@code arp}, {@code bridge}, {@code netdev}
 */
public record Table(String family, String name, List<NftSet> sets, List<Chain> chains) {
  public Table {
    sets = List.copyOf(sets);
    chains = List.copyOf(chains);
  }

  /** Rules in all of its chains. */
  public int ruleCount() {
    return chains.stream().mapToInt(chain -> chain.rules().size()).sum();
  }
}
