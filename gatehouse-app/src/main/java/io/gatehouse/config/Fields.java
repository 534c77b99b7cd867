package io.gatehouse.config;

import io.gatehouse.model.Origin;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The values behind the keys of one section. What {@link Shape} has refused is not there. */
final class Fields {
  private final Section section;
  private final Map<String, Node.Entry> entries;
  private final Spot label;

  /**
   * @param label what stands for the whole of it in a message
   */
  Fields(Section section, Node node, Spot label) {
    this.section = section;
    this.label = label;
    this.entries = node instanceof Node.Mapping mapping ? first(mapping) : Map.of();
  }

  /** The entries by key; where a key comes twice, the first. */
  static Map<String, Node.Entry> first(Node.Mapping mapping) {
    Map<String, Node.Entry> all = LinkedHashMap.newLinkedHashMap(mapping.entries().size());
    mapping.entries().forEach(entry -> all.putIfAbsent(entry.key().text(), entry));
    return all;
  }

  Spot label() {
    return label;
  }

  Origin origin() {
    return label.origin();
  }

  private Form form(String key) {
    Optional<Key> known = section.key(key);
    if (known.isEmpty()) {
      throw new IllegalArgumentException("no key " + key + " in " + section.path());
    }
    return known.get().form();
  }

  boolean has(String key) {
    form(key);
    return entries.containsKey(key);
  }

  /** The key's place, or that of the whole where the key is left out. */
  Spot spot(String key) {
    Node.Entry entry = entries.get(key);
    return entry == null ? label : entry.key().spot();
  }

  /** The items of a list, or the one that stands for itself. */
  List<Node> items(String key) {
    form(key);
    Node.Entry entry = entries.get(key);
    if (entry == null) {
      return List.of();
    }
    return entry.value() instanceof Node.Sequence sequence
        ? sequence.items()
        : List.of(entry.value());
  }

  /** Whether the key is there with an empty list. */
  boolean isEmptyList(String key) {
    return has(key) && items(key).isEmpty();
  }

  /** The single values of a list. */
  List<Node.Scalar> texts(String key) {
    Form item = form(key) instanceof Form.Several several ? several.item() : form(key);
    List<Node.Scalar> texts = new ArrayList<>();
    for (Node node : items(key)) {
      if (node instanceof Node.Scalar scalar && fits(scalar, item)) {
        texts.add(scalar);
      }
    }
    return texts;
  }

  private static boolean fits(Node.Scalar scalar, Form form) {
    return switch (form) {
      case Form.Value value -> Shape.fits(scalar, value);
      case Form.Words words -> words.words().contains(scalar.text());
      default -> !scalar.isMissing();
    };
  }

  /** The single value. */
  Optional<Node.Scalar> text(String key) {
    return form(key) instanceof Form.Several ? Optional.empty() : texts(key).stream().findFirst();
  }

  Optional<String> word(String key) {
    return text(key).map(Node.Scalar::text);
  }

  Optional<Long> number(String key) {
    Form form = form(key);
    Form.Whole whole =
        switch (form) {
          case Form.Whole w -> w;
          case Form.WordOrWhole either -> either.whole();
          default -> throw new IllegalArgumentException(key + " is no number");
        };
    return text(key).flatMap(scalar -> Shape.number(scalar, whole));
  }

  Optional<Boolean> flag(String key) {
    return text(key).flatMap(Shape::flag);
  }

  /** The keys behind a key. */
  Optional<Fields> fields(String key) {
    form(key);
    Node.Entry entry = entries.get(key);
    if (entry == null || !(form(key) instanceof Form.Fields fields)) {
      return Optional.empty();
    }
    return entry.value() instanceof Node.Mapping
        ? Optional.of(new Fields(fields.section(), entry.value(), entry.key().spot()))
        : Optional.empty();
  }

  /** The maps in a list of them; items of another kind are left out. */
  List<Fields> several(String key) {
    if (!(form(key) instanceof Form.Several several)) {
      throw new IllegalArgumentException(key + " is no list");
    }
    Section of =
        switch (several.item()) {
          case Form.Fields fields -> fields.section();
          case Form.Either either -> either.fields().section();
          default -> throw new IllegalArgumentException(key + " has no keys in it");
        };
    return items(key).stream()
        .filter(Node.Mapping.class::isInstance)
        .map(node -> new Fields(of, node, Shape.spot(node)))
        .toList();
  }

  /**
   * What stands behind the names that the description chose, each name once. Names that are none
   * are left out.
   */
  List<Node.Entry> named(String key) {
    if (!(form(key) instanceof Form.Named)) {
      throw new IllegalArgumentException(key + " has no names");
    }
    Node.Entry entry = entries.get(key);
    if (entry == null || !(entry.value() instanceof Node.Mapping mapping)) {
      return List.of();
    }
    return first(mapping).values().stream().filter(e -> Shape.isName(e.key().text())).toList();
  }

  /** The same where each name has keys. */
  List<Fields> namedFields(String key) {
    Form form = form(key) instanceof Form.Named named ? named.form() : form(key);
    if (!(form instanceof Form.Fields fields)) {
      throw new IllegalArgumentException(key + " has no names with keys");
    }
    return named(key).stream()
        .map(e -> new Fields(fields.section(), e.value(), e.key().spot()))
        .toList();
  }
}
