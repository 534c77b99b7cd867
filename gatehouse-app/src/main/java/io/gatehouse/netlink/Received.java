package io.gatehouse.netlink;

/** What came of waiting for a datagram. */
public sealed interface Received {
  /** One came, whole. */
  record Datagram(Bytes bytes) implements Received {}

  /** None came in time. */
  record Nothing() implements Received {}

  /** ENOBUFS: the kernel had more to tell than there was room. Read the state again. */
  record Overrun() implements Received {}

  /**
   * One was longer than the room for it, and is lost.
   *
   * @param length it had, in bytes
   */
  record TooLong(long length) implements Received {}

  /** The socket is of no more use. */
  record Failed(Failure why) implements Received {}
}
