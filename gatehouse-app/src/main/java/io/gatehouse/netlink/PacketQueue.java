package io.gatehouse.netlink;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;

/**
 * Queues into which rules put packets ({@code queue to N}), and the verdicts on these. One thread
 * opens it, waits on it and closes it; with its end the kernel drops what still waits.
 */
public final class PacketQueue implements AutoCloseable {
  /** Some thousand packets may wait. */
  private static final int BUFFER = 8 * 1024 * 1024;

  private static final int LONGEST = 4096;
  private static final Duration LIMIT = Duration.ofSeconds(5);

  /** What becomes of a packet. */
  public enum Ruling {
    /** NF_DROP. */
    DROP(0),
    /** NF_ACCEPT: on to the next chain. */
    ACCEPT(1),
    /** NF_REPEAT: through the chain that asked, from its beginning. */
    REPEAT(4);

    private final int number;

    Ruling(int number) {
      this.number = number;
    }
  }

  private final NetlinkSocket socket;
  private final Deque<QueuedPacket> early = new ArrayDeque<>();
  private long sequence;

  private PacketQueue(NetlinkSocket socket) {
    this.socket = socket;
  }

  /**
   * Takes queues of the thread's network namespace; refused where another has one.
   *
   * @param first its number
   * @param count how many from there on
   */
  public static Answer<PacketQueue> open(int first, int count) {
    return switch (NetlinkSocket.open(Wire.NETFILTER, BUFFER)) {
      case Answer.Failed<NetlinkSocket>(Failure why) -> new Answer.Failed<>(why);
      case Answer.Told<NetlinkSocket>(NetlinkSocket socket) -> {
        PacketQueue queues = new PacketQueue(socket);
        for (int number = first; number < first + count; number++) {
          Optional<Failure> refused = queues.take(number);
          if (refused.isPresent()) {
            socket.close();
            yield new Answer.Failed<>(refused.get());
          }
        }
        yield new Answer.Told<>(queues);
      }
    };
  }

  private Optional<Failure> take(int number) {
    long mine = ++sequence;
    Optional<Failure> refused = done(QueueCodec.bind(number, mine), mine);
    if (refused.isPresent()) {
      return refused;
    }
    long next = ++sequence;
    return done(QueueCodec.wholePackets(number, LONGEST, next), next);
  }

  /** Packets may come before the acknowledgement. */
  private Optional<Failure> done(Bytes request, long mine) {
    int error = socket.send(request);
    if (error != 0) {
      return Optional.of(Failure.of(error));
    }
    while (true) {
      switch (socket.receive(LIMIT)) {
        case Received.Datagram datagram -> {
          for (Frame frame : Framing.frames(datagram.bytes())) {
            switch (frame) {
              case Frame.Acknowledged done when done.sequence() == mine -> {
                return Optional.empty();
              }
              case Frame.Refused refused when refused.sequence() == mine -> {
                return Optional.of(new Failure(refused.errno(), refused.text()));
              }
              case Frame.Content content -> packet(content).ifPresent(early::add);
              default -> {}
            }
          }
        }
        case Received.Failed failed -> {
          return Optional.of(failed.why());
        }
        case Received.Nothing nothing -> {
          return Optional.of(Failure.of(Failure.NO_ANSWER));
        }
        default -> {}
      }
    }
  }

  private static Optional<QueuedPacket> packet(Frame.Content content) {
    return QueueCodec.read(content) instanceof QueuedPacket packet
        ? Optional.of(packet)
        : Optional.empty();
  }

  /**
   * Waits for the next.
   *
   * @return those that are there, perhaps none; what there was no room for the kernel has dropped
   */
  public Answer<List<QueuedPacket>> next(Duration limit) {
    List<QueuedPacket> packets = new ArrayList<>();
    while (!early.isEmpty()) {
      packets.add(early.remove());
    }
    Received received = packets.isEmpty() ? socket.receive(limit) : socket.receive();
    while (true) {
      switch (received) {
        case Received.Datagram datagram -> {
          for (Frame frame : Framing.frames(datagram.bytes())) {
            if (frame instanceof Frame.Content content) {
              packet(content).ifPresent(packets::add);
            }
          }
        }
        case Received.Failed(Failure why) -> {
          return new Answer.Failed<>(why);
        }
        case Received.Nothing nothing -> {
          return new Answer.Told<>(packets);
        }
        case Received.Overrun overrun -> {}
        case Received.TooLong tooLong -> {}
      }
      if (packets.size() >= LONGEST) {
        return new Answer.Told<>(packets);
      }
      received = socket.receive();
    }
  }

  /** Says what becomes of a packet; nothing happens where the kernel has it no more. */
  public void rule(QueuedPacket packet, Ruling ruling) {
    socket.send(QueueCodec.verdict(packet.queue(), packet.id(), ruling.number, Optional.empty()));
  }

  /** Lets this go on in a packet's place, from the IP header on, with checksums that are right. */
  public void replace(QueuedPacket packet, Bytes other) {
    socket.send(
        QueueCodec.verdict(packet.queue(), packet.id(), Ruling.ACCEPT.number, Optional.of(other)));
  }

  @Override
  public void close() {
    socket.close();
  }
}
