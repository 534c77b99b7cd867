package io.gatehouse.vici;

import io.gatehouse.vici.IkeSa.Endpoint;

/** Something that happened to a tunnel, whoever tells it. */
public sealed interface TunnelEvent {
  /** The IKE SA that it happened to; its children only where the event says so. */
  IkeSa ike();

  /** A peer proved who it is. */
  record IkeUp(IkeSa ike) implements TunnelEvent {}

  /** A peer left, and all its children with it. */
  record IkeDown(IkeSa ike) implements TunnelEvent {}

  /** An IKE SA has a successor, which takes the children. */
  record IkeRekeyed(IkeSa old, IkeSa ike) implements TunnelEvent {}

  /**
   * A peer's addresses or ports change: MOBIKE, or another NAT. {@link #ike} has the new ones.
   *
   * @param from where it was
   */
  record Moved(IkeSa ike, Endpoint from) implements TunnelEvent {}

  /** A pair of SAs stands. */
  record ChildUp(IkeSa ike, ChildSa child) implements TunnelEvent {}

  /** A pair of SAs has a successor with the same selectors and marks. */
  record ChildRekeyed(IkeSa ike, ChildSa old, ChildSa child) implements TunnelEvent {}

  /** A pair of SAs went. */
  record ChildDown(IkeSa ike, ChildSa child) implements TunnelEvent {}
}
