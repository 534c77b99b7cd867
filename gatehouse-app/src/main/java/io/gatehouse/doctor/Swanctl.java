package io.gatehouse.doctor;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** swanctl.conf: nested sections of settings. */
final class Swanctl {
  private static final Pattern TOKEN =
      Pattern.compile("([^{}=#\\n]+?)?\\s*([{}=])\\s*([^{}#\\n]*)");

  private Swanctl() {}

  /**
   * A setting.
   *
   * @param key with its sections, by dots
   * @param line 1-based
   */
  record Entry(String key, String value, int line) {}

  /** Every setting; and each section with an empty value. Lines that are none are left out. */
  static List<Entry> read(String text) {
    List<Entry> entries = new ArrayList<>();
    Deque<String> sections = new ArrayDeque<>();
    int number = 0;
    for (String line : (Iterable<String>) text.lines()::iterator) {
      number++;
      int comment = line.indexOf('#');
      String rest = comment < 0 ? line : line.substring(0, comment);
      Matcher matcher = TOKEN.matcher(rest);
      while (matcher.find()) {
        String name = matcher.group(1) == null ? "" : matcher.group(1).strip();
        switch (matcher.group(2)) {
          case "{" -> {
            sections.addLast(name);
            entries.add(new Entry(String.join(".", sections), "", number));
          }
          case "}" -> sections.pollLast();
          default -> entries.add(new Entry(key(sections, name), matcher.group(3).strip(), number));
        }
      }
    }
    return List.copyOf(entries);
  }

  private static String key(Deque<String> sections, String name) {
    return sections.isEmpty() ? name : String.join(".", sections) + "." + name;
  }

  /** The names of all connections. */
  static Set<String> connections(List<Entry> entries) {
    Set<String> names = new LinkedHashSet<>();
    for (Entry entry : entries) {
      String[] parts = entry.key().split("\\.", -1);
      if (parts.length == 2 && parts[0].equals("connections") && entry.value().isEmpty()) {
        names.add(parts[1]);
      }
    }
    return names;
  }

  /** Where a connection begins. */
  static int line(List<Entry> entries, String connection) {
    return entries.stream()
        .filter(e -> e.key().equals("connections." + connection))
        .mapToInt(Entry::line)
        .findFirst()
        .orElse(0);
  }
}
