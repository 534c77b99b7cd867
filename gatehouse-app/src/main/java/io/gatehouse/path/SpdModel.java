package io.gatehouse.path;

import static io.gatehouse.bdd.Bdd.FALSE;
import static io.gatehouse.bdd.Bdd.TRUE;

import io.gatehouse.bdd.Bdd;
import io.gatehouse.model.PortRange;
import io.gatehouse.path.HostState.Policy;
import io.gatehouse.path.HostState.PolicyAction;
import io.gatehouse.path.HostState.SpdState;
import io.gatehouse.path.HostState.Tunnel;
import io.gatehouse.ruleset.XfrmPolicy.Direction;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Which xfrm policy a packet meets. Each tunnel may be without policy, have a policy without an SA,
 * or be up: chosen for each packet and each look-up. Tunnels whose selectors are apart share the
 * variables of that choice, because no packet meets two of them in one look-up; ten thousand
 * branches then need two variables.
 */
final class SpdModel {
  private final HeaderSpace space;
  private final Bdd bdd;
  private final HostState host;
  private final Map<String, Integer> numbers = new LinkedHashMap<>();
  private final Map<String, Tunnel> owners = new HashMap<>();

  /** Each direction's policies of this family, in the order in which they are asked. */
  private final Map<Direction, List<Policy>> policies = new EnumMap<>(Direction.class);

  SpdModel(HeaderSpace space, HostState host) {
    this.space = space;
    this.bdd = space.bdd();
    this.host = host;
    space.tunnels().forEach(t -> numbers.put(t, numbers.size() + 1));
    host.tunnels().forEach(tunnel -> owners.putIfAbsent(tunnel.name(), tunnel));
    for (Direction direction : Direction.values()) {
      policies.put(
          direction,
          host.policies().stream()
              .filter(p -> p.direction() == direction && p.source().family() == space.family())
              .sorted(Comparator.comparingLong(Policy::priority))
              .toList());
    }
  }

  /**
   * What a look-up came to.
   *
   * @param none no policy matched
   * @param bypassed let through in clear by a policy
   * @param blocked stopped by a policy, or for want of one where that is the default
   * @param byDefault of these, for want of a policy
   * @param asked a policy of a tunnel matched
   * @param withoutSa of these, where the tunnel has no SA now
   * @param tunnel the number of that tunnel, as in a secpath
   * @param deciders the policies and what each decided
   */
  record Result(
      int none,
      int bypassed,
      int blocked,
      int byDefault,
      int asked,
      int withoutSa,
      Field tunnel,
      Map<Policy, Integer> deciders) {}

  /** Variables for the state of tunnels whose selectors do not meet. */
  private final class Group {
    final int[] bits;
    int selectors = FALSE;

    Group(String place) {
      bits = space.open(2, new Unknown(Unknown.Kind.SPD, "policy and SA of the tunnel", place));
    }

    int is(SpdState state) {
      return switch (state) {
        case NO_POLICY -> bdd.difference(bdd.not(bits[0]), bits[1]);
        case NO_SA -> bdd.difference(bits[1], bits[0]);
        case UP -> bits[0];
      };
    }
  }

  Result lookUp(Direction direction, State state, int packets, String place) {
    List<Policy> asking = policies.getOrDefault(direction, List.of());
    int[] selected = asking.stream().mapToInt(policy -> selects(policy, state)).toArray();
    Map<Policy, Integer> deciders = new LinkedHashMap<>();
    List<Group> groups = new ArrayList<>();
    Map<String, Group> groupOf = new LinkedHashMap<>();
    Map<String, Integer> selectorsOf = selectors(asking, selected);
    int left = packets;
    int bypassed = FALSE;
    int blocked = FALSE;
    int asked = FALSE;
    int withoutSa = FALSE;
    int[] tunnel = new int[space.secpath.length];
    for (int at = 0; at < selected.length; at++) {
      Policy policy = asking.get(at);
      int matching = bdd.and(left, selected[at]);
      if (matching == FALSE) {
        continue;
      }
      int present = TRUE;
      if (policy.tunnel().isPresent()) {
        String name = policy.tunnel().get();
        Tunnel owner = owner(name);
        Group group =
            groupOf.computeIfAbsent(
                name, n -> group(groups, selectorsOf.getOrDefault(n, TRUE), place));
        int with = FALSE;
        int up = FALSE;
        if (owner.states().size() == 1) {
          // Nothing is open about it.
          SpdState only = owner.states().iterator().next();
          with = only == SpdState.NO_POLICY ? FALSE : TRUE;
          up = only == SpdState.UP ? TRUE : FALSE;
        } else {
          int rest = TRUE;
          for (SpdState possible : SpdState.values()) {
            if (owner.states().contains(possible)) {
              int is = bdd.and(rest, possible == last(owner) ? TRUE : group.is(possible));
              rest = bdd.difference(rest, is);
              with = possible == SpdState.NO_POLICY ? with : bdd.or(with, is);
              up = possible == SpdState.UP ? bdd.or(up, is) : up;
            }
          }
        }
        present = with;
        int hit = bdd.and(matching, present);
        asked = bdd.or(asked, hit);
        withoutSa = bdd.or(withoutSa, bdd.difference(hit, up));
        int number = numbers.getOrDefault(name, 0);
        for (int i = 0; i < tunnel.length; i++) {
          if ((number >> (tunnel.length - 1 - i) & 1) == 1) {
            tunnel[i] = bdd.or(tunnel[i], hit);
          }
        }
      }
      int hit = bdd.and(matching, present);
      if (policy.action() == PolicyAction.BLOCK) {
        blocked = bdd.or(blocked, hit);
      } else if (policy.action() == PolicyAction.BYPASS) {
        bypassed = bdd.or(bypassed, hit);
      }
      left = bdd.difference(left, hit);
      if (hit != FALSE) {
        deciders.merge(policy, hit, bdd::or);
      }
    }
    boolean closed = host.blockedByDefault().contains(direction);
    return new Result(
        closed ? FALSE : left,
        bypassed,
        closed ? bdd.or(blocked, left) : blocked,
        closed ? left : FALSE,
        asked,
        withoutSa,
        Field.of(tunnel),
        deciders);
  }

  /** What of the variables spells no state of the tunnel stands for its last one. */
  private static SpdState last(Tunnel tunnel) {
    return tunnel.states().stream().max(Comparator.naturalOrder()).orElseThrow();
  }

  Tunnel owner(String name) {
    return owners.computeIfAbsent(name, Tunnel::anyState);
  }

  private Map<String, Integer> selectors(List<Policy> asking, int[] selected) {
    Map<String, Integer> selectors = new LinkedHashMap<>();
    for (int at = 0; at < selected.length; at++) {
      int set = selected[at];
      asking.get(at).tunnel().ifPresent(name -> selectors.merge(name, set, bdd::or));
    }
    return selectors;
  }

  private Group group(List<Group> groups, int selectors, String place) {
    for (Group group : groups) {
      if (bdd.and(group.selectors, selectors) == FALSE) {
        group.selectors = bdd.or(group.selectors, selectors);
        return group;
      }
    }
    Group group = new Group(place);
    group.selectors = selectors;
    groups.add(group);
    return group;
  }

  private int selects(Policy policy, State state) {
    if (policy.interfaceId() != 0) {
      // The look-up of an ordinary route carries no interface id (xfrm_policy_match).
      return FALSE;
    }
    int all = state.destination.in(bdd, IntervalSet.of(policy.destination()));
    all = bdd.and(all, state.source.in(bdd, IntervalSet.of(policy.source())));
    if (policy.protocol().isPresent()) {
      all = bdd.and(all, space.protocol(policy.protocol().getAsInt()));
    }
    // xfrm puts ICMP's type and code where others have ports (decode_session4).
    int icmp = space.protocol(space.family() == io.gatehouse.model.Family.V4 ? 1 : 58);
    if (policy.sourcePorts().isPresent()) {
      all = bdd.and(all, port(policy.sourcePorts(), state.sourcePort, space.icmpType, icmp));
    }
    if (policy.destinationPorts().isPresent()) {
      all =
          bdd.and(
              all, port(policy.destinationPorts(), state.destinationPort, space.icmpCode, icmp));
    }
    if (policy.mark().isPresent()) {
      Field masked =
          state.mark.combine(bdd, Field.constant(32, policy.mark().get().mask()), bdd::and);
      all = bdd.and(all, masked.in(bdd, IntervalSet.of(policy.mark().get().value())));
    }
    return all;
  }

  private int port(Optional<PortRange> ports, Field port, int[] icmpField, int icmp) {
    IntervalSet set =
        ports.map(p -> IntervalSet.of(p.first(), p.last())).orElse(IntervalSet.of(0, 65535));
    Field field = port.assign(bdd, icmp, Field.of(icmpField).resized(16));
    return field.in(bdd, set);
  }
}
