package io.gatehouse.cli;

import io.gatehouse.config.Problem;
import io.gatehouse.model.Family;
import io.gatehouse.path.HostState.SpdState;
import io.gatehouse.path.Journey;
import io.gatehouse.path.Journey.Step;
import io.gatehouse.verify.Comparison;
import io.gatehouse.verify.Comparison.Difference;
import io.gatehouse.verify.Comparison.Kind;
import io.gatehouse.verify.Comparison.Outcome;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.PositionalParamSpec;

/** {@code gatehouse compare A B}: whether two gateways let the same packets through. */
final class Compare {
  private final Subcommand.Call call;
  private final Surroundings surroundings;

  private Compare(Subcommand.Call call, Surroundings surroundings) {
    this.call = call;
    this.surroundings = surroundings;
  }

  static CommandSpec spec(Surroundings surroundings) {
    CommandSpec spec =
        Subcommand.of(
            "compare",
            "Says whether two rulesets let the same packets through, and shows what differs.",
            call -> new Compare(call, surroundings).run());
    for (String name : List.of("A", "B")) {
      spec.addPositional(
          PositionalParamSpec.builder()
              .paramLabel(name)
              .arity("1")
              .required(true)
              .type(String.class)
              .description(
                  "A description, a directory of `gatehouse snapshot`, a file of iptables-save or"
                      + " `nft -j list ruleset`, or `live`.")
              .build());
    }
    spec.addOption(Subcommand.json());
    spec.usageMessage()
        .footer(
            "",
            "A file of rules alone is compared on the other's host: with its addresses,",
            "routes, tunnels and settings.",
            "Ends with 0 where they are equal, and 1 where they differ or it is not known.");
    return spec;
  }

  private int run() {
    return Subject.read(
        call.positional(0),
        call,
        surroundings,
        this::refuse,
        a ->
            Subject.read(
                call.positional(1),
                call,
                surroundings,
                this::refuse,
                b -> compare(Compared.of(a, b))));
  }

  private void refuse(List<Problem> problems) {
    Described.refuse(problems, call, surroundings.paint());
  }

  private int compare(Compared compared) {
    if (compared.families().isEmpty()) {
      call.err().println("gatehouse compare: one is about IPv4 and the other about IPv6 only");
      call.err().flush();
      return ExitStatus.NO;
    }
    Outcome outcome = Comparison.of(compared.first(), compared.second(), compared.families());
    call.answer(
        call.isSet("--json")
            ? Json.text(json(compared, outcome))
            : surroundings.paint().page(text(compared, outcome)));
    return outcome.isEqual() ? ExitStatus.FINE : ExitStatus.NO;
  }

  // ---- in words

  private String text(Compared compared, Outcome outcome) {
    StringBuilder text = new StringBuilder();
    Page head = new Page("");
    head.row("A", call.positional(0));
    head.row("B", call.positional(1));
    compared.assumed().forEach(line -> head.row("assumed", line));
    text.append(head.text());
    String heading = "";
    for (Difference difference : outcome.differences()) {
      String now = heading(difference);
      if (!now.equals(heading)) {
        text.append(now).append('\n');
        heading = now;
      }
      text.append(rows(difference));
    }
    if (outcome.more() > 0) {
      text.append(
          "… and %s%d more kinds of difference\n"
              .formatted(outcome.uncounted() ? "at least " : "", outcome.more()));
    }
    for (String why : outcome.unknown()) {
      paragraph(text, "? " + why);
    }
    paragraph(text, summary(compared, outcome));
    return text.toString();
  }

  private static void paragraph(StringBuilder text, String paragraph) {
    for (String line : Page.wrapped(Page.harmless(paragraph), Described.WIDTH, 0)) {
      text.append(line).append('\n');
    }
  }

  private static String families(Compared compared) {
    return String.join(
        " and ", compared.families().stream().map(f -> f == Family.V4 ? "IPv4" : "IPv6").toList());
  }

  private static String summary(Compared compared, Outcome outcome) {
    if (!outcome.differences().isEmpty()) {
      long a = outcome.differences().stream().filter(d -> d.kind() == Kind.FIRST_ALONE).count();
      long b = outcome.differences().stream().filter(d -> d.kind() == Kind.SECOND_ALONE).count();
      long other = outcome.differences().size() - a - b;
      return "✗ different: shown are "
          + Page.counted((int) a, "kind")
          + " of packets that only A lets through, "
          + b
          + " that only B does, "
          + other
          + " that leave in another way";
    }
    return outcome.isEqual()
        ? "✓ equal: they let the same packets through, forwarded, to and from this host, in "
            + families(compared)
        : "? not known: no difference was found, and there may be one";
  }

  private static String heading(Difference difference) {
    String flow =
        switch (difference.flow()) {
          case FORWARD -> "forwarded";
          case INPUT -> "to this host";
          case OUTPUT -> "from this host";
        };
    return "✗ "
        + flow
        + (difference.family() == Family.V6 ? ", IPv6" : "")
        + ": "
        + what(difference.kind())
        + difference.tunnels().map(state -> ", " + when(state)).orElse("");
  }

  private static String when(SpdState state) {
    return state == SpdState.NO_SA
        ? "while a tunnel has its policy and no SA"
        : "while a tunnel is down";
  }

  private static String what(Kind kind) {
    return switch (kind) {
      case FIRST_ALONE -> "only A lets it through";
      case SECOND_ALONE -> "only B lets it through";
      case FIRST_IN_CLEAR -> "in clear by A, protected by B";
      case SECOND_IN_CLEAR -> "in clear by B, protected by A";
      case OTHER_DEVICE -> "it leaves by another device";
      case FIRST_TRANSLATES -> "only A rewrites it";
      case SECOND_TRANSLATES -> "only B rewrites it";
      case OTHER_TUNNEL -> "in different tunnels";
      case OTHER_ADDRESS -> "rewritten to different addresses or ports";
    };
  }

  private static String words(Difference difference) {
    return PacketWords.of(
        difference.way().first().packet(), difference.flow() == Comparison.Flow.OUTPUT);
  }

  private static String rows(Difference difference) {
    Page page = new Page("");
    page.row("packet", words(difference));
    List<String> open = open(difference);
    if (!open.isEmpty()) {
      page.more("where: " + String.join("; ", open));
    }
    side(page, "A", difference.way().first());
    side(page, "B", difference.way().second());
    return page.text();
  }

  private static List<String> open(Difference difference) {
    List<String> open = new ArrayList<>(difference.way().first().open());
    difference.way().second().open().stream().filter(o -> !open.contains(o)).forEach(open::add);
    return open;
  }

  /** What it does with the packet, and what decided. */
  private static void side(Page page, String name, Journey.Trace trace) {
    Optional<Step> decided = decided(trace);
    String mark = trace.outcome().isPresent() ? "✓ " : "✗ ";
    String by = decided.map(Way::decider).orElse("no rule decides");
    page.row(
        name, mark + Way.said(trace) + ": " + by, decided.map(Way::origin).orElse(Way.NO_LINE));
  }

  private static Optional<Step> decided(Journey.Trace trace) {
    List<Step> steps = trace.steps().reversed();
    return trace.outcome().isEmpty()
        ? steps.stream().filter(Way::isDrop).findFirst()
        : steps.stream()
            .filter(Way::isTranslation)
            .findFirst()
            .or(() -> steps.stream().filter(Way::isAcceptance).findFirst());
  }

  // ---- for programs

  private static Map<String, Object> json(Compared compared, Outcome outcome) {
    Map<String, Object> answer = new LinkedHashMap<>();
    answer.put(
        "verdict",
        !outcome.differences().isEmpty() ? "different" : outcome.isEqual() ? "equal" : "unknown");
    answer.put("assumed", compared.assumed());
    answer.put("families", compared.families().stream().map(f -> f == Family.V4 ? 4 : 6).toList());
    List<Map<String, Object>> list = new ArrayList<>();
    for (Difference difference : outcome.differences()) {
      Map<String, Object> one = new LinkedHashMap<>();
      one.put("flow", difference.flow().name().toLowerCase(Locale.ROOT));
      one.put("kind", difference.kind().name().toLowerCase(Locale.ROOT).replace('_', '-'));
      difference.tunnels().ifPresent(state -> one.put("when", when(state)));
      one.put("packet", words(difference));
      one.put("open", open(difference));
      one.put("a", json(difference.way().first()));
      one.put("b", json(difference.way().second()));
      list.add(one);
    }
    answer.put("differences", list);
    answer.put("more", outcome.more());
    answer.put("uncounted", outcome.uncounted());
    answer.put("unknown", outcome.unknown());
    return answer;
  }

  private static Map<String, Object> json(Journey.Trace trace) {
    Map<String, Object> one = new LinkedHashMap<>();
    one.put("through", trace.outcome().isPresent());
    one.put("said", Way.said(trace));
    decided(trace)
        .ifPresent(step -> {
          one.put("by", Way.decider(step));
          one.put("place", Way.origin(step).place());
        });
    one.put("path", Way.json(trace));
    return one;
  }
}
