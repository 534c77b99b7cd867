package io.gatehouse.apply;

import io.gatehouse.model.Origin;
import io.gatehouse.ruleset.IpText;
import io.gatehouse.ruleset.Routing;
import io.gatehouse.ruleset.Ruleset;
import io.gatehouse.ruleset.XfrmPolicy;
import io.gatehouse.snapshot.Seen;
import io.gatehouse.snapshot.Snapshot;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Stream;

/**
 * The way from what stands to a ruleset, computed before anything is touched. Only entries of ours
 * are removed: those with our protocol number, and policies that the generation before has put
 * there.
 *
 * @param removed entries of ours that nobody wants any more
 * @param added entries that are wanted and not there
 * @param policiesRemoved likewise
 * @param policiesAdded likewise
 * @param policiesLeft texts of policies that are wanted, and stand already as somebody else's
 * @param settings kernel settings
 * @param conflicts why it cannot be done: somebody else's entry stands where ours is to go
 * @param remarks what is left out or stands already, for the reader
 */
record Change(
    List<Routing> removed,
    List<Routing> added,
    List<XfrmPolicy> policiesRemoved,
    List<XfrmPolicy> policiesAdded,
    Set<String> policiesLeft,
    SysctlPlan settings,
    List<String> conflicts,
    List<String> remarks) {

  Change {
    removed = List.copyOf(removed);
    added = List.copyOf(added);
    policiesRemoved = List.copyOf(policiesRemoved);
    policiesAdded = List.copyOf(policiesAdded);
    policiesLeft = Set.copyOf(policiesLeft);
    conflicts = List.copyOf(conflicts);
    remarks = List.copyOf(remarks);
  }

  /**
   * Computes it.
   *
   * @param wanted nothing for the host as it was before us
   * @param before the generation that stands, if one does
   * @param was what entries of ours carry that stand
   * @param tags what the new ones will carry
   * @param sysctls the trees that {@link #trees} names, as read
   */
  static Change of(
      Snapshot snapshot,
      Optional<Ruleset> wanted,
      Optional<Generation> before,
      Tags was,
      Tags tags,
      Map<String, String> sysctls) {
    List<String> conflicts = new ArrayList<>();
    List<String> remarks = new ArrayList<>();
    Difference difference =
        new Difference(
            snapshot, was.protocol(), tags.protocol(), lives(wanted, before), conflicts, remarks);
    wanted.ifPresent(difference::want);
    List<XfrmPolicy> policiesRemoved = new ArrayList<>();
    List<XfrmPolicy> policiesAdded = new ArrayList<>();
    Set<String> policiesLeft = new LinkedHashSet<>();
    policies(
        snapshot, wanted, before, policiesRemoved, policiesAdded, policiesLeft, conflicts, remarks);
    SysctlPlan settings =
        SysctlPlan.of(
            wanted.map(Ruleset::sysctls).orElse(List.of()),
            sysctls,
            before.map(Generation::base).orElse(Map.of()),
            before.map(Generation::left).orElse(Map.of()));
    settings
        .absent()
        .forEach(sysctl ->
            remarks.add(
                sysctl.key()
                    + " is not there: waits for its device ("
                    + sysctl.origin().place()
                    + ")"));
    return new Change(
        difference.removed(),
        difference.added,
        policiesRemoved,
        policiesAdded,
        policiesLeft,
        settings,
        conflicts,
        remarks);
  }

  /**
   * Which of our proxy neighbours are left as they are: those that no generation asked for by name.
   * The daemon answers for clients while their tunnels are up, and takes away what it answers for
   * no more; only where nothing of ours is to stand, they go too.
   */
  private static Predicate<String> lives(Optional<Ruleset> wanted, Optional<Generation> before) {
    if (wanted.isEmpty()) {
      return body -> false;
    }
    Set<String> asked = new LinkedHashSet<>();
    before.ifPresent(generation ->
        generation.wishes().stream()
            .filter(wish -> wish.kind() == Wish.Kind.NEIGHBOUR)
            .forEach(wish -> asked.add(wish.body())));
    return body -> !asked.contains(body);
  }

  /** The settings that have to be read for {@link #of}. */
  static List<String> trees(Optional<Ruleset> wanted, Optional<Generation> before) {
    Set<String> keys = new LinkedHashSet<>();
    wanted.ifPresent(ruleset -> ruleset.sysctls().forEach(sysctl -> keys.add(sysctl.key())));
    before.ifPresent(generation -> keys.addAll(generation.base().keySet()));
    List<String> trees = new ArrayList<>(SysctlPlan.affected(keys));
    trees.addAll(keys);
    return trees;
  }

  /** Compares wanted routing with what stands. */
  private static final class Difference {
    private final Snapshot snapshot;
    private final int was;
    private final int protocol;
    private final Predicate<String> lives;
    private final List<String> conflicts;
    private final List<String> remarks;
    private final Map<String, Routing> ours = new LinkedHashMap<>();
    private final Set<String> theirs = new LinkedHashSet<>();
    private final Map<String, String> theirRoutes = new LinkedHashMap<>();
    private final Set<String> wantedBodies = new LinkedHashSet<>();
    private final List<Routing> added = new ArrayList<>();

    /**
     * @param was what entries of ours carry that stand
     * @param protocol what new ones will carry; whatever carries it already, where it is another,
     *     is not ours
     * @param lives which of ours come and go by themselves, by their texts
     */
    Difference(
        Snapshot snapshot,
        int was,
        int protocol,
        Predicate<String> lives,
        List<String> conflicts,
        List<String> remarks) {
      this.snapshot = snapshot;
      this.was = was;
      this.protocol = protocol;
      this.lives = lives;
      this.conflicts = conflicts;
      this.remarks = remarks;
      Origin origin = Origin.builtIn("read back");
      // In the order of adding: what is removed goes the other way round.
      snapshot.routes().forEach(route -> note(route, route.protocol(), origin));
      snapshot.rules().forEach(rule -> note(rule, rule.protocol(), origin));
      snapshot.neighbours().forEach(neighbour -> note(neighbour, neighbour.protocol(), origin));
    }

    private void note(Seen seen, int owner, Origin origin) {
      boolean our = owner == was;
      Optional<Routing> entry = Entries.like(seen, origin);
      entry.ifPresent(e -> {
        if (our) {
          ours.put(Entries.named(e), e);
        } else {
          theirs.add(Entries.named(e));
        }
      });
      if (!our && seen instanceof Seen.Route route) {
        theirRoutes.put(Entries.key(route), entry.map(Entries::body).orElse("another route"));
      }
    }

    void want(Ruleset ruleset) {
      Stream.of(ruleset.routes(), ruleset.rules(), ruleset.neighbours())
          .flatMap(List::stream)
          .forEach(this::want);
    }

    private void want(Routing entry) {
      String text = Entries.named(entry);
      // With another number it is another entry: the old one goes, the new one comes.
      if (!wantedBodies.add(text) || (was == protocol && ours.containsKey(text))) {
        return;
      }
      // The kernel keeps rules of two owners side by side, but no routes and neighbours.
      if (!(entry instanceof Routing.Policy) && theirs.contains(text)) {
        remarks.add(Entries.body(entry) + " stands already, somebody else's: left to them");
        return;
      }
      if (entry instanceof Routing.Route route && theirRoutes.containsKey(Entries.key(route))) {
        conflicts.add(
            "%s: the route %s cannot be added, somebody else's %s has its place"
                .formatted(
                    entry.origin().place(),
                    Entries.body(entry),
                    theirRoutes.get(Entries.key(route))));
        return;
      }
      Optional<String> device = device(entry);
      if (device.isPresent() && !snapshot.isUp(device.get())) {
        remarks.add(
            "%s: %s is not up, so %s waits for it"
                .formatted(entry.origin().place(), device.get(), Entries.body(entry)));
        return;
      }
      added.add(entry);
    }

    private static Optional<String> device(Routing entry) {
      return switch (entry) {
        case Routing.Policy policy -> Optional.empty();
        case Routing.Route route ->
            route.kind() instanceof Routing.Kind.Via via
                ? Optional.of(via.device())
                : Optional.empty();
        case Routing.ProxyNeighbour neighbour -> Optional.of(neighbour.device());
      };
    }

    List<Routing> removed() {
      return ours.entrySet().stream()
          .filter(entry ->
              was != protocol
                  || !(entry.getValue() instanceof Routing.ProxyNeighbour)
                  || !lives.test(entry.getKey()))
          .filter(entry -> was != protocol || !wantedBodies.contains(entry.getKey()))
          .map(Map.Entry::getValue)
          .toList();
    }
  }

  private static void policies(
      Snapshot snapshot,
      Optional<Ruleset> wanted,
      Optional<Generation> before,
      List<XfrmPolicy> removed,
      List<XfrmPolicy> added,
      Set<String> left,
      List<String> conflicts,
      List<String> remarks) {
    Origin origin = Origin.builtIn("read back");
    // Policies carry no owner: ours are those that we remember, exactly.
    Set<String> remembered = new LinkedHashSet<>();
    before.ifPresent(generation -> generation.text("policies").lines().forEach(remembered::add));
    List<XfrmPolicy> wishes = wanted.map(Ruleset::backstop).orElse(List.of());
    Set<String> wantedTexts = new LinkedHashSet<>();
    wishes.forEach(policy -> wantedTexts.add(IpText.add(policy)));
    Map<String, XfrmPolicy> standing = new LinkedHashMap<>();
    Set<String> occupied = new LinkedHashSet<>();
    Set<String> open = new LinkedHashSet<>();
    for (Seen.Policy seen : snapshot.policies()) {
      XfrmPolicy policy = Entries.like(seen, origin);
      String text = IpText.add(policy);
      if (seen.plain()) {
        standing.put(text, policy);
      }
      if (seen.plain() && remembered.contains(text) && !wantedTexts.contains(text)) {
        // It makes room for ours of the same selector, with another priority or action.
        removed.add(policy);
      } else if (seen.byAddresses()) {
        occupied.add(Entries.selector(policy));
        if (!policy.block()) {
          open.add(Entries.selector(policy));
        }
      }
    }
    Set<String> met = new LinkedHashSet<>();
    for (XfrmPolicy policy : wishes) {
      String text = IpText.add(policy);
      if (!met.add(text)) {
        continue;
      }
      if (standing.containsKey(text)) {
        if (!remembered.contains(text)) {
          left.add(text);
        }
        continue;
      }
      if (open.contains(Entries.selector(policy))) {
        // What was proved rests on ours: when the other one goes, nothing would hold the packets.
        conflicts.add(
            "%s: our backstop (%s) cannot be added, somebody else's policy has its place"
                .formatted(policy.origin().place(), Entries.selector(policy)));
        continue;
      }
      if (occupied.contains(Entries.selector(policy))) {
        left.add(text);
        remarks.add(
            "%s: a policy of somebody else's has the selector of our backstop (%s); ours is left out"
                .formatted(policy.origin().place(), Entries.selector(policy)));
        continue;
      }
      added.add(policy);
    }
  }

  /** Whether the kernel has everything beside nftables already. */
  boolean changesNothing() {
    return removed.isEmpty()
        && added.isEmpty()
        && policiesRemoved.isEmpty()
        && policiesAdded.isEmpty()
        && settings.changes().isEmpty();
  }
}
