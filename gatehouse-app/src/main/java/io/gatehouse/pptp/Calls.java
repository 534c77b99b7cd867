package io.gatehouse.pptp;

import io.gatehouse.model.Address;
import io.gatehouse.packet.Bytes;
import io.gatehouse.packet.Tcp;
import io.gatehouse.pptp.CallIds.Outer;
import io.gatehouse.pptp.CallIds.Pair;
import io.gatehouse.pptp.Change.Allowance;
import io.gatehouse.pptp.Ruling.Reason;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

/**
 * The calls that control connections agree on. A Call ID is the recipient's (RFC 2637, 4.1): those
 * that hosts choose are written anew where another host has the same with that remote, those that
 * remotes choose stay. Times are milliseconds that never go back.
 */
public final class Calls {
  /** Calls that a host has with one remote. */
  public static final int OF_PAIR = 64;

  /** Control connections between the two. */
  static final int CONNECTIONS_OF_PAIR = 64;

  /** Control connections of one host: a server inside has many remotes. */
  static final int CONNECTIONS_OF_HOST = 1_024;

  /** Control connections of all. */
  static final int CONNECTIONS = 65_536;

  /** Each end asks for an echo within a minute (RFC 2637, 3.1.4); not all do. */
  static final long SILENCE = 24 * 3_600_000L;

  private static final int DONE = 1;

  /**
   * So long after the end of a control connection its host's calls of before are taken for its own,
   * where no other one between the two has spoken; and so long one stays of which one end alone has
   * spoken. Each end asks for an echo within a minute.
   */
  static final long PATIENCE = 3 * 60_000;

  private final Map<Ends, Connection> connections = new LinkedHashMap<>();
  private final Map<Address, Integer> connected = new HashMap<>();
  private final Map<Pair, Integer> connectedOf = new HashMap<>();
  private final Map<Outer, Live> live = new HashMap<>();
  private final Map<Pair, List<Live>> between = new HashMap<>();

  /** By how many calls. */
  private final Map<Allowance, Integer> allowed = new HashMap<>();

  /** Those of before. */
  private final Map<Pair, List<Allowance>> left = new HashMap<>();

  private final Map<Reason, Long> refused = new EnumMap<>(Reason.class);
  private final List<Change> changes = new ArrayList<>();

  /** When a control connection ended beside calls whose own is not known. */
  private final Map<Pair, Long> ended = new HashMap<>();

  private final CallIds ids;

  /** Both ends of a control connection. */
  private record Ends(Address host, int hostPort, Address remote, int remotePort) {
    Pair pair() {
      return new Pair(host, remote);
    }
  }

  /** A call, and what is known of its other end. */
  private static final class Live {
    private final Call call;
    private Optional<Connection> connection;
    private OptionalInt theirs = OptionalInt.empty();
    private boolean cleared;
    private long seen;

    private Live(Call call, Optional<Connection> connection, long seen) {
      this.call = call;
      this.connection = connection;
      this.seen = seen;
    }
  }

  /** A control connection. */
  private static final class Connection {
    private final Ends ends;
    private final ControlStream fromHost = new ControlStream();
    private final ControlStream fromRemote = new ControlStream();
    private final List<Live> calls = new ArrayList<>();

    /** Call IDs of the remote's requests that the host has not answered. */
    private final Set<Integer> offered = new LinkedHashSet<>();

    /** By whether the host sends it: the first number of what would be another connection. */
    private final Map<Boolean, Integer> anew = new HashMap<>();

    private final long begun;
    private long seen;

    private Connection(Ends ends, long begun) {
      this.ends = ends;
      this.begun = begun;
    }

    private ControlStream stream(boolean outbound) {
      return outbound ? fromHost : fromRemote;
    }

    /**
     * Whoever is there has answered; of one that nobody answers anybody can write the beginning.
     */
    private boolean isAnswered() {
      return fromHost.hasBegun() && fromRemote.hasBegun();
    }
  }

  /**
   * @param salt where the search for a free Call ID begins
   */
  public Calls(long salt) {
    ids = new CallIds(salt);
  }

  // ---- what stands since before

  /** A call that a predecessor has left; its control connection is found when that speaks. */
  public void recall(Call call, long now) {
    if (ids.take(call)) {
      add(new Live(call, Optional.empty(), now));
    }
  }

  /**
   * What a predecessor has allowed, once its calls are recalled. Of which call it is, nobody knows
   * any more: it stays as long as one between the two.
   */
  public void recall(Allowance allowance) {
    Pair pair = Pair.of(allowance);
    if (between(pair).isEmpty()) {
      changes.add(new Change.Forbidden(allowance));
    } else if (allowed.putIfAbsent(allowance, 0) == null) {
      left.computeIfAbsent(pair, p -> new ArrayList<>()).add(allowance);
    }
  }

  /** All calls. */
  public List<Call> all() {
    return live.values().stream().map(one -> one.call).toList();
  }

  /** All that hosts may send under. */
  public List<Allowance> allowed() {
    return List.copyOf(allowed.keySet());
  }

  /** Whether a remote may send under an ID. */
  public boolean has(Address remote, int id) {
    return live.containsKey(new Outer(remote, id));
  }

  /** For people. */
  public CallStatus status() {
    return new CallStatus(all(), connections.size(), refused);
  }

  /** What has changed since this was asked last, in its order. */
  public List<Change> changes() {
    List<Change> all = List.copyOf(changes);
    changes.clear();
    return all;
  }

  // ---- segments

  /** What becomes of a segment. */
  public Ruling segment(Segment segment, long now) {
    Tcp tcp = segment.tcp();
    Ends ends =
        new Ends(segment.host(), segment.hostPort(), segment.remote(), segment.remotePort());
    Optional<Connection> known = Optional.ofNullable(connections.get(ends));
    if ((tcp.flags() & (Tcp.SYN | Tcp.RST)) != 0 && tcp.data().length() > 0) {
      return drop(Reason.NOT_PPTP);
    }
    if (tcp.data().length() == 0) {
      known.ifPresent(connection -> signal(connection, segment, now));
      return new Ruling.Pass(tcp.data());
    }
    if (known.filter(connection -> isAnother(connection, segment)).isPresent()) {
      forget(known.get(), now);
      known = Optional.empty();
    }
    if (known.isEmpty() && isFull(ends)) {
      return drop(Reason.CONNECTIONS);
    }
    Connection connection = known.orElseGet(() -> new Connection(ends, now));
    Ruling ruling = data(segment, connection, now);
    if (known.isEmpty()) {
      if (ruling instanceof Ruling.Pass) {
        connections.put(ends, connection);
        connected.merge(ends.host, 1, Integer::sum);
        connectedOf.merge(ends.pair(), 1, Integer::sum);
      } else {
        forget(connection, now); // what it agreed on before it broke
      }
    }
    if (ruling instanceof Ruling.Pass(Bytes passed)
        && passed.length() == tcp.data().length()
        && (tcp.flags() & Tcp.FIN) != 0) {
      forget(connection, now);
    }
    return ruling;
  }

  /**
   * Conntrack lets a SYN pass whoever sends it and whatever its number; who has the connection
   * answers it and goes on (RFC 5961, 4). So it says only where another one would begin.
   */
  private void signal(Connection connection, Segment segment, long now) {
    Tcp tcp = segment.tcp();
    boolean over = (tcp.flags() & (Tcp.FIN | Tcp.RST)) != 0;
    if ((tcp.flags() & Tcp.SYN) != 0) {
      connection.anew.put(segment.outbound(), tcp.sequence() + 1);
    } else if (over && connection.stream(segment.outbound()).mayEndAt(tcp.sequence())) {
      forget(connection, now);
    }
  }

  private static boolean isAnother(Connection connection, Segment segment) {
    int sequence = segment.tcp().sequence();
    return Integer.valueOf(sequence).equals(connection.anew.get(segment.outbound()))
        && !connection.stream(segment.outbound()).mayEndAt(sequence);
  }

  private boolean isFull(Ends ends) {
    return connections.size() >= CONNECTIONS
        || connected.getOrDefault(ends.host, 0) >= CONNECTIONS_OF_HOST
        || connectedOf.getOrDefault(ends.pair(), 0) >= CONNECTIONS_OF_PAIR;
  }

  private Ruling data(Segment segment, Connection connection, long now) {
    boolean outbound = segment.outbound();
    ControlStream stream = connection.stream(outbound);
    int sequence = segment.tcp().sequence();
    boolean ahead = stream.isAhead(sequence);
    connection.seen = now;
    return stream
        .take(
            sequence,
            segment.tcp().data(),
            head -> outbound ? said(connection, head, now) : heard(connection, head, now))
        .<Ruling>map(Ruling.Pass::new)
        .orElseGet(() -> drop(ahead ? Reason.GAP : Reason.NOT_PPTP));
  }

  private Ruling drop(Reason why) {
    count(why);
    return new Ruling.Drop(why);
  }

  private void count(Reason why) {
    refused.merge(why, 1L, Long::sum);
  }

  // ---- messages

  /** Of a host: its own Call ID is written anew. */
  private byte[] said(Connection connection, byte[] head, long now) {
    int own = u16(head, 12);
    switch (head[9]) {
      case 7, 9 -> put16(head, 12, begin(connection, own, OptionalInt.empty(), now));
      case 8, 10 -> {
        boolean done = head[16] == DONE;
        int theirs = u16(head, 14);
        boolean offered = connection.offered.remove(theirs);
        if (done && !offered) {
          count(Reason.UNASKED);
        }
        put16(
            head,
            12,
            done && offered ? begin(connection, own, OptionalInt.of(theirs), now) : CallIds.NOBODY);
      }
      case 12 -> {
        Optional<Live> cleared = ofHost(connection, own);
        put16(head, 12, id(cleared));
        cleared.ifPresent(call -> call.cleared = true);
      }
      case 13 -> {
        Optional<Live> over = ofHost(connection, own);
        put16(head, 12, id(over));
        over.ifPresent(call -> end(call, now));
      }
      case 4 -> List.copyOf(connection.calls).forEach(call -> end(call, now));
      default -> {}
    }
    return head;
  }

  /** Of a remote: the host gets its own Call ID back. */
  private byte[] heard(Connection connection, byte[] head, long now) {
    switch (head[9]) {
      case 7, 9 -> {
        if (connection.offered.size() < OF_PAIR) {
          connection.offered.add(u16(head, 12));
        }
      }
      case 8, 10 -> {
        Optional<Live> answered = ofRemote(connection, u16(head, 14));
        put16(head, 14, own(answered));
        boolean done = head[16] == DONE;
        int theirs = u16(head, 12);
        answered.ifPresent(call -> {
          if (done) {
            allow(call, theirs);
          } else {
            end(call, now);
          }
        });
      }
      case 11, 14, 15 -> put16(head, 12, own(ofRemote(connection, u16(head, 12))));
      case 13 -> {
        OptionalInt theirs = OptionalInt.of(u16(head, 12));
        List.copyOf(connection.calls).stream()
            .filter(call -> call.theirs.equals(theirs) || (call.cleared && call.theirs.isEmpty()))
            .forEach(call -> end(call, now));
      }
      case 4 -> List.copyOf(connection.calls).forEach(call -> end(call, now));
      default -> {}
    }
    return head;
  }

  private static int id(Optional<Live> call) {
    return call.map(known -> known.call.id()).orElse(CallIds.NOBODY);
  }

  private static int own(Optional<Live> call) {
    return call.map(known -> known.call.own()).orElse(CallIds.NOBODY);
  }

  private Optional<Live> ofHost(Connection connection, int own) {
    return connection.calls.stream()
        .filter(call -> call.call.own() == own)
        .findFirst()
        .or(() -> orphan(connection, own));
  }

  private Optional<Live> ofRemote(Connection connection, int id) {
    Optional<Live> found =
        Optional.ofNullable(live.get(new Outer(connection.ends.remote, id)))
            .filter(call -> call.call.host().equals(connection.ends.host));
    found.filter(call -> call.connection.isEmpty()).ifPresent(call -> adopt(connection, call));
    return found.filter(call -> call.connection.filter(connection::equals).isPresent());
  }

  /** A call of before whose control connection was not known, and is this one. */
  private Optional<Live> orphan(Connection connection, int own) {
    Optional<Live> found =
        between(connection.ends.pair()).stream()
            .filter(call -> call.connection.isEmpty() && call.call.own() == own)
            .findFirst();
    found.ifPresent(call -> adopt(connection, call));
    return found;
  }

  private static void adopt(Connection connection, Live call) {
    call.connection = Optional.of(connection);
    connection.calls.add(call);
  }

  // ---- calls

  /** The ID under which the remote is to send for a call of the host's. */
  private int begin(Connection connection, int own, OptionalInt theirs, long now) {
    Ends ends = connection.ends;
    Optional<Live> before = ofHost(connection, own);
    if (before.isEmpty()) {
      OptionalInt id =
          between(ends.pair()).size() < OF_PAIR
              ? ids.give(ends.pair(), own, now)
              : OptionalInt.empty();
      if (id.isEmpty()) {
        count(Reason.CALLS);
        return CallIds.NOBODY;
      }
      Live call =
          new Live(
              new Call(ends.host, ends.remote, id.getAsInt(), own), Optional.of(connection), now);
      add(call);
      connection.calls.add(call);
      changes.add(new Change.Begun(call.call));
      before = Optional.of(call);
    }
    Live call = before.get();
    theirs.ifPresent(id -> allow(call, id));
    return call.call.id();
  }

  private void add(Live call) {
    live.put(new Outer(call.call.remote(), call.call.id()), call);
    between.computeIfAbsent(Pair.of(call.call), pair -> new ArrayList<>()).add(call);
  }

  private List<Live> between(Pair pair) {
    return between.getOrDefault(pair, List.of());
  }

  private void allow(Live call, int theirs) {
    if (call.theirs.equals(OptionalInt.of(theirs))) {
      return;
    }
    forbid(call);
    call.theirs = OptionalInt.of(theirs);
    Allowance allowance = allowance(call, theirs);
    if (!allowed.containsKey(allowance)) {
      changes.add(new Change.Allowed(allowance));
    }
    allowed.merge(allowance, 1, Integer::sum);
  }

  private static Allowance allowance(Live call, int theirs) {
    return new Allowance(call.call.host(), call.call.remote(), theirs);
  }

  private void forbid(Live call) {
    if (call.theirs.isPresent()) {
      Allowance allowance = allowance(call, call.theirs.getAsInt());
      call.theirs = OptionalInt.empty();
      if (allowed.merge(allowance, -1, Integer::sum) <= 0) {
        forbid(allowance);
      }
    }
  }

  private void forbid(Allowance allowance) {
    if (allowed.remove(allowance) != null) {
      changes.add(new Change.Forbidden(allowance));
    }
  }

  private void end(Live call, long now) {
    Call over = call.call;
    Pair pair = Pair.of(over);
    live.remove(new Outer(over.remote(), over.id()));
    ids.rest(over, now);
    between.computeIfPresent(pair, (p, all) -> all.remove(call) && all.isEmpty() ? null : all);
    call.connection.ifPresent(connection -> connection.calls.remove(call));
    changes.add(new Change.Ended(over));
    forbid(call);
    if (between(pair).isEmpty()) {
      Optional.ofNullable(left.remove(pair)).ifPresent(all -> all.forEach(this::forbid));
    }
  }

  private void forget(Connection connection, long now) {
    List.copyOf(connection.calls).forEach(call -> end(call, now));
    if (connections.remove(connection.ends, connection)) {
      Pair pair = connection.ends.pair();
      connected.computeIfPresent(pair.host(), (host, count) -> count > 1 ? count - 1 : null);
      connectedOf.computeIfPresent(pair, (p, count) -> count > 1 ? count - 1 : null);
      if (between(pair).stream().anyMatch(call -> call.connection.isEmpty())) {
        ended.put(pair, now);
      }
    }
  }

  /** Frees what a host has with a remote: its calls, and its control connections are unknown. */
  public void release(Address host, Address remote, long now) {
    Pair pair = new Pair(host, remote);
    List.copyOf(connections.values()).stream()
        .filter(connection -> connection.ends.pair().equals(pair))
        .forEach(connection -> forget(connection, now));
    List.copyOf(between(pair)).forEach(call -> end(call, now));
  }

  /** Forgets what is over; every second or so. */
  public void tick(long now) {
    Set<Pair> speaking = new HashSet<>();
    for (Connection connection : List.copyOf(connections.values())) {
      long patience = connection.isAnswered() ? SILENCE : PATIENCE;
      if (now - (connection.isAnswered() ? connection.seen : connection.begun) >= patience) {
        forget(connection, now);
      } else {
        speaking.add(connection.ends.pair());
      }
    }
    for (Live call : List.copyOf(live.values())) {
      if (call.connection.isEmpty() && speaking.contains(Pair.of(call.call))) {
        call.seen = now;
      } else if (call.connection.isEmpty() && now - call.seen >= SILENCE) {
        end(call, now);
      }
    }
    Set<Pair> over = new HashSet<>();
    ended.forEach((pair, at) -> {
      if (now - at >= PATIENCE && !speaking.contains(pair)) {
        over.add(pair);
      }
    });
    over.forEach(pair -> {
      ended.remove(pair);
      List.copyOf(between(pair)).forEach(call -> end(call, now));
    });
    ids.tick(now);
  }

  private static int u16(byte[] bytes, int at) {
    return (bytes[at] & 0xff) << 8 | (bytes[at + 1] & 0xff);
  }

  private static void put16(byte[] bytes, int at, int value) {
    bytes[at] = (byte) (value >>> 8);
    bytes[at + 1] = (byte) value;
  }
}
