package io.gatehouse.model;

import java.util.List;

/**
 * Something that may be reached: a place, or some services there.
 *
 * @param services empty means everything there
 */
public record Reach(Place place, List<Service> services, Origin origin) {
  public Reach {
    services = List.copyOf(services);
  }
}
