package io.gatehouse.doctor;

import io.gatehouse.doctor.Finding.Certainty;
import io.gatehouse.doctor.Finding.Evidence;
import io.gatehouse.doctor.Finding.Severity;
import io.gatehouse.model.Family;
import io.gatehouse.model.Numbers;
import io.gatehouse.ruleset.Chain;
import io.gatehouse.ruleset.Rule;
import io.gatehouse.ruleset.Table;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import tools.jackson.databind.JsonNode;

/** What others put beside our own rules. Where ours do not stand, there is nothing to say. */
final class Strangers {
  private Strangers() {}

  static List<Finding> look(Patient patient) {
    if (!patient.isOurs()) {
      return List.of();
    }
    List<Finding> findings = new ArrayList<>();
    updown(patient, findings);
    numbers(patient, findings);
    return findings;
  }

  /** Rules of strongSwan's `_updown iptables`, which has one pair for each tunnel. */
  private static void updown(Patient patient, List<Finding> findings) {
    List<Evidence> evidence = new ArrayList<>();
    List<Command> remedy = new ArrayList<>();
    for (Table table : patient.host().tables()) {
      for (Chain chain : table.chains()) {
        for (Rule rule : chain.rules()) {
          String text = rule.why();
          boolean theirs =
              text.startsWith("-A ")
                  && text.contains("--pol ipsec")
                  && text.contains("--reqid ")
                  && text.contains("--proto esp")
                  && text.endsWith("-j ACCEPT")
                  && text.matches("[A-Za-z0-9 ./:!_-]+");
          if (theirs) {
            evidence.add(new Evidence(text, rule.origin().place()));
            remedy.add(
                Command.of(
                    "%s %s -D %s",
                    table.family().equals("ip") ? "iptables" : "ip6tables",
                    table.name().equals("filter") ? List.of() : List.of("-t", table.name()),
                    List.of(text.substring(3).split(" +", -1))));
          }
        }
      }
    }
    if (!evidence.isEmpty()) {
      findings.add(
          new Finding(
              Kind.UPDOWN_RULES,
              Severity.WARNING,
              Certainty.CERTAIN,
              "rules that no description asks for come and go with the tunnels",
              "the connection's `updown = … iptables` adds its own beside Gatehouse's; take it out"
                  + " of swanctl.conf",
              evidence,
              remedy));
    }
  }

  private static void numbers(Patient patient, List<Finding> findings) {
    Numbers ours = Numbers.DEFAULT;
    for (Family family : Family.values()) {
      String six = family == Family.V4 ? "" : "-6";
      String file = "ip-rule" + six + ".json";
      for (JsonNode node : Ways.list(patient.text(file))) {
        OptionalInt priority = number(node, "priority");
        boolean inside = priority.isPresent() && within(ours.rulePriorities(), priority.getAsInt());
        if (inside && !isTagged(node, ours)) {
          List<String> selector = selector(node);
          List<String> ip = Cure.ip(family);
          findings.add(
              foreign(
                  "ip rule priority " + priority.getAsInt() + " " + String.join(" ", selector),
                  file,
                  List.of(
                      Command.of(
                          "%s rule add %s priority %s", ip, selector, priority.getAsInt() - 100),
                      Command.of(
                          "%s rule del %s priority %s", ip, selector, priority.getAsInt()))));
        }
      }
      for (Ways.Way way : patient.ways().routes()) {
        boolean inside =
            way.table().matches("[0-9]{1,6}")
                && within(ours.routeTables(), Integer.parseInt(way.table()));
        if (inside
            && way.destination().family() == family
            && !way.protocol().equals(Integer.toString(ours.routeProtocol()))) {
          List<String> ip = Cure.ip(family);
          int elsewhere = Integer.parseInt(way.table()) - 100;
          findings.add(
              foreign(
                  "route " + way.text() + " table " + way.table(),
                  way.file(),
                  List.of(
                      Command.of("%s route add %s table %s", ip, way.words(), elsewhere),
                      Command.of("%s route del %s table %s", ip, way.words(), way.table()))));
        }
      }
    }
  }

  private static Finding foreign(String what, String file, List<Command> remedy) {
    return new Finding(
        Kind.FOREIGN_NUMBERS,
        Severity.WARNING,
        Certainty.CERTAIN,
        "somebody else uses a number that is Gatehouse's",
        "it gets in the way of identities' rules and tables; move it, or move ours with `numbers:`",
        List.of(new Evidence(what, file)),
        remedy);
  }

  private static boolean within(Numbers.Span span, int number) {
    return number >= span.first() && number <= span.last();
  }

  private static boolean isTagged(JsonNode node, Numbers ours) {
    return Ways.text(node, "protocol").equals(Optional.of(Integer.toString(ours.routeProtocol())));
  }

  private static OptionalInt number(JsonNode node, String key) {
    return node.path(key).isInt() ? OptionalInt.of(node.path(key).intValue()) : OptionalInt.empty();
  }

  /** As ip(8) takes it. */
  private static List<String> selector(JsonNode node) {
    List<String> words = new ArrayList<>();
    words.addAll(List.of("from", masked(node, "src", "srclen").orElse("all")));
    masked(node, "dst", "dstlen").ifPresent(to -> words.addAll(List.of("to", to)));
    Ways.text(node, "iif").ifPresent(device -> words.addAll(List.of("iif", device)));
    masked(node, "fwmark", "fwmask").ifPresent(mark -> words.addAll(List.of("fwmark", mark)));
    words.addAll(List.of("lookup", Ways.text(node, "table").orElse("main")));
    return words;
  }

  private static Optional<String> masked(JsonNode node, String value, String mask) {
    return Ways.text(node, value)
        .map(v -> v + Ways.text(node, mask).map(length -> "/" + length).orElse(""));
  }
}
