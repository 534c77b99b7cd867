package io.gatehouse.doctor;

import java.util.List;
import java.util.Map;
import java.util.Set;

/** Which findings are none of their own where another one was made. */
final class Explained {
  /** That a finding of the first kind explains those of the others. */
  private static final Map<Kind, Set<Kind>> BY =
      Map.of(
          Kind.NAT_EATS_TUNNEL, Set.of(Kind.REPLIES_DROPPED, Kind.STALE_CONNECTION),
          // The tunnel that lacks the policy is known: a counter that rises says no more.
          Kind.NO_FWD_POLICY, Set.of(Kind.NO_FWD_POLICY));

  private Explained() {}

  /** Those findings that none of the others explains. */
  static List<Finding> without(List<Finding> findings, List<Finding> others) {
    return findings.stream()
        .filter(finding -> others.stream().noneMatch(other -> explains(other, finding)))
        .toList();
  }

  /** Of one kind, the more severe one explains the other. */
  private static boolean explains(Finding cause, Finding finding) {
    return BY.getOrDefault(cause.kind(), Set.of()).contains(finding.kind())
        && (cause.kind() != finding.kind() || cause.severity().compareTo(finding.severity()) < 0);
  }
}
