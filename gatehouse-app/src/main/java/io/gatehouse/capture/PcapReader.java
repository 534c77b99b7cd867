package io.gatehouse.capture;

import io.gatehouse.packet.Bytes;
import io.gatehouse.packet.Malformed;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** The form of libpcap (draft-ietf-opsawg-pcap). */
final class PcapReader {
  private static final int MICROSECONDS = 0xa1b2c3d4;
  private static final int NANOSECONDS = 0xa1b23c4d;
  private static final int HEADER = 24;
  private static final int RECORD = 16;

  private final Bytes file;
  private final List<Frame> frames = new ArrayList<>();

  PcapReader(Bytes file) {
    this.file = file;
  }

  Capture read() {
    int magic = file.i32(0);
    boolean swapped =
        magic == Integer.reverseBytes(MICROSECONDS) || magic == Integer.reverseBytes(NANOSECONDS);
    int sane = swapped ? Integer.reverseBytes(magic) : magic;
    if (sane != MICROSECONDS && sane != NANOSECONDS) {
      return new Capture(List.of(), Optional.of(new Malformed(0, "neither pcap nor pcapng")));
    }
    if (file.length() < HEADER) {
      return new Capture(
          List.of(), Optional.of(new Malformed(file.length(), "the file's header is cut off")));
    }
    long unit = sane == NANOSECONDS ? 1 : 1000;
    // The upper half of the word may tell the length of a frame check sequence.
    int link = word(20, swapped) & 0xffff;
    int at = HEADER;
    while (at < file.length()) {
      if (at + RECORD > file.length()) {
        return ended(new Malformed(file.length(), "a frame's header is cut off"));
      }
      long seconds = Integer.toUnsignedLong(word(at, swapped));
      long fraction = Integer.toUnsignedLong(word(at + 4, swapped));
      long kept = Integer.toUnsignedLong(word(at + 8, swapped));
      long length = Integer.toUnsignedLong(word(at + 12, swapped));
      if (kept > file.length() - at - RECORD) {
        return ended(new Malformed(at + 8, "a frame of " + kept + " bytes is cut off"));
      }
      int from = at + RECORD;
      int to = from + (int) kept;
      frames.add(
          new Frame(
              frames.size() + 1,
              seconds * 1_000_000_000 + fraction * unit,
              link,
              Math.max(kept, length),
              file.part(from, to)));
      at = to;
    }
    return new Capture(frames, Optional.empty());
  }

  private Capture ended(Malformed why) {
    return new Capture(frames, Optional.of(why));
  }

  private int word(int at, boolean swapped) {
    return swapped ? Integer.reverseBytes(file.i32(at)) : file.i32(at);
  }
}
