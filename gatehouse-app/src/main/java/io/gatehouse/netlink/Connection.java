package io.gatehouse.netlink;

import io.gatehouse.model.Address;
import java.util.Optional;

/**
 * A connection that conntrack knows.
 *
 * @param family AF_INET 2, AF_INET6 10
 * @param source of its first packet
 * @param destination of its first packet
 * @param answerSource of what answers it: another than {@code destination} where that was rewritten
 * @param answerDestination of what answers it: another than {@code source} where that was rewritten
 * @param tuple the first packet's, as the kernel wrote it: it names the connection
 * @param zone conntrack's, as the kernel wrote it, where it is in one
 * @param id the kernel's, so that no later one of the same tuple is meant
 */
public record Connection(
    int family,
    Address source,
    Address destination,
    Address answerSource,
    Address answerDestination,
    Bytes tuple,
    Optional<Bytes> zone,
    Optional<Bytes> id) {

  /** Whether it has that address anywhere. */
  public boolean concerns(Address address) {
    return source.equals(address)
        || destination.equals(address)
        || answerSource.equals(address)
        || answerDestination.equals(address);
  }

  /** Whether it went out under that address, which is not its own. */
  public boolean appearsAs(Address address) {
    return answerDestination.equals(address) && !source.equals(address);
  }
}
