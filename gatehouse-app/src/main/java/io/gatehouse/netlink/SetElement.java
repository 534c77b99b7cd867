package io.gatehouse.netlink;

import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * An element of a set or map.
 *
 * @param key as the packet has it: addresses and ports in network order, marks in the machine's
 * @param keyEnd where it stands for a range of concatenated keys
 * @param data what a map holds for it
 * @param flags NFT_SET_ELEM_…
 * @param timeout after which the kernel takes it away, counted from when it came or was used
 * @param expires how much of that is left, in what the kernel lists
 */
public record SetElement(
    Bytes key,
    Optional<Bytes> keyEnd,
    Optional<Data> data,
    long flags,
    Optional<Duration> timeout,
    Optional<Duration> expires) {
  /** NFT_SET_ELEM_INTERVAL_END: the key is the first that no longer belongs to the range. */
  public static final long INTERVAL_END = 1;

  /** What a map's key leads to. */
  public sealed interface Data {
    /** A value. */
    record Value(Bytes bytes) implements Data {}

    /**
     * A verdict.
     *
     * @param code NF_ACCEPT 1, NF_DROP 0, or negative as NFT_JUMP and NFT_GOTO
     * @param chain for jump and goto
     */
    record Verdict(int code, Optional<String> chain) implements Data {
      /** NFT_GOTO. */
      public static final int GOTO = -4;

      /** NFT_JUMP. */
      public static final int JUMP = -3;
    }
  }

  /** An element of a plain set. */
  public static SetElement of(Bytes key) {
    return new SetElement(
        key, Optional.empty(), Optional.empty(), 0, Optional.empty(), Optional.empty());
  }

  /** An element of a map. */
  public static SetElement of(Bytes key, Data data) {
    return new SetElement(
        key, Optional.empty(), Optional.of(data), 0, Optional.empty(), Optional.empty());
  }

  /** The same, to be taken away by the kernel; its map needs the flag {@code timeout}. */
  public SetElement lasting(Duration time) {
    return new SetElement(key, keyEnd, data, flags, Optional.of(time), Optional.empty());
  }

  /**
   * Whether one stands there twice. nft_rhash_walk() goes on by number where its table was made
   * larger between two messages of a list, so as many are told twice as are left out; nothing else
   * in the answer shows it.
   */
  static boolean isTorn(List<SetElement> listed) {
    return listed.stream()
            .map(e -> new Place(e.key, e.keyEnd, e.flags & INTERVAL_END))
            .distinct()
            .count()
        < listed.size();
  }

  /** One place of a set: a range may end where the next one begins. */
  private record Place(Bytes key, Optional<Bytes> keyEnd, long end) {}
}
