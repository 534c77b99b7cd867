package io.gatehouse.masquerade;

import io.gatehouse.model.Address;

/** A change of the live maps by which the kernel moves established traffic. */
public sealed interface Change {
  /** ESP from a remote with an SPI goes to a host. */
  record Bind(Address remote, int spi, Address host) implements Change {}

  /** It goes to nobody any more. */
  record Unbind(Address remote, int spi) implements Change {}

  /** IKE from a remote with an initiator cookie goes to a host. */
  record BindCookie(Address remote, long cookie, Address host) implements Change {}

  /** It goes to nobody any more. */
  record UnbindCookie(Address remote, long cookie) implements Change {}
}
