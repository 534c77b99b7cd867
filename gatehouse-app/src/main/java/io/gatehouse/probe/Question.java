package io.gatehouse.probe;

/** What is asked of a host. */
public enum Question {
  /** Whether it answers a ping: tells the routers of the way. */
  PING("ping", "ping"),
  /** IKE's first port. */
  UDP_500("UDP 500 (IKE)", "udp-500"),
  /** IKE's second port, and ESP's behind NAT. */
  UDP_4500("UDP 4500 (IKE and ESP behind NAT)", "udp-4500"),
  /** IP protocol 50. */
  ESP("ESP (protocol 50)", "esp"),
  /** PPTP's control connection. */
  TCP_1723("TCP 1723 (PPTP)", "tcp-1723"),
  /** PPTP's data. */
  GRE("GRE (protocol 47)", "gre");

  private final String title;
  private final String word;

  Question(String title, String word) {
    this.title = title;
    this.word = word;
  }

  /** What people call it. */
  public String title() {
    return title;
  }

  /** Its word on the command line and in JSON. */
  public String word() {
    return word;
  }
}
