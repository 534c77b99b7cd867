package io.gatehouse.daemon;

import io.gatehouse.model.Address;
import io.gatehouse.netlink.Answer;
import io.gatehouse.netlink.Connection;
import io.gatehouse.netlink.Failure;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.function.BiPredicate;

/**
 * Ends connections that can go on under an address no more. What rules let through as established,
 * and what NAT rewrites, would keep the old address for as long as somebody sends.
 */
final class Forgetting {
  private Forgetting() {}

  /**
   * Ends those of addresses that this host has no more: where the provider gives one to another
   * customer, it is his.
   *
   * @return what went wrong, in words
   */
  static Optional<String> ofGone(Store store, Collection<Address> addresses) {
    return of(store, addresses, Connection::concerns);
  }

  /**
   * Ends those that hosts behind this one had under the addresses of an uplink that is down: they
   * begin anew by another. What this host itself sends from there may wait for the uplink.
   *
   * @return what went wrong, in words
   */
  static Optional<String> ofDown(Store store, Collection<Address> addresses) {
    return of(store, addresses, Connection::appearsAs);
  }

  private static Optional<String> of(
      Store store, Collection<Address> addresses, BiPredicate<Connection, Address> which) {
    switch (store.connections()) {
      case Answer.Failed<List<Connection>>(Failure why) -> {
        return Optional.of("cannot read the connections of " + addresses + ": " + why);
      }
      case Answer.Told<List<Connection>>(List<Connection> all) -> {
        Optional<String> trouble = Optional.empty();
        for (Connection connection : all) {
          if (addresses.stream().anyMatch(address -> which.test(connection, address))
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
