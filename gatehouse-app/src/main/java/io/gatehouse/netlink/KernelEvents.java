package io.gatehouse.netlink;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * What the kernel tells by itself on one netlink family. One thread opens it, waits on it and
 * closes it.
 */
public final class KernelEvents implements AutoCloseable {
  /** Some ten thousand events may wait. */
  private static final int BUFFER = 8 * 1024 * 1024;

  private final NetlinkSocket socket;

  private KernelEvents(NetlinkSocket socket) {
    this.socket = socket;
  }

  /** What is listened to. */
  public enum About {
    /** Every transaction of nftables. */
    NFTABLES(Wire.NETFILTER, NftCodec.GROUP),
    /** SAs and policies that come, go, expire and move. */
    XFRM(
        Wire.XFRM,
        XfrmCodec.GROUP_EXPIRE,
        XfrmCodec.GROUP_STATE,
        XfrmCodec.GROUP_POLICY,
        XfrmCodec.GROUP_MAPPING),
    /** Links and addresses. */
    ADDRESSES(
        Wire.ROUTE,
        RouteCodec.GROUP_LINK,
        RouteCodec.GROUP_ADDRESS_V4,
        RouteCodec.GROUP_ADDRESS_V6);

    private final int protocol;

    @SuppressWarnings("ImmutableEnumChecker") // never handed out
    private final int[] groups;

    About(int protocol, int... groups) {
      this.protocol = protocol;
      this.groups = groups;
    }
  }

  /** What came of waiting. */
  public sealed interface Heard {
    /** Messages, perhaps none: then nothing came in time. */
    record Messages(List<Frame.Content> messages) implements Heard {
      public Messages {
        messages = List.copyOf(messages);
      }
    }

    /** Some were lost: read the state again. */
    record Missed() implements Heard {}

    /** There is no more to hear. */
    record Ended(Failure why) implements Heard {}
  }

  /** Begins to listen: what happens from here on is heard or missed, and a miss is told. */
  public static Answer<KernelEvents> about(About about) {
    return about(about, BUFFER);
  }

  /**
   * The same with that much room.
   *
   * @param buffer bytes, the kernel's own overhead counted
   */
  public static Answer<KernelEvents> about(About about, int buffer) {
    return switch (NetlinkSocket.open(about.protocol, buffer)) {
      case Answer.Failed<NetlinkSocket>(Failure why) -> new Answer.Failed<>(why);
      case Answer.Told<NetlinkSocket>(NetlinkSocket socket) -> {
        for (int group : about.groups) {
          int error = socket.join(group);
          if (error != 0) {
            socket.close();
            yield new Answer.Failed<>(Failure.of(error));
          }
        }
        yield new Answer.Told<>(new KernelEvents(socket));
      }
    };
  }

  /** Waits for the next. */
  public Heard next(Duration limit) {
    return switch (socket.receive(limit)) {
      case Received.Nothing nothing -> new Heard.Messages(List.of());
      case Received.Overrun overrun -> new Heard.Missed();
      case Received.TooLong tooLong -> new Heard.Missed();
      case Received.Failed failed -> new Heard.Ended(failed.why());
      case Received.Datagram datagram -> heard(datagram.bytes());
    };
  }

  private static Heard heard(Bytes datagram) {
    List<Frame.Content> messages = new ArrayList<>();
    for (Frame frame : Framing.frames(datagram)) {
      switch (frame) {
        case Frame.Content content -> messages.add(content);
        case Frame.Broken broken -> {
          return new Heard.Missed();
        }
        case Frame.Lost lost -> {
          return new Heard.Missed();
        }
        default -> {}
      }
    }
    return new Heard.Messages(messages);
  }

  @Override
  public void close() {
    socket.close();
  }
}
