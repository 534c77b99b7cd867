package io.gatehouse.vici;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A VICI message, or a section of one: names with texts, lists of texts, and sections.
 *
 * @param items in their order
 */
record Section(Map<String, Item> items) {
  static final Section EMPTY = new Section(Map.of());

  /** What a name leads to. */
  sealed interface Item {
    /** A value; charon knows no other type. */
    record Text(String value) implements Item {}

    /** Several values. */
    record Texts(List<String> values) implements Item {
      public Texts {
        values = List.copyOf(values);
      }
    }

    /** A section. */
    record Nested(Section section) implements Item {}
  }

  Section {
    items = Collections.unmodifiableMap(new LinkedHashMap<>(items));
  }

  /** One name with its value. */
  static Section of(String name, String value) {
    return new Section(Map.of(name, new Item.Text(value)));
  }

  Optional<String> text(String name) {
    return items.get(name) instanceof Item.Text(String value)
        ? Optional.of(value)
        : Optional.empty();
  }

  List<String> texts(String name) {
    return items.get(name) instanceof Item.Texts(List<String> values) ? values : List.of();
  }

  Optional<Section> section(String name) {
    return items.get(name) instanceof Item.Nested(Section section)
        ? Optional.of(section)
        : Optional.empty();
  }

  /** The sections in it, by name. */
  Map<String, Section> sections() {
    Map<String, Section> sections = new LinkedHashMap<>();
    items.forEach((name, item) -> {
      if (item instanceof Item.Nested(Section section)) {
        sections.put(name, section);
      }
    });
    return sections;
  }

  /** Whether a value is charon's {@code yes}. */
  boolean isYes(String name) {
    return text(name).filter("yes"::equals).isPresent();
  }
}
