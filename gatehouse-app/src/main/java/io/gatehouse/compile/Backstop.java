package io.gatehouse.compile;

import io.gatehouse.model.Family;
import io.gatehouse.model.Gateway;
import io.gatehouse.model.Located;
import io.gatehouse.model.Network;
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
    long priority = gateway.numbers().backstopPriority();
    Map<Prefix, List<XfrmPolicy>> far = new LinkedHashMap<>();
    for (Tunnel tunnel : gateway.tunnels()) {
      for (Located<Prefix> prefix : tunnel.farPrefixes()) {
        far.putIfAbsent(prefix.value(), blocks(tunnel, prefix, priority));
      }
    }
    List<XfrmPolicy> policies =
        new ArrayList<>(far.values().stream().flatMap(List::stream).toList());
    for (Network network : gateway.networks()) {
      for (Located<Prefix> near : network.prefixes()) {
        // A LAN inside a remote network, such as one that is everything, is not behind the tunnel.
        if (far.keySet().stream()
            .anyMatch(p -> p.contains(near.value()) && !p.equals(near.value()))) {
          policies.addAll(policies(near, all(near.value().family()), priority - 1, false));
        }
      }
    }
    return policies;
  }

  /**
   * The kernel holds one policy to a selector. An IKE daemon's own between everything and this very
   * prefix would take the place of ours, and go with the tunnel: then ours stand for the two halves
   * of everything.
   */
  private static List<XfrmPolicy> blocks(Tunnel tunnel, Located<Prefix> far, long priority) {
    boolean selector =
        tunnel instanceof Tunnel.SiteToSite || far.value().length() == far.value().family().bits();
    Prefix all = all(far.value().family());
    List<Prefix> others = selector ? halves(all) : List.of(all);
    return others.stream().flatMap(other -> policies(far, other, priority, true).stream()).toList();
  }

  private static List<XfrmPolicy> policies(
      Located<Prefix> here, Prefix other, long priority, boolean block) {
    Prefix prefix = here.value();
    return List.of(
        new XfrmPolicy(Direction.OUT, other, prefix, priority, block, here.origin()),
        new XfrmPolicy(Direction.IN, prefix, other, priority, block, here.origin()),
        new XfrmPolicy(Direction.FWD, prefix, other, priority, block, here.origin()));
  }

  private static Prefix all(Family family) {
    return family == Family.V4 ? Prefix.ALL_V4 : Prefix.ALL_V6;
  }

  private static List<Prefix> halves(Prefix all) {
    return List.of(new Prefix(all.first(), 1), Prefix.masked(all.last(), 1));
  }
}
