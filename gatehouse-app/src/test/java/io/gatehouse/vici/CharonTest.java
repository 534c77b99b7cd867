package io.gatehouse.vici;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Against a socket where the test plays charon, word by word. */
@Timeout(60)
class CharonTest {
  @TempDir Path directory;

  private final BlockingQueue<CharonNews> news = new LinkedBlockingQueue<>();
  private final List<AutoCloseable> open = new ArrayList<>();
  private Path socket = Path.of("");
  private ServerSocketChannel server;

  @BeforeEach
  void listen() throws IOException {
    socket = directory.resolve("charon.vici");
    server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
    server.bind(UnixDomainSocketAddress.of(socket));
    open.add(server);
  }

  @AfterEach
  void close() throws Exception {
    for (AutoCloseable each : open.reversed()) {
      each.close();
    }
  }

  private Charon follow() {
    Charon charon = Charon.follow(socket, Duration.ofMillis(20), news::add);
    open.add(charon);
    return charon;
  }

  /** Charon's end of one connection. */
  private final class End {
    private final SocketChannel channel;

    End() throws IOException {
      channel = server.accept();
      open.add(channel);
    }

    Packet hear() throws IOException {
      ByteBuffer length = filled(4);
      ByteBuffer body = filled(length.getInt());
      byte[] bytes = new byte[body.remaining()];
      body.get(bytes);
      return PacketCodec.read(bytes);
    }

    private ByteBuffer filled(int length) throws IOException {
      ByteBuffer buffer = ByteBuffer.allocate(length);
      while (buffer.hasRemaining()) {
        if (channel.read(buffer) < 0) {
          throw new IOException("they left");
        }
      }
      return buffer.flip();
    }

    void say(Packet... packets) throws IOException {
      for (Packet packet : packets) {
        byte[] bytes = PacketCodec.write(packet);
        ByteBuffer frame =
            ByteBuffer.allocate(4 + bytes.length).putInt(bytes.length).put(bytes).flip();
        while (frame.hasRemaining()) {
          channel.write(frame);
        }
      }
    }

    void raw(byte... bytes) throws IOException {
      channel.write(ByteBuffer.wrap(bytes));
    }
  }

  private static final Packet CONFIRMED = new Packet.Confirmed();
  private static final Packet LISTED = new Packet.Response(Section.EMPTY);

  private static Packet event(String name, String message) {
    return new Packet.Event(name, Sections.of(message));
  }

  private static Packet childUp(int ike, int child) {
    return event(
        "child-updown",
        "up=yes staff { uniqueid=%d child-sas { net-%d { uniqueid=%d } } }"
            .formatted(ike, child, child));
  }

  private static Packet listSa(int ike, int child) {
    return event(
        "list-sa",
        "staff { uniqueid=%d child-sas { net-%d { uniqueid=%d } } }".formatted(ike, child, child));
  }

  /** Plays charon until it is asked for its SAs; the commands' connection comes second. */
  private void confirmAll(End events, End commands) throws IOException {
    for (String name : SaReader.EVENTS) {
      assertThat(events.hear()).isEqualTo(new Packet.Register(name));
      events.say(CONFIRMED);
    }
    askedForEverything(commands);
  }

  private void askedForEverything(End commands) throws IOException {
    assertThat(commands.hear()).isEqualTo(new Packet.Register("list-sa"));
    commands.say(CONFIRMED);
    assertThat(commands.hear()).isEqualTo(new Packet.Register("list-conn"));
    commands.say(CONFIRMED);
    assertThat(commands.hear()).isEqualTo(new Packet.Request("list-conns", Section.EMPTY));
    commands.say(connections);
    commands.say(LISTED);
    assertThat(commands.hear()).isEqualTo(new Packet.Request("list-sas", Section.EMPTY));
  }

  private Packet[] connections = {};

  private CharonNews next() throws InterruptedException {
    CharonNews next = news.poll(20, TimeUnit.SECONDS);
    assertThat(next).as("nothing was told").isNotNull();
    return next;
  }

  private static List<Long> children(CharonNews listed) {
    return ((CharonNews.Listed) listed)
        .all().stream().flatMap(sa -> sa.children().stream()).map(ChildSa::id).toList();
  }

  private static long child(CharonNews happened) {
    return ((TunnelEvent.ChildUp) ((CharonNews.Happened) happened).event()).child().id();
  }

  @Test
  void eventsAreAskedForBeforeTheListAndToldAfterIt() throws Exception {
    follow();
    End events = new End();
    End commands = new End();
    for (String name : SaReader.EVENTS) {
      assertThat(events.hear()).isEqualTo(new Packet.Register(name));
      // One comes before its neighbour's confirmation.
      if (name.equals("child-rekey")) {
        events.say(childUp(1, 11));
      }
      events.say(CONFIRMED);
    }
    askedForEverything(commands);
    events.say(childUp(1, 12));
    commands.say(listSa(1, 10), listSa(2, 20), LISTED);

    assertThat(children(next())).containsExactly(10L, 20L);
    assertThat(child(next())).isEqualTo(11);
    assertThat(child(next())).isEqualTo(12);
  }

  @Test
  void aNewIkeSaIsListedBecauseItMayHaveTakenChildrenOver() throws Exception {
    follow();
    End events = new End();
    End commands = new End();
    confirmAll(events, commands);
    commands.say(LISTED);
    assertThat(children(next())).isEmpty();
    events.say(event("ike-updown", "up=yes staff { uniqueid=7 }"));

    assertThat(commands.hear())
        .isEqualTo(new Packet.Request("list-conns", Section.of("ike", "staff")));
    commands.say(LISTED);
    assertThat(commands.hear())
        .isEqualTo(new Packet.Request("list-sas", Section.of("ike-id", "7")));
    commands.say(listSa(7, 3), LISTED);

    assertThat(next()).isInstanceOf(CharonNews.Happened.class);
    assertThat(next())
        .isInstanceOfSatisfying(
            CharonNews.Stands.class, stands -> assertThat(stands.ike().children()).hasSize(1));
  }

  @Test
  void anEapIdentityThatIsLeftOutIsIkesWhereTheConnectionAsksForEap() throws Exception {
    connections =
        new Packet[] {
          event("list-conn", "staff { local-1 { class=EAP } remote-1 { class=EAP } }"),
          event("list-conn", "keys { local-1 { class=EAP } remote-1 { class=public } }")
        };
    follow();
    End events = new End();
    End commands = new End();
    confirmAll(events, commands);
    commands.say(
        event("list-sa", "staff { uniqueid=1 remote-id=anna@fin }"),
        event("list-sa", "staff { uniqueid=2 remote-id=10.0.0.7 remote-eap-id=bob }"),
        event("list-sa", "keys { uniqueid=3 remote-id=eve@fin }"),
        LISTED);

    assertThat(((CharonNews.Listed) next()).all())
        .extracting(IkeSa::eapId)
        .containsExactly(Optional.of("anna@fin"), Optional.of("bob"), Optional.empty());
  }

  @Test
  void aFaultOfOursEndsAConnectionAndNotTheFollowing() throws Exception {
    AtomicBoolean faulty = new AtomicBoolean(true);
    open.add(
        Charon.follow(
            socket,
            Duration.ofMillis(20),
            told -> {
              if (told instanceof CharonNews.Listed && faulty.getAndSet(false)) {
                throw new IllegalStateException("a fault");
              }
              news.add(told);
            }));
    End events = new End();
    End commands = new End();
    confirmAll(events, commands);
    commands.say(LISTED);
    assertThat(next())
        .as("so that nobody keeps what he had")
        .isInstanceOf(CharonNews.Unreachable.class);

    events = new End();
    commands = new End();
    confirmAll(events, commands);
    commands.say(listSa(1, 10), LISTED);
    assertThat(children(next())).containsExactly(10L);
  }

  @Test
  void everythingIsListedAnewAfterCharonCameBack() throws Exception {
    follow();
    End events = new End();
    End commands = new End();
    confirmAll(events, commands);
    commands.say(listSa(1, 10), LISTED);
    assertThat(children(next())).containsExactly(10L);
    events.channel.close();
    commands.channel.close();
    assertThat(next()).isInstanceOf(CharonNews.Unreachable.class);

    events = new End();
    commands = new End();
    confirmAll(events, commands);
    commands.say(LISTED);
    assertThat(children(next())).isEmpty();
    events.say(childUp(1, 1));
    assertThat(child(next())).isEqualTo(1);
  }

  @Test
  void anEventInTheMiddleOfAnAnswerIsNoAnswer() throws Exception {
    Charon charon = follow();
    End events = new End();
    End commands = new End();
    confirmAll(events, commands);
    commands.say(listSa(1, 10), event("log", "level=1"), listSa(2, 20), LISTED);
    assertThat(children(next())).containsExactly(10L, 20L);

    charon.listAgain();
    assertThat(commands.hear()).isEqualTo(new Packet.Request("list-sas", Section.EMPTY));
    commands.say(LISTED);
    assertThat(children(next())).isEmpty();
  }

  @Test
  void anOlderCharonKnowsNoMoves() throws Exception {
    follow();
    End events = new End();
    End commands = new End();
    for (String name : SaReader.EVENTS) {
      events.hear();
      events.say(name.equals("ike-update") ? new Packet.UnknownEvent() : CONFIRMED);
    }
    askedForEverything(commands);
    commands.say(LISTED);

    assertThat(next()).isInstanceOf(CharonNews.Listed.class);
  }

  @Test
  void whatIsTooLongOrCannotBeReadEndsTheConnectionAndIsTold() throws Exception {
    follow();
    End events = new End();
    End commands = new End();
    confirmAll(events, commands);
    commands.say(LISTED);
    next();
    events.raw((byte) 0, (byte) 8, (byte) 0, (byte) 1); // 512 KiB and one byte
    assertThat(next())
        .isInstanceOfSatisfying(
            CharonNews.Unreachable.class, gone -> assertThat(gone.why()).contains("524289"));

    events = new End();
    commands = new End();
    confirmAll(events, commands);
    commands.say(LISTED);
    next();
    events.raw((byte) 0, (byte) 0, (byte) 0, (byte) 1, (byte) 9);
    assertThat(next())
        .isInstanceOfSatisfying(
            CharonNews.Unreachable.class, gone -> assertThat(gone.why()).contains("type 9"));
  }

  @Test
  void aPacketThatComesInPiecesIsOne() throws Exception {
    follow();
    End events = new End();
    End commands = new End();
    confirmAll(events, commands);
    commands.say(LISTED);
    next();
    byte[] bytes = PacketCodec.write(childUp(1, 5));
    events.raw((byte) 0, (byte) 0);
    events.raw((byte) (bytes.length >>> 8), (byte) bytes.length);
    for (byte each : bytes) {
      events.raw(each);
    }

    assertThat(child(next())).isEqualTo(5);
  }

  @Test
  void aMessageOfHundredsOfChildrenIsReadWhole() throws Exception {
    follow();
    End events = new End();
    End commands = new End();
    confirmAll(events, commands);
    StringBuilder many = new StringBuilder("staff { uniqueid=1 child-sas {");
    for (int i = 0; i < 3000; i++) {
      many.append(
          " net-%d { uniqueid=%d state=INSTALLED reqid=%d spi-in=c0000000 }".formatted(i, i, i));
    }
    commands.say(event("list-sa", many + " } }"), LISTED);

    assertThat(children(next())).hasSize(3000);
  }

  @Test
  void aRefusedListIsALostConnection() throws Exception {
    follow();
    End events = new End();
    End commands = new End();
    confirmAll(events, commands);
    commands.say(new Packet.Response(Sections.of("success=no errmsg=busy")));

    assertThat(next())
        .isInstanceOfSatisfying(
            CharonNews.Unreachable.class, gone -> assertThat(gone.why()).contains("busy"));
  }

  @Test
  void whereThereIsNoSocketThatIsToldOnce() throws Exception {
    server.close();
    java.nio.file.Files.delete(socket);
    follow();

    assertThat(next()).isEqualTo(new CharonNews.Unreachable("there is no " + socket));
    assertThat(news.poll(200, TimeUnit.MILLISECONDS)).isNull();
  }
}
