package io.gatehouse.ruleset;

import java.util.List;

/**
 * An nftables table.
 *
 * @param family {@code inet}, {@code ip}, {@code ip6}, {@code arp}, {@code bridge}, {@code netdev}
 */
public record Table(
    String family, String name, List<Helper> helpers, List<NftSet> sets, List<Chain> chains) {

  /**
   * A conntrack helper as an object of the table, for IPv4 and TCP, which rules assign to
   * connections.
   *
   * @param type the kernel's name of it
   */
  public record Helper(String name, String type) {}

  public Table {
    helpers = List.copyOf(helpers);
    sets = List.copyOf(sets);
    chains = List.copyOf(chains);
  }

  /** A table without helpers. */
  public Table(String family, String name, List<NftSet> sets, List<Chain> chains) {
    this(family, name, List.of(), sets, chains);
  }

  /** The same with other sets and chains. */
  public Table with(List<NftSet> others, List<Chain> rules) {
    return new Table(family, name, helpers, others, rules);
  }

  /** Rules in all of its chains. */
  public int ruleCount() {
    return chains.stream().mapToInt(chain -> chain.rules().size()).sum();
  }
}
