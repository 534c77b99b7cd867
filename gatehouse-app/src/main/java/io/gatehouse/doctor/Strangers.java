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
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
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
    List<String> remedy = new ArrayList<>();
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
                (table.family().equals("ip") ? "iptables" : "ip6tables")
                    + (table.name().equals("filter") ? "" : " -t " + table.name())
                    + " -D "
                    + text.substring(3));
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
      String ip = family == Family.V4 ? "ip" : "ip -6";
      String file = "ip-rule" + six + ".json";
      for (JsonNode node : Ways.list(patient.text(file))) {
        OptionalInt priority = number(node, "priority");
        boolean inside = priority.isPresent() && within(ours.rulePriorities(), priority.getAsInt());
        if (inside && !isTagged(node, ours)) {
          String selector = selector(node);
          findings.add(
              foreign(
                  "ip rule priority " + priority.getAsInt() + " " + selector,
                  file,
                  List.of(
                      "%s rule add %s priority %d"
                          .formatted(ip, selector, priority.getAsInt() - 100),
                      "%s rule del %s priority %d".formatted(ip, selector, priority.getAsInt()))));
        }
      }
      for (Ways.Way way : patient.ways().routes()) {
        boolean inside =
            way.table().matches("[0-9]{1,6}")
                && within(ours.routeTables(), Integer.parseInt(way.table()));
        if (inside
            && way.destination().family() == family
            && !way.protocol().equals(Integer.toString(ours.routeProtocol()))) {
          int elsewhere = Integer.parseInt(way.table()) - 100;
          findings.add(
              foreign(
                  "route " + way.text() + " table " + way.table(),
                  way.file(),
                  List.of(
                      "%s route add %s table %d".formatted(ip, way.text(), elsewhere),
                      "%s route del %s table %s".formatted(ip, way.text(), way.table()))));
        }
      }
    }
  }

  private static Finding foreign(String what, String file, List<String> remedy) {
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
  private static String selector(JsonNode node) {
    Map<String, String> words = new LinkedHashMap<>();
    String source = Cure.word(Ways.text(node, "src").orElse("all"));
    words.put("from", source + Ways.text(node, "srclen").map(l -> "/" + l).orElse(""));
    Ways.text(node, "dst")
        .ifPresent(d ->
            words.put("to", Cure.word(d) + Ways.text(node, "dstlen").map(l -> "/" + l).orElse("")));
    Ways.text(node, "iif").ifPresent(d -> words.put("iif", Cure.word(d)));
    Ways.text(node, "fwmark")
        .ifPresent(m ->
            words.put(
                "fwmark", Cure.word(m) + Ways.text(node, "fwmask").map(k -> "/" + k).orElse("")));
    words.put("lookup", Cure.word(Ways.text(node, "table").orElse("main")));
    StringBuilder text = new StringBuilder();
    words.forEach((key, value) -> text.append(' ').append(key).append(' ').append(value));
    return text.toString().strip();
  }
}
