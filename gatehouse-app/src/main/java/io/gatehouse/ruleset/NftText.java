package io.gatehouse.ruleset;

import io.gatehouse.ruleset.Chain.Base;
import io.gatehouse.ruleset.Chain.Hook;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/**
 * Tables and rules as nft(8) reads them, and, but for white space, as {@code nft -s list} prints
 * them back: what was applied and what is read back compare as texts. Deterministic.
 *
 * <p>Not printed back the same are conditions that nft itself finds superfluous ({@code meta
 * nfproto ipv4} in front of {@code ip saddr}), those that it makes explicit behind a {@code limit},
 * bytes by number where they have a name, and points in time.
 */
public final class NftText {
  private static final String INDENT = "\t\t";

  /** Where lines of elements end, when another would go beyond. */
  private static final int WIDTH = 80;

  /** Named priorities, and how far from one nft still counts. */
  private static final int NEAR = 10;

  /** Elements of a set that the kernel fills, where nobody says; nft's own choice. */
  private static final int LARGEST = 65535;

  private NftText() {}

  /**
   * The whole table, {@code table inet gatehouse { … }}; a table that is there already gets all of
   * it besides.
   */
  public static String of(Table table) {
    StringBuilder text = new StringBuilder(1024);
    text.append("table ").append(table.family()).append(' ').append(name(table.name()));
    text.append(" {\n");
    String between = "";
    for (Table.Helper helper : table.helpers()) {
      text.append(between).append(of(helper));
      between = "\n";
    }
    for (NftSet set : table.sets()) {
      text.append(between).append(of(set));
      between = "\n";
    }
    for (Chain chain : table.chains()) {
      text.append(between).append(of(chain));
      between = "\n";
    }
    return text.append("}\n").toString();
  }

  /** Makes a table, also one that is there already. */
  public static String add(Table table) {
    return "add table " + table.family() + " " + name(table.name()) + "\n";
  }

  /** Takes a table away with all that is in it, also one that is not there. */
  public static String delete(Table table) {
    return add(table) + "delete table " + table.family() + " " + name(table.name()) + "\n";
  }

  /** A conntrack helper, as it stands in a table. */
  private static String of(Table.Helper helper) {
    return "\tct helper "
        + name(helper.name())
        + " {\n"
        + INDENT
        + "type "
        + NftValues.quoted(helper.type())
        + " protocol tcp\n"
        + INDENT
        + "l3proto ip\n\t}\n";
  }

  /** A set or map with its elements, as it stands in a table. */
  public static String of(NftSet set) {
    StringBuilder text = new StringBuilder("\t");
    text.append(set.holds().isPresent() ? "map " : "set ").append(name(set.name())).append(" {\n");
    text.append(INDENT).append(type(set)).append('\n');
    if (set.size().isPresent() || set.flags().contains(NftSet.Flag.DYNAMIC)) {
      // What the kernel fills has a limit, and nft writes its own down.
      text.append(INDENT).append("size ").append(set.size().orElse(LARGEST)).append('\n');
    }
    if (!set.flags().isEmpty()) {
      text.append(INDENT).append("flags ").append(flags(set)).append('\n');
    }
    if (!set.elements().isEmpty()) {
      text.append(INDENT).append("elements = { ");
      elements(set, text);
      text.append(" }\n");
    }
    return text.append("\t}\n").toString();
  }

  private static String type(NftSet set) {
    return "typeof "
        + NftExpressions.spell(set.key())
        + set.holds()
            .map(holds ->
                switch (holds) {
                  case NftSet.Holds.Verdicts verdicts -> " : verdict";
                  case NftSet.Holds.Values values -> " : " + NftExpressions.spell(values.like());
                })
            .orElse("");
  }

  private static String flags(NftSet set) {
    return List.of(
            NftSet.Flag.CONSTANT, NftSet.Flag.DYNAMIC, NftSet.Flag.INTERVAL, NftSet.Flag.TIMEOUT)
        .stream()
        .filter(set.flags()::contains)
        .map(flag -> flag.name().toLowerCase(Locale.ROOT))
        .collect(Collectors.joining(","));
  }

  private static void elements(NftSet set, StringBuilder text) {
    int column = 30;
    String between = "";
    for (String element : elements(set)) {
      if (!between.isEmpty() && column + 2 + element.length() > WIDTH) {
        text.append(",\n").append(INDENT).append("\t     ");
        column = 29;
      } else {
        text.append(between);
      }
      text.append(element);
      column += element.length() + 2;
      between = ", ";
    }
  }

  /** The elements of a set, each as it stands between the commas, in nft's order. */
  public static List<String> elements(NftSet set) {
    List<Expression.Value> keys = set.elements().stream().map(NftSet.Element::key).toList();
    return set.elements().stream()
        .sorted(Comparator.comparing(NftSet.Element::key, NftValues.order(keys, set.key())))
        .map(element -> element(set, element))
        .toList();
  }

  private static String element(NftSet set, NftSet.Element element) {
    Expression data =
        set.holds().orElse(null) instanceof NftSet.Holds.Values values ? values.like() : set.key();
    return NftValues.spell(element.key(), set.key())
        + element.verdict().map(verdict -> " : " + NftStatements.spell(verdict)).orElse("")
        + element.data().map(value -> " : " + NftValues.spell(value, data)).orElse("");
  }

  /** A chain with its rules, as it stands in a table. */
  public static String of(Chain chain) {
    StringBuilder text = new StringBuilder("\tchain ").append(name(chain.name())).append(" {\n");
    chain.base().ifPresent(base -> text.append(INDENT).append(base(base)).append('\n'));
    chain.rules().forEach(rule -> text.append(INDENT).append(rule(rule)).append('\n'));
    return text.append("\t}\n").toString();
  }

  /** {@code type filter hook forward priority filter; policy accept;}. */
  static String base(Base base) {
    return "type "
        + base.type()
        + " hook "
        + base.hook().name().toLowerCase(Locale.ROOT)
        + base.device().map(device -> " device " + NftValues.quoted(device)).orElse("")
        + " priority "
        + priority(base)
        + "; policy "
        + (base.dropByDefault() ? "drop" : "accept")
        + ";";
  }

  private static String priority(Base base) {
    for (Priority named : Priority.values()) {
      int offset = base.priority() - named.number;
      if (Math.abs(offset) <= NEAR && named.isAt(base.hook())) {
        String sign = offset < 0 ? " - " : " + ";
        return named.name().toLowerCase(Locale.ROOT) + (offset == 0 ? "" : sign + Math.abs(offset));
      }
    }
    return Integer.toString(base.priority());
  }

  /** The priorities that nft has names for; with their values in ip, ip6 and inet tables. */
  private enum Priority {
    RAW(-300),
    MANGLE(-150),
    DSTNAT(-100),
    FILTER(0),
    SECURITY(50),
    SRCNAT(100);

    private final int number;

    Priority(int number) {
      this.number = number;
    }

    private boolean isAt(Hook hook) {
      return switch (this) {
        case DSTNAT -> hook == Hook.PREROUTING;
        case SRCNAT -> hook == Hook.POSTROUTING;
        case FILTER -> true;
        case RAW, MANGLE, SECURITY -> hook != Hook.INGRESS && hook != Hook.EGRESS;
      };
    }
  }

  /** A rule on one line, its comment last. */
  public static String rule(Rule rule) {
    String statements =
        rule.statements().stream().map(NftStatements::spell).collect(Collectors.joining(" "));
    String comment = NftComment.of(rule);
    return comment.isEmpty() ? statements : statements + " comment \"" + comment + "\"";
  }

  /** One statement. */
  public static String statement(Statement statement) {
    return NftStatements.spell(statement);
  }

  /** The names of tables, chains and sets stand without quotes: nothing in one may end it. */
  private static String name(String name) {
    boolean word =
        !name.isEmpty()
            && name.chars()
                .allMatch(c -> c < 128 && (Character.isLetterOrDigit(c) || "_.-/".indexOf(c) >= 0))
            && (Character.isLetter(name.charAt(0)) || name.charAt(0) == '_');
    if (!word) {
      throw new IllegalArgumentException("nft takes no such name: " + NftComment.harmless(name));
    }
    return name;
  }
}
