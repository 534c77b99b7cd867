package io.gatehouse.pptp;

import java.util.List;
import java.util.Map;

/**
 * What stands, and what was refused.
 *
 * @param connections control connections that are known
 * @param refused segments and calls, by the reason
 */
public record CallStatus(List<Call> calls, int connections, Map<Ruling.Reason, Long> refused) {
  public CallStatus {
    calls = List.copyOf(calls);
    refused = Map.copyOf(refused);
  }
}
