package io.gatehouse.bench;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.nio.ByteBuffer;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.TimeUnit;

/** Takes what comes by ESP to the namespace of the thread that opens it, with the time. */
final class RawReceiver {
  private static final int AF_INET = 2;
  private static final int SOCK_RAW = 3;
  private static final int ESP = 50;
  private static final int LONGEST = 2048;

  private final SynchronousQueue<Arrival> arrivals = new SynchronousQueue<>();

  /**
   * A packet.
   *
   * @param at of {@link System#nanoTime}
   */
  record Arrival(int spi, int sequence, long at) {}

  @SuppressWarnings("restricted") // the JDK has no raw sockets
  private static MethodHandle call(String name, MemoryLayout result, MemoryLayout... arguments) {
    Linker linker = Linker.nativeLinker();
    return linker.downcallHandle(
        linker.defaultLookup().findOrThrow(name), FunctionDescriptor.of(result, arguments));
  }

  /** Opens it, and reads in a thread of its own until the program ends. */
  static RawReceiver open() throws IOException {
    RawReceiver receiver = new RawReceiver();
    try {
      int descriptor =
          (int)
              call("socket", JAVA_INT, JAVA_INT, JAVA_INT, JAVA_INT)
                  .invokeExact(AF_INET, SOCK_RAW, ESP);
      if (descriptor < 0) {
        throw new IOException("no raw socket");
      }
      Thread.ofPlatform().daemon().name("arrivals").start(() -> receiver.read(descriptor));
    } catch (Throwable e) {
      throw new IOException(e);
    }
    return receiver;
  }

  private void read(int descriptor) {
    MethodHandle recv = call("recv", JAVA_LONG, JAVA_INT, ADDRESS, JAVA_LONG, JAVA_INT);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment segment = arena.allocate(LONGEST);
      while (true) {
        long length = (long) recv.invokeExact(descriptor, segment, (long) LONGEST, 0);
        long at = System.nanoTime();
        if (length < 0) {
          return;
        }
        ByteBuffer packet = ByteBuffer.wrap(segment.asSlice(0, length).toArray(JAVA_BYTE));
        int header = (packet.get(0) & 15) * 4;
        Arrival arrival = new Arrival(packet.getInt(header), packet.getInt(header + 4), at);
        arrivals.offer(arrival, 1, TimeUnit.SECONDS); // where nobody waits, it is lost
      }
    } catch (Throwable e) {
      throw new IllegalStateException(e);
    }
  }

  /** When a packet came, or -1 where it did not within a quarter of a second. */
  long arrived(int spi, int sequence) throws InterruptedException {
    long end = System.nanoTime() + 250_000_000L;
    for (long left = end - System.nanoTime(); left > 0; left = end - System.nanoTime()) {
      Arrival arrival = arrivals.poll(left, TimeUnit.NANOSECONDS);
      if (arrival != null && arrival.spi == spi && arrival.sequence == sequence) {
        return arrival.at;
      }
    }
    return -1;
  }
}
