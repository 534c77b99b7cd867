package io.gatehouse.model;

/** What TCP may announce as its largest segment through a tunnel. */
public sealed interface Mss {
  /** Reckoned from the path's MTU and the tunnel's overhead. */
  record Reckoned() implements Mss {}

  /** As the description says, in bytes, for both families. */
  record Fixed(int bytes) implements Mss {}

  /** Left alone. */
  record Unclamped() implements Mss {}
}
