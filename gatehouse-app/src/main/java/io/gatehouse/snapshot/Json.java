package io.gatehouse.snapshot;

import java.util.List;
import java.util.Optional;
import java.util.stream.StreamSupport;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * Reads what tools print as JSON; what is missing or of another type is absent, never an exception.
 */
final class Json {
  private static final JsonMapper MAPPER = new JsonMapper();

  /** A listing with something behind it is two listings, or half of one. */
  private static final JsonMapper STRICT =
      JsonMapper.builder().enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS).build();

  private Json() {}

  /** The elements of a list; none where the text is no list. */
  static List<JsonNode> list(String text) {
    return elements(tree(text));
  }

  static JsonNode tree(String text) {
    try {
      JsonNode tree = MAPPER.readTree(text);
      return tree == null ? MAPPER.missingNode() : tree;
    } catch (JacksonException e) {
      return MAPPER.missingNode();
    }
  }

  /** Throws where the text is not one whole JSON value. */
  static JsonNode strict(String text) {
    JsonNode tree = STRICT.readTree(text);
    return tree == null ? STRICT.missingNode() : tree;
  }

  static List<JsonNode> elements(JsonNode node) {
    return node.isArray() ? StreamSupport.stream(node.spliterator(), false).toList() : List.of();
  }

  static Optional<String> text(JsonNode node, String key) {
    JsonNode value = node.path(key);
    return value.isString() ? Optional.of(value.stringValue()) : Optional.empty();
  }

  /** A number, also where the tool prints it as a string, in decimal or hexadecimal. */
  static Optional<Long> number(JsonNode node, String key) {
    JsonNode value = node.path(key);
    if (value.isIntegralNumber() && value.canConvertToLong()) {
      return Optional.of(value.longValue());
    }
    return value.isString() ? number(value.stringValue()) : Optional.empty();
  }

  static Optional<Long> number(String text) {
    try {
      return Optional.of(Long.decode(text));
    } catch (NumberFormatException e) {
      return Optional.empty();
    }
  }
}
