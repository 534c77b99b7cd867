package io.gatehouse.cli;

import io.gatehouse.apply.Directories;
import io.gatehouse.daemon.Daemon;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.PositionalParamSpec;

/**
 * {@code gatehouse masquerade status}, {@code release} and {@code register}: what the daemon knows
 * of VPN hosts behind this one, and what it is told of them.
 */
final class MasqueradeLive {
  private final Directories directories;

  private MasqueradeLive(Surroundings surroundings) {
    directories = Directories.of(surroundings.environment());
  }

  static List<CommandSpec> specs(Surroundings surroundings) {
    MasqueradeLive live = new MasqueradeLive(surroundings);
    CommandSpec status =
        Subcommand.of("status", "Says which SPI belongs to which host, and why.", live::status);
    status.addOption(Subcommand.json());
    CommandSpec release =
        Subcommand.of(
            "release",
            "Frees what a host, whose session is dead, holds with a remote.",
            call -> live.tell(call, "masquerade-release", 2));
    release.addPositional(word("HOST", 0, "The host inside."));
    release.addPositional(word("REMOTE", 1, "The other end of its session."));
    release.addOption(Subcommand.json());
    CommandSpec register =
        Subcommand.of(
            "register",
            "Says under which SPI a host receives, as its own updown hook knows it.",
            call -> live.tell(call, "masquerade-register", 3));
    register.addPositional(word("HOST", 0, "The host inside."));
    register.addPositional(word("REMOTE", 1, "The other end of its session."));
    register.addPositional(word("SPI", 2, "The SPI of what it receives, such as 0xc0ffee01."));
    register.addOption(Subcommand.json());
    return List.of(status, release, register);
  }

  private static PositionalParamSpec word(String label, int index, String description) {
    return PositionalParamSpec.builder()
        .paramLabel(label)
        .index(Integer.toString(index))
        .arity("1")
        .required(true)
        .type(String.class)
        .description(description)
        .build();
  }

  private boolean ask(Subcommand.Call call, String question, List<Map<String, String>> lines) {
    boolean runs =
        Daemon.ask(
            Following.socket(directories), question, line -> lines.add(Following.fields(line)));
    if (!runs) {
      call.err().println("no daemon decides; `gatehouse run FILE` does");
      call.err().flush();
    }
    return runs;
  }

  // ---- release, register ----

  private int tell(Subcommand.Call call, String word, int arguments) {
    StringBuilder question = new StringBuilder(word);
    for (int i = 0; i < arguments; i++) {
      question.append(' ').append(call.positional(i).replaceAll("\\s", "?"));
    }
    List<Map<String, String>> lines = new ArrayList<>();
    if (!ask(call, question.toString(), lines)) {
      return ExitStatus.NO;
    }
    List<String> troubles =
        lines.stream()
            .filter(line -> line.containsKey("trouble"))
            .map(line -> Page.harmless(line.getOrDefault("trouble", "")))
            .toList();
    if (call.isSet("--json")) {
      Map<String, Object> answer = new LinkedHashMap<>();
      answer.put("fine", troubles.isEmpty());
      answer.put("troubles", troubles);
      call.answer(Json.text(answer));
    } else {
      troubles.forEach(trouble -> call.err().println(trouble));
      call.err().flush();
    }
    return troubles.isEmpty() ? ExitStatus.FINE : ExitStatus.NO;
  }

  // ---- status ----

  private static final String ONE_AT_A_TIME =
      """
        Hosts in transport mode are one to it, behind one address, and nothing here can part
        them: let them use virtual IPs, in tunnel mode. Two hosts that log on one after the
        other and are silent else look the same.
      """;

  private int status(Subcommand.Call call) {
    List<Map<String, String>> lines = new ArrayList<>();
    if (!ask(call, "masquerade", lines)) {
      return ExitStatus.NO;
    }
    boolean masquerades = lines.stream().anyMatch(line -> is(line, "masquerades", "yes"));
    boolean troubled = lines.stream().anyMatch(line -> line.containsKey("trouble"));
    if (call.isSet("--json")) {
      Map<String, Object> answer = new LinkedHashMap<>();
      answer.put("fine", masquerades && !troubled);
      answer.put("masquerade", lines);
      call.answer(Json.text(answer));
    } else {
      StringBuilder text = new StringBuilder();
      lines.forEach(line -> {
        text.append(Page.harmless(text(line))).append('\n');
        if (is(line, "what", "suspected")) {
          text.append(ONE_AT_A_TIME);
        }
      });
      call.answer(text.toString());
    }
    return masquerades && !troubled ? ExitStatus.FINE : ExitStatus.NO;
  }

  private static boolean is(Map<String, String> line, String field, String value) {
    return value.equals(line.get(field));
  }

  private static String at(Map<String, String> line, String field) {
    return line.getOrDefault(field, "-");
  }

  private static String text(Map<String, String> line) {
    if (line.containsKey("trouble")) {
      return "! " + line.get("trouble");
    }
    return switch (line.getOrDefault("what", "")) {
      case "all" ->
          is(line, "masquerades", "yes")
              ? "%s hosts, %s IKE sessions, %s packets waiting, %s bindings revised, %s collisions"
                  .formatted(
                      line.getOrDefault("hosts", "0"),
                      line.getOrDefault("ike-sessions", "0"),
                      line.getOrDefault("waiting", "0"),
                      line.getOrDefault("revised", "0"),
                      line.getOrDefault("collisions", "0"))
              : "what stands masquerades no VPN hosts";
      case "binding" ->
          "%s from %s is for %s: %s; since %s s, last used %s s ago"
              .formatted(
                  at(line, "spi"),
                  at(line, "remote"),
                  at(line, "host"),
                  at(line, "why"),
                  at(line, "seconds"),
                  at(line, "idle"));
      case "undecided" ->
          "%s from %s is not decided: %s packets in %s s, copied to %s"
              .formatted(
                  at(line, "spi"),
                  at(line, "remote"),
                  at(line, "packets"),
                  at(line, "seconds"),
                  at(line, "hosts"));
      case "suspected" ->
          "%s seems to serve one host at a time: %s took it from each other, %s times in %s s"
              .formatted(
                  at(line, "remote"), at(line, "hosts"), at(line, "times"), at(line, "seconds"));
      case "refused" -> "refused %s times: %s".formatted(at(line, "count"), at(line, "why"));
      default ->
          "%s s ago, %s with %s: %s"
              .formatted(
                  at(line, "seconds"), at(line, "host"), at(line, "remote"), at(line, "why"));
    };
  }
}
