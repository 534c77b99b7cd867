package io.gatehouse.cli;

import io.gatehouse.compile.Note;
import io.gatehouse.config.Problem;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import tools.jackson.databind.SerializationFeature;
import tools.jackson.databind.json.JsonMapper;

/** Answers for programs; docs/json.md tells their shape. Loaded only where somebody asks for it. */
final class Json {
  private Json() {}

  /** Keys in the order given, two spaces to a level, a line end behind. */
  static String text(Map<String, Object> answer) {
    return JsonMapper.builder()
            .enable(SerializationFeature.INDENT_OUTPUT)
            .build()
            .writeValueAsString(answer)
            .replace(System.lineSeparator(), "\n")
        + "\n";
  }

  /** On one line, for answers that go on; without the line's end. */
  static String line(Map<String, Object> answer) {
    return JsonMapper.builder().build().writeValueAsString(answer);
  }

  static List<Problem.Plain> problems(List<Problem> problems) {
    return problems.stream().map(Problem::plain).toList();
  }

  static List<Map<String, String>> notes(List<Note> notes) {
    return notes.stream()
        .map(note -> map("text", note.text(), "place", note.origin().place()))
        .toList();
  }

  private static Map<String, String> map(String key, String value, String key2, String value2) {
    Map<String, String> map = new LinkedHashMap<>();
    map.put(key, value);
    map.put(key2, value2);
    return map;
  }
}
