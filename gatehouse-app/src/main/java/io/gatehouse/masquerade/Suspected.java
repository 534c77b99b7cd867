package io.gatehouse.masquerade;

import io.gatehouse.model.Address;
import java.util.List;

/**
 * A remote that seems to serve one host at a time: each new SPI of one host ends what another gets,
 * and never do two get something at once. So it looks where hosts use transport mode: to the remote
 * they are one address, and its policies for them are one policy. It may be chance.
 *
 * @param hosts that took it from each other, two at least
 * @param times that one took it from another
 * @param since milliseconds of the engine's clock, when one did so first
 */
public record Suspected(Address remote, List<Address> hosts, int times, long since) {
  public Suspected {
    hosts = List.copyOf(hosts);
  }
}
