package io.gatehouse.verify;

import io.gatehouse.bdd.Bdd;
import io.gatehouse.bdd.Bounded;
import io.gatehouse.model.Family;
import io.gatehouse.model.PortRange;
import io.gatehouse.model.Prefix;
import io.gatehouse.path.HeaderSpace;
import io.gatehouse.path.HostState;
import io.gatehouse.path.HostState.SpdState;
import io.gatehouse.path.Journey;
import io.gatehouse.path.Journey.Both;
import io.gatehouse.path.Journey.Effect;
import io.gatehouse.path.Journey.Step;
import io.gatehouse.path.Journey.Trace;
import io.gatehouse.path.PacketPath;
import io.gatehouse.path.Unknown;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Whether two hosts let the same packets through, in both directions of "more". What is open and
 * the same on both, such as the rate of a rule that both have, counts as the same for both.
 */
public final class Comparison {
  /** Decision nodes for one question; a million take some 40 MB. */
  private static final int NODES = 10_000_000;

  /** Kinds of difference with a witness each. */
  private static final int MOST_SHOWN = 8;

  /** Kinds of difference that are counted. */
  private static final int MOST_COUNTED = 200;

  private final HostState first;
  private final HostState second;
  private final List<Difference> differences = new ArrayList<>();
  private final Set<String> met = new HashSet<>();
  private final List<String> unknown = new ArrayList<>();
  private int more = 0;
  private boolean uncounted = false;

  private Comparison(HostState first, HostState second) {
    this.first = first;
    this.second = second;
  }

  /** Where packets go. */
  public enum Flow {
    FORWARD,
    INPUT,
    OUTPUT
  }

  /** What differs. */
  public enum Kind {
    /** The first lets it through, and the second does not. */
    FIRST_ALONE,
    /** The second lets it through, and the first does not. */
    SECOND_ALONE,
    /** Both let it through; by the first it leaves in clear, by the second protected. */
    FIRST_IN_CLEAR,
    SECOND_IN_CLEAR,
    /** Both let it through, by different devices. */
    OTHER_DEVICE,
    /** Both let it through, inside ESP or AH of different tunnels. */
    OTHER_TUNNEL,
    /** Both let it through; only the first changes its addresses or ports. */
    FIRST_TRANSLATES,
    SECOND_TRANSLATES,
    /** Both let it through and change its addresses or ports, to different ones. */
    OTHER_ADDRESS
  }

  /**
   * Packets about which the same two decisions are taken.
   *
   * @param tunnels the state in which all tunnels are; nothing where they are as they stand
   * @param way of one of these packets on both
   */
  public record Difference(
      Family family, Flow flow, Kind kind, Optional<SpdState> tunnels, Both way) {}

  /**
   * What came of it. They are equal only where there is no difference, none more, and nothing
   * unknown.
   *
   * @param more kinds of difference that are not shown
   * @param uncounted whether there are still more than those
   * @param unknown why it cannot be told
   */
  public record Outcome(
      List<Difference> differences, int more, boolean uncounted, List<String> unknown) {
    public Outcome {
      differences = List.copyOf(differences);
      unknown = List.copyOf(unknown);
    }

    public boolean isEqual() {
      return differences.isEmpty() && unknown.isEmpty();
    }
  }

  /**
   * Compares packets of these families.
   *
   * @return differences first; and why there may be more
   */
  public static Outcome of(HostState first, HostState second, Collection<Family> families) {
    Comparison comparison = new Comparison(first, second);
    boolean tunnels = !first.tunnels().isEmpty() || !second.tunnels().isEmpty();
    for (Family family : families) {
      comparison.compare(family, Optional.empty());
      if (tunnels) {
        comparison.compare(family, Optional.of(SpdState.NO_SA));
        comparison.compare(family, Optional.of(SpdState.NO_POLICY));
      }
    }
    return new Outcome(
        comparison.differences,
        comparison.more,
        comparison.uncounted,
        comparison.unknown.stream().distinct().toList());
  }

  private void compare(Family family, Optional<SpdState> tunnels) {
    List<HostState> hosts =
        List.of(first, second).stream()
            .map(host ->
                host.withTunnels(t -> tunnels.<Set<SpdState>>map(Set::of).orElse(t.states())))
            .toList();
    Bounded<Boolean> answer =
        PacketPath.together(
            hosts,
            family,
            NODES,
            paths -> {
              new OfFamily(family, tunnels, paths).compare();
              return true;
            });
    if (answer instanceof Bounded.GaveUp<Boolean> gaveUp) {
      unknown.add(
          word(family) + ": it took more room than " + gaveUp.nodes() + " nodes; nothing is known");
    }
  }

  private static String word(Family family) {
    return family == Family.V4 ? "IPv4" : "IPv6";
  }

  /** One family's packets, with the tunnels in one state. */
  private final class OfFamily {
    private final Family family;
    private final Optional<SpdState> tunnels;
    private final List<PacketPath> paths;
    private final HeaderSpace space;
    private final Bdd bdd;

    OfFamily(Family family, Optional<SpdState> tunnels, List<PacketPath> paths) {
      this.family = family;
      this.tunnels = tunnels;
      this.paths = paths;
      space = paths.getFirst().space();
      bdd = space.bdd();
    }

    void compare() {
      List<Journey> received = paths.stream().map(path -> path.received(Bdd.TRUE)).toList();
      int own = own();
      List<Journey> sent = paths.stream().map(path -> path.sent(own)).toList();
      // Which translation a connection got is compared with its first packet.
      int plain = space.none(unknown -> unknown.text().equals(PacketPath.MAPPING));
      boolean seenByBoth = true;
      for (Flow flow : Flow.values()) {
        List<Journey> both = flow == Flow.OUTPUT ? sent : received;
        Journey one = both.getFirst();
        Journey other = both.getLast();
        int common = bdd.and(plain, bdd.and(one.started(), other.started()));
        // Of SAs that neither host knows nothing can be said that a person could try.
        common = bdd.difference(common, space.throughAnotherInTransportMode());
        seenByBoth &= one.started() == other.started();
        int throughOne = bdd.and(common, through(flow, one));
        int throughOther = bdd.and(common, through(flow, other));
        alone(flow, Kind.FIRST_ALONE, one, other, bdd.difference(throughOne, throughOther));
        alone(flow, Kind.SECOND_ALONE, one, other, bdd.difference(throughOther, throughOne));
        int let = bdd.and(throughOne, throughOther);
        if (flow != Flow.INPUT) {
          differently(flow, one, other, let);
        }
        endings(flow, one, other, bdd.and(let, space.firstOfConnection()));
      }
      if (!seenByBoth) {
        unknown.add(
            word(family)
                + ": fragments, or marks of decrypted packets, that the rules of one see and those"
                + " of the other do not, are not compared");
      }
      for (Unknown alone : space.unpaired()) {
        unknown.add(
            word(family)
                + ": only one of them has what we do not understand: "
                + alone.text()
                + " ("
                + alone.place()
                + ")");
      }
    }

    /** Sources that this host's packets have: its own addresses, or none yet. */
    private int own() {
      boolean known =
          List.of(first, second).stream()
              .flatMap(host -> host.devices().stream())
              .allMatch(HostState.Device::addressesKnown);
      if (!known) {
        return Bdd.TRUE;
      }
      List<Prefix> own = new ArrayList<>();
      first.addresses(family).forEach(a -> own.add(Prefix.host(a)));
      second.addresses(family).forEach(a -> own.add(Prefix.host(a)));
      own.add(Prefix.of(family == Family.V4 ? "0.0.0.0/32" : "::/128"));
      return space.source(own);
    }

    private static int through(Flow flow, Journey journey) {
      return flow == Flow.INPUT ? journey.delivered() : journey.left();
    }

    private void alone(Flow flow, Kind kind, Journey one, Journey other, int packets) {
      boolean firstLets = kind == Kind.FIRST_ALONE;
      int rest = surely(flow, kind, packets);
      int shown = 0;
      int counted = 0;
      while (rest != Bdd.FALSE) {
        if (counted >= MOST_COUNTED) {
          uncounted = true;
          return;
        }
        Both way = Journey.trace(one, other, rest, wishes(flow)).orElseThrow();
        Journey passing = firstLets ? one : other;
        Journey stopping = firstLets ? other : one;
        Optional<Step> passes = acceptance(firstLets ? way.first() : way.second());
        Optional<Step> stops = stop(firstLets ? way.second() : way.first());
        int alike = passes.map(passing::decided).orElse(Bdd.TRUE);
        alike =
            bdd.and(
                alike,
                stops
                    .map(stopping::decided)
                    .orElseGet(() -> bdd.or(stopping.left(), stopping.delivered())));
        int kindred = bdd.and(rest, alike);
        // What no decision tells apart is one kind.
        rest = kindred == Bdd.FALSE ? Bdd.FALSE : bdd.difference(rest, kindred);
        if (!met.add(family + " " + flow + " " + kind + name(passes) + name(stops))) {
          continue;
        }
        counted++;
        if (shown < MOST_SHOWN) {
          shown++;
          differences.add(new Difference(family, flow, kind, tunnels, way));
        } else {
          more++;
        }
      }
    }

    private String name(Optional<Step> step) {
      return " by " + step.map(s -> s.hop() + " " + s.by()).orElse("nothing");
    }

    /** The last rule or policy of a chain that let it pass where packets are filtered. */
    private static Optional<Step> acceptance(Trace trace) {
      return trace.steps().reversed().stream()
          .filter(s -> s.effect() == Effect.ACCEPTED)
          .filter(s ->
              s.hop().startsWith("forward ")
                  || s.hop().startsWith("input ")
                  || s.hop().startsWith("output "))
          .findFirst();
    }

    private static Optional<Step> stop(Trace trace) {
      return trace.outcome().isPresent()
          ? Optional.empty()
          : trace.steps().reversed().stream().filter(s -> s.effect() == Effect.DROPPED).findFirst();
    }

    private void differently(Flow flow, Journey one, Journey other, int packets) {
      int clear = one.leftInClear();
      int otherClear = other.leftInClear();
      once(flow, Kind.FIRST_IN_CLEAR, one, other, minus(packets, clear, otherClear));
      once(flow, Kind.SECOND_IN_CLEAR, one, other, minus(packets, otherClear, clear));
      int elsewhere = Bdd.FALSE;
      for (String device : space.devices()) {
        elsewhere = bdd.or(elsewhere, minus(packets, one.leftBy(device), other.leftBy(device)));
      }
      once(flow, Kind.OTHER_DEVICE, one, other, elsewhere);
      int inAnother = Bdd.FALSE;
      int through = bdd.and(packets, bdd.and(one.leftProtected(), other.leftProtected()));
      for (String tunnel : tunnels()) {
        inAnother =
            bdd.or(inAnother, minus(through, one.leftThrough(tunnel), other.leftThrough(tunnel)));
      }
      once(flow, Kind.OTHER_TUNNEL, one, other, inAnother);
      int changed = one.leftTranslated();
      int otherChanged = other.leftTranslated();
      int fresh = bdd.and(packets, space.firstOfConnection());
      once(flow, Kind.FIRST_TRANSLATES, one, other, minus(fresh, changed, otherChanged));
      once(flow, Kind.SECOND_TRANSLATES, one, other, minus(fresh, otherChanged, changed));
    }

    /** To which addresses first packets are rewritten. */
    private void endings(Flow flow, Journey one, Journey other, int packets) {
      boolean leaves = flow != Flow.INPUT;
      Journey.Endings endings = one.endings(other, leaves);
      // Of which only one changes something is said already.
      int changed = leaves ? bdd.and(one.leftTranslated(), other.leftTranslated()) : Bdd.TRUE;
      once(
          flow,
          Kind.OTHER_ADDRESS,
          one,
          other,
          bdd.and(packets, bdd.and(changed, endings.otherwise())));
      if (bdd.and(packets, endings.undecided()) != Bdd.FALSE) {
        unknown.add(
            word(family)
                + " "
                + flow.name().toLowerCase(java.util.Locale.ROOT)
                + ": whether packets are rewritten to the same addresses; neither host says to"
                + " which");
      }
    }

    private Set<String> tunnels() {
      Set<String> names = new LinkedHashSet<>();
      for (HostState host : List.of(first, second)) {
        host.tunnels().forEach(tunnel -> names.add(tunnel.name()));
      }
      return names;
    }

    private int minus(int packets, int in, int out) {
      return bdd.difference(bdd.and(packets, in), out);
    }

    private void once(Flow flow, Kind kind, Journey one, Journey other, int packets) {
      int sure = surely(flow, kind, packets);
      if (met.contains(family + " " + flow + " " + kind)) {
        return;
      }
      Journey.trace(one, other, sure, wishes(flow))
          .ifPresent(way -> {
            met.add(family + " " + flow + " " + kind);
            differences.add(new Difference(family, flow, kind, tunnels, way));
          });
    }

    /** The part that differs whatever that means which we do not understand. */
    private int surely(Flow flow, Kind kind, int packets) {
      int sure = space.lowerBound(packets);
      if (packets != Bdd.FALSE && sure == Bdd.FALSE) {
        String what =
            space.unknowns(packets).stream()
                .filter(u -> u.kind() == Unknown.Kind.NOT_UNDERSTOOD)
                .map(u -> u.text() + " (" + u.place() + ")")
                .findFirst()
                .orElse("something");
        unknown.add(
            word(family)
                + " "
                + flow.name().toLowerCase(java.util.Locale.ROOT)
                + ": whether "
                + (kind == Kind.FIRST_ALONE
                    ? "only the first lets some packets through"
                    : kind == Kind.SECOND_ALONE
                        ? "only the second lets some packets through"
                        : "packets leave in the same way")
                + " rests on what is not understood: "
                + what);
      }
      return sure;
    }

    /** What makes a witness one that people have met. */
    private int[] wishes(Flow flow) {
      int odd = bdd.or(space.source(Meaning.ODD), space.destination(Meaning.ODD));
      List<Integer> wishes = new ArrayList<>();
      wishes.add(space.firstOfConnection());
      wishes.add(space.whole());
      wishes.add(bdd.not(odd));
      wishes.add(bdd.not(edges(flow)));
      if (flow != Flow.OUTPUT) {
        wishes.add(space.inClear());
        wishes.add(fromItsLink());
      }
      wishes.add(space.source(Meaning.SOMEBODY));
      wishes.add(space.destination(links()));
      wishes.add(space.destination(Meaning.SOMEBODY));
      wishes.add(space.protocol(6));
      wishes.add(space.destinationPort(PortRange.of(443)));
      wishes.add(space.destinationPort(PortRange.of(53)));
      return wishes.stream().mapToInt(Integer::intValue).toArray();
    }

    private List<Prefix> links() {
      List<Prefix> links = new ArrayList<>();
      for (HostState host : List.of(first, second)) {
        host.devices().forEach(d -> d.addresses().forEach(a -> links.add(a.link())));
      }
      return links;
    }

    /** Own addresses, and names and broadcasts of links. */
    private int edges(Flow flow) {
      List<Prefix> edges = new ArrayList<>();
      first.addresses(family).forEach(a -> edges.add(Prefix.host(a)));
      second.addresses(family).forEach(a -> edges.add(Prefix.host(a)));
      List<Prefix> prefixes = new ArrayList<>(links());
      for (HostState host : List.of(first, second)) {
        host.policies().forEach(p -> prefixes.addAll(List.of(p.source(), p.destination())));
      }
      for (Prefix prefix : prefixes) {
        if (prefix.length() < prefix.family().bits() - 1) {
          edges.add(Prefix.host(prefix.first()));
          edges.add(Prefix.host(prefix.last()));
        }
      }
      return flow == Flow.OUTPUT
          ? space.destination(edges)
          : bdd.or(space.source(edges), flow == Flow.INPUT ? Bdd.FALSE : space.destination(edges));
    }

    /** What a host on the link of the device sends, or what comes from elsewhere. */
    private int fromItsLink() {
      int all = bdd.difference(Bdd.TRUE, space.source(links()));
      for (HostState host : List.of(first, second)) {
        for (HostState.Device device : host.devices()) {
          List<Prefix> own = device.addresses().stream().map(a -> a.link()).toList();
          all = bdd.or(all, bdd.and(space.arrivesOn(device.name()), space.source(own)));
        }
      }
      return all;
    }
  }
}
