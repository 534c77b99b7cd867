package io.gatehouse.netlink;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.time.Duration;

/**
 * Sees every IP packet of a device, or of all, in both directions (packet(7), SOCK_DGRAM); it needs
 * CAP_NET_RAW. One thread uses it and closes it.
 */
public final class PacketTap implements AutoCloseable {
  private static final int AF_PACKET = 17;
  private static final int SOCK_DGRAM = 2;
  private static final int SOCK_CLOEXEC = 0x80000;

  /** ETH_P_ALL, in network order. */
  private static final int EVERYTHING = 0x0300;

  private static final int MSG_DONTWAIT = 0x40;
  private static final int MSG_TRUNC = 0x20;
  private static final int SOL_SOCKET = 1;
  private static final int SO_RCVBUF = 8;
  private static final int SO_RCVBUFFORCE = 33;
  private static final int BUFFER = 16 << 20;
  private static final short POLLIN = 1;

  /** struct sockaddr_ll: family, protocol, index, kind of device, of packet, length, address. */
  private static final int NAME = 20;

  private static final int NAME_PROTOCOL = 2;
  private static final int NAME_INDEX = 4;
  private static final int IPV4 = 0x0800;
  private static final int IPV6 = 0x86dd;

  private static final MethodHandle SOCKET =
      NetlinkSocket.call("socket", JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT);
  private static final MethodHandle BIND =
      NetlinkSocket.call("bind", JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT);
  private static final MethodHandle OPTION =
      NetlinkSocket.call("setsockopt", JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT);
  private static final MethodHandle RECEIVE =
      NetlinkSocket.call(
          "recvfrom", JAVA_LONG, JAVA_INT, ADDRESS, JAVA_LONG, JAVA_INT, ADDRESS, ADDRESS);
  private static final MethodHandle POLL =
      NetlinkSocket.call("poll", JAVA_INT, ADDRESS, JAVA_LONG, JAVA_INT);
  private static final MethodHandle CLOSE = NetlinkSocket.call("close", JAVA_INT, JAVA_INT);

  private final Arena arena = Arena.ofConfined();
  private final MemorySegment state = NetlinkSocket.state(arena);
  private final MemorySegment name = arena.allocate(NAME, 4);
  private final MemorySegment nameLength = arena.allocate(JAVA_INT);
  private final MemorySegment waiting = arena.allocate(8, 4);
  private final MemorySegment room;
  private int descriptor = -1;

  /**
   * A packet.
   *
   * @param index of its device
   * @param length bytes that it has, of which {@code bytes} may be the beginning
   */
  public record Seen(int index, long length, Bytes bytes) {}

  private PacketTap(int kept) {
    room = arena.allocate(kept, 8);
  }

  /**
   * Opens it.
   *
   * @param index of the device; 0 for all
   * @param kept bytes of a packet that are kept
   */
  public static Answer<PacketTap> open(int index, int kept) {
    PacketTap tap = new PacketTap(kept);
    // Nothing is heard before it is bound.
    tap.descriptor =
        NetlinkSocket.number(
            () -> (int) SOCKET.invokeExact(tap.state, AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    if (tap.descriptor < 0) {
      return tap.failed();
    }
    if (tap.option(SO_RCVBUFFORCE) < 0) {
      tap.option(SO_RCVBUF);
    }
    tap.name.fill((byte) 0).set(JAVA_SHORT, 0, (short) AF_PACKET);
    tap.name.set(JAVA_SHORT, NAME_PROTOCOL, (short) EVERYTHING);
    tap.name.set(JAVA_INT, NAME_INDEX, index);
    int bound =
        NetlinkSocket.number(
            () -> (int) BIND.invokeExact(tap.state, tap.descriptor, tap.name, NAME));
    return bound < 0 ? tap.failed() : new Answer.Told<>(tap);
  }

  private Answer<PacketTap> failed() {
    Failure why = Failure.of(NetlinkSocket.errno(state));
    close();
    return new Answer.Failed<>(why);
  }

  private int option(int option) {
    try (Arena once = Arena.ofConfined()) {
      MemorySegment number = once.allocateFrom(JAVA_INT, BUFFER);
      return NetlinkSocket.number(() ->
          (int) OPTION.invokeExact(state, descriptor, SOL_SOCKET, option, number, Integer.BYTES));
    }
  }

  /** The next IP packet within the time; nothing where none comes. */
  public java.util.Optional<Seen> receive(Duration limit) {
    long end = System.nanoTime() + limit.toNanos();
    while (true) {
      long left = end - System.nanoTime();
      waiting.set(JAVA_INT, 0, descriptor);
      waiting.set(JAVA_SHORT, 4, POLLIN);
      waiting.set(JAVA_SHORT, 6, (short) 0);
      int millis = Math.clamp((left + 999_999) / 1_000_000, 0, Integer.MAX_VALUE);
      int ready = NetlinkSocket.number(() -> (int) POLL.invokeExact(state, waiting, 1L, millis));
      if (ready > 0) {
        nameLength.set(JAVA_INT, 0, NAME);
        long length =
            NetlinkSocket.number(() ->
                (long)
                    RECEIVE.invokeExact(
                        state,
                        descriptor,
                        room,
                        room.byteSize(),
                        MSG_DONTWAIT | MSG_TRUNC,
                        name,
                        nameLength));
        int protocol = Short.toUnsignedInt(Short.reverseBytes(name.get(JAVA_SHORT, NAME_PROTOCOL)));
        if (length >= 0 && (protocol == IPV4 || protocol == IPV6)) {
          long kept = Math.min(length, room.byteSize());
          return java.util.Optional.of(
              new Seen(
                  name.get(JAVA_INT, NAME_INDEX),
                  length,
                  Bytes.owning(room.asSlice(0, kept).toArray(JAVA_BYTE))));
        }
      }
      if (left <= 0) {
        return java.util.Optional.empty();
      }
    }
  }

  @Override
  public void close() {
    if (descriptor >= 0) {
      int open = descriptor;
      descriptor = -1;
      NetlinkSocket.number(() -> (int) CLOSE.invokeExact(state, open));
    }
    if (arena.scope().isAlive()) {
      arena.close();
    }
  }
}
