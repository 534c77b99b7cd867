package io.gatehouse.model;

import java.util.List;

/**
 * One of the host's own identities: its address and the path that this address's traffic takes,
 * whatever its destination.
 *
 * @param addresses the source addresses that make the identity; never empty
 * @param device the kernel's name of the way out
 * @param nextHops the routers there, at most one to a family; none where the device is a
 *     point-to-point link
 */
public record Identity(
    String name,
    List<Located<Address>> addresses,
    String device,
    List<Located<Address>> nextHops,
    Origin origin) {
  public Identity {
    addresses = List.copyOf(addresses);
    nextHops = List.copyOf(nextHops);
    if (addresses.isEmpty()) {
      throw new IllegalArgumentException("an identity has an address");
    }
  }
}
