package io.gatehouse.diagnose;

import io.gatehouse.model.Address;
import io.gatehouse.model.Family;
import io.gatehouse.model.Prefix;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** Puts together what several points saw of the same sessions, and the points in their order. */
final class Stories {
  /** RFC 1918, 6598 and 4193: addresses that only their own network can answer to. */
  private static final List<Prefix> PRIVATE =
      Stream.of("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7")
          .map(Prefix::of)
          .toList();

  /** Talks with one address that are looked at for what shares no mark. */
  private static final int MANY = 64;

  private final List<Watch> watches;

  /** A talk at a watch, by its number. */
  private record Node(int watch, Talk talk) {}

  private final List<Node> nodes = new ArrayList<>();
  private final List<Integer> parents = new ArrayList<>();

  Stories(List<Watch> watches) {
    this.watches = List.copyOf(watches);
    for (int i = 0; i < watches.size(); i++) {
      for (Talk talk : watches.get(i).talks()) {
        nodes.add(new Node(i, talk));
        parents.add(nodes.size() - 1);
      }
    }
    link();
  }

  static boolean isPrivate(Address address) {
    return PRIVATE.stream().anyMatch(prefix -> prefix.contains(address))
        || (address.family() == Family.V4 && address.low() >>> 24 == 127);
  }

  // ---- what belongs together

  private int root(int node) {
    int at = node;
    while (parents.get(at) != at) {
      at = parents.get(at);
    }
    return at;
  }

  private void join(int one, int other) {
    parents.set(root(one), root(other));
  }

  private void link() {
    Map<String, Integer> known = new HashMap<>();
    for (int node = 0; node < nodes.size(); node++) {
      for (String mark : marks(nodes.get(node).talk())) {
        Integer first = known.putIfAbsent(mark, node);
        if (first != null) {
          join(node, first);
        }
      }
    }
    // What shares nothing with another point may share an address with it.
    Map<Integer, Integer> members = new HashMap<>();
    Map<Address, List<Integer>> byAddress = new HashMap<>();
    for (int node = 0; node < nodes.size(); node++) {
      members.merge(root(node), 1, Integer::sum);
      Talk talk = nodes.get(node).talk();
      for (Address end : List.of(talk.one, talk.other)) {
        byAddress.computeIfAbsent(end, e -> new ArrayList<>()).add(node);
      }
    }
    Map<Integer, Integer> watched = new HashMap<>();
    for (int node = 0; node < nodes.size(); node++) {
      watched.merge(root(node), 1 << nodes.get(node).watch(), (a, b) -> a | b);
    }
    for (int node = 0; node < nodes.size(); node++) {
      Talk talk = nodes.get(node).talk();
      int here = 1 << nodes.get(node).watch();
      int best = -1;
      int shared = 0;
      if (members.getOrDefault(root(node), 0) == 1) {
        for (Address end : List.of(talk.one, talk.other)) {
          for (int other : byAddress.getOrDefault(end, List.of()).stream().limit(MANY).toList()) {
            int common = common(talk, nodes.get(other).talk());
            if (common > shared && (watched.getOrDefault(root(other), 0) & here) == 0) {
              shared = common;
              best = other;
            }
          }
        }
      }
      if (best >= 0) {
        int both = watched.getOrDefault(root(node), 0) | watched.getOrDefault(root(best), 0);
        join(node, best);
        watched.put(root(best), both);
      }
    }
  }

  private static int common(Talk one, Talk other) {
    Set<Address> ends = Set.of(one.one, one.other);
    return (ends.contains(other.one) ? 1 : 0) + (ends.contains(other.other) ? 1 : 0);
  }

  /** What NAT does not change. */
  private static List<String> marks(Talk talk) {
    List<String> marks = new ArrayList<>();
    talk.sessions.keySet().forEach(cookie -> marks.add("cookie " + cookie));
    for (Sa sa : talk.sas.values()) {
      if (sa.channel.isEsp() || sa.channel == Channel.AH) {
        marks.add((sa.channel == Channel.AH ? "ah " : "esp ") + sa.id);
      }
    }
    talk.synNumbers.forEach(number -> marks.add("syn " + number));
    return marks;
  }

  // ---- who is the client

  private Map<Integer, Boolean> straight(List<Integer> members) {
    Map<Integer, Boolean> straight = new HashMap<>();
    for (int node : members) {
      if (nodes.get(node).talk().began != 0) {
        straight.put(node, nodes.get(node).talk().began > 0);
      }
    }
    for (int node : members) {
      if (!straight.containsKey(node)) {
        straight.put(node, guess(node, members, straight));
      }
    }
    return straight;
  }

  private boolean guess(int node, List<Integer> members, Map<Integer, Boolean> known) {
    Talk talk = nodes.get(node).talk();
    for (int other : members.subList(0, Math.min(members.size(), 4 * MANY))) {
      Boolean straight = known.get(other);
      if (straight != null && other != node) {
        Talk there = nodes.get(other).talk();
        for (Sa sa : talk.sas.values()) {
          for (boolean forth : new boolean[] {true, false}) {
            if (there.sas.containsKey(new Talk.SaKey(sa.channel, sa.id, forth))) {
              return straight == (forth == sa.forth);
            }
          }
        }
        if (talk.one.equals(there.one) || talk.other.equals(there.other)) {
          return straight;
        }
        if (talk.one.equals(there.other) || talk.other.equals(there.one)) {
          return !straight;
        }
      }
    }
    return isPrivate(talk.one) || !isPrivate(talk.other);
  }

  // ---- stories

  private List<List<Integer>> groups() {
    Map<Integer, List<Integer>> groups = new LinkedHashMap<>();
    for (int node = 0; node < nodes.size(); node++) {
      groups.computeIfAbsent(root(node), r -> new ArrayList<>()).add(node);
    }
    return List.copyOf(groups.values());
  }

  /**
   * All groups. A client of whom the first point sees ESP and nobody else anything belongs beside
   * another one of the same server, where that one's address is translated: it is the translator
   * that may know only one of them.
   *
   * @param first the watch nearest to the clients
   */
  private List<List<Integer>> besides(int first) {
    List<List<Integer>> groups = groups();
    List<List<Integer>> alone = groups.stream().filter(group -> isEspAlone(group, first)).toList();
    if (alone.isEmpty()) {
      return groups;
    }
    Map<Address, List<Integer>> translated = new HashMap<>();
    for (List<Integer> group : groups) {
      translatedServer(group, first).ifPresent(server -> translated.putIfAbsent(server, group));
    }
    for (List<Integer> group : alone) {
      Node node = nodes.get(group.getFirst());
      Stream.of(node.talk().one, node.talk().other)
          .map(translated::get)
          .filter(Objects::nonNull)
          .findFirst()
          .ifPresent(beside -> join(group.getFirst(), beside.getFirst()));
    }
    return groups();
  }

  private boolean isEspAlone(List<Integer> group, int watch) {
    Node node = nodes.get(group.getFirst());
    return group.size() == 1 && node.watch() == watch && node.talk().isEspAlone();
  }

  /** Whom the first watch sees asked, where nobody behind it sees the addresses that ask. */
  private Optional<Address> translatedServer(List<Integer> group, int first) {
    List<List<Side>> sides = sides(group);
    Set<Address> clients = new HashSet<>();
    sides.get(first).forEach(side -> clients.add(side.client()));
    List<Side> behind =
        IntStream.range(0, sides.size())
            .filter(watch -> watch != first)
            .mapToObj(sides::get)
            .flatMap(List::stream)
            .toList();
    boolean none = behind.stream().map(Side::client).noneMatch(clients::contains);
    return behind.isEmpty() || !none
        ? Optional.empty()
        : sides.get(first).stream().findFirst().map(Side::server);
  }

  private List<List<Side>> sides(List<Integer> members) {
    Map<Integer, Boolean> straight = straight(members);
    List<List<Side>> sides = new ArrayList<>();
    for (int watch = 0; watch < watches.size(); watch++) {
      List<Side> here = new ArrayList<>();
      for (int node : members) {
        if (nodes.get(node).watch() == watch) {
          here.add(new Side(nodes.get(node).talk(), straight.getOrDefault(node, true)));
        }
      }
      sides.add(here);
    }
    return sides;
  }

  /** With the points as named, those of most packets first. */
  List<Story> of(List<Point> points) {
    List<Integer> order =
        IntStream.range(0, watches.size())
            .boxed()
            .sorted(Comparator.comparing(points::get))
            .toList();
    return besides(order.getFirst()).stream()
        .map(members -> {
          List<List<Side>> sides = sides(members);
          return new Story(
              order.stream().map(points::get).toList(),
              order.stream().map(watches::get).toList(),
              order.stream().map(sides::get).toList());
        })
        .sorted(Comparator.comparingLong(Story::packets).reversed())
        .toList();
  }

  /**
   * Where the watches stand, by their packets: hop limits fall on the way, and addresses change
   * where somebody translates. Nothing where that does not tell.
   */
  Optional<List<Point>> guess() {
    Optional<List<List<Side>>> telling =
        groups().stream()
            .map(this::sides)
            .max(
                Comparator.<List<List<Side>>>comparingLong(
                        sides -> sides.stream().filter(here -> !here.isEmpty()).count())
                    .thenComparingLong(Stories::size));
    if (telling.isEmpty() || telling.get().stream().anyMatch(List::isEmpty)) {
      return Optional.empty();
    }
    List<List<Side>> sides = telling.get();
    Optional<List<Integer>> order = order(sides);
    if (order.isEmpty()) {
      return Optional.empty();
    }
    List<Side> way = order.get().stream().map(i -> sides.get(i).getFirst()).toList();
    List<Point> best = List.of();
    int score = Integer.MIN_VALUE;
    for (List<Point> points : choices(way.size())) {
      int value = score(way, points);
      if (value > score) {
        score = value;
        best = points;
      }
    }
    Point[] named = new Point[watches.size()];
    for (int i = 0; i < best.size(); i++) {
      named[order.get().get(i)] = best.get(i);
    }
    return Optional.of(List.of(named));
  }

  private static long size(List<List<Side>> sides) {
    return sides.stream()
        .flatMap(List::stream)
        .mapToLong(side ->
            Stream.concat(side.talk().forth.values().stream(), side.talk().back.values().stream())
                .mapToLong(flow -> flow.count)
                .sum())
        .sum();
  }

  private Optional<List<Integer>> order(List<List<Side>> sides) {
    List<Integer> all = IntStream.range(0, watches.size()).boxed().toList();
    if (all.size() == 1) {
      return Optional.of(all);
    }
    for (boolean toServer : new boolean[] {true, false}) {
      List<Integer> hops = all.stream().map(i -> sides.get(i).getFirst().hops(toServer)).toList();
      if (hops.stream().allMatch(h -> h > 0) && Set.copyOf(hops).size() == hops.size()) {
        Comparator<Integer> falling = Comparator.comparing(hops::get);
        return Optional.of(all.stream().sorted(toServer ? falling.reversed() : falling).toList());
      }
    }
    return Optional.empty();
  }

  private static List<List<Point>> choices(int size) {
    List<List<Point>> choices = new ArrayList<>();
    for (int bits = 0; bits < 16; bits++) {
      if (Integer.bitCount(bits) == size) {
        List<Point> points = new ArrayList<>();
        for (Point point : Point.values()) {
          if ((bits & 1 << point.place()) != 0) {
            points.add(point);
          }
        }
        choices.add(points);
      }
    }
    return choices;
  }

  private static int hops(Side side) {
    return side.hops(true) > 0 ? side.hops(true) : side.hops(false);
  }

  private static int score(List<Side> way, List<Point> points) {
    int score = 0;
    for (int i = 0; i < way.size(); i++) {
      Side here = way.get(i);
      boolean privateClient = isPrivate(here.client());
      boolean privateServer = isPrivate(here.server());
      score += (points.get(i) == Point.CLIENT_LAN) == privateClient ? 2 : 0;
      if (privateServer && !privateClient) {
        score += points.get(i) == Point.SERVER_DMZ ? 3 : 0;
      } else {
        // Nothing speaks for the server's own network but a server that is not in public.
        score -= points.get(i) == Point.SERVER_DMZ ? 1 : 0;
      }
      if (i + 1 < way.size()) {
        Side next = way.get(i + 1);
        boolean translated = !here.client().equals(next.client());
        boolean forwarded = !here.server().equals(next.server());
        boolean leavesLan =
            points.get(i) == Point.CLIENT_LAN && points.get(i + 1) != Point.CLIENT_LAN;
        boolean entersDmz = points.get(i + 1) == Point.SERVER_DMZ;
        score += translated == leavesLan ? 3 : 0;
        score += forwarded == entersDmz ? 3 : 0;
        // A firewall is one hop; the internet between two of them is more.
        boolean oneHop = Math.abs(hops(here) - hops(next)) == 1;
        boolean oneFirewall =
            points.get(i + 1).place() - points.get(i).place() == 1
                && points.get(i) != Point.CLIENT_ISP;
        score += oneHop == oneFirewall ? 1 : 0;
      }
    }
    return score;
  }
}
