package io.gatehouse.doctor;

import io.gatehouse.model.Family;
import io.gatehouse.snapshot.Collected;
import io.gatehouse.snapshot.Remark;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/** Examines a gateway's state. */
public final class Doctor {
  private Doctor() {}

  /**
   * Examines what was collected.
   *
   * @param earlier the same some time before, where there is that: counters then count by what they
   *     rose
   * @param supposed tunnels that are to be thought of as standing, for rules without a host
   */
  public static Report examine(
      Collected collected, Optional<Collected> earlier, List<Supposed> supposed) {
    Patient patient = Patient.of(collected, earlier, supposed);
    List<Finding> findings = new ArrayList<>();
    List<String> notJudged = new ArrayList<>();
    for (Family family : Family.values()) {
      List<Finding> walked = Walked.look(patient, family, notJudged);
      findings.addAll(walked);
      findings.addAll(Explained.without(StaleConnections.look(patient, family), walked));
    }
    findings.addAll(Uplinks.look(patient));
    findings.addAll(Sources.look(patient));
    findings.addAll(Associations.look(patient));
    findings.addAll(Explained.without(Counters.look(patient), findings));
    findings.addAll(Neighbours.look(patient, notJudged));
    findings.addAll(Strangers.look(patient));
    findings.addAll(HostsBehind.look(patient));
    findings.sort(Comparator.comparing(Finding::severity).thenComparing(Finding::kind));
    if (patient.links().isEmpty()) {
      notJudged.add("what depends on tunnels: no IPsec policy stands");
    }
    if (!patient.has("swanctl.conf")) {
      notJudged.add("dead peer detection: no swanctl.conf");
    }
    if (!patient.has("conntrack.txt")) {
      notJudged.add(
          "connections with an old translation, and VPN hosts behind this one: conntrack was not"
              + " listed");
    }
    if (!patient.has("xfrm_stat.txt")) {
      notJudged.add("what the kernel dropped: no xfrm_stat");
    }
    notJudged.add(
        "a cloud's check of source and destination, protocol 50 blocked on the way, the lifetime of"
            + " a NAT's mappings, and routes of the LAN's other routers: no host sees them");
    for (Remark remark : patient.remarks()) {
      switch (remark.kind()) {
        case ASSUMED -> {
          String file = remark.where().file();
          notJudged.add((patient.has(file) ? "" : "no ") + file + ": " + remark.text());
        }
        case UNREADABLE -> notJudged.add(remark.where().place() + ": " + remark.text());
        case NOT_UNDERSTOOD -> {}
      }
    }
    long unclear =
        patient.remarks().stream().filter(r -> r.kind() == Remark.Kind.NOT_UNDERSTOOD).count();
    if (unclear > 0) {
      notJudged.add(
          "what rests on "
              + unclear
              + " matches or entries that we do not understand, named by"
              + " `gatehouse snapshot`");
    }
    return new Report(findings, notJudged.stream().distinct().toList());
  }
}
