package io.gatehouse.snapshot;

import io.gatehouse.model.Family;
import io.gatehouse.model.Origin;
import io.gatehouse.model.Prefix;
import io.gatehouse.ruleset.Expression;
import io.gatehouse.ruleset.Expression.Meta;
import io.gatehouse.ruleset.Expression.Selector;
import io.gatehouse.ruleset.Expression.Value;
import io.gatehouse.ruleset.NftSet;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * A set of ipset.
 *
 * @param family nothing for one of ports, which has both
 * @param changes whether packets or time change it: then it holds anything
 * @param unclear what of it is not understood, where something is not
 */
record Ipset(
    String name,
    List<Part> parts,
    Optional<Family> family,
    boolean changes,
    List<Element> elements,
    Optional<String> unclear,
    Origin origin) {

  /** The name of the set that holds nothing, which no other may have. */
  static final String NOTHING = "(nothing)";

  /** What a part of its elements is. */
  enum Part {
    ADDRESS,
    /** The protocol and its port. */
    PORT
  }

  /**
   * An element.
   *
   * @param values as many as the selectors that a rule asks by
   * @param exception one of {@code nomatch}: what lies in it is not in the set, but for what lies
   *     in narrower ones
   */
  record Element(List<Value> values, boolean exception) {
    Element {
      values = List.copyOf(values);
    }
  }

  Ipset {
    parts = List.copyOf(parts);
    elements = List.copyOf(elements);
  }

  /** The set that holds nothing: in it is what could not be asked (ip_set_test). */
  static NftSet nothing(Family family) {
    return new NftSet(
        NOTHING,
        new Expression.Payload(family.nft(), "saddr"),
        Optional.empty(),
        Set.of(),
        List.of(),
        Optional.empty(),
        Origin.builtIn("ipset"));
  }

  /** Whether a rule of the family that names so many directions can find anything in it. */
  boolean isAskedBy(Family asking, int directions) {
    return directions >= parts.size() && family.filter(own -> own != asking).isEmpty();
  }

  boolean hasPorts() {
    return parts.contains(Part.PORT);
  }

  /**
   * What a rule asks by.
   *
   * @param sources for each part whether it is the packet's source
   */
  Selector key(Family asking, List<Boolean> sources) {
    List<Expression> selectors = new ArrayList<>();
    for (int i = 0; i < parts.size(); i++) {
      boolean source = sources.get(i);
      switch (parts.get(i)) {
        case ADDRESS ->
            selectors.add(new Expression.Payload(asking.nft(), source ? "saddr" : "daddr"));
        case PORT -> {
          selectors.add(new Meta(Meta.Key.L4PROTO));
          selectors.add(new Expression.Payload("th", source ? "sport" : "dport"));
        }
      }
    }
    return selectors.size() == 1
        ? (Selector) selectors.getFirst()
        : new Expression.Concat(selectors);
  }

  /** The same as a set of nftables. */
  NftSet set(Family asking) {
    List<Value> keys = parts.equals(List.of(Part.ADDRESS)) ? flat() : grouped();
    return new NftSet(
        name,
        key(asking, parts.stream().map(part -> true).toList()),
        Optional.empty(),
        changes ? Set.of(NftSet.Flag.DYNAMIC) : Set.of(),
        keys.stream().map(key -> NftSet.Element.of(key, origin)).toList(),
        Optional.empty(),
        origin);
  }

  /** The narrowest prefix decides (hash_net_kadt): exceptions are holes in wider ones. */
  private List<Value> flat() {
    List<Prefix> holes = new ArrayList<>();
    for (Element element : elements) {
      if (element.exception() && element.values().getFirst() instanceof Expression.Net net) {
        holes.add(net.prefix());
      }
    }
    List<Value> flat = new ArrayList<>();
    for (Element element : elements) {
      if (element.exception()) {
        continue;
      }
      Value value = element.values().getFirst();
      if (value instanceof Expression.Net(Prefix prefix)) {
        List<Prefix> inside =
            holes.stream()
                .filter(hole -> prefix.contains(hole) && hole.length() > prefix.length())
                .toList();
        prefix.without(inside).forEach(rest -> flat.add(new Expression.Net(rest)));
      } else {
        flat.add(value);
      }
    }
    return flat;
  }

  /** Those that differ in their first part alone together: a walk looks at each that stands. */
  private List<Value> grouped() {
    Map<List<Value>, List<Value>> firsts = new LinkedHashMap<>();
    for (Element element : elements) {
      List<Value> values = element.values();
      firsts
          .computeIfAbsent(values.subList(1, values.size()), rest -> new ArrayList<>())
          .add(values.getFirst());
    }
    List<Value> tuples = new ArrayList<>();
    firsts.forEach((rest, some) -> {
      List<Value> tuple = new ArrayList<>();
      tuple.add(some.size() == 1 ? some.getFirst() : new Expression.AnyOf(some));
      tuple.addAll(rest);
      tuples.add(new Expression.Tuple(tuple));
    });
    return tuples;
  }
}
