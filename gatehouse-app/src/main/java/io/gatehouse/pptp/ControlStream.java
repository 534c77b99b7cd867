package io.gatehouse.pptp;

import io.gatehouse.packet.Bytes;
import io.gatehouse.packet.PptpControl;
import java.util.Arrays;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.UnaryOperator;

/**
 * One direction of a control connection: finds its messages in whatever segments they come, has
 * their Call IDs written anew, and writes the same again where a segment is repeated.
 */
final class ControlStream {
  /** Where Call IDs begin, and where they end at the latest; RFC 2637, 2. */
  private static final int IDS = 12;

  private static final int BEHIND_IDS = 16;

  /** A message's first bytes, up to its type. */
  private static final int TYPED = 10;

  /** Messages whose heads are remembered: more than are ever on their way at once. */
  private static final int MEMORY = 128;

  /** Up to the result of a reply, which stands behind its IDs. */
  private final byte[] head = new byte[BEHIND_IDS + 1];

  /**
   * As they went on, by their place in the stream. Whoever repeats a message may repeat it with
   * other bytes, and nobody here knows which of both have arrived.
   */
  private final NavigableMap<Long, byte[]> heads = new TreeMap<>();

  private boolean begun;
  private boolean broken;

  /** The place of the first byte that has not come; its low 32 bits are TCP's number. */
  private long next;

  /** What went on before that place is not known any more. */
  private long known;

  /** Bytes of the present message that have come, and all that it has. */
  private int into;

  private int length;

  /**
   * Takes what a segment brings.
   *
   * @param writer is handed the head of each message, up to its Call IDs or the result behind them,
   *     and returns it with what is to stand there
   * @return what goes on: at least one byte; empty where the segment cannot go on, because it is no
   *     part of PPTP or {@link #isAhead comes too early}
   */
  Optional<Bytes> take(int sequence, Bytes data, UnaryOperator<byte[]> writer) {
    if (!begun && !begin(sequence, data)) {
      return Optional.empty();
    }
    long start = place(sequence);
    if (broken || start > next || start < known) {
      return Optional.empty();
    }
    byte[] bytes = data.toArray();
    long end = start + bytes.length;
    heads
        .subMap(start - BEHIND_IDS, Math.min(end, next))
        .forEach((place, head) -> repeat(head, (int) (place - start), bytes));
    int cut = end > next ? messages(bytes, (int) (next - start), start, writer) : bytes.length;
    return cut > 0 && !broken ? Optional.of(Bytes.taking(bytes).part(0, cut)) : Optional.empty();
  }

  private static void repeat(byte[] head, int at, byte[] bytes) {
    int from = Math.max(0, at);
    int count = Math.min(at + head.length, bytes.length) - from;
    if (count > 0) {
      System.arraycopy(head, from - at, bytes, from, count);
    }
  }

  /** Whether what comes before a segment has not come. */
  boolean isAhead(int sequence) {
    return begun && !broken && place(sequence) > next;
  }

  boolean hasBegun() {
    return begun;
  }

  /** Whether it ends there, as far as anybody knows. */
  boolean mayEndAt(int sequence) {
    return !begun || place(sequence) == next;
  }

  /** Where nothing is known of the stream, a message has to begin it. */
  private boolean begin(int sequence, Bytes data) {
    if (data.length() < TYPED || PptpControl.read(data) instanceof PptpControl.Broken) {
      return false;
    }
    begun = true;
    next = Integer.toUnsignedLong(sequence);
    known = next;
    return true;
  }

  private long place(int sequence) {
    return next + (sequence - (int) next);
  }

  /**
   * Goes through the bytes from one on.
   *
   * @return how many of them can go on
   */
  private int messages(byte[] bytes, int from, long start, UnaryOperator<byte[]> writer) {
    int at = from;
    while (at < bytes.length) {
      int due = into < TYPED ? TYPED : due();
      int count = Math.min(bytes.length - at, (into < due ? due : length) - into);
      if (into < due) {
        System.arraycopy(bytes, at, head, into, count);
      }
      into += count;
      at += count;
      if (into == TYPED && !isMessage()) {
        broken = true;
        return 0;
      }
      if (into == due && due == due()) {
        write(bytes, at - into, start, writer.apply(head.clone()));
      }
      if (into > TYPED && into == length) {
        into = 0;
      }
    }
    // Half a Call ID cannot be judged: the sender repeats it together with the other half.
    if (into > IDS && into < due()) {
      at -= into - IDS;
      into = IDS;
    }
    if (into > 0 && into < (into < TYPED ? TYPED : due())) {
      keep(start + at - into, Arrays.copyOf(head, into));
    }
    next = Math.max(next, start + at);
    return at;
  }

  private boolean isMessage() {
    Bytes typed = Bytes.copyOf(head).part(0, TYPED);
    length = typed.u16(0);
    return !(PptpControl.read(typed) instanceof PptpControl.Broken);
  }

  /** Bytes of the present message that have to be there before its Call IDs can go on. */
  private int due() {
    int type = (head[8] & 0xff) << 8 | (head[9] & 0xff);
    return switch (type) {
      case 8, 10 -> BEHIND_IDS + 1;
      case 7, 9, 11, 12, 13, 14, 15 -> IDS + 2;
      default -> TYPED;
    };
  }

  /**
   * @param begin of the message among the bytes; negative where it came before them
   */
  private void write(byte[] bytes, int begin, long start, byte[] anew) {
    int ids = Math.min(due(), BEHIND_IDS);
    for (int at = IDS; at < ids; at++) {
      bytes[begin + at] = anew[at];
    }
    keep(start + begin, Arrays.copyOf(anew, due()));
  }

  private void keep(long place, byte[] head) {
    heads.put(place, head);
    while (heads.size() > MEMORY) {
      Map.Entry<Long, byte[]> oldest = heads.pollFirstEntry();
      known = oldest.getKey() + oldest.getValue().length;
    }
  }
}
