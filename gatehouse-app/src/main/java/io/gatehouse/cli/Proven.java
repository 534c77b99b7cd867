package io.gatehouse.cli;

import io.gatehouse.path.Journey.Step;
import io.gatehouse.path.Journey.Trace;
import io.gatehouse.verify.Proofs;
import io.gatehouse.verify.Property;
import io.gatehouse.verify.Verdict;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import picocli.CommandLine.ParameterException;

/** What came of the proofs, in words. */
record Proven(List<Verdict> verdicts) {
  /** The names of all properties. */
  static final List<String> WORDS = Arrays.stream(Property.values()).map(Property::word).toList();

  private static final String ALL = "every packet, every state of the tunnels";

  Proven {
    verdicts = List.copyOf(verdicts);
  }

  /** Two walks at a time, each of which holds its arena twice while that grows. */
  private static final int BYTES_A_NODE = 160;

  static Proven of(Described described) {
    long room = Runtime.getRuntime().maxMemory() / BYTES_A_NODE;
    int nodes = (int) Math.min(Proofs.NODES, room);
    return new Proven(Proofs.of(described.gateway(), described.compiled().ruleset(), nodes));
  }

  /** The properties that an option of the command line names. */
  static Set<Property> named(Subcommand.Call call, String option) {
    Set<Property> named = EnumSet.noneOf(Property.class);
    for (String word : call.options(option)) {
      named.add(
          Property.byWord(word)
              .orElseThrow(() ->
                  new ParameterException(
                      call.spec().commandLine(),
                      "no property `" + word + "`; there are " + String.join(", ", WORDS))));
    }
    return named;
  }

  /** Whether every property was proved. */
  boolean isWhole() {
    return isWholeBut(Set.of());
  }

  /** Whether every property was proved but those. */
  boolean isWholeBut(Set<Property> despite) {
    return missing().allMatch(verdict -> despite.contains(verdict.property()));
  }

  private java.util.stream.Stream<Verdict> missing() {
    return verdicts.stream().filter(verdict -> !(verdict instanceof Verdict.Holds));
  }

  /** {@code ✓ 8 properties proved}, or how many of them were not. */
  String summary() {
    long missing = missing().count();
    String properties =
        Page.counted(verdicts.size(), "property").replace("propertys", "properties");
    return missing == 0
        ? "✓ " + properties + " proved: " + ALL + "\n"
        : "✗ " + missing + " of " + properties + " not proved\n";
  }

  /** A line for each property. */
  String list() {
    Page page = new Page("");
    for (Verdict verdict : verdicts) {
      page.row(verdict.property().word(), mark(verdict) + verdict.property().sentence());
    }
    return page.text();
  }

  private static String mark(Verdict verdict) {
    return switch (verdict) {
      case Verdict.Holds holds -> "✓ ";
      case Verdict.Broken broken -> "✗ ";
      case Verdict.Unknown unknown -> "? ";
    };
  }

  /**
   * Each property that was not proved, with what shows it; empty where there is none.
   *
   * @param file the description, for commands to try
   */
  String text(String file) {
    return missing()
        .map(verdict -> heading(verdict) + rows(verdict, file))
        .collect(Collectors.joining());
  }

  private static String heading(Verdict verdict) {
    Property property = verdict.property();
    return Page.wrapped(
                mark(verdict) + property.sentence() + " (" + property.word() + ")",
                Described.WIDTH,
                0)
            .stream()
            .collect(Collectors.joining("\n  "))
        + "\n";
  }

  private static String rows(Verdict verdict, String file) {
    Page page = new Page("");
    switch (verdict) {
      case Verdict.Holds holds -> {}
      case Verdict.Unknown unknown -> {
        page.row("not known", unknown.why());
        page.row("so", "there is no proof; take it for broken");
      }
      case Verdict.Broken broken -> {
        String words = PacketWords.of(broken.witness().packet(), broken.made());
        page.row("witness", words);
        page.more(broken.what());
        circumstances(broken.witness()).ifPresent(page::more);
        List<Way.Line> lines = Way.of(broken.witness(), broken.made());
        for (int i = 0; i < lines.size(); i++) {
          page.row(i == 0 ? "path" : "", lines.get(i).joined(), lines.get(i).origin());
        }
        Optional<Step> blamed = blamed(broken);
        blamed.ifPresent(step -> page.row("to blame", Way.decider(step), Way.origin(step)));
        page.row("way out", wayOut(broken, blamed));
        if (broken.property() != Property.FLUSHED) {
          page.row("more", "gatehouse trace \"" + words + "\" --on " + file);
        }
      }
    }
    return page.text();
  }

  /** What was chosen of what the packet does not decide. */
  private static Optional<String> circumstances(Trace trace) {
    return trace.open().isEmpty()
        ? Optional.empty()
        : Optional.of("where: " + String.join("; ", trace.open()));
  }

  /** The decision without which the witness would not be one. */
  private static Optional<Step> blamed(Verdict.Broken broken) {
    List<Step> steps = broken.witness().steps();
    return switch (broken.property()) {
      case TOO_LITTLE -> last(steps, Way::isDrop);
      case REWRITTEN -> last(steps, Way::isTranslation).or(() -> last(steps, Way::isByRule));
      case IDENTITY -> last(steps, Way::isTranslation).or(() -> last(steps, Way::isRouting));
      case FLUSHED -> last(steps, Way::isProtection);
      default ->
          last(steps, Way::isAcceptingRule)
              .or(() -> last(steps, Way::isAcceptance))
              .or(() -> last(steps, Way::isProtection));
    };
  }

  private static Optional<Step> last(
      List<Step> steps, java.util.function.Predicate<? super Step> which) {
    return steps.reversed().stream().filter(which).findFirst();
  }

  private static String wayOut(Verdict.Broken broken, Optional<Step> blamed) {
    boolean ours = blamed.map(Way::origin).map(origin -> !origin.isBuiltIn()).orElse(false);
    String report =
        "the description does not ask for it: our fault; report it with the description";
    return switch (broken.property()) {
      case TOO_LITTLE ->
          ours
              ? "that line, or the one that promises more, is to give way"
              : "the description promises what cannot be: change it, or report it";
      default -> ours ? "that line lets it pass; if it is not to, change it there" : report;
    };
  }

  /** Why nothing is applied, and how it would be. */
  List<String> refusal(Set<Property> despite) {
    List<String> words =
        missing()
            .map(Verdict::property)
            .filter(property -> !despite.contains(property))
            .map(Property::word)
            .toList();
    List<String> lines = new ArrayList<>();
    lines.add("not proved: " + String.join(", ", words) + "; nothing was touched");
    lines.add(
        "to apply it nevertheless: --despite "
            + missing()
                .map(verdict -> verdict.property().word())
                .collect(Collectors.joining(" --despite ")));
    return lines;
  }

  /** Of what is applied all the same, what was not proved. */
  List<String> remarks() {
    return missing()
        .map(verdict ->
            "applied though "
                + (verdict instanceof Verdict.Broken ? "broken" : "not known")
                + ": "
                + verdict.property().word())
        .toList();
  }

  /** The same for programs. */
  List<Map<String, Object>> json() {
    return verdicts.stream().map(Proven::json).toList();
  }

  private static Map<String, Object> json(Verdict verdict) {
    Map<String, Object> map = new LinkedHashMap<>();
    map.put("property", verdict.property().word());
    map.put("sentence", verdict.property().sentence());
    switch (verdict) {
      case Verdict.Holds holds -> map.put("verdict", "holds");
      case Verdict.Unknown unknown -> {
        map.put("verdict", "unknown");
        map.put("why", unknown.why());
      }
      case Verdict.Broken broken -> {
        map.put("verdict", "broken");
        map.put("witness", PacketWords.of(broken.witness().packet(), broken.made()));
        map.put("what", broken.what());
        map.put("open", broken.witness().open());
        map.put("path", Way.json(broken.witness()));
        blamed(broken)
            .ifPresent(step -> {
              map.put("blame", Way.decider(step));
              map.put("place", Way.origin(step).place());
            });
      }
    }
    return map;
  }
}
