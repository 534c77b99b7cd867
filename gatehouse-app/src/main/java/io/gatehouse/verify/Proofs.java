package io.gatehouse.verify;

import io.gatehouse.bdd.Bdd;
import io.gatehouse.bdd.Bounded;
import io.gatehouse.model.Family;
import io.gatehouse.model.Gateway;
import io.gatehouse.model.PortRange;
import io.gatehouse.model.Prefix;
import io.gatehouse.path.DescribedHost;
import io.gatehouse.path.HostState;
import io.gatehouse.path.HostState.SpdState;
import io.gatehouse.path.PacketPath;
import io.gatehouse.ruleset.Ruleset;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;

/** Proves the properties of a gateway on its ruleset. */
public final class Proofs {
  /**
   * Decision nodes for one walk; a million take some 40 MB, and twice that while the arena grows.
   * Two walks may go on at a time.
   */
  public static final int NODES = 6_000_000;

  private final Gateway gateway;
  private final int nodes;

  private Proofs(Gateway gateway, int nodes) {
    this.gateway = gateway;
    this.nodes = nodes;
  }

  /** A verdict on each property, in their order. */
  public static List<Verdict> of(Gateway gateway, Ruleset ruleset) {
    return of(gateway, ruleset, NODES);
  }

  /**
   * The same where less room may be taken.
   *
   * @param nodes for one walk: of what needs more nothing is known
   */
  public static List<Verdict> of(Gateway gateway, Ruleset ruleset, int nodes) {
    Proofs proofs = new Proofs(gateway, nodes);
    Map<Property, Verdict> verdicts = new EnumMap<>(Property.class);
    // The families have nothing in common; the order of the verdicts stays theirs.
    List<List<Verdict>> found =
        Arrays.stream(Family.values())
            .parallel()
            .map(family -> proofs.prove(ruleset, family))
            .toList();
    for (List<Verdict> some : found) {
      for (Verdict verdict : some) {
        // The first witness stands; it says more than any "unknown".
        verdicts.merge(
            verdict.property(), verdict, (old, now) -> old instanceof Verdict.Broken ? old : now);
      }
    }
    return Arrays.stream(Property.values())
        .map(property -> verdicts.getOrDefault(property, new Verdict.Holds(property)))
        .toList();
  }

  /** What is broken, or not known. */
  private List<Verdict> prove(Ruleset ruleset, Family family) {
    List<Function<Walk, List<Suspect>>> asked = new ArrayList<>();
    Set<Property> about =
        EnumSet.of(
            Property.IN_CLEAR,
            Property.EVIDENCE,
            Property.REWRITTEN,
            Property.IDENTITY,
            Property.APPEARS,
            Property.TOO_MUCH,
            Property.TOO_LITTLE,
            Property.ANSWERS,
            Property.OUTSIDE);
    asked.add(walk -> Leaks.of(gateway, walk));
    asked.add(walk -> Rewriting.of(gateway, walk));
    asked.add(walk -> Outside.of(gateway, walk));
    asked.add(walk -> ThisHost.of(gateway, walk));
    asked.add(walk -> Ordinary.of(gateway, walk));
    asked.add(walk -> ThroughL2tp.of(gateway, walk));
    // Without addresses of this family on any far side there is nobody to reach, nor to leak.
    boolean tunnels =
        gateway.tunnels().stream()
            .flatMap(tunnel -> tunnel.farPrefixes().stream())
            .anyMatch(far -> far.value().family() == family);
    if (tunnels) {
      asked.add(walk -> Reached.of(gateway, walk, ruleset));
    }
    List<Verdict> found = new ArrayList<>(prove(ruleset, family, about, asked));
    if (tunnels) {
      found.addAll(
          prove(
              ruleset.withTables(List.of()),
              family,
              EnumSet.of(Property.FLUSHED),
              List.of(walk -> Leaks.flushed(gateway, walk))));
    }
    return found;
  }

  private List<Verdict> prove(
      Ruleset ruleset,
      Family family,
      Set<Property> about,
      List<Function<Walk, List<Suspect>>> asked) {
    HostState host = DescribedHost.of(gateway, ruleset, tunnel -> EnumSet.allOf(SpdState.class));
    Bounded<List<Verdict>> answer =
        PacketPath.askOfEnds(
            host,
            family,
            nodes,
            Meaning.about(gateway),
            path -> {
              Walk walk = Walk.of(host, path);
              return asked.stream()
                  .flatMap(question -> question.apply(walk).stream())
                  .flatMap(suspect -> verdict(walk, family, suspect).stream())
                  .toList();
            });
    return switch (answer) {
      case Bounded.Answer<List<Verdict>> found -> found.value();
      case Bounded.GaveUp<List<Verdict>> gaveUp -> {
        String why = "the question took more room than " + gaveUp.nodes() + " nodes";
        yield about.stream().<Verdict>map(p -> new Verdict.Unknown(p, why)).toList();
      }
    };
  }

  /** What makes a witness one that people have met: ordinary addresses, well-known ports. */
  private static int[] wishes(Gateway gateway, Walk walk, Suspect suspect) {
    Meaning meaning = new Meaning(gateway, walk);
    List<Integer> wishes = new ArrayList<>();
    wishes.add(suspect.wish());
    if (suspect.property() == Property.TOO_LITTLE) {
      // As far as it gets: not a tunnel that is down, but what stops it when all is up.
      suspect.journey().hops().reversed().forEach(hop -> wishes.add(hop.reached()));
    }
    wishes.add(walk.space().firstOfConnection());
    List<Prefix> around = new ArrayList<>(meaning.far());
    around.addAll(meaning.networks());
    wishes.add(walk.minus(Bdd.TRUE, meaning.edges(around), meaning.special()));
    wishes.add(walk.space().source(meaning.networks()));
    wishes.add(walk.space().source(Meaning.SOMEBODY));
    wishes.add(walk.space().destination(meaning.networks()));
    wishes.add(walk.space().destination(Meaning.SOMEBODY));
    wishes.add(walk.minus(Bdd.TRUE, meaning.thisHost()));
    wishes.add(walk.space().destinationPort(PortRange.of(53)));
    return wishes.stream().mapToInt(Integer::intValue).toArray();
  }

  private Optional<Verdict> verdict(Walk walk, Family family, Suspect suspect) {
    // Only what can set out: the rest may be said of surely and still be no packet.
    int packets = walk.and(suspect.packets(), suspect.journey().started());
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
        .trace(surely, wishes(gateway, walk, suspect))
        .<Verdict>map(trace ->
            new Verdict.Broken(suspect.property(), family, suspect.what(), suspect.made(), trace))
        .or(() ->
            Optional.of(new Verdict.Unknown(suspect.property(), "no witness could be named")));
  }
}
