package io.gatehouse.netlink;

/**
 * A set or map of nftables.
 *
 * @param family NFPROTO_…: 1 inet, 2 ip, 10 ip6
 */
public record SetId(int family, String table, String name) {
  /** NFPROTO_INET. */
  public static final int INET = 1;

  /** A set of an {@code inet} table. */
  public static SetId inet(String table, String name) {
    return new SetId(INET, table, name);
  }
}
