package io.gatehouse.it.compile;

/**
 * One end of an IPsec tunnel without IKE, as lines for {@code ip -batch}. SAs take any packet, as
 * those of charon in tunnel mode do, of both families: it is the policies that tell what belongs to
 * the tunnel.
 *
 * @param id of the tunnel, in SPIs and as reqid
 * @param own the outer address of this end
 * @param peer the outer address of the other, as this end sees it
 * @param near what the policies protect on this side
 * @param far and on the other
 * @param mode and what else the state needs to know
 */
record Laid(
    int id, boolean gateway, String own, String peer, String near, String far, String mode) {
  private static final String CIPHER =
      "aead rfc4106(gcm(aes)) 0x0102030405060708090a0b0c0d0e0f1011121314 128";

  /** The gateway's end. */
  static Laid tunnel(int id, String own, String peer, String near, String far) {
    return new Laid(id, true, own, peer, near, far, "tunnel");
  }

  static Laid transport(int id, String own, String peer) {
    return new Laid(id, true, own, peer, own, peer, "transport");
  }

  /** The other end of the same tunnel, with policies that send more into it than belongs there. */
  Laid other(String near, String far) {
    return new Laid(id, !gateway, /* own= */ peer, /* peer= */ own, near, far, mode);
  }

  Laid other() {
    return other(/* near= */ far, /* far= */ near);
  }

  /** Where a NAT between shows this end another address of the peer. */
  Laid seeing(String address) {
    return new Laid(id, gateway, own, address, near, far, mode);
  }

  String all() {
    return states() + policies();
  }

  String states() {
    return state(own, peer, gateway) + state(peer, own, !gateway);
  }

  private String state(String from, String to, boolean leaving) {
    boolean nat = mode.endsWith("udp");
    return "xfrm state add src %s dst %s proto esp spi %d reqid %d mode %s %s%s%n"
        .formatted(
            from,
            to,
            id * 0x1000 + (leaving ? 1 : 2),
            id,
            mode.startsWith("tunnel") ? "tunnel flag af-unspec" : mode,
            CIPHER,
            nat ? " encap espinudp 4500 4500 0.0.0.0" : "");
  }

  /** The same through UDP 4500; who receives it needs a socket there. */
  Laid throughUdp() {
    return new Laid(id, gateway, own, peer, near, far, "tunnel in udp");
  }

  String policies() {
    String template =
        " tmpl src %s dst %s proto esp reqid " + id + " mode " + mode.split(" ", 2)[0];
    String in = template.formatted(peer, own) + "\n";
    StringBuilder lines = new StringBuilder();
    lines.append("xfrm policy add ").append(selector("out")).append(template.formatted(own, peer));
    lines.append("\nxfrm policy add ").append(selector("in")).append(in);
    if (mode.startsWith("tunnel")) {
      lines.append("xfrm policy add ").append(selector("fwd")).append(in);
    }
    return lines.toString();
  }

  /** Takes the policies away, as when the tunnel goes down. */
  String withoutPolicies() {
    return "xfrm policy delete %s%nxfrm policy delete %s%nxfrm policy delete %s%n"
        .formatted(selector("out"), selector("in"), selector("fwd"));
  }

  private String selector(String direction) {
    boolean out = direction.equals("out");
    return "src %s dst %s dir %s".formatted(out ? near : far, out ? far : near, direction);
  }
}
