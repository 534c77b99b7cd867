package io.gatehouse.compile;

import io.gatehouse.model.Family;
import io.gatehouse.model.Gateway;
import io.gatehouse.model.Located;
import io.gatehouse.model.Network;
import io.gatehouse.model.Origin;
import io.gatehouse.model.Prefix;
import io.gatehouse.model.Tunnel;
import io.gatehouse.ruleset.XfrmPolicy;
import io.gatehouse.ruleset.XfrmPolicy.Direction;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * xfrm policies of the lowest precedence: they hold when the tunnel is down and when somebody has
 * flushed every nftables rule.
 */
final class Backstop {
  private Backstop() {}

  static List<XfrmPolicy> of(Gateway gateway) {
    Map<Prefix, Origin> far = new LinkedHashMap<>();
    for (Tunnel tunnel : gateway.tunnels()) {
      for (Located<Prefix> prefix : tunnel.farPrefixes()) {
        far.putIfAbsent(prefix.value(), prefix.origin());
      }
    }
    long priority = gateway.numbers().backstopPriority();
    List<XfrmPolicy> policies = new ArrayList<>();
    far.forEach((prefix, origin) -> policies.addAll(policies(prefix, priority, true, origin)));
    for (Network network : gateway.networks()) {
      for (Located<Prefix> near : network.prefixes()) {
        // A LAN inside a remote network, such as one that is everything, is not behind the tunnel.
        if (far.keySet().stream()
            .anyMatch(p -> p.contains(near.value()) && !p.equals(near.value()))) {
          policies.addAll(policies(near.value(), priority - 1, false, near.origin()));
        }
      }
    }
    return policies;
  }

  private static List<XfrmPolicy> policies(
      Prefix prefix, long priority, boolean block, Origin origin) {
    Prefix all = prefix.family() == Family.V4 ? Prefix.ALL_V4 : Prefix.ALL_V6;
    return List.of(
        new XfrmPolicy(Direction.OUT, all, prefix, priority, block, origin),
        new XfrmPolicy(Direction.IN, prefix, all, priority, block, origin),
        new XfrmPolicy(Direction.FWD, prefix, all, priority, block, origin));
  }
}
