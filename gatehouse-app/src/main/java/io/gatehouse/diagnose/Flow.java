package io.gatehouse.diagnose;

import java.util.Arrays;

/** Packets of one kind in one direction: how many, when and how large. */
final class Flow {
  /** Bytes of a packet in one bucket of {@link #sizes}. */
  private static final int BUCKET = 64;

  private static final int BUCKETS = 160;

  long count;
  long first = Long.MAX_VALUE;
  long last = Long.MIN_VALUE;
  int largest;

  /** Packets since the last one of the other direction. */
  long unanswered;

  /** When the other direction was silent last: the first packet that nothing has answered. */
  long unansweredSince;

  private final int[] sizes = new int[BUCKETS];

  void packet(long time, int bytes) {
    count++;
    first = Math.min(first, time);
    last = Math.max(last, time);
    largest = Math.max(largest, bytes);
    sizes[Math.min(bytes / BUCKET, BUCKETS - 1)]++;
    if (unanswered++ == 0) {
      unansweredSince = time;
    }
  }

  void answered() {
    unanswered = 0;
  }

  /** How many were certainly larger than that, by at least a bucket. */
  long above(int bytes) {
    int from = Math.min(bytes / BUCKET + 1, BUCKETS);
    return Arrays.stream(sizes, from, BUCKETS).asLongStream().sum();
  }

  void add(Flow other) {
    count += other.count;
    first = Math.min(first, other.first);
    last = Math.max(last, other.last);
    largest = Math.max(largest, other.largest);
    for (int i = 0; i < BUCKETS; i++) {
      sizes[i] += other.sizes[i];
    }
  }
}
