package io.gatehouse.model;

import java.util.List;

/**
 * How a tunnel protects packets, as far as it costs bytes.
 *
 * @param proposals in strongSwan's words, such as {@code aes256gcm16-x25519}; empty means
 *     strongSwan's own default, of which the costliest counts
 * @param encapsulation whether ESP travels in UDP 4500
 */
public record Esp(List<Located<String>> proposals, Encapsulation encapsulation) {
  /** Whether ESP travels in UDP (RFC 3948). */
  public enum Encapsulation {
    /** Where a NAT is found: it has to be reckoned with. */
    AUTO,
    ALWAYS,
    NEVER
  }

  public Esp {
    proposals = List.copyOf(proposals);
  }
}
