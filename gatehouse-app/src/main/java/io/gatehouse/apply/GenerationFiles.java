package io.gatehouse.apply;

import static java.util.function.Predicate.not;
import static java.util.stream.Collectors.joining;
import static java.util.stream.Collectors.toSet;

import io.gatehouse.model.Family;
import io.gatehouse.ruleset.IpText;
import io.gatehouse.ruleset.NftSet;
import io.gatehouse.ruleset.NftText;
import io.gatehouse.ruleset.Routing;
import io.gatehouse.ruleset.Ruleset;
import io.gatehouse.ruleset.Sysctl;
import io.gatehouse.ruleset.Table;
import io.gatehouse.ruleset.XfrmPolicy;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Stream;

/**
 * The files of a generation, as {@code hand.sh} reads them.
 *
 * <pre>
 * meta             version, number, the generation before, names, hash
 * description      what was asked for, as it was written
 * redo.*  undo.*   ip -batch and settings, there and back
 * fence.nft        only what the new rules accept too
 * final.nft        the new rules instead of the old ones, fence gone; back.nft the other way
 * fence-back.nft   the same for the way back; unfence.nft; whole-back.nft where nothing is left of ours
 * sysctl           key, value before, value after; base: key, value before us at all
 * conntrack        connections that keep an old address translation
 * booted           the generation that a boot loaded before this one; hand.sh writes it
 * table.nft shape refill.nft policies wishes   for the next change, for boot and for status
 * boot/            the files that a boot puts in the place of these: nothing stands then
 * </pre>
 */
final class GenerationFiles {
  private static final int VERSION = 1;

  private final Map<String, String> files = new LinkedHashMap<>();
  private final int number;
  private final Optional<Ruleset> wanted;
  private final Optional<Generation> before;
  private final Tags was;
  private final Tags tags;
  private final Change change;

  private GenerationFiles(int number, Planned planned) {
    this.number = number;
    wanted = planned.wanted();
    before = planned.before();
    was = planned.was();
    tags = planned.tags();
    change = planned.change();
  }

  /**
   * All of them.
   *
   * @param conntrack arguments of {@code conntrack -D}, a line for each connection
   * @param description the text that the ruleset was compiled from
   * @param about further lines of {@code meta}
   */
  static Map<String, String> of(
      int number,
      Planned planned,
      List<String> conntrack,
      String description,
      Map<String, String> about) {
    GenerationFiles made = new GenerationFiles(number, planned);
    made.nft(planned.standing().shape(planned.before()));
    made.routing();
    made.settings();
    made.files.put("hand.sh", Hand.script());
    made.files.put("undo.sh", made.shortcut("undo"));
    made.files.put("redo.sh", made.shortcut("redo"));
    made.files.put("description", description);
    made.files.put("conntrack", conntrack.stream().map(line -> line + "\n").collect(joining()));
    made.files.put("wishes", made.wanted.map(GenerationFiles::wishes).orElse(""));
    made.files.put("meta", made.meta(made.before.map(Generation::number).orElse(0), about));
    made.wanted.ifPresent(ruleset -> made.boot(ruleset, about));
    return made.files;
  }

  /** For people: the script finds its state above its own place. */
  private String shortcut(String verb) {
    return """
    #!/bin/sh
    # %s generation %d by hand, without Java.
    here=$(CDPATH='' cd -- "${0%%/*}" && pwd) || exit 1
    run=$(sed -n 's/^run //p' "$here/meta")
    GATEHOUSE_STATE=${here%%/generations/*} GATEHOUSE_RUN=${run:-/run/gatehouse} exec sh "$here/hand.sh" %s %d
    """
        .formatted(verb, number, verb, number);
  }

  private String meta(int from, Map<String, String> about) {
    Map<String, String> lines = new LinkedHashMap<>();
    lines.put("version", Integer.toString(VERSION));
    lines.put("generation", Integer.toString(number));
    lines.put("from", Integer.toString(from));
    lines.put("empty", wanted.isEmpty() ? "yes" : "no");
    lines.put("backstop", Long.toString(tags.backstop()));
    lines.put("backstop-before", Long.toString(was.backstop()));
    lines.put("protocol", Integer.toString(tags.protocol()));
    // What other people's chains must let through, for those who look later.
    wanted.ifPresent(ruleset -> {
      lines.put("inside", String.join(" ", Ways.devices(ruleset, "inside")));
      lines.put("tunnels", Ways.far(ruleset).isEmpty() ? "no" : "yes");
    });
    lines.putAll(about);
    return lines.entrySet().stream()
        .map(e -> e.getKey() + " " + e.getValue() + "\n")
        .collect(joining());
  }

  static Optional<Table> table(Ruleset ruleset) {
    return ruleset.tables().stream()
        .filter(table -> table.family().equals("inet") && table.name().equals(NftScripts.TABLE))
        .findFirst();
  }

  private void nft(Shape standing) {
    Optional<Table> table =
        wanted.flatMap(GenerationFiles::table).map(t -> NftScripts.marked(t, number));
    Shape shape = table.map(Shape::of).orElse(Shape.NOTHING);
    String whole = table.map(NftText::of).orElse("");
    String refill =
        table
            .filter(t -> t.sets().stream().anyMatch(NftSet::isLive))
            .map(t -> NftText.of(NftScripts.withoutLive(t)))
            .orElse(whole); // of ten thousand peers a text of five megabytes
    files.put("shape", shape.text());
    files.put("table.nft", whole);
    files.put("refill.nft", refill);
    files.put("fence.nft", NftScripts.fence(table));
    files.put(
        "final.nft",
        table
            .map(t -> NftScripts.replace(standing, shape, refill + initial(t, standing, shape)))
            .orElse(NftScripts.REMOVE));
    files.put("unfence.nft", NftScripts.UNFENCE);
    Optional<Generation> back = before.filter(generation -> !generation.isEmpty());
    files.put(
        "fence-back.nft",
        back.map(g -> g.text("fence.nft")).orElseGet(() -> NftScripts.fence(Optional.empty())));
    files.put(
        "back.nft",
        back.map(g -> NftScripts.replace(shape, g.shape(), g.text("refill.nft")))
            .orElse(NftScripts.REMOVE));
    files.put("whole-back.nft", NftScripts.REMOVE + back.map(g -> g.text("table.nft")).orElse(""));
  }

  /** What compile puts into live sets that are new; the others have their own contents. */
  private static String initial(Table table, Shape standing, Shape next) {
    List<String> kept = standing.kept(next);
    List<NftSet> fresh =
        table.sets().stream()
            .filter(NftSet::isLive)
            .filter(set -> !kept.contains(set.name()) && !set.elements().isEmpty())
            .toList();
    return fresh.isEmpty()
        ? ""
        : NftText.of(new Table(table.family(), table.name(), fresh, List.of()));
  }

  private void routing() {
    for (Family family : Family.values()) {
      files.put("redo." + file(family), batch(change.removed(), was, change.added(), tags, family));
      files.put("undo." + file(family), batch(change.added(), tags, change.removed(), was, family));
    }
    files.put("redo.xfrm", policies(change.policiesRemoved(), change.policiesAdded()));
    files.put("undo.xfrm", policies(change.policiesAdded(), change.policiesRemoved()));
    files.put(
        "policies",
        wanted.map(Ruleset::backstop).orElse(List.of()).stream()
            .map(IpText::add)
            .filter(text -> !change.policiesLeft().contains(text))
            .distinct()
            .map(text -> text + "\n")
            .collect(joining()));
  }

  private static String file(Family family) {
    return family == Family.V4 ? "ip4" : "ip6";
  }

  private static String batch(
      List<? extends Routing> removed,
      Tags theirs,
      List<? extends Routing> added,
      Tags tags,
      Family family) {
    // What refers to a route ends before it and begins after it.
    Stream<String> deletes =
        removed.reversed().stream()
            .filter(e -> Entries.family(e) == family)
            .map(e -> IpText.delete(e, theirs.protocol()));
    Stream<String> adds =
        added.stream()
            .filter(e -> Entries.family(e) == family)
            .map(e -> IpText.add(e, tags.protocol()));
    return Stream.concat(deletes, adds).map(line -> line + "\n").collect(joining());
  }

  /**
   * What is blocked before and after is so meanwhile: additions first where the kernel has room.
   */
  private static String policies(List<XfrmPolicy> removed, List<XfrmPolicy> added) {
    Set<String> occupied = removed.stream().map(Entries::selector).collect(toSet());
    Predicate<XfrmPolicy> inPlace = policy -> occupied.contains(Entries.selector(policy));
    return Stream.of(
            added.stream().filter(not(inPlace)).map(IpText::add),
            removed.stream().map(IpText::delete),
            added.stream().filter(inPlace).map(IpText::add))
        .flatMap(lines -> lines)
        .map(line -> line + "\n")
        .collect(joining());
  }

  private void settings() {
    List<SysctlPlan.Value> values = change.settings().values();
    files.put(
        "redo.sysctl",
        values.stream().map(v -> v.key() + " " + v.after() + "\n").collect(joining()));
    files.put(
        "sysctl",
        values.stream()
            .map(v -> v.key() + " " + v.before() + " " + v.after() + "\n")
            .collect(joining()));
    files.put(
        "base",
        change.settings().base().entrySet().stream()
            .sorted(Map.Entry.comparingByKey())
            .map(e -> e.getKey() + " " + e.getValue() + "\n")
            .collect(joining()));
    files.put(
        "sysctl.patterns",
        String.join(
                "\n",
                SysctlPlan.affected(
                    wanted.map(Ruleset::sysctls).orElse(List.of()).stream()
                        .map(Sysctl::key)
                        .toList()))
            + "\n");
  }

  /**
   * Everything that a ruleset asks for, as one text: the same for the same ruleset in every
   * process.
   */
  static String text(Ruleset ruleset) {
    return table(ruleset).map(NftText::of).orElse("") + wishes(ruleset);
  }

  private static List<Routing> all(Ruleset ruleset) {
    List<Routing> all = new ArrayList<>(ruleset.routes());
    all.addAll(ruleset.rules());
    all.addAll(ruleset.neighbours());
    return all;
  }

  private void boot(Ruleset ruleset, Map<String, String> about) {
    List<Routing> all = all(ruleset);
    for (Family family : Family.values()) {
      files.put("boot/redo." + file(family), batch(List.of(), tags, all, tags, family));
      files.put("boot/undo." + file(family), batch(all, tags, List.of(), tags, family));
    }
    files.put("boot/redo.xfrm", policies(List.of(), ruleset.backstop()));
    files.put("boot/undo.xfrm", policies(ruleset.backstop(), List.of()));
    files.put(
        "boot/policies",
        ruleset.backstop().stream().map(p -> IpText.add(p) + "\n").distinct().collect(joining()));
    files.put(
        "boot/redo.sysctl",
        ruleset.sysctls().stream().map(s -> s.key() + " " + s.value() + "\n").collect(joining()));
    files.put("boot/final.nft", NftScripts.REMOVE + files.get("table.nft"));
    files.put("boot/back.nft", NftScripts.REMOVE);
    files.put("boot/whole-back.nft", NftScripts.REMOVE);
    files.put("boot/fence-back.nft", NftScripts.fence(Optional.empty()));
    files.put("boot/conntrack", "");
    files.put("boot/meta", meta(0, about));
  }

  private static String wishes(Ruleset ruleset) {
    Stream<Wish> routing =
        all(ruleset).stream()
            .map(entry ->
                new Wish(
                    switch (entry) {
                      case Routing.Policy policy -> Wish.Kind.RULE;
                      case Routing.Route route -> Wish.Kind.ROUTE;
                      case Routing.ProxyNeighbour neighbour -> Wish.Kind.NEIGHBOUR;
                    },
                    Entries.named(entry),
                    entry.origin().place()));
    Stream<Wish> policies =
        ruleset.backstop().stream()
            .map(p -> new Wish(Wish.Kind.POLICY, IpText.add(p), p.origin().place()));
    Stream<Wish> settings =
        ruleset.sysctls().stream()
            .map(s -> new Wish(Wish.Kind.SYSCTL, s.key() + " " + s.value(), s.origin().place()));
    return Stream.of(routing, policies, settings)
        .flatMap(wishes -> wishes)
        .distinct()
        .map(Wish::line)
        .collect(joining());
  }
}
