package io.gatehouse.doctor;

import io.gatehouse.doctor.Finding.Certainty;
import io.gatehouse.doctor.Finding.Severity;
import io.gatehouse.path.Journey;
import io.gatehouse.path.Journey.Decider;
import io.gatehouse.path.Journey.Step;
import io.gatehouse.ruleset.NftText;
import io.gatehouse.ruleset.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Rules that hand a tunnel's connections to a flow table. */
final class FlowTables {
  private FlowTables() {}

  static void look(Journey received, Consumer<? super Finding> found) {
    for (Journey.Hop hop : received.hops()) {
      for (Journey.Decision decision : hop.decisions()) {
        if (decision.by() instanceof Decider.ByRule rule && handsOver(rule)) {
          found.accept(
              new Finding(
                  Kind.FLOW_TABLE,
                  Severity.WARNING,
                  Certainty.POSSIBLE,
                  "a tunnel's connection works at first, and later bypasses the tunnel",
                  "its packets get into a flow table, which looks up no policy",
                  List.of(Cure.evidence(new Step(hop.name(), decision.by(), decision.effect()))),
                  List.of(spared(rule))));
        }
      }
    }
  }

  private static final Pattern HANDLE = Pattern.compile("handle ([0-9]+)");

  private static final Pattern FLOW = Pattern.compile("\"flowtable\":\"@([A-Za-z0-9_]+)\"");

  /** The same rule, for what no tunnel brought or takes; only a look at it where it is unusual. */
  private static Command spared(Decider.ByRule rule) {
    Matcher handle = HANDLE.matcher(rule.rule().origin().path());
    List<String> words = new ArrayList<>();
    for (Statement statement : rule.rule().statements()) {
      if (statement instanceof Statement.Opaque opaque) {
        Matcher flow = FLOW.matcher(opaque.text());
        words.add(flow.find() ? "flow add @" + flow.group(1) : "");
      } else if (statement instanceof Statement.Match || statement instanceof Statement.Counter) {
        words.add(plain(statement));
      } else {
        words.add("");
      }
    }
    List<String> where = List.of(rule.family(), rule.table(), rule.chain());
    if (!where.stream().allMatch(Cure::isNftName)) {
      return Command.of("nft -a list ruleset");
    }
    return handle.find() && !words.contains("")
        ? Command.of(
            "nft %s",
            "replace rule %s handle %s meta ipsec missing rt ipsec missing %s"
                .formatted(String.join(" ", where), handle.group(1), String.join(" ", words)))
        : Command.of("nft -a list chain %s", where);
  }

  /** No quote but around a name, and nothing that ends a command of nft's. */
  private static final Pattern HARMLESS =
      Pattern.compile("(?:[^\"';$`\\\\\\p{Cntrl}]++|\"[A-Za-z0-9_.*@:-]*\")*");

  /** Of a statement that one would want to see in a command; the pattern nests with its quotes. */
  private static final int LONGEST = 1000;

  /** As nft takes it; empty where nft has no spelling for one of its names. */
  private static String plain(Statement statement) {
    try {
      String text = NftText.statement(statement);
      return text.length() <= LONGEST && HARMLESS.matcher(text).matches() ? text : "";
    } catch (IllegalArgumentException e) {
      return "";
    }
  }

  private static boolean handsOver(Decider.ByRule rule) {
    return rule.rule().statements().stream()
        .anyMatch(s -> s instanceof Statement.Opaque o && o.text().startsWith("{\"flow\""));
  }
}
