package io.gatehouse.capture;

import io.gatehouse.packet.Bytes;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * All frames of a small capture, for tests.
 *
 * @param end why reading stopped before the end of the file, if it did
 */
record Frames(List<Frame> frames, Optional<FrameStream.Ending> end) {
  static Frames read(Bytes file) {
    try {
      return read(new ByteArrayInputStream(file.toArray()));
    } catch (IOException e) {
      throw new UncheckedIOException("memory cannot be read", e);
    }
  }

  static Frames read(InputStream file) throws IOException {
    List<Frame> frames = new ArrayList<>();
    Optional<FrameStream.Ending> end = FrameStream.read(file, Integer.MAX_VALUE, frames::add);
    return new Frames(List.copyOf(frames), end);
  }
}
