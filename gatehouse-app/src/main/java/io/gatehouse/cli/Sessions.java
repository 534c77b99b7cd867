package io.gatehouse.cli;

import io.gatehouse.apply.Directories;
import io.gatehouse.daemon.Daemon;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;

/** What the daemon knows: {@code sessions} for people, {@code metrics} for Prometheus. */
final class Sessions {
  /** Between two looks of {@code --watch}. */
  private static final Duration PERIOD = Duration.ofSeconds(2);

  /** Clears the screen from its first line on (ECMA-48, CUP and ED). */
  private static final String FROM_THE_TOP = "\033[H\033[J";

  private final Surroundings surroundings;
  private final Directories directories;

  private Sessions(Surroundings surroundings) {
    this.surroundings = surroundings;
    directories = Directories.of(surroundings.environment());
  }

  static List<CommandSpec> specs(Surroundings surroundings) {
    Sessions asking = new Sessions(surroundings);
    CommandSpec sessions =
        Subcommand.of("sessions", "Says who is there, by what the daemon knows.", asking::sessions);
    sessions.addOption(Subcommand.json());
    sessions.addOption(
        OptionSpec.builder("--watch")
            .type(boolean.class)
            .description(
                "Goes on until Ctrl-C: in place on a terminal, elsewhere a line for whoever comes"
                    + " or goes.")
            .build());
    CommandSpec metrics =
        Subcommand.of(
            "metrics", "Prints the daemon's numbers, as Prometheus reads them.", asking::metrics);
    return List.of(sessions, metrics);
  }

  /** Everybody, by the IKE SA's number; nothing where no daemon answers. */
  private Optional<Map<String, Map<String, String>>> asked() {
    Map<String, Map<String, String>> all = new LinkedHashMap<>();
    boolean runs =
        Daemon.ask(
            Following.socket(directories),
            "sessions",
            line -> {
              Map<String, String> session = Following.fields(line);
              all.put(session.getOrDefault("id", "-"), session);
            });
    return runs ? Optional.of(all) : Optional.empty();
  }

  private int sessions(Subcommand.Call call) throws InterruptedException {
    Optional<Map<String, Map<String, String>>> all = asked();
    if (all.isEmpty()) {
      return nobody(call);
    }
    if (call.isSet("--watch")) {
      return surroundings.terminal().getAsBoolean() && !call.isSet("--json")
          ? inPlace(call)
          : inLines(call);
    }
    if (call.isSet("--json")) {
      Map<String, Object> answer = new LinkedHashMap<>();
      answer.put("fine", true);
      answer.put("sessions", List.copyOf(all.get().values()));
      call.answer(Json.text(answer));
    } else {
      call.answer(text(all.get()));
    }
    return ExitStatus.FINE;
  }

  private static int nobody(Subcommand.Call call) {
    call.err().println("no daemon follows the tunnels; `gatehouse run FILE` does");
    call.err().flush();
    return ExitStatus.NO;
  }

  // ---- watching: both end with the daemon, or by Ctrl-C ----

  private int inPlace(Subcommand.Call call) throws InterruptedException {
    while (true) {
      Optional<Map<String, Map<String, String>>> all = asked();
      if (all.isEmpty()) {
        return nobody(call);
      }
      call.answer(FROM_THE_TOP + text(all.get()));
      Thread.sleep(PERIOD);
    }
  }

  private int inLines(Subcommand.Call call) throws InterruptedException {
    Map<String, Map<String, String>> before = new LinkedHashMap<>();
    while (true) {
      Optional<Map<String, Map<String, String>>> all = asked();
      if (all.isEmpty()) {
        return nobody(call);
      }
      List<String> lines = new ArrayList<>();
      before.forEach((id, session) -> {
        if (!all.get().containsKey(id)) {
          lines.add(changed(call, "left", session));
        }
      });
      all.get()
          .forEach((id, session) -> {
            if (!before.containsKey(id)) {
              lines.add(changed(call, "here", session));
            } else if (!before.get(id).getOrDefault("from", "").equals(session.get("from"))) {
              lines.add(changed(call, "moved", session));
            }
          });
      lines.forEach(line -> call.answer(line + "\n"));
      before.clear();
      before.putAll(all.get());
      Thread.sleep(PERIOD);
    }
  }

  private static String changed(Subcommand.Call call, String how, Map<String, String> session) {
    if (call.isSet("--json")) {
      Map<String, Object> line = new LinkedHashMap<>();
      line.put("event", how);
      line.put("session", session);
      return Json.line(line);
    }
    return how + "  " + head(session);
  }

  // ---- text ----

  private static String text(Map<String, Map<String, String>> all) {
    StringBuilder text = new StringBuilder();
    for (Map<String, String> session : all.values()) {
      text.append(head(session)).append('\n').append(Page.harmless(more(session))).append('\n');
    }
    return text.append(Page.counted(all.size(), "session")).append('\n').toString();
  }

  /** Which tunnel, who, its virtual addresses, from where. */
  private static String head(Map<String, String> session) {
    return Page.harmless(
            "%s  %s  %s  %s"
                .formatted(
                    session.getOrDefault("tunnel", "-"),
                    session.getOrDefault("who", "-"),
                    session.getOrDefault("virtual", ""),
                    session.getOrDefault("from", "")))
        .stripTrailing();
  }

  private static String more(Map<String, String> session) {
    List<String> parts = new ArrayList<>();
    for (String field : List.of("group", "mark", "zone")) {
      if (session.containsKey(field)) {
        parts.add(field + " " + session.get(field));
      }
    }
    parts.add(session.getOrDefault("children", "0") + " SAs");
    parts.add("since " + time(session.getOrDefault("seconds", "0")));
    if (session.containsKey("rekey-in")) {
      parts.add("rekey in " + time(session.get("rekey-in")));
    }
    parts.add(size(session.getOrDefault("bytes-in", "0")) + " in");
    parts.add(size(session.getOrDefault("bytes-out", "0")) + " out");
    return "    " + String.join(", ", parts);
  }

  /** Two units at most: {@code 4 s}, {@code 12 min}, {@code 3 h 5 min}, {@code 2 d 7 h}. */
  static String time(String seconds) {
    long all = number(seconds);
    if (all < 60) {
      return all + " s";
    }
    long minutes = all / 60;
    if (minutes < 60) {
      return minutes + " min";
    }
    long hours = minutes / 60;
    return hours < 24
        ? hours + " h " + minutes % 60 + " min"
        : hours / 24 + " d " + hours % 24 + " h";
  }

  /** Three digits and a binary unit. */
  static String size(String bytes) {
    double left = number(bytes);
    List<String> units = List.of("B", "KiB", "MiB", "GiB", "TiB", "PiB");
    int unit = 0;
    while (left >= 1000 && unit < units.size() - 1) {
      left /= 1024;
      unit++;
    }
    return (unit == 0 || left >= 100 ? "%.0f %s" : "%.1f %s").formatted(left, units.get(unit));
  }

  private static long number(String text) {
    return text.matches("[0-9]{1,18}") ? Long.parseLong(text) : 0;
  }

  // ---- metrics ----

  private int metrics(Subcommand.Call call) {
    StringBuilder text = new StringBuilder();
    if (!Daemon.ask(
        Following.socket(directories), "metrics", line -> text.append(line).append('\n'))) {
      return nobody(call);
    }
    call.answer(text.toString());
    return ExitStatus.FINE;
  }
}
