package io.gatehouse.vici;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;

/**
 * Follows charon in a thread of its own, over two connections: one for events, one for commands,
 * because charon takes one command at a time and sends events in between. Events are asked for
 * before the list, so that nothing happens unseen; those that come meanwhile wait, and are told
 * after it. Whoever is told must not block: what waits for us makes charon's memory grow.
 */
public final class Charon implements AutoCloseable {
  /** Charon's own default. */
  public static final Path SOCKET = Path.of("/var/run/charon.vici");

  /** Charon is asked nothing that takes long, except a list while it negotiates a lot. */
  private static final Duration LIMIT = Duration.ofSeconds(60);

  private static final Duration IDLE = Duration.ofSeconds(30);

  private final Path socket;
  private final Duration retry;
  private final Consumer<CharonNews> told;
  private final Thread thread;
  private final AtomicReference<Wish> wish = new AtomicReference<>(Wish.NOTHING);
  private final AtomicReference<Optional<ViciConnection>> waiting =
      new AtomicReference<>(Optional.empty());

  /** The classes of authentication of each connection's peers; only our thread's. */
  private final Map<String, Set<String>> authentication = new HashMap<>();

  private enum Wish {
    NOTHING,
    LIST,
    END
  }

  private Charon(Path socket, Duration retry, Consumer<CharonNews> told) {
    this.socket = socket;
    this.retry = retry;
    this.told = told;
    this.thread = Thread.ofPlatform().name("charon").daemon().unstarted(this::run);
  }

  /**
   * Begins to follow.
   *
   * @param retry between two attempts to connect
   * @param told called in one thread
   */
  public static Charon follow(Path socket, Duration retry, Consumer<CharonNews> told) {
    Charon charon = new Charon(socket, retry, told);
    charon.thread.start();
    return charon;
  }

  /** Lists everything again soon, where there is a connection. */
  public void listAgain() {
    wish.compareAndSet(Wish.NOTHING, Wish.LIST);
    waiting.get().ifPresent(ViciConnection::wake);
  }

  private boolean isOver() {
    return wish.get() == Wish.END;
  }

  private void run() {
    String lastWhy = "";
    while (!isOver()) {
      boolean[] listed = {false};
      try {
        follow(listed);
      } catch (IOException | RuntimeException | VirtualMachineError | LinkageError e) {
        // Our own fault ends a connection as charon's does: unheard, it would end all following.
        String why = Files.exists(socket) ? reason(e) : "there is no " + socket;
        // One telling for each loss, not one for each attempt.
        if (!isOver() && (listed[0] || !why.equals(lastWhy))) {
          told.accept(new CharonNews.Unreachable(why));
        }
        lastWhy = why;
      }
      if (!isOver()) {
        LockSupport.parkNanos(retry.toNanos());
      }
    }
  }

  private static String reason(Throwable e) {
    String message = e.getMessage();
    return message == null || !(e instanceof IOException) ? e.toString() : message;
  }

  private void follow(boolean[] listed) throws IOException {
    try (ViciConnection events = ViciConnection.to(socket);
        ViciConnection commands = ViciConnection.to(socket)) {
      List<Packet.Event> meanwhile = new ArrayList<>();
      for (String name : SaReader.EVENTS) {
        register(events, name, meanwhile);
      }
      register(commands, "list-sa", new ArrayList<>());
      register(commands, "list-conn", new ArrayList<>());
      authentication.clear();
      learnAuthentication(commands, Section.EMPTY);
      told.accept(new CharonNews.Listed(list(commands, Section.EMPTY)));
      listed[0] = true;
      waiting.set(Optional.of(events));
      for (Packet.Event event : meanwhile) {
        tell(event, commands);
      }
      while (!isOver()) {
        if (wish.compareAndSet(Wish.LIST, Wish.NOTHING)) {
          told.accept(new CharonNews.Listed(list(commands, Section.EMPTY)));
        }
        Optional<Packet> next = events.next(IDLE);
        if (next.isPresent() && next.get() instanceof Packet.Event event) {
          tell(event, commands);
        }
      }
    } finally {
      waiting.set(Optional.empty());
    }
  }

  /** Waits for the confirmation, and keeps the events that come before it. */
  private static void register(ViciConnection connection, String name, List<Packet.Event> meanwhile)
      throws IOException {
    connection.send(new Packet.Register(name));
    while (true) {
      switch (connection.next(LIMIT).orElseThrow(Charon::silent)) {
        case Packet.Event event -> meanwhile.add(event);
        case Packet.Confirmed confirmed -> {
          return;
        }
        case Packet.UnknownEvent unknown -> {
          if (name.equals("ike-update")) {
            return; // since 5.9.2; lists tell the same later
          }
          throw new IOException("it knows no event " + name);
        }
        case Packet other -> throw new IOException("it answered out of turn");
      }
    }
  }

  private static IOException silent() {
    return new IOException("it does not answer");
  }

  private void tell(Packet.Event event, ViciConnection commands) throws IOException {
    for (TunnelEvent happened :
        SaReader.events(event.name(), event.message(), this::withWhatIsLeftOut)) {
      if (happened instanceof TunnelEvent.IkeUp) {
        learnAuthentication(commands, Section.of("ike", happened.ike().connection()));
      }
      told.accept(new CharonNews.Happened(happened));
      // A new IKE SA may have taken over another's children, which no event says.
      if (happened instanceof TunnelEvent.IkeUp || happened instanceof TunnelEvent.IkeRekeyed) {
        Section which = Section.of("ike-id", Long.toString(happened.ike().id()));
        for (IkeSa stands : list(commands, which)) {
          told.accept(new CharonNews.Stands(stands));
        }
      }
    }
  }

  private List<IkeSa> list(ViciConnection commands, Section which) throws IOException {
    List<IkeSa> all = new ArrayList<>();
    command(
        commands,
        "list-sas",
        which,
        "list-sa",
        message ->
            SaReader.listed(message).stream().map(this::withWhatIsLeftOut).forEach(all::add));
    return all;
  }

  /** How the peers of connections prove who they are. */
  private void learnAuthentication(ViciConnection commands, Section which) throws IOException {
    command(
        commands,
        "list-conns",
        which,
        "list-conn",
        message ->
            message
                .sections()
                .forEach((name, connection) ->
                    authentication.put(name, SaReader.authentication(connection))));
  }

  /**
   * Charon leaves out an EAP or XAuth identity that is the same as IKE's. It is one only where the
   * connection asks for EAP or XAuth: IKE's alone may be whatever the peer says.
   */
  private IkeSa withWhatIsLeftOut(IkeSa sa) {
    Set<String> how = authentication.getOrDefault(sa.connection(), Set.of());
    return sa.with(
        sa.eapId().or(() -> how.contains("EAP") ? sa.remoteId() : Optional.empty()),
        sa.xauthId().or(() -> how.contains("XAuth") ? sa.remoteId() : Optional.empty()));
  }

  /** A command that answers with events. */
  private static void command(
      ViciConnection commands, String name, Section which, String event, Consumer<Section> each)
      throws IOException {
    commands.send(new Packet.Request(name, which));
    while (true) {
      switch (commands.next(LIMIT).orElseThrow(Charon::silent)) {
        case Packet.Event(String of, Section message) -> {
          if (of.equals(event)) {
            each.accept(message);
          }
        }
        case Packet.Response(Section message) -> {
          if (message.text("success").filter("no"::equals).isPresent()) {
            throw new IOException(
                "it refuses " + name + ": " + message.text("errmsg").orElse("no reason"));
          }
          return;
        }
        case Packet other -> throw new IOException("it does not answer " + name);
      }
    }
  }

  /** Ends the thread, and waits for that. */
  @Override
  public void close() {
    wish.set(Wish.END);
    thread.interrupt(); // ends whatever it waits for
    try {
      thread.join(Duration.ofSeconds(5));
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
