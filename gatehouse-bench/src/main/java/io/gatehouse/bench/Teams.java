package io.gatehouse.bench;

/** Descriptions of gateways whose rules are many because their groups are. */
final class Teams {
  private Teams() {}

  /** Tunnels, two groups and a service each, over networks: some 35 rules a tunnel. */
  static String description(int teams) {
    int networks = 3 + teams / 5;
    StringBuilder text = new StringBuilder("version: 1\ngateway: large\ninterfaces:\n");
    text.append("  wan: { device: eth0, role: outside,")
        .append(" addresses: [203.0.113.2/24, \"2001:db8:ff::2/64\"], gateway: [203.0.113.1] }\n");
    StringBuilder nets = new StringBuilder("networks:\n");
    StringBuilder all = new StringBuilder();
    for (int n = 0; n < networks; n++) {
      text.append(
          "  lan%d: { device: eth%d, role: inside, addresses: [10.1.%d.1/24, \"2001:db8:1:%x::1/64\"] }%n"
              .formatted(n, n + 1, n, n));
      nets.append(
          "  net%d: { on: lan%d, prefixes: [10.1.%d.0/24, \"2001:db8:1:%x::/64\"] }%n"
              .formatted(n, n, n, n));
      all.append(n == 0 ? "" : ", ").append("net").append(n);
    }
    text.append(nets)
        .append("host:\n  internet: [%s]\n  admin: { from: net0, services: ssh }\n".formatted(all))
        .append("tunnels:\n");
    for (int t = 0; t < teams; t++) {
      int one = t % networks;
      int other = (t + 1) % networks;
      text.append(
          """
            team%1$d:
              type: remote-access
              ike: { connection: team%1$d }
              pools: [10.2.%1$d.0/24, "2001:db8:2:%1$x::/64"]
              reach: [net%2$d, net%3$d/tcp/%4$d]
              services: dns
              groups:
                a: { match: { eap-id: "*@a%1$d" }, reach: [net%2$d, net%3$d/tcp/445], services: dns }
                b: { match: { eap-id: "*@b%1$d" }, reach: net%2$d/udp/%5$d, services: ssh }
          """
              .formatted(t, one, other, 8000 + t, 9000 + t));
    }
    return text.toString();
  }
}
