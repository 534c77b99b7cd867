package io.gatehouse.apply;

import io.gatehouse.model.Origin;
import io.gatehouse.ruleset.IpText;
import io.gatehouse.snapshot.Seen;
import io.gatehouse.snapshot.Snapshot;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** Differences between what the kernel listed when a generation came and what it lists now. */
final class Drift {
  private static final String ELEMENTS = "elements = {";

  private static final Pattern DEVICE = Pattern.compile(" dev (\\S+)");

  private Drift() {}

  /**
   * Compares our table with what a generation brought: rules and declarations as the kernel listed
   * them then, elements as they were asked for.
   *
   * @return a line for each difference; rules name the line that asked for them in their comment
   */
  static List<String> rules(Generation generation, Standing standing) {
    return rules(
        generation.text("seen.nft"),
        generation.text("table.nft"),
        standing.listing(),
        generation.shape());
  }

  /**
   * The same of texts.
   *
   * @param then what the kernel listed; of a set without elements here, those of {@code asked}
   *     count
   * @param shape which sets are live: their contents change all the time
   */
  static List<String> rules(String then, String asked, String now, Shape shape) {
    List<String> lines = new ArrayList<>();
    Map<String, List<String>> before = blocks(then);
    Map<String, List<String>> wanted = blocks(asked);
    Map<String, List<String>> after = blocks(now);
    if (after.isEmpty() && !before.isEmpty()) {
      return List.of("table inet gatehouse is gone: somebody has flushed it");
    }
    before.forEach((name, old) -> {
      List<String> current = after.get(name);
      if (current == null) {
        lines.add(name + " is gone");
      } else if (name.startsWith("chain ")) {
        chain(name, old, current, lines);
      } else {
        boolean terse = old.stream().noneMatch(line -> line.startsWith(ELEMENTS));
        List<String> full = terse ? wanted.getOrDefault(name, old) : old;
        set(name, old, full, current, shape, lines);
      }
    });
    after.keySet().stream()
        .filter(name -> !before.containsKey(name))
        .forEach(name -> lines.add(name + " is not ours"));
    return lines;
  }

  /**
   * Compares what a generation wants beside nftables with what stands.
   *
   * @param settings the values of its settings, as read
   * @param drift gets a line for each difference
   * @param waiting gets what cannot stand, because its device does not
   */
  static void entries(
      List<Wish> wishes,
      Snapshot snapshot,
      Map<String, String> settings,
      Tags tags,
      List<String> drift,
      List<String> waiting) {
    Origin origin = Origin.builtIn("read back");
    Set<String> standing = new TreeSet<>();
    Set<String> ours = new TreeSet<>();
    Stream.of(snapshot.rules(), snapshot.routes(), snapshot.neighbours())
        .flatMap(List::stream)
        .forEach(seen ->
            Entries.like(seen, origin)
                .map(Entries::named)
                .ifPresent(text -> {
                  standing.add(text);
                  // Those that nobody asked for by name are the daemon's: they come and go.
                  if (protocol(seen) == tags.protocol() && !(seen instanceof Seen.ProxyNeighbour)) {
                    ours.add(text);
                  }
                }));
    snapshot.policies().stream()
        .filter(Seen.Policy::plain)
        .forEach(policy -> standing.add(IpText.add(Entries.like(policy, origin))));
    for (Wish wish : wishes) {
      // A rule like ours of somebody else's goes when they do; routes and neighbours are left to
      // them.
      if (wish.kind() == Wish.Kind.SYSCTL) {
        setting(wish, settings, drift, waiting);
      } else if (!(wish.kind() == Wish.Kind.RULE ? ours : standing).contains(wish.body())) {
        boolean waits = device(wish.body()).filter(d -> !snapshot.isUp(d)).isPresent();
        (waits ? waiting : drift).add("lacks: " + wish.body() + " (" + wish.origin() + ")");
      }
    }
    wishes.forEach(wish -> ours.remove(wish.body()));
    ours.forEach(text -> drift.add("has, with our protocol number and not ours: " + text));
  }

  private static int protocol(Seen seen) {
    return switch (seen) {
      case Seen.Rule rule -> rule.protocol();
      case Seen.Route route -> route.protocol();
      case Seen.ProxyNeighbour neighbour -> neighbour.protocol();
      default -> 0;
    };
  }

  private static Optional<String> device(String body) {
    Matcher matcher = DEVICE.matcher(body);
    return matcher.find() ? Optional.of(matcher.group(1)) : Optional.empty();
  }

  private static void setting(
      Wish wish, Map<String, String> settings, List<String> drift, List<String> waiting) {
    String wanted = wish.body().substring(wish.key().length()).strip();
    String value = settings.get(wish.key());
    if (value == null) {
      waiting.add(wish.key() + " is not there (" + wish.origin() + ")");
    } else if (!value.equals(wanted)) {
      drift.add(
          "%s is %s and is to be %s (%s)".formatted(wish.key(), value, wanted, wish.origin()));
    }
  }

  private static void chain(
      String name, List<String> old, List<String> current, List<String> lines) {
    if (old.equals(current)) {
      return;
    }
    List<String> gone = new ArrayList<>(old);
    current.forEach(gone::remove);
    List<String> added = new ArrayList<>(current);
    old.forEach(added::remove);
    gone.forEach(rule -> lines.add(name + " lacks: " + rule));
    added.forEach(rule -> lines.add(name + " has, not ours: " + rule));
    if (gone.isEmpty() && added.isEmpty()) {
      lines.add(name + " has its rules in another order");
    }
  }

  /**
   * @param full the lines that name the elements which are to stand
   */
  private static void set(
      String name,
      List<String> old,
      List<String> full,
      List<String> current,
      Shape shape,
      List<String> lines) {
    if (!declaration(old).equals(declaration(current))) {
      lines.add(name + " is declared otherwise");
      return;
    }
    boolean live =
        shape.set(name.substring(name.indexOf(' ') + 1)).filter(Shape.OfSet::isLive).isPresent();
    if (live) {
      return;
    }
    List<String> wanted = elements(full);
    List<String> there = elements(current);
    if (wanted.equals(there)) {
      return; // in nft's order, both, as a rule
    }
    Set<String> gone = new TreeSet<>(wanted);
    there.forEach(gone::remove);
    Set<String> added = new TreeSet<>(there);
    wanted.forEach(added::remove);
    gone.forEach(element -> lines.add(name + " lacks: " + element));
    added.forEach(element -> lines.add(name + " has, not ours: " + element));
  }

  /** The lines of a set's block before its elements, which come last. */
  private static List<String> declaration(List<String> block) {
    return block.stream().takeWhile(line -> !line.startsWith(ELEMENTS)).toList();
  }

  /** The elements in a set's block, each as it stands between the commas, with single blanks. */
  private static List<String> elements(List<String> block) {
    List<String> elements = new ArrayList<>();
    boolean inside = false;
    for (String line : block) {
      String rest = line;
      if (!inside) {
        if (!line.startsWith(ELEMENTS)) {
          continue;
        }
        inside = true;
        rest = line.substring(ELEMENTS.length());
      }
      int end = rest.indexOf('}');
      for (int from = 0, to = end < 0 ? rest.length() : end; from < to; ) {
        int comma = rest.indexOf(',', from);
        int stop = comma < 0 || comma > to ? to : comma;
        String element = rest.substring(from, stop).strip();
        if (!element.isEmpty()) {
          elements.add(element);
        }
        from = stop + 1;
      }
      if (end >= 0) {
        break;
      }
    }
    return elements;
  }

  /** The lines of each set, map and chain, by its first line. */
  private static Map<String, List<String>> blocks(String listing) {
    Map<String, List<String>> blocks = new LinkedHashMap<>();
    String name = "";
    for (String line : listing.lines().toList()) {
      if (line.startsWith("\t\t")) {
        blocks.computeIfAbsent(name, n -> new ArrayList<>()).add(line.strip());
      } else if (line.startsWith("\t") && line.endsWith("{")) {
        name = line.substring(1, line.length() - 1).strip();
        blocks.put(name, new ArrayList<>());
      }
    }
    return blocks;
  }
}
