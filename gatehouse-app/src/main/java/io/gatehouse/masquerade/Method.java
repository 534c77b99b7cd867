package io.gatehouse.masquerade;

/** How an SPI from outside finds its host. */
public enum Method {
  /** By what the exchanges of IKE and the traffic tell: ours. */
  EVIDENCE,
  /**
   * One first packet at a time to each remote, others are dropped until it is answered: what Linux
   * 2.0 and 2.2 did (VPN Masquerade HOWTO, 6.2). A baseline.
   */
  SERIALISED,
  /** The oldest host that waits for an answer of that remote gets it. A baseline. */
  FIFO
}
