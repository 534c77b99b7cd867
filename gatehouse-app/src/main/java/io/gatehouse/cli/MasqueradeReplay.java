package io.gatehouse.cli;

import io.gatehouse.capture.FrameStream;
import io.gatehouse.capture.Replay;
import io.gatehouse.capture.Replay.Fate;
import io.gatehouse.masquerade.Binding;
import io.gatehouse.masquerade.Change;
import io.gatehouse.masquerade.Method;
import io.gatehouse.masquerade.Settings;
import io.gatehouse.masquerade.Verdict;
import io.gatehouse.model.Address;
import io.gatehouse.model.Prefix;
import io.gatehouse.packet.Esp;
import io.gatehouse.packet.Ike;
import io.gatehouse.packet.Ip;
import io.gatehouse.packet.Udp;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;
import picocli.CommandLine.ParameterException;

/** {@code gatehouse masquerade replay CAPTURE}: what the masquerade would have decided. */
final class MasqueradeReplay {
  /** Of a frame; the largest that IP can make, and what Ethernet puts before it. */
  private static final int KEPT = 0xffff + 128;

  private static final List<String> METHODS =
      Arrays.stream(Method.values()).map(MasqueradeReplay::word).toList();

  private MasqueradeReplay() {}

  static CommandSpec spec(Surroundings surroundings) {
    CommandSpec[] own = new CommandSpec[1];
    CommandSpec group =
        Subcommand.of(
            "masquerade",
            "Which host behind one address an IPsec packet is for.",
            call -> {
              throw new ParameterException(own[0].commandLine(), "no command given");
            });
    own[0] = group;
    CommandSpec replay =
        Subcommand.of(
            "replay",
            "Decides anew about captured packets, and shows how and why.",
            call -> run(call, surroundings));
    replay.addPositional(
        PositionalParamSpec.builder()
            .paramLabel("CAPTURE")
            .arity("1")
            .required(true)
            .type(String.class)
            .description("A capture of the inside, pcap or pcapng.")
            .build());
    replay.addOption(
        OptionSpec.builder("--inside")
            .paramLabel("PREFIX")
            .arity("1")
            .required(true)
            .type(List.class)
            .auxiliaryTypes(String.class)
            .description("Where the hosts are; may be repeated.")
            .build());
    replay.addOption(
        OptionSpec.builder("--method")
            .paramLabel(String.join("|", METHODS))
            .arity("1")
            .type(String.class)
            .completionCandidates(METHODS)
            .description(
                "How an SPI finds its host: by evidence, as `gatehouse run` decides, or by one of"
                    + " two baselines: the seed's, one first packet at a time; first in, first out.")
            .build());
    replay.addOption(Subcommand.json());
    group.addSubcommand("replay", replay);
    MasqueradeLive.specs(surroundings).forEach(one -> group.addSubcommand(one.name(), one));
    return group;
  }

  private static String word(Method method) {
    return method.name().toLowerCase(Locale.ROOT);
  }

  private static Method method(Subcommand.Call call) {
    String wanted = call.option("--method").orElse(word(Method.EVIDENCE));
    return Arrays.stream(Method.values())
        .filter(method -> word(method).equals(wanted))
        .findFirst()
        .orElseThrow(() ->
            new ParameterException(
                call.spec().commandLine(),
                "--method is " + String.join(", ", METHODS) + ", not " + wanted));
  }

  private static int run(Subcommand.Call call, Surroundings surroundings) {
    List<Prefix> inside = new ArrayList<>();
    for (String text : call.options("--inside")) {
      inside.add(
          Prefix.parse(text)
              .orElseThrow(() ->
                  new ParameterException(
                      call.spec().commandLine(), "--inside: " + text + " is no prefix")));
    }
    Settings settings =
        new Settings(
            method(call),
            Duration.ofMinutes(65),
            true,
            // What was captured cannot be held any more.
            Duration.ZERO,
            List.of(),
            Settings.Limits.standard());
    boolean json = call.isSet("--json");
    Replay replay = new Replay(inside, settings, step -> tell(call, json, step));
    Optional<FrameStream.Ending> end;
    Path file = surroundings.directory().resolve(call.positional(0));
    try (InputStream in = Files.newInputStream(file)) {
      end = FrameStream.read(in, KEPT, replay);
    } catch (IOException e) {
      return refused(call, "cannot read " + call.positional(0));
    }
    if (replay.decided() + replay.others() == 0 && end.isPresent()) {
      return refused(call, call.positional(0) + ": " + end.get().what());
    }
    call.answer(json ? Json.text(answer(replay, end)) : text(replay, end));
    return replay.count(Fate.WRONG) == 0 ? ExitStatus.FINE : ExitStatus.NO;
  }

  /** As it comes: of a long capture nothing is kept. */
  private static void tell(Subcommand.Call call, boolean json, Replay.Step step) {
    if (!json && isTelling(step)) {
      call.out().print(text(step));
    }
  }

  private static int refused(Subcommand.Call call, String why) {
    call.err().println("gatehouse masquerade replay: " + Page.harmless(why));
    call.err().flush();
    return ExitStatus.NO;
  }

  private static String text(Replay.Step step) {
    StringBuilder text = new StringBuilder();
    text.append(
        String.format(Locale.ROOT, "%9.3f  %s\n", step.time() / 1000.0, what(step.packet())));
    text.append("           ").append(verdict(step)).append('\n');
    for (Replay.Changed change : step.changes()) {
      change(change).ifPresent(line -> text.append("           ").append(line).append('\n'));
    }
    return text.toString();
  }

  private static String text(Replay replay, Optional<FrameStream.Ending> early) {
    StringBuilder text = new StringBuilder();
    text.append(
        "%d packets, %d of them for the masquerade. From outside: %d to their host,\n"
            .formatted(
                replay.decided() + replay.others(), replay.decided(), replay.count(Fate.RIGHT)));
    text.append(
        "%d with copies to others, %d to a wrong host; %d refused in all.\n"
            .formatted(
                replay.count(Fate.COPIED), replay.count(Fate.WRONG), replay.count(Fate.REFUSED)));
    early.ifPresent(end ->
        text.append(
            "The capture ends early, at byte %d: %s.\n".formatted(end.offset(), end.what())));
    return text.toString();
  }

  /** Established traffic fills no page. */
  private static boolean isTelling(Replay.Step step) {
    return !step.changes().isEmpty()
        || switch (step.fate()) {
          case COPIED, WRONG, REFUSED, HELD -> true;
          case RIGHT, PASSED -> step.packet().body() instanceof Udp;
        };
  }

  private static String what(Ip packet) {
    String ends = packet.source() + " -> " + packet.destination() + "  ";
    return ends
        + switch (packet.body()) {
          case Esp esp -> "ESP 0x%08x, number %d".formatted(esp.spi(), esp.sequenceNumber());
          case Udp udp when udp.content() instanceof Ike ike ->
              "IKEv%d %s of %016x".formatted(ike.major(), exchange(ike), ike.initiator());
          default -> "protocol " + packet.protocol();
        };
  }

  private static String exchange(Ike ike) {
    String name =
        switch (ike.exchange()) {
          case Ike.MAIN_MODE -> "Main Mode";
          case Ike.AGGRESSIVE -> "Aggressive Mode";
          case Ike.QUICK_MODE -> "Quick Mode";
          case Ike.SA_INIT -> "SA_INIT";
          case Ike.AUTH -> "AUTH";
          case Ike.CREATE_CHILD_SA -> "CREATE_CHILD_SA";
          case Ike.INFORMATIONAL, Ike.INFORMATIONAL_V1 -> "INFORMATIONAL";
          default -> "exchange " + ike.exchange();
        };
    return ike.major() == 2 ? name + (ike.answers() ? " answer" : " request") : name;
  }

  private static String verdict(Replay.Step step) {
    return switch (step.verdict()) {
      case Verdict.To(Address host) ->
          "to " + host + (step.fate() == Fate.WRONG ? ", which is wrong" : "");
      case Verdict.Copies(List<Address> hosts) ->
          "undecided: copies to "
              + hosts.stream().map(Address::toString).collect(Collectors.joining(", "));
      case Verdict.Drop drop -> "refused: " + drop.reason().words();
      case Verdict.Hold hold -> "held";
      case Verdict.Own own -> "for this machine";
      case Verdict.Forward forward -> "passes";
      case Verdict.NotOurs notOurs -> "not for the masquerade";
    };
  }

  private static Optional<String> change(Replay.Changed changed) {
    return switch (changed.change()) {
      case Change.Bind bind ->
          Optional.of(
              "bound: 0x%08x to %s%s"
                  .formatted(
                      bind.spi(),
                      bind.host(),
                      changed.why().map(why -> ", " + why.words()).orElse("")));
      case Change.Unbind unbind -> Optional.of("forgotten: 0x%08x".formatted(unbind.spi()));
      case Change.BindCookie cookie -> Optional.of("session of %s begins".formatted(cookie.host()));
      case Change.UnbindCookie cookie -> Optional.empty();
    };
  }

  private static Map<String, Object> answer(Replay replay, Optional<FrameStream.Ending> early) {
    Map<String, Object> answer = new LinkedHashMap<>();
    answer.put("fine", replay.count(Fate.WRONG) == 0);
    answer.put("packets", replay.decided() + replay.others());
    for (Fate fate : Fate.values()) {
      answer.put(fate.name().toLowerCase(Locale.ROOT), replay.count(fate));
    }
    List<Map<String, Object>> bindings = new ArrayList<>();
    for (Binding binding : replay.status().bindings()) {
      Map<String, Object> one = new LinkedHashMap<>();
      one.put("remote", binding.remote().toString());
      one.put("spi", "0x%08x".formatted(binding.spi()));
      one.put("host", binding.host().toString());
      one.put("evidence", binding.evidence().name().toLowerCase(Locale.ROOT));
      bindings.add(one);
    }
    answer.put("bindings", bindings);
    answer.put("endsEarly", early.map(FrameStream.Ending::what).orElse(""));
    return answer;
  }
}
