package io.gatehouse.verify;

import java.util.Arrays;
import java.util.Optional;

/** What is proved of a gateway. */
public enum Property {
  IN_CLEAR("in-clear", "nothing of a pool or remote network leaves unprotected"),
  FLUSHED("flushed", "nor does it when somebody flushes all nftables rules"),
  EVIDENCE("evidence", "what did not come through its own tunnel reaches nothing"),
  REWRITTEN("rewritten", "no NAT takes a packet from its tunnel, or moves one into a tunnel"),
  IDENTITY("identity", "each identity leaves by its own path"),
  APPEARS("appears", "everybody appears in the world as the description says"),
  TOO_MUCH("too-much", "nobody reaches anything but what is described"),
  TOO_LITTLE("too-little", "everybody reaches all that is described"),
  ANSWERS("answers", "answers, and errors, come back to who began"),
  OUTSIDE("outside", "nothing that the description does not mention is accepted from outside");

  private final String word;
  private final String sentence;

  Property(String word, String sentence) {
    this.word = word;
    this.sentence = sentence;
  }

  /** Its name on the command line. */
  public String word() {
    return word;
  }

  /** What it says, as the end of a sentence. */
  public String sentence() {
    return sentence;
  }

  public static Optional<Property> byWord(String word) {
    return Arrays.stream(values()).filter(property -> property.word.equals(word)).findFirst();
  }
}
