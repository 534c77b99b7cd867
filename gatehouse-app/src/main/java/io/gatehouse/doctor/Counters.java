package io.gatehouse.doctor;

import io.gatehouse.doctor.Finding.Certainty;
import io.gatehouse.doctor.Finding.Evidence;
import io.gatehouse.doctor.Finding.Severity;
import io.gatehouse.model.Family;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** What the kernel counts when it drops (xfrm_proc.c, IPReversePathFilter). */
final class Counters {
  private Counters() {}

  /** Findings that counters show. */
  static List<Finding> look(Patient patient) {
    List<Finding> findings = new ArrayList<>();
    mismatch(patient, findings);
    noPolicies(patient, findings);
    replay(patient, findings);
    tooLarge(patient, findings);
    reversePath(patient, findings);
    return findings;
  }

  private static Certainty sure(Rise rise) {
    return rise.isMeasured() ? Certainty.CERTAIN : Certainty.LIKELY;
  }

  private static void mismatch(Patient patient, List<Finding> findings) {
    Rise rise = Rise.of(patient, "xfrm_stat.txt", "XfrmInTmplMismatch");
    if (rise.by() == 0) {
      return;
    }
    List<Command> remedy = new ArrayList<>();
    patient.links().stream()
        .filter(l -> !l.far().isAll())
        .limit(4)
        .forEach(l ->
            remedy.add(
                Command.of(
                    "%s -t raw -I PREROUTING -s %s -m policy --dir in --pol none -j DROP",
                    Cure.iptables(l.family()), l.far())));
    findings.add(
        new Finding(
            Kind.TEMPLATE_MISMATCH,
            Severity.WARNING,
            sure(rise),
            "packets of a tunnel's far side arrive outside it, and are dropped",
            "they come in clear or by the wrong SA: somebody forges them, or the other end sends"
                + " them past its tunnel",
            List.of(rise.evidence()),
            remedy));
  }

  private static void noPolicies(Patient patient, List<Finding> findings) {
    Rise rise = Rise.of(patient, "xfrm_stat.txt", "XfrmInNoPols");
    if (rise.by() > 0) {
      findings.add(
          new Finding(
              Kind.NO_FWD_POLICY,
              Severity.WARNING,
              sure(rise),
              "something is decrypted and then vanishes",
              "no policy stands for what was inside it",
              List.of(rise.evidence()),
              List.of(Command.of("ip xfrm monitor policy"))));
    }
  }

  private static void replay(Patient patient, List<Finding> findings) {
    Rise rise = Rise.of(patient, "xfrm_stat.txt", "XfrmInStateSeqError");
    if (rise.by() > 0) {
      findings.add(
          new Finding(
              Kind.REPLAY_WINDOW,
              Severity.WARNING,
              sure(rise),
              "loss under load, though the line loses nothing",
              "ESP arrives out of order, further than the replay window reaches; or somebody"
                  + " replays it",
              List.of(rise.evidence()),
              List.of(
                  Cure.edit("s/^\\( *\\)local_ts/\\1replay_window = 1024\\n&/"),
                  Associations.renewal(
                      patient,
                      patient.links().stream().map(Link::tunnel).findFirst().orElse("")))));
    }
  }

  private static void tooLarge(Patient patient, List<Finding> findings) {
    Rise rise = Rise.of(patient, "xfrm_stat.txt", "XfrmOutStateModeError");
    if (rise.by() > 0) {
      findings.add(
          new Finding(
              Kind.MODE_ERROR,
              Severity.WARNING,
              sure(rise),
              "large transfers into a tunnel hang",
              "packets that may not be fragmented are too large once they are encrypted",
              List.of(rise.evidence()),
              List.of(Cure.clamp(Family.V4, "out", 1360), Cure.clamp(Family.V4, "in", 1360))));
    }
  }

  /** Never about what a policy-based tunnel brought: the filter does not look at that. */
  private static void reversePath(Patient patient, List<Finding> findings) {
    Rise rise = Rise.of(patient, "netstat.txt", "IPReversePathFilter");
    if (rise.by() == 0) {
      return;
    }
    List<Evidence> evidence = new ArrayList<>();
    List<Command> remedy = new ArrayList<>();
    evidence.add(rise.evidence());
    Optional<String> all = patient.setting("net/ipv4/conf/all/rp_filter");
    if (all.equals(Optional.of("1"))) {
      evidence.add(new Evidence("net/ipv4/conf/all/rp_filter = 1", "sysctl.txt"));
      remedy.add(Cure.setting("net/ipv4/conf/all/rp_filter", 2));
    }
    for (var device : patient.host().devices()) {
      String key = "net/ipv4/conf/" + device.name() + "/rp_filter";
      if (patient.setting(key).equals(Optional.of("1"))) {
        evidence.add(new Evidence(key + " = 1", "sysctl.txt"));
        remedy.add(Cure.setting(key, 2));
      }
    }
    if (!remedy.isEmpty()) {
      findings.add(
          new Finding(
              Kind.RP_FILTER_DROPS,
              Severity.WARNING,
              sure(rise),
              "packets vanish before any rule sees them",
              "the way back to their source is by another device, and rp_filter is strict",
              evidence,
              remedy));
    }
  }
}
