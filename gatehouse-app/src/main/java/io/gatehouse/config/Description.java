package io.gatehouse.config;

import java.util.List;
import java.util.Map;

/** The description of a gateway, as people write it. */
public final class Description {
  /** Bytes of one file; a description of 10,000 tunnels takes about 3 million. */
  public static final int LARGEST_FILE = 16 * 1024 * 1024;

  private Description() {}

  /**
   * Reads a description with all that it includes. Never throws: whatever the bytes are, the answer
   * is a gateway or the list of everything that is wrong.
   *
   * @param file as the user named it; so it stands in every {@code Origin}
   */
  public static Reading read(String file, Source source) {
    Problems problems = new Problems();
    Includes.Merged merged = Includes.read(file, source, problems);
    new Shape(problems).check(merged.root(), merged.complete());
    return merged.complete()
        ? Binder.bind(merged.root(), problems)
        : new Reading.Refused(problems.sorted());
  }

  /** Every section of the language with its keys, from the top down. */
  public static List<Section> language() {
    return Language.sections();
  }

  /**
   * The language as a JSON Schema (draft 7) for editors: maps, lists, texts, numbers and truth
   * values, in the order to print.
   */
  public static Map<String, Object> schema() {
    return JsonSchema.of(Language.TOP);
  }
}
