package io.gatehouse.capture;

import io.gatehouse.packet.Bytes;
import io.gatehouse.packet.Malformed;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** The form pcapng (draft-ietf-opsawg-pcapng): blocks, of which unknown ones are skipped. */
final class PcapngReader {
  /** Type of a section's header, the same in both orders of bytes. */
  static final int SECTION = 0x0a0d0d0a;

  private static final int ORDER = 0x1a2b3c4d;
  private static final int INTERFACE = 1;
  private static final int SIMPLE_PACKET = 3;
  private static final int ENHANCED_PACKET = 6;
  private static final int TIME_RESOLUTION = 9;
  private static final long SECOND = 1_000_000_000;

  private final Bytes file;
  private final List<Frame> frames = new ArrayList<>();
  private final List<Interface> interfaces = new ArrayList<>();
  private boolean swapped;

  /**
   * @param units of time in a second
   */
  private record Interface(int link, long kept, long units) {}

  PcapngReader(Bytes file) {
    this.file = file;
  }

  Capture read() {
    int at = 0;
    while (at < file.length()) {
      if (at + 12 > file.length()) {
        return ended(file.length(), "a block is cut off");
      }
      if (file.i32(at) == SECTION) {
        int order = file.i32(at + 8);
        if (order != ORDER && order != Integer.reverseBytes(ORDER)) {
          return ended(at + 8, "no order of bytes");
        }
        swapped = order != ORDER;
        interfaces.clear();
      }
      long length = Integer.toUnsignedLong(word(at + 4));
      if (length < 12 || length % 4 != 0) {
        return ended(at + 4, "a block of " + length + " bytes");
      }
      if (length > file.length() - at) {
        return ended(at + 4, "a block of " + length + " bytes is cut off");
      }
      int end = at + (int) length;
      Optional<Malformed> wrong = block(word(at), at + 8, end - 4);
      if (wrong.isPresent()) {
        return new Capture(frames, wrong);
      }
      at = end;
    }
    return new Capture(frames, Optional.empty());
  }

  private Capture ended(int offset, String what) {
    return new Capture(frames, Optional.of(new Malformed(offset, what)));
  }

  private Optional<Malformed> block(int type, int from, int end) {
    return switch (type) {
      case INTERFACE -> describe(from, end);
      case ENHANCED_PACKET -> enhanced(from, end);
      case SIMPLE_PACKET -> simple(from, end);
      default -> Optional.empty();
    };
  }

  private Optional<Malformed> describe(int from, int end) {
    if (end - from < 8) {
      return Optional.of(new Malformed(end, "an interface is cut off"));
    }
    long units = 1_000_000;
    int at = from + 8;
    while (at + 4 <= end && half(at) != 0) {
      int length = half(at + 2);
      if (at + 4 + length > end) {
        return Optional.of(new Malformed(at + 2, "an option of " + length + " bytes"));
      }
      if (half(at) == TIME_RESOLUTION && length >= 1) {
        int exponent = file.u8(at + 4);
        if (exponent > 18 && (exponent < 128 || exponent > 190)) {
          return Optional.of(new Malformed(at + 4, "a resolution of time of " + exponent));
        }
        units = exponent < 128 ? (long) Math.pow(10, exponent) : 1L << (exponent - 128);
      }
      at += 4 + (length + 3) / 4 * 4;
    }
    interfaces.add(new Interface(half(from), Integer.toUnsignedLong(word(from + 4)), units));
    return Optional.empty();
  }

  private Optional<Malformed> enhanced(int from, int end) {
    if (end - from < 20) {
      return Optional.of(new Malformed(end, "a frame's header is cut off"));
    }
    long at = Integer.toUnsignedLong(word(from));
    if (at >= interfaces.size()) {
      return Optional.of(new Malformed(from, "interface " + at + " is not described"));
    }
    Interface device = interfaces.get((int) at);
    long time = (long) word(from + 4) << 32 | Integer.toUnsignedLong(word(from + 8));
    long seconds = Long.divideUnsigned(time, device.units());
    double rest = Long.remainderUnsigned(time, device.units());
    long nanoseconds = seconds * SECOND + Math.round(rest / device.units() * SECOND);
    return add(
        device,
        nanoseconds,
        from + 20,
        Integer.toUnsignedLong(word(from + 12)),
        Integer.toUnsignedLong(word(from + 16)),
        end);
  }

  private Optional<Malformed> simple(int from, int end) {
    if (end - from < 4 || interfaces.isEmpty()) {
      return Optional.of(new Malformed(from, "a frame without header or interface"));
    }
    Interface device = interfaces.getFirst();
    long length = Integer.toUnsignedLong(word(from));
    long kept = device.kept() == 0 ? length : Math.min(length, device.kept());
    return add(device, 0, from + 4, kept, length, end);
  }

  private Optional<Malformed> add(
      Interface device, long time, int from, long kept, long length, int end) {
    if (kept > end - from) {
      return Optional.of(new Malformed(from, "a frame of " + kept + " bytes is cut off"));
    }
    frames.add(
        new Frame(
            frames.size() + 1,
            time,
            device.link(),
            Math.max(kept, length),
            file.part(from, from + (int) kept)));
    return Optional.empty();
  }

  private int word(int at) {
    return swapped ? Integer.reverseBytes(file.i32(at)) : file.i32(at);
  }

  private int half(int at) {
    int value = file.u16(at);
    return swapped ? (value & 0xff) << 8 | value >>> 8 : value;
  }
}
