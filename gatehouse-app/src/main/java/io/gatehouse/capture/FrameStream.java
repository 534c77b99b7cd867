package io.gatehouse.capture;

import io.gatehouse.packet.Bytes;
import java.io.BufferedInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.zip.GZIPInputStream;

/**
 * A file of captured packets, frame by frame, of any length in the same memory: pcap and pcapng as
 * they are or in gzip.
 */
public final class FrameStream {
  /** Larger frames than libpcap's largest (MAXIMUM_SNAPLEN of USB) are no frames. */
  private static final long LARGEST = 128L << 20;

  private static final int MAGIC_MICROSECONDS = 0xa1b2c3d4;
  private static final int MAGIC_NANOSECONDS = 0xa1b23c4d;
  private static final int SECTION = 0x0a0d0d0a;
  private static final int ORDER = 0x1a2b3c4d;
  private static final int INTERFACE = 1;
  private static final int SIMPLE_PACKET = 3;
  private static final int ENHANCED_PACKET = 6;
  private static final int TIME_RESOLUTION = 9;
  private static final long SECOND = 1_000_000_000;

  /** Of one section; each takes memory for as long as the section lasts. */
  private static final int MOST_INTERFACES = 4096;

  /**
   * Why reading stopped before the end.
   *
   * @param offset of the byte that is wrong or lacking, in what was read (behind gzip)
   */
  public record Ending(long offset, String what) {}

  /** Of a description of an interface (pcapng). */
  private record Interface(int link, long kept, long units) {}

  /** Bytes that should be there are not. */
  private static final class CutOff extends Exception {
    private static final long serialVersionUID = 1;
  }

  private final InputStream in;
  private final int most;
  private final Consumer<Frame> use;
  private final byte[] words = new byte[32];
  private final List<Interface> interfaces = new ArrayList<>();
  private long at;
  private int number;
  private boolean swapped;

  private FrameStream(InputStream in, int most, Consumer<Frame> use) {
    this.in = in;
    this.most = most;
    this.use = use;
  }

  /**
   * Hands on each frame. What stood before a mistake counts.
   *
   * @param most bytes of a frame that are kept; the rest is skipped
   */
  public static Optional<Ending> read(InputStream file, int most, Consumer<Frame> use)
      throws IOException {
    BufferedInputStream buffered = new BufferedInputStream(file, 1 << 16);
    buffered.mark(2);
    boolean packed = buffered.read() == 0x1f && buffered.read() == 0x8b;
    buffered.reset();
    if (!packed) {
      return new FrameStream(buffered, most, use).read();
    }
    FrameStream stream = null;
    try {
      stream =
          new FrameStream(
              new BufferedInputStream(new GZIPInputStream(buffered, 1 << 16), 1 << 16), most, use);
      return stream.read();
    } catch (EOFException | java.util.zip.ZipException e) {
      return Optional.of(new Ending(stream == null ? 0 : stream.at, "the gzip data is broken"));
    }
  }

  private Optional<Ending> read() throws IOException {
    try {
      if (fill(4) < 4) {
        return Optional.of(new Ending(0, "no capture: too short"));
      }
      int magic = word(0);
      if (magic == SECTION) {
        return blocks();
      }
      swapped =
          magic == Integer.reverseBytes(MAGIC_MICROSECONDS)
              || magic == Integer.reverseBytes(MAGIC_NANOSECONDS);
      int sane = swapped ? Integer.reverseBytes(magic) : magic;
      if (sane != MAGIC_MICROSECONDS && sane != MAGIC_NANOSECONDS) {
        return Optional.of(new Ending(0, "neither pcap nor pcapng"));
      }
      return records(sane == MAGIC_NANOSECONDS ? 1 : 1000);
    } catch (CutOff e) {
      return Optional.of(new Ending(at, "the file is cut off"));
    }
  }

  // ---- pcap (draft-ietf-opsawg-pcap)

  private Optional<Ending> records(long unit) throws IOException, CutOff {
    if (fill(20) < 20) {
      return Optional.of(new Ending(at, "the file's header is cut off"));
    }
    // The upper half of the word may tell the length of a frame check sequence.
    int link = word(16) & 0xffff;
    while (true) {
      long begin = at;
      int header = fill(16);
      if (header == 0) {
        return Optional.empty();
      }
      if (header < 16) {
        return Optional.of(new Ending(at, "a frame's header is cut off"));
      }
      long time = u32(0) * SECOND + u32(4) * unit;
      long kept = u32(8);
      long length = u32(12);
      if (kept > LARGEST) {
        return Optional.of(new Ending(begin + 8, "a frame of " + kept + " bytes"));
      }
      Optional<Bytes> data = data(kept);
      if (data.isEmpty()) {
        return Optional.of(new Ending(begin + 8, "a frame of " + kept + " bytes is cut off"));
      }
      hand(time, link, Math.max(kept, length), data.get());
    }
  }

  // ---- pcapng (draft-ietf-opsawg-pcapng)

  private Optional<Ending> blocks() throws IOException, CutOff {
    long begin = 0;
    int have = 4; // the first section's type is read already
    while (true) {
      if (have == 0) {
        begin = at;
        have = fill(4);
        if (have == 0) {
          return Optional.empty();
        }
      }
      int type = have < 4 ? 0 : word(0);
      boolean section = type == SECTION;
      // Eight more: the length, and the order of bytes or what stands in its place.
      if (have < 4 || fill(section ? 8 : 4) < (section ? 8 : 4)) {
        return Optional.of(new Ending(at, "a block is cut off"));
      }
      if (section) {
        int order = raw(4);
        if (order != ORDER && order != Integer.reverseBytes(ORDER)) {
          return Optional.of(new Ending(begin + 8, "no order of bytes"));
        }
        swapped = order != ORDER;
        interfaces.clear();
      }
      long length = u32(0);
      if (length < 12 || length % 4 != 0 || (section && length < 16)) {
        return Optional.of(new Ending(begin + 4, "a block of " + length + " bytes"));
      }
      long body = length - (section ? 16 : 12);
      Optional<Ending> wrong = block(type, begin, body, length);
      if (wrong.isPresent()) {
        return wrong;
      }
      have = 0;
    }
  }

  private Optional<Ending> block(int type, long begin, long body, long length) throws IOException {
    Ending cut = new Ending(begin + 4, "a block of " + length + " bytes is cut off");
    try {
      long end = at + body;
      Optional<Ending> wrong =
          switch (type) {
            case INTERFACE -> describe(body);
            case ENHANCED_PACKET -> enhanced(body);
            case SIMPLE_PACKET -> simple(body);
            default -> Optional.empty();
          };
      if (wrong.isPresent()) {
        return wrong;
      }
      return skip(end - at + 4) ? Optional.empty() : Optional.of(cut);
    } catch (CutOff e) {
      return Optional.of(cut);
    }
  }

  private Optional<Ending> describe(long body) throws IOException, CutOff {
    if (body < 8) {
      return Optional.of(new Ending(at, "an interface is cut off"));
    }
    if (interfaces.size() == MOST_INTERFACES) {
      return Optional.of(new Ending(at, "more than %d interfaces".formatted(MOST_INTERFACES)));
    }
    long end = at + body;
    need(8);
    int link = half(0);
    long kept = u32(4);
    long units = 1_000_000;
    while (at + 4 <= end) {
      need(4);
      int option = half(0);
      int length = half(2);
      if (option == 0) {
        break;
      }
      if (at + length > end) {
        return Optional.of(new Ending(at - 2, "an option of " + length + " bytes"));
      }
      long next = Math.min(end, at + (length + 3) / 4 * 4L);
      if (option == TIME_RESOLUTION && length >= 1) {
        need(1);
        int exponent = words[0] & 0xff;
        if (exponent > 18 && (exponent < 128 || exponent > 190)) {
          return Optional.of(new Ending(at - 1, "a resolution of time of " + exponent));
        }
        units = exponent < 128 ? (long) Math.pow(10, exponent) : 1L << (exponent - 128);
      }
      if (!skip(next - at)) {
        throw new CutOff();
      }
    }
    interfaces.add(new Interface(link, kept, units));
    return Optional.empty();
  }

  private Optional<Ending> enhanced(long body) throws IOException, CutOff {
    if (body < 20) {
      return Optional.of(new Ending(at, "a frame's header is cut off"));
    }
    long begin = at;
    need(20);
    long index = u32(0);
    if (index >= interfaces.size()) {
      return Optional.of(new Ending(begin, "interface " + index + " is not described"));
    }
    Interface device = interfaces.get((int) index);
    long time = (long) word(4) << 32 | u32(8);
    long seconds = Long.divideUnsigned(time, device.units());
    double rest = Long.remainderUnsigned(time, device.units());
    long nanoseconds = seconds * SECOND + Math.round(rest / device.units() * SECOND);
    return add(device, nanoseconds, u32(12), u32(16), body - 20);
  }

  private Optional<Ending> simple(long body) throws IOException, CutOff {
    if (body < 4 || interfaces.isEmpty()) {
      return Optional.of(new Ending(at, "a frame without header or interface"));
    }
    need(4);
    Interface device = interfaces.getFirst();
    long length = u32(0);
    long kept = device.kept() == 0 ? length : Math.min(length, device.kept());
    return add(device, 0, kept, length, body - 4);
  }

  private Optional<Ending> add(Interface device, long time, long kept, long length, long room)
      throws IOException, CutOff {
    if (kept > room || kept > LARGEST) {
      return Optional.of(new Ending(at, "a frame of " + kept + " bytes is cut off"));
    }
    Bytes data = data(kept).orElseThrow(CutOff::new);
    hand(time, device.link(), Math.max(kept, length), data);
    return Optional.empty();
  }

  private void hand(long time, int link, long length, Bytes data) {
    use.accept(new Frame(++number, time, link, length, data));
  }

  // ---- bytes

  /** Reads up to {@code count} bytes into {@link #words}; fewer at the end. */
  private int fill(int count) throws IOException {
    int have = in.readNBytes(words, 0, count);
    at += have;
    return have;
  }

  private void need(int count) throws IOException, CutOff {
    if (fill(count) < count) {
      throw new CutOff();
    }
  }

  private boolean skip(long count) throws IOException {
    long left = count;
    while (left > 0) {
      long step = in.skip(left);
      if (step <= 0) {
        if (in.read() < 0) {
          return false;
        }
        step = 1;
      }
      left -= step;
      at += step;
    }
    return true;
  }

  /** The beginning of a frame; nothing where the file ends within the frame. */
  private Optional<Bytes> data(long kept) throws IOException {
    int wanted = (int) Math.min(kept, most);
    byte[] array = in.readNBytes(wanted);
    at += array.length;
    return array.length == wanted && skip(kept - wanted)
        ? Optional.of(Bytes.taking(array))
        : Optional.empty();
  }

  private int raw(int offset) {
    return (words[offset] & 0xff) << 24
        | (words[offset + 1] & 0xff) << 16
        | (words[offset + 2] & 0xff) << 8
        | (words[offset + 3] & 0xff);
  }

  private int word(int offset) {
    return swapped ? Integer.reverseBytes(raw(offset)) : raw(offset);
  }

  private long u32(int offset) {
    return Integer.toUnsignedLong(word(offset));
  }

  private int half(int offset) {
    int first = words[offset] & 0xff;
    int second = words[offset + 1] & 0xff;
    return swapped ? second << 8 | first : first << 8 | second;
  }
}
