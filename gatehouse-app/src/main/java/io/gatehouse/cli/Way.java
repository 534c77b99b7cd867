package io.gatehouse.cli;

import io.gatehouse.model.Origin;
import io.gatehouse.path.HeaderSpace.Packet;
import io.gatehouse.path.HostState.Policy;
import io.gatehouse.path.HostState.PolicyAction;
import io.gatehouse.path.Journey.Decider;
import io.gatehouse.path.Journey.Effect;
import io.gatehouse.path.Journey.Outcome;
import io.gatehouse.path.Journey.Step;
import io.gatehouse.path.Journey.Trace;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** The way of one packet, hop by hop, in words. */
final class Way {
  static final Origin NO_LINE = Origin.builtIn("");
  private static final long BACKSTOP = 0xffff0000L;

  private Way() {}

  /**
   * A row of the way.
   *
   * @param hop where it is; empty for more about the hop before
   * @param origin the line that asked for what decided
   */
  record Line(String hop, String text, Origin origin) {
    /** Hop and text together. */
    String joined() {
      return hop.isEmpty() ? text : hop + ": " + text;
    }
  }

  /** From the device that it came by to that by which it left, or as far as it came. */
  static List<Line> of(Trace trace, boolean made) {
    List<Line> lines = new ArrayList<>();
    lines.add(made ? new Line("this host", "makes it", NO_LINE) : came(trace.packet()));
    List<Step> steps = trace.steps();
    int from = 0;
    while (from < steps.size()) {
      int to = from + 1;
      String hop = hop(steps.get(from));
      while (to < steps.size() && hop(steps.get(to)).equals(hop)) {
        to++;
      }
      lines.addAll(at(hop, steps.subList(from, to)));
      from = to;
    }
    trace.outcome().ifPresent(outcome -> lines.add(end(trace.packet(), outcome)));
    return lines;
  }

  /** All chains of a hook together; of those that let everything go on, nothing. */
  private static List<Line> at(String hop, List<Step> steps) {
    List<Line> lines = new ArrayList<>();
    for (Step step : steps) {
      if (!isSilent(step)) {
        lines.add(new Line(lines.isEmpty() ? hop : "", text(step), origin(step)));
      }
    }
    return lines.isEmpty() ? List.of(new Line(hop, "—", NO_LINE)) : lines;
  }

  private static Line came(Packet packet) {
    return new Line(
        packet.device() + " in",
        packet.tunnel().map(name -> "ESP, decrypted by an SA of " + name).orElse("in clear"),
        NO_LINE);
  }

  private static Line end(Packet packet, Outcome outcome) {
    String as =
        outcome.source().equals(packet.source())
                && outcome.destination().equals(packet.destination())
                && outcome.sourcePort() == packet.sourcePort()
                && outcome.destinationPort() == packet.destinationPort()
            ? ""
            : ", as " + PacketWords.ends(packet, outcome);
    return outcome
        .device()
        .map(device ->
            new Line(
                device + " out",
                outcome.tunnel().map(name -> "in ESP of " + name).orElse("in clear") + as,
                NO_LINE))
        .orElseGet(() -> new Line("this host", "gets it" + as, NO_LINE));
  }

  private static boolean isSilent(Step step) {
    return step.by() instanceof Decider.ByChainPolicy && step.effect() == Effect.ACCEPTED;
  }

  /** The first word of a hook, the whole of other names. */
  private static String hop(Step step) {
    return switch (step.by()) {
      case Decider.ByRule rule -> step.hop().substring(0, step.hop().indexOf(' '));
      case Decider.ByChainPolicy policy -> step.hop().substring(0, step.hop().indexOf(' '));
      default -> step.hop().startsWith("xfrm out ") ? "xfrm again" : step.hop();
    };
  }

  private static String text(Step step) {
    return mark(step.effect()) + words(step);
  }

  private static String mark(Effect effect) {
    return switch (effect) {
      case ACCEPTED -> "✓ ";
      case DROPPED -> "✗ ";
      case TRANSLATED -> "⇄ ";
      case MATCHED, ROUTED -> "";
    };
  }

  private static String words(Step step) {
    return switch (step.by()) {
      case Decider.ByKernel kernel -> kernel(kernel.reason());
      case Decider.ByRule rule -> rule.rule().why() + " (" + place(rule) + ")";
      default -> decider(step);
    };
  }

  private static String place(Decider.ByRule rule) {
    String table = rule.table().equals("gatehouse") ? "" : rule.family() + " " + rule.table() + " ";
    return table + rule.chain() + " rule " + rule.number();
  }

  /** What a rule is for; who decided where it was none. */
  static String why(Step step) {
    return step.by() instanceof Decider.ByRule rule ? rule.rule().why() : decider(step);
  }

  /** Who decided. */
  static String decider(Step step) {
    return switch (step.by()) {
      case Decider.ByRule rule -> place(rule) + ": " + rule.rule().why();
      case Decider.ByChainPolicy policy ->
          policy.chain()
              + ": no rule of it decides, and its policy is "
              + (step.effect() == Effect.DROPPED ? "drop" : "accept");
      case Decider.ByXfrmPolicy policy -> policy(policy.policy(), step.effect());
      case Decider.ByKernel kernel -> "the kernel: " + kernel(kernel.reason());
    };
  }

  /** Counters of /proc/net/xfrm_stat in words, beside their names. */
  private static String kernel(String reason) {
    return switch (reason) {
      case "in clear" -> "no policy protects it or blocks it: in clear";
      case "XfrmInTmplMismatch" -> "it did not come as its policy wants (XfrmInTmplMismatch)";
      case "XfrmInNoPols" -> "its tunnel has no policy for it (XfrmInNoPols)";
      default -> reason;
    };
  }

  private static String policy(Policy policy, Effect effect) {
    String selector = policy.source() + " → " + policy.destination();
    if (policy.action() == PolicyAction.BLOCK) {
      // Nothing but a backstop stands so low.
      return (policy.priority() >= BACKSTOP ? "backstop " : "policy ") + selector + " blocks it";
    }
    return policy
        .tunnel()
        .map(name ->
            effect == Effect.DROPPED
                ? "policy " + selector + " of " + name + " asks for an SA, and there is none"
                : "policy " + selector + " protects it: " + name)
        .orElse("policy " + selector + " lets it through in clear");
  }

  /** The line that asked for what decided; none where no line did. */
  static Origin origin(Step step) {
    return switch (step.by()) {
      case Decider.ByRule rule -> rule.rule().origin();
      case Decider.ByXfrmPolicy policy -> policy.policy().origin();
      default -> NO_LINE;
    };
  }

  /** What became of a packet, in a few words. */
  static String said(Trace trace) {
    return trace
        .outcome()
        .map(outcome ->
            outcome
                .device()
                .map(device ->
                    "leaves by "
                        + device
                        + outcome.tunnel().map(name -> " in ESP of " + name).orElse(" in clear"))
                .orElse("reaches this host"))
        .orElse("dropped");
  }

  // ---- kinds of decisions

  static boolean isDrop(Step step) {
    return step.effect() == Effect.DROPPED;
  }

  static boolean isTranslation(Step step) {
    return step.effect() == Effect.TRANSLATED;
  }

  static boolean isRouting(Step step) {
    return step.effect() == Effect.ROUTED;
  }

  static boolean isByRule(Step step) {
    return step.by() instanceof Decider.ByRule;
  }

  /** A rule that let it pass for good, not one that only kept it from being translated. */
  static boolean isAcceptingRule(Step step) {
    return isByRule(step) && isAcceptance(step) && !step.hop().startsWith("postrouting");
  }

  static boolean isAcceptance(Step step) {
    return step.effect() == Effect.ACCEPTED
        && !(step.by() instanceof Decider.ByKernel)
        && (step.hop().startsWith("forward")
            || step.hop().startsWith("input")
            || step.hop().startsWith("output"));
  }

  /** What xfrm made of it. */
  static boolean isProtection(Step step) {
    return step.hop().startsWith("xfrm");
  }

  // ---- for programs

  static List<Map<String, Object>> json(Trace trace) {
    List<Map<String, Object>> steps = new ArrayList<>();
    for (Step step : trace.steps()) {
      Map<String, Object> map = new LinkedHashMap<>();
      map.put("hop", step.hop());
      map.put("by", decider(step));
      map.put("effect", step.effect().name().toLowerCase(Locale.ROOT));
      map.put("place", origin(step).place());
      steps.add(map);
    }
    return steps;
  }
}
