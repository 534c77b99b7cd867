package io.gatehouse.netlink;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/** Takes datagrams apart into messages. */
public final class Framing {
  // struct nlmsgerr: error, then the header of the request.
  private static final int ERROR_BODY = 4 + Wire.HEADER;
  private static final int ERROR_TEXT = 1;
  private static final int ERROR_OFFSET = 2;

  private Framing() {}

  /** The messages of a datagram, in its order; one that breaks its length is the last. */
  public static List<Frame> frames(Bytes datagram) {
    List<Frame> frames = new ArrayList<>();
    int at = 0;
    while (at < datagram.length()) {
      Bytes rest = datagram.from(at);
      if (rest.length() < Wire.HEADER) {
        frames.add(broken(rest, "a header is cut off"));
        break;
      }
      long length = rest.u32(0);
      if (length < Wire.HEADER || length > rest.length()) {
        frames.add(broken(rest, "a message of " + length + " bytes in " + rest.length()));
        break;
      }
      Bytes message = rest.part(0, (int) length);
      if (message.u16(4) != Wire.TYPE_NOOP) {
        frames.add(frame(message));
      }
      at += Wire.aligned((int) length);
    }
    return frames;
  }

  private static Frame broken(Bytes where, String why) {
    return new Frame.Broken(new Unreadable(where.position(), why));
  }

  private static Frame frame(Bytes message) {
    int type = message.u16(4);
    int flags = message.u16(6);
    long sequence = message.u32(8);
    Bytes body = message.from(Wire.HEADER);
    return switch (type) {
      case Wire.TYPE_ERROR -> error(sequence, flags, body);
      case Wire.TYPE_DONE ->
          new Frame.Done(sequence, body.length() >= 4 ? positive(body) : 0, flags);
      case Wire.TYPE_OVERRUN -> new Frame.Lost();
      default -> new Frame.Content(type, flags, sequence, body);
    };
  }

  private static Frame error(long sequence, int flags, Bytes body) {
    if (body.length() < ERROR_BODY) {
      return broken(body, "an error is cut off");
    }
    int errno = positive(body);
    if (errno == 0) {
      return new Frame.Acknowledged(sequence);
    }
    long request = (flags & Wire.CAPPED) != 0 ? Wire.HEADER : body.u32(4);
    Optional<String> text = Optional.empty();
    OptionalInt offset = OptionalInt.empty();
    if ((flags & Wire.ACK_ATTRIBUTES) != 0
        && request >= Wire.HEADER
        && 4 + request <= body.length()) {
      int at = Math.min(4 + Wire.aligned((int) request), body.length());
      Attributes told = Attributes.of(body.from(at));
      text = told.find(ERROR_TEXT).map(Bytes::text);
      offset =
          told.find(ERROR_OFFSET)
              .filter(value -> value.length() == 4)
              .map(value -> OptionalInt.of((int) value.u32(0)))
              .orElse(offset);
    }
    return new Frame.Refused(sequence, errno, text, offset);
  }

  /** The kernel's errors are negative. */
  private static int positive(Bytes body) {
    int error = (int) body.u32(0);
    return error == Integer.MIN_VALUE ? Integer.MAX_VALUE : Math.abs(error);
  }
}
