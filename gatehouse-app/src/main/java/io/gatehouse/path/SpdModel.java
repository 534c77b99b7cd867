package io.gatehouse.path;

import static io.gatehouse.bdd.Bdd.FALSE;
import static io.gatehouse.bdd.Bdd.TRUE;

import io.gatehouse.bdd.Bdd;
import io.gatehouse.model.PortRange;
import io.gatehouse.model.Prefix;
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
  private final Map<String, Tunnel> owners = new HashMap<>();

  /** Each direction's policies of this family, in the order in which they are asked. */
  private final Map<Direction, List<Run>> policies = new EnumMap<>(Direction.class);

  /**
   * Policies that stand together in the order and do the same: one, those of tunnels of one class,
   * or such without a tunnel. Those of many are about addresses alone.
   *
   * <p>Two of them are the same only where they are one: there may be ten thousands of policies.
   */
  static final class Run {
    record Owner(int number, String name) {}

    /** What the policies of one near side have on the far one. */
    private record Side(Prefix near, List<Prefix> far) {}

    private final List<Policy> policies;
    private final int number;
    private final List<Side> sides;

    /**
     * @param number of the class; 0 without a tunnel
     */
    Run(List<Policy> policies, int number) {
      this.policies = List.copyOf(policies);
      this.number = number;
      sides = policies.size() > 1 ? sides(policies) : List.of();
    }

    private static List<Side> sides(List<Policy> policies) {
      boolean out = policies.getFirst().direction() == Direction.OUT;
      Map<Prefix, List<Prefix>> far = new LinkedHashMap<>();
      for (Policy policy : policies) {
        far.computeIfAbsent(out ? policy.source() : policy.destination(), near -> new ArrayList<>())
            .add(out ? policy.destination() : policy.source());
      }
      return far.entrySet().stream().map(side -> new Side(side.getKey(), side.getValue())).toList();
    }

    List<Policy> policies() {
      return policies;
    }

    int number() {
      return number;
    }

    PolicyAction action() {
      return first().action();
    }

    Policy first() {
      return policies.getFirst();
    }

    boolean isMany() {
      return policies.size() > 1;
    }

    /** Whose SA it asks for: of a class, or of a tunnel that nothing else is known of. */
    Optional<Owner> owner() {
      return first().tunnel().map(name -> new Owner(number, number == 0 ? name : ""));
    }

    Journey.Decider decider() {
      return new Journey.Decider.ByXfrmPolicy(first());
    }
  }

  SpdModel(HeaderSpace space, HostState host) {
    this.space = space;
    this.bdd = space.bdd();
    this.host = host;
    host.tunnels().forEach(tunnel -> owners.putIfAbsent(tunnel.name(), tunnel));
    for (Direction direction : Direction.values()) {
      policies.put(
          direction,
          runs(
              host.policies().stream()
                  .filter(p -> p.direction() == direction && p.source().family() == space.family())
                  .sorted(Comparator.comparingLong(Policy::priority))
                  .toList()));
    }
  }

  private List<Run> runs(List<Policy> ordered) {
    List<Run> runs = new ArrayList<>();
    List<Policy> open = new ArrayList<>();
    int number = 0;
    for (Policy policy : ordered) {
      int next = policy.tunnel().map(space.classes()::number).orElse(0);
      if (!open.isEmpty() && !(next == number && joins(open.getFirst(), policy, number))) {
        runs.add(new Run(List.copyOf(open), number));
        open.clear();
      }
      open.add(policy);
      number = next;
    }
    if (!open.isEmpty()) {
      runs.add(new Run(List.copyOf(open), number));
    }
    return runs;
  }

  private boolean joins(Policy first, Policy policy, int number) {
    return number > 0
        ? space.classes().numbered(number).isMany()
        : first.isAboutAddresses()
            && policy.isAboutAddresses()
            && first.tunnel().isEmpty()
            && policy.tunnel().isEmpty()
            && first.action() == policy.action();
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
   * @param tunnel the number of that tunnel's class, as in a secpath
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
      Map<Run, Integer> deciders) {}

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
    List<Run> asking = policies.getOrDefault(direction, List.of());
    int[] selected = asking.stream().mapToInt(run -> selects(run, state)).toArray();
    Map<Run, Integer> deciders = new LinkedHashMap<>();
    List<Group> groups = new ArrayList<>();
    Map<Run.Owner, Group> groupOf = new LinkedHashMap<>();
    Map<Run.Owner, Integer> selectorsOf = selectors(asking, selected);
    int left = packets;
    int bypassed = FALSE;
    int blocked = FALSE;
    int asked = FALSE;
    int withoutSa = FALSE;
    int[] tunnel = new int[space.secpath.length];
    for (int at = 0; at < selected.length; at++) {
      Run run = asking.get(at);
      int matching = bdd.and(left, selected[at]);
      if (matching == FALSE) {
        continue;
      }
      int present = TRUE;
      if (run.owner().isPresent()) {
        Run.Owner whose = run.owner().get();
        int number = run.number();
        Tunnel owner = owner(run.first().tunnel().get());
        Group group =
            groupOf.computeIfAbsent(
                whose, n -> group(groups, selectorsOf.getOrDefault(n, TRUE), place));
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
        for (int i = 0; i < tunnel.length; i++) {
          if ((number >> (tunnel.length - 1 - i) & 1) == 1) {
            tunnel[i] = bdd.or(tunnel[i], hit);
          }
        }
      }
      int hit = bdd.and(matching, present);
      if (run.action() == PolicyAction.BLOCK) {
        blocked = bdd.or(blocked, hit);
      } else if (run.action() == PolicyAction.BYPASS) {
        bypassed = bdd.or(bypassed, hit);
      }
      left = bdd.difference(left, hit);
      if (hit != FALSE) {
        deciders.merge(run, hit, bdd::or);
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

  private Map<Run.Owner, Integer> selectors(List<Run> asking, int[] selected) {
    Map<Run.Owner, Integer> selectors = new LinkedHashMap<>();
    for (int at = 0; at < selected.length; at++) {
      int set = selected[at];
      asking.get(at).owner().ifPresent(owner -> selectors.merge(owner, set, bdd::or));
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

  private int selects(Run run, State state) {
    if (!run.isMany()) {
      return selects(run.first(), state);
    }
    // About addresses alone (TunnelClasses): one set for each near side.
    boolean out = run.first().direction() == Direction.OUT;
    Field here = out ? state.source : state.destination;
    Field there = out ? state.destination : state.source;
    int all = FALSE;
    for (Run.Side side : run.sides) {
      int near = space.in(here, side.near());
      int some = there.in(bdd, space.addresses().of(side.far()));
      all = bdd.or(all, bdd.and(near, some));
    }
    return all;
  }

  private int selects(Policy policy, State state) {
    if (policy.interfaceId() != 0) {
      // The look-up of an ordinary route carries no interface id (xfrm_policy_match).
      return FALSE;
    }
    int all = space.in(state.destination, policy.destination());
    all = bdd.and(all, space.in(state.source, policy.source()));
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
