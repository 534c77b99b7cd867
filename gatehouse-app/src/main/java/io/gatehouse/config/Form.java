package io.gatehouse.config;

import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * What may stand behind a key. The binder, the handbook and the JSON Schema are made from the same
 * forms.
 */
public sealed interface Form {

  /** For people: {@code a list of prefixes}. */
  String text();

  /**
   * A single value that is read further by its meaning.
   *
   * @param text what it is: {@code an address}
   * @param pattern what it must look like; empty where a pattern cannot tell
   * @param rule the pattern in words
   * @param look what all of its texts match, for editors, where the reader says more than a pattern
   *     can; empty where there is nothing to say
   */
  record Value(String text, String pattern, String rule, String look) implements Form {
    public Value(String text, String pattern, String rule) {
      this(text, pattern, rule, "");
    }
  }

  /**
   * One of some words.
   *
   * @param notYet words that are known but cannot be used yet
   */
  record Words(List<String> words, List<String> notYet) implements Form {
    public Words {
      words = List.copyOf(words);
      notYet = List.copyOf(notYet);
    }

    @Override
    public String text() {
      return words.stream().map(w -> "`" + w + "`").collect(Collectors.joining(", "));
    }
  }

  /**
   * A whole number, decimal or with {@code 0x}.
   *
   * @param unit what is counted; empty for plain numbers
   */
  record Whole(long least, long most, String unit) implements Form {
    @Override
    public String text() {
      return least + "–" + most + (unit.isEmpty() ? "" : " " + unit);
    }
  }

  /** {@code true} or {@code false}. */
  record Flag() implements Form {
    @Override
    public String text() {
      return "`true`, `false`";
    }
  }

  /**
   * A list; a single item may stand for itself.
   *
   * @param emptyMeans what an empty list says; empty where it is refused
   */
  record Several(Form item, String emptyMeans) implements Form {
    @Override
    public String text() {
      return item.text() + ", or a list of them";
    }
  }

  /** Keys and their values. */
  record Fields(Section section) implements Form {
    @Override
    public String text() {
      return "keys";
    }
  }

  /**
   * Names that the description chooses, and what each stands for.
   *
   * @param placeholder how the name is shown in paths
   */
  record Named(String placeholder, Form form) implements Form {
    @Override
    public String text() {
      return "names, each with " + form.text();
    }
  }

  /**
   * Keys that depend on the word behind one of them.
   *
   * @param key that key
   * @param sections by that word
   * @param notYet words that are known but cannot be used yet
   */
  record Variant(String key, Map<String, Section> sections, List<String> notYet) implements Form {
    public Variant {
      notYet = List.copyOf(notYet);
    }

    @Override
    public String text() {
      return "keys";
    }
  }

  /** A single value of one form, or keys. */
  record Either(Form value, Form.Fields fields) implements Form {
    @Override
    public String text() {
      return value.text() + "; or keys";
    }
  }

  /** A word, or a number. */
  record WordOrWhole(Words words, Whole whole) implements Form {
    @Override
    public String text() {
      return words.text() + ", " + whole.text();
    }
  }
}
