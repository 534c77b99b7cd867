package io.gatehouse.verify;

import io.gatehouse.bdd.Bdd;
import io.gatehouse.bdd.Bounded;
import io.gatehouse.model.Family;
import io.gatehouse.model.Gateway;
import io.gatehouse.path.DescribedHost;
import io.gatehouse.path.HostState;
import io.gatehouse.path.HostState.SpdState;
import io.gatehouse.path.PacketPath;
import io.gatehouse.ruleset.Ruleset;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;

/** Proves the properties of a gateway on its ruleset. */
public final class Proofs {
  /** Decision nodes for one walk; a million take some 40 MB. */
  private static final int NODES = 6_000_000;

  private final Gateway gateway;
  private final Map<Property, Verdict> verdicts = new EnumMap<>(Property.class);

  private Proofs(Gateway gateway) {
    this.gateway = gateway;
  }

  /** A verdict on each property, in their order. */
  public static List<Verdict> of(Gateway gateway, Ruleset ruleset) {
    Proofs proofs = new Proofs(gateway);
    for (Family family : Family.values()) {
      for (Membership membership : Membership.of(gateway)) {
        proofs.prove(
            membership.in(ruleset),
            family,
            EnumSet.of(Property.TOO_MUCH, Property.TOO_LITTLE),
            walk -> Reached.of(gateway, walk, membership));
      }
      proofs.prove(
          ruleset,
          family,
          EnumSet.of(
              Property.IN_CLEAR,
              Property.EVIDENCE,
              Property.REWRITTEN,
              Property.IDENTITY,
              Property.OUTSIDE),
          walk -> {
            List<Suspect> all = new ArrayList<>(Leaks.of(gateway, walk));
            all.addAll(Rewriting.of(gateway, walk));
            all.addAll(Outside.of(gateway, walk));
            return all;
          });
      proofs.prove(
          flushed(ruleset),
          family,
          EnumSet.of(Property.FLUSHED),
          walk -> Leaks.flushed(gateway, walk));
    }
    return List.of(Property.values()).stream()
        .map(property -> proofs.verdicts.getOrDefault(property, new Verdict.Holds(property)))
        .toList();
  }

  private static Ruleset flushed(Ruleset ruleset) {
    return ruleset.withTables(List.of());
  }

  private void prove(
      Ruleset ruleset, Family family, Set<Property> about, Function<Walk, List<Suspect>> question) {
    HostState host = DescribedHost.of(gateway, ruleset, tunnel -> EnumSet.allOf(SpdState.class));
    Bounded<List<Verdict>> answer =
        PacketPath.ask(
            host,
            family,
            NODES,
            path -> {
              Walk walk = Walk.of(host, path);
              return question.apply(walk).stream()
                  .flatMap(suspect -> verdict(walk, family, suspect).stream())
                  .toList();
            });
    switch (answer) {
      case Bounded.Answer<List<Verdict>> found -> found.value().forEach(this::note);
      case Bounded.GaveUp<List<Verdict>> gaveUp ->
          about.forEach(property ->
              note(
                  new Verdict.Unknown(
                      property, "the question took more room than " + gaveUp.nodes() + " nodes")));
    }
  }

  /** The first witness stands; it says more than any "unknown". */
  private void note(Verdict verdict) {
    verdicts.merge(
        verdict.property(), verdict, (old, now) -> old instanceof Verdict.Broken ? old : now);
  }

  private static Optional<Verdict> verdict(Walk walk, Family family, Suspect suspect) {
    int packets = suspect.packets();
    if (packets == Bdd.FALSE) {
      return Optional.empty();
    }
    int surely = walk.space().lowerBound(packets);
    if (surely == Bdd.FALSE) {
      String what =
          walk.space().unknowns(packets).stream()
              .filter(u -> u.kind() == io.gatehouse.path.Unknown.Kind.NOT_UNDERSTOOD)
              .map(u -> u.text() + " (" + u.place() + ")")
              .findFirst()
              .orElse("something");
      return Optional.of(
          new Verdict.Unknown(suspect.property(), "it rests on what is not understood: " + what));
    }
    return suspect
        .journey()
        .trace(surely, suspect.wish())
        .map(trace ->
            new Verdict.Broken(suspect.property(), family, suspect.what(), suspect.made(), trace));
  }
}
