package io.gatehouse.netlink;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import io.gatehouse.model.Family;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;

/**
 * Sends IP packets as they are, whatever their source (raw(7), IP_HDRINCL; rawv6_send_hdrinc); it
 * needs CAP_NET_RAW. One thread uses it and closes it.
 */
public final class PacketSender implements AutoCloseable {
  private static final int AF_INET = 2;
  private static final int AF_INET6 = 10;
  private static final int SOCK_RAW = 3;
  private static final int SOCK_CLOEXEC = 0x80000;
  private static final int IPPROTO_RAW = 255;

  /** struct sockaddr_in, and sockaddr_in6. */
  private static final int ADDRESS_LENGTH = 16;

  private static final int ADDRESS_LENGTH_6 = 28;

  private static final MethodHandle SOCKET =
      NetlinkSocket.call("socket", JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT);
  private static final MethodHandle SEND =
      NetlinkSocket.call(
          "sendto", JAVA_LONG, JAVA_INT, ADDRESS, JAVA_LONG, JAVA_INT, ADDRESS, JAVA_INT);
  private static final MethodHandle CLOSE = NetlinkSocket.call("close", JAVA_INT, JAVA_INT);

  private final Arena arena;
  private final MemorySegment state;
  private final int descriptor;
  private final boolean six;

  private PacketSender(Arena arena, MemorySegment state, int descriptor, boolean six) {
    this.arena = arena;
    this.state = state;
    this.descriptor = descriptor;
    this.six = six;
  }

  /** Opens one for packets of a family. */
  public static Answer<PacketSender> open(Family family) {
    boolean six = family == Family.V6;
    int domain = six ? AF_INET6 : AF_INET;
    Arena arena = Arena.ofConfined();
    MemorySegment state = NetlinkSocket.state(arena);
    int descriptor =
        NetlinkSocket.number(
            () -> (int) SOCKET.invokeExact(state, domain, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW));
    if (descriptor < 0) {
      Failure why = Failure.of(NetlinkSocket.errno(state));
      arena.close();
      return new Answer.Failed<>(why);
    }
    return new Answer.Told<>(new PacketSender(arena, state, descriptor, six));
  }

  /**
   * Sends a packet to the destination in its header. The kernel fills in the checksum of IPv4's.
   *
   * @return an errno, or 0
   */
  public int send(Bytes packet) {
    if (packet.length() < (six ? 40 : 20)) {
      return Failure.UNREADABLE;
    }
    try (Arena once = Arena.ofConfined()) {
      MemorySegment bytes = once.allocateFrom(JAVA_BYTE, packet.array());
      int length = six ? ADDRESS_LENGTH_6 : ADDRESS_LENGTH;
      MemorySegment to = once.allocate(length, 4);
      to.set(JAVA_SHORT, 0, (short) (six ? AF_INET6 : AF_INET));
      MemorySegment.copy(bytes, six ? 24 : 16, to, six ? 8 : 4, six ? 16 : 4); // the destination
      long sent =
          NetlinkSocket.number(() ->
              (long) SEND.invokeExact(state, descriptor, bytes, bytes.byteSize(), 0, to, length));
      return sent >= 0 ? 0 : NetlinkSocket.errno(state);
    }
  }

  @Override
  public void close() {
    NetlinkSocket.number(() -> (int) CLOSE.invokeExact(state, descriptor));
    arena.close();
  }
}
