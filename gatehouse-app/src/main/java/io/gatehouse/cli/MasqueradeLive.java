package io.gatehouse.cli;

import io.gatehouse.apply.Directories;
import io.gatehouse.daemon.Daemon;
import io.gatehouse.model.Address;
import io.gatehouse.model.Family;
import io.gatehouse.model.Masquerade.Register;
import io.gatehouse.registration.Credentials;
import io.gatehouse.registration.Registration;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;
import picocli.CommandLine.ParameterException;

/**
 * {@code gatehouse masquerade status}, {@code release} and {@code register}: what the daemon knows
 * of VPN hosts behind this one, and what it is told of them.
 */
final class MasqueradeLive {
  /** A host and its gateway are in one network. */
  private static final Duration PATIENCE = Duration.ofSeconds(20);

  private static final Pattern GATEWAY = Pattern.compile("([0-9.]{7,15})(?::([0-9]{1,5}))?");

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
            live::release);
    release.addPositional(word("HOST", 0, "The host inside."));
    release.addPositional(word("REMOTE", 1, "The other end of its session."));
    release.addOption(Subcommand.json());
    return List.of(status, release, register(live));
  }

  private static CommandSpec register(MasqueradeLive live) {
    CommandSpec register =
        Subcommand.of(
            "register",
            "Says under which SPI a host receives, as its own updown hook knows it: on the gateway"
                + " with HOST, or from the host itself, over TLS, with --to.",
            live::register);
    register.addPositional(
        PositionalParamSpec.builder()
            .paramLabel("[HOST] REMOTE SPI")
            .hideParamSyntax(true)
            .index("0..*")
            .arity("2..3")
            .required(true)
            .type(List.class)
            .auxiliaryTypes(String.class)
            .description(
                "The host inside, without --to; the other end of its session; the SPI of what it"
                    + " receives, such as 0xc0ffee01.")
            .build());
    register.addOption(
        option("--to", "ADDRESS[:PORT]", "The gateway's `masquerade.register`; port 4510."));
    register.addOption(
        option("--certificate", "FILE", "This host's certificate (PEM), which names its address."));
    register.addOption(option("--key", "FILE", "The certificate's key (PEM, PKCS #8)."));
    register.addOption(
        option("--authorities", "FILE", "Whose certificate the gateway may have (PEM)."));
    register.addOption(Subcommand.json());
    return register;
  }

  private static OptionSpec option(String name, String label, String description) {
    return OptionSpec.builder(name)
        .paramLabel(label)
        .type(String.class)
        .description(description)
        .build();
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

  private int release(Subcommand.Call call) {
    return tell(call, "masquerade-release", List.of(call.positional(0), call.positional(1)));
  }

  private int register(Subcommand.Call call) {
    List<String> words = call.positionals(0);
    Optional<String> to = call.option("--to");
    if (words.size() != (to.isPresent() ? 2 : 3)) {
      throw wrong(
          call, to.isPresent() ? "with --to it takes REMOTE SPI" : "it takes HOST REMOTE SPI");
    }
    return to.isPresent()
        ? registerAt(call, to.get(), words)
        : tell(call, "masquerade-register", words);
  }

  private static ParameterException wrong(Subcommand.Call call, String why) {
    return new ParameterException(call.spec().commandLine(), why);
  }

  private static int registerAt(Subcommand.Call call, String to, List<String> words) {
    InetSocketAddress gateway =
        gateway(to).orElseThrow(() -> wrong(call, "--to takes an IPv4 address, and maybe :PORT"));
    Credentials credentials =
        new Credentials(
            file(call, "--certificate"), file(call, "--key"), file(call, "--authorities"));
    Address remote =
        Address.parse(words.get(0))
            .filter(address -> address.family() == Family.V4)
            .orElseThrow(() -> wrong(call, "REMOTE is an IPv4 address"));
    int spi =
        spi(words.get(1)).orElseThrow(() -> wrong(call, "SPI is a number such as 0xc0ffee01"));
    Optional<String> trouble;
    try {
      trouble = Registration.tell(gateway, credentials, remote, spi, PATIENCE);
    } catch (IOException e) {
      trouble = Optional.of(String.valueOf(e.getMessage()));
    }
    return told(call, trouble.stream().map(Page::harmless).toList());
  }

  private static Path file(Subcommand.Call call, String option) {
    return Path.of(
        call.option(option).orElseThrow(() -> wrong(call, "--to needs " + option + " FILE")));
  }

  private static Optional<InetSocketAddress> gateway(String to) {
    Matcher parts = GATEWAY.matcher(to);
    if (!parts.matches()) {
      return Optional.empty();
    }
    int port = Optional.ofNullable(parts.group(2)).map(Integer::parseInt).orElse(Register.PORT);
    return Address.parse(parts.group(1))
        .filter(at -> port > 0 && port <= 0xffff)
        .map(at -> socket(at, port));
  }

  private static InetSocketAddress socket(Address at, int port) {
    try {
      return new InetSocketAddress(InetAddress.getByAddress(at.bytes()), port);
    } catch (UnknownHostException e) {
      throw new AssertionError(e); // an address has as many bytes as it should
    }
  }

  private static Optional<Integer> spi(String text) {
    try {
      return Optional.of(Long.decode(text))
          .filter(spi -> spi > 0 && spi <= 0xffffffffL)
          .map(Long::intValue);
    } catch (NumberFormatException e) {
      return Optional.empty();
    }
  }

  private int tell(Subcommand.Call call, String word, List<String> arguments) {
    StringBuilder question = new StringBuilder(word);
    arguments.forEach(one -> question.append(' ').append(one.replaceAll("\\s", "?")));
    List<Map<String, String>> lines = new ArrayList<>();
    if (!ask(call, question.toString(), lines)) {
      return ExitStatus.NO;
    }
    List<String> troubles =
        lines.stream()
            .filter(line -> line.containsKey("trouble"))
            .map(line -> Page.harmless(line.getOrDefault("trouble", "")))
            .toList();
    return told(call, troubles);
  }

  private static int told(Subcommand.Call call, List<String> troubles) {
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
      case "calls" ->
          "%s calls of PPTP in %s control connections"
              .formatted(at(line, "count"), at(line, "connections"));
      case "call" ->
          "call %s from %s is for %s, which calls it %s"
              .formatted(at(line, "id"), at(line, "remote"), at(line, "host"), at(line, "own"));
      case "refused" -> "refused %s times: %s".formatted(at(line, "count"), at(line, "why"));
      default ->
          "%s s ago, %s with %s: %s"
              .formatted(
                  at(line, "seconds"), at(line, "host"), at(line, "remote"), at(line, "why"));
    };
  }
}
