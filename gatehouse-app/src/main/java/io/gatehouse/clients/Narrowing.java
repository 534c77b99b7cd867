package io.gatehouse.clients;

import io.gatehouse.model.Gateway;
import io.gatehouse.model.Selectors;
import io.gatehouse.model.Tunnel;
import java.util.ArrayList;
import java.util.List;

/**
 * What a gateway makes of the traffic selectors that a client proposes.
 *
 * @param granted selectors of the answer; empty means that the CHILD_SA is refused
 *     (TS_UNACCEPTABLE)
 * @param whole whether the client gets all that it proposed
 */
public record Narrowing(List<TrafficSelector> granted, boolean whole) {
  public Narrowing {
    granted = List.copyOf(granted);
  }

  /**
   * RFC 7296, 2.9: the answer holds what lies both in the proposal and in the gateway's own
   * selectors. Where the first proposed one is a packet that asked for the tunnel, what holds it
   * comes first, so that it is never narrowed away.
   */
  public static Narrowing of(List<TrafficSelector> proposed, List<TrafficSelector> own) {
    List<TrafficSelector> all = new ArrayList<>();
    for (TrafficSelector one : proposed) {
      for (TrafficSelector ours : own) {
        one.and(ours).ifPresent(all::add);
      }
    }
    List<TrafficSelector> granted = new ArrayList<>();
    for (TrafficSelector one : all) {
      boolean elsewhere = all.stream().anyMatch(other -> !other.equals(one) && other.contains(one));
      if (!elsewhere && !granted.contains(one)) {
        granted.add(one);
      }
    }
    boolean whole =
        !proposed.isEmpty()
            && proposed.stream().allMatch(one -> own.stream().anyMatch(ours -> ours.contains(one)));
    return new Narrowing(granted, whole);
  }

  /** The same for a tunnel's clients and the networks that they ask for. */
  public static Narrowing of(Gateway gateway, Tunnel tunnel, List<TrafficSelector> proposed) {
    return of(
        proposed, new Selectors(gateway).local(tunnel).stream().map(TrafficSelector::of).toList());
  }
}
