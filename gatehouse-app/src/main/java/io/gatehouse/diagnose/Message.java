package io.gatehouse.diagnose;

/** A message of IKE and its repetitions at one point. */
final class Message {
  /**
   * What is the same at every point, and other in every other message of its session.
   *
   * @param answer version 2: whether it answers
   * @param next type of the first payload: tells Main Mode's messages apart, which all have number
   *     0
   */
  record Key(int exchange, int id, boolean answer, int next, long length, int part) {}

  final Key key;
  final boolean forth;
  final int major;
  final int inner;
  final boolean fromInitiator;

  /** Type of the first notification in clear; -1 where there is none. */
  final int notify;

  final Channel channel;
  int count;
  long first;
  long last;
  int bytes;

  Message(
      Key key,
      boolean forth,
      int major,
      int inner,
      boolean fromInitiator,
      int notify,
      Channel channel,
      long first) {
    this.key = key;
    this.forth = forth;
    this.major = major;
    this.inner = inner;
    this.fromInitiator = fromInitiator;
    this.notify = notify;
    this.channel = channel;
    this.first = first;
  }
}
