package io.gatehouse.packet;

import java.util.OptionalInt;

/** Reads PPTP's control messages. */
final class PptpParser {
  /** Bytes 4 to 7 of each message. */
  private static final int MAGIC = 0x1a2b3c4d;

  /** Lengths of types 1 to 15, in bytes. */
  private static final int[] LENGTHS = {
    156, 156, 16, 16, 16, 20, 168, 32, 220, 24, 28, 16, 148, 40, 24
  };

  private PptpParser() {}

  static PptpControl read(Bytes stream) {
    if (stream.length() >= 4 && stream.u16(2) != 1) {
      return broken(2, "message type " + stream.u16(2));
    }
    if (stream.length() >= 8 && stream.i32(4) != MAGIC) {
      return broken(4, "not PPTP's magic cookie");
    }
    if (stream.length() < 10) {
      return new PptpControl.Incomplete();
    }
    int type = stream.u16(8);
    if (type < 1 || type > LENGTHS.length) {
      return broken(8, "control message type " + type);
    }
    int length = stream.u16(0);
    int due = LENGTHS[type - 1];
    if (length != due) {
      return broken(0, "%d bytes, where type %d has %d".formatted(length, type, due));
    }
    if (stream.length() < length) {
      return new PptpControl.Incomplete();
    }
    return new PptpControl.Message(
        length,
        type,
        at(stream, PptpControl.callIdOffset(type)),
        at(stream, PptpControl.peerCallIdOffset(type)));
  }

  private static PptpControl broken(int offset, String what) {
    return new PptpControl.Broken(new Malformed(offset, what));
  }

  private static OptionalInt at(Bytes stream, OptionalInt offset) {
    return offset.isPresent() ? OptionalInt.of(stream.u16(offset.getAsInt())) : OptionalInt.empty();
  }
}
