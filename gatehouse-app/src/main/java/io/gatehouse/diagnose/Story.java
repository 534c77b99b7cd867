package io.gatehouse.diagnose;

import io.gatehouse.model.Address;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/**
 * What belongs together at all points: the sessions of clients that share a server, or one session.
 * Points are counted in the order of the way, from 0.
 */
final class Story {
  final List<Point> points;
  final List<Watch> watches;
  final List<List<Side>> sides;

  private final Map<List<Integer>, Mark> marks = new HashMap<>();

  Story(List<Point> points, List<Watch> watches, List<List<Side>> sides) {
    this.points = List.copyOf(points);
    this.watches = List.copyOf(watches);
    this.sides = sides.stream().map(List::copyOf).toList();
  }

  int last() {
    return points.size() - 1;
  }

  Point point(int at) {
    return points.get(at);
  }

  List<Side> at(int at) {
    return sides.get(at);
  }

  /** All packets of a kind in one direction; none where there is none. */
  Flow flow(int at, Channel channel, boolean toServer) {
    Flow sum = new Flow();
    at(at).forEach(side -> side.flow(channel, toServer).ifPresent(sum::add));
    return sum;
  }

  long count(int at, Channel channel, boolean toServer) {
    return at(at).stream().mapToLong(side -> side.count(channel, toServer)).sum();
  }

  long everywhere(Channel channel) {
    long sum = 0;
    for (int at = 0; at <= last(); at++) {
      sum += count(at, channel, true) + count(at, channel, false);
    }
    return sum;
  }

  long packets() {
    long sum = 0;
    for (Channel channel : Channel.values()) {
      sum += everywhere(channel);
    }
    return sum;
  }

  boolean hasEsp() {
    return everywhere(Channel.ESP) + everywhere(Channel.ESP_IN_UDP) + everywhere(Channel.AH) > 0;
  }

  /** Points in the order in which packets of a direction pass them. */
  List<Integer> way(boolean toServer) {
    List<Integer> way = new ArrayList<>();
    for (int at = 0; at <= last(); at++) {
      way.add(toServer ? at : last() - at);
    }
    return way;
  }

  Set<Address> clients(int at) {
    Set<Address> clients = new LinkedHashSet<>();
    at(at).stream().filter(side -> hasTraffic(side)).map(Side::client).forEach(clients::add);
    return clients;
  }

  Optional<Address> server() {
    for (int at = 0; at <= last(); at++) {
      Optional<Address> server = at(at).stream().findFirst().map(Side::server);
      if (server.isPresent()) {
        return server;
      }
    }
    return Optional.empty();
  }

  private static boolean hasTraffic(Side side) {
    return !side.talk().forth.isEmpty() || !side.talk().back.isEmpty();
  }

  Stream<Sa> sas(int at, boolean toServer) {
    return at(at).stream().flatMap(side -> side.sas(toServer));
  }

  Optional<Sa> sa(int at, boolean toServer, Channel channel, long id) {
    return sas(at, toServer).filter(sa -> sa.channel == channel && sa.id == id).findFirst();
  }

  /** Cookies of all IKE SAs, in the order in which they began. */
  Set<Long> cookies() {
    Set<Long> cookies = new LinkedHashSet<>();
    for (List<Side> here : sides) {
      here.forEach(side -> cookies.addAll(side.talk().sessions.keySet()));
    }
    return cookies;
  }

  /** A message and who sends it. */
  record Sent(Message message, boolean toServer, Side side) {}

  /** Messages of an IKE SA at one point, in their order. */
  List<Sent> messages(int at, long cookie) {
    List<Sent> all = new ArrayList<>();
    for (Side side : at(at)) {
      IkeSession session = side.talk().sessions.get(cookie);
      if (session != null) {
        session.messages.values().forEach(m -> all.add(new Sent(m, side.toServer(m.forth), side)));
      }
    }
    all.sort(java.util.Comparator.comparingLong(sent -> sent.message().first));
    return all;
  }

  /**
   * Whether the capture at another point went on long enough to have seen what happened here at a
   * time. Clocks are not compared, only what passed since something that both have seen.
   */
  boolean ranLongEnough(int here, int there, long time) {
    Mark mark = marks.computeIfAbsent(List.of(here, there), pair -> mark(here, there));
    return mark.here() == Long.MIN_VALUE
        || time <= mark.here()
        || watches.get(there).after(mark.there()) >= time - mark.here();
  }

  /** The last thing that two points have both seen, by the clock of each. */
  private record Mark(long here, long there) {}

  private Mark mark(int here, int there) {
    Mark mark = new Mark(Long.MIN_VALUE, 0);
    for (long cookie : cookies()) {
      Map<Message.Key, Message> others = new HashMap<>();
      messages(there, cookie)
          .forEach(sent -> others.putIfAbsent(sent.message().key, sent.message()));
      for (Sent one : messages(here, cookie)) {
        Message other = others.get(one.message().key);
        if (other != null && one.message().first > mark.here()) {
          mark = new Mark(one.message().first, other.first);
        }
      }
    }
    for (boolean toServer : new boolean[] {true, false}) {
      for (Sa one : sas(here, toServer).toList()) {
        Optional<Sa> other = sa(there, toServer, one.channel, one.id);
        if (other.isPresent()
            && other.get().highest == one.highest
            && one.flow.last > mark.here()) {
          mark = new Mark(one.flow.last, other.get().flow.last);
        }
      }
    }
    return mark;
  }
}
