package io.gatehouse.apply;

import io.gatehouse.model.Address;
import io.gatehouse.model.Family;
import io.gatehouse.ruleset.Chain;
import io.gatehouse.ruleset.Expression;
import io.gatehouse.ruleset.Ruleset;
import io.gatehouse.ruleset.Statement;
import io.gatehouse.snapshot.Connection;
import io.gatehouse.snapshot.Snapshot;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

/**
 * Connections that would keep a translation which the new rules would not give them. NAT rules see
 * the first packet of a connection only, so such entries have to go.
 */
final class StaleConnections {

  private StaleConnections() {}

  /** Only those whose translation is certainly another: somebody else's translations stay. */
  static List<Connection> of(List<Connection> connections, Ruleset ruleset, Snapshot snapshot) {
    boolean translates =
        ruleset.tables().stream()
            .flatMap(table -> table.chains().stream())
            .anyMatch(chain -> chain.base().filter(base -> base.type().equals("nat")).isPresent());
    return translates
        ? connections.stream().filter(c -> isStale(c, ruleset, snapshot)).toList()
        : List.of();
  }

  private static boolean isStale(Connection connection, Ruleset ruleset, Snapshot snapshot) {
    Connection.Tuple original = connection.original();
    Optional<String> in = Ways.device(snapshot, original.source());
    boolean far = Ways.isFar(ruleset, original.destination());
    Judge.Flow arriving =
        new Judge.Flow(
            original.source(),
            original.destination(),
            connection.protocol(),
            original.sourcePort(),
            original.destinationPort(),
            in,
            Optional.empty(),
            Optional.empty(),
            Optional.empty());
    // Behind prerouting the destination is the translated one.
    Judge.Flow leaving =
        new Judge.Flow(
            original.source(),
            connection.reply().source(),
            connection.protocol(),
            original.sourcePort(),
            connection.reply().sourcePort(),
            in,
            Ways.device(snapshot, connection.reply().source()),
            Optional.empty(),
            // What goes behind a tunnel is protected, or the guard drops it.
            Optional.of(far));
    boolean fromHere = in.filter("lo"::equals).isPresent();
    return (!fromHere
            && another(connection, Judge.endings(ruleset, "nat", Chain.Hook.PREROUTING, arriving)))
        || another(connection, Judge.endings(ruleset, "nat", Chain.Hook.POSTROUTING, leaving));
  }

  /** Whether none of the endings fits the connection as it is. */
  private static boolean another(Connection connection, Set<Judge.Ending> endings) {
    return !endings.isEmpty()
        && endings.stream().allMatch(ending -> contradicts(connection, ending));
  }

  private static boolean contradicts(Connection connection, Judge.Ending ending) {
    return switch (ending) {
      // We leave the packet as it is, and accept nothing after us: only a translation of ours or of
      // the time
      // before us explains one of the source.
      case Judge.Ending.Accepted accepted -> connection.sourceTranslated();
      case Judge.Ending.Translated translated ->
          switch (translated.nat()) {
            case Statement.Nat.Masquerade masquerade -> !connection.sourceTranslated();
            case Statement.Nat.Source source ->
                !connection.sourceTranslated()
                    || source
                        .address()
                        .filter(a ->
                            a instanceof Expression.Addr addr
                                && !addr.address().equals(connection.reply().destination()))
                        .isPresent();
            case Statement.Nat.Destination destination ->
                !connection.destinationTranslated()
                    || destination
                        .address()
                        .filter(a ->
                            a instanceof Expression.Addr addr
                                && !addr.address().equals(connection.reply().source()))
                        .isPresent();
            case Statement.Nat.Redirect redirect -> false;
          };
      case Judge.Ending.Dropped dropped -> false;
      case Judge.Ending.Through through -> false;
    };
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

  /** What {@code conntrack -D} needs to find this entry and no other. */
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
