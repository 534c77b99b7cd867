package io.gatehouse.compile;

import io.gatehouse.compile.Grant.Target;
import io.gatehouse.model.Gateway;
import io.gatehouse.model.Host;
import io.gatehouse.model.Located;
import io.gatehouse.model.Place;
import io.gatehouse.model.Reach;
import io.gatehouse.model.Service;
import io.gatehouse.model.Tunnel;
import io.gatehouse.model.Tunnel.Group;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** Who may begin what: gathers what the description says in several places about one tunnel. */
final class Access {
  private final Gateway gateway;
  private final Places places;

  /** By a tunnel's name: every rule about the world asks again. */
  private final Map<String, Boolean> toInternet = new HashMap<>();

  Access(Gateway gateway, Places places) {
    this.gateway = gateway;
    this.places = places;
  }

  /** Somebody, and what he may speak to there. */
  record Caller(Target from, List<Service> services) {}

  /**
   * What may be reached through a tunnel by whoever is in no known group: with groups, what the
   * tunnel and every group have in common, because whoever comes may yet turn out to be in any.
   */
  List<Grant> reach(Tunnel tunnel) {
    List<Grant> common = grants(tunnel, tunnel.reach());
    for (Group group : tunnel.groups()) {
      common = Grant.common(common, reach(tunnel, group));
    }
    return common;
  }

  /** What a group may reach. */
  List<Grant> reach(Tunnel tunnel, Group group) {
    return grants(tunnel, group.reach());
  }

  private List<Grant> grants(Tunnel tunnel, List<Reach> reach) {
    Stream<Reach> flows =
        gateway.host().flows().stream()
            .filter(flow -> isFrom(flow.from(), tunnel))
            .map(Host.Flow::to);
    return Stream.concat(reach.stream(), flows).map(places::grant).toList();
  }

  /** Whether anybody reaches the internet through the tunnel. */
  boolean toInternet(Tunnel tunnel) {
    return toInternet.computeIfAbsent(tunnel.name(), name -> leadsToInternet(tunnel));
  }

  private boolean leadsToInternet(Tunnel tunnel) {
    return Stream.concat(
            grants(tunnel, tunnel.reach()).stream(),
            tunnel.groups().stream().flatMap(group -> group.reach().stream()).map(places::grant))
        .anyMatch(grant -> grant.target() instanceof Target.World);
  }

  /** The services on this host for whoever is in no known group. An empty list means none. */
  List<Service> services(Tunnel tunnel) {
    List<Service> common = services(tunnel, tunnel.services());
    for (Group group : tunnel.groups()) {
      List<Service> theirs = services(tunnel, group);
      common =
          common.isEmpty() || theirs.isEmpty()
              ? List.of()
              : Grant.commonServices(common, theirs).orElse(List.of());
    }
    return common;
  }

  /** The services on this host for a group. */
  List<Service> services(Tunnel tunnel, Group group) {
    return services(tunnel, group.services());
  }

  private List<Service> services(Tunnel tunnel, List<Located<Service>> own) {
    Stream<Service> offers =
        gateway.host().services().stream()
            .filter(offer -> isFrom(offer.from(), tunnel))
            .flatMap(offer -> offer.services().stream());
    return Stream.concat(own.stream().map(Located::value), offers).distinct().toList();
  }

  /** Who may begin something towards the far end of a tunnel without coming through one. */
  List<Caller> callers(Tunnel tunnel) {
    List<Caller> callers = new ArrayList<>();
    if (tunnel instanceof Tunnel.SiteToSite site) {
      site.local().forEach(local -> callers.add(new Caller(places.target(local), site.outbound())));
    }
    for (Host.Flow flow : gateway.host().flows()) {
      if (isFrom(flow.to().place(), tunnel) && !(flow.from() instanceof Place.OfTunnel)) {
        callers.add(new Caller(places.target(flow.from()), flow.to().services()));
      }
    }
    return callers;
  }

  private static boolean isFrom(Place place, Tunnel tunnel) {
    return place instanceof Place.OfTunnel of && of.name().equals(tunnel.name());
  }
}
