package io.gatehouse.doctor;

import io.gatehouse.model.Family;
import io.gatehouse.path.Journey.Decider;
import io.gatehouse.path.Journey.Step;
import io.gatehouse.ruleset.Chain;
import io.gatehouse.ruleset.Table;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;

/** Commands that change what decided, in the words of the tool that made it. */
final class Cure {
  private static final Set<String> BUILT_IN =
      Set.of("PREROUTING", "INPUT", "FORWARD", "OUTPUT", "POSTROUTING");

  private Cure() {}

  /**
   * A rule in front of all others of the base chain in which the step was taken: a verdict in
   * another chain would not keep this one's from being given.
   *
   * @param match what it asks for, in both tools' words
   */
  static Command accept(Patient patient, Step step, Words match) {
    return insert(patient, step, match, "ACCEPT", "accept");
  }

  /** A condition in the words of iptables and in those of nft. */
  record Words(List<String> iptables, List<String> nft) {}

  /**
   * A name that nft's language takes for one. nft joins its arguments and reads them as text: a
   * shell's quotes do not keep it from taking `;` in a name for the end of a command.
   */
  private static final Pattern NFT_NAME = Pattern.compile("[A-Za-z_][A-Za-z0-9_/\\\\.-]*");

  /** Whether nft can be told to do something to it by its name. */
  static boolean isNftName(String name) {
    return NFT_NAME.matcher(name).matches();
  }

  private static Command insert(
      Patient patient, Step step, Words match, String target, String verdict) {
    // `forward ip filter FORWARD`: hook, family, table, base chain.
    String[] hop = step.hop().split(" ", 4);
    if (hop.length < 4) {
      return Command.of("nft -a list ruleset");
    }
    Optional<Table> table = patient.table(hop[1], hop[2]);
    if (isOfIptables(hop[1], hop[3])) {
      String tool = hop[1].equals("ip") ? "iptables" : "ip6tables";
      boolean legacy = table.map(Cure::isLegacy).orElse(false);
      boolean docker =
          hop[3].equals("FORWARD")
              && table
                  .map(t -> t.chains().stream().anyMatch(c -> c.name().equals("DOCKER-USER")))
                  .orElse(false);
      return Command.of(
          "%s %s -I %s %s -j %s",
          tool + (legacy ? "-legacy" : ""),
          hop[2].equals("filter") ? List.of() : List.of("-t", hop[2]),
          docker ? "DOCKER-USER" : hop[3],
          match.iptables(),
          target);
    }
    return isNftName(hop[1]) && isNftName(hop[2]) && isNftName(hop[3])
        ? Command.of("nft insert rule %s %s %s %s %s", hop[1], hop[2], hop[3], match.nft(), verdict)
        : Command.of("nft -a list ruleset");
  }

  /** Whether iptables made the chain: nft's own are seldom named in capitals. */
  static boolean isOfIptables(String family, String chain) {
    return !family.equals("inet") && BUILT_IN.contains(chain);
  }

  private static boolean isLegacy(Table table) {
    return table.chains().stream()
        .map(Chain::rules)
        .flatMap(List::stream)
        .anyMatch(rule -> rule.origin().file().contains("legacy"));
  }

  /** The policy that keeps packets from travelling in clear when no other policy stands. */
  static Command block(String direction, String source, String destination) {
    return Command.of(
        "ip xfrm policy add src %s dst %s dir %s action block priority 4294967280",
        source, destination, direction);
  }

  /**
   * A change to swanctl.conf, and charon's look at it.
   *
   * @param change sed's
   */
  static Command edit(String change) {
    return Command.of("sed -i %s /etc/swanctl/swanctl.conf", change)
        .and(Command.of("swanctl --load-conns"));
  }

  /**
   * A setting of the kernel.
   *
   * @param key with slashes
   */
  static Command setting(String key, int value) {
    return Command.of("sysctl -w %s", key + "=" + value);
  }

  /** Lowers what TCP announces in one direction. */
  static Command clamp(Family family, String direction, long size) {
    return Command.of(
        "%s -t mangle -I FORWARD -m policy --dir %s --pol ipsec -p tcp --tcp-flags SYN,RST SYN"
            + " -j TCPMSS --set-mss %s",
        iptables(family), direction, size);
  }

  static String iptables(Family family) {
    return family == Family.V4 ? "iptables" : "ip6tables";
  }

  static List<String> ip(Family family) {
    return family == Family.V4 ? List.of("ip") : List.of("ip", "-6");
  }

  /** What decided, as evidence. */
  static Finding.Evidence evidence(Step step) {
    return switch (step.by()) {
      case Decider.ByRule rule ->
          new Finding.Evidence(
              rule.rule().why(),
              rule + (rule.rule().origin().line() > 0 ? ", " + rule.rule().origin().place() : ""));
      case Decider.ByChainPolicy policy ->
          new Finding.Evidence(
              "the policy of chain " + policy.chain(),
              policy.family() + " " + policy.table() + " " + policy.chain());
      case Decider.ByXfrmPolicy policy ->
          new Finding.Evidence(
              "policy "
                  + policy.policy().source()
                  + " → "
                  + policy.policy().destination()
                  + " dir "
                  + policy.policy().direction().name().toLowerCase(java.util.Locale.ROOT),
              policy.policy().origin().place());
      case Decider.ByKernel kernel ->
          new Finding.Evidence(kernel.reason(), "kernel, " + step.hop());
    };
  }

  static String everything(Family family) {
    return family == Family.V4 ? "0.0.0.0/0" : "::/0";
  }

  static String nftFamily(Family family) {
    return family == Family.V4 ? "ip" : "ip6";
  }
}
