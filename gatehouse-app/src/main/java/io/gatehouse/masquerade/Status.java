package io.gatehouse.masquerade;

import java.util.List;
import java.util.Map;

/**
 * What stands, what waits, and what was refused.
 *
 * @param suspected remotes that seem to serve one host at a time
 * @param refusals the last of them, oldest first
 * @param refused how many for each reason
 * @param revised bindings that proved wrong and were taken back
 * @param collisions SPIs that a second host claimed: the first kept them
 */
public record Status(
    List<Binding> bindings,
    List<Undecided> undecided,
    List<Suspected> suspected,
    List<Refusal> refusals,
    Map<Reason, Long> refused,
    long revised,
    long collisions) {
  public Status {
    bindings = List.copyOf(bindings);
    undecided = List.copyOf(undecided);
    suspected = List.copyOf(suspected);
    refusals = List.copyOf(refusals);
    refused = Map.copyOf(refused);
  }
}
