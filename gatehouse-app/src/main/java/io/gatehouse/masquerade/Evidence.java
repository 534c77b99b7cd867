package io.gatehouse.masquerade;

/** Why a binding was made, weakest last. */
public enum Evidence {
  /** The host said so itself, or its updown hook did. */
  REGISTERED(1, "the host registered it"),
  /** One host alone had finished an exchange from which a new SPI was to come. */
  EXCHANGE(2, "its host alone had finished an exchange"),
  /** All others that could own it were found not to. */
  ELIMINATION(3, "all others were ruled out"),
  /** Its packets and those of one host answer each other. */
  ANSWERS(4, "its packets and the host's answer each other"),
  /** An entry was lost; one host alone had a session with that remote and no SPI. */
  SESSION(5, "one host alone had a session without an SPI"),
  /** Baseline: it answered the one first packet that was outstanding. */
  SERIALISED(6, "it came while one first packet was outstanding"),
  /** Baseline: its host had waited longest. */
  FIFO(7, "its host had waited longest"),
  /** It stood when we came: a predecessor had bound it. */
  RECALLED(8, "it stood already");

  private static final Evidence[] BY_CODE = values();

  private final int code;
  private final String words;

  Evidence(int code, String words) {
    this.code = code;
    this.words = words;
  }

  /** A number from 1, for tables. */
  int code() {
    return code;
  }

  static Evidence of(int code) {
    return BY_CODE[code - 1];
  }

  /** For people. */
  public String words() {
    return words;
  }
}
