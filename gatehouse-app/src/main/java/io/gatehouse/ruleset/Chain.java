package io.gatehouse.ruleset;

import java.util.List;
import java.util.Optional;

/**
 * Rules in order.
 *
 * @param base where the kernel enters it; nothing for a chain that others jump to
 */
public record Chain(String name, Optional<Base> base, List<Rule> rules) {
  public Chain {
    rules = List.copyOf(rules);
  }

  /**
   * A base chain's place in the kernel's path.
   *
   * @param type {@code filter}, {@code nat}, or {@code route} (changes of mark or address are
   *     followed by a new routing look-up)
   * @param priority the lower comes first; −300 raw, −200 conntrack, −150 mangle, −100 dstnat, 0
   *     filter, 100 srcnat
   * @param device of an ingress or egress hook
   */
  public record Base(
      String type, Hook hook, int priority, boolean dropByDefault, Optional<String> device) {}

  /** The kernel's hooks. */
  public enum Hook {
    INGRESS,
    PREROUTING,
    INPUT,
    FORWARD,
    OUTPUT,
    POSTROUTING,
    EGRESS
  }
}
