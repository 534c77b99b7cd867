package io.gatehouse.doctor;

import io.gatehouse.doctor.Finding.Certainty;
import io.gatehouse.doctor.Finding.Evidence;
import io.gatehouse.doctor.Finding.Severity;
import io.gatehouse.model.Family;
import io.gatehouse.snapshot.Connection;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;

/** Connections that keep a translation which the rules no longer give. */
final class StaleConnections {
  private static final int MOST_SHOWN = 5;

  private StaleConnections() {}

  /** Findings about conntrack's entries of a family. */
  static List<Finding> look(Patient patient, Family family) {
    List<Evidence> evidence = new ArrayList<>();
    List<Command> remedy = new ArrayList<>();
    for (Connection connection : Connection.parse(patient.text("conntrack.txt"))) {
      boolean forTunnel =
          connection.family() == family
              && patient.links().stream()
                  .anyMatch(l ->
                      l.near().contains(connection.original().source())
                          && l.far().contains(connection.original().destination()));
      if (forTunnel && connection.sourceTranslated() && evidence.size() < MOST_SHOWN) {
        Connection.Tuple tuple = connection.original();
        evidence.add(
            new Evidence(
                "%s %s → %s, answers to %s"
                    .formatted(
                        connection.protocol(),
                        end(tuple.source().toString(), tuple.sourcePort()),
                        end(tuple.destination().toString(), tuple.destinationPort()),
                        connection.reply().destination()),
                "conntrack.txt"));
        Command command =
            Command.of(
                "conntrack -D -p %s --orig-src %s --orig-dst %s",
                connection.protocol(), tuple.source(), tuple.destination());
        if (!remedy.contains(command)) {
          remedy.add(command);
        }
      }
    }
    return evidence.isEmpty()
        ? List.of()
        : List.of(
            new Finding(
                Kind.STALE_CONNECTION,
                Severity.ERROR,
                Certainty.CERTAIN,
                "the rules are right now, and connections that stood before still miss the tunnel",
                "NAT rules see the first packet only: an entry keeps its translation as long as it"
                    + " lives",
                evidence,
                remedy));
  }

  private static String end(String address, OptionalInt port) {
    return port.isPresent() ? address + ":" + port.getAsInt() : address;
  }
}
