package io.gatehouse.config;

import io.gatehouse.model.Origin;

/**
 * Where something stands in a text.
 *
 * @param line 1-based; 0 means the text as a whole
 * @param column 1-based, in code points
 * @param length in code points, on that line
 */
record Spot(Text text, int line, int column, int length, Path path) {
  Origin origin() {
    return new Origin(text.file(), line, column, path.toString());
  }

  /** As a problem at another place names it: the file only where it is another one. */
  String seenFrom(Spot other) {
    if (line == 0) {
      return Quote.bare(text.file());
    }
    return other.text.order() == text.order()
        ? "line " + line
        : Quote.bare(text.file()) + ":" + line + ":" + column;
  }
}
