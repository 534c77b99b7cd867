package io.gatehouse.path;

import static io.gatehouse.bdd.Bdd.FALSE;
import static io.gatehouse.bdd.Bdd.TRUE;

import io.gatehouse.bdd.Bdd;
import io.gatehouse.path.Names.Meaning;
import java.util.List;

/** What a selector reads. */
sealed interface Reading {
  /**
   * One field.
   *
   * @param present where there is something to read: elsewhere the rule does not match, whatever
   *     the comparison
   */
  record Content(int present, Field field, Meaning type) implements Reading {
    /** What every packet has. */
    static Content always(Field field, Meaning type) {
      return new Content(TRUE, field, type);
    }

    /** What no packet has. */
    static Content never(int width, Meaning type) {
      return new Content(FALSE, Field.constant(width, 0), type);
    }

    /** A property of the packet, as it arrived or as a rule has rewritten it. */
    static Content property(HeaderSpace space, State state, String name, int width, int present) {
      Field written = state.rewritten.get(name);
      return new Content(
          present,
          written == null ? Field.of(space.property(name, width)) : written,
          Meaning.NUMBER);
    }

    /** The same, with this for the field. */
    Content with(Field other) {
      return new Content(present, other, type);
    }
  }

  /** Several at once. */
  record Several(List<Content> parts) implements Reading {
    int present(Bdd bdd) {
      int all = TRUE;
      for (Content part : parts) {
        all = bdd.and(all, part.present);
      }
      return all;
    }
  }

  /** Nobody knows what. */
  record NotUnderstood(String text) implements Reading {}

  static Reading notUnderstood(Object what) {
    return new NotUnderstood(what.toString());
  }
}
