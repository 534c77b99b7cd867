package io.gatehouse.compile;

import io.gatehouse.model.Origin;
import io.gatehouse.model.PortRange;
import io.gatehouse.model.Prefix;
import io.gatehouse.model.Service;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Something that may be reached, resolved to addresses. Grants form an algebra: what two classes of
 * clients have in common is again a list of grants.
 *
 * @param services empty means everything there
 */
record Grant(Target target, List<Service> services, Origin origin) {
  /** Where a grant leads; targets of different kinds have no address in common. */
  sealed interface Target {
    /** The word that names it, in sets and comments. */
    String name();

    /** A network of ours, or a part of one, behind its device. */
    record Near(String name, String device, List<Prefix> prefixes) implements Target {
      public Near {
        prefixes = List.copyOf(prefixes);
      }
    }

    /** The other end of a tunnel. */
    record Far(String name, List<Prefix> prefixes) implements Target {
      public Far {
        prefixes = List.copyOf(prefixes);
      }
    }

    /** Everything outside that is not ours. */
    record World() implements Target {
      @Override
      public String name() {
        return "internet";
      }
    }
  }

  Grant {
    services = List.copyOf(services);
  }

  /** What both lists allow, computed pairwise. */
  static List<Grant> common(List<Grant> some, List<Grant> others) {
    List<Grant> common = new ArrayList<>();
    for (Grant a : some) {
      for (Grant b : others) {
        Optional<Target> target = common(a.target, b.target);
        Optional<List<Service>> services = commonServices(a.services, b.services);
        if (target.isPresent() && services.isPresent()) {
          common.add(new Grant(target.get(), services.get(), a.origin));
        }
      }
    }
    return withoutCovered(common);
  }

  /** Without grants that another one makes idle. */
  private static List<Grant> withoutCovered(List<Grant> grants) {
    List<Grant> kept = new ArrayList<>();
    for (Grant grant : grants) {
      if (kept.stream().noneMatch(other -> other.covers(grant))) {
        kept.removeIf(grant::covers);
        kept.add(grant);
      }
    }
    return kept;
  }

  /** Whether everything that the other one allows is allowed by this one alone. */
  boolean covers(Grant other) {
    boolean place =
        switch (target) {
          case Target.World world -> other.target instanceof Target.World;
          case Target.Near near ->
              other.target instanceof Target.Near theirs
                  && near.device.equals(theirs.device)
                  && cover(near.prefixes, theirs.prefixes);
          case Target.Far far ->
              other.target instanceof Target.Far theirs && cover(far.prefixes, theirs.prefixes);
        };
    return place && coverServices(services, other.services);
  }

  private static boolean cover(List<Prefix> around, List<Prefix> within) {
    return within.stream().allMatch(w -> around.stream().anyMatch(a -> a.contains(w)));
  }

  private static Optional<Target> common(Target a, Target b) {
    if (a.equals(b)) {
      return Optional.of(a);
    }
    if (a instanceof Target.Near one
        && b instanceof Target.Near two
        && one.device.equals(two.device)) {
      List<Prefix> prefixes = commonPrefixes(one.prefixes, two.prefixes);
      return prefixes.isEmpty()
          ? Optional.empty()
          : Optional.of(
              new Target.Near(
                  name(one, two, one.prefixes, two.prefixes, prefixes), one.device, prefixes));
    }
    if (a instanceof Target.Far one && b instanceof Target.Far two) {
      List<Prefix> prefixes = commonPrefixes(one.prefixes, two.prefixes);
      return prefixes.isEmpty()
          ? Optional.empty()
          : Optional.of(
              new Target.Far(name(one, two, one.prefixes, two.prefixes, prefixes), prefixes));
    }
    return Optional.empty();
  }

  /** The name of the one that lies in the other; a name of their own for what is neither. */
  private static String name(
      Target one, Target two, List<Prefix> ones, List<Prefix> twos, List<Prefix> both) {
    return both.equals(ones)
        ? one.name()
        : both.equals(twos) ? two.name() : one.name() + "." + two.name();
  }

  private static List<Prefix> commonPrefixes(List<Prefix> some, List<Prefix> others) {
    return some.stream()
        .flatMap(
            a -> others.stream().filter(a::overlaps).map(b -> a.length() >= b.length() ? a : b))
        .distinct()
        .sorted()
        .toList();
  }

  /**
   * The services in both lists; nothing where there is none, an empty list where both are
   * everything.
   */
  static Optional<List<Service>> commonServices(List<Service> some, List<Service> others) {
    if (some.isEmpty() || others.isEmpty()) {
      return Optional.of(some.isEmpty() ? others : some);
    }
    List<Service> common = new ArrayList<>();
    for (Service a : some) {
      for (Service b : others) {
        common(a, b).filter(both -> !common.contains(both)).ifPresent(common::add);
      }
    }
    return common.isEmpty() ? Optional.empty() : Optional.of(List.copyOf(common));
  }

  private static Optional<Service> common(Service a, Service b) {
    if (a.protocol() != b.protocol()) {
      return Optional.empty();
    }
    if (a.ports().isEmpty() || b.ports().isEmpty()) {
      return Optional.of(a.ports().isEmpty() ? b : a);
    }
    int first = Math.max(a.ports().get().first(), b.ports().get().first());
    int last = Math.min(a.ports().get().last(), b.ports().get().last());
    return first > last
        ? Optional.empty()
        : Optional.of(new Service(a.protocol(), Optional.of(new PortRange(first, last))));
  }

  private static boolean coverServices(List<Service> around, List<Service> within) {
    return around.isEmpty()
        || (!within.isEmpty()
            && within.stream()
                .allMatch(w ->
                    around.stream()
                        .anyMatch(a ->
                            a.protocol() == w.protocol()
                                && (a.ports().isEmpty()
                                    || (w.ports().isPresent()
                                        && a.ports().get().contains(w.ports().get()))))));
  }
}
