package io.gatehouse.doctor;

import java.util.List;

/**
 * Something that is wrong.
 *
 * @param symptom what users see of it
 * @param cause why
 * @param evidence the rules, routes, settings or counters that show it; never empty
 * @param remedy what mends it, to be run as root in this order
 */
public record Finding(
    Kind kind,
    Severity severity,
    Certainty certainty,
    String symptom,
    String cause,
    List<Evidence> evidence,
    List<Command> remedy) {
  public Finding {
    evidence = List.copyOf(evidence);
    remedy = List.copyOf(remedy);
    if (evidence.isEmpty()) {
      throw new IllegalArgumentException("a finding without evidence: " + kind);
    }
  }

  /** How bad it is. */
  public enum Severity {
    /** Something does not work that should, or works that should not. */
    ERROR,
    /** It may. */
    WARNING
  }

  /** How sure it is. */
  public enum Certainty {
    /** It follows from what stands in the kernel. */
    CERTAIN,
    /** Something that we cannot see may account for it. */
    LIKELY,
    /** It depends on what others do. */
    POSSIBLE
  }

  /**
   * What shows it.
   *
   * @param text the rule, route, setting, counter or packet with its value, as its tool prints it
   * @param place where that stands
   */
  public record Evidence(String text, String place) {}
}
