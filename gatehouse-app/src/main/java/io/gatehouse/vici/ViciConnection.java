package io.gatehouse.vici;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;

/** One connection to charon: packets out and in, each with its length in front. */
final class ViciConnection implements AutoCloseable {
  private static final int LENGTH = 4;

  private final SocketChannel channel;
  private final Selector selector;

  /** What came and is not read yet; always ready to be read. */
  private ByteBuffer came = ByteBuffer.allocate(16 * 1024).flip();

  private ViciConnection(SocketChannel channel, Selector selector) {
    this.channel = channel;
    this.selector = selector;
  }

  static ViciConnection to(Path socket) throws IOException {
    SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX);
    try {
      channel.connect(UnixDomainSocketAddress.of(socket));
      channel.configureBlocking(false);
      Selector selector = Selector.open();
      channel.register(selector, SelectionKey.OP_READ);
      return new ViciConnection(channel, selector);
    } catch (IOException e) {
      channel.close();
      throw e;
    }
  }

  void send(Packet packet) throws IOException {
    byte[] bytes = PacketCodec.write(packet);
    ByteBuffer frame =
        ByteBuffer.allocate(LENGTH + bytes.length).putInt(bytes.length).put(bytes).flip();
    channel.keyFor(selector).interestOps(SelectionKey.OP_WRITE);
    while (frame.hasRemaining()) {
      if (channel.write(frame) == 0) {
        selector.select(100);
        selector.selectedKeys().clear();
      }
    }
    channel.keyFor(selector).interestOps(SelectionKey.OP_READ);
  }

  /**
   * The next packet; nothing where none came in time or somebody called {@link #wake}.
   *
   * @throws IOException where the connection ended, or what came cannot be read: nothing that comes
   *     after it could
   */
  Optional<Packet> next(Duration limit) throws IOException {
    long end = System.nanoTime() + limit.toNanos();
    while (true) {
      Optional<Packet> whole = whole();
      if (whole.isPresent()) {
        return whole;
      }
      long left = (end - System.nanoTime()) / 1_000_000;
      if (left <= 0) {
        return Optional.empty();
      }
      boolean ready = selector.select(left) > 0;
      selector.selectedKeys().clear();
      if (!ready) {
        return Optional.empty();
      }
      read();
    }
  }

  private void read() throws IOException {
    came.compact();
    if (!came.hasRemaining()) {
      came = ByteBuffer.allocate(came.capacity() * 2).put(came.flip());
    }
    int count = channel.read(came);
    came.flip();
    if (count < 0) {
      throw new IOException("it closed the connection");
    }
  }

  private Optional<Packet> whole() throws IOException {
    if (came.remaining() < LENGTH) {
      return Optional.empty();
    }
    long length = came.getInt(came.position()) & 0xffffffffL;
    if (length == 0 || length > PacketCodec.LONGEST) {
      throw new IOException("it sent a packet of " + length + " bytes");
    }
    if (came.remaining() < LENGTH + length) {
      return Optional.empty();
    }
    byte[] bytes = new byte[(int) length];
    came.position(came.position() + LENGTH).get(bytes);
    return switch (PacketCodec.read(bytes)) {
      case Packet.Malformed(int position, String why) ->
          throw new IOException("it sent what cannot be read: " + why + " (byte " + position + ")");
      case Packet packet -> Optional.of(packet);
    };
  }

  /** Ends the wait of another thread. */
  void wake() {
    selector.wakeup();
  }

  @Override
  public void close() throws IOException {
    try (channel) {
      selector.close();
    }
  }
}
