package io.gatehouse.bench;

/** Descriptions of a hub with any number of branches. */
final class Peers {
  private Peers() {}

  /** Site-to-site peers with two networks each; 32,768 at most. */
  static String description(int peers) {
    StringBuilder text =
        new StringBuilder(
            """
            version: 1
            gateway: hub
            interfaces:
              wan: { device: eth0, role: outside, addresses: 203.0.113.2/24 }
              lan: { device: eth1, role: inside, addresses: 172.16.0.1/16 }
            networks:
              office: { on: lan, prefixes: 172.16.0.0/16 }
            host:
              internet: office
              admin: { from: office, services: ssh }
            tunnels:
            """);
    for (int i = 0; i < peers; i++) {
      int network = 2 * i;
      text.append(
          """
            p%1$d:
              type: site-to-site
              peer: 198.18.%2$d.%3$d
              local: office
              remote: [10.%4$d.%5$d.0/24, 10.%4$d.%6$d.0/24]
          """
              .formatted(i, i >> 8, i & 255, network >> 8, network & 255, (network & 255) + 1));
    }
    return text.toString();
  }

  /** The same after the last peer got another network in place of its second. */
  static String changed(int peers) {
    String text = description(peers);
    int last = text.lastIndexOf(", 10.");
    return text.substring(0, last) + ", 172.31.7.0/24]\n";
  }

  /**
   * Clients of one tunnel in groups, with a pool of 65,536 addresses.
   *
   * @param kinds how many different things groups may reach
   */
  static String groups(int groups, int kinds) {
    StringBuilder text = new StringBuilder(description(0));
    text.append(
        """
          staff:
            type: remote-access
            pools: 10.0.0.0/16
            reach: office/tcp/443
            groups:
        """);
    for (int i = 0; i < groups; i++) {
      text.append(
          "      g%1$d: { match: { eap-id: \"*@g%1$d\" }, reach: [office/tcp/443, office/tcp/%2$d] }%n"
              .formatted(i, 5000 + i % kinds));
    }
    return text.toString();
  }
}
