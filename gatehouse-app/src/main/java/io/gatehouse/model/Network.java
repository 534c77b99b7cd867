package io.gatehouse.model;

import java.util.List;

/**
 * A network of ours that is reached without a tunnel.
 *
 * @param on the interface it is on or behind
 * @param connected whether it is the interface's own link ({@code on:}); otherwise it is behind a
 *     router there ({@code via:})
 * @param prefixes never empty
 * @param nextHops the routers that lead to it where it is not connected and we are to install its
 *     routes
 * @param routers the default gateways of its hosts where this host is not their default gateway;
 *     they need a way back told
 */
public record Network(
    String name,
    Interface on,
    boolean connected,
    List<Located<Prefix>> prefixes,
    List<Located<Address>> nextHops,
    List<Located<Address>> routers,
    Origin origin)
    implements Place {
  /** Whether some of these lie on its own link. */
  public boolean houses(List<Located<Prefix>> some) {
    return connected()
        && some.stream()
            .anyMatch(p -> prefixes.stream().anyMatch(own -> own.value().contains(p.value())));
  }

  public Network {
    prefixes = List.copyOf(prefixes);
    nextHops = List.copyOf(nextHops);
    routers = List.copyOf(routers);
    if (prefixes.isEmpty()) {
      throw new IllegalArgumentException("a network has a prefix");
    }
  }
}
