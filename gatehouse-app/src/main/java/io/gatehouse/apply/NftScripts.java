package io.gatehouse.apply;

import io.gatehouse.model.Origin;
import io.gatehouse.ruleset.Chain;
import io.gatehouse.ruleset.Expression;
import io.gatehouse.ruleset.NftSet;
import io.gatehouse.ruleset.NftText;
import io.gatehouse.ruleset.Statement;
import io.gatehouse.ruleset.Table;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * The nft transactions of a change. Each is one file for {@code nft -f}, which the kernel takes
 * wholly or not at all, and each works whether or not what it replaces is still there.
 */
final class NftScripts {
  static final String TABLE = "gatehouse";
  static final String FENCE = "gatehouse_fence";

  /** The set that tells which generation stands: `hand.sh` asks the kernel, not a file. */
  static final String MARKER = "generation";

  private static final int SAMPLE = 64;

  private static final String ONCE = "add table inet %1$s\ndelete table inet %1$s\n";
  static final String UNFENCE = ONCE.formatted(FENCE);
  static final String REMOVE = ONCE.formatted(TABLE) + UNFENCE;

  private NftScripts() {}

  /** The table with the set that names its generation. */
  static Table marked(Table table, int generation) {
    Origin origin = Origin.builtIn("the generation that stands");
    NftSet marker =
        new NftSet(
            MARKER,
            new Expression.Meta(Expression.Meta.Key.MARK),
            Optional.empty(),
            Set.of(),
            List.of(NftSet.Element.of(new Expression.Number(generation), origin)),
            Optional.empty(),
            origin);
    List<NftSet> sets = new ArrayList<>(List.of(marker));
    sets.addAll(table.sets());
    return table.with(sets, table.chains());
  }

  /** The table without the contents of live sets: those stay, or come from elsewhere. */
  static Table withoutLive(Table table) {
    return table.with(
        table.sets().stream().map(set -> set.isLive() ? Shape.empty(set) : set).toList(),
        table.chains());
  }

  /**
   * The table with the first few elements of each set: enough to ask whether its fence is taken,
   * where all elements are asked for in the table itself.
   */
  static Table sample(Table table) {
    return table.with(
        table.sets().stream()
            .map(set -> Shape.withElements(set, set.elements().stream().limit(SAMPLE).toList()))
            .toList(),
        table.chains());
  }

  /**
   * The filter chains of a table as a table of its own. While both stand, a packet passes only
   * where both accept it. Chains that change packets have no place in it.
   */
  static String fence(Optional<Table> table) {
    if (table.isEmpty()) {
      return UNFENCE + "add table inet " + FENCE + "\n";
    }
    List<Chain> chains =
        table.get().chains().stream()
            .filter(chain -> chain.base().isEmpty() || filters(chain))
            .map(chain ->
                asksOrLearns(chain) ? new Chain(chain.name(), chain.base(), List.of()) : chain)
            .toList();
    // Chains below a base chain that is left out may change packets, but nothing enters them.
    String rules = NftText.of(new Table("inet", FENCE, List.of(), chains));
    // Of ten thousand peers a set that nothing in it asks takes a tenth of a second.
    List<NftSet> sets =
        table.get().sets().stream()
            .filter(set -> rules.contains("@" + set.name()) || set.name().equals(MARKER))
            .toList();
    return UNFENCE + NftText.of(new Table("inet", FENCE, sets, chains));
  }

  /** In the fence every live map is empty: the daemon would be asked for ever. */
  private static boolean asksOrLearns(Chain chain) {
    return chain.rules().stream()
        .flatMap(rule -> rule.statements().stream())
        .anyMatch(s -> s instanceof Statement.Queue || s instanceof Statement.Update);
  }

  private static boolean filters(Chain chain) {
    Chain.Base base = chain.base().orElseThrow();
    return base.type().equals("filter")
        && (base.priority() >= 0 || base.hook() == Chain.Hook.PREROUTING)
        && !asksOrLearns(chain)
        && !translates(chain);
  }

  private static boolean translates(Chain chain) {
    return chain.rules().stream()
        .flatMap(rule -> rule.statements().stream())
        .anyMatch(s ->
            s instanceof Statement.Assign assign
                && assign.target() instanceof Expression.Payload payload
                && payload.header().equals("ip"));
  }

  /**
   * Replaces a table by another in place: chains are emptied and filled, sets that only we write
   * are made anew, live sets of the same kind and contract keep their elements, and the fence goes.
   *
   * @param old what stands
   * @param next what is to stand; nothing ends the table
   * @param refill the text of the next table without the contents of live sets
   */
  static String replace(Shape old, Shape next, String refill) {
    StringBuilder text = new StringBuilder(refill.length() + 4096);
    text.append("add table inet ").append(TABLE).append('\n').append(UNFENCE);
    // Somebody may have removed a part of it: what is emptied or deleted below is there after
    // these.
    old.sets().forEach(set -> text.append(set.declaration()));
    old.chains().forEach(chain -> text.append("add chain inet ").append(chain(chain.name())));
    old.chains().forEach(chain -> text.append("flush chain inet ").append(chain(chain.name())));
    List<String> kept = old.kept(next);
    for (Shape.OfSet set : old.sets()) {
      // Made anew, not emptied: the kernel puts elements into an empty tree faster than beside
      // those that go.
      if (!kept.contains(set.name())) {
        text.append("delete ")
            .append(set.map() ? "map" : "set")
            .append(" inet ")
            .append(chain(set.name()));
      }
    }
    Set<String> stay = new LinkedHashSet<>();
    next.chains().stream().filter(chain -> !chain.base()).forEach(chain -> stay.add(chain.name()));
    for (Shape.OfChain chain : old.chains()) {
      // A chain that a live map leads to cannot be deleted, and need not be.
      if (chain.base() || !stay.contains(chain.name())) {
        text.append("delete chain inet ").append(chain(chain.name()));
      }
    }
    return text.append(refill).toString();
  }

  private static String chain(String name) {
    return TABLE + " " + name + "\n";
  }
}
