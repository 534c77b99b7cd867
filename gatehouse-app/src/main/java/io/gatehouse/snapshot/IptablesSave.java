package io.gatehouse.snapshot;

import io.gatehouse.model.Family;
import io.gatehouse.model.Origin;
import io.gatehouse.ruleset.Chain;
import io.gatehouse.ruleset.Chain.Base;
import io.gatehouse.ruleset.Chain.Hook;
import io.gatehouse.ruleset.Expression;
import io.gatehouse.ruleset.NftSet;
import io.gatehouse.ruleset.Rule;
import io.gatehouse.ruleset.Statement;
import io.gatehouse.ruleset.Table;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Reads what iptables-save and ip6tables-save print, of any age and also by hand, into tables as
 * nftables has them: the kernel's hooks, priorities and verdicts are the same.
 */
final class IptablesSave {
  private static final Map<String, Integer> PRIORITIES =
      Map.of("raw", -300, "mangle", -150, "filter", 0, "security", 50);

  private static final Map<String, Hook> HOOKS =
      Map.of(
          "PREROUTING",
          Hook.PREROUTING,
          "INPUT",
          Hook.INPUT,
          "FORWARD",
          Hook.FORWARD,
          "OUTPUT",
          Hook.OUTPUT,
          "POSTROUTING",
          Hook.POSTROUTING);

  private static final Map<String, Set<String>> BUILT_IN =
      Map.of(
          "raw", Set.of("PREROUTING", "OUTPUT"),
          "mangle", HOOKS.keySet(),
          "nat", Set.of("PREROUTING", "INPUT", "OUTPUT", "POSTROUTING"),
          "filter", Set.of("INPUT", "FORWARD", "OUTPUT"),
          "security", Set.of("INPUT", "FORWARD", "OUTPUT"));

  private final String file;
  private final Family family;
  private final Map<String, Ipset> ipsets;
  private final Map<String, Parts> tables = new LinkedHashMap<>();
  private final List<Remark> remarks = new ArrayList<>();

  /** A table while it is read. */
  private static final class Parts {
    private final Map<String, Boolean> drops = new LinkedHashMap<>();
    private final List<Line> lines = new ArrayList<>();
  }

  private record Line(int number, String chain, List<Words.Word> words, String text) {}

  private IptablesSave(String file, Family family, Map<String, Ipset> ipsets) {
    this.file = file;
    this.family = family;
    this.ipsets = ipsets;
  }

  /**
   * The tables; where a line is none of such a file, with one besides in which anything may happen.
   *
   * @param file for origins and messages
   */
  static TablesRead read(String file, String text, Family family) {
    return read(file, text, family, Map.of());
  }

  /**
   * The same where sets of ipset are known that its rules ask for.
   *
   * @param ipsets by name
   */
  static TablesRead read(String file, String text, Family family, Map<String, Ipset> ipsets) {
    return new IptablesSave(file, family, ipsets).read(text);
  }

  private TablesRead read(String text) {
    String table = "";
    int number = 0;
    boolean broken = false;
    for (String raw : (Iterable<String>) text.lines()::iterator) {
      number++;
      String line = raw.strip();
      // Counters, with -c.
      if (line.startsWith("[") && line.indexOf("] ") > 0) {
        line = line.substring(line.indexOf("] ") + 2).strip();
      }
      if (line.isEmpty() || line.startsWith("#")) {
        continue;
      }
      if (line.startsWith("*")) {
        table = line.substring(1).strip();
        if (!BUILT_IN.containsKey(table)) {
          broken = true;
          remarks.add(Remark.unreadable(file, number, 1, "no table that we know: " + line));
        }
        tables.computeIfAbsent(table, t -> new Parts());
      } else if (line.equals("COMMIT")) {
        table = "";
      } else if (!line(table, number, line)) {
        broken = true;
        remarks.add(Remark.unreadable(file, number, 1, "no line of iptables-save: " + line));
      }
    }
    if (!table.isEmpty()) {
      broken = true;
      remarks.add(
          Remark.unreadable(file, number, 1, "the table " + table + " ends without COMMIT"));
    } else if (tables.isEmpty()) {
      broken |= !text.isBlank();
      if (!text.isBlank()) {
        remarks.add(Remark.unreadable(file, 1, 1, "no table in it"));
      }
    }
    List<Table> all = new ArrayList<>();
    tables.forEach((name, parts) -> all.add(table(name, parts)));
    if (broken) {
      all.add(
          Opaque.table(
              family.nft(), new Origin(file, 0, 0, ""), file + " could not be read as a whole"));
    }
    return new TablesRead(all, remarks);
  }

  /** Whether it is a chain or a rule. */
  private boolean line(String table, int number, String line) {
    Optional<List<Words.Word>> words = Words.of(line);
    if (words.isEmpty() || words.get().isEmpty()) {
      return false;
    }
    List<Words.Word> all = words.get();
    String first = all.getFirst().text();
    // `iptables -S` prints one table, without its name: mostly this one.
    Parts parts = tables.computeIfAbsent(table.isEmpty() ? "filter" : table, t -> new Parts());
    if (first.startsWith(":") && first.length() > 1 && all.size() >= 2) {
      return chain(parts, first.substring(1), all.get(1).text());
    }
    if (all.size() >= 3 && (first.equals("-P") || first.equals("--policy"))) {
      return chain(parts, all.get(1).text(), all.get(2).text());
    }
    if (all.size() == 2 && (first.equals("-N") || first.equals("--new-chain"))) {
      return chain(parts, all.get(1).text(), "-");
    }
    if (all.size() >= 2 && (first.equals("-A") || first.equals("--append"))) {
      parts.lines.add(
          new Line(number, all.get(1).text(), all.subList(2, all.size()), Opaque.brief(line)));
      return true;
    }
    return false;
  }

  private static boolean chain(Parts parts, String name, String policy) {
    parts.drops.put(name, policy.equals("DROP"));
    return Set.of("ACCEPT", "DROP", "-").contains(policy);
  }

  private Table table(String name, Parts parts) {
    Map<String, List<Rule>> rules = new LinkedHashMap<>();
    parts.drops.keySet().forEach(chain -> rules.put(chain, new ArrayList<>()));
    for (Line line : parts.lines) {
      if (!rules.containsKey(line.chain)
          && BUILT_IN.getOrDefault(name, Set.of()).contains(line.chain)) {
        remarks.add(
            Remark.assumed(
                file, "the policy of " + name + " " + line.chain + " is not said: ACCEPT"));
      }
      rules.computeIfAbsent(line.chain, c -> new ArrayList<>());
    }
    for (Line line : parts.lines) {
      Origin where = new Origin(file, line.number, 1, line.text);
      Rule rule = IptablesRule.read(line.words, family, rules.keySet(), ipsets, where);
      Unclear.texts(rule).forEach(text -> remarks.add(Remark.notUnderstood(where, text)));
      rules.computeIfAbsent(line.chain, c -> new ArrayList<>()).add(rule);
    }
    List<Chain> chains = new ArrayList<>();
    rules.forEach((chain, own) ->
        chains.add(
            new Chain(chain, base(name, chain, parts.drops.getOrDefault(chain, false)), own)));
    return new Table(family.nft(), name, sets(chains), chains);
  }

  /** The sets that its rules ask for. */
  private List<NftSet> sets(List<Chain> chains) {
    Map<String, NftSet> sets = new LinkedHashMap<>();
    chains.stream()
        .flatMap(chain -> chain.rules().stream())
        .flatMap(rule -> rule.statements().stream())
        .forEach(statement -> {
          if (statement instanceof Statement.Match match
              && match.right() instanceof Expression.SetRef ref) {
            sets.computeIfAbsent(
                ref.name(),
                known ->
                    Optional.ofNullable(ipsets.get(known))
                        .map(set -> set.set(family))
                        .orElseGet(() -> Ipset.nothing(family)));
          }
        });
    return List.copyOf(sets.values());
  }

  private static Optional<Base> base(String table, String chain, boolean drops) {
    if (!BUILT_IN.getOrDefault(table, Set.of()).contains(chain)) {
      return Optional.empty();
    }
    return Optional.ofNullable(HOOKS.get(chain))
        .map(hook -> {
          boolean nat = table.equals("nat");
          boolean source = hook == Hook.POSTROUTING || hook == Hook.INPUT;
          int priority = nat ? (source ? 100 : -100) : PRIORITIES.getOrDefault(table, 0);
          // A new routing look-up follows where mangle changed what routing goes by.
          boolean route = table.equals("mangle") && hook == Hook.OUTPUT;
          return new Base(
              nat ? "nat" : route ? "route" : "filter", hook, priority, drops, Optional.empty());
        });
  }
}
