package io.gatehouse.snapshot;

import io.gatehouse.model.Address;
import io.gatehouse.model.Prefix;
import java.util.List;

/**
 * A network device as it is now.
 *
 * @param up whether somebody has switched it on; routes need no more than that
 */
public record Link(String name, boolean up, List<At> addresses) {

  /** An address of the device and the length of its link's prefix. */
  public record At(Address address, int length) {
    public Prefix link() {
      return Prefix.masked(address, length);
    }
  }

  public Link {
    addresses = List.copyOf(addresses);
  }
}
