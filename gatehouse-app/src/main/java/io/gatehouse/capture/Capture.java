package io.gatehouse.capture;

import io.gatehouse.packet.Bytes;
import io.gatehouse.packet.Malformed;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * A file of captured packets, whole in memory; {@link FrameStream} reads those of any length.
 *
 * @param frames in their order
 * @param end why reading stopped before the end of the file, if it did; the frames before it count
 */
public record Capture(List<Frame> frames, Optional<Malformed> end) {
  public Capture {
    frames = List.copyOf(frames);
  }

  /**
   * Reads a file in the form pcap (microseconds or nanoseconds, either order) or pcapng, also in
   * gzip.
   */
  public static Capture read(Bytes file) {
    List<Frame> frames = new ArrayList<>();
    try {
      Optional<FrameStream.Ending> end =
          FrameStream.read(
              new ByteArrayInputStream(file.toArray()), Integer.MAX_VALUE, frames::add);
      return new Capture(
          frames,
          end.map(e -> new Malformed((int) Math.min(e.offset(), Integer.MAX_VALUE), e.what())));
    } catch (IOException e) {
      throw new UncheckedIOException("memory cannot be read", e);
    }
  }
}
