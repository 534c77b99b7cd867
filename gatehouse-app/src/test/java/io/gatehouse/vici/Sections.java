package io.gatehouse.vici;

import io.gatehouse.vici.Section.Item;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Sections from text as swanctl prints it: {@code a=1 list=[x y] s {b=2}}. */
final class Sections {
  private Sections() {}

  static Section of(String text) {
    List<String> words = new ArrayList<>();
    for (String word :
        text.replace("{", " { ")
            .replace("}", " } ")
            .replace("[", "[ ")
            .replace("]", " ] ")
            .trim()
            .split("\\s+", -1)) {
      words.add(word);
    }
    int[] at = {0};
    return section(words, at);
  }

  private static Section section(List<String> words, int[] at) {
    Map<String, Item> items = new LinkedHashMap<>();
    while (at[0] < words.size() && !words.get(at[0]).equals("}")) {
      String word = words.get(at[0]++);
      int equals = word.indexOf('=');
      if (word.endsWith("=[")) {
        List<String> values = new ArrayList<>();
        while (!words.get(at[0]).equals("]")) {
          values.add(words.get(at[0]++));
        }
        at[0]++;
        items.put(word.substring(0, equals), new Item.Texts(values));
      } else if (equals >= 0) {
        items.put(word.substring(0, equals), new Item.Text(word.substring(equals + 1)));
      } else {
        at[0]++; // the brace
        items.put(word, new Item.Nested(section(words, at)));
        at[0]++;
      }
    }
    return new Section(items);
  }
}
