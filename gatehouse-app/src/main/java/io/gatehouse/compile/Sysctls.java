package io.gatehouse.compile;

import io.gatehouse.model.Family;
import io.gatehouse.model.Gateway;
import io.gatehouse.model.Identity;
import io.gatehouse.model.Interface;
import io.gatehouse.model.Origin;
import io.gatehouse.model.Tunnel;
import io.gatehouse.ruleset.Sysctl;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The kernel's settings, in the order in which they have to be written. */
final class Sysctls {
  private final Map<String, Sysctl> made = new LinkedHashMap<>();

  private Sysctls() {}

  static List<Sysctl> of(Gateway gateway, Space space, List<LiveMaps.Answering> answering) {
    Sysctls sysctls = new Sysctls();
    if (forwards(gateway)) {
      if (space.forwards(Family.V6)) {
        // First: a router ignores advertisements unless told otherwise, and its own default route
        // would expire.
        for (Interface at : gateway.interfaces()) {
          if (at.routerAdvertisements()) {
            sysctls.add("net/ipv6/conf/" + at.device() + "/accept_ra", 2, at.origin());
          }
        }
      }
      sysctls.redirects(gateway);
      if (space.forwards(Family.V4) || gateway.tunnels().stream().anyMatch(Sysctls::isL2tp)) {
        sysctls.add("net/ipv4/ip_forward", 1, Origin.builtIn("forwarding"));
      }
      if (space.forwards(Family.V6)) {
        sysctls.add("net/ipv6/conf/all/forwarding", 1, Origin.builtIn("forwarding"));
      }
    }
    sysctls.reversePath(gateway);
    for (LiveMaps.Answering pool : answering) {
      if (pool.pool().family() == Family.V6) {
        sysctls.add("net/ipv6/conf/" + pool.device() + "/proxy_ndp", 1, pool.origin());
      }
    }
    return List.copyOf(sysctls.made.values());
  }

  /** L2TP's clients get IPv4 addresses from pppd. */
  private static boolean isL2tp(Tunnel tunnel) {
    return tunnel instanceof Tunnel.L2tp;
  }

  /** Whether anything is to go through this host. */
  private static boolean forwards(Gateway gateway) {
    return !gateway.tunnels().isEmpty()
        || !gateway.host().internet().isEmpty()
        || !gateway.host().flows().isEmpty()
        || !gateway.host().portForwards().isEmpty()
        || gateway.masquerade().isPresent();
  }

  /**
   * LAN hosts would be told to go round us, in clear. The kernel sends if either `all` or the
   * device says so.
   */
  private void redirects(Gateway gateway) {
    Origin origin = Origin.builtIn("redirects");
    add("net/ipv4/conf/all/send_redirects", 0, origin);
    add("net/ipv4/conf/default/send_redirects", 0, origin);
    for (Interface at : gateway.interfaces()) {
      add("net/ipv4/conf/" + at.device() + "/send_redirects", 0, at.origin());
    }
  }

  /**
   * With several ways out, an answer's way may differ from the question's: a strict check drops it.
   * 2 is loose (RFC 3704).
   */
  private void reversePath(Gateway gateway) {
    if (gateway.outside().stream().map(Interface::device).distinct().count() > 1
        || !gateway.identities().isEmpty()) {
      for (Interface at : gateway.outside()) {
        add("net/ipv4/conf/" + at.device() + "/rp_filter", 2, at.origin());
      }
      for (Identity identity : gateway.identities()) {
        add("net/ipv4/conf/" + identity.device() + "/rp_filter", 2, identity.origin());
      }
    }
  }

  private void add(String key, int value, Origin origin) {
    made.putIfAbsent(key, new Sysctl(key, Integer.toString(value), origin));
  }
}
