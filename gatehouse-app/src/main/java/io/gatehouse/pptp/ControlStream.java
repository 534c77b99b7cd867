package io.gatehouse.pptp;

import io.gatehouse.packet.Bytes;
import io.gatehouse.packet.PptpControl;
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

  /** Bytes that are remembered as written: those of 1,024 Call IDs. */
  private static final int MEMORY = 2_048;

  /** Up to the result of a reply, which stands behind its IDs. */
  private final byte[] head = new byte[BEHIND_IDS + 1];

  /** By their place in the stream. */
  private final NavigableMap<Long, Byte> written = new TreeMap<>();

  private boolean begun;
  private boolean broken;

  /** The place of the first byte that has not come; its low 32 bits are TCP's number. */
  private long next;

  /** What was written before that place is not known any more. */
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
    if (data.length() == 1 && start + 1 == next) {
      return Optional.of(data); // keeps alive (RFC 9293, 3.8.4): the byte itself is ignored
    }
    if (broken || start > next || start < known) {
      return Optional.empty();
    }
    byte[] bytes = data.toArray();
    long end = start + bytes.length;
    written
        .subMap(start, Math.min(end, next))
        .forEach((place, value) -> bytes[(int) (place - start)] = value);
    int cut = end > next ? messages(bytes, (int) (next - start), start, writer) : bytes.length;
    return cut > 0 && !broken ? Optional.of(Bytes.taking(bytes).part(0, cut)) : Optional.empty();
  }

  /** Whether what comes before a segment has not come. */
  boolean isAhead(int sequence) {
    return begun && !broken && place(sequence) > next;
  }

  boolean hasBegun() {
    return begun;
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
      if (anew[at] != head[at]) {
        bytes[begin + at] = anew[at];
        written.put(start + begin + at, anew[at]);
      }
    }
    while (written.size() > MEMORY) {
      known = written.pollFirstEntry().getKey() + 1;
    }
  }
}
