package io.gatehouse.model;

/** The two families of the Internet Protocol. */
public enum Family {
  V4(32, "ip"),
  V6(128, "ip6");

  private final int bits;
  private final String nft;

  Family(int bits, String nft) {
    this.bits = bits;
    this.nft = nft;
  }

  /** Bits in an address. */
  public int bits() {
    return bits;
  }

  /** The family's name in nftables, which is also its header's: {@code ip} or {@code ip6}. */
  public String nft() {
    return nft;
  }
}
