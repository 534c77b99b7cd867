package io.gatehouse.apply;

import io.gatehouse.model.Family;
import io.gatehouse.model.Origin;
import io.gatehouse.ruleset.Routing;
import io.gatehouse.ruleset.XfrmPolicy;
import io.gatehouse.snapshot.Seen;
import java.util.Locale;
import java.util.Optional;

/**
 * Entries of routing as {@code ip -batch} writes them. The text is canonical: two entries are the
 * same to the kernel exactly where their texts are.
 */
final class Entries {
  private static final int UNICAST = 1;
  private static final int UNREACHABLE = 7;

  /** What the kernel gives an IPv6 route that asks for no metric (IP6_RT_PRIO_USER). */
  private static final long IPV6_METRIC = 1024;

  private Entries() {}

  static Family family(Routing entry) {
    return switch (entry) {
      case Routing.Policy policy -> policy.family();
      case Routing.Route route -> route.destination().family();
      case Routing.ProxyNeighbour neighbour -> neighbour.address().family();
    };
  }

  /** The entry without the command and without its owner. */
  static String body(Routing entry) {
    return switch (entry) {
      case Routing.Policy p ->
          "priority "
              + p.priority()
              + p.from().map(from -> " from " + from).orElse("")
              + p.to().map(to -> " to " + to).orElse("")
              + p.mark().map(m -> " fwmark 0x%x/0x%x".formatted(m.value(), m.mask())).orElse("")
              + " lookup "
              + p.table();
      case Routing.Route r -> route(r);
      case Routing.ProxyNeighbour n -> "proxy " + n.address() + " dev " + n.device();
    };
  }

  /**
   * The body with its kind and family: the same text exactly where the kernel would have the same
   * entry.
   */
  static String named(Routing entry) {
    String kind =
        switch (entry) {
          case Routing.Policy policy -> "rule";
          case Routing.Route route -> "route";
          case Routing.ProxyNeighbour neighbour -> "neigh";
        };
    return kind + " " + family(entry).nft() + " " + body(entry);
  }

  private static String route(Routing.Route route) {
    boolean v6 = route.destination().family() == Family.V6;
    long metric = route.metric().orElse(v6 ? IPV6_METRIC : 0);
    String way =
        switch (route.kind()) {
          case Routing.Kind.Via via ->
              route.destination()
                  + via.nextHop().map(hop -> " via " + hop).orElse("")
                  + " dev "
                  + via.device()
                  + via.source().map(source -> " src " + source).orElse("");
          case Routing.Kind.Unreachable unreachable -> "unreachable " + route.destination();
        };
    return way + " table " + route.table() + (metric == 0 ? "" : " metric " + metric);
  }

  /** What of a route the kernel will have once only. */
  static String key(Routing.Route route) {
    boolean v6 = route.destination().family() == Family.V6;
    return key(
        route.destination() + " " + route.table(), route.metric().orElse(v6 ? IPV6_METRIC : 0));
  }

  static String key(Seen.Route route) {
    return key(route.destination() + " " + route.table(), route.metric());
  }

  private static String key(String what, long metric) {
    return what + " " + metric;
  }

  /**
   * The entry as we would have written it, whoever owns it; nothing where we write none of its
   * kind.
   */
  static Optional<Routing> like(Seen seen, Origin origin) {
    return switch (seen) {
      case Seen.Rule r when r.plain() ->
          Optional.of(
              new Routing.Policy(
                  r.family(), r.priority(), r.from(), r.to(), r.mark(), r.table(), origin));
      case Seen.Route r when r.plain() && r.type() == UNREACHABLE ->
          Optional.of(
              new Routing.Route(
                  r.destination(),
                  r.table(),
                  new Routing.Kind.Unreachable(),
                  Optional.of(r.metric()),
                  origin));
      case Seen.Route r when r.plain() && r.type() == UNICAST && r.device().isPresent() ->
          Optional.of(
              new Routing.Route(
                  r.destination(),
                  r.table(),
                  new Routing.Kind.Via(r.nextHop(), r.device().get(), r.source()),
                  Optional.of(r.metric()),
                  origin));
      case Seen.ProxyNeighbour n ->
          Optional.of(new Routing.ProxyNeighbour(n.address(), n.device(), origin));
      default -> Optional.empty();
    };
  }

  // ---- xfrm ----

  /** What tells policies apart; the kernel does not count the priority. */
  static String selector(XfrmPolicy policy) {
    return "dir "
        + policy.direction().name().toLowerCase(Locale.ROOT)
        + " src "
        + policy.source()
        + " dst "
        + policy.destination()
        + policy.mark().map(mark -> " mark " + mark.value() + "/" + mark.mask()).orElse("");
  }

  static XfrmPolicy like(Seen.Policy seen, Origin origin) {
    return new XfrmPolicy(
        seen.direction(),
        seen.source(),
        seen.destination(),
        seen.priority(),
        seen.block(),
        seen.mark(),
        origin);
  }
}
