package io.gatehouse.cli;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.gatehouse.apply.Directories;
import io.gatehouse.daemon.Daemon;
import java.net.URLDecoder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What the daemon says of itself.
 *
 * @param runs whether there is one
 * @param fields its numbers, in its own words
 * @param tunnels how many sessions each has; those of no tunnel of the description under {@code -}
 * @param troubles what is not as it should be
 */
record Following(
    boolean runs, Map<String, String> fields, Map<String, String> tunnels, List<String> troubles) {

  /** Where its control socket is. */
  static Path socket(Directories directories) {
    return directories.run().resolve("control");
  }

  static Following asked(Directories directories) {
    Map<String, String> fields = new LinkedHashMap<>();
    Map<String, String> tunnels = new LinkedHashMap<>();
    List<String> troubles = new ArrayList<>();
    boolean runs =
        Daemon.ask(
            socket(directories),
            "status",
            line -> {
              Map<String, String> said = fields(line);
              if (said.containsKey("trouble")) {
                troubles.add(Page.harmless(said.get("trouble")));
              } else if (said.containsKey("tunnel")) {
                tunnels.put(said.get("tunnel"), said.getOrDefault("sessions", "0"));
              } else {
                fields.putAll(said);
              }
            });
    return new Following(runs, fields, tunnels, troubles);
  }

  /** A line of the control socket. */
  static Map<String, String> fields(String line) {
    Map<String, String> fields = new LinkedHashMap<>();
    for (String pair : line.split("&", -1)) {
      int equals = pair.indexOf('=');
      if (equals > 0) {
        fields.put(pair.substring(0, equals), URLDecoder.decode(pair.substring(equals + 1), UTF_8));
      }
    }
    return fields;
  }

  /** Lines for people. */
  List<String> text() {
    if (!runs) {
      return List.of("no daemon follows the tunnels; `gatehouse run FILE` does");
    }
    List<String> lines = new ArrayList<>();
    String ike = Page.harmless(fields.getOrDefault("ike-daemon", "-"));
    lines.add(
        "the daemon follows %s sessions, IKE daemon: %s"
            .formatted(fields.getOrDefault("sessions", "0"), ike));
    tunnels.forEach((tunnel, sessions) ->
        lines.add(
            "  %-12s %s"
                .formatted(
                    Page.harmless(tunnel.equals("-") ? "(others)" : tunnel),
                    Page.counted(Integer.parseInt(sessions), "session"))));
    lines.add(
        "%s elements in live maps, %s corrected, last event %s"
            .formatted(
                fields.getOrDefault("elements", "0"),
                fields.getOrDefault("corrections", "0"),
                Page.harmless(fields.getOrDefault("last-event", "none yet"))));
    if (fields.containsKey("last-event-was")) {
      lines.add("  " + Page.harmless(fields.get("last-event-was")));
    }
    troubles.forEach(trouble -> lines.add("! " + trouble));
    return lines;
  }

  Map<String, Object> json() {
    Map<String, Object> answer = new LinkedHashMap<>();
    answer.put("runs", runs);
    answer.putAll(fields);
    answer.put("tunnels", tunnels);
    answer.put("troubles", troubles);
    return answer;
  }
}
