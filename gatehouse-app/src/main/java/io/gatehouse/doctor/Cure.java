package io.gatehouse.doctor;

import io.gatehouse.model.Family;
import io.gatehouse.path.Journey.Decider;
import io.gatehouse.path.Journey.Step;
import io.gatehouse.ruleset.Chain;
import io.gatehouse.ruleset.Table;
import java.util.List;
import java.util.Optional;
import java.util.Set;

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
  static String accept(Patient patient, Step step, Words match) {
    return insert(patient, step, match, "ACCEPT", "accept");
  }

  /**
   * A name out of somebody's files as one word of a shell's command: whoever runs it must not run
   * what the name says.
   */
  static String word(String name) {
    return name.matches("[A-Za-z0-9_@%+=:,./-]+") ? name : "'" + name.replace("'", "'\\''") + "'";
  }

  /** A condition in the words of iptables and in those of nft. */
  record Words(String iptables, String nft) {}

  private static String insert(
      Patient patient, Step step, Words match, String target, String verdict) {
    // `forward ip filter FORWARD`: hook, family, table, base chain.
    String[] hop = step.hop().split(" ", 4);
    if (hop.length < 4) {
      return "";
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
      return tool
          + (legacy ? "-legacy" : "")
          + (hop[2].equals("filter") ? "" : " -t " + word(hop[2]))
          + " -I "
          + (docker ? "DOCKER-USER" : hop[3])
          + " "
          + match.iptables()
          + " -j "
          + target;
    }
    return "nft insert rule "
        + hop[1]
        + " "
        + word(hop[2])
        + " "
        + word(hop[3])
        + " "
        + match.nft()
        + " "
        + verdict;
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
  static String block(String direction, String source, String destination) {
    return "ip xfrm policy add src %s dst %s dir %s action block priority 4294967280"
        .formatted(source, destination, direction);
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
