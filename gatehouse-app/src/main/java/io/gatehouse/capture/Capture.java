package io.gatehouse.capture;

import io.gatehouse.packet.Bytes;
import io.gatehouse.packet.Malformed;
import java.util.List;
import java.util.Optional;

/**
 * A file of captured packets.
 *
 * @param frames in their order
 * @param end why reading stopped before the end of the file, if it did; the frames before it count
 */
public record Capture(List<Frame> frames, Optional<Malformed> end) {
  public Capture {
    frames = List.copyOf(frames);
  }

  /** Reads a file in the form pcap (microseconds or nanoseconds, either order) or pcapng. */
  public static Capture read(Bytes file) {
    if (file.length() < 4) {
      return new Capture(List.of(), Optional.of(new Malformed(0, "no capture: too short")));
    }
    return file.i32(0) == PcapngReader.SECTION
        ? new PcapngReader(file).read()
        : new PcapReader(file).read();
  }
}
