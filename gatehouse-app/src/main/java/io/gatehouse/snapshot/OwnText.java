package io.gatehouse.snapshot;

import io.gatehouse.model.Origin;
import io.gatehouse.ruleset.Chain;
import io.gatehouse.ruleset.NftText;
import io.gatehouse.ruleset.Rule;
import io.gatehouse.ruleset.Statement;
import io.gatehouse.ruleset.Table;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * Tables whose rules say their own text where ours say what they are for: of somebody else's rule
 * nobody told us more.
 */
final class OwnText {
  private OwnText() {}

  /**
   * @param file whose name stands in places instead of that of the collection's
   */
  static List<Table> of(List<Table> tables, Optional<String> file) {
    return tables.stream()
        .map(table ->
            table.with(
                table.sets(), table.chains().stream().map(chain -> of(chain, file)).toList()))
        .toList();
  }

  private static Chain of(Chain chain, Optional<String> file) {
    List<Rule> rules =
        chain.rules().stream()
            .map(rule -> new Rule(rule.statements(), of(rule), in(rule.origin(), file)))
            .toList();
    return new Chain(chain.name(), chain.base(), rules);
  }

  private static Origin in(Origin origin, Optional<String> file) {
    return new Origin(file.orElse(origin.file()), origin.line(), origin.column(), origin.path());
  }

  /** As iptables-save has it, else as nft prints it, with its comment. */
  static String of(Rule rule) {
    String line = rule.origin().path();
    if (line.startsWith("-A ") || line.startsWith("--append ")) {
      return line;
    }
    String text =
        rule.statements().stream()
            .filter(statement -> !(statement instanceof Statement.Counter))
            .map(OwnText::spelled)
            .collect(Collectors.joining(" "));
    return rule.why().isBlank() ? text : text + " (" + rule.why() + ")";
  }

  private static String spelled(Statement statement) {
    try {
      return NftText.statement(statement);
    } catch (IllegalArgumentException e) {
      // A name that nft would not take back, out of somebody's file.
      return "...";
    }
  }
}
