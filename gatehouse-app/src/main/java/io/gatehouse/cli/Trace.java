package io.gatehouse.cli;

import io.gatehouse.path.HostState.SpdState;
import io.gatehouse.path.Journey;
import io.gatehouse.path.Journey.Outcome;
import io.gatehouse.path.Unknown;
import io.gatehouse.verify.Follow;
import io.gatehouse.verify.Follow.Ends;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.PositionalParamSpec;

/**
 * {@code gatehouse trace PACKET --on FILE|DIR|live}: where a packet goes, and which line decided.
 */
final class Trace {
  /** Verdicts within the text of what is open. */
  private static final Pattern LEADS_TO = Pattern.compile("(?:Goto|Jump)\\[chain=([^\\]]*)\\]");

  private final Subcommand.Call call;
  private final Surroundings surroundings;
  private final String words;

  private Trace(Subcommand.Call call, Surroundings surroundings) {
    this.call = call;
    this.surroundings = surroundings;
    words = String.join(" ", call.positionals(0));
  }

  static CommandSpec spec(Surroundings surroundings) {
    CommandSpec spec =
        Subcommand.of(
            "trace",
            "Says where a packet goes, hop by hop, and which line decided.",
            call -> new Trace(call, surroundings).run());
    spec.addPositional(
        PositionalParamSpec.builder()
            .paramLabel("PACKET")
            .arity("1..*")
            .required(true)
            .type(List.class)
            .auxiliaryTypes(String.class)
            .description("Such as \"tcp 10.0.3.5:40000 -> 10.0.1.20:445 in staff\".")
            .build());
    spec.addOption(Subcommand.onAny());
    spec.addOption(Subcommand.json());
    spec.usageMessage()
        .footer(
            "",
            "Behind the addresses: in TUNNEL, from DEVICE, established, related,",
            "invalid, reply; for ICMP type N, code N. `[2001:db8::5]:443` has a port.",
            "Ends with 0 where the packet surely arrives, and 1 elsewhere.");
    return spec;
  }

  private int run() {
    return Subject.read(
        call.option("--on").orElseThrow(),
        call,
        surroundings,
        problems -> Described.refuse(problems, call, surroundings.paint()),
        subject ->
            switch (PacketWords.read(words, subject.whereabouts())) {
              case PacketWords.Read.Wrong wrong -> wrong(wrong);
              case PacketWords.Read.Understood packet -> follow(subject, packet);
            });
  }

  /** The words again, with what is wrong marked: they came from the command line. */
  private int wrong(PacketWords.Read.Wrong wrong) {
    call.err().println("gatehouse trace: " + Page.harmless(wrong.message()));
    call.err().println("  " + Page.harmless(words));
    call.err()
        .println(
            "  "
                + " ".repeat(wrong.column() - 1)
                + "^".repeat(Math.max(1, wrong.length()))
                + "  "
                + Page.harmless(wrong.wayOut()));
    call.err().flush();
    return ExitStatus.USAGE;
  }

  // ---- the answer

  /** What becomes of it in one state of the tunnels. */
  private record Case(Optional<SpdState> tunnels, Ends ends) {}

  private int follow(Subject subject, PacketWords.Read.Understood packet) {
    List<String> assumed = new ArrayList<>(packet.assumed());
    assumed.addAll(subject.assumed(packet.packet().source().family()));
    PacketWords.Read.Understood asked =
        new PacketWords.Read.Understood(packet.packet(), packet.made(), assumed);
    Follow follow = subject.follow();
    List<Case> cases = new ArrayList<>();
    for (Optional<SpdState> state :
        List.<Optional<SpdState>>of(
            Optional.empty(), Optional.of(SpdState.NO_SA), Optional.of(SpdState.NO_POLICY))) {
      Optional<Ends> ends = follow.packet(asked.packet(), asked.made(), state);
      if (ends.isEmpty()) {
        call.err().println("gatehouse trace: the question took more room than there is");
        call.err().flush();
        return ExitStatus.NO;
      }
      cases.add(new Case(state, ends.get()));
    }
    Ends up = cases.getFirst().ends();
    if (up.arrives().isEmpty() && up.stops().isEmpty()) {
      call.err().println("gatehouse trace: there can be no such packet");
      call.err().flush();
      return ExitStatus.NO;
    }
    Optional<Ends> back =
        up.arrives()
            .flatMap(Journey.Trace::outcome)
            .flatMap(outcome -> follow.answer(asked.packet(), asked.made(), outcome));
    // What differs while tunnels are in another state.
    List<Case> others =
        cases.stream().skip(1).filter(other -> !said(other.ends()).equals(said(up))).toList();
    if (call.isSet("--json")) {
      call.answer(Json.text(answer(asked, up, others, back)));
    } else {
      call.answer(surroundings.paint().page(text(asked, up, others, back)));
    }
    return up.surely() ? ExitStatus.FINE : ExitStatus.NO;
  }

  private static String text(
      PacketWords.Read.Understood asked, Ends up, List<Case> others, Optional<Ends> back) {
    Page page = new Page("");
    asked.assumed().forEach(assumption -> page.row("assumed", assumption));
    Journey.Trace first = up.arrives().or(up::stops).orElseThrow();
    Way.of(first, asked.made()).forEach(line -> page.row(line.hop(), line.text(), line.origin()));
    StringBuilder text = new StringBuilder(page.text());
    paragraph(text, verdict(up) + back.map(Trace::back).orElse(""));
    if (up.arrives().isPresent() && up.stops().isPresent()) {
      paragraph(text, "? it may also stop: " + said(up.stops().get()) + ". " + open(up.open()));
    }
    for (Case other : others) {
      paragraph(text, "! " + when(other.tunnels()) + ": " + said(other.ends()));
    }
    return text.toString();
  }

  private static void paragraph(StringBuilder text, String paragraph) {
    for (String line : Page.wrapped(Page.harmless(paragraph.strip()), Described.WIDTH, 0)) {
      text.append(line).append('\n');
    }
  }

  private static String verdict(Ends ends) {
    return ends.arrives().isPresent()
        ? "✓ arrives" + (ends.stops().isPresent() ? ", or not. " : ". ")
        : "✗ " + said(ends) + ". ";
  }

  /** The last decision about the answer, and where it gets. */
  private static String back(Ends back) {
    return "The way back: "
        + (back.arrives().isPresent()
            ? back.arrives().flatMap(Trace::accepted).map(by -> by + ", ").orElse("")
                + back.arrives().map(Trace::said).orElse("")
            : "does not get home; " + back.stops().map(Trace::said).orElse("it cannot be"))
        + ".";
  }

  private static Optional<String> accepted(Journey.Trace trace) {
    return trace.steps().stream()
        .filter(Way::isAcceptingRule)
        .reduce((first, second) -> second)
        .map(Way::why);
  }

  private static String open(List<Unknown> open) {
    return open.isEmpty() ? "" : "That depends on: " + String.join("; ", collected(open));
  }

  /** The first of those with the same text stands for all. */
  private static List<String> collected(List<Unknown> open) {
    Map<String, String> first = new LinkedHashMap<>();
    open.forEach(unknown -> first.putIfAbsent(unknown.text(), open(unknown)));
    return List.copyOf(first.values());
  }

  private static String open(Unknown unknown) {
    String text = LEADS_TO.matcher(unknown.text()).replaceAll("$1");
    return text + " (" + unknown.place() + ")";
  }

  private static String when(Optional<SpdState> state) {
    return switch (state.orElse(SpdState.UP)) {
      case UP -> "with its tunnels up";
      case NO_SA -> "while a tunnel has its policy and no SA";
      case NO_POLICY -> "while a tunnel is down";
    };
  }

  /** What becomes of a packet, in a few words. */
  private static String said(Ends ends) {
    String arrives = ends.arrives().map(Trace::said).orElse("");
    String stops = ends.stops().map(Trace::said).orElse("");
    return arrives.isEmpty() || stops.isEmpty() ? arrives + stops : arrives + ", or " + stops;
  }

  private static String said(Journey.Trace trace) {
    Optional<Outcome> outcome = trace.outcome();
    if (outcome.isPresent()) {
      return outcome
          .get()
          .device()
          .map(device ->
              "leaves by "
                  + device
                  + outcome.get().tunnel().map(name -> " in ESP of " + name).orElse(" in clear"))
          .orElse("reaches this host");
    }
    return trace.steps().reversed().stream()
        .filter(Way::isDrop)
        .findFirst()
        .map(step -> "dropped: " + Way.decider(step))
        .orElse("there can be no such packet");
  }

  // ---- for programs

  private Map<String, Object> answer(
      PacketWords.Read.Understood asked, Ends up, List<Case> others, Optional<Ends> back) {
    Map<String, Object> answer = new LinkedHashMap<>();
    answer.put("fine", up.surely());
    answer.put("packet", PacketWords.of(asked.packet(), asked.made()));
    answer.put("assumed", asked.assumed());
    answer.put("arrives", up.arrives().isPresent());
    answer.put("stops", up.stops().isPresent());
    answer.put("said", said(up));
    answer.put("path", Way.json(up.arrives().or(up::stops).orElseThrow()));
    answer.put("open", up.open().stream().map(Unknown::text).toList());
    back.ifPresent(ends -> {
      answer.put("back", ends.arrives().isPresent());
      ends.arrives().or(ends::stops).ifPresent(t -> answer.put("backPath", Way.json(t)));
    });
    Map<String, Object> otherwise = new LinkedHashMap<>();
    others.forEach(other -> otherwise.put(when(other.tunnels()), said(other.ends())));
    answer.put("otherwise", otherwise);
    return answer;
  }
}
