package io.gatehouse.diagnose;

/** Kinds of packets that firewalls treat differently. */
public enum Channel {
  /** IKE on its first port. */
  UDP_500("UDP 500", "udp-500"),
  /** IKE behind NAT (RFC 3947). */
  UDP_4500("UDP 4500", "udp-4500"),
  /** IP protocol 50. */
  ESP("ESP", "esp"),
  /** ESP in UDP 4500 (RFC 3948). */
  ESP_IN_UDP("ESP in UDP", "esp-in-udp"),
  /** IP protocol 51. */
  AH("AH", "ah"),
  /** PPTP's control connection. */
  TCP_1723("TCP 1723", "tcp-1723"),
  /** PPTP's data, IP protocol 47. */
  GRE("GRE", "gre"),
  /** L2TP outside of IPsec. */
  UDP_1701("UDP 1701", "udp-1701");

  private final String title;
  private final String word;

  Channel(String title, String word) {
    this.title = title;
    this.word = word;
  }

  /** Its name on a page. */
  public String title() {
    return title;
  }

  /** Its name in JSON. */
  public String word() {
    return word;
  }

  boolean isIke() {
    return this == UDP_500 || this == UDP_4500;
  }

  boolean isEsp() {
    return this == ESP || this == ESP_IN_UDP;
  }
}
