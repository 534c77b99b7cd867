package io.gatehouse.config;

import static io.gatehouse.config.Key.Presence.NOT_YET;
import static io.gatehouse.config.Key.Presence.REQUIRED;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Pattern;

/**
 * The language as a JSON Schema, draft 7: what editors understand. It holds a file against the
 * forms of the keys, as {@link Shape} does; what values mean together is the binder's to say.
 *
 * <p>To an editor {@code 1} is a number where to us all of it is text, so a key that takes text
 * takes numbers too where digits would do. Something named {@code true} has to be quoted for it.
 */
final class JsonSchema {
  private static final String DEFINITIONS = "#/definitions/";

  /** As {@link Shape#number(String)} reads it. */
  private static final String NUMBER = "^(0x[0-9a-fA-F]{1,8}|0|[1-9][0-9]{0,9})$";

  /** By name, each once. */
  private final Map<String, Object> definitions = new TreeMap<>();

  /** Whose definition is begun: sections may stand in several places. */
  private final Map<String, Section> begun = new LinkedHashMap<>();

  private JsonSchema() {}

  /** The whole of it: maps, lists, texts, numbers and truth values, in the order to print. */
  static Map<String, Object> of(Section top) {
    JsonSchema schema = new JsonSchema();
    Map<String, Object> all = new LinkedHashMap<>();
    all.put("$schema", "http://json-schema.org/draft-07/schema#");
    all.put("title", "A VPN gateway, described for gatehouse");
    Map<String, Object> body = schema.section(top);
    body.remove("required");
    all.putAll(body);
    all.putAll(wholeFile(top));
    all.put("definitions", schema.definitions);
    return all;
  }

  /**
   * What has to be there. A file without {@code gateway} may be a part that another includes, and
   * one with {@code include} may have its keys elsewhere.
   */
  private static Map<String, Object> wholeFile(Section top) {
    Map<String, Object> condition = new LinkedHashMap<>();
    condition.put("required", List.of("gateway"));
    condition.put("not", Map.of("required", List.of("include")));
    Map<String, Object> whole = new LinkedHashMap<>();
    whole.put("if", condition);
    whole.put("then", Map.of("required", required(top)));
    return whole;
  }

  private static List<String> required(Section section) {
    return section.keys().stream()
        .filter(key -> key.presence() == REQUIRED)
        .map(Key::name)
        .toList();
  }

  private Map<String, Object> section(Section section) {
    Map<String, Object> properties = new LinkedHashMap<>();
    for (Key key : section.keys()) {
      if (key.presence() != NOT_YET) {
        boolean mayBeEmpty =
            section.path().isEmpty()
                && (key.form() instanceof Form.Named || key.form() instanceof Form.Fields);
        properties.put(key.name(), property(key, mayBeEmpty));
      }
    }
    Map<String, Object> object = new LinkedHashMap<>();
    object.put("type", "object");
    object.put("properties", properties);
    if (!required(section).isEmpty()) {
      object.put("required", required(section));
    }
    object.put("additionalProperties", false);
    return object;
  }

  private Map<String, Object> property(Key key, boolean mayBeEmpty) {
    Map<String, Object> property = new LinkedHashMap<>();
    property.put("description", description(key));
    Map<String, Object> form = form(key.form());
    if (mayBeEmpty) {
      form = anyOf(List.of(form, Map.of("type", "null")));
    }
    if (form.containsKey("$ref")) {
      property.put("allOf", List.of(form)); // draft 7 ignores what stands beside a reference
    } else {
      property.putAll(form);
    }
    return property;
  }

  private static String description(Key key) {
    String standard =
        switch (key.presence()) {
          case REQUIRED -> " Required.";
          case OPTIONAL ->
              key.standard().isEmpty() ? "" : " Without it: %s.".formatted(key.standard());
          case NOT_YET -> "";
        };
    return "%s. Takes %s.%s Example: `%s: %s`"
        .formatted(
            key.meaning().substring(0, 1).toUpperCase(Locale.ROOT) + key.meaning().substring(1),
            key.form().text(),
            standard,
            key.name(),
            key.example());
  }

  private Map<String, Object> form(Form form) {
    return switch (form) {
      case Form.Value value -> value(value);
      case Form.Words words -> Map.of("enum", words.words());
      case Form.Whole whole -> whole(whole);
      case Form.Flag flag -> Map.of("enum", List.of(true, false, "true", "false"));
      case Form.Several several -> several(several);
      case Form.Fields fields -> reference(fields.section());
      case Form.Named named -> named(form(named.form()));
      case Form.Variant variant -> variant(variant);
      case Form.Either either -> anyOf(List.of(form(either.value()), form(either.fields())));
      case Form.WordOrWhole either -> anyOf(List.of(form(either.words()), form(either.whole())));
    };
  }

  private static Map<String, Object> value(Form.Value value) {
    String pattern = value.pattern().isEmpty() ? value.look() : value.pattern();
    if (pattern.matches("[0-9]+")) {
      return Map.of("enum", List.of(Long.valueOf(pattern), pattern));
    }
    boolean digits = pattern.isEmpty() || Pattern.matches(pattern, "7");
    Map<String, Object> schema = new LinkedHashMap<>();
    schema.put("type", digits ? List.of("string", "number") : "string");
    if (!pattern.isEmpty()) {
      schema.put("pattern", "^(" + pattern + ")$");
    }
    return schema;
  }

  private static Map<String, Object> whole(Form.Whole whole) {
    Map<String, Object> number = new LinkedHashMap<>();
    number.put("type", "integer");
    number.put("minimum", whole.least());
    number.put("maximum", whole.most());
    return anyOf(List.of(number, text(NUMBER)));
  }

  private static Map<String, Object> text(String pattern) {
    Map<String, Object> text = new LinkedHashMap<>();
    text.put("type", "string");
    text.put("pattern", pattern);
    return text;
  }

  private Map<String, Object> several(Form.Several several) {
    Map<String, Object> item = form(several.item());
    Map<String, Object> list = new LinkedHashMap<>();
    list.put("type", "array");
    list.put("items", item);
    if (several.emptyMeans().isEmpty()) {
      list.put("minItems", 1);
    }
    return anyOf(List.of(item, list));
  }

  private static Map<String, Object> named(Map<String, Object> form) {
    Map<String, Object> object = new LinkedHashMap<>();
    object.put("type", "object");
    object.put("patternProperties", Map.of("^" + Language.NAME_PATTERN + "$", form));
    object.put("additionalProperties", false);
    return object;
  }

  /** One word decides: an editor that knows the word complains about that word's keys alone. */
  private Map<String, Object> variant(Form.Variant variant) {
    List<Object> cases = new ArrayList<>();
    variant
        .sections()
        .forEach((word, section) -> {
          Map<String, Object> condition = new LinkedHashMap<>();
          condition.put("properties", Map.of(variant.key(), Map.of("const", word)));
          condition.put("required", List.of(variant.key()));
          Map<String, Object> one = new LinkedHashMap<>();
          one.put("if", condition);
          one.put("then", reference(section));
          cases.add(one);
        });
    Map<String, Object> object = new LinkedHashMap<>();
    object.put("type", "object");
    object.put(
        "properties",
        Map.of(variant.key(), Map.of("enum", List.copyOf(variant.sections().keySet()))));
    object.put("required", List.of(variant.key()));
    object.put("allOf", cases);
    return object;
  }

  private Map<String, Object> reference(Section section) {
    String name = section.path().replace("[]", "").replace(" (", ".").replace(")", "");
    Section other = begun.putIfAbsent(name, section);
    if (other == null) {
      definitions.put(name, Map.of());
      definitions.put(name, section(section));
    } else if (!other.equals(section)) {
      throw new IllegalStateException("two sections at " + name);
    }
    return Map.of("$ref", DEFINITIONS + name);
  }

  private static Map<String, Object> anyOf(List<Map<String, Object>> forms) {
    List<Map<String, Object>> flat = new ArrayList<>();
    for (Map<String, Object> form : forms) {
      if (form.keySet().equals(Set.of("anyOf"))) {
        for (Object inner : (List<?>) form.getOrDefault("anyOf", List.of())) {
          flat.add(typed(inner));
        }
      } else {
        flat.add(form);
      }
    }
    Map<String, Object> any = new LinkedHashMap<>();
    any.put("anyOf", List.copyOf(flat));
    return any;
  }

  @SuppressWarnings("unchecked") // anyOf alone makes such lists
  private static Map<String, Object> typed(Object form) {
    return (Map<String, Object>) form;
  }
}
