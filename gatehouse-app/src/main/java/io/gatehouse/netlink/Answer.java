package io.gatehouse.netlink;

/** What the kernel answers to a question or a wish. */
public sealed interface Answer<T> {
  /** It told, or did, it. */
  record Told<T>(T value) implements Answer<T> {}

  /** It did not. */
  record Failed<T>(Failure why) implements Answer<T> {}
}
