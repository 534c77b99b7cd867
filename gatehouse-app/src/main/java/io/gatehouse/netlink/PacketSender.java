package io.gatehouse.netlink;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/**
 * Sends IPv4 packets as they are, whatever their source (raw(7), IP_HDRINCL); it needs CAP_NET_RAW.
 * One thread uses it and closes it.
 */
public final class PacketSender implements AutoCloseable {
  private static final int AF_INET = 2;
  private static final int SOCK_RAW = 3;
  private static final int SOCK_CLOEXEC = 0x80000;
  private static final int IPPROTO_RAW = 255;

  /** The destination in an IPv4 header. */
  private static final int DESTINATION = 16;

  private static final int ADDRESS_LENGTH = 16;
  private static final int SHORTEST = 20;

  private static final MethodHandle SOCKET =
      NetlinkSocket.call("socket", JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT);
  private static final MethodHandle SEND =
      NetlinkSocket.call(
          "sendto", JAVA_LONG, JAVA_INT, ADDRESS, JAVA_LONG, JAVA_INT, ADDRESS, JAVA_INT);
  private static final MethodHandle CLOSE = NetlinkSocket.call("close", JAVA_INT, JAVA_INT);

  private final Arena arena;
  private final MemorySegment state;
  private final int descriptor;

  private PacketSender(Arena arena, MemorySegment state, int descriptor) {
    this.arena = arena;
    this.state = state;
    this.descriptor = descriptor;
  }

  /** Opens it. */
  public static Answer<PacketSender> open() {
    Arena arena = Arena.ofConfined();
    MemorySegment state = NetlinkSocket.state(arena);
    int descriptor =
        NetlinkSocket.number(
            () -> (int) SOCKET.invokeExact(state, AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW));
    if (descriptor < 0) {
      Failure why = Failure.of(NetlinkSocket.errno(state));
      arena.close();
      return new Answer.Failed<>(why);
    }
    return new Answer.Told<>(new PacketSender(arena, state, descriptor));
  }

  /**
   * Sends a packet to the destination in its header. The kernel fills in the header's checksum.
   *
   * @return an errno, or 0
   */
  public int send(Bytes packet) {
    if (packet.length() < SHORTEST) {
      return Failure.UNREADABLE;
    }
    try (Arena once = Arena.ofConfined()) {
      MemorySegment bytes = once.allocateFrom(JAVA_BYTE, packet.array());
      MemorySegment to = once.allocate(ADDRESS_LENGTH, 4);
      to.set(JAVA_SHORT, 0, (short) AF_INET);
      MemorySegment.copy(bytes, DESTINATION, to, 4, 4);
      long sent =
          NetlinkSocket.number(() ->
              (long)
                  SEND.invokeExact(
                      state, descriptor, bytes, bytes.byteSize(), 0, to, ADDRESS_LENGTH));
      return sent >= 0 ? 0 : NetlinkSocket.errno(state);
    }
  }

  @Override
  public void close() {
    NetlinkSocket.number(() -> (int) CLOSE.invokeExact(state, descriptor));
    arena.close();
  }
}
