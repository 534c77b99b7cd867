package io.gatehouse.apply;

import io.gatehouse.bdd.Bdd;
import io.gatehouse.bdd.Bounded;
import io.gatehouse.model.Address;
import io.gatehouse.model.Family;
import io.gatehouse.model.Prefix;
import io.gatehouse.model.Protocol;
import io.gatehouse.path.FirstPackets;
import io.gatehouse.path.HeaderSpace;
import io.gatehouse.path.HostState;
import io.gatehouse.path.Journey;
import io.gatehouse.path.PacketPath;
import io.gatehouse.ruleset.Chain;
import io.gatehouse.ruleset.Ruleset;
import io.gatehouse.ruleset.Table;
import io.gatehouse.snapshot.Connection;
import io.gatehouse.snapshot.Snapshot;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.stream.Stream;

/**
 * Connections that would keep a translation which the new rules would not give them. NAT rules see
 * the first packet of a connection only, so such entries have to go.
 */
final class StaleConnections {
  private static final int NODES = 6_000_000;

  private StaleConnections() {}

  /**
   * What was found.
   *
   * @param complete whether the question was not too large
   */
  record Found(List<Connection> connections, boolean complete) {
    Found {
      connections = List.copyOf(connections);
    }
  }

  /** Only those whose translation is certainly another: somebody else's translations stay. */
  static Found of(List<Connection> connections, Ruleset ruleset, Snapshot snapshot) {
    if (connections.isEmpty() || Translation.of(ruleset).findAny().isEmpty()) {
      return new Found(List.of(), true);
    }
    HostState host = AppliedHost.of(ruleset, snapshot);
    List<Connection> stale = new ArrayList<>();
    boolean complete = true;
    for (Family family : Family.values()) {
      List<Connection> these = connections.stream().filter(c -> c.family() == family).toList();
      if (these.isEmpty()) {
        continue;
      }
      Bounded<List<Connection>> answer =
          PacketPath.ask(
              host,
              family,
              NODES,
              these.stream().flatMap(StaleConnections::ends).distinct().toList(),
              path -> {
                Fates fates = new Fates(path, ruleset, snapshot);
                return these.stream().filter(fates::isStale).toList();
              });
      switch (answer) {
        case Bounded.Answer<List<Connection>> found -> stale.addAll(found.value());
        case Bounded.GaveUp<List<Connection>> gaveUp -> complete = false;
      }
    }
    return new Found(stale, complete);
  }

  private static Stream<Prefix> ends(Connection connection) {
    return Stream.of(connection.original(), connection.reply())
        .flatMap(tuple -> Stream.of(tuple.source(), tuple.destination()))
        .map(Prefix::host);
  }

  /**
   * A base chain of ours that translates.
   *
   * @param hop its name on a journey
   * @param source whether it gives sources; destinations otherwise
   */
  private record Translation(String hop, boolean source) {
    static Stream<Translation> of(Ruleset ruleset) {
      return ruleset.tables().stream()
          .flatMap(table -> table.chains().stream().flatMap(chain -> of(table, chain).stream()));
    }

    private static Optional<Translation> of(Table table, Chain chain) {
      return chain
          .base()
          .filter(base -> base.type().equals("nat"))
          .map(base ->
              new Translation(
                  String.join(
                      " ",
                      base.hook().name().toLowerCase(Locale.ROOT),
                      table.family(),
                      table.name(),
                      chain.name()),
                  base.hook() == Chain.Hook.POSTROUTING || base.hook() == Chain.Hook.INPUT));
    }
  }

  /**
   * What becomes of everything that begins under the new rules.
   *
   * @param source packets for which a rule of ours decides what source they get, or that they keep
   *     their own
   * @param destination likewise
   */
  private record Fate(Journey journey, int source, int destination) {
    static Fate of(Bdd bdd, List<Translation> translations, Journey journey) {
      int source = Bdd.FALSE;
      int destination = Bdd.FALSE;
      for (Translation translation : translations) {
        int decided = decided(bdd, journey, translation.hop());
        source = translation.source() ? bdd.or(source, decided) : source;
        destination = translation.source() ? destination : bdd.or(destination, decided);
      }
      return new Fate(journey, source, destination);
    }

    private static int decided(Bdd bdd, Journey journey, String hop) {
      return journey.hops().stream()
          .filter(here -> here.name().equals(hop))
          .flatMap(here -> here.decisions().stream())
          .filter(Fate::settles)
          .mapToInt(Journey.Decision::packets)
          .reduce(Bdd.FALSE, bdd::or);
    }

    /** What only comes to the end of the chain is left to others. */
    private static boolean settles(Journey.Decision decision) {
      return decision.by() instanceof Journey.Decider.ByRule
          && (decision.effect() == Journey.Effect.ACCEPTED
              || decision.effect() == Journey.Effect.TRANSLATED);
    }
  }

  /** The connections of one family, after one walk for all of them. */
  private static final class Fates {
    private final HeaderSpace space;
    private final Bdd bdd;
    private final Snapshot snapshot;
    private final List<Prefix> far;
    private final Fate received;
    private final Fate sent;
    private final Map<Address, Optional<String>> devices = new HashMap<>();

    Fates(PacketPath path, Ruleset ruleset, Snapshot snapshot) {
      this.snapshot = snapshot;
      space = path.space();
      bdd = space.bdd();
      List<Translation> translations = Translation.of(ruleset).toList();
      far = Ways.far(ruleset);
      int ours =
          bdd.or(space.inClear(), bdd.and(space.source(far), space.through(AppliedHost.TUNNEL)));
      int first = bdd.and(bdd.and(space.firstOfConnection(), space.whole()), ours);
      received = Fate.of(bdd, translations, path.received(first));
      sent = Fate.of(bdd, translations, path.sent(first));
    }

    boolean isStale(Connection connection) {
      Connection.Tuple original = connection.original();
      Connection.Tuple reply = connection.reply();
      Optional<String> device =
          devices.computeIfAbsent(original.source(), at -> Ways.device(snapshot, at));
      Fate fate = device.filter("lo"::equals).isPresent() ? sent : received;
      FirstPackets packets =
          packets(connection, device, original.destination(), original.destinationPort());
      int destination = packets.in(fate.destination());
      if (connection.destinationTranslated() && destination == Bdd.FALSE) {
        // Somebody else gave it another one.
        packets = packets(connection, device, reply.source(), reply.sourcePort());
      }
      int ended = fate.journey().ended(packets);
      int otherDestination =
          bdd.difference(
              destination,
              fate.journey().endedWithDestination(packets, reply.source(), reply.sourcePort()));
      int otherSource =
          bdd.difference(
              packets.in(fate.source()),
              // Whichever port: the kernel chooses another where one is taken, whatever rules say.
              fate.journey().endedWithSource(packets, reply.destination()));
      return ended != Bdd.FALSE
          && bdd.difference(ended, bdd.or(otherDestination, otherSource)) == Bdd.FALSE;
    }

    private FirstPackets packets(
        Connection connection, Optional<String> device, Address destination, OptionalInt port) {
      Address source = connection.original().source();
      boolean near = far.stream().noneMatch(prefix -> prefix.contains(source));
      return FirstPackets.of(
          space,
          // Who is behind a tunnel comes by whichever device ESP comes by.
          near ? device.filter(name -> !name.equals("lo")) : Optional.empty(),
          near,
          protocol(connection.protocol()),
          source,
          destination,
          connection.original().sourcePort(),
          port);
    }

    private static OptionalInt protocol(String name) {
      return Arrays.stream(Protocol.values())
          .filter(p -> p.name().equalsIgnoreCase(name) || name.equals(String.valueOf(p.number())))
          .mapToInt(Protocol::number)
          .findFirst();
    }
  }

  /** A line for people. */
  static String text(Connection connection) {
    Connection.Tuple original = connection.original();
    return "%s %s -> %s, answered %s -> %s"
        .formatted(
            connection.protocol(),
            end(original.source(), original.sourcePort()),
            end(original.destination(), original.destinationPort()),
            end(connection.reply().source(), connection.reply().sourcePort()),
            end(connection.reply().destination(), connection.reply().destinationPort()));
  }

  private static String end(Address address, OptionalInt port) {
    return port.isPresent() ? address + " port " + port.getAsInt() : address.toString();
  }

  /**
   * What {@code conntrack -D} needs to find this entry; without ports (ICMP, GRE, ESP) it finds
   * every entry of the protocol between the two, and the others begin anew.
   */
  static String arguments(Connection connection) {
    Connection.Tuple original = connection.original();
    StringBuilder text = new StringBuilder();
    text.append("-f ").append(connection.family() == Family.V4 ? "ipv4" : "ipv6");
    text.append(" -p ").append(connection.protocol());
    text.append(" -s ").append(original.source()).append(" -d ").append(original.destination());
    original.sourcePort().ifPresent(port -> text.append(" --sport ").append(port));
    original.destinationPort().ifPresent(port -> text.append(" --dport ").append(port));
    connection.zone().ifPresent(zone -> text.append(" -w ").append(zone));
    return text.toString();
  }
}
