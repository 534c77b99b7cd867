package io.gatehouse.verify;

import io.gatehouse.bdd.Bdd;
import io.gatehouse.bdd.Bounded;
import io.gatehouse.model.Family;
import io.gatehouse.model.Gateway;
import io.gatehouse.model.PortRange;
import io.gatehouse.model.Prefix;
import io.gatehouse.model.Tunnel;
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
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.function.Function;
import java.util.stream.Stream;

/** Proves the properties of a gateway on its ruleset. */
public final class Proofs {
  /**
   * Decision nodes for one walk; a million take some 40 MB, and twice that while the arena grows.
   * Two walks may go on at a time.
   */
  public static final int NODES = 6_000_000;

  private final Gateway gateway;
  private final Ruleset ruleset;
  private final HostState host;
  private final List<Alike> alike;
  private final int nodes;

  private Proofs(Gateway gateway, Ruleset ruleset, int nodes) {
    this.gateway = gateway;
    this.ruleset = ruleset;
    this.nodes = nodes;
    host = DescribedHost.of(gateway, ruleset, tunnel -> EnumSet.allOf(SpdState.class));
    alike = Alike.of(gateway);
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
    Proofs proofs = new Proofs(gateway, ruleset, nodes);
    Map<Property, Verdict> verdicts = new EnumMap<>(Property.class);
    for (List<Verdict> some : proofs.ofBothFamilies()) {
      for (Verdict verdict : some) {
        // The first witness stands; it says more than any "unknown".
        verdicts.merge(
            verdict.property(), verdict, (old, now) -> old instanceof Verdict.Broken ? old : now);
      }
    }
    return Stream.of(Property.values())
        .map(property -> verdicts.getOrDefault(property, new Verdict.Holds(property)))
        .toList();
  }

  /**
   * The families have nothing in common; the order of the verdicts stays theirs. The second thread
   * ends with the question: one of the common pool holds what it was last asked about.
   */
  private List<List<Verdict>> ofBothFamilies() {
    try (ExecutorService thread = Executors.newSingleThreadExecutor()) {
      CompletableFuture<List<Verdict>> six =
          CompletableFuture.supplyAsync(() -> prove(Family.V6), thread);
      List<Verdict> four = prove(Family.V4);
      return List.of(four, six.join());
    }
  }

  /** What is broken, or not known. */
  private List<Verdict> prove(Family family) {
    List<Function<Meaning, List<Suspect>>> asked = new ArrayList<>();
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
    asked.add(Leaks::of);
    asked.add(Rewriting::of);
    asked.add(Outside::of);
    asked.add(ThisHost::of);
    asked.add(Ordinary::of);
    asked.add(ThroughL2tp::of);
    // Without addresses of this family on any far side there is nobody to reach, nor to leak.
    boolean tunnels =
        gateway.tunnels().stream()
            .flatMap(tunnel -> tunnel.farPrefixes().stream())
            .anyMatch(far -> far.value().family() == family);
    if (tunnels) {
      asked.add(meaning -> Reached.of(meaning, ruleset));
    }
    List<Verdict> found =
        new ArrayList<>(prove(host, family, Meaning.about(gateway), about, asked));
    if (tunnels) {
      found.addAll(
          prove(
              host.withTables(List.of()),
              family,
              Meaning.aboutFlushed(gateway),
              EnumSet.of(Property.FLUSHED),
              List.of(Leaks::flushed)));
    }
    if (hasVirtualIp(family)) {
      found.addAll(unconnected(family));
    }
    return found;
  }

  private boolean hasVirtualIp(Family family) {
    return gateway.tunnels().stream()
        .anyMatch(
            tunnel -> tunnel instanceof Tunnel.Client client && client.address(family).isPresent());
  }

  /**
   * What is for a virtual IP before its tunnel has brought it, with our rules and without. An IKE
   * daemon puts in and takes away the policies of a tunnel with its address.
   */
  private List<Verdict> unconnected(Family family) {
    HostState before =
        DescribedHost.withoutVirtualIps(
            gateway,
            ruleset,
            tunnel ->
                tunnel instanceof Tunnel.Client
                    ? EnumSet.of(SpdState.NO_POLICY)
                    : EnumSet.allOf(SpdState.class));
    List<Verdict> found = new ArrayList<>();
    for (Property property : List.of(Property.IN_CLEAR, Property.FLUSHED)) {
      boolean flushed = property == Property.FLUSHED;
      found.addAll(
          prove(
              flushed ? before.withTables(List.of()) : before,
              family,
              Meaning.aboutUnconnected(gateway),
              EnumSet.of(property),
              List.of(meaning -> Leaks.unconnected(meaning, property))));
    }
    return found;
  }

  private List<Verdict> prove(
      HostState host,
      Family family,
      List<Prefix> addresses,
      Set<Property> about,
      List<Function<Meaning, List<Suspect>>> asked) {
    Bounded<List<Verdict>> answer =
        PacketPath.askOfEnds(
            host,
            family,
            nodes,
            addresses,
            path -> {
              Meaning meaning = new Meaning(gateway, alike, Walk.of(host, path));
              return asked.stream()
                  .flatMap(question -> question.apply(meaning).stream())
                  .flatMap(suspect -> verdict(meaning, family, suspect).stream())
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
  private static int[] wishes(Meaning meaning, Suspect suspect) {
    Walk walk = meaning.walk();
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

  private static Optional<Verdict> verdict(Meaning meaning, Family family, Suspect suspect) {
    Walk walk = meaning.walk();
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
        .trace(surely, wishes(meaning, suspect))
        .<Verdict>map(trace ->
            new Verdict.Broken(suspect.property(), family, suspect.what(), suspect.made(), trace))
        .or(() ->
            Optional.of(new Verdict.Unknown(suspect.property(), "no witness could be named")));
  }
}
