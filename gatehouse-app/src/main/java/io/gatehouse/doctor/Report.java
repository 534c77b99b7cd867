package io.gatehouse.doctor;

import java.util.List;

/**
 * What the doctor says.
 *
 * @param findings the worst first
 * @param notJudged what could not be judged, and why
 */
public record Report(List<Finding> findings, List<String> notJudged) {
  public Report {
    findings = List.copyOf(findings);
    notJudged = List.copyOf(notJudged);
  }

  /** Whether something is wrong beyond doubt or likely so. */
  public boolean hasErrors() {
    return findings.stream().anyMatch(f -> f.severity() == Finding.Severity.ERROR);
  }
}
