package io.gatehouse.daemon;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.gatehouse.model.Address;
import io.gatehouse.slowpath.SlowPath;
import io.gatehouse.vici.CharonNews;
import io.gatehouse.vici.ChildSa;
import io.gatehouse.vici.IkeSa;
import io.gatehouse.vici.Updown;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.URLEncoder;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import jdk.net.ExtendedSocketOptions;

/**
 * The control socket: one line in, lines out, each {@code name=value&name=value} in URL encoding.
 * Only root and whoever runs the daemon may ask; the socket's mode and the peer's credentials both
 * say so. Somebody who connects and says nothing is cut off.
 */
final class Control implements AutoCloseable {
  private static final Duration LIMIT = Duration.ofSeconds(5);

  /** What takes longer than this from end to end gets no answer any more. */
  static final Duration ANSWERS_WITHIN = LIMIT.plusSeconds(1);

  /** For whoever knows the answer: it leaves time to say that there is none. */
  private static final Duration PATIENCE = Duration.ofSeconds(4);

  private static final Duration RETRY = Duration.ofMillis(250);
  private static final int LONGEST = 16 * 1024;
  private static final int AT_ONCE = 64;

  private final ServerSocketChannel server;
  private final Path path;
  private final Conductor conductor;
  private final InstantSource clock;
  private final SlowPath slowPath;
  private final Semaphore room = new Semaphore(AT_ONCE);
  private final Worker worker = new Worker("control", RETRY, this::accept);

  private Control(
      ServerSocketChannel server,
      Path path,
      Conductor conductor,
      SlowPath slowPath,
      InstantSource clock) {
    this.clock = clock;
    this.server = server;
    this.path = path;
    this.conductor = conductor;
    this.slowPath = slowPath;
  }

  static Control open(Path path, Conductor conductor, SlowPath slowPath, InstantSource clock)
      throws IOException {
    Files.createDirectories(path.toAbsolutePath().getParent());
    Files.deleteIfExists(path);
    ServerSocketChannel server = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
    try {
      server.bind(UnixDomainSocketAddress.of(path));
      Files.setPosixFilePermissions(path, PosixFilePermissions.fromString("rw-------"));
      Control control = new Control(server, path, conductor, slowPath, clock);
      control.worker.start();
      return control;
    } catch (IOException e) {
      server.close();
      throw e;
    }
  }

  /** Fails where there is no descriptor left; that may pass. */
  private String accept(Worker worker) throws IOException {
    while (server.isOpen()) {
      SocketChannel peer = server.accept();
      worker.works();
      serveOrClose(peer);
    }
    return "its socket is closed";
  }

  private void serveOrClose(SocketChannel peer) throws IOException {
    boolean served = false;
    try {
      if (isAllowed(peer) && room.tryAcquire()) {
        Thread.ofVirtual().start(() -> serve(peer));
        served = true;
      }
    } finally {
      if (!served) {
        peer.close();
      }
    }
  }

  /** Why nobody can ask just now. */
  Optional<String> trouble() {
    return worker.trouble();
  }

  private static boolean isAllowed(SocketChannel peer) throws IOException {
    String who = peer.getOption(ExtendedSocketOptions.SO_PEERCRED).user().getName();
    return who.equals("root") || who.equals(System.getProperty("user.name"));
  }

  private void serve(SocketChannel peer) {
    Thread guard = guard(peer, LIMIT);
    try (peer) {
      String question = line(peer);
      StringBuilder answer = new StringBuilder();
      for (String line : answer(question)) {
        answer.append(line).append('\n');
      }
      ByteBuffer bytes = UTF_8.encode(answer.toString());
      while (bytes.hasRemaining()) {
        peer.write(bytes);
      }
    } catch (IOException e) {
      // Whoever asked has gone.
    } finally {
      guard.interrupt();
      room.release();
    }
  }

  /** Closes a channel after a time, whoever waits on it. */
  private static Thread guard(SocketChannel channel, Duration limit) {
    return Thread.ofVirtual()
        .start(() -> {
          try {
            Thread.sleep(limit);
            channel.close();
          } catch (InterruptedException | IOException e) {
            // It was quick, or has gone.
          }
        });
  }

  private static String line(SocketChannel peer) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(LONGEST);
    while (bytes.hasRemaining() && peer.read(bytes) >= 0) {
      if (bytes.position() > 0 && bytes.get(bytes.position() - 1) == '\n') {
        break;
      }
    }
    return UTF_8.decode(bytes.flip()).toString().strip();
  }

  private List<String> answer(String question) {
    int space = question.indexOf(' ');
    String word = space < 0 ? question : question.substring(0, space);
    try {
      return switch (word) {
        case "status" -> status(report());
        case "sessions" -> sessions(report());
        case "metrics" -> Metrics.of(report(), clock.instant());
        case "updown" -> {
          Updown.event(question.substring(space + 1))
              .ifPresent(event -> conductor.hear(new CharonNews.Hooked(event)));
          yield List.of("heard=yes");
        }
        case "masquerade" -> Masqueraded.lines(within(slowPath.report()));
        case "masquerade-release", "masquerade-register" -> wish(question);
        default -> List.of("trouble=" + encode("it knows no " + word));
      };
    } catch (InterruptedException | ExecutionException | TimeoutException e) {
      return List.of("trouble=" + encode("it is too busy to answer"));
    }
  }

  private List<String> wish(String question)
      throws InterruptedException, ExecutionException, TimeoutException {
    Optional<Masqueraded.Wish> understood = Masqueraded.wish(question);
    if (understood.isEmpty()) {
      return List.of("trouble=" + encode("it needs two IPv4 addresses, and an SPI to register"));
    }
    return switch (understood.get()) {
      case Masqueraded.Wish.Release(Address host, Address remote) ->
          within(slowPath.release(host, remote))
              ? List.of("done=yes")
              : List.of("trouble=" + encode("there is no masquerade"));
      case Masqueraded.Wish.Register(Address host, Address remote, int spi) ->
          within(slowPath.register(host, remote, spi))
              .map(why -> List.of("trouble=" + encode(why.words())))
              .orElse(List.of("done=yes"));
    };
  }

  private static <T> T within(CompletableFuture<T> answer)
      throws InterruptedException, ExecutionException, TimeoutException {
    return answer.get(PATIENCE.toMillis(), TimeUnit.MILLISECONDS);
  }

  private Report report() throws InterruptedException, ExecutionException, TimeoutException {
    return within(conductor.report());
  }

  private static List<String> status(Report report) {
    Map<String, String> line = new LinkedHashMap<>();
    line.put("generation", Integer.toString(report.generation()));
    line.put("running-since", report.since().toString());
    line.put("ike-daemon", report.unreachable().orElse("connected"));
    report.lastEvent().ifPresent(at -> line.put("last-event", at.toString()));
    report.lastWords().ifPresent(words -> line.put("last-event-was", words));
    line.put("events", Long.toString(report.events()));
    line.put("sessions", Integer.toString(report.sessions().size()));
    line.put("elements", Integer.toString(report.elements()));
    line.put("answered-for", Integer.toString(report.presences()));
    line.put("corrections", Long.toString(report.corrections()));
    List<String> lines = new ArrayList<>(List.of(form(line)));
    Metrics.byTunnel(report)
        .forEach((tunnel, count) -> lines.add("tunnel=" + encode(tunnel) + "&sessions=" + count));
    report.troubles().forEach(trouble -> lines.add("trouble=" + encode(trouble)));
    return lines;
  }

  private List<String> sessions(Report report) {
    return report.sessions().stream().map(session -> form(session(session))).toList();
  }

  private Map<String, String> session(Tunnels.Session session) {
    IkeSa ike = session.ike();
    Map<String, String> line = new LinkedHashMap<>();
    line.put("tunnel", session.tunnel().orElse("-"));
    line.put("connection", ike.connection());
    line.put("id", Long.toString(ike.id()));
    line.put("who", Words.who(ike));
    ike.remote().ifPresent(from -> line.put("from", from.toString()));
    session.group().ifPresent(group -> line.put("group", group));
    line.put(
        "virtual", ike.virtual().stream().map(Object::toString).collect(Collectors.joining(" ")));
    line.put("since", session.since().toString());
    line.put("seconds", seconds(session.since(), clock.instant()));
    line.put("children", Integer.toString(ike.children().size()));
    line.put("bytes-in", sum(ike, ChildSa::bytesIn));
    line.put("bytes-out", sum(ike, ChildSa::bytesOut));
    ike.children().stream()
        .flatMap(child -> child.markIn().stream())
        .findFirst()
        .ifPresent(mark -> line.put("mark", Long.toString(mark.value())));
    session.zone().ifPresent(zone -> line.put("zone", Integer.toString(zone)));
    session.rekey().ifPresent(at -> line.put("rekey-in", seconds(clock.instant(), at)));
    return line;
  }

  private static String seconds(Instant from, Instant to) {
    return Long.toString(Math.max(0, Duration.between(from, to).toSeconds()));
  }

  private static String sum(IkeSa ike, java.util.function.ToLongFunction<ChildSa> bytes) {
    return Long.toString(ike.children().stream().mapToLong(bytes).sum());
  }

  static String form(Map<String, String> values) {
    return values.entrySet().stream()
        .map(value -> value.getKey() + "=" + encode(value.getValue()))
        .collect(Collectors.joining("&"));
  }

  private static String encode(String text) {
    return URLEncoder.encode(text, UTF_8);
  }

  /**
   * The other end.
   *
   * @param limit for connecting, asking and the whole answer
   */
  static boolean ask(Path control, String question, Duration limit, Consumer<String> told) {
    try (SocketChannel channel = SocketChannel.open(StandardProtocolFamily.UNIX)) {
      Thread guard = guard(channel, limit);
      try {
        channel.connect(UnixDomainSocketAddress.of(control));
        ByteBuffer bytes = UTF_8.encode(question + "\n");
        while (bytes.hasRemaining()) {
          channel.write(bytes);
        }
        String answer = new String(Channels.newInputStream(channel).readAllBytes(), UTF_8);
        answer.lines().forEach(told);
        return true;
      } finally {
        guard.interrupt();
      }
    } catch (IOException e) {
      return false;
    }
  }

  @Override
  public void close() throws IOException {
    worker.end();
    server.close();
    worker.close();
    Files.deleteIfExists(path);
  }
}
