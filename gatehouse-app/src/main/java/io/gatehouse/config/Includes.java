package io.gatehouse.config;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/** Reads a description's files and makes one tree of them. */
final class Includes {
  private static final int DEPTH = 8;
  private static final int FILES = 20_000;
  private static final int PATTERNS = 1_000;

  private static final int MIB = 1024 * 1024;

  /** Of all files together: they stay in memory until every problem is told. */
  private static final int BYTES = 64 * MIB;

  /** Of all files together. A description with 10,000 tunnels has about 300,000. */
  private static final int NODES = 1_000_000;

  /** Wildcards of one pattern: each costs another walk over the name. */
  private static final int WILDCARDS = 8;

  private final Source source;
  private final Problems problems;
  private final Tree.Budget budget = new Tree.Budget(NODES);

  /** Every file that was begun, and where it was asked for. */
  private final Map<String, Spot> seen = new HashMap<>();

  private final Deque<String> open = new ArrayDeque<>();

  /** The keys at the top, merged; in the order in which they first came. */
  private final Map<String, Node.Entry> merged = new LinkedHashMap<>();

  private final Shape shape;
  private int files;
  private int asked;
  private long bytes;
  private boolean unread;

  private Includes(Source source, Problems problems) {
    this.source = source;
    this.problems = problems;
    this.shape = new Shape(problems);
  }

  /**
   * All files as one.
   *
   * @param complete whether every file could be read; otherwise names may seem unknown that are not
   */
  record Merged(Node.Mapping root, boolean complete) {}

  static Merged read(String file, Source source, Problems problems) {
    Includes includes = new Includes(source, problems);
    Text nowhere = Text.empty(file, 0);
    Text main = includes.file(file, nowhere.whole()).orElse(nowhere);
    Spot top = new Spot(main, 1, 1, 0, Path.TOP);
    return new Merged(
        new Node.Mapping(List.copyOf(includes.merged.values()), top), !includes.unread);
  }

  private Optional<Text> file(String file, Spot asked) {
    seen.put(normal(file), asked);
    Optional<Text> text = Optional.empty();
    switch (source.read(file, Description.LARGEST_FILE)) {
      case Source.Content.Unreadable unreadable ->
          problems.error(
              asked,
              asked.line() == 0
                  ? "cannot be read: " + unreadable.why()
                  : Quote.of(file) + " cannot be read: " + unreadable.why());
      case Source.Content.Bytes content -> {
        if (content.bytes().remaining() > Description.LARGEST_FILE) {
          problems.error(
              asked,
              Quote.of(file) + " is larger than " + Description.LARGEST_FILE / MIB + " MiB",
              "spread it over several files with `include:`");
        } else if ((bytes += content.bytes().remaining()) > BYTES) {
          problems.error(asked, "the files are larger than " + BYTES / MIB + " MiB together");
        } else {
          text = Text.decode(file, files++, content.bytes(), problems);
        }
      }
    }
    Optional<Node> root = text.flatMap(t -> Tree.parse(t, budget, problems));
    if (root.isEmpty()) {
      unread = true;
    }
    open.push(normal(file));
    root.ifPresent(this::merge);
    open.pop();
    return text;
  }

  private void merge(Node root) {
    if (!(root instanceof Node.Mapping mapping)) {
      problems.error(
          root.spot(),
          "a description is a map of keys, not " + root.kind(),
          "it begins with `version: " + Language.VERSION + "`");
      unread = true;
      return;
    }
    boolean main = open.size() == 1;
    if (main && mapping.entries().isEmpty()) {
      problems.error(
          mapping.spot().text().whole(),
          "nothing is described here",
          "a description begins with `version: " + Language.VERSION + "`");
      unread = true;
      return;
    }
    shape.duplicates(mapping);
    List<Node.Entry> once =
        mapping.entries().stream()
            .collect(
                Collectors.toMap(
                    e -> e.key().text(), e -> e, (first, second) -> first, LinkedHashMap::new))
            .values()
            .stream()
            .toList();
    for (Node.Entry entry : once) {
      if (main || keep(entry)) {
        merged.merge(entry.key().text(), entry, this::together);
      }
    }
    once.stream().filter(e -> e.key().text().equals("include")).forEach(this::include);
  }

  /**
   * What an included file says is a part of the whole: it has no name and no version of its own.
   */
  private boolean keep(Node.Entry entry) {
    return switch (entry.key().text()) {
      case "include" -> false; // followed, not merged
      case "version" -> {
        if (!(entry.value() instanceof Node.Scalar version)
            || !version.text().equals(Language.VERSION)) {
          problems.error(
              entry.value().spot(),
              "an included file has another version",
              "write `version: " + Language.VERSION + "`, or nothing");
        }
        yield false;
      }
      case "gateway" -> {
        problems.error(
            entry.key().spot(),
            "`gateway` belongs into the file that includes this one",
            "leave it out here");
        yield false;
      }
      default -> true;
    };
  }

  /** Two files' maps behind the same key as one; names that both have are told by {@link Shape}. */
  private Node.Entry together(Node.Entry first, Node.Entry second) {
    if (isMissing(second)) {
      return first;
    }
    if (isMissing(first)) {
      return second;
    }
    if (first.value() instanceof Node.Mapping one && second.value() instanceof Node.Mapping two) {
      List<Node.Entry> all;
      if (one.entries() instanceof Growing growing) {
        all = growing; // files are many: copying for each would be quadratic
      } else {
        all = new Growing(one.entries());
      }
      all.addAll(two.entries());
      return new Node.Entry(first.key(), new Node.Mapping(all, one.spot()));
    }
    Node wrong = first.value() instanceof Node.Mapping ? second.value() : first.value();
    String name = first.key().text();
    if (Language.TOP.key(name).isPresent()) {
      problems.error(wrong.spot(), "`" + name + "` takes keys, not " + wrong.kind());
      return first.value() instanceof Node.Mapping ? first : second;
    }
    return first;
  }

  /** A list that is ours to add to. */
  private static final class Growing extends ArrayList<Node.Entry> {
    private static final long serialVersionUID = 1;

    Growing(List<Node.Entry> first) {
      super(first);
    }
  }

  private static boolean isMissing(Node.Entry entry) {
    return entry.value() instanceof Node.Scalar scalar && scalar.isMissing();
  }

  private void include(Node.Entry entry) {
    List<Node> items =
        entry.value() instanceof Node.Sequence sequence ? sequence.items() : List.of(entry.value());
    for (Node item : items) {
      if (item instanceof Node.Scalar pattern && !pattern.isMissing()) {
        include(pattern);
      } else if (open.size() > 1) {
        // Only the first file's own `include` is in the merged tree that Shape sees.
        problems.error(item.spot(), "`include` takes files, not " + item.kind());
      }
    }
  }

  private void include(Node.Scalar pattern) {
    String from = open.element();
    String directory = from.contains("/") ? from.substring(0, from.lastIndexOf('/') + 1) : "";
    String full = pattern.text().startsWith("/") ? pattern.text() : directory + pattern.text();
    if (open.size() > DEPTH) {
      problems.error(pattern.spot(), "files include each other more than " + DEPTH + " deep");
      return;
    }
    if (++asked > PATTERNS) {
      problems.error(pattern.spot(), "more than " + PATTERNS + " items of `include`");
      return;
    }
    if (!isWild(full)) {
      include(normal(full), pattern.spot());
      return;
    }
    if (full.chars().filter(Includes::isWild).count() > WILDCARDS) {
      problems.error(pattern.spot(), "more than " + WILDCARDS + " wildcards in a file's name");
      return;
    }
    List<String> matches = matches(normal(full));
    if (matches.isEmpty()) {
      problems.warning(
          pattern.spot(), "no file matches " + Quote.of(pattern.text()), Optional.empty());
    }
    for (String match : matches) {
      include(match, pattern.spot());
    }
  }

  private void include(String file, Spot asked) {
    if (open.contains(file)) {
      problems.error(
          asked,
          "the files include each other in a circle: " + circle(file),
          "leave one `include` out");
      return;
    }
    Spot before = seen.get(file);
    if (before != null) {
      problems.error(
          asked,
          Quote.of(file) + " is included twice",
          "it is included at " + before.seenFrom(asked) + " already");
      return;
    }
    if (files >= FILES) {
      problems.error(asked, "more than " + FILES + " files");
      return;
    }
    file(file, asked);
  }

  private String circle(String file) {
    List<String> path = new ArrayList<>(open);
    Collections.reverse(path);
    List<String> round = new ArrayList<>(path.subList(path.indexOf(file), path.size()));
    round.add(file);
    return round.stream().map(Quote::bare).collect(Collectors.joining(" → "));
  }

  private static boolean isWild(String name) {
    return name.chars().anyMatch(Includes::isWild);
  }

  private static boolean isWild(int c) {
    return c == '*' || c == '?';
  }

  /**
   * Without `.` and with `..` taken back where a name stands before it, so that one file has one
   * name.
   */
  static String normal(String file) {
    List<String> kept = new ArrayList<>();
    for (String part : file.split("/", -1)) {
      boolean up = part.equals("..") && !kept.isEmpty() && !kept.getLast().equals("..");
      if (up && !isWild(kept.getLast())) {
        kept.removeLast();
      } else if (!part.isEmpty() && !part.equals(".")) {
        kept.add(part);
      }
    }
    return (file.startsWith("/") ? "/" : "") + String.join("/", kept);
  }

  /** The files that a pattern stands for, sorted. */
  private List<String> matches(String pattern) {
    List<String> found = List.of(pattern.startsWith("/") ? "/" : "");
    for (String part : pattern.split("/", -1)) {
      if (part.isEmpty()) {
        continue;
      }
      List<String> next = new ArrayList<>();
      for (String directory : found) {
        String prefix =
            directory.isEmpty() || directory.endsWith("/") ? directory : directory + "/";
        if (!isWild(part)) {
          next.add(prefix + part);
          continue;
        }
        for (String name : source.names(directory)) {
          if (next.size() <= FILES && matches(part, name)) {
            next.add(prefix + name);
          }
        }
      }
      found = next;
    }
    return found.stream().sorted().toList();
  }

  /**
   * Whether `*` (any characters) and `?` (one) make the pattern the name. Names that begin with a
   * dot have to be named so.
   */
  static boolean matches(String pattern, String name) {
    if (name.startsWith(".") && !pattern.startsWith(".")) {
      return false;
    }
    int p = 0;
    int n = 0;
    int star = -1;
    int retry = 0;
    while (n < name.length()) {
      if (p < pattern.length() && pattern.charAt(p) == '*') {
        star = p++;
        retry = n;
      } else if (p < pattern.length()
          && (pattern.charAt(p) == '?' || pattern.charAt(p) == name.charAt(n))) {
        p++;
        n++;
      } else if (star >= 0) {
        p = star + 1;
        n = ++retry;
      } else {
        return false;
      }
    }
    while (p < pattern.length() && pattern.charAt(p) == '*') {
      p++;
    }
    return p == pattern.length();
  }
}
