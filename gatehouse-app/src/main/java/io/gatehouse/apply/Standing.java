package io.gatehouse.apply;

import io.gatehouse.snapshot.Machine;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** Our table as it is in the kernel now, by what nft lists: others may have changed it since. */
record Standing(
    boolean there, Set<String> sets, Set<String> maps, Set<String> chains, String listing) {

  Standing {
    sets = Set.copyOf(sets);
    maps = Set.copyOf(maps);
    chains = Set.copyOf(chains);
  }

  static Standing read(Machine machine) {
    Machine.Answer answer = machine.run("nft", "-s", "list", "table", "inet", NftScripts.TABLE);
    return answer.ok()
        ? parse(answer.out())
        : new Standing(false, Set.of(), Set.of(), Set.of(), "");
  }

  /** The same without elements, which of ten thousand peers take a second. */
  static Standing shapeOf(Machine machine) {
    // For `-t list table` nft 1.0.6 fetches them all the same.
    String rules = machine.run("nft", "-s", "-t", "list", "ruleset", "inet").outOrEmpty();
    String head = "table inet " + NftScripts.TABLE + " {\n";
    int begin = ("\n" + rules).indexOf("\n" + head);
    int end = begin < 0 ? -1 : rules.indexOf("\n}\n", begin);
    return end < 0
        ? new Standing(false, Set.of(), Set.of(), Set.of(), "")
        : parse(rules.substring(begin, end + 3));
  }

  /** nft lists each set, map and chain as a block whose first line stands behind one tab. */
  static Standing parse(String listing) {
    Set<String> sets = new LinkedHashSet<>();
    Set<String> maps = new LinkedHashSet<>();
    Set<String> chains = new LinkedHashSet<>();
    for (String line : listing.lines().toList()) {
      String[] words = line.strip().split(" ", 4);
      if (line.startsWith("\t") && !line.startsWith("\t\t") && words.length >= 3) {
        switch (words[0]) {
          case "set" -> sets.add(words[1]);
          case "map" -> maps.add(words[1]);
          case "chain" -> chains.add(words[1]);
          default -> {}
        }
      }
    }
    return new Standing(true, sets, maps, chains, listing);
  }

  /**
   * The shape to replace: what the generation brought, and what anybody has added to its table
   * since.
   */
  Shape shape(Optional<Generation> before) {
    if (!there) {
      return Shape.NOTHING;
    }
    Shape known = before.map(Generation::shape).orElse(Shape.NOTHING);
    List<Shape.OfSet> allSets = new ArrayList<>(known.sets());
    sets.stream()
        .filter(name -> known.set(name).isEmpty())
        .sorted()
        .forEach(name -> allSets.add(new Shape.OfSet(name, false, "", "")));
    maps.stream()
        .filter(name -> known.set(name).isEmpty())
        .sorted()
        .forEach(name -> allSets.add(new Shape.OfSet(name, true, "", "")));
    List<Shape.OfChain> allChains = new ArrayList<>(known.chains());
    Set<String> knownChains = new LinkedHashSet<>();
    known.chains().forEach(chain -> knownChains.add(chain.name()));
    chains.stream()
        .filter(name -> !knownChains.contains(name))
        .sorted()
        // Made anew whatever it is: whether the kernel enters it does not matter to a delete.
        .forEach(name -> allChains.add(new Shape.OfChain(name, true)));
    return new Shape(allSets, allChains);
  }
}
