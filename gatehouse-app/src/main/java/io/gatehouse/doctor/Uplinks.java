package io.gatehouse.doctor;

import io.gatehouse.bdd.Bdd;
import io.gatehouse.bdd.Bounded;
import io.gatehouse.doctor.Finding.Certainty;
import io.gatehouse.doctor.Finding.Evidence;
import io.gatehouse.doctor.Finding.Severity;
import io.gatehouse.model.Address;
import io.gatehouse.model.Family;
import io.gatehouse.model.Prefix;
import io.gatehouse.path.HeaderSpace;
import io.gatehouse.path.Journey;
import io.gatehouse.path.Journey.Outcome;
import io.gatehouse.path.PacketPath;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Hosts with several ways to the world: whether each address answers by its own. */
final class Uplinks {
  private static final int NODES = 2_000_000;

  /** Somebody out there (RFC 5737, RFC 3849). */
  private static final List<Prefix> SOMEBODY =
      List.of(Prefix.of("198.51.100.77/32"), Prefix.of("2001:db8:77::77/128"));

  /** RFC 1918, RFC 6598, RFC 4193. */
  private static final List<Prefix> PRIVATE =
      List.of(
          Prefix.of("10.0.0.0/8"),
          Prefix.of("172.16.0.0/12"),
          Prefix.of("192.168.0.0/16"),
          Prefix.of("100.64.0.0/10"),
          Prefix.UNIQUE_LOCAL);

  private Uplinks() {}

  /** Whether routers of the world know no way to the address. */
  static boolean isPrivate(Address address) {
    return PRIVATE.stream().anyMatch(p -> p.contains(address));
  }

  static List<Finding> look(Patient patient) {
    List<Finding> findings = new ArrayList<>();
    for (Family family : Family.values()) {
      Map<String, Ways.Way> ways = new LinkedHashMap<>();
      for (Ways.Way way : patient.ways().routes()) {
        if (way.destination().isAll() && way.destination().family() == family) {
          way.device().ifPresent(device -> ways.putIfAbsent(device, way));
        }
      }
      if (ways.size() > 1) {
        findings.addAll(look(patient, family, ways));
      }
    }
    return findings;
  }

  private static List<Finding> look(Patient patient, Family family, Map<String, Ways.Way> ways) {
    List<Finding> findings = new ArrayList<>();
    int number = 0;
    for (Map.Entry<String, Ways.Way> way : ways.entrySet()) {
      number++;
      for (var device : patient.host().devices()) {
        if (!device.name().equals(way.getKey())) {
          continue;
        }
        for (var address : device.addresses()) {
          if (address.address().family() == family) {
            int table = 7000 + number;
            elsewhere(patient, address.address(), device.name())
                .ifPresent(taken ->
                    findings.add(
                        finding(patient, address.address(), way.getValue(), taken, table)));
          }
        }
      }
    }
    return findings;
  }

  /** The device by which answers from the address leave, where that is not its own. */
  private static Optional<String> elsewhere(Patient patient, Address own, String device) {
    Bounded<Optional<Outcome>> answer =
        PacketPath.ask(
            patient.host(),
            own.family(),
            NODES,
            path -> {
              HeaderSpace space = path.space();
              Bdd bdd = space.bdd();
              int packets =
                  bdd.and(
                      space.source(Prefix.host(own)),
                      bdd.and(
                          space.destination(SOMEBODY), bdd.and(space.protocol(6), space.whole())));
              Journey journey = path.sent(packets);
              int wrong =
                  bdd.difference(
                      bdd.and(journey.left(), journey.leftWithSource(List.of(Prefix.host(own)))),
                      journey.leftBy(device));
              // Only where no circumstance lets it leave by its own.
              boolean never =
                  space.upperBound(bdd.and(journey.left(), journey.leftBy(device))) == Bdd.FALSE;
              int sure = space.lowerBound(wrong);
              return never && sure != Bdd.FALSE ? journey.outcome(sure) : Optional.empty();
            });
    return answer instanceof Bounded.Answer<Optional<Outcome>> found
        ? found.value().flatMap(Outcome::device)
        : Optional.empty();
  }

  private static Finding finding(
      Patient patient, Address own, Ways.Way way, String taken, int table) {
    List<Evidence> evidence = new ArrayList<>();
    patient.ways().routes().stream()
        .filter(r -> r.destination().isAll() && r.device().equals(Optional.of(taken)))
        .findFirst()
        .ifPresent(r -> evidence.add(r.evidence()));
    evidence.add(way.evidence());
    evidence.add(new Evidence("no rule from " + own + " leads to that one", "ip-rule.json"));
    // Somebody's routers may know a private address by either way.
    boolean isPrivate = isPrivate(own);
    return new Finding(
        Kind.WRONG_UPLINK,
        isPrivate ? Severity.WARNING : Severity.ERROR,
        isPrivate ? Certainty.POSSIBLE : Certainty.CERTAIN,
        "who connects to " + own + " gets no answer from it",
        "answers from "
            + own
            + " leave by "
            + taken
            + " and not by "
            + way.device().orElse("its own device"),
        evidence,
        List.of(
            Command.of("%s route add %s table %s", Cure.ip(own.family()), way.words(), table),
            Command.of(
                "%s rule add from %s lookup %s priority 4990", Cure.ip(own.family()), own, table)));
  }
}
