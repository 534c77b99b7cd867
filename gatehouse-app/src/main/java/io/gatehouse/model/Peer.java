package io.gatehouse.model;

/** Who may be on the other end of a tunnel, as seen on the wire. */
public sealed interface Peer {
  /** Anybody: road warriors, and peers behind NAT or with dynamic addresses. */
  record Anybody() implements Peer {}

  /** An address or a network. */
  record At(Prefix prefix) implements Peer {}

  /** A name that changes its address: filters cannot rest on it, the IKE daemon asks for it. */
  record Named(String host) implements Peer {}
}
