package io.gatehouse.netlink;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.StructLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.VarHandle;
import java.time.Duration;

/**
 * A netlink socket. One thread uses it and closes it. Waiting pins a virtual thread's carrier: give
 * it a platform thread.
 */
final class NetlinkSocket implements AutoCloseable {
  /** Longer than any datagram of the kernel's: lists come in at most 32 KiB, events in a page. */
  private static final int ROOM = 256 * 1024;

  private static final int AF_NETLINK = 16;
  private static final int SOCK_RAW = 3;
  private static final int SOCK_CLOEXEC = 0x80000;
  private static final int SOL_SOCKET = 1;
  private static final int SO_SNDBUF = 7;
  private static final int SO_RCVBUF = 8;
  private static final int SO_SNDBUFFORCE = 32;
  private static final int SO_RCVBUFFORCE = 33;
  private static final int SOL_NETLINK = 270;
  private static final int ADD_MEMBERSHIP = 1;
  private static final int CAP_ACK = 10;
  private static final int EXT_ACK = 11;
  private static final int MSG_DONTWAIT = 0x40;
  private static final int MSG_TRUNC = 0x20;
  private static final short POLLIN = 1;

  /** struct sockaddr_nl: family, padding, port, groups. */
  private static final int NAME = 12;

  private static final long NAME_PORT = 4;

  private static final Linker LINKER = Linker.nativeLinker();
  private static final Linker.Option STATE = Linker.Option.captureCallState("errno");
  private static final StructLayout STATE_LAYOUT = Linker.Option.captureStateLayout();
  private static final VarHandle ERRNO =
      STATE_LAYOUT.varHandle(MemoryLayout.PathElement.groupElement("errno"));

  private static final MethodHandle SOCKET = call("socket", JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT);
  private static final MethodHandle BIND = call("bind", JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT);
  private static final MethodHandle OPTION =
      call("setsockopt", JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT, ADDRESS, JAVA_INT);
  private static final MethodHandle SEND =
      call("send", JAVA_LONG, JAVA_INT, ADDRESS, JAVA_LONG, JAVA_INT);
  private static final MethodHandle RECEIVE =
      call("recvfrom", JAVA_LONG, JAVA_INT, ADDRESS, JAVA_LONG, JAVA_INT, ADDRESS, ADDRESS);
  private static final MethodHandle POLL = call("poll", JAVA_INT, ADDRESS, JAVA_LONG, JAVA_INT);
  private static final MethodHandle CLOSE = call("close", JAVA_INT, JAVA_INT);

  private final Arena arena = Arena.ofConfined();
  private final MemorySegment state = arena.allocate(STATE_LAYOUT);
  private final MemorySegment name = arena.allocate(NAME, 4);
  private final MemorySegment nameLength = arena.allocate(JAVA_INT);
  private final MemorySegment waiting = arena.allocate(8, 4);
  private final MemorySegment room = arena.allocate(ROOM, 8);
  private int descriptor = -1;

  private NetlinkSocket() {}

  /** A function of the C library. */
  @SuppressWarnings("restricted") // the one door to native code
  static MethodHandle call(String function, MemoryLayout result, MemoryLayout... arguments) {
    return LINKER.downcallHandle(
        LINKER.defaultLookup().findOrThrow(function),
        FunctionDescriptor.of(result, arguments),
        STATE);
  }

  /**
   * Opens a socket, bound to a port of the kernel's choice, with extended acknowledgements.
   *
   * @param protocol one of {@link Wire}'s
   * @param buffer bytes that may wait in it, in each direction; a limit, not taken at once
   */
  static Answer<NetlinkSocket> open(int protocol, int buffer) {
    NetlinkSocket socket = new NetlinkSocket();
    int descriptor =
        number(() ->
            (int) SOCKET.invokeExact(socket.state, AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol));
    if (descriptor < 0) {
      return socket.failed();
    }
    socket.descriptor = descriptor;
    // Without the capability the smaller ordinary buffer has to do.
    if (socket.option(SOL_SOCKET, SO_SNDBUFFORCE, buffer) < 0) {
      socket.option(SOL_SOCKET, SO_SNDBUF, buffer);
    }
    if (socket.option(SOL_SOCKET, SO_RCVBUFFORCE, buffer) < 0) {
      socket.option(SOL_SOCKET, SO_RCVBUF, buffer);
    }
    socket.option(SOL_NETLINK, CAP_ACK, 1);
    socket.option(SOL_NETLINK, EXT_ACK, 1);
    socket.name.fill((byte) 0).set(JAVA_SHORT, 0, (short) AF_NETLINK);
    int bound =
        number(() -> (int) BIND.invokeExact(socket.state, socket.descriptor, socket.name, NAME));
    return bound < 0 ? socket.failed() : new Answer.Told<>(socket);
  }

  private Answer<NetlinkSocket> failed() {
    Failure why = Failure.of(errno());
    close();
    return new Answer.Failed<>(why);
  }

  /** Where calls leave their errno. */
  static MemorySegment state(Arena arena) {
    return arena.allocate(STATE_LAYOUT);
  }

  static int errno(MemorySegment state) {
    return (int) ERRNO.get(state, 0L);
  }

  /** Hears what the kernel tells this multicast group. Answers 0 or an errno. */
  int join(int group) {
    return option(SOL_NETLINK, ADD_MEMBERSHIP, group) < 0 ? errno() : 0;
  }

  /** Answers 0 or an errno. The kernel has done what it was asked when this returns. */
  int send(Bytes message) {
    try (Arena once = Arena.ofConfined()) {
      MemorySegment bytes = once.allocateFrom(JAVA_BYTE, message.array());
      while (true) {
        long sent =
            number(() -> (long) SEND.invokeExact(state, descriptor, bytes, bytes.byteSize(), 0));
        if (sent >= 0) {
          return 0;
        }
        if (errno() != Failure.INTERRUPTED) {
          return errno();
        }
      }
    }
  }

  /** What is there now. */
  Received receive() {
    nameLength.set(JAVA_INT, 0, NAME);
    long length =
        number(() ->
            (long)
                RECEIVE.invokeExact(
                    state,
                    descriptor,
                    room,
                    (long) ROOM,
                    MSG_DONTWAIT | MSG_TRUNC,
                    name,
                    nameLength));
    if (length < 0) {
      return switch (errno()) {
        case Failure.AGAIN, Failure.INTERRUPTED -> new Received.Nothing();
        case Failure.LOST -> new Received.Overrun();
        default -> new Received.Failed(Failure.of(errno()));
      };
    }
    if (name.get(JAVA_INT, NAME_PORT) != 0) {
      return receive(); // another process wrote to us, not the kernel
    }
    return length > ROOM
        ? new Received.TooLong(length)
        : new Received.Datagram(Bytes.owning(room.asSlice(0, length).toArray(JAVA_BYTE)));
  }

  /** What comes within the time; nothing also where a signal came first. */
  Received receive(Duration limit) {
    waiting.set(JAVA_INT, 0, descriptor);
    waiting.set(JAVA_SHORT, 4, POLLIN);
    waiting.set(JAVA_SHORT, 6, (short) 0);
    int limitMillis = (int) Math.min(Integer.MAX_VALUE, limit.toMillis());
    int ready = number(() -> (int) POLL.invokeExact(state, waiting, 1L, limitMillis));
    return ready == 0 ? new Received.Nothing() : receive();
  }

  @Override
  public void close() {
    if (descriptor >= 0) {
      int open = descriptor;
      descriptor = -1;
      number(() -> (int) CLOSE.invokeExact(state, open));
    }
    if (arena.scope().isAlive()) {
      arena.close();
    }
  }

  private int option(int level, int option, int value) {
    try (Arena once = Arena.ofConfined()) {
      MemorySegment number = once.allocateFrom(JAVA_INT, value);
      return number(
          () -> (int) OPTION.invokeExact(state, descriptor, level, option, number, Integer.BYTES));
    }
  }

  private int errno() {
    return errno(state);
  }

  /** A call that only throws where we describe a function wrongly. */
  interface Native<T> {
    T call() throws Throwable;
  }

  static <T> T number(Native<T> call) {
    try {
      return call.call();
    } catch (Throwable e) {
      throw new IllegalStateException("a call into the C library", e);
    }
  }
}
