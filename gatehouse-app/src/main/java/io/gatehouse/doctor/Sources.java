package io.gatehouse.doctor;

import io.gatehouse.doctor.Finding.Certainty;
import io.gatehouse.doctor.Finding.Evidence;
import io.gatehouse.doctor.Finding.Severity;
import io.gatehouse.model.Address;
import io.gatehouse.model.Prefix;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * The source that the kernel gives to what this host itself sends towards a tunnel's far side: its
 * own connections, and ICMP errors (icmp_route_lookup). Only a source that the policy names enters
 * the tunnel.
 */
final class Sources {
  private Sources() {}

  static List<Finding> look(Patient patient) {
    List<Finding> findings = new ArrayList<>();
    Set<Prefix> done = new HashSet<>();
    for (Link link : patient.links()) {
      // For a tunnel that is not up, charon has not installed its route yet.
      if (link.isSupposed()
          || link.far().isAll()
          || !done.add(link.far())
          || link.policy().mark().isPresent()) {
        continue;
      }
      Optional<Ways.Way> way = patient.ways().to(link.far().first());
      Optional<Address> chosen = way.flatMap(patient.ways()::source);
      Optional<Address> wanted = inside(patient, link);
      boolean enters =
          chosen
              .map(c ->
                  patient.links().stream()
                      .anyMatch(l -> l.far().equals(link.far()) && l.near().contains(c)))
              .orElse(true);
      if (!enters && wanted.isPresent()) {
        findings.add(finding(patient, link, way.orElseThrow(), chosen.orElseThrow(), wanted.get()));
      }
    }
    return findings;
  }

  /** An own address that the policy names. */
  private static Optional<Address> inside(Patient patient, Link link) {
    return patient.host().addresses(link.family()).stream()
        .filter(link.near()::contains)
        .findFirst();
  }

  private static Finding finding(
      Patient patient, Link link, Ways.Way way, Address chosen, Address wanted) {
    boolean own = patient.isOwn(link.near());
    List<String> there = new ArrayList<>(way.words());
    there.set(0, link.far().toString());
    Command remedy =
        Command.of(
            "%s route replace %s src %s table %s",
            Cure.ip(link.family()),
            there,
            wanted,
            // A look-up of charon's table stands before that of main.
            way.destination().isAll() ? "main" : way.table());
    List<Evidence> evidence =
        List.of(
            way.evidence(),
            new Evidence(
                "policy src " + link.near() + " dst " + link.far() + " dir out",
                link.policy().origin().place()),
            new Evidence("the kernel takes " + chosen + " as the source", "witness"));
    return own
        ? new Finding(
            Kind.NO_SOURCE_ROUTE,
            Severity.ERROR,
            Certainty.CERTAIN,
            "the tunnel to " + link.far() + " is up, and what this host sends there is not in it",
            "no route there has the source "
                + wanted
                + ", which the policy asks for; for selectors"
                + " with ports the IKE daemon installs none",
            evidence,
            List.of(remedy))
        : new Finding(
            Kind.PMTU_SOURCE,
            Severity.WARNING,
            Certainty.CERTAIN,
            "large transfers from " + link.far() + " hang",
            "\"fragmentation needed\" of this host has the source "
                + chosen
                + ", which cannot enter the tunnel",
            evidence,
            List.of(remedy));
  }
}
