package io.gatehouse.model;

import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * An outside interface that an identity has as its way, where the world may begin connections with
 * hosts behind this one. What these answer has their own source, so that no rule about this host's
 * addresses leads it back by the way that the connection came: its connection's mark does.
 *
 * @param number the identity's place in the description
 * @param mark among the bits of {@link Numbers#uplinkMask}
 */
public record Uplink(Identity identity, int number, long mark) {
  /** The places of the identities whose ways have to be remembered. */
  public static List<Integer> among(
      List<Identity> identities,
      List<Interface> interfaces,
      Host host,
      Optional<Masquerade> masquerade) {
    boolean asked =
        !host.portForwards().isEmpty()
            || masquerade.filter(hosts -> !hosts.servers().isEmpty()).isPresent()
            || host.flows().stream().anyMatch(flow -> flow.from() instanceof Place.Internet);
    if (!asked) {
      return List.of();
    }
    return IntStream.range(0, identities.size())
        .filter(i ->
            interfaces.stream()
                .filter(Interface::isOutside)
                .anyMatch(at -> at.device().equals(identities.get(i).device())))
        .boxed()
        .toList();
  }

  public boolean has(Family family) {
    return identity.addresses().stream().anyMatch(a -> a.value().family() == family);
  }
}
