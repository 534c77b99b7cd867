package io.gatehouse.doctor;

import io.gatehouse.snapshot.Collected;
import java.util.Optional;

/**
 * By how much a counter rose.
 *
 * @param total since the namespace was made
 * @param by since the earlier reading, or in total where there is none
 * @param isMeasured whether there was an earlier reading
 */
record Rise(String file, String name, long total, long by, boolean isMeasured) {

  static Rise of(Patient patient, String file, String name) {
    long total = value(patient.collected(), file, name).orElse(0L);
    Optional<Long> before = patient.earlier().flatMap(c -> value(c, file, name));
    return new Rise(
        file,
        name,
        total,
        before.map(b -> Math.max(0, total - b)).orElse(total),
        before.isPresent());
  }

  /** {@code NAME value} on a line, or, as in /proc/net/netstat, names on one and values below. */
  private static Optional<Long> value(Collected collected, String file, String name) {
    String text = collected.texts().getOrDefault(file, "");
    String[] lines = text.split("\n", -1);
    for (int i = 0; i < lines.length; i++) {
      String[] words = lines[i].strip().split("\\s+", -1);
      if (words.length == 2 && words[0].equals(name)) {
        return number(words[1]);
      }
      for (int column = 1; column < words.length && i + 1 < lines.length; column++) {
        if (words[column].equals(name)) {
          String[] values = lines[i + 1].strip().split("\\s+", -1);
          return column < values.length ? number(values[column]) : Optional.empty();
        }
      }
    }
    return Optional.empty();
  }

  private static Optional<Long> number(String word) {
    return word.matches("[0-9]{1,18}") ? Optional.of(Long.valueOf(word)) : Optional.empty();
  }

  Finding.Evidence evidence() {
    return new Finding.Evidence(
        name + " = " + total + (isMeasured ? ", " + by + " more than before" : ""), file);
  }
}
