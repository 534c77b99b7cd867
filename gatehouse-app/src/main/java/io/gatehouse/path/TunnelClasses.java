package io.gatehouse.path;

import io.gatehouse.model.Address;
import io.gatehouse.model.Family;
import io.gatehouse.path.HostState.Policy;
import io.gatehouse.path.HostState.SpdState;
import io.gatehouse.path.HostState.Tunnel;
import io.gatehouse.ruleset.XfrmPolicy.Direction;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/**
 * Tunnels that the kernel tells apart by the addresses of their far ends alone. Ten thousand
 * branches are one class: which of them brought a packet matters only as far as it is the one that
 * the packet's source belongs to, or another.
 */
final class TunnelClasses {

  /**
   * Tunnels that are alike.
   *
   * @param far of each member its far addresses, which no other member has; empty for the member of
   *     a class of its own, of which they are not asked
   */
  record TunnelClass(List<String> members, Map<String, IntervalSet> far) {
    boolean isMany() {
      return members.size() > 1;
    }

    /** All far addresses. */
    IntervalSet all() {
      return of(members);
    }

    /** Those of some members. */
    IntervalSet of(List<String> some) {
      return IntervalSet.union(
          some.stream().flatMap(name -> far(name).intervals().stream()).toList());
    }

    private IntervalSet far(String name) {
      return far.getOrDefault(name, IntervalSet.EMPTY);
    }

    /** Whose far address it is. */
    Optional<String> owner(Address address) {
      return members.stream().filter(name -> far(name).contains(address)).findFirst();
    }
  }

  private final List<TunnelClass> classes = new ArrayList<>();
  private final Map<String, Integer> numbers = new HashMap<>();

  /** Each tunnel a class of its own: hosts that are compared need not be alike in this. */
  static TunnelClasses apart(Collection<String> tunnels) {
    TunnelClasses all = new TunnelClasses();
    tunnels.forEach(name -> all.add(new TunnelClass(List.of(name), Map.of())));
    return all;
  }

  /** The classes of a host. */
  static TunnelClasses of(HostState host, Family family, Mentions mentions) {
    if (mentions.writesAddresses()) {
      // A source that was rewritten before policies are asked says nothing of the tunnel.
      return apart(host.tunnels().stream().map(Tunnel::name).toList());
    }
    Map<String, List<Policy>> policies = new HashMap<>();
    for (Policy policy : host.policies()) {
      if (policy.source().family() == family) {
        policy
            .tunnel()
            .ifPresent(name -> policies.computeIfAbsent(name, n -> new ArrayList<>()).add(policy));
      }
    }
    TunnelClasses all = new TunnelClasses();
    Map<Set<SpdState>, Map<String, IntervalSet>> alike = new LinkedHashMap<>();
    Map<String, IntervalSet> apart = new LinkedHashMap<>();
    for (Tunnel tunnel : host.tunnels()) {
      Optional<IntervalSet> far =
          tunnel.tunnelMode() && !tunnel.setsMark() && (!mentions.asksOfSas() || isUnknown(tunnel))
              ? far(policies.getOrDefault(tunnel.name(), List.of()))
              : Optional.empty();
      far.ifPresent(set -> apart.put(tunnel.name(), set));
    }
    meeting(apart).forEach(apart::remove);
    for (Tunnel tunnel : host.tunnels()) {
      if (apart.containsKey(tunnel.name())) {
        alike
            .computeIfAbsent(tunnel.states(), s -> new LinkedHashMap<>())
            .put(tunnel.name(), apart.get(tunnel.name()));
      } else {
        all.add(new TunnelClass(List.of(tunnel.name()), Map.of()));
      }
    }
    alike.values().forEach(far -> all.add(new TunnelClass(List.copyOf(far.keySet()), far)));
    return all;
  }

  /** Whether no rule can tell its SAs from another's. */
  private static boolean isUnknown(Tunnel tunnel) {
    return tunnel.reqid().isEmpty()
        && tunnel.protocol().isEmpty()
        && tunnel.local().isEmpty()
        && tunnel.remote().isEmpty();
  }

  private void add(TunnelClass one) {
    classes.add(one);
    one.members().forEach(name -> numbers.put(name, classes.size()));
  }

  /** The addresses beyond a tunnel, where its policies are about addresses alone and agree. */
  private static Optional<IntervalSet> far(List<Policy> policies) {
    List<IntervalSet.Interval> out = new ArrayList<>();
    List<IntervalSet.Interval> in = new ArrayList<>();
    for (Policy policy : policies) {
      if (!policy.isAboutAddresses()) {
        return Optional.empty();
      }
      boolean outward = policy.direction() == Direction.OUT;
      (outward ? out : in)
          .addAll(IntervalSet.of(outward ? policy.destination() : policy.source()).intervals());
    }
    IntervalSet far = IntervalSet.union(out);
    return far.equals(IntervalSet.union(in)) ? Optional.of(far) : Optional.empty();
  }

  /** Whose addresses meet those of another. */
  private static List<String> meeting(Map<String, IntervalSet> far) {
    record Piece(String name, IntervalSet.Interval part) {}
    List<Piece> pieces = new ArrayList<>();
    far.forEach((name, set) -> set.intervals().forEach(i -> pieces.add(new Piece(name, i))));
    pieces.sort(Comparator.comparing(Piece::part, IntervalSet.BY_FIRST));
    List<String> meeting = new ArrayList<>();
    Optional<Piece> widest = Optional.empty();
    for (Piece piece : pieces) {
      if (widest.isPresent()
          && !widest.get().name().equals(piece.name())
          && widest.get().part().reaches(piece.part())) {
        meeting.add(widest.get().name());
        meeting.add(piece.name());
      }
      if (widest.isEmpty() || piece.part().endsAfter(widest.get().part())) {
        widest = Optional.of(piece);
      }
    }
    return meeting;
  }

  /** How many classes there are. */
  int count() {
    return classes.size();
  }

  /** The class with a number; numbers count from 1. */
  TunnelClass numbered(int number) {
    return classes.get(number - 1);
  }

  /** Tunnels by the number of their class. */
  Map<Integer, List<String>> byNumber(Collection<String> tunnels) {
    Map<Integer, List<String>> all = new TreeMap<>();
    for (String tunnel : tunnels) {
      int number = number(tunnel);
      if (number > 0) {
        all.computeIfAbsent(number, n -> new ArrayList<>()).add(tunnel);
      }
    }
    return all;
  }

  /** The number of a tunnel's class; 0 where there is no such tunnel. */
  int number(String tunnel) {
    return numbers.getOrDefault(tunnel, 0);
  }
}
