package io.gatehouse.apply;

import io.gatehouse.ruleset.Ruleset;
import io.gatehouse.snapshot.Seen;
import io.gatehouse.snapshot.Snapshot;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/**
 * What other people's chains would do to our traffic. An accept of ours cannot override a drop in
 * another base chain, nor stop another table's NAT.
 */
final class Foreign {
  /** Docker's documents name it as the place for rules of others. */
  private static final String DOCKER = "DOCKER-USER";

  private Foreign() {}

  /** A few lines for each chain in our way, the rule that mends it last. */
  static List<String> warnings(Snapshot snapshot, Ruleset ruleset) {
    return warnings(
        snapshot,
        Ways.devices(ruleset, "inside"),
        Ways.set(ruleset, "far4").isPresent() || Ways.set(ruleset, "far6").isPresent());
  }

  /**
   * The same of what stands already.
   *
   * @param inside devices towards our networks
   * @param tunnels whether there are tunnels
   */
  static List<String> warnings(Snapshot snapshot, Set<String> inside, boolean tunnels) {
    List<String> lines = new ArrayList<>();
    for (Seen.BaseChain chain : snapshot.chains()) {
      if (isOurs(chain) || !Set.of("ip", "ip6", "inet").contains(chain.family())) {
        continue;
      }
      String name =
          "`%s %s %s`%s".formatted(chain.family(), chain.table(), chain.name(), owner(chain));
      if (chain.type().equals("filter") && chain.hook().equals("forward") && chain.drops()) {
        lines.add(
            "! " + name + " drops what its own rules do not accept, also what we forward; let it:");
        mendForward(chain, inside, tunnels).forEach(mend -> lines.add("    " + mend));
      } else if (chain.type().equals("filter")
          && chain.hook().equals("input")
          && chain.drops()
          && tunnels) {
        lines.add(
            "! " + name + " drops what its own rules do not accept; IKE and ESP have to pass it:");
        mendInput(chain).forEach(mend -> lines.add("    " + mend));
      } else if (chain.type().equals("nat")
          && chain.hook().equals("postrouting")
          && !chain.rewrites().isEmpty()
          && !chain.spares()
          && tunnels) {
        lines.add(
            "! "
                + name
                + " rule "
                + chain.rewrites().getFirst()
                + " would rewrite what a tunnel is to protect; let it:");
        lines.add("    " + mendNat(chain));
      }
    }
    return lines;
  }

  private static boolean isOurs(Seen.BaseChain chain) {
    return chain.family().equals("inet")
        && (chain.table().equals(NftScripts.TABLE) || chain.table().equals(NftScripts.FENCE));
  }

  /** Whose it is, where names tell. */
  private static String owner(Seen.BaseChain chain) {
    if (chain.table().equals("firewalld")) {
      return " (firewalld's)";
    }
    return chain.leadsTo().stream().anyMatch(DOCKER::equals) ? " (with Docker's chains)" : "";
  }

  /** iptables on top of nftables names its tables and chains so. */
  private static boolean isIptables(Seen.BaseChain chain) {
    return !chain.family().equals("inet")
        && chain.name().equals(chain.hook().toUpperCase(Locale.ROOT));
  }

  private static String command(Seen.BaseChain chain) {
    return chain.family().equals("ip6") ? "ip6tables" : "iptables";
  }

  private static List<String> mendForward(
      Seen.BaseChain chain, Set<String> inside, boolean tunnels) {
    List<String> lines = new ArrayList<>();
    if (isIptables(chain)) {
      // Docker puts its own chains in front again whenever it starts; this one is left to us.
      String first = chain.leadsTo().contains(DOCKER) ? DOCKER : chain.name();
      String insert = command(chain) + " -I " + first;
      for (String device : inside) {
        lines.add(insert + " -i " + device + " -j ACCEPT");
        lines.add(insert + " -o " + device + " -j ACCEPT");
      }
      if (tunnels) {
        lines.add(insert + " -m policy --dir in --pol ipsec -j ACCEPT");
        lines.add(insert + " -m policy --dir out --pol ipsec -j ACCEPT");
      }
      return lines;
    }
    if (chain.table().equals("firewalld")) {
      inside.forEach(device ->
          lines.add("firewall-cmd --permanent --zone=trusted --change-interface=" + device));
      lines.add("firewall-cmd --reload");
      return lines;
    }
    String insert =
        "nft insert rule %s %s %s ".formatted(chain.family(), chain.table(), chain.name());
    for (String device : inside) {
      lines.add(insert + "iifname \"" + device + "\" accept");
      lines.add(insert + "oifname \"" + device + "\" accept");
    }
    if (tunnels) {
      lines.add(insert + "meta ipsec exists accept");
      lines.add(insert + "rt ipsec exists accept");
    }
    return lines;
  }

  private static List<String> mendInput(Seen.BaseChain chain) {
    if (isIptables(chain)) {
      String insert = command(chain) + " -I " + chain.name();
      return List.of(
          insert + " -p udp -m multiport --dports 500,4500 -j ACCEPT",
          insert + " -p esp -j ACCEPT",
          insert + " -m policy --dir in --pol ipsec -j ACCEPT");
    }
    if (chain.table().equals("firewalld")) {
      return List.of("firewall-cmd --permanent --add-service=ipsec && firewall-cmd --reload");
    }
    String insert =
        "nft insert rule %s %s %s ".formatted(chain.family(), chain.table(), chain.name());
    return List.of(
        insert + "udp dport { 500, 4500 } accept",
        insert + "meta l4proto esp accept",
        insert + "meta ipsec exists accept");
  }

  private static String mendNat(Seen.BaseChain chain) {
    return isIptables(chain)
        ? command(chain)
            + " -t nat -I "
            + chain.name()
            + " -m policy --dir out --pol ipsec -j ACCEPT"
        : "nft insert rule %s %s %s rt ipsec exists accept"
            .formatted(chain.family(), chain.table(), chain.name());
  }
}
