package io.gatehouse.masquerade;

import io.gatehouse.model.Address;
import java.util.List;

/**
 * An inbound SPI whose host is not known yet.
 *
 * @param since milliseconds of the engine's clock
 * @param packets that came so far
 * @param hosts that may own it
 */
public record Undecided(Address remote, int spi, long since, long packets, List<Address> hosts) {
  public Undecided {
    hosts = List.copyOf(hosts);
  }
}
