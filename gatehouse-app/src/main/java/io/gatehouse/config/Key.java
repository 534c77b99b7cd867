package io.gatehouse.config;

/**
 * A key of the language.
 *
 * @param standard what holds where it is left out, in words; empty where nothing does
 * @param meaning one line for the handbook
 * @param example a value, as YAML
 */
public record Key(
    String name, Form form, Presence presence, String standard, String meaning, String example) {

  /** Whether a key has to be there. */
  public enum Presence {
    REQUIRED,
    OPTIONAL,
    /** Known, but refused: a later version will read it. */
    NOT_YET
  }
}
