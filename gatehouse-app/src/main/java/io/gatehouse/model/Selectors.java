package io.gatehouse.model;

import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;

/**
 * A tunnel's traffic selectors on our end (RFC 7296, 2.9), as the description makes them: whole
 * prefixes. Services and groups are for the rules, because clients differ in what they do with
 * ports in a selector.
 */
public final class Selectors {
  private final Gateway gateway;

  /** Of tunnels that others lead to, by name: the addresses on the others' far ends. */
  private final Map<String, Set<Prefix>> crossing = new HashMap<>();

  /** By name, those that were asked for. */
  private final Map<String, List<Prefix>> locals = new HashMap<>();

  /** The selectors of a gateway's tunnels. */
  public Selectors(Gateway gateway) {
    this.gateway = gateway;
    for (Tunnel tunnel : gateway.tunnels()) {
      tunnel
          .reachOfAnybody()
          .forEach(reach -> {
            if (reach.place() instanceof Place.OfTunnel of) {
              Set<Prefix> from = crossing.computeIfAbsent(of.name(), n -> new LinkedHashSet<>());
              tunnel.farPrefixes().forEach(far -> from.add(far.value()));
            }
          });
    }
  }

  /**
   * What its peers may exchange packets with: what they reach, who may begin towards them, and this
   * host where it offers them something. The selectors on the other end are {@link
   * Tunnel#farPrefixes}.
   */
  public List<Prefix> local(Tunnel tunnel) {
    return locals.computeIfAbsent(tunnel.name(), name -> localOf(tunnel));
  }

  private List<Prefix> localOf(Tunnel tunnel) {
    if (tunnel instanceof Tunnel.Client client) {
      // The server knows nobody here but the virtual IP.
      return client.addresses().stream().map(Located::value).toList();
    }
    Set<Prefix> local = new LinkedHashSet<>();
    places(tunnel).flatMap(this::prefixes).map(tunnel::image).forEach(local::add);
    local.addAll(crossing.getOrDefault(tunnel.name(), Set.of()));
    if (offers(tunnel)) {
      local.addAll(inside(tunnel));
    }
    return outermost(local);
  }

  /** Whether this host offers anything to some who come through the tunnel. */
  public static boolean offers(Tunnel tunnel) {
    return !tunnel.services().isEmpty()
        || tunnel.groups().stream().anyMatch(group -> !group.services().isEmpty());
  }

  /** This host as the tunnel's users see it: by its fixed inside addresses of their families. */
  public List<Prefix> inside(Tunnel tunnel) {
    return gateway.inside().stream()
        .flatMap(at -> at.addresses().stream())
        .map(address -> Prefix.host(address.value().address()))
        .filter(host ->
            tunnel.farPrefixes().stream().anyMatch(far -> far.value().family() == host.family()))
        .toList();
  }

  private Stream<Place> places(Tunnel tunnel) {
    Stream<Place> reached = tunnel.reachOfAnybody().map(Reach::place);
    return switch (tunnel) {
      // Both ends have to agree on the networks of a site: only those that it names.
      case Tunnel.SiteToSite site -> Stream.concat(site.local().stream(), reached);
      case Tunnel.RemoteAccess access ->
          Stream.concat(
              reached,
              gateway.host().flows().stream()
                  .filter(flow ->
                      flow.to().place() instanceof Place.OfTunnel of
                          && of.name().equals(tunnel.name()))
                  .map(Host.Flow::from));
      case Tunnel.Client client -> Stream.empty();
      case Tunnel.L2tp l2tp -> Stream.empty();
    };
  }

  private Stream<Prefix> prefixes(Place place) {
    return place instanceof Place.Internet
        ? Stream.of(Prefix.ALL_V4, Prefix.ALL_V6)
        : gateway.prefixes(place);
  }

  /** Without those that lie inside another. */
  public static List<Prefix> outermost(Collection<Prefix> prefixes) {
    List<Prefix> all = prefixes.stream().distinct().toList();
    return all.stream()
        .filter(p -> all.stream().noneMatch(q -> !q.equals(p) && q.contains(p)))
        .toList();
  }
}
