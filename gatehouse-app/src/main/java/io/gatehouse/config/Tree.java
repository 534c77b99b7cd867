package io.gatehouse.config;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Pattern;
import org.snakeyaml.engine.v2.api.LoadSettings;
import org.snakeyaml.engine.v2.api.lowlevel.Parse;
import org.snakeyaml.engine.v2.events.AliasEvent;
import org.snakeyaml.engine.v2.events.CollectionStartEvent;
import org.snakeyaml.engine.v2.events.Event;
import org.snakeyaml.engine.v2.events.MappingStartEvent;
import org.snakeyaml.engine.v2.events.NodeEvent;
import org.snakeyaml.engine.v2.events.ScalarEvent;
import org.snakeyaml.engine.v2.exceptions.Mark;
import org.snakeyaml.engine.v2.exceptions.MarkedYamlEngineException;
import org.snakeyaml.engine.v2.exceptions.YamlEngineException;

/**
 * Text to nodes, from the reader's events rather than its nodes: aliases, anchors and tags are
 * refused where they stand, before anything is built from them, and the reader's guesses at types
 * are never asked for.
 */
final class Tree {
  /** The language needs 7. */
  private static final int DEPTH = 16;

  private static final LoadSettings SETTINGS =
      LoadSettings.builder()
          .setCodePointLimit(Integer.MAX_VALUE) // the size is bounded in bytes before
          .setAllowNonScalarKeys(true) // we refuse them in our own words
          .build();

  private static final Pattern BARE_IPV6 =
      Pattern.compile("[\\s\\[{,]:(:|[0-9a-fA-F])|[0-9a-fA-F]::?[\\s\\]},]|[0-9a-fA-F]::?$");

  private final Text text;
  private final Problems problems;
  private final Iterator<Event> events;

  /** Nodes that may still come; files share it. */
  private final Budget budget;

  /** A number that only goes down. */
  static final class Budget {
    private int left;

    Budget(int nodes) {
      this.left = nodes;
    }
  }

  /** Reading ends here; the problem has been told. */
  private static final class Refused extends Exception {
    private static final long serialVersionUID = 1;

    Refused() {
      super(null, null, false, false);
    }
  }

  private Tree(Text text, Budget budget, Problems problems) {
    this.text = text;
    this.budget = budget;
    this.problems = problems;
    this.events = new Parse(SETTINGS).parseString(text.content()).iterator();
  }

  /** The only document of the text. Nothing where it is none; {@code problems} knows why. */
  static Optional<Node> parse(Text text, Budget budget, Problems problems) {
    try {
      return Optional.of(new Tree(text, budget, problems).document());
    } catch (Refused refused) {
      return Optional.empty();
    } catch (MarkedYamlEngineException e) {
      Spot spot =
          e.getProblemMark().map(mark -> spot(text, mark, 1, Path.TOP)).orElse(text.whole());
      problems.error(spot, "not YAML: " + sentence(e), hint(text, spot, e));
      return Optional.empty();
    } catch (YamlEngineException | IndexOutOfBoundsException e) {
      // The second is a fault of the reader; for whoever wrote the file it is a file that cannot be
      // read.
      problems.error(text.whole(), "not YAML");
      return Optional.empty();
    }
  }

  private static String sentence(MarkedYamlEngineException e) {
    String problem = e.getProblem();
    if (problem == null) {
      return "it cannot be understood";
    }
    int aside = problem.indexOf(" (Do not use");
    String first =
        Quote.bare(
            (aside < 0 ? problem : problem.substring(0, aside)).lines().findFirst().orElse(""));
    String context = e.getContext();
    boolean shown = context != null && !context.isEmpty() && !context.contains("next token");
    return shown ? first + ", " + Quote.bare(context) : first.replaceFirst("\\.$", "");
  }

  private static Optional<String> hint(Text text, Spot spot, MarkedYamlEngineException e) {
    String line = text.line(spot.line());
    String problem = e.getProblem() == null ? "" : e.getProblem().toLowerCase(Locale.ROOT);
    if (problem.contains("\\t")) {
      return Optional.of("indent with spaces");
    }
    boolean colon = problem.contains(":") || problem.contains("mapping values");
    if (colon && line.length() < 1000 && BARE_IPV6.matcher(line).find()) {
      return Optional.of(
          "an IPv6 address that begins or ends with a colon needs quotes: \"fd00::\"");
    }
    Optional<Mark> begin = e.getContextMark().filter(mark -> mark.getLine() + 1 < spot.line());
    if (begin.isPresent()) {
      return Optional.of("it begins at line " + (begin.get().getLine() + 1));
    }
    if (problem.contains("mapping values")) {
      return Optional.of("one key to a line, or quotes around a value that has a colon in it");
    }
    return Optional.empty();
  }

  private Node document() throws Refused {
    Node root = new Node.Mapping(List.of(), new Spot(text, 1, 1, 0, Path.TOP));
    boolean seen = false;
    while (events.hasNext()) {
      Event event = events.next();
      switch (event.getEventId()) {
        case DocumentStart -> {
          if (seen) {
            throw refuse(
                spot(event, Path.TOP),
                "a second document begins here",
                "one file holds one description; use `include:`");
          }
          seen = true;
          root = node(events.next(), Path.TOP, 0);
        }
        default -> {}
      }
    }
    return root;
  }

  private Node node(Event event, Path path, int depth) throws Refused {
    Spot spot = spot(event, path);
    if (--budget.left < 0) {
      throw refuse(spot, "the description has too many values", "the limit is a million");
    }
    if (event instanceof AliasEvent) {
      throw refuse(
          spot,
          "aliases are not allowed here: what stands in a place is written there",
          "write the value itself");
    }
    if (event instanceof NodeEvent node && node.getAnchor().isPresent()) {
      throw refuse(
          spot,
          "anchors are not allowed here: what stands in a place is written there",
          "leave out `&" + Quote.bare(node.getAnchor().get().getValue()) + "`");
    }
    if (event instanceof ScalarEvent scalar) {
      if (scalar.getTag().isPresent()) {
        throw refuse(spot, "tags are not allowed here", "leave out the word that begins with `!`");
      }
      return new Node.Scalar(scalar.getValue(), scalar.isPlain(), spot);
    }
    if (!(event instanceof CollectionStartEvent start)) {
      throw refuse(spot, "not YAML: a value was expected", "");
    }
    if (start.getTag().isPresent()) {
      throw refuse(spot, "tags are not allowed here", "leave out the word that begins with `!`");
    }
    if (depth == DEPTH) {
      throw refuse(spot, "nested too deeply", "nothing in a description is deeper than " + DEPTH);
    }
    return event instanceof MappingStartEvent ? mapping(spot, depth) : sequence(spot, depth);
  }

  private Node sequence(Spot spot, int depth) throws Refused {
    List<Node> items = new ArrayList<>();
    Event event = events.next();
    for (; event.getEventId() != Event.ID.SequenceEnd; event = events.next()) {
      items.add(node(event, spot.path().item(items.size()), depth + 1));
    }
    return new Node.Sequence(items, whole(spot, event));
  }

  private Node mapping(Spot spot, int depth) throws Refused {
    List<Node.Entry> entries = new ArrayList<>();
    Event event = events.next();
    for (; event.getEventId() != Event.ID.MappingEnd; event = events.next()) {
      if (!(event instanceof ScalarEvent name)) {
        if (event instanceof AliasEvent) {
          node(event, spot.path(), depth);
        }
        throw refuse(spot(event, spot.path()), "a key is a word, not a list or a map", "");
      }
      Path path = spot.path().key(Quote.bare(name.getValue()));
      if (!(node(event, path, depth + 1) instanceof Node.Scalar key)) {
        throw new IllegalStateException("a scalar event made something else");
      }
      if (key.plain() && key.text().equals("<<")) {
        throw refuse(
            key.spot(),
            "merge keys are not allowed here: what stands in a place is written there",
            "write the keys themselves");
      }
      entries.add(new Node.Entry(key, node(events.next(), path, depth + 1)));
    }
    return new Node.Mapping(entries, whole(spot, event));
  }

  /** A flow collection on one line is marked as a whole; a block's mark has no length. */
  private Spot whole(Spot start, Event end) {
    int length =
        end.getEndMark()
            .filter(mark -> start.length() > 0 && mark.getLine() + 1 == start.line())
            .map(mark -> mark.getColumn() + 1 - start.column())
            .orElse(start.length());
    return new Spot(start.text(), start.line(), start.column(), length, start.path());
  }

  private Refused refuse(Spot spot, String message, String wayOut) {
    problems.error(spot, message, Optional.of(wayOut).filter(w -> !w.isEmpty()));
    return new Refused();
  }

  private Spot spot(Event event, Path path) {
    Mark start = event.getStartMark().orElse(null);
    if (start == null) {
      return text.whole();
    }
    Mark end = event.getEndMark().orElse(start);
    boolean oneLine = end.getLine() == start.getLine();
    return spot(text, start, oneLine ? end.getColumn() - start.getColumn() : 1, path);
  }

  private static Spot spot(Text text, Mark mark, int length, Path path) {
    return new Spot(text, mark.getLine() + 1, mark.getColumn() + 1, length, path);
  }
}
