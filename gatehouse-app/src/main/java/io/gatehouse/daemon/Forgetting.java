package io.gatehouse.daemon;

import io.gatehouse.model.Address;
import io.gatehouse.netlink.Answer;
import io.gatehouse.netlink.Connection;
import io.gatehouse.netlink.Failure;
import java.util.Collection;
import java.util.List;
import java.util.Optional;

/**
 * Ends connections that belonged to an address that this host has no more. What rules let through
 * as established, and what NAT rewrites, would go on with the old address for as long as somebody
 * sends; where the provider gives it to another customer, that is his.
 */
final class Forgetting {
  private Forgetting() {}

  /** Ends them; what went wrong, in words. */
  static Optional<String> of(Store store, Collection<Address> addresses) {
    switch (store.connections()) {
      case Answer.Failed<List<Connection>>(Failure why) -> {
        return Optional.of("cannot read the connections of " + addresses + ": " + why);
      }
      case Answer.Told<List<Connection>>(List<Connection> all) -> {
        Optional<String> trouble = Optional.empty();
        for (Connection connection : all) {
          if (addresses.stream().anyMatch(connection::concerns)
              && store.forget(connection) instanceof Answer.Failed<Boolean>(Failure why)
              && why.errno() != Failure.NO_SUCH) {
            trouble =
                Optional.of(
                    "a connection of an address that has gone cannot be ended: "
                        + connection.source()
                        + " to "
                        + connection.destination()
                        + ": "
                        + why);
          }
        }
        return trouble;
      }
    }
  }
}
