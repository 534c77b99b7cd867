package io.gatehouse.masquerade;

import io.gatehouse.model.Address;
import io.gatehouse.packet.Esp;
import io.gatehouse.packet.Ike;
import java.util.List;
import java.util.function.IntConsumer;

/** How an inbound SPI without a host finds one. */
sealed interface Association permits ByEvidence, Fifo, Serialised {
  /** A host sent ESP; {@code isNew} where its SPI was not known. */
  Verdict outbound(int host, int remote, Esp esp, boolean isNew, long now);

  /** A remote sent ESP with an SPI that is bound to nobody. */
  Verdict unknown(int remote, Esp esp, long now);

  /**
   * A message of IKE whose host is known passes.
   *
   * @return whether it may, or has to wait
   */
  Verdict ike(int host, int remote, Ike message, boolean fromInside, long now);

  /** A message that was to wait could not be kept: it has gone on. */
  default void goesOn(int host, int remote, Ike message, long now) {}

  /** A host uses cookies that no exchange of version 1 or SA_INIT has made known. */
  default void newCookies(int host, int remote, long now) {}

  /** Hosts that may have made a new IKE SA with a remote lately. */
  default void eachRekeying(int remote, long now, IntConsumer host) {}

  /** This machine receives under this SPI itself: it waits for no host. */
  default void own(int remote, int spi) {}

  /** Somebody else bound this SPI. */
  default void bound(int remote, int spi, long now) {}

  /** The traffic of a binding was seen. */
  default void used(int binding, long now) {}

  /** A host has left a remote. */
  default void left(int host, int remote, long now) {}

  /** Time goes by. */
  default void tick(long now) {}

  /** What waits. */
  default List<Undecided> undecided() {
    return List.of();
  }

  /** Whether packets of a known outbound SPI of a host are wanted too. */
  default boolean watches(int host, int remote) {
    return false;
  }

  /** An address for one that is kept as a number. */
  static Verdict to(int host) {
    return new Verdict.To(Address.v4(host));
  }
}
