package io.gatehouse.apply;

import io.gatehouse.ruleset.NftSet;
import io.gatehouse.ruleset.NftText;
import io.gatehouse.ruleset.Table;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * What has to be known of a table in order to replace it by another in one transaction: which sets
 * it has, what they look like without their elements, and which chains.
 */
record Shape(List<OfSet> sets, List<OfChain> chains) {

  /**
   * A set or map.
   *
   * @param declaration the table with nothing but this set, without elements
   * @param contract what may stand in it while it is live; empty where only we write it
   */
  record OfSet(String name, boolean map, String declaration, String contract) {
    boolean isLive() {
      return !contract.isEmpty();
    }
  }

  /**
   * A chain.
   *
   * @param base whether the kernel enters it; such a chain is made anew, others refer to none
   */
  record OfChain(String name, boolean base) {}

  Shape {
    sets = List.copyOf(sets);
    chains = List.copyOf(chains);
  }

  static final Shape NOTHING = new Shape(List.of(), List.of());

  static Shape of(Table table) {
    return new Shape(
        table.sets().stream()
            .map(set ->
                new OfSet(
                    set.name(),
                    set.holds().isPresent(),
                    NftText.of(
                        new Table(table.family(), table.name(), List.of(empty(set)), List.of())),
                    set.contract().map(Shape::digest).orElse("")))
            .toList(),
        table.chains().stream()
            .map(chain -> new OfChain(chain.name(), chain.base().isPresent()))
            .toList());
  }

  static NftSet empty(NftSet set) {
    return withElements(set, List.of());
  }

  static NftSet withElements(NftSet set, List<NftSet.Element> elements) {
    return new NftSet(
        set.name(),
        set.key(),
        set.holds(),
        set.flags(),
        set.size(),
        elements,
        set.contract(),
        set.origin());
  }

  /**
   * One line that says what the contract allows; the same for the same contract, whatever line asks
   * for it.
   */
  private static String digest(NftSet.Contract contract) {
    return ("keys "
            + contract.keys()
            + " verdicts "
            + contract.verdicts()
            + " data "
            + contract.data())
        .replaceAll("[\\s]+", " ");
  }

  Optional<OfSet> set(String name) {
    return sets.stream().filter(set -> set.name().equals(name)).findFirst();
  }

  /** The sets whose contents stay as they are when {@code this} is replaced by {@code next}. */
  List<String> kept(Shape next) {
    return sets.stream()
        .filter(OfSet::isLive)
        .filter(set -> next.set(set.name()).filter(set::equals).isPresent())
        .map(OfSet::name)
        .toList();
  }

  /** Lines that {@link #parse} reads. */
  String text() {
    String chainLines =
        chains.stream()
            .map(chain -> (chain.base() ? "base " : "chain ") + chain.name() + "\n")
            .collect(Collectors.joining());
    String setLines =
        sets.stream()
            .map(set ->
                (set.map() ? "map " : "set ")
                    + set.name()
                    + " "
                    + set.contract()
                    + "\n"
                    + set.declaration()
                        .lines()
                        .map(l -> "\t" + l + "\n")
                        .collect(Collectors.joining()))
            .collect(Collectors.joining());
    return chainLines + setLines;
  }

  static Shape parse(String text) {
    List<OfSet> sets = new ArrayList<>();
    List<OfChain> chains = new ArrayList<>();
    for (String line : text.lines().toList()) {
      if (line.startsWith("\t") && !sets.isEmpty()) {
        OfSet last = sets.removeLast();
        sets.add(
            new OfSet(
                last.name(),
                last.map(),
                last.declaration() + line.substring(1) + "\n",
                last.contract()));
        continue;
      }
      String[] words = line.split(" ", 3);
      if (words.length >= 2) {
        switch (words[0]) {
          case "base", "chain" -> chains.add(new OfChain(words[1], words[0].equals("base")));
          case "set", "map" ->
              sets.add(
                  new OfSet(
                      words[1], words[0].equals("map"), "", words.length == 3 ? words[2] : ""));
          default -> {}
        }
      }
    }
    return new Shape(sets, chains);
  }
}
