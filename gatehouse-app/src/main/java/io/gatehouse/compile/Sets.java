package io.gatehouse.compile;

import io.gatehouse.compile.Partition.Claim;
import io.gatehouse.compile.Partition.Span;
import io.gatehouse.model.Family;
import io.gatehouse.model.Located;
import io.gatehouse.model.Origin;
import io.gatehouse.model.Prefix;
import io.gatehouse.ruleset.Expression.Range;
import io.gatehouse.ruleset.Expression.Selector;
import io.gatehouse.ruleset.Expression.SetRef;
import io.gatehouse.ruleset.Expression.Value;
import io.gatehouse.ruleset.NftSet;
import io.gatehouse.ruleset.NftSet.Element;
import io.gatehouse.ruleset.NftSet.Flag;
import io.gatehouse.ruleset.NftSet.Holds;
import io.gatehouse.ruleset.Statement.Verdict;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;

/**
 * The sets and maps of the table that is being made, each made when the first rule needs it. What
 * would be empty is not made: the rule is then not written either.
 */
final class Sets {
  private final Map<String, NftSet> made = new LinkedHashMap<>();

  /** In the order of their making. */
  List<NftSet> all() {
    return List.copyOf(made.values());
  }

  /**
   * A set of addresses, its name with the family's number behind it; nothing where there are none.
   */
  Optional<SetRef> addresses(String name, Family family, Collection<Located<Prefix>> prefixes) {
    return addresses(name, family, () -> prefixes);
  }

  /** The same where the addresses are gathered only if the set is not made yet. */
  Optional<SetRef> addresses(
      String name, Family family, Supplier<Collection<Located<Prefix>>> gathered) {
    if (made.containsKey(name + digit(family))) {
      return Optional.of(new SetRef(name + digit(family)));
    }
    Collection<Located<Prefix>> prefixes = gathered.get();
    List<Claim<Boolean>> parts =
        Partition.cut(
            prefixes.stream()
                .filter(prefix -> prefix.value().family() == family)
                .map(prefix -> new Claim<>(prefix.value(), true, prefix.origin()))
                .toList());
    List<Element> elements =
        Partition.spans(parts).stream()
            .map(span -> Element.of(value(span), span.origin()))
            .toList();
    return set(name + digit(family), Nft.saddr(family), Set.of(Flag.INTERVAL), elements);
  }

  /** A set of device names. */
  Optional<SetRef> devices(String name, Collection<Located<String>> devices) {
    Map<String, Element> elements = new LinkedHashMap<>();
    for (Located<String> device : devices) {
      elements.putIfAbsent(device.value(), Element.of(Nft.device(device.value()), device.origin()));
    }
    return set(name, Nft.IIFNAME, Set.of(), List.copyOf(elements.values()));
  }

  private Optional<SetRef> set(String name, Selector key, Set<Flag> flags, List<Element> elements) {
    if (elements.isEmpty()) {
      return Optional.empty();
    }
    made.putIfAbsent(
        name,
        new NftSet(
            name,
            key,
            Optional.empty(),
            flags,
            elements,
            Optional.empty(),
            elements.getFirst().origin()));
    return Optional.of(new SetRef(name));
  }

  /** A map from addresses to verdicts; its name, or nothing where no address leads anywhere. */
  Optional<String> verdicts(String name, Family family, Collection<Claim<Verdict>> verdicts) {
    List<Element> elements =
        Partition.spans(verdicts.stream().filter(v -> v.prefix().family() == family).toList())
            .stream()
            .map(span ->
                new Element(
                    value(span), Optional.of(span.owner()), Optional.empty(), span.origin()))
            .toList();
    if (elements.isEmpty()) {
      return Optional.empty();
    }
    put(name + digit(family), family, Set.of(Flag.INTERVAL), elements, Optional.empty());
    return Optional.of(name + digit(family));
  }

  /**
   * A map from single addresses to verdicts that the daemon fills while clients come and go. Its
   * elements end by themselves where nobody renews them.
   */
  String live(String name, Family family, NftSet.Contract contract, Origin origin) {
    live(
        of(name, family),
        Nft.saddr(family),
        new Holds.Verdicts(),
        Set.of(Flag.TIMEOUT),
        contract,
        origin);
    return of(name, family);
  }

  /** A map that the daemon fills. */
  void live(
      String name,
      Selector key,
      Holds holds,
      Set<Flag> flags,
      NftSet.Contract contract,
      Origin origin) {
    made.putIfAbsent(
        name,
        new NftSet(name, key, Optional.of(holds), flags, List.of(), Optional.of(contract), origin));
  }

  /** A set or map that is filled while the rules stand. */
  void live(NftSet set) {
    made.putIfAbsent(set.name(), set);
  }

  /** What the set of a family is called. */
  static String of(String name, Family family) {
    return name + digit(family);
  }

  private void put(
      String name,
      Family family,
      Set<Flag> flags,
      List<Element> elements,
      Optional<NftSet.Contract> contract) {
    made.putIfAbsent(
        name,
        new NftSet(
            name,
            Nft.saddr(family),
            Optional.of(new Holds.Verdicts()),
            flags,
            elements,
            contract,
            elements.getFirst().origin()));
  }

  private static Value value(Span<?> span) {
    return span.prefix()
        .map(Nft::net)
        .orElseGet(() -> new Range(Nft.address(span.first()), Nft.address(span.last())));
  }

  private static String digit(Family family) {
    return family == Family.V4 ? "4" : "6";
  }
}
