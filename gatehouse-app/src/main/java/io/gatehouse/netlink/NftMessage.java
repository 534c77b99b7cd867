package io.gatehouse.netlink;

import java.util.List;

/** What nftables tells, as far as we read it (linux/netfilter/nf_tables.h). */
public sealed interface NftMessage
    permits NftMessage.Elements,
        NftMessage.Generation,
        NftMessage.OfTable,
        NftMessage.InTable,
        Unknown,
        Unreadable {

  /**
   * Elements of a set: of a list, that were added, or that went.
   *
   * @param gone whether they went
   */
  record Elements(SetId set, List<SetElement> elements, boolean gone) implements NftMessage {
    public Elements {
      elements = List.copyOf(elements);
    }
  }

  /**
   * The ruleset's generation, which counts transactions.
   *
   * @param process whose transaction made it, the number of its thread; 0 in an answer
   */
  record Generation(long number, long process) implements NftMessage {}

  /**
   * A table.
   *
   * @param family NFPROTO_…
   * @param gone whether it went
   */
  record OfTable(int family, String name, boolean gone) implements NftMessage {}

  /**
   * A chain, a rule, a set, or whatever else is in a table: it came or went.
   *
   * @param family NFPROTO_…
   */
  record InTable(int family, String table) implements NftMessage {}
}
