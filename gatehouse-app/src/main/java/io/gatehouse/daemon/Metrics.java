package io.gatehouse.daemon;

import io.gatehouse.vici.ChildSa;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The daemon's numbers in Prometheus' text format. The only label is a tunnel's name: there are as
 * many as the description has, however many clients there are.
 */
final class Metrics {
  /** Sessions of the IKE daemon that are of no tunnel of the description. */
  private static final String OTHERS = "-";

  private Metrics() {}

  /** Sessions of each tunnel, also where there are none; those of no tunnel under {@code -}. */
  static Map<String, Long> byTunnel(Report report) {
    Map<String, Long> counts = new LinkedHashMap<>();
    report.tunnels().forEach(tunnel -> counts.put(tunnel, 0L));
    report
        .sessions()
        .forEach(session -> counts.merge(session.tunnel().orElse(OTHERS), 1L, Long::sum));
    return counts;
  }

  static List<String> of(Report report, Instant now) {
    List<String> lines = new ArrayList<>();
    one(lines, "generation", "gauge", "Generation that stands; 0 for none.", report.generation());
    one(
        lines,
        "running_seconds",
        "gauge",
        "Since when the daemon runs.",
        Duration.between(report.since(), now).toSeconds());
    one(
        lines,
        "ike_daemon_connected",
        "gauge",
        "Whether the IKE daemon answers.",
        report.unreachable().isEmpty() ? 1 : 0);
    one(lines, "events_total", "counter", "Events of the IKE daemon.", report.events());
    one(lines, "elements", "gauge", "Elements of live maps.", report.elements());
    one(lines, "answered_for", "gauge", "Clients answered for in a LAN.", report.presences());
    one(
        lines,
        "corrections_total",
        "counter",
        "Elements that a comparison with the kernel changed.",
        report.corrections());
    one(lines, "troubles", "gauge", "What is not as it should be.", report.troubles().size());
    head(lines, "sessions", "gauge", "IKE SAs, by tunnel.");
    byTunnel(report).forEach((tunnel, count) -> labelled(lines, "sessions", tunnel, count));
    head(lines, "children", "gauge", "Pairs of ESP SAs, by tunnel.");
    Map<String, Long> children = new LinkedHashMap<>();
    report.tunnels().forEach(tunnel -> children.put(tunnel, 0L));
    report
        .sessions()
        .forEach(session ->
            children.merge(
                session.tunnel().orElse(OTHERS),
                session.ike().children().stream().filter(ChildSa::installed).count(),
                Long::sum));
    children.forEach((tunnel, count) -> labelled(lines, "children", tunnel, count));
    return lines;
  }

  private static void head(List<String> lines, String name, String type, String help) {
    lines.add("# HELP gatehouse_" + name + " " + help);
    lines.add("# TYPE gatehouse_" + name + " " + type);
  }

  private static void one(List<String> lines, String name, String type, String help, long value) {
    head(lines, name, type, help);
    lines.add("gatehouse_" + name + " " + value);
  }

  /** Names of tunnels have no character that needs quoting. */
  private static void labelled(List<String> lines, String name, String tunnel, long value) {
    lines.add("gatehouse_" + name + "{tunnel=\"" + tunnel + "\"} " + value);
  }
}
