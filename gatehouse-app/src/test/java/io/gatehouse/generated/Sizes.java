package io.gatehouse.generated;

/** Descriptions of any size. */
public final class Sizes {
  private static final String HEAD =
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
      """;

  private Sizes() {}

  /** Site-to-site peers with two networks each; 16,000 at most. */
  public static String peers(int peers) {
    StringBuilder text = new StringBuilder(HEAD);
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

  /** Groups in one tunnel, whose pool has 65,536 addresses: ten kinds of reach among them. */
  public static String groups(int groups) {
    return groups(groups, 10);
  }

  /** The same of any number of kinds: what groups of one kind reach is the same. */
  public static String groups(int groups, int kinds) {
    StringBuilder text = new StringBuilder(HEAD);
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
