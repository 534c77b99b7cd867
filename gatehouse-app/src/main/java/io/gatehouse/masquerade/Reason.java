package io.gatehouse.masquerade;

/** Why a packet was refused. */
public enum Reason {
  /** RFC 4303, 2.1: never on the wire. */
  ZERO_SPI("SPI 0 is never on the wire"),
  /** The header covers the addresses. */
  AUTHENTICATION_HEADER("AH covers the addresses: no translator can let it through; use ESP"),
  /** Nothing can be told from it. */
  MALFORMED("malformed"),
  /** Parallel sessions are forbidden, and another host has one. */
  PARALLEL("another host has a session with this remote, and `parallel-sessions` is off"),
  /** Another host uses the same initiator cookie with the same remote. */
  COOKIE_COLLISION("another host uses the same cookie with this remote"),
  /** Another host has registered the same SPI. */
  SPI_COLLISION("another host has registered this SPI"),
  /** This machine receives under that SPI itself. */
  OWN_SPI("this machine receives under this SPI itself"),
  /** No host has anything to do with that remote. */
  NO_HOST("no host inside has a session with this remote"),
  /** A host has as many SPIs or IKE SAs as it may. */
  HOST_LIMIT("the host has as many entries as it may"),
  /** A remote has as many hosts as it may. */
  REMOTE_LIMIT("the remote has as many hosts as it may"),
  /** The tables are full. */
  FULL("the tables are full"),
  /** Baseline: another first packet to that remote is outstanding. */
  BLOCKED("another first packet to this remote is outstanding");

  private final String words;

  Reason(String words) {
    this.words = words;
  }

  /** For people. */
  public String words() {
    return words;
  }
}
