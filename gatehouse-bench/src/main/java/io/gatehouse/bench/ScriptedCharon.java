package io.gatehouse.bench;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;

/**
 * A VICI socket with as many L2TP clients as somebody wants, each an IKE SA with one child and a
 * mark of its own. One daemon may follow it.
 */
final class ScriptedCharon implements AutoCloseable {
  private static final int REQUEST = 0;
  private static final int RESPONSE = 1;
  private static final int REGISTER = 3;
  private static final int CONFIRMED = 5;
  private static final int EVENT = 7;

  private final ServerSocketChannel server;
  private final Path socket;
  private final CountDownLatch asked = new CountDownLatch(1);
  private final int clients;
  private final Set<Integer> others = ConcurrentHashMap.newKeySet();
  private volatile SocketChannel events;

  /**
   * @param clients who are there from the start, with the marks 1 and up
   */
  ScriptedCharon(Path socket, int clients) throws IOException {
    this.socket = socket;
    this.clients = clients;
    server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
    server.bind(UnixDomainSocketAddress.of(socket));
    events = SocketChannel.open(StandardProtocolFamily.UNIX);
    Thread.ofPlatform().daemon().start(this::accept);
  }

  private void accept() {
    try {
      while (true) {
        SocketChannel channel = server.accept();
        Thread.ofPlatform().daemon().start(() -> serve(channel));
      }
    } catch (IOException e) {
      // It is closed.
    }
  }

  private void serve(SocketChannel channel) {
    try {
      while (true) {
        ByteBuffer packet = filled(channel, filled(channel, 4).getInt());
        int type = packet.get();
        byte[] name = new byte[type == REQUEST || type == REGISTER ? packet.get() : 0];
        packet.get(name);
        if (type == REGISTER) {
          if (new String(name, UTF_8).equals("child-updown")) {
            events = channel;
          }
          channel.write(framed(new byte[] {CONFIRMED}));
        } else if (type == REQUEST) {
          if (new String(name, UTF_8).equals("list-sas")) {
            asked.countDown();
            for (int client = 1; client <= clients; client++) {
              write(channel, message("list-sa", client, false));
            }
            for (int client : others) {
              write(channel, message("list-sa", client, false));
            }
          }
          channel.write(framed(new byte[] {RESPONSE}));
        }
      }
    } catch (IOException e) {
      // They left.
    }
  }

  private static ByteBuffer filled(SocketChannel channel, int length) throws IOException {
    ByteBuffer buffer = ByteBuffer.allocate(length);
    while (buffer.hasRemaining()) {
      if (channel.read(buffer) < 0) {
        throw new IOException("closed");
      }
    }
    return buffer.flip();
  }

  /** Waits until somebody asks who is there. */
  void untilAsked() throws InterruptedException {
    asked.await();
  }

  /** The event that a client's child came or went, ready to be written. */
  static ByteBuffer updown(int client, boolean up) {
    return message("child-updown", client, up);
  }

  /**
   * A client beside those of the beginning comes or goes: an event says so, and the list, which is
   * asked for where the reader has lost events.
   */
  void tell(int client, boolean up) throws IOException {
    if (up) {
      others.add(client);
    } else {
      others.remove(client);
    }
    send(updown(client, up));
  }

  /** Sends one; waits while the reader is behind. */
  void send(ByteBuffer event) throws IOException {
    write(events, event);
  }

  private static void write(SocketChannel channel, ByteBuffer bytes) throws IOException {
    while (bytes.hasRemaining()) {
      channel.write(bytes);
    }
  }

  private static ByteBuffer framed(byte[] packet) {
    return ByteBuffer.allocate(4 + packet.length).putInt(packet.length).put(packet).flip();
  }

  private static ByteBuffer message(String event, int client, boolean up) {
    Packet packet = new Packet();
    packet.byteOf(EVENT).name(event);
    if (up) {
      packet.text("up", "yes");
    }
    packet
        .open("l2tp")
        .text("uniqueid", Integer.toString(client))
        .text("remote-host", "198.51.100.1")
        .text("remote-port", Integer.toString(1024 + client % 60000))
        .text("remote-id", "client-" + client)
        .open("child-sas")
        .open("l2tp-" + client)
        .text("name", "l2tp")
        .text("uniqueid", Integer.toString(client))
        .text("reqid", Integer.toString(client))
        .text("state", "INSTALLED")
        .text("mode", "TRANSPORT")
        .text("mark-in", Integer.toHexString(client))
        .text("mark-mask-in", "00ffffff")
        .text("mark-out", Integer.toHexString(client))
        .text("mark-mask-out", "00ffffff")
        .close()
        .close()
        .close();
    return framed(packet.out.toByteArray());
  }

  /** VICI's elements, one behind the other. */
  private static final class Packet {
    private final ByteArrayOutputStream out = new ByteArrayOutputStream(400);

    Packet byteOf(int value) {
      out.write(value);
      return this;
    }

    Packet name(String name) {
      byteOf(name.length()).out.writeBytes(name.getBytes(UTF_8));
      return this;
    }

    Packet text(String name, String value) {
      byteOf(3).name(name).byteOf(value.length() >>> 8).byteOf(value.length());
      out.writeBytes(value.getBytes(UTF_8));
      return this;
    }

    Packet open(String name) {
      return byteOf(1).name(name);
    }

    Packet close() {
      return byteOf(2);
    }
  }

  @Override
  public void close() throws IOException {
    server.close();
    events.close();
    Files.deleteIfExists(socket);
  }
}
