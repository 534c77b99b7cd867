package io.gatehouse.it.daemon;

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
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.IntFunction;
import java.util.stream.Stream;

/**
 * A VICI socket where SAs are what the test says: it confirms, lists, and tells events. Two
 * connections at a time, as many one after the other as somebody makes.
 */
final class PlayedCharon implements AutoCloseable {
  private final ServerSocketChannel server;
  private final Path socket;
  private final List<SocketChannel> open = new ArrayList<>();
  private final Map<Integer, String> members = new TreeMap<>();
  private final IntFunction<String> addresses;
  private int lists;

  PlayedCharon(Path socket) throws IOException {
    this(socket, "10.0.3.");
  }

  /**
   * With other virtual IPs.
   *
   * @param prefix what stands in front of a client's number
   */
  PlayedCharon(Path socket, String prefix) throws IOException {
    this(socket, number -> prefix + number);
  }

  /**
   * With more of them than a prefix has.
   *
   * @param addresses by a client's number
   */
  PlayedCharon(Path socket, IntFunction<String> addresses) throws IOException {
    this.socket = socket;
    this.addresses = addresses;
    server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
    server.bind(UnixDomainSocketAddress.of(socket));
    Thread.ofPlatform().daemon().start(this::accept);
  }

  private void accept() {
    try {
      while (true) {
        SocketChannel channel = server.accept();
        synchronized (this) {
          open.add(channel);
        }
        Thread.ofPlatform().daemon().start(() -> serve(channel));
      }
    } catch (IOException e) {
      // The test is over.
    }
  }

  private void serve(SocketChannel channel) {
    try {
      while (true) {
        int length = filled(channel, 4).getInt();
        ByteBuffer packet = filled(channel, length);
        int type = packet.get();
        byte[] name = new byte[type == 0 || type == 3 ? packet.get() : 0];
        packet.get(name);
        synchronized (this) {
          if (type == 3) {
            send(channel, new Bytes().u8(5));
          } else if (type == 0) {
            if (new String(name, UTF_8).equals("list-sas")) {
              lists++;
              for (Map.Entry<Integer, String> each : members.entrySet()) {
                send(channel, event("list-sa").append(sa(each.getKey(), each.getValue())));
              }
            }
            send(channel, new Bytes().u8(1));
          }
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

  private static void send(SocketChannel channel, Bytes packet) throws IOException {
    byte[] bytes = packet.out.toByteArray();
    channel.write(ByteBuffer.allocate(4 + bytes.length).putInt(bytes.length).put(bytes).flip());
  }

  /** Somebody who is there, with the virtual IP of his number. */
  synchronized void comes(int number, String eapId) throws IOException {
    members.put(number, eapId);
    tell(event("child-updown").text("up", "yes").append(sa(number, eapId)));
  }

  /** He leaves. */
  synchronized void leaves(int number) throws IOException {
    String eapId = members.remove(number);
    tell(event("child-updown").append(sa(number, eapId)));
    tell(event("ike-updown").append(sa(number, eapId)));
  }

  /** He leaves, and no event says so. */
  synchronized void vanishes(int number) {
    members.remove(number);
  }

  /** Whether he is there. */
  synchronized boolean has(int number) {
    return members.containsKey(number);
  }

  /** How often somebody asked who is there. */
  synchronized int lists() {
    return lists;
  }

  /** Only whoever asked for events is told, but a connection for commands ignores this one too. */
  private void tell(Bytes event) throws IOException {
    for (SocketChannel channel : List.copyOf(open)) {
      try {
        send(channel, event);
      } catch (IOException e) {
        open.remove(channel);
      }
    }
  }

  private static Bytes event(String name) {
    return new Bytes().u8(7).name(name);
  }

  private Bytes sa(int number, String eapId) {
    return new Bytes()
        .open("staff")
        .text("uniqueid", "" + number)
        .text("remote-id", "a device")
        .text("remote-eap-id", eapId)
        .list("remote-vips", addresses.apply(number))
        .open("child-sas")
        .open("staff-" + (100 + number))
        .text("uniqueid", "" + (100 + number))
        .text("state", "INSTALLED")
        .close()
        .close()
        .close();
  }

  /** A packet in the making. */
  private static final class Bytes {
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();

    Bytes u8(int value) {
      out.write(value);
      return this;
    }

    Bytes name(String name) {
      u8(name.length()).out.writeBytes(name.getBytes(UTF_8));
      return this;
    }

    Bytes text(String name, String value) {
      return u8(3).name(name).value(value);
    }

    Bytes value(String value) {
      u8(value.length() >>> 8).u8(value.length()).out.writeBytes(value.getBytes(UTF_8));
      return this;
    }

    Bytes list(String name, String... values) {
      u8(4).name(name);
      Stream.of(values).forEach(value -> u8(5).value(value));
      return u8(6);
    }

    Bytes open(String name) {
      return u8(1).name(name);
    }

    Bytes close() {
      return u8(2);
    }

    Bytes append(Bytes other) {
      out.writeBytes(other.out.toByteArray());
      return this;
    }
  }

  /** As when charon ends: its socket goes, and every connection with it. */
  @Override
  public void close() throws IOException {
    server.close();
    synchronized (this) {
      for (SocketChannel channel : open) {
        channel.close();
      }
    }
    Files.deleteIfExists(socket);
  }
}
