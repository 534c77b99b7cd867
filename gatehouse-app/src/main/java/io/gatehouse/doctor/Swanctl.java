package io.gatehouse.doctor;

import io.gatehouse.model.Address;
import io.gatehouse.model.Origin;
import io.gatehouse.model.Prefix;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * swanctl.conf: nested sections of settings.
 *
 * @param entries each setting and each section, by its key with its sections, by dots; the first of
 *     several
 */
record Swanctl(Map<String, Entry> entries) {
  private static final Pattern TOKEN =
      Pattern.compile("([^{}=#\\n]+?)?\\s*(?:([{}])|=\\s*([^{}#\\n]*))");

  /** Of a line by hand; the pattern takes time with its square. */
  private static final int LONGEST = 4096;

  private static final Pattern CONNECTION = Pattern.compile("connections\\.([^.]+)");

  private static final Pattern CHILD =
      Pattern.compile("connections\\.([^.]+)\\.children\\.([^.]+)");

  Swanctl {
    entries = Collections.unmodifiableMap(new LinkedHashMap<>(entries));
  }

  /**
   * A setting.
   *
   * @param value empty for a section
   * @param line 1-based
   */
  record Entry(String value, int line) {}

  /** Lines that are none of such a file are left out. */
  static Swanctl read(String text) {
    Map<String, Entry> entries = new LinkedHashMap<>();
    Deque<String> sections = new ArrayDeque<>();
    int number = 0;
    for (String line : (Iterable<String>) text.lines()::iterator) {
      number++;
      if (line.length() > LONGEST) {
        continue;
      }
      int comment = line.indexOf('#');
      Matcher matcher = TOKEN.matcher(comment < 0 ? line : line.substring(0, comment));
      while (matcher.find()) {
        String name = matcher.group(1) == null ? "" : matcher.group(1).strip();
        switch (matcher.group(2)) {
          case null -> {
            String key = sections.isEmpty() ? name : String.join(".", sections) + "." + name;
            entries.putIfAbsent(key, new Entry(matcher.group(3).strip(), number));
          }
          case "{" -> {
            // Deeper than any of swanctl's: no file by hand.
            if (sections.size() < 16) {
              sections.addLast(name);
            }
            entries.putIfAbsent(String.join(".", sections), new Entry("", number));
          }
          default -> sections.pollLast();
        }
      }
    }
    return new Swanctl(entries);
  }

  Optional<Entry> entry(String key) {
    return Optional.ofNullable(entries.get(key));
  }

  private String value(String key) {
    return entry(key).map(Entry::value).orElse("");
  }

  /** The names of all connections. */
  List<String> connections() {
    return entries.keySet().stream()
        .map(CONNECTION::matcher)
        .filter(Matcher::matches)
        .map(matcher -> matcher.group(1))
        .toList();
  }

  /** The name of the child that leads to a prefix. */
  Optional<String> childTo(Prefix far) {
    return entries.entrySet().stream()
        .filter(e -> e.getKey().endsWith(".remote_ts"))
        .filter(e -> prefixes(e.getValue().value()).contains(far))
        .map(e -> CHILD.matcher(e.getKey().substring(0, e.getKey().lastIndexOf('.'))))
        .filter(Matcher::matches)
        .map(matcher -> matcher.group(2))
        .findFirst();
  }

  /** The tunnels that it describes, as far as their selectors stand in it. */
  List<Supposed> tunnels() {
    List<Supposed> tunnels = new ArrayList<>();
    for (Map.Entry<String, Entry> entry : entries.entrySet()) {
      Matcher child = CHILD.matcher(entry.getKey());
      if (child.matches()) {
        tunnel(entry.getKey(), entry.getValue().line(), child.group(1), child.group(2), tunnels);
      }
    }
    return tunnels;
  }

  private void tunnel(
      String key, int line, String connection, String child, List<Supposed> tunnels) {
    String section = "connections." + connection;
    List<Prefix> far = new ArrayList<>(prefixes(value(key + ".remote_ts")));
    for (String pool : words(value(section + ".pools"))) {
      far.addAll(prefixes(value("pools." + pool + ".addrs")));
    }
    Optional<Address> local = Address.parse(value(section + ".local_addrs"));
    Optional<Address> remote = Address.parse(value(section + ".remote_addrs"));
    for (Prefix one : prefixes(value(key + ".local_ts"))) {
      for (Prefix other : far) {
        if (one.family() == other.family()) {
          Origin origin = new Origin("swanctl.conf", line, 1, key);
          tunnels.add(
              new Supposed("child " + child + " to " + other, one, other, local, remote, origin));
        }
      }
    }
  }

  private static List<String> words(String list) {
    return Stream.of(list.split("[,\\s]+", -1)).filter(word -> !word.isEmpty()).toList();
  }

  /** Those that are whole prefixes: `dynamic`, ranges and ports say nothing here. */
  private static List<Prefix> prefixes(String list) {
    return words(list).stream()
        .flatMap(
            word -> Prefix.parse(word).or(() -> Address.parse(word).map(Prefix::host)).stream())
        .toList();
  }
}
